"""Patient-clustered estimates of means, shares and table scores, from one value or table per recording.

Thin wrappers that bring the scores of S3 tasks 2-7 to `semiology.metrics.statistics.intervals`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from semiology.metrics.coverage import AnswerCounts
from semiology.metrics.scores.counts import Floats
from semiology.metrics.statistics.intervals import (
    BOOTSTRAP,
    MIN_POSITIVE_PATIENTS,
    RESAMPLES,
    Estimate,
    bootstrap_estimate,
    not_estimable,
    patient_weights,
    proportion_estimate,
)


@dataclass(frozen=True)
class TaskScores:
    """Scores of one question put to one model.

    Attributes:
        estimates: by name, each with a patient-clustered interval or the reason why it has none.
        baselines: by name, what an answer without any skill scores on the same recordings.
        counts: recordings asked, answered, unparsed and missing.
    """

    estimates: Mapping[str, Estimate]
    baselines: Mapping[str, float]
    counts: AnswerCounts


def mean_estimate(
    values: Sequence[float] | Floats,
    patients: Sequence[Any],
    *,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> Estimate:
    """Return the mean over recordings with its patient-bootstrap interval.

    Args:
        values: one score per recording; NaN (undefined for that recording) is left out.
        patients: patient of each recording.
        resamples, seed: of the draws of patients.

    Fewer than 10 patients give an interval with a caution.

    Raises:
        ValueError: the lengths differ.
    """
    sums, counts = _per_patient(np.asarray(values, dtype=np.float64), patients)
    n, clusters = int(counts.sum()), len(counts)
    if n == 0:
        return not_estimable(float("nan"), BOOTSTRAP, 0, 0, "no recording to score")
    weights = patient_weights(clusters, resamples, np.random.default_rng(seed))
    drawn = (weights @ sums) / (weights @ counts)
    caution = f"only {clusters} patients" if clusters < MIN_POSITIVE_PATIENTS else None
    value = float(sums.sum() / n)
    return bootstrap_estimate(value, drawn, n=n, n_patients=clusters, caution=caution)


def pooled_estimate(
    statistics: Floats,
    patients: Sequence[Any],
    score: Callable[[Floats], float],
    *,
    resamples: int = RESAMPLES,
    seed: int = 0,
    undefined: str = "no recording shows the feature",
) -> Estimate:
    """Return a score of a whole collection, such as BLEU, with its patient-bootstrap interval.

    Args:
        statistics: what a recording adds to the collection, shape (n, k).
        patients: patient of each recording.
        score: from the sums over a collection, shape (k,), to its score.
        resamples, seed: of the draws of patients.
        undefined: why there is no score where there is none.

    Fewer than 10 patients give an interval with a caution.

    Raises:
        ValueError: the lengths differ.
    """
    if len(statistics) != len(patients):
        raise ValueError(f"{len(statistics)} rows and {len(patients)} patients → give one patient per row")
    if not len(statistics):
        return not_estimable(float("nan"), BOOTSTRAP, 0, 0, "no recording to score")
    names, codes = np.unique(np.asarray([str(patient) for patient in patients]), return_inverse=True)
    sums = np.zeros((len(names), statistics.shape[1]))
    np.add.at(sums, codes, statistics)
    weights = patient_weights(len(names), resamples, np.random.default_rng(seed))
    drawn = np.array([score(row) for row in weights @ sums], dtype=np.float64)
    caution = f"only {len(names)} patients" if len(names) < MIN_POSITIVE_PATIENTS else None
    value = score(statistics.sum(0))
    return bootstrap_estimate(
        value, drawn, n=len(statistics), n_patients=len(names), caution=caution, undefined=undefined
    )


def share_estimate(hits: Sequence[float] | Floats, patients: Sequence[Any]) -> Estimate:
    """Return the share of recordings that hit (1 or 0; NaN left out) with its logit cluster-t interval."""
    sums, counts = _per_patient(np.asarray(hits, dtype=np.float64), patients)
    return proportion_estimate(sums, counts)


def table_estimates(
    tables: Floats,
    scores: Callable[[Floats], Mapping[str, Floats]],
    *,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> dict[str, Estimate]:
    """Return every score of counting tables with its patient-bootstrap interval.

    Args:
        tables: one counting table per patient, (P, classes of the truth, answers).
        scores: from tables (B, classes, answers) to scores by name, each (B,).

    With two classes of the truth every score but accuracy rests on both, so one seen in fewer than 10
    patients withdraws the intervals; with more classes it gives a caution, since rare ones are the rule.
    """
    # Not -1: a model without a single answer has no table.
    flat = tables.reshape(len(tables), tables.shape[1] * tables.shape[2])
    weights = patient_weights(len(tables), resamples, np.random.default_rng(seed))
    drawn = scores((weights @ flat).reshape(len(weights), *tables.shape[1:]))
    point = scores(tables.sum(0)[None])
    per_class = (tables.sum(-1) > 0).sum(0)
    scarce = int(per_class.min()) if len(per_class) else 0
    few = scarce < MIN_POSITIVE_PATIENTS
    binary = tables.shape[1] == 2
    reason = f"the rarest true class is seen in {scarce} patients, fewer than {MIN_POSITIVE_PATIENTS}"
    n, clusters = int(tables.sum()), int((tables.sum((1, 2)) > 0).sum())
    estimates = {}
    for name, values in point.items():
        value = float(values[0])
        if few and binary and name != "accuracy":
            estimates[name] = not_estimable(value, BOOTSTRAP, n, clusters, reason)
            continue
        caution = reason if few else None
        estimates[name] = bootstrap_estimate(value, drawn[name], n=n, n_patients=clusters, caution=caution)
    return estimates


def _per_patient(values: Floats, patients: Sequence[Any]) -> tuple[Floats, Floats]:
    """Return sums and counts of the defined values of each patient that has any, in sorted order."""
    if len(values) != len(patients):
        raise ValueError(f"{len(values)} values and {len(patients)} patients → give one patient per value")
    defined = ~np.isnan(values)
    names = np.asarray([str(patient) for patient in patients], dtype=object)[defined]
    if len(names) == 0:
        return np.zeros(0), np.zeros(0)
    _, codes = np.unique(names.astype(str), return_inverse=True)
    sums = np.bincount(codes, weights=values[defined]).astype(np.float64)
    return sums, np.bincount(codes).astype(np.float64)
