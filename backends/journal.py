"""The answers that a model has given, on disk after every group, so that a killed run goes on where it was.

lmms-eval's own response cache is written when *all* questions of a call are answered. The journal is a
folder of append-only JSON-lines files. A line holds the key of a question and its answer; keys are hashes of
all that the answer depends on, so an answer can never be given to another question, and neither paths nor
ids of patients are stored.

Several processes may use one folder: each appends to a file that it alone has locked, and all read all
files. The first answer to a question is kept.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import uuid
from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from semiology.data.cache import cache_directory

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

VERSION = 1
"""Part of every key; to be raised when the same key would stand for another answer."""

FAILED = "[LMMS_EVAL_REQUEST_FAILED"
"""How lmms-eval's model classes, and ours, begin a text that stands for a missing reply; never kept."""


def failed_reply(reason: object) -> str:
    """Return the text that stands for a missing reply."""
    return f"{FAILED}: {str(reason).replace(chr(10), ' ')}]"


def failure_of(reply: str) -> str | None:
    """Return why there is no reply, None where there is one."""
    return reply.removeprefix(FAILED).strip(": ]") if reply.startswith(FAILED) else None


MediumKey = tuple[str, str, float | None, float | None]
"""A medium by what it is: ``video``, ``image`` or ``audio``; the digest of the file's content
(`semiology.data.cache`); start and end of the window in s, None for the file's own."""

_PATTERN = "answers-*.jsonl"
_log = logging.getLogger(__name__)


class JournalError(OSError):
    """The journal cannot be written; the message says where and what to do."""


@dataclass(frozen=True)
class Answer:
    """What a model answered to the question of a key (see `answer_key`).

    ``extra`` is what else is to be kept, such as log-probabilities; anything that JSON can hold.
    """

    key: str
    text: str
    extra: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class JournalSummary:
    """What a journal holds, in how many files and bytes, and how many answers it gave since it was opened (hits).

    Stale are the answers that nobody asks for now (another model, wording, window or file); None if it was not said
    what is asked.
    """

    answers: int
    stale: int | None
    files: int
    bytes: int
    damaged_lines: int
    hits: int


def answer_key(
    *,
    prompt: str,
    media: Sequence[MediumKey],
    sampling: Mapping[str, Any],
    generation: Mapping[str, Any],
    model: str,
) -> str:
    """Return the SHA-256, in hexadecimal digits, of all that an answer depends on.

    Args:
        prompt: the full text as the model reads it, chat template included.
        media: what is shown or played, in its order.
        sampling: how pictures and sound are taken from the window: frames, sizes, enhancement.
        generation: generation settings, and how scores are computed.
        model: what identifies the weights (`semiology.backends.checkpoint_stamp`), and the number format.

    Raises:
        TypeError: a setting is nothing that JSON can hold.
        ValueError: a setting is not a finite number.
    """
    parts = {
        "version": VERSION,
        "prompt": prompt,
        "media": [
            [kind, digest, *(None if time is None else float(time) for time in window)]
            for kind, digest, *window in media
        ],
        "sampling": dict(sampling),
        "generation": dict(generation),
        "model": model,
    }
    return hashlib.sha256(json.dumps(parts, sort_keys=True, allow_nan=False).encode()).hexdigest()


