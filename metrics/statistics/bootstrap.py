"""Patient-clustered estimates of means, shares and table scores, from one value or table per recording.

Thin wrappers that bring the scores of S3 tasks 2-7 to `semiology.metrics.statistics.intervals`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from semiology.metrics.arrays import Codes, Floats
from semiology.metrics.coverage import AnswerCounts
from semiology.metrics.statistics.intervals import (
    BOOTSTRAP,
    MIN_POSITIVE_PATIENTS,
    RESAMPLES,
    Estimate,
    bootstrap_estimate,
    few_patients,
    not_estimable,
    patient_weights,
    proportion_estimate,
    resampled_tables,
)


@dataclass(frozen=True)
class TaskScores:
    """Scores of one question put to one model, each with a patient-clustered interval or the reason why it has none.

    ``baselines`` are, by name, what trivial answers (a constant, a random order) score on the same recordings.
    """

    estimates: Mapping[str, Estimate]
    baselines: Mapping[str, float]
    counts: AnswerCounts


class PatientSums:
    """What the recordings of each patient add up to: the sums of any number of resamples are one product."""

    def __init__(self, parts: Mapping[str, Floats], patient: Codes, n_patients: int) -> None:
        """Sum over each patient's recordings.

        ``parts`` has by name what each recording adds, shape (n,) or (n, k); ``patient`` each one's patient, (n,).
        """
        columns = [np.asarray(part, dtype=np.float64).reshape(len(patient), -1) for part in parts.values()]
        ends = np.cumsum([column.shape[1] for column in columns])
        self._places = dict(zip(parts, np.split(np.arange(ends[-1]), ends[:-1]), strict=True))
        self._plain = {name for name, part in parts.items() if np.ndim(part) == 1}
        self._sums = np.zeros((n_patients, int(ends[-1])))
        np.add.at(self._sums, patient, np.concatenate(columns, axis=1))

    def drawn(self, weights: Floats) -> dict[str, Floats]:
        """Return the sums by name for patient weights (B, P), each (B,) or (B, k)."""
        summed = weights @ self._sums
        return {
            name: summed[:, place[0]] if name in self._plain else summed[:, place]
            for name, place in self._places.items()
        }


def patient_codes(patients: Sequence[Any]) -> tuple[Codes, int]:
    """Return the position of each recording's patient in sorted order, and the number of patients."""
    names, codes = np.unique(np.asarray([str(patient) for patient in patients]), return_inverse=True)
    return codes.astype(np.int64), len(names)


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
        patients: patient of each recording; fewer than 10 give an interval with a caution.
        resamples, seed: of the draws of patients.

    Raises:
        ValueError: the lengths differ.

    >>> found = mean_estimate([0.5, 1.0, 0.0, 0.25] * 5, [f"p{i // 2}" for i in range(20)], resamples=200)
    >>> found.value, found.n, found.n_patients
    (0.4375, 20, 10)
    """
    sums, counts = _per_patient(np.asarray(values, dtype=np.float64), patients)
    n, clusters = int(counts.sum()), len(counts)
    if n == 0:
        return not_estimable(float("nan"), BOOTSTRAP, 0, 0, "no recording to score")
    weights = patient_weights(clusters, resamples, np.random.default_rng(seed))
    drawn = (weights @ sums) / (weights @ counts)
    value = float(sums.sum() / n)
    return bootstrap_estimate(value, drawn, n=n, n_patients=clusters, caution=few_patients(clusters))


def pooled_estimate(
    parts: Mapping[str, Floats],
    patients: Sequence[Any],
    score: Callable[[Mapping[str, Floats]], Floats],
    *,
    resamples: int = RESAMPLES,
    seed: int = 0,
    undefined: str = "no recording shows the feature",
) -> Estimate:
    """Return a score of a whole collection, such as BLEU or alpha, with its patient-bootstrap interval.

    Args:
        parts: by name what each recording adds to the collection, shape (n,) or (n, k).
        patients: patient of each recording; fewer than 10 give an interval with a caution.
        score: from the sums over collections by name, (B,) or (B, k), to their scores, (B,).
        resamples, seed: of the draws of patients.
        undefined: why there is no score where there is none.

    Raises:
        ValueError: the lengths differ.
    """
    n = len(patients)
    lengths = {len(part) for part in parts.values()}
    if lengths != {n}:
        raise ValueError(f"{lengths} rows and {n} patients → give one patient per row")
    if not n:
        return not_estimable(float("nan"), BOOTSTRAP, 0, 0, "no recording to score")
    codes, clusters = patient_codes(patients)
    sums = PatientSums(parts, codes, clusters)
    value = float(score(sums.drawn(np.ones((1, clusters))))[0])
    drawn = score(sums.drawn(patient_weights(clusters, resamples, np.random.default_rng(seed))))
    return bootstrap_estimate(
        value, drawn, n=n, n_patients=clusters, caution=few_patients(clusters), undefined=undefined
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
    """Return every score of counting tables, (P, classes of the truth, answers), with its patient-bootstrap interval.

    ``scores`` turns tables (B, classes, answers) into scores by name, each (B,). With two classes of the truth every
    score but accuracy rests on both, so one seen in fewer than 10 patients withdraws the intervals; with more classes
    it gives a caution, since rare ones are the rule.
    """
    weights = patient_weights(len(tables), resamples, np.random.default_rng(seed))
    drawn = scores(resampled_tables(tables, weights))
    point = scores(tables.sum(0)[None])
    per_class = (tables.sum(-1) > 0).sum(0)
    scarce = int(per_class.min())
    few = scarce < MIN_POSITIVE_PATIENTS
    binary = tables.shape[1] == 2
    reason = f"the rarest true class is seen in {scarce} patients, fewer than {MIN_POSITIVE_PATIENTS}"
    n, clusters = int(tables.sum()), int((tables.sum((1, 2)) > 0).sum())
    estimates = {}
    for name, values in point.items():
        estimates[name] = bootstrap_estimate(
            float(values[0]),
            drawn[name],
            n=n,
            n_patients=clusters,
            caution=reason if few else None,
            withheld=reason if few and binary and name != "accuracy" else None,
        )
    return estimates


def _per_patient(values: Floats, patients: Sequence[Any]) -> tuple[Floats, Floats]:
    """Return sums and counts of the defined values of each patient that has any, in sorted order."""
    if len(values) != len(patients):
        raise ValueError(f"{len(values)} values and {len(patients)} patients → give one patient per value")
    defined = ~np.isnan(values)
    codes, _ = patient_codes([patient for patient, kept in zip(patients, defined, strict=True) if kept])
    return np.bincount(codes, weights=values[defined]).astype(np.float64), np.bincount(codes).astype(
        np.float64
    )
