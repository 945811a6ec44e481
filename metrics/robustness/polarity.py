"""Polarity pairs: the same feature asked positively ("is it there?") and negatively ("is it absent?").

The strongest test of yes-bias: a model that reads the video contradicts itself never, one that likes to say
"yes" says it to both questions.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product

import numpy as np

from semiology.metrics.arrays import Codes, Floats, ratio
from semiology.metrics.scores.counts import NO, YES

POLARITY_MEASURES = ("consistent", "yes_to_both", "no_to_both", "yes_bias")


def polarity_pairs(polarities: Sequence[str]) -> list[tuple[int, int]]:
    """Return all (positively asked, negatively asked) pairs of wordings as positions."""
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
    the last is the share of pairs with two such answers. A constant "yes" gives 0, 1, 0, 1.
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


def yes_bias(yes_to_both: Floats, no_to_both: Floats) -> Floats:
    """Return yes to both minus no to both, -1 to 1: 0 without a bias, 1 for a model that always says yes."""
    return yes_to_both - no_to_both
