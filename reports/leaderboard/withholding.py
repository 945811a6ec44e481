"""Which figures of an entry are withheld because too few patients stand behind them.

Withholding the figures on a rare sign is not enough: a macro mean, together with the figures on all its other
features, tells those on the one that is missing. So, as in any table of official statistics, one more feature
is withheld where that is the case, the rarest of the others, until no mean or difference of means tells a
withheld figure.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np

from semiology.metrics.scores import FeatureScores, MacroScores

SMALL_CELL = 5
"""Figures on a feature are withheld where fewer patients show, or do not show, the sign."""


def withheld_figures(
    features: Sequence[FeatureScores], macros: Sequence[MacroScores], measures: Sequence[str]
) -> tuple[frozenset[str], frozenset[str]]:
    """Return the features, and the groups of macro means, whose figures are withheld.

    Args:
        features: all that an entry would tell about. macros: the means it would give.
        measures: names of the scores told. A mean leaves out features on which a score is undefined, so that
            it may be of fewer features for one score (mcc, say) than for another.

    A mean is withheld only where nothing is left to withhold beside the rare sign, as for a mean of it alone.
    """
    patients = {each.feature: each.n_positive_patients for each in features}
    small = {each.feature for each in features if _small(each)}
    hidden = set(small)
    means = {macro.group: _members(macro, features, measures) for macro in macros}
    while found := _told(hidden, means, len(measures)) & small:
        name = min(found)
        holding = sorted(
            (group for group in means if any(name in members for members in means[group])),
            key=lambda group: max(len(members) for members in means[group]),
        )
        visible = [set().union(*means[group]) - hidden for group in holding]
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


def _members(
    macro: MacroScores, features: Sequence[FeatureScores], measures: Sequence[str]
) -> list[frozenset[str]]:
    """Return for each measure the features that a mean is of."""
    within = [each for each in features if each.feature in macro.features]
    return [
        frozenset(
            each.feature
            for each in within
            # A mean takes the precision of a model that never says yes for 0.
            if measure == "precision" or not math.isnan(each.estimates[measure].value)
        )
        for measure in measures
    ]


def _told(hidden: set[str], means: Mapping[str, Sequence[frozenset[str]]], measures: int) -> set[str]:
    """Return the hidden features whose figures follow from the means and the figures that are given."""
    names, told = sorted(hidden), set[str]()
    for measure in range(measures):
        rows = [[name in members[measure] for name in names] for members in means.values()]
        sums = np.array(rows, dtype=np.float64)
        if not sums.size:
            continue
        rank = np.linalg.matrix_rank(sums)
        for name, alone in zip(names, np.eye(len(names)), strict=True):
            if np.linalg.matrix_rank(np.vstack([sums, alone])) == rank:
                told.add(name)
    return told
