"""Faithfulness ratings of justifications: distribution, share rated at least 60 %, and agreement of raters.

Scale of Zhang et al., EMBC 2025: 1 to 5 stand for 20, 40, 60, 80 and 100 % correct. Where several raters
judged an item, its mean counts, so that an item seen by three weighs no more than one seen by one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from semiology.metrics.agreement.coefficients import krippendorff_alpha
from semiology.metrics.arrays import Floats
from semiology.metrics.statistics.bootstrap import mean_estimate, share_estimate
from semiology.metrics.statistics.intervals import Estimate

POINTS: Mapping[int, int] = {1: 20, 2: 40, 3: 60, 4: 80, 5: 100}
"""Percent that a rating stands for."""
PASS = 3
"""Rating of 60 %."""


@dataclass(frozen=True)
class RatingSummary:
    """Ratings of some items: numbers of items with a rating, of ratings, and of patients behind the items.

    Attributes:
        distribution: share of ratings by rating 1 to 5.
        passed, mean: share of items whose mean is at least 3 (60 %), and mean of items, in percent; both with
            patient-clustered intervals.
        median: median of the items' means, on the scale of 1 to 5.
    """

    n_items: int
    n_ratings: int
    n_patients: int
    distribution: Mapping[int, float]
    passed: Estimate
    mean: Estimate
    median: float


@dataclass(frozen=True)
class RaterAgreement:
    """Agreement of raters on items that two or more of them rated; NaN where undefined.

    Attributes:
        n_items: such items. raters: names.
        exact: share of pairs of ratings that are equal. within_one: that differ by 1 at most.
        alpha: Krippendorff's alpha for numbers (differences squared). alpha_nominal: for categories.
        weighted_kappa: mean over pairs of raters of Cohen's kappa with quadratic weights.
    """

    n_items: int
    raters: tuple[str, ...]
    exact: float
    within_one: float
    alpha: float
    alpha_nominal: float
    weighted_kappa: float


def summarise_ratings(ratings: Sequence[Sequence[int]], patients: Sequence[str]) -> RatingSummary:
    """Summarise the ratings (1 to 5) of each item, of a patient each; items without a rating are left out.

    Raises:
        ValueError: the lengths differ, or a rating is no whole number from 1 to 5.
    """
    if len(ratings) != len(patients):
        raise ValueError(f"{len(ratings)} items and {len(patients)} patients → give one patient per item")
    strange = [value for row in ratings for value in row if value not in POINTS]
    if strange:
        raise ValueError(f"{strange[0]!r} is no rating → use whole numbers from 1 to 5")
    rated = [(row, patient) for row, patient in zip(ratings, patients, strict=True) if len(row)]
    means = np.array([float(np.mean(row)) for row, _ in rated])
    owners = [patient for _, patient in rated]
    flat = np.array([value for row, _ in rated for value in row], dtype=np.int64)
    share = {value: float((flat == value).mean()) if len(flat) else float("nan") for value in POINTS}
    return RatingSummary(
        n_items=len(rated),
        n_ratings=len(flat),
        n_patients=len(set(owners)),
        distribution=share,
        passed=share_estimate((means >= PASS).astype(np.float64), owners),
        mean=mean_estimate(means * 20, owners),
        median=float(np.median(means)) if len(means) else float("nan"),
    )


def rater_agreement(ratings: Mapping[str, Mapping[str, int]]) -> RaterAgreement:
    """Return how far raters agree; ``ratings`` holds, by rater, the rating of each item rated."""
    names = tuple(sorted(ratings))
    items = sorted({item for given in ratings.values() for item in given})
    rows = [[ratings[name][item] for name in names if item in ratings[name]] for item in items]
    rows = [row for row in rows if len(row) > 1]
    gaps = np.array([abs(a - b) for row in rows for a, b in combinations(row, 2)], dtype=np.float64)
    nan = float("nan")
    return RaterAgreement(
        n_items=len(rows),
        raters=names,
        exact=float((gaps == 0).mean()) if len(gaps) else nan,
        within_one=float((gaps <= 1).mean()) if len(gaps) else nan,
        alpha=interval_alpha(rows),
        alpha_nominal=krippendorff_alpha(rows),
        weighted_kappa=_mean_weighted_kappa(ratings, names),
    )


def interval_alpha(rows: Sequence[Sequence[float]]) -> float:
    """Return Krippendorff's alpha with squared differences, at most 1, 0 at chance; a row has an item's ratings.

    Items with fewer than two ratings are dropped. NaN without any left, or if all ratings are equal.
    Source: Krippendorff, Content Analysis (2004), chapter 11.
    """
    kept = [np.asarray(row, dtype=np.float64) for row in rows if len(row) > 1]
    if not kept:
        return float("nan")
    everything = np.concatenate(kept)
    expected = _squared_differences(everything) / (len(everything) * (len(everything) - 1))
    observed = sum(_squared_differences(row) / (len(row) - 1) for row in kept) / len(everything)
    return float(1 - observed / expected) if expected else float("nan")


def _squared_differences(values: Floats) -> float:
    """Return the sum of squared differences over all ordered pairs."""
    return float(2 * (len(values) * (values**2).sum() - values.sum() ** 2))


def _mean_weighted_kappa(ratings: Mapping[str, Mapping[str, int]], names: Sequence[str]) -> float:
    from sklearn.metrics import cohen_kappa_score

    found = []
    for a, b in combinations(names, 2):
        shared = sorted(set(ratings[a]) & set(ratings[b]))
        first, second = ([ratings[name][item] for item in shared] for name in (a, b))
        if len(set(first) | set(second)) > 1:
            found.append(float(cohen_kappa_score(first, second, weights="quadratic", labels=sorted(POINTS))))
    return float(np.mean(found)) if found else float("nan")
