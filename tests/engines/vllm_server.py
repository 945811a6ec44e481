"""A vLLM server on the CPU in a process of its own, started by the command that ``semiology serve-command`` prints."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import time
from pathlib import Path

import httpx
from typer.testing import CliRunner

from semiology.cli import app
from semiology.settings import ENGINES

START_S = 900
ON_A_CPU = ["--enforce-eager", "--block-size", "32"]
"""Starts sooner; and the CPU's blocks of 128 tokens would hide most of a short prefix."""


def printed(model: str, port: int) -> tuple[list[str], list[str]]:
    """Return the words of the two commands that ``semiology serve-command`` prints."""
    done = CliRunner().invoke(app, ["serve-command", model, "--port", str(port), "--context", "8192"])
    assert done.exit_code == 0, done.output
    return shlex.split(done.stdout), shlex.split(done.stderr)


class Engine:
    """A server in a process of its own; ``log`` holds what it said."""

    def __init__(self, words: list[str], folder: Path) -> None:
        self.words, self.log = words, folder / "server.log"
        self.address = f"http://127.0.0.1:{words[words.index('--port') + 1]}/v1"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        environment = ENGINES.folder()
        assert environment is not None
        bare = {
            name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "VIRTUAL_ENV")
        }
        bare |= {"VLLM_CPU_KVCACHE_SPACE": "1", "HF_HUB_OFFLINE": "1", "VLLM_NO_USAGE_STATS": "1"}
        path = os.pathsep.join([str(environment.resolve() / "bin"), bare["PATH"]])
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [str(environment.resolve() / "bin" / self.words[0]), *self.words[1:], *ON_A_CPU],
                stdout=log, stderr=log, env=bare | {"PATH": path}, start_new_session=True,
            )  # fmt: skip
        until = time.monotonic() + START_S
        while time.monotonic() < until:
            assert self._process.poll() is None, self.log.read_text()[-3000:]
            try:
                if httpx.get(f"{self.address}/models", trust_env=False, timeout=5).is_success:
                    return
            except httpx.HTTPError:
                pass
            time.sleep(1)
        raise AssertionError(f"not up after {START_S} s: {self.log.read_text()[-3000:]}")

    def __enter__(self) -> Engine:
        try:
            self.start()
        except BaseException:
            self.kill()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    def kill(self) -> None:
        if self._process is not None and self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
