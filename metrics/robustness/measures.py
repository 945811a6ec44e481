"""How much the wording of a question matters: measures on right/wrong answers of wordings × recordings.

Notation: K wordings, n recordings, Y[p, i] = 1 if wording p is right about recording i, k_i = number of
wordings right about recording i, K_i = number of its answers that count. Functions on recordings return one
value per recording, shape (n,), so that a bootstrap over patients is a weighted mean; functions on wordings
take one score per wording on the last axis, so that one call serves all resamples.

None of these numbers means anything alone: a model that always says "yes" never flips and has PSS 0. Print
them beside balanced accuracy, yes-rate against prevalence, unparsed rate and Krippendorff's alpha, as
`semiology.metrics.robustness.scores` does.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product

import numpy as np
from scipy.special import comb

from semiology.metrics.arrays import Bools, Codes, Floats, mean_defined, ratio
from semiology.metrics.scores.counts import NO, YES

WORDING_SCORES = ("f1", "accuracy", "balanced_accuracy")
"""The scores of `scores.classification` that are compared over wordings."""
POLARITY_MEASURES = ("consistent", "yes_to_both", "no_to_both", "yes_bias")


def worst_at(k: Floats, counted: Floats, m: int) -> Floats:
    """Return Worst@m of each recording: C(k, m) / C(K, m), the chance that m random wordings are all right.

    Of ``counted`` wordings ``k`` are right, each (n,); m are drawn without replacement. Range 0 to 1; never rises
    with m; m = 1 is the share right, m = K the per-case worst score (Cao et al., arXiv 2406.10248, as mean over
    recordings). Comparable across different K, unlike the worst case itself. NaN where fewer than m wordings were
    counted. Source: the hypergeometric form of "pass^m".

    Raises:
        ValueError: m is not positive.
    """
    if m < 1:
        raise ValueError(f"Worst@m needs m of 1 or more, not {m}")
    k, counted = np.asarray(k, dtype=np.float64), np.asarray(counted, dtype=np.float64)
    result = np.ones(k.shape)
    for j in range(m):
        result = result * ratio(np.maximum(k - j, 0), counted - j)
    return result


def flips(k: Floats, counted: Floats) -> tuple[Floats, Floats, Floats]:
    """Return (always right, always wrong, flips) of each recording as 0 or 1; the three sum to 1.

    Always right is k = K, always wrong k = 0, a flip anything between. Their means are the per-case worst
    score, one minus the per-case best score, and best minus worst. NaN where no answer was counted.
    """
    k, counted = np.asarray(k, dtype=np.float64), np.asarray(counted, dtype=np.float64)
    right, wrong = (np.where(counted > 0, every, np.nan) for every in (k == counted, k == 0))
    return right, wrong, 1 - right - wrong


def prompt_sensitivity(k: Floats, counted: Floats) -> Floats:
    """Return PSS of each recording: the share of pairs of wordings of which just one is right.

    S_i = 2 k (K - k) / (K (K - 1)), the mean over pairs of abs(Y[p, i] - Y[q, i]) of ProSA (Zhuo et al.,
    arXiv 2410.12405). For valid yes/no answers it is one minus Fleiss' observed agreement. Its maximum is
    `prompt_sensitivity_maximum`, not 1. NaN where fewer than two answers were counted.
    """
    k, counted = np.asarray(k, dtype=np.float64), np.asarray(counted, dtype=np.float64)
    return ratio(2 * k * (counted - k), counted * (counted - 1))


def prompt_sensitivity_maximum(counted: Floats) -> Floats:
    """Return the largest PSS that K wordings allow: half of them right.

    K / (2 (K - 1)) for even K, (K + 1) / (2 K) for odd K: 0.545 at K = 12, 0.526 at K = 20. NaN below two.
    """
    counted = np.asarray(counted, dtype=np.float64)
    return prompt_sensitivity(np.floor(counted / 2), counted)


def majority_credit(answers: Codes, truth: Codes, usable: Bools, classes: int = 2) -> Floats:
    """Return how right the majority over wordings is about each recording, 0 to 1, shape (n,).

    Of the answers, codes (K, n), those that are usable vote for one of the classes: 2 for yes/no, 3 with ``na``. 1 if
    most voting wordings gave the true answer, 0 if not; of t answers tied for most votes a true one earns 1/t (a coin
    would decide). A recording without a vote earns 0. Ensemble gain is the mean of this minus AvgP (the mean accuracy
    over wordings: Mizrahi et al., arXiv 2401.00595): negative if wordings are mostly wrong.
    """
    votes = np.stack([((answers == c) & usable).sum(0) for c in range(classes)])
    most = votes.max(0)
    tied = (votes == most).sum(0)
    own = np.take_along_axis(votes, truth[None], axis=0)[0]
    return np.where((own == most) & (most > 0), 1.0 / tied, 0.0)


def best(scores: Floats) -> Floats:
    """Return the best score over wordings, (..., K) to (...): MaxP of arXiv 2401.00595 for accuracy.

    It was chosen on the recordings it is measured on, so it is too high: by about 7 points for the best of 20
    on 86 recordings, 3 on 438. Use `best_wording.best_of_k` for what a chosen wording is worth.
    """
    return np.asarray(np.fmax.reduce(np.asarray(scores, dtype=np.float64), axis=-1))


def worst(scores: Floats) -> Floats:
    """Return the worst score over wordings, (..., K) to (...); too low for the same reason as `best`."""
    return np.asarray(np.fmin.reduce(np.asarray(scores, dtype=np.float64), axis=-1))


def spread(scores: Floats) -> Floats:
    """Return best minus worst over all K wordings (Sclar et al., arXiv 2310.11324). It grows with K."""
    return best(scores) - worst(scores)


def spread_at(scores: Floats, m: int) -> Floats:
    """Return the spread expected of m wordings drawn without replacement, (..., K) to (...).

    With scores in rising order s_1..s_K the mean maximum is sum_j s_j C(j-1, m-1) / C(K, m) and the mean
    minimum its mirror, exact and without sampling. Equal to `spread` at m = K, 0 at m = 1; never falls with
    m. Comparable across different K. NaN if fewer than m wordings, or any score, are defined.

    Raises:
        ValueError: m is not positive.
    """
    if m < 1:
        raise ValueError(f"spread at m wordings needs m of 1 or more, not {m}")
    scores = np.asarray(scores, dtype=np.float64)
    k = scores.shape[-1]
    if m > k:
        return np.full(scores.shape[:-1], np.nan)
    weights = comb(np.arange(k), m - 1) / comb(k, m)
    # NaN sorts last and spreads into the sum, as it should.
    return np.asarray(np.sort(scores, axis=-1) @ (weights - weights[::-1]), dtype=np.float64)


def saturation(scores: Floats) -> Floats:
    """Return Sat = 1 - (MaxP - AvgP), (..., K) to (...): 1 if all wordings are equally good (2401.00595)."""
    return 1 - (best(scores) - mean_defined(scores))


def combined_performance(scores: Floats) -> Floats:
    """Return CPS = Sat x MaxP (arXiv 2401.00595), 0 to 1; for comparison only: it rewards a lucky maximum."""
    return saturation(scores) * best(scores)


def performance_drop(scores: Floats, reference: int) -> Floats:
    """Return PDR: the mean over the other wordings of 1 - score / score of the reference wording.

    Source: PromptBench (Zhu et al., arXiv 2306.04528), averaged over variants. At most 1; negative if the
    others are better. NaN if the reference scores 0 or stands alone; near 0 it explodes: for rare features read
    `absolute_drop`.
    """
    of_reference = scores[..., reference]
    others = mean_defined(np.delete(scores, reference, axis=-1))
    return np.asarray(1 - others / np.where(of_reference > 0, of_reference, np.nan), dtype=np.float64)


def absolute_drop(scores: Floats, reference: int) -> Floats:
    """Return the reference wording's score minus the mean of the others, -1 to 1; NaN if it stands alone."""
    others = mean_defined(np.delete(scores, reference, axis=-1))
    return np.asarray(scores[..., reference] - others, dtype=np.float64)


