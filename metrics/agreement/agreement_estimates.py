"""Agreement between annotators with patient-clustered intervals: each coefficient from sums over items.

The coefficients are those of `semiology.metrics.agreement.agreement`; here what an item adds is summed, so
that patients can be drawn again and again.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any

import numpy as np

from semiology.metrics.coverage import is_missing
from semiology.metrics.scores.counts import Floats
from semiology.metrics.statistics.bootstrap import pooled_estimate
from semiology.metrics.statistics.intervals import RESAMPLES, Estimate

COEFFICIENTS: tuple[str, ...] = ("raw_agreement", "cohen_kappa", "fleiss_kappa", "krippendorff_alpha")
ONE_CATEGORY = "all ratings are of one category"


def agreement_estimates(
    ratings: Sequence[Sequence[Hashable]],
    patients: Sequence[Any],
    *,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> dict[str, Estimate]:
    """Return the agreement of annotators about some items.

    Args:
        ratings: one row per item, one category per annotator, always in their order; None, NaN and empty are
            missing.
        patients: patient of each item.
        resamples, seed: of the draws of patients.

    Estimates: raw_agreement (share of pairs of ratings of one item that are equal) and krippendorff_alpha
    over the items with two or more ratings; cohen_kappa where there are two annotators, over the items that
    both rated; fleiss_kappa over the items that all rated, where each did. A coefficient that no item allows
    is left out; NaN where all ratings are one category.

    Raises:
        ValueError: the lengths differ, or rows differ in length.
    """
    if len(ratings) != len(patients):
        raise ValueError(f"{len(ratings)} items and {len(patients)} patients → give one patient per item")
    sizes = {len(row) for row in ratings}
    if len(sizes) > 1:
        raise ValueError("items have different numbers of annotators → leave a missing rating empty")
    given = [[value for value in row if not is_missing(value)] for row in ratings]
    categories = sorted({value for row in given for value in row}, key=str)
    place = {value: i for i, value in enumerate(categories)}
    drawing: dict[str, Any] = {"resamples": resamples, "seed": seed, "undefined": ONE_CATEGORY}
    found: dict[str, Estimate] = {}
    several = [i for i, row in enumerate(given) if len(row) > 1]
    if not several:
        return found
    counts, owners = _counts([given[i] for i in several], place), [patients[i] for i in several]
    found["raw_agreement"] = pooled_estimate(_pair_sums(counts), owners, _raw, **drawing)
    found["krippendorff_alpha"] = pooled_estimate(_alpha_sums(counts), owners, _alpha, **drawing)
    annotators = sizes.pop()
    whole = [i for i in several if len(given[i]) == annotators]
    if whole:
        rows, owners = [given[i] for i in whole], [patients[i] for i in whole]
        if annotators == 2:
            tables = _pair_tables(rows, place)
            found["cohen_kappa"] = pooled_estimate(tables, owners, _cohen, **drawing)
        all_rated = _counts(rows, place)
        sums = np.hstack([all_rated, _pair_sums(all_rated)])
        found["fleiss_kappa"] = pooled_estimate(sums, owners, _fleiss, **drawing)
    return {name: found[name] for name in COEFFICIENTS if name in found}


def _pair_tables(rows: Sequence[Sequence[Hashable]], place: dict[Hashable, int]) -> Floats:
    """Return each item's table of two annotators' categories, flattened; shape (n, categories squared)."""
    tables = np.zeros((len(rows), len(place) ** 2))
    for i, (first, second) in enumerate(rows):
        tables[i, place[first] * len(place) + place[second]] = 1
    return tables


def _counts(rows: Sequence[Sequence[Hashable]], place: dict[Hashable, int]) -> Floats:
    counts = np.zeros((len(rows), len(place)))
    for i, row in enumerate(rows):
        for value in row:
            counts[i, place[value]] += 1
    return counts


def _pair_sums(counts: Floats) -> Floats:
    """Return equal pairs and all pairs of ratings per item, shape (n, 2)."""
    sizes = counts.sum(1)
    return np.stack([((counts**2).sum(1) - sizes) / 2, sizes * (sizes - 1) / 2], axis=1)


def _alpha_sums(counts: Floats) -> Floats:
    """Return category totals and the weighted disagreement per item, shape (n, categories + 1)."""
    sizes = counts.sum(1)
    disagreement = (sizes**2 - (counts**2).sum(1)) / (sizes - 1)
    return np.hstack([counts, disagreement[:, None]])


def _raw(sums: Floats) -> float:
    return float(sums[0] / sums[1]) if sums[1] else float("nan")


def _alpha(sums: Floats) -> float:
    totals, disagreement = sums[:-1], float(sums[-1])
    n = float(totals.sum())
    expected = (n**2 - float((totals**2).sum())) / (n * (n - 1)) if n > 1 else 0.0
    return 1 - disagreement / n / expected if expected else float("nan")


def _cohen(sums: Floats) -> float:
    side = round(len(sums) ** 0.5)
    table = sums.reshape(side, side) / sums.sum()
    return _beyond(float(np.trace(table)), float(table.sum(0) @ table.sum(1)))


def _fleiss(sums: Floats) -> float:
    totals, equal, pairs = sums[:-2], float(sums[-2]), float(sums[-1])
    return _beyond(equal / pairs, float(((totals / totals.sum()) ** 2).sum()))


def _beyond(observed: float, expected: float) -> float:
    return (observed - expected) / (1 - expected) if expected < 1 - 1e-12 else float("nan")
