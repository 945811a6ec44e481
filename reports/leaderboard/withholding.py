"""Which figures of entries are withheld because too few patients stand behind them.

Withholding the figures on a rare feature is not enough: a macro mean, together with the figures on all its other
features, tells those on the one that is missing. So, as in any table of official statistics, one more feature
is withheld where that is the case, the rarest of the others, until no mean or difference of means tells a
withheld figure. What depends on the recordings alone (always-yes, say) is the same in every entry about them:
there the means of all entries of an export are taken together.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from semiology.metrics.scores.run_scores import FeatureScores, MacroScores, RunScores

SMALL_CELL = 5
"""Figures on a feature are withheld where fewer patients show, or do not show, the feature."""
Cell = tuple[str, int, int, int]
"""A feature, its recordings, those with the feature, their patients: alike where runs are about the same."""
Means = Mapping[tuple[int, str], Sequence[frozenset[Cell]]]
"""For each measure what a mean is of, by number of the run and group."""


def withheld_figures(
    runs: Sequence[RunScores], measures: Sequence[str]
) -> list[tuple[frozenset[str], frozenset[str]]]:
    """Return for each run the features, and the groups of macro means, whose figures are withheld.

    Args:
        runs: scores of all entries that leave the laboratory together.
        measures: names of the scores told, ``f1`` first. A mean leaves out features on which a score is
            undefined, so that it may be of fewer features for one score (mcc, say) than for another.

    A mean is withheld only where nothing is left to withhold beside the rare feature, as for a mean of it alone.
    """
    small = {_cell(each) for run in runs for each in run.features if _small(each)}
    hidden = set(small)
    means = {
        (number, macro.group): _members(macro, run.features, measures)
        for number, run in enumerate(runs)
        for macro in run.macros
    }
    while found := _told(hidden, means) & small:
        cell = min(found)
        holding = sorted(
            (key for key in means if any(cell in members for members in means[key])),
            key=lambda key: max(len(members) for members in means[key]),
        )
        visible = [frozenset[Cell]().union(*means[key]) - hidden for key in holding]
        others = next((cells for cells in visible if cells), None)
        if others is None:
            del means[holding[0]]
        else:
            hidden.add(min(others, key=lambda other: (other[-1], other)))
    return [
        (
            frozenset(each.feature for each in run.features if _cell(each) in hidden),
            frozenset(macro.group for macro in run.macros if (number, macro.group) not in means),
        )
        for number, run in enumerate(runs)
    ]


def _cell(scores: FeatureScores) -> Cell:
    return scores.feature, scores.n, scores.n_positive, scores.n_positive_patients


def _small(scores: FeatureScores) -> bool:
    # How many patients lack the feature altogether is not known here; the recordings without it are a bound.
    negatives = scores.n - scores.n_positive
    return scores.n_positive_patients < SMALL_CELL or negatives < SMALL_CELL


def _members(
    macro: MacroScores, features: Sequence[FeatureScores], measures: Sequence[str]
) -> list[frozenset[Cell]]:
    """Return for each measure the features that a mean is of."""
    within = [each for each in features if each.feature in macro.features]
    return [
        frozenset(
            _cell(each)
            for each in within
            # A mean takes the precision of a model that never says yes for 0.
            if measure == "precision" or not math.isnan(each.estimates[measure].value)
        )
        for measure in measures
    ]


def _told(hidden: set[Cell], means: Means) -> set[Cell]:
    """Return the hidden features whose figures follow from the means and the figures that are given."""
    names, told = sorted(hidden), set[Cell]()
    for system in set(_systems(means)):
        sums = np.array([[name in members for name in names] for members in system], dtype=np.float64)
        if not sums.size:
            continue
        rank = np.linalg.matrix_rank(sums)
        for name, alone in zip(names, np.eye(len(names)), strict=True):
            if np.linalg.matrix_rank(np.vstack([sums, alone])) == rank:
                told.add(name)
    return told


def _systems(means: Means) -> Iterator[frozenset[frozenset[Cell]]]:
    """Yield what means are of that can be held against each other: first all of always-yes."""
    # The mean of always-yes is of the features of that of F1.
    yield frozenset(members[0] for members in means.values())
    for number in {number for number, _ in means}:
        of_run = [members for (run, _), members in means.items() if run == number]
        yield from (frozenset(same) for same in zip(*of_run, strict=True))
