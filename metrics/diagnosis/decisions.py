"""What a diagnosis is worth at the bedside: net benefit, and what is gained over answering ES to everyone.

Source of the net benefit: Vickers and Elkin, Medical Decision Making 26 (2006) 565-574. At a threshold t a clinician
treats as epilepsy whoever has P(ES) of at least t, and thinks a false treatment t / (1 - t) times as bad as a missed
one; net benefit = TP / n - FP / n * t / (1 - t). Treating all and treating none are the alternatives.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from semiology.metrics.arrays import Bools, Floats
from semiology.metrics.diagnosis.out_of_fold import Cohort
from semiology.metrics.s3.categorical import DIAGNOSES
from semiology.metrics.statistics.intervals import Estimate, effective_patients
from semiology.metrics.statistics.jackknife import jackknife_estimate

THRESHOLDS: tuple[float, ...] = tuple(round(0.05 * step, 2) for step in range(1, 20))


@dataclass(frozen=True)
class DecisionPoint:
    """Net benefit at one threshold: of the classifier, and of treating everyone (treating no one is 0)."""

    threshold: float
    net_benefit: float
    treat_all: float


def decision_curve(
    truth: Bools, probability: Floats, thresholds: Sequence[float] = THRESHOLDS
) -> tuple[DecisionPoint, ...]:
    """Return the net benefit of treating by P(ES) at each threshold.

    Args:
        truth: whether it is ES, shape (n,), n > 0. probability: P(ES), shape (n,), without NaN.
        thresholds: between 0 and 1, both excluded.

    >>> decision_curve(np.array([True, True, False]), np.array([0.9, 0.4, 0.6]), [0.5])[0].net_benefit
    0.0
    """
    points = []
    for threshold in thresholds:
        treated, odds = probability >= threshold, threshold / (1 - threshold)
        own = float((treated & truth).mean() - odds * (treated & ~truth).mean())
        points.append(DecisionPoint(threshold, own, float(truth.mean() - odds * (~truth).mean())))
    return tuple(points)


def f1_difference(first: Mapping[str, str], second: Mapping[str, str], cohort: Cohort) -> Estimate:
    """Return F1 (of ES) of the first answers minus that of the second on the same recordings, by patient.

    The interval leaves out each patient in turn from both.

    Raises:
        ValueError: the two answer different recordings.
    """
    if set(first) != set(second):
        raise ValueError("the two answer different recordings → compare them on those that both answered")
    patients: list[Hashable] = sorted({cohort.patients[v] for v in first}, key=str)
    row = {patient: at for at, patient in enumerate(patients)}
    # Per patient, for both: 2 TP, and 2 TP + FP + FN.
    sums: Floats = np.zeros((len(patients), 2, 2))
    sizes: Floats = np.zeros(len(patients))
    for video in first:
        sizes[row[cohort.patients[video]]] += 1
        for which, answers in enumerate((first, second)):
            counted = (answers[video] == DIAGNOSES[0]) + (cohort.diagnosis[video] == DIAGNOSES[0])
            sums[row[cohort.patients[video]], which] += (2 * (counted == 2), counted)
    total = sums.sum(0)

    def difference(table: Floats) -> Floats:
        with np.errstate(invalid="ignore", divide="ignore"):
            f1 = table[..., 0] / table[..., 1]
        return np.asarray(f1[..., 0] - f1[..., 1])

    return jackknife_estimate(
        float(difference(total)),
        difference(total - sums),
        effective=effective_patients(sizes),
        n=len(first),
        n_patients=len(patients),
        undefined="neither truth nor answer is ES",
    )
