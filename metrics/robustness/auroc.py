"""AUROC of P(yes) under each wording: does the model rank recordings with the feature above those without?

Unlike F1 and accuracy it does not depend on where the model draws the line between yes and no.
"""

from __future__ import annotations

import numpy as np

from semiology.metrics.arrays import Codes, Floats, ratio
from semiology.metrics.robustness.answers import WordingAnswers
from semiology.metrics.scores.counts import NO, YES


class Discrimination:
    """Pairs of a recording with and one without the feature, summed over their patients.

    A patient resample with weights w then has the AUROC w C w / w T w for concordant pairs C and all pairs
    T, both (P, P): a bootstrap needs one matrix product, not one ranking for each resample.

    Attributes:
        per_wording: AUROC of each wording on the data, shape (K,); NaN without probabilities or one class.
    """

    def __init__(self, answers: WordingAnswers, patient: Codes, n_patients: int) -> None:
        """Count the pairs; recordings whose P(yes) is unknown under some wording are left out of all."""
        k = len(answers.wordings)
        self.per_wording: Floats = np.full(k, np.nan)
        self._concordant: Floats = np.zeros((n_patients, n_patients))
        self._pairs: Floats = np.zeros((n_patients, n_patients))
        if answers.p_yes is None:
            return
        known = ~np.isnan(answers.p_yes).any(0)
        positive, negative = (np.flatnonzero(known & (answers.truth == c)) for c in (YES, NO))
        if not len(positive) or not len(negative):
            return
        member = np.eye(n_patients)
        rows, columns = member[patient[positive]].T, member[patient[negative]]
        self._pairs = np.outer(rows.sum(1), columns.sum(0))
        for place, p in enumerate(answers.p_yes):
            over = p[positive][:, None] - p[negative]
            wins = (over > 0) + 0.5 * (over == 0)
            self.per_wording[place] = wins.mean()
            self._concordant += rows @ wins @ columns / k

    def mean(self, weights: Floats) -> Floats:
        """Return the mean AUROC over wordings for patient weights (B, P), shape (B,).

        0.5 is chance, ties count half (Hanley and McNeil, Radiology 143 (1982) 29-36). NaN in a resample
        without a pair.
        """
        won = np.einsum("bp,bp->b", weights @ self._concordant, weights)
        return ratio(won, np.einsum("bp,bp->b", weights @ self._pairs, weights))
