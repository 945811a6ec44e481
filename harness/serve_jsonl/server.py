"""A loaded model behind standard input and output: reads requests, batches what is queued, answers each.

Every request is answered exactly once, at the latest when its time is over. A model that is still computing
then cannot be interrupted: its late answer is thrown away, and what is queued behind it waits no longer than
its own time. Standard output carries answers alone; whatever else is printed goes to standard error.
"""

from __future__ import annotations

import os
import queue
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import IO

from semiology.backends.jsonl.protocol import (
    BAD_REQUEST,
    MODEL_FAILED,
    TIMEOUT,
    ProtocolError,
    Request,
    answer_line,
    error_line,
    read_request,
)

TIMEOUT_S = 300.0
MAX_BATCH = 256

AnswerBatch = Callable[[Sequence[Request]], Sequence["str | Exception"]]
"""Returns one reply, or the reason why there is none, for each request."""


@dataclass
class _Waiting:
    request: Request
    received: float
    deadline: float
    answered: bool = field(default=False)


class JsonlServer:
    """Answers requests until the input ends.

    Args:
        answer_batch: the model.
        output: where answers go; nothing else may write there.
        timeout_s: time for a request that names none, s.
        max_batch: most requests that are handed to the model at once.
        now: gives the time, s.
    """

    def __init__(
        self,
        answer_batch: AnswerBatch,
        output: IO[str],
        *,
        timeout_s: float = TIMEOUT_S,
        max_batch: int = MAX_BATCH,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._answer_batch, self._output = answer_batch, output
        self._timeout_s, self._max_batch, self._now = timeout_s, max_batch, now
        self._inbox: queue.Queue[_Waiting | None] = queue.Queue()
        self._changed = threading.Condition()
        self._waiting: list[_Waiting] = []
        self._ended = False
        self.batches: list[int] = []

    def serve(self, lines: Iterable[str]) -> None:
        """Read requests until the input ends and every request is answered.

        Args:
            lines: one request each; empty lines are passed over.
        """
        threading.Thread(target=self._read, args=(lines,), daemon=True).start()
        threading.Thread(target=self._work, daemon=True).start()
        with self._changed:
            while not (self._ended and not self._waiting):
                self._expire()
                if self._ended and not self._waiting:
                    break
                self._changed.wait(self._until_next())
        self._inbox.put(None)

    def _read(self, lines: Iterable[str]) -> None:
        for line in lines:
            if not line.strip():
                continue
            try:
                request = read_request(line)
            except ProtocolError as error:
                with self._changed:
                    self._write(error_line(error.request_id, BAD_REQUEST, str(error)))
                continue
            received = self._now()
            each = _Waiting(request, received, received + (request.timeout_s or self._timeout_s))
            with self._changed:
                self._waiting.append(each)
                self._inbox.put(each)
                self._changed.notify_all()
        with self._changed:
            self._ended = True
            self._changed.notify_all()

    def _work(self) -> None:
        while True:
            batch = self._next_batch()
            if batch is None:
                return
            self.batches.append(len(batch))
            try:
                replies: Sequence[str | Exception] = self._answer_batch([each.request for each in batch])
            except Exception as error:  # noqa: BLE001 - told to the client; the server goes on
                replies = [error] * len(batch)
            with self._changed:
                for each, reply in zip(batch, replies, strict=True):
                    self._finish(each, reply)
                self._changed.notify_all()

    def _next_batch(self) -> list[_Waiting] | None:
        """Wait for a request, take what else is queued; those whose time is over are left out."""
        batch: list[_Waiting] = []
        while not batch:
            taken = [self._inbox.get()]
            while len(taken) < self._max_batch:
                try:
                    taken.append(self._inbox.get_nowait())
                except queue.Empty:
                    break
            if None in taken:
                return None
            batch = [each for each in taken if each is not None and not each.answered]
        return batch

    def _finish(self, each: _Waiting, reply: str | Exception) -> None:
        if each.answered:
            return
        if isinstance(reply, Exception):
            message = str(reply) or type(reply).__name__
            self._answer(each, error_line(each.request.id, MODEL_FAILED, message))
        else:
            self._answer(each, answer_line(each.request.id, reply, self._now() - each.received))

    def _expire(self) -> None:
        for each in [each for each in self._waiting if each.deadline <= self._now()]:
            message = f"no answer within {each.deadline - each.received:g} s"
            self._answer(each, error_line(each.request.id, TIMEOUT, message))

    def _until_next(self) -> float | None:
        return max(0.0, min(each.deadline for each in self._waiting) - self._now()) if self._waiting else None

    def _answer(self, each: _Waiting, line: str) -> None:
        each.answered = True
        if each in self._waiting:  # it is empty once nobody listens any more
            self._waiting.remove(each)
            self._write(line)

    def _write(self, line: str) -> None:
        try:
            self._output.write(line)
            self._output.flush()
        except BrokenPipeError:  # nobody listens any more
            self._ended = True
            self._waiting.clear()


def claim_stdout() -> IO[str]:
    """Return standard output for answers alone, and send what libraries print to standard error instead."""
    sys.stdout.flush()
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8", buffering=1)
    os.dup2(2, 1)
    sys.stdout = sys.stderr
    return answers


def utf8_lines(stream: IO[bytes]) -> Iterator[str]:
    """Yield the lines of a stream as UTF-8, whatever the locale; a byte that is none must not end it."""
    for line in stream:
        yield line.decode("utf-8", errors="replace")


def model_answers(lm: object, *, cut_windows: bool = False) -> AnswerBatch:
    """Return an lmms-eval model as the server's model.

    Args:
        lm: the model, loaded.
        cut_windows: whether to hand over files that hold the window alone, for classes that read no start
            and end times.
    """
    from semiology.harness.serve_jsonl.documents import ask

    def answer_batch(requests: Sequence[Request]) -> list[str | Exception]:
        return ask(lm, requests, cut_windows=cut_windows)

    return answer_batch
