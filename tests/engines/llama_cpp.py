"""llama.cpp's own server in a process of its own, started with the flags that ``semiology serve-command`` prints."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
import time
from pathlib import Path

import httpx
from typer.testing import CliRunner

from semiology.cli import app

ROOT = Path(__file__).parents[2]
START_S = 300


def printed(model: Path, port: int) -> list[str]:
    """Return the words that ``semiology serve-command`` prints for a file."""
    words = ["serve-command", str(model), "--engine", "llama.cpp", "--port", str(port), "--context", "4096"]
    done = CliRunner().invoke(app, words)
    assert done.exit_code == 0, done.output
    return shlex.split(done.stdout)


class LlamaCpp:
    """A server of one GGUF file; ``log`` holds what it said."""

    def __init__(self, words: list[str], folder: Path) -> None:
        self._words, self.log = words, folder / "llama.log"
        self.name = words[words.index("--alias") + 1]
        self.address = f"http://127.0.0.1:{words[words.index('--port') + 1]}/v1"

    def __enter__(self) -> LlamaCpp:
        command = [sys.executable, "-m", "tools.engines.llama_cpp_server", *self._words[1:]]
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=log, cwd=ROOT, env=os.environ)
        until = time.monotonic() + START_S
        while time.monotonic() < until:
            assert self._process.poll() is None, self.log.read_text()[-3000:]
            try:
                if httpx.get(f"{self.address}/models", trust_env=False, timeout=5).is_success:
                    return self
            except httpx.HTTPError:
                pass
            time.sleep(0.2)
        self.__exit__()
        raise AssertionError(f"not up after {START_S} s: {self.log.read_text()[-3000:]}")

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait()
