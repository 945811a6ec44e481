"""Agreement of raters about categories, beyond chance: kappas, Krippendorff's alpha, Gwet's AC1.

Raters are annotators, or the wordings of one question; items are recordings. Every coefficient follows from
`agreement_sums` over items, so that the resamples of a patient bootstrap are weighted sums; for one list of ratings
the same functions are called on the plain sums. Agreement says nothing about truth.

Source: Cohen (1960); Fleiss, Psychological Bulletin 76 (1971) 378; Krippendorff, Content Analysis (2004),
chapter 11; Gwet, British Journal of Mathematical and Statistical Psychology 61 (2008) 29-48. The tests hold them
against scikit-learn and statsmodels, which take one list of ratings at a time.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from itertools import combinations
from typing import Any

import numpy as np

from semiology.metrics.arrays import Bools, Codes, Floats, ratio
from semiology.metrics.coverage import is_missing
from semiology.metrics.scores.classification import kappa_of_tables
from semiology.metrics.statistics.bootstrap import pooled_estimate
from semiology.metrics.statistics.intervals import RESAMPLES, Estimate

COEFFICIENTS: tuple[str, ...] = ("raw_agreement", "cohen_kappa", "fleiss_kappa", "krippendorff_alpha")
ONE_CATEGORY = "all ratings are of one category"


def rating_counts(answers: Codes, usable: Bools, classes: int = 2) -> Floats:
    """Return how many of the usable answers, codes (K, n), are of each class, by recording, shape (n, classes).

    The others are missing; there are 2 classes for yes/no, 3 with ``na``.
    """
    counts = [((answers == c) & usable).sum(0) for c in range(classes)]
    return np.stack(counts, axis=1).astype(np.float64)


def agreement_sums(counts: Floats) -> dict[str, Floats]:
    """Return what each item adds to the coefficients, each (n,) or (n, classes), from its ratings by category.

    Items with fewer than two ratings cannot be paired and add nothing.
    """
    ratings = counts.sum(1)
    paired = ratings >= 2
    kept = np.where(paired[:, None], counts, 0.0)
    m = np.where(paired, ratings, 2.0)
    concordant = (kept * (kept - 1)).sum(1)
    pairs = np.where(paired, ratings * (ratings - 1), 0.0)
    return {
        "units": paired.astype(np.float64),
        "ratings": kept.sum(1),
        "values": kept,
        "shares": kept / m[:, None],
        "pairs": pairs,
        "concordant": concordant,
        "agreement": concordant / (m * (m - 1)),
        "disagreement": (pairs - concordant) / (m - 1),
    }


def alpha_of_sums(sums: Mapping[str, Floats]) -> Floats:
    """Return Krippendorff's alpha for nominal data from summed `agreement_sums` (``values``: (..., classes)).

    1 - D_o / D_e with D_o = sum of "disagreement" / N and D_e = (N^2 - sum_c N_c^2) / (N (N - 1)), N ratings
    in units with at least two. 1 is perfect, 0 chance, negative is systematic disagreement. NaN if all
    ratings are the same: nothing varies, so nothing can be said to be reliable. Tolerates missing ratings.
    """
    n = sums["ratings"]
    expected = ratio(n * n - (sums["values"] ** 2).sum(-1), n * (n - 1))
    return np.asarray(1 - ratio(ratio(sums["disagreement"], n), expected), dtype=np.float64)


def observed_agreement(sums: Mapping[str, Floats]) -> Floats:
    """Return the mean share of agreeing pairs of ratings per unit, 0 to 1 (Fleiss' P); NaN without units."""
    return ratio(sums["agreement"], sums["units"])


def fleiss_of_sums(sums: Mapping[str, Floats]) -> Floats:
    """Return Fleiss' kappa: (P - P_e) / (1 - P_e), P_e = sum of squared mean answer shares; at most 1.

    With missing ratings the shares are averaged over units. NaN if all ratings are the same. Like alpha it
    falls towards 0 at extreme yes-rates however well raters agree: read `ac1_of_sums` beside it.
    """
    expected = (_mean_shares(sums) ** 2).sum(-1)
    return ratio(observed_agreement(sums) - expected, 1 - expected)


def ac1_of_sums(sums: Mapping[str, Floats]) -> Floats:
    """Return Gwet's AC1: chance agreement is sum_c s_c (1 - s_c) / (C - 1) for mean answer shares s_c.

    1 if all ratings are the same; stays high at extreme yes-rates, where alpha and kappa collapse.
    """
    shares = _mean_shares(sums)
    expected = (shares * (1 - shares)).sum(-1) / (shares.shape[-1] - 1)
    return ratio(observed_agreement(sums) - expected, 1 - expected)


def cohen_kappa(first: Sequence[Hashable], second: Sequence[Hashable]) -> float:
    """Return Cohen's kappa of two annotators, -1 to 1, 0 at chance; symmetric.

    NaN without items, or if both used one and the same category throughout (agreement beyond chance is then
    undefined). Items that either left out (None, NaN, empty) are dropped.

    Raises:
        ValueError: the lengths differ.

    >>> cohen_kappa(["yes", "yes", "no", "no"], ["yes", "no", "no", "no"])
    0.5
    """
    pairs = [pair for pair in zip(first, second, strict=True) if not any(map(is_missing, pair))]
    place = _places(pairs)
    return float(kappa_of_tables(_pair_tables(pairs, place).sum(0).reshape(len(place), len(place))))


def fleiss_kappa(ratings: Sequence[Sequence[Hashable]]) -> float:
    """Return Fleiss' kappa of several annotators, at most 1, 0 at chance.

    ``ratings`` has one row per item, each with the same number (2 or more) of categories, in any order. NaN without
    items, or if all ratings are one category.

    Raises:
        ValueError: rows differ in length, have fewer than two ratings, or hold a missing one (use
            `krippendorff_alpha`).

    >>> round(fleiss_kappa([["yes", "yes", "yes"], ["yes", "no", "no"], ["no", "no", "no"]]), 3)
    0.55
    """
    sizes = {len(row) for row in ratings}
    if not sizes:
        return float("nan")
    if len(sizes) > 1 or min(sizes) < 2 or any(is_missing(value) for row in ratings for value in row):
        raise ValueError(
            "Fleiss' kappa needs the same two or more ratings of every item → use krippendorff_alpha"
        )
    return float(fleiss_of_sums(_totals(ratings)))


def krippendorff_alpha(ratings: Sequence[Sequence[Hashable]]) -> float:
    """Return Krippendorff's alpha for categories (nominal), at most 1, 0 at chance; ``ratings`` has a row per item.

    Missing ratings (None, NaN, empty) may be left in or out; items with fewer than two are dropped. NaN without such
    items, or if all ratings are one category.

    >>> krippendorff_alpha([["yes", "yes"], ["yes", "no"], ["no", "no", "no"], ["yes", None]])
    0.5
    """
    return float(
        alpha_of_sums(_totals([[value for value in row if not is_missing(value)] for row in ratings]))
    )


def agreement_estimates(
    ratings: Sequence[Sequence[Hashable]],
    patients: Sequence[Any],
    *,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> dict[str, Estimate]:
    """Return the agreement of annotators about some items, with patient-bootstrap intervals.

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

    >>> ratings = [("yes", "yes"), ("no", "no"), ("yes", "no"), ("no", "no")] * 6
    >>> found = agreement_estimates(ratings, [f"p{i // 2}" for i in range(24)], resamples=200)
    >>> {name: round(estimate.value, 2) for name, estimate in found.items()}
    {'raw_agreement': 0.75, 'cohen_kappa': 0.5, 'fleiss_kappa': 0.47, 'krippendorff_alpha': 0.48}
    """
    if len(ratings) != len(patients):
        raise ValueError(f"{len(ratings)} items and {len(patients)} patients → give one patient per item")
    if len({len(row) for row in ratings}) > 1:
        raise ValueError("items have different numbers of annotators → leave a missing rating empty")
    given = [[value for value in row if not is_missing(value)] for row in ratings]
    place = _places(given)
    several = [i for i, row in enumerate(given) if len(row) > 1]
    whole = [i for i in several if len(given[i]) == len(ratings[i])]

    def estimate(
        items: Sequence[int], parts: Mapping[str, Floats], score: Callable[[Mapping[str, Floats]], Floats]
    ) -> Estimate:
        owners = [patients[i] for i in items]
        return pooled_estimate(parts, owners, score, resamples=resamples, seed=seed, undefined=ONE_CATEGORY)

    found: dict[str, Estimate] = {}
    if several:
        sums = agreement_sums(_category_counts([given[i] for i in several], place))
        found["raw_agreement"] = estimate(several, sums, lambda s: ratio(s["concordant"], s["pairs"]))
        if whole and len(ratings[0]) == 2:
            tables = {"table": _pair_tables([given[i] for i in whole], place)}
            found["cohen_kappa"] = estimate(
                whole,
                tables,
                lambda s: kappa_of_tables(s["table"].reshape(len(s["table"]), len(place), len(place))),
            )
        if whole:
            complete = agreement_sums(_category_counts([given[i] for i in whole], place))
            found["fleiss_kappa"] = estimate(whole, complete, fleiss_of_sums)
        found["krippendorff_alpha"] = estimate(several, sums, alpha_of_sums)
    return found


def distribution_similarity(first: Sequence[float], second: Sequence[float]) -> dict[str, float]:
    """Return pearson, cosine, emd and total_variation of two frequency vectors over the same features.

    pearson, -1 to 1, NaN if either is constant or has fewer than two entries; cosine, 0 to 1, NaN if either
    is all 0; emd, 0 or more: as published the 1-Wasserstein distance between the *values* of the two
    vectors after each is divided by its sum, whatever feature they belong to, so two vectors that are
    permutations of each other have distance 0; total_variation, 0 to 1: half the sum of absolute
    differences feature by feature, which does see that. All symmetric.

    Source: arXiv 2605.21852, appendix A.2 and Table 5.

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


def mean_jensen_shannon(p_yes: Floats) -> Floats:
    """Return the mean Jensen-Shannon distance between wordings' P(yes) about each recording, (K, n) to (n,).

    The distance (root of the divergence in bits, `scipy.spatial.distance.jensenshannon`) of two yes/no
    distributions is 0 if they are equal and 1 if they contradict each other with certainty. The mean is over
    the pairs of wordings with known probabilities (not NaN); NaN without such a pair. It stands in for POSIX (arXiv
    2410.02185), which needs K squared passes of the model.
    """
    from scipy.spatial.distance import jensenshannon

    pairs = np.array(list(combinations(range(len(p_yes)), 2)), dtype=np.int64).reshape(-1, 2)
    first, second = p_yes[pairs[:, 0]], p_yes[pairs[:, 1]]
    known = ~(np.isnan(first) | np.isnan(second))
    # Half of a subnormal number is 0, which would make the divergence infinite.
    first, second = (np.where(p < np.finfo(np.float64).tiny * 4, 0.0, p) for p in (first, second))
    left, right = np.where(known, first, 0.5), np.where(known, second, 0.5)
    distance = jensenshannon(np.stack([left, 1 - left]), np.stack([right, 1 - right]), base=2, axis=0)
    # Rounding can put the divergence of equal distributions a hair below 0, whose root is NaN.
    distance = np.nan_to_num(np.asarray(distance, dtype=np.float64))
    return ratio(np.where(known, distance, 0.0).sum(0), known.sum(0))


def _mean_shares(sums: Mapping[str, Floats]) -> Floats:
    return ratio(sums["shares"], np.asarray(sums["units"])[..., None])


def _places(rows: Sequence[Sequence[Hashable]]) -> dict[Hashable, int]:
    """Return the column of each category found."""
    return {value: i for i, value in enumerate(sorted({value for row in rows for value in row}, key=str))}


def _category_counts(rows: Sequence[Sequence[Hashable]], place: Mapping[Hashable, int]) -> Floats:
    counts = np.zeros((len(rows), len(place)))
    for i, row in enumerate(rows):
        for value in row:
            counts[i, place[value]] += 1
    return counts


def _totals(rows: Sequence[Sequence[Hashable]]) -> dict[str, Floats]:
    sums = agreement_sums(_category_counts(rows, _places(rows)))
    return {name: np.asarray(part.sum(0)) for name, part in sums.items()}


def _pair_tables(rows: Sequence[Sequence[Hashable]], place: Mapping[Hashable, int]) -> Floats:
    """Return each item's table of two annotators' categories, flattened; shape (n, categories squared)."""
    tables = np.zeros((len(rows), len(place) ** 2))
    for i, (first, second) in enumerate(rows):
        tables[i, place[first] * len(place) + place[second]] = 1
    return tables
