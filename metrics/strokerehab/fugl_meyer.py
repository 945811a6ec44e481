"""Fugl-Meyer scores of the upper extremity: items answered against items rated, over subjects and 30 items.

The grid is every subject by every item that is asked; an item without an answer is *missing* and counts: as wrong in
accuracy, 2 points in both sums. A constant 2 beats the published prompts on accuracy and on APD, so these never stand
alone: `constant_scores` and the scores from other subjects (`metrics.strokerehab.baselines`) belong beside them.

Source: Fugl-Meyer Assessment of Upper Extremity (Gothenburg protocol); arXiv 2511.17727 for APD and MTSD.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import spearmanr
from sklearn.metrics import cohen_kappa_score, r2_score

from semiology.metrics.arrays import Floats
from semiology.metrics.strokerehab.primitives import mean_and_error
from semiology.strokerehab import SECTIONS

BEST = 2
Score = int | None
Scores = Mapping[int, Score]


@dataclass(frozen=True)
class ImpairmentScores:
    """Scores over a grid of subjects and items.

    Attributes:
        accuracy: share of the grid that is exactly right.
        macro_accuracy: mean of the accuracies on items rated 0, 1 and 2.
        apd: mean over subjects of the summed absolute differences of items; 2 for a missing one.
        mtsd: mean over subjects of the absolute difference of the sums plus 2 for each missing item, as published: a
            missing item counts in both.
        kappa: quadratic-weighted kappa over answered items; NaN if undefined, as for a constant answer.
        spearman: rank correlation of the totals; NaN if undefined.
        r2: R squared of the line fitted from answered to rated totals; NaN if undefined.
        missing: items without an answer.
        size: subjects times items.
    """

    accuracy: float
    macro_accuracy: float
    apd: float
    mtsd: float
    kappa: float
    spearman: float
    r2: float
    missing: int
    size: int


def impairment_scores(
    answers: Mapping[str, Scores], truth: Mapping[str, Mapping[int, int]], items: Sequence[int] | None = None
) -> ImpairmentScores:
    """Return the scores of a model.

    Args:
        answers: by subject and item; None or absent: missing.
        truth: rated scores by subject and item.
        items: the items of the grid; by default those rated for any subject. A pair that is not rated is left out.

    >>> found = impairment_scores(
    ...     {"a": {1: 2, 2: 1}, "b": {1: 0, 2: 1, 3: 0}}, {"a": {1: 2, 2: 2, 3: 1}, "b": {1: 0, 2: 1, 3: 2}}
    ... )
    >>> found.accuracy, found.apd, found.mtsd
    (0.5, 2.5, 3.0)
    """
    chosen = sorted({item for row in truth.values() for item in row}) if items is None else list(items)
    pairs: list[tuple[Score, int]] = []
    apd, mtsd, totals = [], [], []
    for subject, rated in truth.items():
        given = answers.get(subject, {})
        row = [(given.get(item), rated[item]) for item in chosen if item in rated]
        if not row:
            continue
        pairs += row
        missing = sum(answer is None for answer, _ in row)
        apd.append(sum(BEST if answer is None else abs(answer - true) for answer, true in row))
        answered, true_total = sum(answer or 0 for answer, _ in row), sum(true for _, true in row)
        mtsd.append(abs(answered - true_total) + BEST * missing)
        totals.append((answered, true_total))
    rank, fit = _of_totals(totals)
    return ImpairmentScores(
        accuracy=_mean([answer == true for answer, true in pairs]),
        macro_accuracy=_mean(
            [
                _mean([answer == true for answer, true in pairs if true == score])
                for score in sorted({true for _, true in pairs})
            ]
        ),
        apd=_mean(apd),
        mtsd=_mean(mtsd),
        kappa=weighted_kappa([(answer, true) for answer, true in pairs if answer is not None]),
        spearman=rank,
        r2=fit,
        missing=sum(answer is None for answer, _ in pairs),
        size=len(pairs),
    )


def weighted_kappa(pairs: Sequence[tuple[int, int]]) -> float:
    """Return Cohen's kappa with quadratic weights of answers and ratings; NaN where either is constant.

    0 by chance, 1 if all agree.
    """
    if len({answer for answer, _ in pairs}) < 2 or len({true for _, true in pairs}) < 2:
        return math.nan
    answers, truth = zip(*pairs, strict=True)
    return float(cohen_kappa_score(answers, truth, labels=[0, 1, 2], weights="quadratic"))


def section_errors(
    answers: Mapping[str, Scores], truth: Mapping[str, Mapping[int, int]]
) -> dict[str, tuple[float, float, int]]:
    """Return by section the mean absolute error, its standard error sd / sqrt(n) and n; a missing item counts 2."""
    found = {}
    for section, items in SECTIONS.items():
        errors = [
            float(
                BEST if (answer := answers.get(subject, {}).get(item)) is None else abs(answer - rated[item])
            )
            for subject, rated in truth.items()
            for item in items
            if item in rated
        ]
        found[section] = (*mean_and_error(errors), len(errors))
    return found


def constant_scores(truth: Mapping[str, Mapping[int, int]], score: int) -> dict[str, Scores]:
    """Return the answers of a model that gives every item the same score."""
    return {subject: dict.fromkeys(rated, score) for subject, rated in truth.items()}


def total_line(totals: Sequence[tuple[float, float]]) -> tuple[float, float, float]:
    """Return slope, intercept and R squared of the line fitted from answered to rated totals; NaN if undefined."""
    values: Floats = np.asarray(totals, dtype=np.float64).reshape(-1, 2)
    if len(values) < 2 or np.ptp(values[:, 0]) == 0:
        return math.nan, math.nan, math.nan
    slope, intercept = np.polyfit(values[:, 0], values[:, 1], 1)
    r2 = float(r2_score(values[:, 1], slope * values[:, 0] + intercept)) if np.ptp(values[:, 1]) else math.nan
    return float(slope), float(intercept), r2


def _of_totals(totals: Sequence[tuple[int, int]]) -> tuple[float, float]:
    """Return the rank correlation and R squared of totals."""
    if len(totals) < 2:
        return math.nan, math.nan
    answered, true = zip(*totals, strict=True)
    with warnings.catch_warnings():
        # A constant answer has no rank correlation: NaN says so.
        warnings.simplefilter("ignore")
        rank = float(spearmanr(answered, true).statistic)
    return rank, total_line(totals)[2]


def _mean(values: Sequence[float]) -> float:
    return float(np.mean(values)) if len(values) else math.nan
