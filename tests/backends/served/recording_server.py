"""A server of OpenAI's chat completions on this machine that keeps what it is sent and can misbehave in many ways."""

from __future__ import annotations

import base64
import io
import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import numpy as np
from PIL import Image

TOKENS_PER_PAIR = 9
TRIAL = "Say yes."
Body = dict[str, Any]
Answering = Callable[[int, Body], "tuple[int, Any] | None"]


def completion(text: str | None = "yes", ended: str = "stop", tokens: int = 2, **message: Any) -> Body:
    """Return a chat completion as servers give it."""
    choice = {
        "index": 0,
        "finish_reason": ended,
        "message": {"role": "assistant", "content": text, **message},
    }
    usage = {"prompt_tokens": 100, "completion_tokens": tokens, "total_tokens": 100 + tokens}
    return {
        "id": "1",
        "object": "chat.completion",
        "created": 1,
        "model": "m",
        "choices": [choice],
        "usage": usage,
    }


def question_of(body: Body) -> str:
    content = body["messages"][-1]["content"]
    return str(content if isinstance(content, str) else content[-1]["text"])


def parts_of(body: Body, kind: str) -> list[Body]:
    return [part for part in body["messages"][-1]["content"] if part["type"] == kind]


def pictures_of(body: Body) -> list[bytes]:
    """Return the files of the pictures that a request holds, in order, whichever way they were sent."""
    encoded = [part["image_url"]["url"].partition(",")[2] for part in parts_of(body, "image_url")]
    for part in parts_of(body, "video_url"):
        if part["video_url"] is not None:
            head, _, data = part["video_url"]["url"].partition(",")
            assert head == "data:video/jpeg;base64"
            encoded += data.split(",")
    return [base64.b64decode(each, validate=True) for each in encoded]


def frames_of(body: Body) -> np.ndarray:
    """Return the pictures of a request, shape (frames, height, width, 3)."""
    return np.stack([np.asarray(Image.open(io.BytesIO(each)).convert("RGB")) for each in pictures_of(body)])


@dataclass
class ModelServer:
    """What a server was asked, and how it answers.

    Attributes:
        most_frames: frames of a video that it shows; 0 refuses videos.
        timed: whether it lets requests tell the times of frames.
        keeps: whether it keeps videos under a key.
        counts: whether it counts tokens.
        answering: gives status and body for the n-th question, or None for the usual answer.
        takes_s: how long an answer takes, s.
        metrics: the text of ``/metrics``; None for 404.
        engine: what it says that it is.
        asked: the questions, without trials, in order.
        trials: the trial requests.
        most_at_once: questions that were under way at once.
    """

    most_frames: int = 1000
    timed: bool = True
    keeps: bool = True
    counts: bool = True
    answering: Answering = lambda number, body: None
    takes_s: float = 0.0
    metrics: str | None = None
    engine: str = "vllm"
    models: tuple[str, ...] = ("m",)
    root: str = "Qwen/Qwen2.5-VL-7B-Instruct"
    meta: Body | None = None
    asked: list[Body] = field(default_factory=list)
    trials: list[Body] = field(default_factory=list)
    most_at_once: int = 0
    address: str = ""
    _kept: dict[str, int] = field(default_factory=dict)
    _under_way: int = 0
    _lock: Any = field(default_factory=threading.Lock)

    def reply(self, body: Body) -> tuple[int, Any]:
        """Return status and body of the answer to a request."""
        trial = question_of(body) == TRIAL
        with self._lock:
            (self.trials if trial else self.asked).append(body)
            number = len(self.asked)
            self._under_way += 1
            self.most_at_once = max(self.most_at_once, self._under_way)
        try:
            if not trial and (given := self.answering(number, body)) is not None:
                return given
            time.sleep(0 if trial else self.takes_s)
            return self._usual(body)
        finally:
            with self._lock:
                self._under_way -= 1

    def _usual(self, body: Body) -> tuple[int, Any]:
        if "media_io_kwargs" in body and not self.timed:
            return refused(400, "Per-request media_io_kwargs are disabled by default")
        videos = parts_of(body, "video_url")
        if videos and not self.most_frames:
            return refused(400, "At most 0 video(s) may be provided in one prompt.")
        shown = len(parts_of(body, "image_url"))
        for part in videos:
            key = part.get("uuid")
            if part["video_url"] is None:
                if not self.keeps or key not in self._kept:
                    return refused(400, "Cache miss for video at index 0 but data is not provided.")
                shown += self._kept[key]
                continue
            frames = min(part["video_url"]["url"].count(","), self.most_frames)
            shown += frames
            if key:
                self._kept[key] = frames
        question = question_of(body)
        said = completion("yes" if len(question) % 2 else "no")
        said["usage"] = {
            "prompt_tokens": 20 + TOKENS_PER_PAIR * shown // 2,
            "completion_tokens": 2,
            "total_tokens": 0,
        }
        if not self.counts:
            del said["usage"]
        if body.get("logprobs"):
            said["choices"][0]["logprobs"] = {"content": [first_token(question)]}
        return 200, said

    def forget(self) -> None:
        """Drop all kept videos, as a full cache does."""
        self._kept.clear()


def first_token(question: str) -> Body:
    """Return the log-probabilities of a first token: yes in two forms and no, but not NA."""
    told = {"yes": -0.5, " Yes": -1.5, "no": -2.0, "maybe": -6.0}
    top = [{"token": token, "logprob": value, "bytes": None} for token, value in told.items()]
    return {"token": "yes", "logprob": -0.5, "bytes": None, "top_logprobs": top}


def refused(status: int, message: str) -> tuple[int, Any]:
    return status, {"error": {"message": message, "type": "BadRequestError", "param": None, "code": status}}


@contextmanager
def serving(server: ModelServer, port: int = 0) -> Iterator[ModelServer]:
    """Serve on this machine while this lasts."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            told = {name: value for name, value in (("root", server.root), ("meta", server.meta)) if value}
            listed = [{"id": name, "object": "model", "owned_by": server.engine, "created": 1, **told}
                      for name in server.models]  # fmt: skip
            if self.path == "/v1/models":
                self._send(200, {"object": "list", "data": listed})
            elif self.path == "/version" and server.engine == "vllm":
                self._send(200, {"version": "0.32.0"})
            elif self.path == "/metrics" and server.metrics is not None:
                self._send(200, server.metrics)
            else:
                self._send(404, {"error": {"message": "not found"}})

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            status, said = server.reply(body)
            if status:
                self._send(status, said)
            else:  # an answer that never comes, or a connection that breaks
                self.close_connection = True

        def _send(self, status: int, said: Any) -> None:
            data = (said if isinstance(said, str) else json.dumps(said)).encode()
            self.send_response(status)
            if status in (301, 302, 307, 308):
                self.send_header("Location", "http://192.0.2.1/v1/chat/completions")
            self.send_header("Content-Type", "text/html" if isinstance(said, str) else "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_: object) -> None:
            pass

    class Here(ThreadingHTTPServer):
        daemon_threads = True
        allow_reuse_address = True

    http = Here(("127.0.0.1", port), Handler)
    server.address = f"http://127.0.0.1:{http.server_address[1]}/v1"
    thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        http.shutdown()
        http.server_close()
        thread.join()
