"""What the scores of an S3 task, or of one feature of it, are kept in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from semiology.metrics.statistics.bootstrap import TaskScores

Drawing = Mapping[str, Any]
"""Number of resamples and seed of the draws of patients, by name."""


class ReadingCounts(NamedTuple):
    """Pairs of a text and its reference, by who read both: the judge, or the offline rules."""

    judged: int
    by_rules: int


@dataclass(frozen=True)
class PartScores:
    """Scores of a whole task or of one part of it.

    Attributes:
        part: the feature, or an empty string for the whole task.
        clip_form: ``centred`` or ``random`` for times, else an empty string.
        scores: with intervals, baselines and counts; the counts of a whole task over several features are of
            questions (recording and feature), not of recordings.
        readings: by whom the texts were read; None where nothing is read from texts.
    """

    part: str
    clip_form: str
    scores: TaskScores
    readings: ReadingCounts | None = None
