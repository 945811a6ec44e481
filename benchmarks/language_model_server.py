"""Serves language models on this machine with ``transformers serve``, for tests and measurements."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from pathlib import Path
from types import TracebackType
from urllib.error import URLError
from urllib.request import ProxyHandler, build_opener

COMMAND = "from transformers.cli.transformers import app; app()"
"""As the script ``transformers``, without its look for a newer version on the internet."""
OFFLINE = {"HF_HUB_OFFLINE": "1", "HF_HUB_DISABLE_TELEMETRY": "1", "NO_PROXY": "127.0.0.1"}


class ServerError(RuntimeError):
    """The server ended before it served; the message holds the end of what it wrote."""


class LanguageModelServer:
    """An OpenAI-compatible server of every model folder on this machine; a request names the folder.

    Attributes:
        address: where it listens, with ``/v1``; the same after `start` as after `kill`.
    """

    def __init__(self, log: Path) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self._log, self._port = log, int(probe.getsockname()[1])
        self._process: subprocess.Popen[bytes] | None = None
        self.address = f"http://127.0.0.1:{self._port}/v1"

    def start(self) -> None:
        """Start the server and wait until it answers.

        Raises:
            ServerError: it ended before.
        """
        options = ["--host", "127.0.0.1", "--port", str(self._port), "--device", "cpu", "--default-seed", "0"]
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(  # noqa: S603 - our own interpreter and words
                [sys.executable, "-c", COMMAND, "serve", *options],
                stdout=log, stderr=log, env={**os.environ, **OFFLINE},
            )  # fmt: skip
        while not self.answers():
            if self._process.poll() is not None:
                raise ServerError(f"transformers serve ended: {self._log.read_text()[-2000:]}")
            time.sleep(0.2)

    def kill(self) -> None:
        """End the server at once, as a crash would."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def answers(self) -> bool:
        """Return whether the server is there."""
        try:
            with build_opener(ProxyHandler({})).open(f"http://127.0.0.1:{self._port}/health", timeout=5):
                return True
        except (URLError, TimeoutError, ConnectionError):
            return False

    def __enter__(self) -> LanguageModelServer:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.kill()