def polarity_pairs(polarities: Sequence[str]) -> list[tuple[int, int]]:
    """Return all (positively asked, negatively asked) pairs of wordings as positions.

    Such pairs are the strongest test of yes-bias: a model that reads the video never contradicts itself, one that
    likes to say "yes" says it to both questions.
    """
    places = {name: [i for i, each in enumerate(polarities) if each == name] for name in set(polarities)}
    return list(product(places.get("positive", []), places.get("negative", [])))


def polarity_outcomes(
    answers: Codes, pairs: Sequence[tuple[int, int]]
) -> tuple[Floats, Floats, Floats, Floats]:
    """Return (consistent, yes to both, no to both, usable pairs) of each recording, each (n,), as shares.

    Args:
        answers: codes about the *presence* of the feature, shape (K, n): a "yes" to the question whether it is
            absent is stored as "no". So a pair is consistent if both codes are equal, and "yes to both" means
            present for the positive wording, absent for the negative one.
        pairs: positions of positive and negative wordings.

    The first three are shares of the pairs with two yes/no answers and sum to 1 (NaN where there is none);
    the last is the share of pairs with two such answers. A constant "yes" gives 0, 1, 0, 1. Yes-bias is yes
    to both minus no to both, from -1 to 1.
    """
    index = np.array(list(pairs), dtype=np.int64).reshape(-1, 2)
    positive, negative = answers[index[:, 0]], answers[index[:, 1]]
    usable = (positive <= NO) & (negative <= NO)
    n = usable.sum(0).astype(np.float64)
    same = (usable & (positive == negative)).sum(0)
    both_yes = (usable & (positive == YES) & (negative == NO)).sum(0)
    both_no = (usable & (positive == NO) & (negative == YES)).sum(0)
    share = n / len(index) if len(index) else np.zeros(answers.shape[1])
    return ratio(same, n), ratio(both_yes, n), ratio(both_no, n), np.asarray(share, dtype=np.float64)
