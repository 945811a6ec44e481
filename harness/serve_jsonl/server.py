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
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from semiology.backends.journal import failure_of
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
from semiology.data.cache import cache_directory
from semiology.data.media.clips import clip
from semiology.data.media.probe import probe
from semiology.harness.asking import ask_documents

AnswerBatch = Callable[[Sequence[Request]], Sequence["str | Exception"]]
"""Returns one reply, or the reason why there is none, for each request."""


@dataclass
class _Waiting:
    request: Request
    received: float
    deadline: float
    answered: bool = False


class JsonlServer:
    """Answers requests until the input ends.

    Nothing else may write to ``output``. A request that names no time of its own has ``timeout_s``; at most
    ``max_batch`` requests are handed to the model at once. ``now`` gives the time, s.
    """

    def __init__(
        self,
        answer_batch: AnswerBatch,
        output: IO[str],
        *,
        timeout_s: float = 300.0,
        max_batch: int = 256,
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
        """Read requests, one a line (empty lines are passed over), until the input ends and each is answered."""
        threading.Thread(target=self._read, args=(lines,), daemon=True).start()
        threading.Thread(target=self._work, daemon=True).start()
        with self._changed:
            while not (self._ended and not self._waiting):
                for each in [each for each in self._waiting if each.deadline <= self._now()]:
                    message = f"no answer within {each.deadline - each.received:g} s"
                    self._answer(each, error_line(each.request.id, TIMEOUT, message))
                if self._ended and not self._waiting:
                    break
                following = min((each.deadline for each in self._waiting), default=None)
                self._changed.wait(None if following is None else max(0.0, following - self._now()))
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


def answers_of(lm: Any, requests: Sequence[Request], *, cut_windows: bool) -> list[str | Exception]:
    """Return an lmms-eval model's replies, or why there is none, in the order of the requests.

    ``cut_windows`` hands over files that hold the window alone, for classes that read no start and end times. A request
    that makes the model class fail does not cost the others theirs: they are asked one by one then.
    """
    found: dict[int, str | Exception] = {}
    usable: dict[int, list[int]] = {}
    for number, request in enumerate(requests):
        if not Path(request.video).is_file():
            found[number] = FileNotFoundError(f"{Path(request.video).name}: no such video")
        else:
            usable.setdefault(request.max_new_tokens, []).append(number)
    for numbers in usable.values():
        batch = [requests[number] for number in numbers]
        found |= dict(zip(numbers, _batch(lm, batch, cut_windows), strict=True))
    return [found[number] for number in range(len(requests))]


def _batch(lm: Any, requests: Sequence[Request], cut_windows: bool) -> list[str | Exception]:
    try:
        replies = _replies(lm, requests, cut_windows)
        failures = [failure_of(each) for each in replies]
        return [
            reply if failure is None else RuntimeError(failure)
            for reply, failure in zip(replies, failures, strict=True)
        ]
    except Exception as error:  # noqa: BLE001 - whatever a model class raises is told to the client
        if len(requests) == 1:
            return [error]
        return [reply for each in requests for reply in _batch(lm, [each], cut_windows)]


def _replies(lm: Any, requests: Sequence[Request], cut_windows: bool) -> list[str]:
    documents = [
        {"video": each.video, "start_s": each.start_s, "end_s": each.end_s, "question": each.prompt}
        for each in requests
    ]
    settings = {
        "max_new_tokens": requests[0].max_new_tokens, "temperature": 0, "do_sample": False, "until": [],
    }  # fmt: skip

    def messages(document: Mapping[str, Any]) -> list[dict[str, Any]]:
        text = {"type": "text", "text": document["question"]}
        return [{"role": "user", "content": [_video(document, cut_windows), text]}]

    return ask_documents(
        lm, documents, settings=settings, messages=messages,
        text=lambda document: str(document["question"]), visual=lambda document: [_file(document)],
    )  # fmt: skip


def _video(document: Mapping[str, Any], cut_windows: bool) -> dict[str, Any]:
    if cut_windows:
        return {"type": "video", "url": _file(document)}
    part = {"type": "video", "url": document["video"]}
    if document["start_s"] is not None:
        part["start_time"] = document["start_s"]
    if document["end_s"] is not None:
        part["end_time"] = document["end_s"]
    return part


def _file(document: Mapping[str, Any]) -> str:
    """Return a file that holds the window alone; the video itself where no window is asked for."""
    if document["start_s"] is None and document["end_s"] is None:
        return str(document["video"])
    path = Path(document["video"])
    start = float(document["start_s"] or 0.0)
    end = document["end_s"]
    end = probe(path).duration_s if end is None else float(end)
    return str(clip(path, start, end, None, cache_directory() / "clips"))
