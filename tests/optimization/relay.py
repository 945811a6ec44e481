"""A relay in front of an OpenAI-compatible server, which writes down what passes."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any

import httpx


class Relay:
    """Hands requests on to a server and its responses back, byte for byte.

    Args:
        target: address of the server, with ``/v1``.

    Attributes:
        address: its own, with ``/v1``.
        requests: bodies that came. replies: texts that went back.
        before_each: called before a request is handed on, with how many came before.
    """

    def __init__(self, target: str) -> None:
        self._target = target
        self.requests: list[bytes] = []
        self.replies: list[str] = []
        self.before_each: Callable[[int], None] = lambda number: None
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self.address = f"http://127.0.0.1:{self._server.server_port}/v1"

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        relay = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                answer = relay.hand_on(self.path.removeprefix("/v1"), body)
                if answer is None:
                    self.close_connection = True
                    return
                self.send_response(answer.status_code)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(answer.content)))
                self.end_headers()
                self.wfile.write(answer.content)

            def log_message(self, *arguments: Any) -> None:
                """Keep the test's output clean."""

        return Handler

    def hand_on(self, path: str, body: bytes) -> httpx.Response | None:
        """Return the server's response; None where there is no server."""
        self.before_each(len(self.requests))
        self.requests.append(body)
        try:
            answer = httpx.post(
                self._target + path, content=body, headers={"Content-Type": "application/json"},
                timeout=None, trust_env=False,
            )  # fmt: skip
        except httpx.TransportError:
            return None
        if answer.is_success:
            self.replies.append(json.loads(answer.content)["choices"][0]["message"]["content"] or "")
        return answer

    def __enter__(self) -> Relay:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
