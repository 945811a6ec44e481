"""How many recordings were asked, answered, not understood and never answered.

A score says nothing about the recordings that a model left out, so every score of a task is carried together
with these counts, and a model that answered only part of the recordings is marked wherever it is shown.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

UNPARSED = "unparsed"


@dataclass(frozen=True)
class AnswerCounts:
    """Counts of recordings with a truth to compare with, ``asked``.

    Their answers were understood (``answered``), not understood (``unparsed``), or there is none (``missing``).
    """

    asked: int
    answered: int
    unparsed: int
    missing: int

    @property
    def partial(self) -> bool:
        """Whether some recording has no answer at all."""
        return self.missing > 0


def is_missing(value: Any) -> bool:
    """Return whether a cell holds no answer: None, NaN or the empty string."""
    return (
        value is None
        or (isinstance(value, str) and not value)
        or (isinstance(value, float) and value != value)
    )


def count_answers(answers: Iterable[Any]) -> AnswerCounts:
    """Count the answers of the recordings asked: `is_missing`, the word ``unparsed``, or answered.

    >>> count_answers(["yes", "", None, "unparsed"])
    AnswerCounts(asked=4, answered=1, unparsed=1, missing=2)
    """
    values = list(answers)
    missing = sum(is_missing(value) for value in values)
    unparsed = sum(isinstance(value, str) and value == UNPARSED for value in values)
    return AnswerCounts(len(values), len(values) - missing - unparsed, unparsed, missing)


def require_columns(frame: pd.DataFrame, columns: Sequence[str], of: str = "answers") -> None:
    """Check that a frame of answers has the columns that its score needs, and a patient in every row.

    Raises:
        ValueError: a column or a patient id is missing.
    """
    absent = [name for name in columns if name not in frame.columns]
    if absent:
        raise ValueError(f"the frame of {of} has no column {absent[0]!r} → it needs {', '.join(columns)}")
    if "patient_id" in columns and bool(frame["patient_id"].isna().any()):
        raise ValueError(
            "a recording has no patient_id → intervals need to know which recordings share a patient"
        )


def require_recordings(frame: pd.DataFrame, columns: Sequence[str]) -> None:
    """Check that a frame has the columns that its score needs, and one row per recording (``video_id``).

    Raises:
        ValueError: a column or a patient id is missing, or a recording stands in two rows.
    """
    require_columns(frame, columns)
    refuse_duplicates(frame["video_id"])


def refuse_duplicates(video_ids: Iterable[Hashable]) -> None:
    """Raise if a recording occurs twice: counted twice, it would weigh twice.

    Raises:
        ValueError: names the first recording that occurs again and the number of such rows.
    """
    seen: set[Hashable] = set()
    twice = [name for name in video_ids if name in seen or seen.add(name)]  # type: ignore[func-returns-value]
    if twice:
        raise ValueError(
            f"{len(twice)} recordings are answered twice, first {twice[0]} → keep one row per recording"
        )
