"""Simulated studies from a pilot's own answers: two models' answers to the same recordings, patient by patient.

A model with two correlations, as in `simulation`, knows nothing of which recordings are hard for both sides and which
patients make the difference. Redrawing the patients of a pilot with both sides' answers does. The difference wanted is
made by changing answers of the second side with one probability: into the truth if it must rise, into the first side's
answers if it must fall.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from semiology.metrics.arrays import Bools, Codes, Floats
from semiology.metrics.paired.tables import PairedTables


@dataclass(frozen=True)
class PilotAnswers:
    """Joint answers of a pilot on one feature; positive is "yes".

    Attributes:
        patient: position of each recording's patient, from 0, shape (n,).
        truth, first, second: whether the feature is there, and whether each side says so, shape (n,).
        target: what answers of the second side are changed into, shape (n,).
        share: probability that an answer is changed. difference: F1 of the second minus the first after it.
        seen: the same in the pilot itself.
    """

    patient: Codes
    truth: Bools
    first: Bools
    second: Bools
    target: Bools
    share: float
    difference: float
    seen: float

    def simulate(self, n_patients: int, rng: np.random.Generator, feature: str) -> PairedTables:
        """Draw patients with replacement, with all their recordings and both sides' answers."""
        groups = [np.flatnonzero(self.patient == k) for k in range(int(self.patient.max()) + 1)]
        drawn = rng.integers(0, len(groups), n_patients)
        rows = np.concatenate([groups[k] for k in drawn])
        patient = np.repeat(np.arange(n_patients), [len(groups[k]) for k in drawn])
        truth, first = self.truth[rows], self.first[rows]
        second = np.where(rng.random(len(rows)) < self.share, self.target[rows], self.second[rows])
        tables = [self._counted(truth, answer, patient, n_patients) for answer in (first, second)]
        right = [first == truth, second == truth]
        changed = np.bincount(patient[first != second], minlength=n_patients)[:, None].astype(np.float64)
        only = [np.array([int((a & ~b).sum())], dtype=np.int64) for a, b in (right, right[::-1])]
        names = tuple(f"p{i}" for i in range(n_patients))
        return PairedTables(names, (feature,), tables[0], tables[1], changed, only[0], only[1])

    @staticmethod
    def _counted(truth: Bools, answer: Bools, patient: Codes, n_patients: int) -> Floats:
        flat = (patient * 3 + ~truth) * 4 + ~answer
        return np.bincount(flat, minlength=n_patients * 12).reshape(n_patients, 1, 3, 4).astype(np.float64)


def pilot_answers(patient: Codes, truth: Bools, first: Bools, second: Bools, *, delta: float) -> PilotAnswers:
    """Return a pilot's joint answers, changed so that the second side's F1 is ``delta`` above the first's.

    Raises:
        ValueError: no recording shows the feature, or the first side's F1 leaves no room for ``delta``.

    >>> truth = np.array([True, True, False, False])
    >>> found = pilot_answers(np.arange(4), truth, np.array([True, False, False, True]), truth, delta=0.25)
    >>> round(found.seen, 2), round(found.difference, 2), round(found.share, 2)
    (0.5, 0.25, 0.5)
    """
    if not truth.any():
        raise ValueError("no recording of the pilot shows the feature → choose a feature that it has")
    base = _f1(truth, first.astype(np.float64))
    if not 0 < delta < 1 - base:
        raise ValueError(
            f"a difference of {delta:g} cannot be: the first model has an F1 of {base:.3f} → use less than "
            f"{1 - base:.3f}"
        )
    own = second.astype(np.float64)
    seen = _f1(truth, own) - base
    target = truth if seen < delta else first
    low, high = 0.0, 1.0
    for _ in range(50):
        share = (low + high) / 2
        found = _f1(truth, (1 - share) * own + share * target) - base
        low, high = (share, high) if (found < delta) == (seen < delta) else (low, share)
    return PilotAnswers(patient, truth, first, second, target, share, found, seen)


def _f1(truth: Bools, likely: Floats) -> float:
    """Return F1 of probabilities of yes."""
    return float(2 * likely[truth].sum() / (truth.sum() + likely.sum()))
