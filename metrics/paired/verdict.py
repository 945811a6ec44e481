"""What a comparison lets one say: the one rule by which every sentence, colour and badge claims a difference.

The patient sign-flip test decides, adjusted for the family tested together; intervals are shown and decide nothing.
"""

from __future__ import annotations

import math
from typing import Literal

from semiology.metrics.paired.comparison import PairedScore
from semiology.metrics.statistics.sign_flip import smallest_p

Verdict = Literal["higher", "lower", "equivalent", "not shown", "same answers", "too few", "undefined"]


def verdict(score: PairedScore, alpha: float) -> Verdict:
    """Return what a score of the second side is beside the first, by the p-value adjusted with max-T.

    Nothing is claimed, equivalence included, on fewer patients than the test needs to reach its level.
    """
    if math.isnan(score.difference.value):
        return "undefined"
    if score.equivalence.n_discordant == 0:
        return "same answers"
    if few_patients_to_test(score, alpha):
        return "too few"
    if score.p_max_t < alpha:
        return "higher" if score.difference.value > 0 else "lower"
    if score.equivalence.verdict == "equivalent":
        return "equivalent"
    return "not shown" if score.difference.estimable else "too few"


def few_patients_to_test(score: PairedScore, alpha: float) -> bool:
    """Return whether not even all patients on one side could give a p-value below the level."""
    return bool(smallest_p(score.difference.n_patients) >= alpha)
