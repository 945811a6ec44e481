"""Agreement between annotators: kappas, Krippendorff's alpha, and how alike two label distributions are.

Source: Cohen (1960); Fleiss, Psychological Bulletin 76 (1971) 378; Krippendorff, Content Analysis (2004),
chapter 11; arXiv 2605.21852, appendix A.2 and Table 5, for the similarity of distributions.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence

import numpy as np

from semiology.metrics.coverage import is_missing
from semiology.metrics.scores.counts import Floats


def cohen_kappa(first: Sequence[Hashable], second: Sequence[Hashable]) -> float:
    """Return Cohen's kappa of two annotators, -1 to 1, 0 at chance; symmetric.

    NaN without items, or if both used one and the same category throughout (agreement beyond chance is then
    undefined). Items that either left out (None, NaN, empty) are dropped.

    Raises:
        ValueError: the lengths differ.
    """
    pairs = [(a, b) for a, b in zip(first, second, strict=True) if not is_missing(a) and not is_missing(b)]
    if not pairs:
        return float("nan")
    categories = {value for pair in pairs for value in pair}
    n = len(pairs)
    observed = sum(a == b for a, b in pairs) / n
    expected = sum(
        sum(a == category for a, _ in pairs) * sum(b == category for _, b in pairs) for category in categories
    ) / (n * n)
    return _beyond_chance(observed, expected)


def fleiss_kappa(ratings: Sequence[Sequence[Hashable]]) -> float:
    """Return Fleiss' kappa of several annotators, at most 1, 0 at chance.

    Args:
        ratings: one row per item, each with the same number (2 or more) of categories, in any order.

    NaN without items, or if all ratings are one category.

    Raises:
        ValueError: rows differ in length, have fewer than two ratings, or hold a missing one (use
            `krippendorff_alpha`).
    """
    sizes = {len(row) for row in ratings}
    if not sizes:
        return float("nan")
    if len(sizes) > 1 or min(sizes) < 2 or any(is_missing(value) for row in ratings for value in row):
        raise ValueError(
            "Fleiss' kappa needs the same two or more ratings of every item → use krippendorff_alpha"
        )
    counts, _ = _category_counts(ratings)
    raters = counts.sum(1)[0]
    observed = float(((counts**2).sum(1) - raters).mean() / (raters * (raters - 1)))
    expected = float(((counts.sum(0) / counts.sum()) ** 2).sum())
    return _beyond_chance(observed, expected)


def krippendorff_alpha(ratings: Sequence[Sequence[Hashable]]) -> float:
    """Return Krippendorff's alpha for categories (nominal), at most 1, 0 at chance.

    Args:
        ratings: one row per item; missing ratings (None, NaN, empty) may be left in or out. Items with fewer
            than two ratings are dropped.

    NaN without such items, or if all ratings are one category.
    """
    rows = [[value for value in row if not is_missing(value)] for row in ratings]
    rows = [row for row in rows if len(row) > 1]
    if not rows:
        return float("nan")
    counts, _ = _category_counts(rows)
    sizes, totals = counts.sum(1), counts.sum(0)
    n = totals.sum()
    disagreement = float(((sizes**2 - (counts**2).sum(1)) / (sizes - 1)).sum() / n)
    expected = float((n**2 - (totals**2).sum()) / (n * (n - 1)))
    return 1 - disagreement / expected if expected else float("nan")


def distribution_similarity(first: Sequence[float], second: Sequence[float]) -> dict[str, float]:
    """Return pearson, cosine and emd of two frequency vectors over the same features.

    pearson, -1 to 1, NaN if either is constant or has fewer than two entries; cosine, 0 to 1, NaN if either
    is all 0; emd, 0 or more: as published the 1-Wasserstein distance between the *values* of the two
    vectors after each is divided by its sum, whatever feature they belong to, so two vectors that are
    permutations of each other have distance 0; total_variation, 0 to 1: half the sum of absolute
    differences feature by feature, which does see that. All symmetric.

    Raises:
        ValueError: lengths differ, or a frequency is negative.
    """
    from scipy.stats import pearsonr, wasserstein_distance

    x, y = np.asarray(first, dtype=np.float64), np.asarray(second, dtype=np.float64)
    if x.shape != y.shape:
        raise ValueError(f"{len(x)} and {len(y)} frequencies → give both over the same features")
    if bool((x < 0).any() or (y < 0).any()):
        raise ValueError("a frequency is negative → give counts, shares or percentages")
    nan = float("nan")
    varied = len(x) > 1 and np.ptp(x) > 0 and np.ptp(y) > 0
    defined = bool(len(x)) and x.sum() > 0 and y.sum() > 0
    p, q = (x / x.sum(), y / y.sum()) if defined else (x, y)
    norms = float(np.linalg.norm(p) * np.linalg.norm(q)) if defined else 0.0
    return {
        "pearson": float(pearsonr(x, y).statistic) if varied else nan,
        "cosine": float(p @ q) / norms if norms else nan,
        "emd": float(wasserstein_distance(p, q)) if defined else nan,
        "total_variation": float(np.abs(p - q).sum() / 2) if defined else nan,
    }


def _category_counts(rows: Sequence[Sequence[Hashable]]) -> tuple[Floats, list[Hashable]]:
    categories = sorted({value for row in rows for value in row}, key=str)
    place = {value: i for i, value in enumerate(categories)}
    counts = np.zeros((len(rows), len(categories)))
    for i, row in enumerate(rows):
        for value in row:
            counts[i, place[value]] += 1
    return counts, categories


def _beyond_chance(observed: float, expected: float) -> float:
    return (observed - expected) / (1 - expected) if expected < 1 else float("nan")
