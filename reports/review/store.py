"""Ratings on disk: SQLite with a write-ahead log; an answer is given only once the rating is there.

Nothing is overwritten: every change is a row of its own, and the last one counts.
"""

from __future__ import annotations

import sqlite3
import threading
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path

STORE = "ratings.sqlite3"
LONGEST_COMMENT = 5000
_TABLE = """
CREATE TABLE IF NOT EXISTS ratings (
    id INTEGER PRIMARY KEY,
    rater TEXT NOT NULL,
    item TEXT NOT NULL,
    rating INTEGER CHECK (rating BETWEEN 1 AND 5),
    comment TEXT NOT NULL,
    at TEXT NOT NULL
)
"""


def open_store(path: Path, table: str) -> sqlite3.Connection:
    """Open or make a database for its owner alone, with a table, whose rows are on the disk once they are given."""
    path.touch(mode=0o600, exist_ok=True)
    connection = sqlite3.connect(path, check_same_thread=False, timeout=30, isolation_level=None)
    connection.execute("PRAGMA journal_mode=WAL")
    # On the disk, not merely with the operating system, before a statement returns.
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute(table)
    return connection


@dataclass(frozen=True)
class Rating:
    """What one rater says of one item; ``rating`` 1 to 5, or None for a comment without a rating."""

    rater: str
    item: str
    rating: int | None
    comment: str = ""


class RatingStore:
    """The ratings of one review folder; may be used from several threads and processes."""

    def __init__(self, path: Path) -> None:
        self._lock = threading.Lock()
        self._connection = open_store(path, _TABLE)

    def save(self, rating: Rating) -> None:
        """Keep a rating; returns once it is on the disk.

        Raises:
            ValueError: the rating is no whole number from 1 to 5, or the comment is too long.
        """
        if rating.rating is not None and rating.rating not in range(1, 6):
            raise ValueError(f"a rating is a whole number from 1 to 5, not {rating.rating!r}")
        if len(rating.comment) > LONGEST_COMMENT:
            raise ValueError(f"a comment has at most {LONGEST_COMMENT} characters")
        at = datetime.now(timezone.utc).isoformat(timespec="milliseconds")
        with self._lock:
            self._connection.execute(
                "INSERT INTO ratings (rater, item, rating, comment, at) VALUES (?, ?, ?, ?, ?)",
                (rating.rater, rating.item, rating.rating, rating.comment, at),
            )

    def latest(self, rater: str | None = None) -> list[Rating]:
        """Return the last word of each rater on each item, by rater and item."""
        query = (
            "SELECT rater, item, rating, comment FROM ratings WHERE id IN "
            "(SELECT MAX(id) FROM ratings GROUP BY rater, item) AND (? IS NULL OR rater = ?) "
            "ORDER BY rater, item"
        )
        with self._lock:
            rows = self._connection.execute(query, (rater, rater)).fetchall()
        return [Rating(*row) for row in rows]

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._connection.close()
