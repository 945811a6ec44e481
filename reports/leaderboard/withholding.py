"""Which figures of an entry are withheld because too few patients stand behind them.

Withholding the figures on a rare sign is not enough: a macro mean, together with the figures on all its other
features, tells those on the one that is missing. So, as in any table of official statistics, one more feature
is withheld where that is the case, the rarest of the others, until no mean or difference of means tells a
withheld figure.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from semiology.metrics.scores import FeatureScores, MacroScores

SMALL_CELL = 5
"""Figures on a feature are withheld where fewer patients show, or do not show, the sign."""


def withheld_figures(
    features: Sequence[FeatureScores], macros: Sequence[MacroScores]
) -> tuple[frozenset[str], frozenset[str]]:
    """Return the features, and the groups of macro means, whose figures are withheld.

    Args:
        features: all that an entry would tell about. macros: the means it would give.

    A mean is withheld only where nothing is left to withhold beside the rare sign, as for a mean of it alone.
    """
    patients = {each.feature: each.n_positive_patients for each in features}
    small = {each.feature for each in features if _small(each)}
    hidden, means = set(small), {macro.group: macro.features for macro in macros}
    while found := _told(hidden, means) & small:
        name = min(found)
        holding = sorted((group for group in means if name in means[group]), key=lambda g: len(means[g]))
        visible = [set(means[group]) - hidden for group in holding]
        others = next((names for names in visible if names), None)
        if others is None:
            del means[holding[0]]
        else:
            hidden.add(min(others, key=lambda other: (patients[other], other)))
    return frozenset(hidden), frozenset(macro.group for macro in macros) - set(means)


def _small(scores: FeatureScores) -> bool:
    # How many patients lack the sign altogether is not known here; the recordings without it are a bound.
    negatives = scores.n - scores.n_positive
    return scores.n_positive_patients < SMALL_CELL or negatives < SMALL_CELL


def _told(hidden: set[str], means: Mapping[str, Sequence[str]]) -> set[str]:
    """Return the hidden features whose figures follow from the means and the figures that are given."""
    names = sorted(hidden)
    sums = np.array([[name in members for name in names] for members in means.values()], dtype=np.float64)
    if not sums.size:
        return set()
    rank = np.linalg.matrix_rank(sums)
    each = np.eye(len(names))
    return {name for i, name in enumerate(names) if np.linalg.matrix_rank(np.vstack([sums, each[i]])) == rank}
