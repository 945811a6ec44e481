"""What a diagnosis is worth at the bedside: net benefit, and what is gained over answering ES to everyone.

Source of the net benefit: Vickers and Elkin, Medical Decision Making 26 (2006) 565-574. At a threshold t a clinician
treats as epilepsy whoever has P(ES) of at least t, and thinks a false treatment t / (1 - t) times as bad as a missed
one; net benefit = TP / n - FP / n * t / (1 - t). Treating all and treating none are the alternatives.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from semiology.metrics.arrays import Bools, Floats

THRESHOLDS: tuple[float, ...] = tuple(step / 20 for step in range(1, 20))


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

    >>> import numpy as np
    >>> decision_curve(np.array([True, True, False]), np.array([0.9, 0.4, 0.6]), [0.5])[0].net_benefit
    0.0
    """
    points = []
    for threshold in thresholds:
        treated, odds = probability >= threshold, threshold / (1 - threshold)
        own = float((treated & truth).mean() - odds * (treated & ~truth).mean())
        points.append(DecisionPoint(threshold, own, float(truth.mean() - odds * (~truth).mean())))
    return tuple(points)
