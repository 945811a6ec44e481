"""Does a metric rank reports as experts do: correlation with expert ratings (S3, Table 10)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from semiology.metrics.arrays import Floats
from semiology.metrics.statistics.bootstrap import patient_codes
from semiology.metrics.statistics.intervals import (
    RESAMPLES,
    Estimate,
    bootstrap_estimate,
    few_patients,
    patient_weights,
)


def ranking_agreement(metric: Sequence[float] | Floats, expert: Sequence[float] | Floats) -> dict[str, float]:
    """Return pearson, spearman, kendall and pairwise_accuracy of a metric against expert ratings.

    pearson, spearman and kendall (tau-b, which corrects for ties) are -1 to 1, chance 0, NaN if either is
    constant or there are fewer than two reports. pairwise_accuracy, 0 to 1, is the share of the pairs with
    different ratings that the metric orders the same way; a tie of the metric is wrong, so chance is 0.5
    for a metric without ties and less with them; NaN if all ratings are equal.

    Source: arXiv 2605.21852, Table 10.

    Raises:
        ValueError: the lengths differ.

    >>> round(ranking_agreement([0.2, 0.4, 0.3], [1, 5, 4])["spearman"], 3)
    1.0
    """
    from scipy.stats import kendalltau, pearsonr, spearmanr

    x, y = np.asarray(metric, dtype=np.float64), np.asarray(expert, dtype=np.float64)
    if x.shape != y.shape:
        raise ValueError(f"{len(x)} metric values and {len(y)} ratings → give one rating per value")
    varied = len(x) > 1 and np.ptp(x) > 0 and np.ptp(y) > 0
    tests: dict[str, Callable[..., Any]] = {"pearson": pearsonr, "spearman": spearmanr, "kendall": kendalltau}
    values = {name: float(test(x, y).statistic) if varied else float("nan") for name, test in tests.items()}
    return values | {"pairwise_accuracy": pairwise_accuracy(x, y)}


def pairwise_accuracy(metric: Sequence[float] | Floats, expert: Sequence[float] | Floats) -> float:
    """Return the share of pairs with different ratings that the metric orders alike; NaN without such."""
    x, y = np.asarray(metric, dtype=np.float64), np.asarray(expert, dtype=np.float64)
    first, second = np.triu_indices(len(x), 1)
    order = np.sign(y[first] - y[second])
    differing = order != 0
    if not differing.any():
        return float("nan")
    return float((np.sign(x[first] - x[second]) == order)[differing].mean())


def ranking_estimates(
    metric: Sequence[float],
    expert: Sequence[float],
    patients: Sequence[Any],
    *,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> dict[str, Estimate]:
    """Return `ranking_agreement` with patient-bootstrap intervals.

    Metric, expert and patients have one value per report; all reports of a patient are drawn together.

    Raises:
        ValueError: the lengths differ.
    """
    if len(patients) != len(expert):
        raise ValueError(f"{len(expert)} ratings and {len(patients)} patients → give one patient per rating")
    x, y = np.asarray(metric, dtype=np.float64), np.asarray(expert, dtype=np.float64)
    point = ranking_agreement(x, y)
    codes, clusters = patient_codes(patients)
    weights = patient_weights(clusters, resamples, np.random.default_rng(seed)).astype(np.int64)
    rows = [ranking_agreement(*(np.repeat(part, row[codes]) for part in (x, y))) for row in weights]
    return {
        name: bootstrap_estimate(
            value,
            np.array([row[name] for row in rows]),
            n=len(x),
            n_patients=clusters,
            caution=few_patients(clusters),
            undefined="all values of the metric or all ratings are equal",
        )
        for name, value in point.items()
    }
