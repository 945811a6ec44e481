"""A process that speaks the JSONL protocol: timeouts enforced, started again when it ends."""

from __future__ import annotations

import atexit
import logging
import os
import queue
import signal
import subprocess
import threading
import time
from collections.abc import Sequence
from dataclasses import replace
from typing import IO

from semiology.backends.jsonl.protocol import Request, read_answer

STOP_S = 5.0
GRACE_S = 2.0
"""How much longer than the process itself this side waits for an answer, s."""

_log = logging.getLogger(__name__)


class JsonlProcess:
    """Sends requests to a command and collects its answers; the arguments are those of `SemiologyJsonl`.

    The command runs without a shell, in a process group of its own. ``starts`` counts how often it was started,
    ``noise`` the lines on its standard output that were no answer.
    """

    def __init__(self, command: Sequence[str], timeout_s: float, in_flight: int, restarts: int) -> None:
        if timeout_s <= 0 or in_flight < 1 or restarts < 0:
            raise ValueError("timeout and in_flight must be above 0, and restarts at least 0")
        self.command, self.timeout_s = list(command), timeout_s
        self._in_flight, self._restarts = in_flight, restarts
        self._process: subprocess.Popen[str] | None = None
        self._lines: queue.Queue[str | None] = queue.Queue()
        self._to_send: queue.Queue[str | None] = queue.Queue()
        self._calls = 0
        self._hangs = False
        self.starts = self.noise = 0
        atexit.register(self.stop)

    def ask(self, requests: Sequence[Request]) -> dict[str, str | Exception]:
        """Return an answer, or why there is none, for every request by its id.

        A request that is not answered in time fails alone: the command is stopped, started again, and the
        others are sent once more. Where it ends more often than ``restarts`` allow, the rest fails.

        Raises:
            OSError: the command cannot be started.
        """
        self._calls += 1
        open_requests = {f"{self._calls}/{each.id}": each for each in requests}
        found: dict[str, str | Exception] = {}
        left = self._restarts
        while open_requests:
            trouble = self._round(open_requests, found)
            if trouble is None:
                break
            self.stop()
            if not left:
                reason = f"{self.command[0]} {trouble}, and was started {self._restarts + 1} times"
                found |= {each.id: RuntimeError(reason) for each in open_requests.values()}
                break
            left -= 1
            _log.warning("%s %s; it is started again", self.command[0], trouble)
        return found

    def stop(self) -> None:
        """End the command and everything that it started."""
        process, self._process = self._process, None
        if process is None:
            return
        self._to_send.put(None)  # closes its input, at which a good command ends
        try:
            process.wait(GRACE_S if not self._hangs else 0.0)
        except subprocess.TimeoutExpired:
            _signal_group(process, signal.SIGTERM)
            try:
                process.wait(STOP_S)
            except subprocess.TimeoutExpired:
                _signal_group(process, signal.SIGKILL)
                process.wait()

    def _round(self, open_requests: dict[str, Request], found: dict[str, str | Exception]) -> str | None:
        """Send and collect until all is answered; return what went wrong with the command, if anything."""
        waiting, sent = list(open_requests), list[str]()
        until = 0.0
        self._start()
        while open_requests:
            # Questions are answered in turn: the oldest has its full time from the sending, or the answer before it.
            while waiting and len(sent) < self._in_flight:
                sent.append(waiting.pop(0))
                self._to_send.put(replace(open_requests[sent[-1]], id=sent[-1]).line())
                until = time.monotonic() + self.timeout_s + GRACE_S
            try:
                line = self._lines.get(timeout=max(0.0, until - time.monotonic()))
            except queue.Empty:  # of a command that hangs the oldest question fails
                self._hangs = True
                late = f"no answer within {self.timeout_s:g} s"
                found[open_requests.pop(sent[0]).id] = TimeoutError(late)
                return f"gave {late}"
            if line is None:
                return f"ended with status {self._status()}"
            answer = read_answer(line)
            if answer is None or answer[0] not in sent:
                self.noise += 1
                if self.noise <= 3:
                    wrote = line.strip()[:120]
                    _log.warning("%s wrote a line that is no answer: %s", self.command[0], wrote)
                continue
            name, text, error = answer
            sent.remove(name)
            found[open_requests.pop(name).id] = text if text is not None else RuntimeError(str(error))
            until = time.monotonic() + self.timeout_s + GRACE_S
        return None

    def _start(self) -> None:
        if self._process is not None and self._process.poll() is None:
            return
        self._lines, self._to_send = queue.Queue(), queue.Queue()
        try:
            self._process = subprocess.Popen(  # noqa: S603 - the user's own command, as words, without a shell
                self.command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
                encoding="utf-8",
                errors="replace",
                bufsize=1,
                start_new_session=True,
            )
        except OSError as error:
            raise OSError(
                f"{self.command[0]} cannot be started ({error.strerror}) → give a program in command="
            ) from None
        self._hangs, self.starts = False, self.starts + 1
        assert self._process.stdout is not None
        assert self._process.stdin is not None
        # threads, since a command that hangs would block whoever writes into its full pipe
        for work, pipe, lines in (
            (_read_lines, self._process.stdout, self._lines),
            (_write_lines, self._process.stdin, self._to_send),
        ):
            threading.Thread(target=work, args=(pipe, lines), daemon=True).start()

    def _status(self) -> int | None:
        assert self._process is not None
        try:
            return self._process.wait(STOP_S)
        except subprocess.TimeoutExpired:  # it closed its output and lives on
            return None


def _read_lines(stream: IO[str], lines: queue.Queue[str | None]) -> None:
    for line in stream:
        lines.put(line)
    lines.put(None)


def _write_lines(stream: IO[str], lines: queue.Queue[str | None]) -> None:
    try:
        while (line := lines.get()) is not None:
            stream.write(line)
            stream.flush()
        stream.close()
    except OSError:
        _log.debug("the command reads no more")  # its output ends too, which is told


def _signal_group(process: subprocess.Popen[str], number: signal.Signals) -> None:
    try:
        os.killpg(process.pid, number)
    except ProcessLookupError:
        _log.debug("the command had ended already")
