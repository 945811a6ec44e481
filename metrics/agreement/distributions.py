"""How alike two sources call features present: similarity of their distributions, with p-values that say of what.

Sources are annotators, or a model and the experts; they may have labelled the same recordings or others. Pearson,
cosine and Earth Mover's Distance are those of arXiv 2605.21852, appendix A.2 and Table 5. The paper gives the p-value
of Pearson over features (20, or 40 with both diagnoses side by side). It is of the hypothesis that the sources have
nothing to do with each other, which hardly anyone believes. Whether they *differ* is asked by exchanging the sources
of patients.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from semiology.metrics.agreement.coefficients import distribution_similarity
from semiology.metrics.arrays import Floats

DRAWS = 2000
_TIES = 1e-12


@dataclass(frozen=True)
class DistributionSimilarity:
    """Two sources over the same features.

    Attributes:
        first, second: share of recordings called present by each, (F,); features that one did not label are left out.
        pearson, pearson_p: as published; p of no correlation (Student's t over features).
        cosine, cosine_p: p by permuting the features of one source.
        emd, emd_p, total_variation, total_variation_p: p of no difference, by exchanging the sources of patients; NaN
            with fewer than two patients.
        n_features: how many features.
    """

    first: Floats
    second: Floats
    pearson: float
    pearson_p: float
    cosine: float
    cosine_p: float
    emd: float
    emd_p: float
    total_variation: float
    total_variation_p: float
    n_features: int


def compare_distributions(
    yes: Floats, rated: Floats, *, draws: int = DRAWS, seed: int = 0
) -> DistributionSimilarity:
    """Compare how often two sources call each feature present.

    Args:
        yes, rated: recordings called present, and recordings labelled, by source, patient and feature, (2, P, F).
        draws, seed: of both permutations.

    A patient labelled by both sources is exchanged with chance 1/2; of patients labelled by one, as many are drawn for
    each source as there were.

    >>> yes = np.array([[[3.0, 0, 1]] * 8, [[3.0, 1, 1]] * 8])
    >>> found = compare_distributions(yes, np.full((2, 8, 3), 4.0), draws=200)
    >>> round(found.pearson, 2), round(found.total_variation, 2), found.total_variation_p < 0.05
    (0.94, 0.2, True)
    """
    from scipy.stats import pearsonr

    kept = (rated.sum(1) > 0).all(0)
    yes, rated = yes[..., kept], rated[..., kept]
    rng = np.random.default_rng(seed)
    first, second = yes.sum(1) / rated.sum(1)
    seen = distribution_similarity(first.tolist(), second.tolist())
    defined = not np.isnan(seen["pearson"])
    shuffled = np.array([rng.permutation(second) for _ in range(draws)]).reshape(draws, -1)
    norms = np.linalg.norm(first) * np.linalg.norm(second)
    drawn = shuffled @ first / norms if norms else np.full(draws, np.nan)
    emd, variation = _exchanged(yes, rated, draws, rng)
    return DistributionSimilarity(
        first,
        second,
        seen["pearson"],
        float(pearsonr(first, second).pvalue) if defined and len(first) > 2 else float("nan"),
        seen["cosine"],
        _p_value(drawn, seen["cosine"]),
        seen["emd"],
        _p_value(emd, seen["emd"]),
        seen["total_variation"],
        _p_value(variation, seen["total_variation"]),
        len(first),
    )


def _p_value(drawn: Floats, seen: float) -> float:
    """Return the share of draws as large as what was seen, which counts as one more; NaN where nothing is defined."""
    known = drawn[~np.isnan(drawn)]
    if np.isnan(seen) or not len(known):
        return float("nan")
    return float(((known >= seen - _TIES).sum() + 1) / (len(known) + 1))


def _exchanged(yes: Floats, rated: Floats, draws: int, rng: np.random.Generator) -> tuple[Floats, Floats]:
    """Return EMD and total variation under each draw of patients' sources; NaN with fewer than two patients."""
    emd, variation = np.full(draws, np.nan), np.full(draws, np.nan)
    labelled = rated.sum(-1) > 0
    both = labelled.all(0)
    alone = np.flatnonzero(labelled.any(0) & ~both)
    if both.sum() + len(alone) < 2:
        return emd, variation
    source = np.where(labelled[1], 1, 0)
    for draw in range(draws):
        turned = both & (rng.random(len(both)) < 0.5)
        if len(alone):
            turned[alone] = rng.permutation(source[alone]) != source[alone]
        counts = [np.where(turned[:, None], part[::-1], part).sum(1) for part in (yes, rated)]
        if not (counts[1] > 0).all():
            continue
        shares = counts[0] / counts[1]
        totals = shares.sum(1, keepdims=True)
        if (totals > 0).all():
            p, q = shares / totals
            emd[draw] = np.abs(np.sort(p) - np.sort(q)).mean()
            variation[draw] = np.abs(p - q).sum() / 2
    return emd, variation
