"""Is one wording better than another on the same recordings? A sign-flip test over patients.

Under the null hypothesis it does not matter which of two wordings gave a patient's answers. So the answers of
each patient are swapped or not, all recordings of a patient together; the p-value is the share of swaps whose
score difference is at least as large as the observed one (two-sided). Exact for up to `EXACT` patients.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from semiology.metrics.aggregation import THREE_CLASSES
from semiology.metrics.classification import table_scores
from semiology.metrics.confusion import ANSWERS, TRUTHS, Floats
from semiology.metrics.intervals import (
    BOOTSTRAP,
    MIN_POSITIVE_PATIENTS,
    RESAMPLES,
    Estimate,
    bootstrap_estimate,
    not_estimable,
    patient_weights,
)
from semiology.optimization.examples import Example
from semiology.optimization.objective import Answers

EXACT = 14
FLIPS = 10_000


@dataclass(frozen=True)
class PairedScores:
    """Two wordings on the same recordings.

    Attributes:
        score: name of the score. before, after: each with its patient-bootstrap interval.
        difference: after minus before, with the interval of the same resamples.
        p_value: two-sided sign-flip test over patients.
        n, patients, positives, positive_patients: recordings, patients, and those with the sign.
    """

    score: str
    before: Estimate
    after: Estimate
    difference: Estimate
    p_value: float
    n: int
    patients: int
    positives: int
    positive_patients: int


def paired_scores(
    examples: Sequence[Example], before: Answers, after: Answers, *, score: str = "f1", seed: int = 0
) -> PairedScores:
    """Compare two wordings' answers about the same recordings.

    Args:
        examples: recordings of one feature.
        before, after: recording answers by video id.
        score: one of `semiology.metrics.classification.table_scores`.
        seed: of resamples and flips.

    Raises:
        ValueError: there are no recordings.
    """
    if not examples:
        raise ValueError(
            "two wordings cannot be compared on no recording → add recordings or choose other folds"
        )
    three = examples[0].feature in THREE_CLASSES
    first, second = (patient_tables(examples, answers) for answers in (before, after))

    def value(tables: Floats) -> Floats:
        return np.asarray(table_scores(tables, "wrong", three_classes=three)[score])

    rng = np.random.default_rng(seed)
    weights = patient_weights(len(first), RESAMPLES, rng)
    drawn = [value(np.einsum("bp,pij->bij", weights, tables)) for tables in (first, second)]
    points = [float(value(tables.sum(0))) for tables in (first, second)]
    sizes = _sizes(examples)
    estimates = [
        _estimate(point, resampled, sizes)
        for point, resampled in ((points[0], drawn[0]), (points[1], drawn[1]),
                                 (points[1] - points[0], drawn[1] - drawn[0]))
    ]  # fmt: skip
    p_value = _flip_test(first, second, value, rng)
    return PairedScores(score, *estimates, p_value, *sizes)


def patient_tables(examples: Sequence[Example], answers: Answers) -> Floats:
    """Return one counting table of truth and answer per patient, (P, 3, 4), patients sorted."""
    names = sorted({each.patient_id for each in examples})
    tables = np.zeros((len(names), len(TRUTHS), len(ANSWERS)))
    for each in examples:
        place = (
            names.index(each.patient_id),
            TRUTHS.index(each.truth),
            ANSWERS.index(answers[each.video_id]),
        )
        tables[place] += 1
    return tables


def _flip_test(
    first: Floats, second: Floats, value: Callable[[Floats], Floats], rng: np.random.Generator
) -> float:
    differing = np.flatnonzero((first != second).any((1, 2)))
    if len(differing) == 0:
        return 1.0
    if len(differing) <= EXACT:
        swaps = np.array(list(itertools.product((0.0, 1.0), repeat=len(differing))))
    else:
        swaps = rng.integers(0, 2, (FLIPS, len(differing))).astype(np.float64)
    change = (second - first)[differing].reshape(len(differing), -1)
    moved = (swaps @ change).reshape(-1, *first.shape[1:])
    observed = abs(float(value(second.sum(0))) - float(value(first.sum(0))))
    flipped = np.abs(value(second.sum(0) - moved) - value(first.sum(0) + moved))
    as_large = np.count_nonzero(np.nan_to_num(flipped) >= observed - 1e-12)
    exact = len(differing) <= EXACT
    return float(as_large / len(swaps)) if exact else float((as_large + 1) / (len(swaps) + 1))


def _sizes(examples: Sequence[Example]) -> tuple[int, int, int, int]:
    positive = [each for each in examples if each.truth == "yes"]
    patients = len({each.patient_id for each in examples})
    return len(examples), patients, len(positive), len({each.patient_id for each in positive})


def _estimate(point: float, resampled: Floats, sizes: tuple[int, int, int, int]) -> Estimate:
    n, patients, _, positive_patients = sizes
    if positive_patients < MIN_POSITIVE_PATIENTS:
        reason = f"positives come from {positive_patients} patients, fewer than {MIN_POSITIVE_PATIENTS}"
        return not_estimable(point, BOOTSTRAP, n, patients, reason)
    return bootstrap_estimate(point, resampled, n=n, n_patients=patients)
