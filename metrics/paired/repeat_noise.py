"""How much of a difference between two runs asking again alone can make.

How far a repeat moves a score is read from single answers, not from two or three scores: a patient's contributions to
the difference between two repeats (`contributions`) are chance, so that their squares add up to its variance. Where the
scores of repeats lie further apart than that can explain, as after a release that shifted all answers one way, their
own squared distance counts.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import ndtri

from semiology.metrics.arrays import Floats
from semiology.metrics.paired.contributions import contributions
from semiology.metrics.paired.tables import MEASURES, measures_of, paired_tables

if TYPE_CHECKING:
    import pandas as pd

BOUND = float(ndtri(0.975))
"""A difference within this many standard deviations of repeat noise is one that asking again can make."""

SHIFTED = float(ndtri(0.995))
"""Repeats whose scores lie further apart than this many standard deviations of their scatter differ by more than it."""


@dataclass(frozen=True)
class Noise:
    """A difference beside what repeats alone make.

    Attributes:
        name: feature, or the number of features of a macro mean. measure: of which score.
        difference: as compared. spread: standard deviation of the difference that repeats alone make.
    """

    name: str
    measure: str
    difference: float
    spread: float

    @property
    def part(self) -> float:
        """The share of the squared difference that repeats explain, 0 to 1; NaN without a difference."""
        if math.isnan(self.difference) or self.difference == 0:
            return float("nan")
        return min(1.0, self.spread**2 / self.difference**2)

    @property
    def within(self) -> bool:
        """Whether repeats alone can make a difference as large (in 5 % of cases or more)."""
        return abs(self.difference) <= BOUND * self.spread


@dataclass(frozen=True)
class RepeatNoise:
    """What repeats say of a comparison: a row for each end point and feature, and sentences on where they come from."""

    rows: tuple[Noise, ...]
    notes: tuple[str, ...]

    def row(self, measure: str, name: str) -> Noise | None:
        """Return the row of a feature's measure, if any."""
        return next((each for each in self.rows if (each.measure, each.name) == (measure, name)), None)


def score_variances(
    answers: pd.DataFrame, columns: Sequence[str], features: Mapping[str, Sequence[str]]
) -> dict[tuple[str, str], float]:
    """Return by measure and feature (or "" for the macro mean) the variance of one run's score under repeats.

    Args:
        answers: one row per recording and feature: video_id, patient_id, feature, truth and the answers of each run.
        columns: those of the runs, two or more. features: those of each macro mean, by measure.
    """
    names = sorted(set(answers["feature"]))
    sums: dict[tuple[str, str], list[tuple[float, float]]] = {}
    for one, other in combinations(columns, 2):
        tables = paired_tables(answers.rename(columns={one: "first", other: "second"}), names)
        scores = [measures_of(each.sum(0), names) for each in (tables.first, tables.second)]
        for measure in MEASURES:
            seen: Floats = scores[1][measure] - scores[0][measure]
            own = contributions(tables, measure, np.where(np.isnan(seen), np.nan, 0.0))
            for i, name in enumerate(names):
                sums.setdefault((measure, name), []).append(
                    (float((own[:, i] ** 2).sum()), float(seen[i] ** 2))
                )
            used = [i for i, name in enumerate(names) if name in set(features.get(measure, ()))]
            if used:
                together = float((own[:, used].mean(1) ** 2).sum()), float(seen[used].mean() ** 2)
                sums.setdefault((measure, ""), []).append(together)
    return {key: _variance(*map(float, np.mean(values, axis=0))) for key, values in sums.items()}


def _variance(scatter: float, distance: float) -> float:
    """Return the variance of one run: half of that of two, or of their squared distance if that is no chance."""
    return (distance if distance > SHIFTED**2 * scatter else scatter) / 2
