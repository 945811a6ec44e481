"""How much of a score is the wording: F1 with intervals by subject, and the best wording chosen on other subjects."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np

from semiology.metrics.arrays import Floats, ratio
from semiology.metrics.statistics.bootstrap import pooled_estimate
from semiology.metrics.statistics.intervals import Estimate
from semiology.metrics.strokerehab.run_scores import IdentificationRun, PrimitiveRun
from semiology.metrics.strokerehab.window_labels import Axis, axis_comparison
from semiology.strokerehab import ACTIVITIES


def macro_f1_estimate(run: IdentificationRun) -> Estimate:
    """Return the mean F1 over the activities that are in the truth, with its interval by subject."""
    is_true, is_answered = (
        np.array([[name == said for name in ACTIVITIES] for said in column], dtype=float).reshape(
            -1, len(ACTIVITIES)
        )
        for column in (run.truth, run.answer)
    )
    parts = {"true": is_true, "answered": is_answered, "right": is_true * is_answered}
    return pooled_estimate(parts, run.subjects, _macro_f1, undefined="no video shows an activity")


def _macro_f1(sums: Mapping[str, Floats]) -> Floats:
    values = ratio(2 * sums["right"], sums["true"] + sums["answered"])
    seen = sums["true"] > 0
    return ratio(np.where(seen, values, 0.0).sum(1), seen.sum(1).astype(np.float64))


def axis_f1_estimate(run: PrimitiveRun, axis: Axis) -> Estimate | None:
    """Return F1 of an axis at the middle of windows with its interval by subject; None for tasks that ask for words."""
    asked = [video for video in run.videos if axis in video.axes]
    if not asked:
        return None
    counts = [
        axis_comparison(v.labelled.runs, v.windows, {axis: v.axes[axis]})[axis, "middle", "masked"]
        for v in asked
    ]
    parts = {name: np.array([float(getattr(each, name)) for each in counts]) for name in ("tp", "fp", "fn")}
    return pooled_estimate(
        parts,
        [video.labelled.subject for video in asked],
        lambda sums: ratio(2 * sums["tp"], 2 * sums["tp"] + sums["fp"] + sums["fn"]),
        undefined="no window is labelled or answered yes",
    )


def best_on_others(
    values: Sequence[Mapping[str, float]], subjects: Mapping[str, str], *, less: bool = False
) -> tuple[float, Counter[int]]:
    """Return the mean score of the wording that the *other* subjects chose, and how often each was chosen.

    The best of several wordings, scored on the subjects that chose it, is too good; this is the corrected value.

    Args:
        values: for each wording its score by video, of the same videos.
        subjects: whose each video is.
        less: whether less is better.

    NaN with fewer than two subjects. Of equal wordings the first is chosen.

    >>> best_on_others([{"x": 1.0, "y": 0.0}, {"x": 0.0, "y": 0.9}], {"x": "a", "y": "b"})
    (0.0, Counter({1: 1, 0: 1}))
    """
    names = sorted(set(subjects.values()))
    chosen: Counter[int] = Counter()
    if len(names) < 2:
        return math.nan, chosen
    held_out: list[float] = []
    for name in names:
        means = [
            float(np.mean([value for video, value in scored.items() if subjects[video] != name]))
            for scored in values
        ]
        best = min(range(len(means)), key=lambda place: (means[place] if less else -means[place], place))
        chosen[best] += 1
        held_out += [value for video, value in values[best].items() if subjects[video] == name]
    return float(np.mean(held_out)), chosen
