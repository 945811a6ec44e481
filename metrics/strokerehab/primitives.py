"""Sequences of primitives: what two yes/no axes say, what is counted, and how far an answer is from the labels.

A *primitive* is one of five classes of a hand's movement; a *run* is a stretch of one primitive; a *dose* is the
number of runs of one primitive.

Source: arXiv 2511.17727 and its public repository; Kaku et al., StrokeRehab, NeurIPS 2022 (edit score, action error
rate). The rules are described in docs/suites/strokerehab.md.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import TypeVar

from rapidfuzz.distance import Levenshtein

from semiology.strokerehab import GRASP, MOTION, PRIMITIVES

GRASP_WITHIN_S = 2.0
"""A motion without grasp is a reach if a grasp begins at most so many seconds after it; source: a sweep of 1 to 3 s."""
WITHIN = 0.25
"""Relative counting error up to which a dose counts as near the labelled one."""

_Item = TypeVar("_Item", bound=Hashable)


@dataclass(frozen=True)
class SequenceScores:
    """How the primitives answered for one video compare with the labelled ones.

    Attributes:
        edit_score: 100 (1 - d / longer length), 0 to 100; 100 if both are empty. d: Levenshtein distance of the
            merged sequences.
        action_error_rate: d / length of the labels; 0 without labels. Not bounded by 1.
        relative_counting_error: sum over primitives of the absolute difference of counts / number of labelled runs; 0
            without labels.
        relative_counting_error_without_idle: the same over the four primitives that are actions.
        count_errors: absolute difference of counts, by primitive.
        count_answer, count_truth: number of runs.
    """

    edit_score: float
    action_error_rate: float
    relative_counting_error: float
    relative_counting_error_without_idle: float
    count_errors: Mapping[str, int]
    count_answer: int
    count_truth: int

    @property
    def mae_avg(self) -> float:
        """The mean of `count_errors` over the five primitives."""
        return sum(self.count_errors.values()) / len(self.count_errors)


def merged(labels: Iterable[_Item]) -> list[_Item]:
    """Return labels with equal neighbours merged into one.

    >>> merged(["idle", "idle", "reach", "idle"])
    ['idle', 'reach', 'idle']
    """
    return [label for label, _ in groupby(labels)]


def primitives_of_axes(
    starts: Sequence[float],
    motion: Sequence[bool],
    grasp: Sequence[bool],
    *,
    within_s: float = GRASP_WITHIN_S,
) -> list[str]:
    """Return the primitive of each window from the answers on its two axes.

    Motion and grasp: transport. Grasp alone: stabilize. Neither: idle. Motion alone: reach if any later window that
    starts at most ``within_s`` after this one's start has grasp, else reposition.

    Args:
        starts: start of each window in seconds, ascending, shape (n,).
        motion, grasp: the answers, shape (n,).

    Raises:
        ValueError: the lengths differ.

    >>> primitives_of_axes([0, 0.5, 1.0], [True, False, True], [False, True, False])
    ['reach', 'stabilize', 'reposition']
    """
    found = []
    next_grasp = math.inf
    for start, moves, holds in reversed(list(zip(starts, motion, grasp, strict=True))):
        if holds:
            found.append("transport" if moves else "stabilize")
            next_grasp = start
        elif moves:
            found.append("reach" if next_grasp - start <= within_s else "reposition")
        else:
            found.append("idle")
    return found[::-1]


def axes_of_primitive(primitive: str) -> tuple[bool, bool]:
    """Return whether the hand moves and whether it holds something."""
    return primitive in MOTION, primitive in GRASP


def sequence_scores(answer: Iterable[str], truth: Iterable[str]) -> SequenceScores:
    """Return the scores of one video.

    Args:
        answer: primitives in order; equal neighbours are merged, so a primitive that goes on over windows is one.
        truth: labelled primitives in order, merged likewise.

    >>> scores = sequence_scores(["idle", "transport"], ["idle", "reach", "transport", "idle"])
    >>> scores.edit_score, scores.action_error_rate, scores.relative_counting_error
    (50.0, 0.5, 0.5)
    """
    answered = merged(word.lower() for word in answer)
    labelled = merged(word.lower() for word in truth)
    distance = Levenshtein.distance(answered, labelled)
    longest = max(len(answered), len(labelled))
    counted, true = Counter(answered), Counter(labelled)
    errors = {name: abs(counted[name] - true[name]) for name in PRIMITIVES}
    active = sum(true[name] for name in PRIMITIVES if name != "idle")
    active_errors = sum(error for name, error in errors.items() if name != "idle")
    return SequenceScores(
        edit_score=100.0 * (1 - distance / longest) if longest else 100.0,
        action_error_rate=distance / len(labelled) if labelled else 0.0,
        relative_counting_error=sum(errors.values()) / len(labelled) if labelled else 0.0,
        relative_counting_error_without_idle=active_errors / active if active else 0.0,
        count_errors=errors,
        count_answer=len(answered),
        count_truth=len(labelled),
    )


def counting_error(counts: Mapping[str, float], truth: Mapping[str, float], *, idle: bool = True) -> float:
    """Return the relative counting error of doses that are given as numbers, such as a mean of other subjects.

    Args:
        counts, truth: number of runs by primitive; absent ones are 0.
        idle: whether idle counts as a primitive, as published.

    0 without labelled runs.
    """
    names = [name for name in PRIMITIVES if idle or name != "idle"]
    total = sum(truth.get(name, 0.0) for name in names)
    missed = sum(abs(counts.get(name, 0.0) - truth.get(name, 0.0)) for name in names)
    return missed / total if total else 0.0


def share_within(errors: Sequence[float], limit: float = WITHIN) -> float:
    """Return the share of videos whose relative counting error is at most ``limit``; NaN without a video.

    >>> share_within([0.1, 0.25, 0.4, 1.2])
    0.5
    """
    return sum(error <= limit for error in errors) / len(errors) if errors else math.nan


def mean_and_error(values: Sequence[float]) -> tuple[float, float]:
    """Return the mean and its standard error, sd (n - 1) / sqrt(n); NaN where they are undefined."""
    n = len(values)
    if not n:
        return math.nan, math.nan
    mean = math.fsum(values) / n
    if n == 1:
        return mean, math.nan
    return mean, math.sqrt(math.fsum((value - mean) ** 2 for value in values) / (n - 1) / n)