class Journal(AbstractContextManager["Journal"]):
    """The journal in a folder, by default ``journal`` where ``SEMIOLOGY_CACHE`` is, opened for reading and appending.

    The folder is made for its owner alone if it does not exist. Opening repairs what a killed process left: an
    unfinished last line of the file that is appended to is cut off. Damaged lines elsewhere are skipped, listed in
    `damaged` and logged.

    Raises:
        JournalError: the folder cannot be written.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = cache_directory() / "journal" if folder is None else folder.expanduser()
        self.damaged: list[str] = []
        self._answers: dict[str, Answer] = {}
        self._hits = 0
        try:
            self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            file, self.path = _own_file(self.folder)
            self._file: int | None = file
            _repair(file)
            for path in sorted(self.folder.glob(_PATTERN)):
                self._read(path)
        except OSError as error:
            raise JournalError(
                f"{self.folder}: the journal of answers cannot be written ({error.strerror}); set "
                "SEMIOLOGY_CACHE to a folder that you may write"
            ) from None
        for line in self.damaged:
            _log.warning("%s", line)

    def __exit__(self, *error: object) -> None:
        self.close()

    def __len__(self) -> int:
        return len(self._answers)

    def __bool__(self) -> bool:
        """Return True: a journal without answers is a journal."""
        return True

    def __contains__(self, key: object) -> bool:
        return key in self._answers

    def get(self, key: str) -> Answer | None:
        """Return the answer to a question, or None if it was not answered."""
        found = self._answers.get(key)
        self._hits += found is not None
        return found

    def put_many(self, answers: Iterable[Answer]) -> int:
        """Append a group of answers that are on the disk when this returns; return how many.

        Answers to questions that are answered already are left out.

        Raises:
            JournalError: they could not be written; none of them is kept.
            ValueError: the journal is closed.
            TypeError: an ``extra`` is nothing that JSON can hold.
        """
        if self._file is None:
            raise ValueError("the journal is closed")
        fresh: dict[str, bytes] = {}
        for answer in answers:
            if answer.key not in self._answers and answer.key not in fresh:
                fresh[answer.key] = _line(answer)
        if fresh:
            self._append(self._file, b"".join(fresh.values()))
            # As a later run would read them: JSON turns tuples into lists and keys into text.
            self._answers.update((key, _parsed(line)) for key, line in fresh.items())
        return len(fresh)

    def summary(self, asked: Collection[str] | None = None) -> JournalSummary:
        """Return counts and sizes; ``asked`` are the keys of this run, by which stale answers are told."""
        sizes = [path.stat().st_size for path in self.folder.glob(_PATTERN)]
        return JournalSummary(
            answers=len(self._answers),
            stale=None if asked is None else len(self._answers.keys() - set(asked)),
            files=len(sizes),
            bytes=sum(sizes),
            damaged_lines=len(self.damaged),
            hits=self._hits,
        )

    def close(self) -> None:
        """Give the file free for other processes; what was read can still be asked for."""
        if self._file is not None:
            os.close(self._file)
            if (lock := _locks.pop(self._file, None)) is not None:
                lock.release()
            self._file = None

    def _append(self, file: int, data: bytes) -> None:
        before = os.fstat(file).st_size
        rest = memoryview(data)
        try:
            while rest:
                rest = rest[os.write(file, rest) :]
            os.fsync(file)
        except OSError as error:
            os.ftruncate(file, before)
            raise JournalError(
                f"{self.path}: answers could not be written ({error.strerror}); make room on the disk and "
                "run the same command again"
            ) from None

    def _read(self, path: Path) -> None:
        lines = path.read_bytes().split(b"\n")
        for number, line in enumerate(lines, 1):
            try:
                answer = _parsed(line) if line else None
            except ValueError as error:
                # A last line without an end may be in the writing by another process.
                if number < len(lines):
                    self.damaged.append(
                        f"{path.name}:{number}: {error}; the line is skipped and its question asked again"
                    )
                continue
            if answer is not None:
                self._answers.setdefault(answer.key, answer)


def _own_file(folder: Path) -> tuple[int, Path]:
    """Open and lock the first file that no other process has locked; make one if there is none."""
    for number in count():
        path = folder / f"answers-{number:03d}.jsonl"
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            _lock(handle, path)
            return handle, path
        except (BlockingIOError, Timeout):
            os.close(handle)
        except (
            OSError,
            NotImplementedError,
        ):  # a file system without locks: a file of a name nobody else has
            os.close(handle)
            path = folder / f"answers-{uuid.uuid4().hex}.jsonl"
            return os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o600), path
    raise AssertionError("unreachable")


_locks: dict[int, FileLock] = {}
"""Locks beside files that are open, where the system has no locks of files themselves."""


def _lock(handle: int, path: Path) -> None:
    if fcntl is not None:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return
    lock = FileLock(path.with_suffix(".lock"), timeout=0)
    lock.acquire()
    _locks[handle] = lock


def _repair(file: int) -> None:
    """End a last line that is whole but for its end, and cut off one that is not."""
    os.lseek(file, 0, os.SEEK_SET)
    data = b""
    while block := os.read(file, 1 << 24):
        data += block
    end = data.rfind(b"\n") + 1
    if end == len(data):
        return
    try:
        _parsed(data[end:])
        os.write(file, b"\n")
    except ValueError:
        os.ftruncate(file, end)
    os.fsync(file)


def _line(answer: Answer) -> bytes:
    content = [answer.key, answer.text, dict(answer.extra)]
    record = {"key": answer.key, "answer": answer.text, "extra": content[2], "check": _check(content)}
    return json.dumps(record, separators=(",", ":")).encode("ascii") + b"\n"


def _parsed(line: bytes) -> Answer:
    """Read one line.

    Raises:
        ValueError: it is not what was written.
    """
    try:
        record = json.loads(line)
        content = [record["key"], record["answer"], record["extra"]]
        whole = record["check"] == _check(content)
    except (ValueError, KeyError, TypeError, RecursionError):
        raise ValueError("this is no answer in JSON") from None
    if not whole:
        raise ValueError("the answer was changed after it was written")
    return Answer(*content)


def _check(content: Sequence[Any]) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:8]
