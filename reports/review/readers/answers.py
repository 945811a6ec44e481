"""Answers of readers on disk, as they were given: every answer is a row of its own, and the last one counts."""

from __future__ import annotations

import fcntl
import math
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path

from semiology.reports.review.sheet import ReviewError
from semiology.reports.review.store import open_store

STORE = "answers.sqlite3"
CHOICES = {"yes": "yes", "no": "no", "na": "not applicable", "cannot_tell": "cannot tell"}
"""What a reader can answer, and what the page calls it."""
LONGEST_S = 86_400.0
_TABLE = """
CREATE TABLE IF NOT EXISTS answers (
    id INTEGER PRIMARY KEY,
    reader TEXT NOT NULL,
    item TEXT NOT NULL,
    answer TEXT NOT NULL,
    seconds REAL NOT NULL,
    at TEXT NOT NULL
)
"""


@dataclass(frozen=True)
class Answer:
    """What a reader says of one item: one of `CHOICES`, after so many seconds of looking at it in all."""

    reader: str
    item: str
    answer: str
    seconds: float


class AnswerStore:
    """The answers in one study folder; may be used from several threads and processes."""

    def __init__(self, folder: Path) -> None:
        self._lock = threading.Lock()
        self._connection = open_store(folder / STORE, _TABLE)

    def save(self, answer: Answer) -> None:
        """Keep an answer; returns once it is on the disk.

        Raises:
            ValueError: it is none of `CHOICES`, or its time is none.
        """
        if answer.answer not in CHOICES:
            raise ValueError(f"an answer is one of {', '.join(CHOICES)}, not {answer.answer[:20]!r}")
        if not (math.isfinite(answer.seconds) and 0 <= answer.seconds <= LONGEST_S):
            raise ValueError(f"the time taken is from 0 to {LONGEST_S:.0f} s, not {answer.seconds!r}")
        at = datetime.now(timezone.utc).isoformat(timespec="milliseconds")
        row = (answer.reader, answer.item, answer.answer, answer.seconds, at)
        with self._lock:
            self._connection.execute(
                "INSERT INTO answers (reader, item, answer, seconds, at) VALUES (?, ?, ?, ?, ?)", row
            )

    def latest(self, reader: str | None = None) -> list[Answer]:
        """Return the last answer of each reader to each item, by reader and item."""
        query = (
            "SELECT reader, item, answer, seconds FROM answers WHERE id IN "
            "(SELECT MAX(id) FROM answers GROUP BY reader, item) AND (? IS NULL OR reader = ?) ORDER BY reader, item"
        )
        with self._lock:
            return [Answer(*row) for row in self._connection.execute(query, (reader, reader)).fetchall()]

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._connection.close()


@contextmanager
def only_reader(folder: Path, reader: str) -> Iterator[None]:
    """Be the only one who answers under a name while this lasts.

    Raises:
        ReviewError: somebody is answering under it.
    """
    descriptor = os.open(folder / f"reader-{reader}.lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ReviewError(
                f"reader {reader!r} is answering just now, from another server → two readers need two names"
            ) from None
        yield
    finally:
        os.close(descriptor)
