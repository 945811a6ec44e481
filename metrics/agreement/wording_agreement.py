"""Agreement between wordings, as between raters: do they say the same, beyond what chance would give?

Wordings are the raters, recordings the units. All coefficients are computed from sums over units, so that a
bootstrap over patients needs one weighted sum; `semiology.metrics.agreement.agreement` has of annotators on
lists of labels. Agreement says nothing about truth.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import combinations

import numpy as np

from semiology.metrics.robustness.answers import Bools
from semiology.metrics.scores.classification import ratio
from semiology.metrics.scores.counts import Codes, Floats


def rating_counts(answers: Codes, usable: Bools, classes: int = 2) -> Floats:
    """Return how many wordings gave each answer to each recording, shape (n, classes).

    Args:
        answers: codes, shape (K, n). usable: answers that are a rating, shape (K, n); others are missing.
        classes: 2 for yes/no, 3 with ``na``.
    """
    counts = [((answers == c) & usable).sum(0) for c in range(classes)]
    return np.stack(counts, axis=1).astype(np.float64)


def agreement_sums(counts: Floats) -> dict[str, Floats]:
    """Return per recording what the coefficients sum up, each (n,) or (n, classes).

    Recordings with fewer than two ratings cannot be paired and add nothing.
    """
    ratings = counts.sum(1)
    paired = ratings >= 2
    kept = np.where(paired[:, None], counts, 0.0)
    m = np.where(paired, ratings, 2.0)
    concordant = (kept * (kept - 1)).sum(1)
    return {
        "units": paired.astype(np.float64),
        "ratings": kept.sum(1),
        "values": kept,
        "shares": kept / m[:, None],
        "agreement": concordant / (m * (m - 1)),
        "disagreement": (np.where(paired, ratings * (ratings - 1), 0.0) - concordant) / (m - 1),
    }


def krippendorff_alpha(sums: Mapping[str, Floats]) -> Floats:
    """Return Krippendorff's alpha for nominal data from summed `agreement_sums` (``values``: (..., C)).

    1 - D_o / D_e with D_o = sum of "disagreement" / N and D_e = (N^2 - sum_c N_c^2) / (N (N - 1)), N ratings
    in units with at least two. 1 is perfect, 0 chance, negative is systematic disagreement. NaN if all
    ratings are the same: nothing varies, so nothing can be said to be reliable. Tolerates missing ratings.
    Source: Krippendorff, Content Analysis, 2004, chapter 11.
    """
    n = sums["ratings"]
    expected = ratio(n * n - (sums["values"] ** 2).sum(-1), n * (n - 1))
    return np.asarray(1 - ratio(ratio(sums["disagreement"], n), expected), dtype=np.float64)


def observed_agreement(sums: Mapping[str, Floats]) -> Floats:
    """Return the mean share of agreeing pairs of ratings per unit, 0 to 1 (Fleiss' P); NaN without units."""
    return ratio(sums["agreement"], sums["units"])


def fleiss_kappa(sums: Mapping[str, Floats]) -> Floats:
    """Return Fleiss' kappa: (P - P_e) / (1 - P_e), P_e = sum of squared mean answer shares; at most 1.

    With missing ratings the shares are averaged over units. NaN if all ratings are the same. Like alpha it
    falls towards 0 at extreme yes-rates however well wordings agree: read `gwet_ac1` beside it.
    """
    expected = (_mean_shares(sums) ** 2).sum(-1)
    return ratio(observed_agreement(sums) - expected, 1 - expected)


def gwet_ac1(sums: Mapping[str, Floats]) -> Floats:
    """Return Gwet's AC1: chance agreement is sum_c s_c (1 - s_c) / (C - 1) for mean answer shares s_c.

    1 if all ratings are the same; stays high at extreme yes-rates, where alpha and kappa collapse.
    Source: Gwet, British Journal of Mathematical and Statistical Psychology 61 (2008) 29-48.
    """
    shares = _mean_shares(sums)
    expected = (shares * (1 - shares)).sum(-1) / (shares.shape[-1] - 1)
    return ratio(observed_agreement(sums) - expected, 1 - expected)


def mean_jensen_shannon(p_yes: Floats) -> Floats:
    """Return the mean Jensen-Shannon distance between wordings' P(yes) about each recording, shape (n,).

    Args:
        p_yes: probability of "present", shape (K, n), NaN where unknown.

    The distance (root of the divergence in bits, `scipy.spatial.distance.jensenshannon`) of two yes/no
    distributions is 0 if they are equal and 1 if they contradict each other with certainty. The mean is over
    the pairs of wordings with known probabilities; NaN without such a pair. It stands in for POSIX (arXiv
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
    return ratio(np.where(known, distance, 0.0).sum(0), known.sum(0).astype(np.float64))


def _mean_shares(sums: Mapping[str, Floats]) -> Floats:
    return ratio(sums["shares"], np.asarray(sums["units"])[..., None])
