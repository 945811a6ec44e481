"""In how many features one condition is better than another: counts, and tests that say how little they may mean.

A count such as "better in 13 of 18 features" takes a hair for a mile and features for independent studies, though all
are about the same patients. Two tests stand beside it. The sign test (exact binomial, ties left out) is the usual one
and takes features as independent. The patient test draws signs for patients' contributions less their mean, one sign
for all features of a patient, and asks how often chance alone makes the count as lopsided: it keeps the features'
correlation. The mean is taken off, since it would turn with the signs and make all features agree.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from semiology.metrics.arrays import Codes, Floats
from semiology.metrics.paired.contributions import contributions
from semiology.metrics.paired.tables import PairedTables
from semiology.metrics.statistics.sign_flip import Flips

_TIES = 1e-9
"""Differences closer than this are none: they come from counts."""


@dataclass(frozen=True)
class FeatureCount:
    """Features in which the second of two conditions is better, worse, or equal.

    Attributes:
        better, worse, equal: numbers of features; those without a defined difference are in none.
        share: of the better among those that differ, NaN without any. low, high: its 95 % Wilson interval, as if
            features were independent. sign_p: two-sided sign test. patient_p: of the patient test; NaN where no answers
            are known.
    """

    better: int
    worse: int
    equal: int
    share: float
    low: float
    high: float
    sign_p: float
    patient_p: float = float("nan")

    @property
    def features(self) -> int:
        """How many features are counted."""
        return self.better + self.worse + self.equal


def count_features(differences: Sequence[float] | Floats, patient_p: float = float("nan")) -> FeatureCount:
    """Return the counts and the sign test of differences (second minus first), one for each feature, NaN left out.

    >>> found = count_features([0.1, 0.2, -0.1, 0.0, 0.3, 0.1])
    >>> found.better, found.worse, found.equal, round(found.sign_p, 3)
    (4, 1, 1, 0.375)
    """
    from scipy.stats import binomtest

    known = np.asarray(differences, dtype=np.float64)
    known = known[~np.isnan(known)]
    better, worse = (int(number) for number in _better_and_worse(known))
    equal = len(known) - better - worse
    if not better + worse:
        nan = float("nan")
        return FeatureCount(0, 0, equal, nan, nan, nan, nan, patient_p)
    test = binomtest(better, better + worse)
    limits = test.proportion_ci(method="wilson")
    share = better / (better + worse)
    return FeatureCount(
        better, worse, equal, share, float(limits.low), float(limits.high), float(test.pvalue), patient_p
    )


def _better_and_worse(values: Floats) -> tuple[Codes, Codes]:
    """Return how many differences (..., F) lie above 0, and how many below, ties left out."""
    return (values > _TIES).sum(-1), (values < -_TIES).sum(-1)


def paired_feature_count(tables: PairedTables, measure: str, seen: Floats, signs: Flips) -> FeatureCount:
    """Return the counts of a comparison with both tests.

    Args:
        tables: of both conditions. measure: of the differences ``seen``, (F,). signs: drawn for the patients.
    """
    known = ~np.isnan(seen)
    if not known.any():
        return count_features(seen)
    own = contributions(tables, measure, seen)[:, known]
    own = own - own.mean(0)

    def lopsided(values: Floats) -> Floats:
        better, worse = _better_and_worse(values)
        return np.asarray(np.abs(better - worse), dtype=np.float64)

    drawn = lopsided(signs.sums(own))
    as_large = np.array([float((drawn >= lopsided(seen[known])).sum())])
    return count_features(seen, float(signs.p_value(as_large)[0]))
