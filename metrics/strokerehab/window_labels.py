"""Which primitive a window is labelled with, and how the windows of an answer agree with that.

A window may hold several runs. Four rules answer the question, because four published tables need them: the label at
the window's middle, both axes over the whole window (None where they change inside it), the label whose overlap lies in
the middle, and the label at the middle with idle before the first one.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from semiology.strokerehab import GRASP, MOTION, PRIMITIVES, Run, Window

Axis = Literal["motion", "grasp"]
Mixed = Literal["masked", "optimistic", "pessimistic"]
AXES: Mapping[Axis, frozenset[str]] = {"motion": MOTION, "grasp": GRASP}
MIXED: tuple[Mixed, ...] = ("masked", "optimistic", "pessimistic")
"""A window that is yes and no on an axis: left out, or counted as the answer, or as its opposite."""


@dataclass(frozen=True)
class AxisCounts:
    """Confusion counts of one axis over windows; the positive class is yes."""

    tp: int
    fp: int
    fn: int
    tn: int

    @property
    def judged(self) -> int:
        """Number of windows that were compared."""
        return self.tp + self.fp + self.fn + self.tn

    @property
    def f1(self) -> float:
        """2 tp / (2 tp + fp + fn), NaN if the class is neither labelled nor answered."""
        whole = 2 * self.tp + self.fp + self.fn
        return 2 * self.tp / whole if whole else math.nan

    def __add__(self, other: AxisCounts) -> AxisCounts:
        """Return the counts of both together."""
        return AxisCounts(self.tp + other.tp, self.fp + other.fp, self.fn + other.fn, self.tn + other.tn)


def label_at(runs: Sequence[Run], time_s: float) -> str | None:
    """Return the primitive at a time: of the last run that began by then; None before the first.

    The last run goes on to the end of the video, gaps belong to the run before them.
    """
    place = bisect_right([run.start_s for run in runs], time_s) - 1
    return runs[place].primitive if place >= 0 else None


def middle_labels(runs: Sequence[Run], windows: Sequence[Window], *, first: str | None = None) -> list[str]:
    """Return the label at the middle of each window.

    Args:
        runs: the labelled runs in order; at least one.
        windows: any windows.
        first: label before the first run; by default that of the first run (the time is clamped).
    """
    before = runs[0].primitive if first is None else first
    return [label_at(runs, (window.start_s + window.end_s) / 2) or before for window in windows]


def overlapping(runs: Sequence[Run], window: Window) -> list[str]:
    """Return the primitives that share a positive stretch of time with a window, in their order.

    Args:
        runs: the labelled runs in order.
        window: seconds.
    """
    found = []
    first = max(bisect_right([run.start_s for run in runs], window.start_s) - 1, 0)
    for run in runs[first:]:
        if run.start_s >= window.end_s:
            break
        if min(run.end_s, window.end_s) > max(run.start_s, window.start_s):
            found.append(run.primitive)
    return found


def axis_over_window(runs: Sequence[Run], window: Window, axis: Axis) -> bool | None:
    """Return an axis of every primitive in a window; None where they differ or there is none."""
    said = {primitive in AXES[axis] for primitive in overlapping(runs, window)}
    return said.pop() if len(said) == 1 else None


def window_label(runs: Sequence[Run], window: Window) -> str | None:
    """Return the label of a window for baselines: of several the one with the lower median middle of overlap."""
    found = overlapping(runs, window)
    return found[(len(found) - 1) // 2] if found else None


def even_windows(end_s: float, length_s: float) -> list[Window]:
    """Return the windows of a length from 0 that start before an end; the last is cut there.

    >>> even_windows(1.2, 0.5)[-1]
    Window(start_s=1.0, end_s=1.2)
    """
    count = math.ceil(end_s / length_s - 1e-9)
    return [Window(n * length_s, min((n + 1) * length_s, end_s)) for n in range(count)]


def axis_counts(
    answers: Sequence[bool], truths: Sequence[bool | None], mixed: Mixed = "masked"
) -> AxisCounts:
    """Return the confusion counts of an axis.

    Args:
        answers: yes or no for each window.
        truths: the label; None for a mixed window.
        mixed: what a mixed window counts as.

    Raises:
        ValueError: the lengths differ.
    """
    counted: Counter[tuple[bool, bool]] = Counter()
    for answer, truth in zip(answers, truths, strict=True):
        if truth is None and mixed == "masked":
            continue
        resolved = truth if truth is not None else answer if mixed == "optimistic" else not answer
        counted[answer, resolved] += 1
    return AxisCounts(
        tp=counted[True, True], fp=counted[True, False], fn=counted[False, True], tn=counted[False, False]
    )


def window_confusion(pairs: Iterable[tuple[str, str]]) -> dict[str, Counter[str]]:
    """Return for each labelled primitive how often each was answered.

    Args:
        pairs: label and answer of each window.
    """
    table: dict[str, Counter[str]] = {name: Counter() for name in PRIMITIVES}
    for truth, answer in pairs:
        table[truth][answer] += 1
    return table


def axis_comparison(
    runs: Sequence[Run], windows: Sequence[Window], answers: Mapping[Axis, Sequence[bool]]
) -> dict[tuple[Axis, str, Mixed], AxisCounts]:
    """Return the counts of both axes of one video by axis, place and what mixed windows count as.

    The place is ``middle`` (of the window; nothing is mixed there) or ``window`` (all of it).

    Args:
        runs: the labelled runs, at least one. windows: as asked about.
        answers: by axis, yes or no for each window.
    """
    found: dict[tuple[Axis, str, Mixed], AxisCounts] = {}
    middles = middle_labels(runs, windows)
    for axis, said in answers.items():
        found[axis, "middle", "masked"] = axis_counts(said, [label in AXES[axis] for label in middles])
        over = [axis_over_window(runs, window, axis) for window in windows]
        for mixed in MIXED:
            found[axis, "window", mixed] = axis_counts(said, over, mixed)
    return found


def seconds_right(
    runs: Sequence[Run], windows: Sequence[Window], answers: Sequence[bool], axis: Axis
) -> tuple[float, float]:
    """Return the seconds in which an axis is answered as labelled, and the labelled seconds of the windows."""
    right = whole = 0.0
    for window, said in zip(windows, answers, strict=True):
        first = max(bisect_right([run.start_s for run in runs], window.start_s) - 1, 0)
        for run in runs[first:]:
            if run.start_s >= window.end_s:
                break
            seconds = max(0.0, min(run.end_s, window.end_s) - max(run.start_s, window.start_s))
            whole += seconds
            right += seconds if (run.primitive in AXES[axis]) is said else 0.0
    return right, whole


def confusion_pairs(
    runs: Sequence[Run], windows: Sequence[Window], words: Sequence[str]
) -> list[tuple[str, str]]:
    """Return label and answer of each window that begins before the labels' end; before the first label: idle."""
    kept = [
        (window, word) for window, word in zip(windows, words, strict=True) if window.start_s < runs[-1].end_s
    ]
    truth = middle_labels(runs, [window for window, _ in kept], first="idle")
    return [(true, word) for true, (_, word) in zip(truth, kept, strict=True)]
