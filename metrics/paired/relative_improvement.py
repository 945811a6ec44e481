"""By how much a model is better than another over tasks of different kinds: the mean relative change of their measures.

Each task has one measure (a mean over its items, such as features). A relative change is how much better the second
model's is, divided by the first's, so that errors count the other way round. The interval is that of leaving out each
patient, of every task at once. A relative change of a measure near 0 is large whatever it is worth.

Source: arXiv 2605.21852, Table 3 ("Improvement_Ave", over all tasks but task 3).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from semiology.metrics.arrays import Floats, mean_defined, ratio
from semiology.metrics.published_rules import published_table_scores
from semiology.metrics.statistics.intervals import Estimate, effective_patients, few_patients
from semiology.metrics.statistics.jackknife import jackknife_estimate


@dataclass(frozen=True)
class LeftOut:
    """A score over all patients, and over all but each one of a list of patients, shape (P,)."""

    value: float
    without: Floats


def class_f1(
    truth: Sequence[str],
    answer: Sequence[str],
    patients: Sequence[str],
    every: Sequence[str],
    positive: str | None,
) -> LeftOut:
    """Return F1 of a class, or its plain mean over all classes seen, by the published rule (0 where undefined).

    Args:
        truth, answer, patients: of the rows that count, each with a class.
        every: the patients to leave out.
        positive: the class, or None for all.
    """
    if not truth:
        return LeftOut(float("nan"), np.full(len(every), np.nan))
    labels = sorted({*truth, *answer, *([positive] if positive else [])})
    place, at = {label: i for i, label in enumerate(labels)}, {name: i for i, name in enumerate(every)}
    tables = np.zeros((len(every), len(labels), len(labels)))
    for true, said, patient in zip(truth, answer, patients, strict=True):
        tables[at[patient], place[true], place[said]] += 1
    total = tables.sum(0)
    index = None if positive is None else place[positive]
    f1 = published_table_scores(np.concatenate([total[None], total - tables]), index)["f1"]
    return LeftOut(float(f1[0]), np.asarray(f1[1:]))


def mean_value(values: Sequence[float], patients: Sequence[str], every: Sequence[str]) -> LeftOut:
    """Return the mean of the values that are defined (not NaN); arguments as for `class_f1`."""
    known = np.array(values, dtype=np.float64)
    kept = ~np.isnan(known)
    at = {name: i for i, name in enumerate(every)}
    owners = np.array([at[name] for name in patients], dtype=np.int64)[kept]
    sums, counts = (
        np.bincount(owners, weights=weights, minlength=len(every))
        for weights in (known[kept], np.ones(kept.sum()))
    )
    whole = float(known[kept].mean()) if kept.any() else float("nan")
    return LeftOut(whole, ratio(sums.sum() - sums, counts.sum() - counts))


def mean_of_items(items: Sequence[LeftOut]) -> LeftOut:
    """Return the plain mean over items; those that are not defined are left out."""
    without = mean_defined(np.stack([each.without for each in items], axis=-1))
    return LeftOut(float(mean_defined([each.value for each in items])), np.asarray(without))


def relative_change(base: LeftOut, other: LeftOut, *, less_is_better: bool = False) -> LeftOut:
    """Return how much better another score is, as a share of the base; NaN where the base is 0.

    >>> mae = [LeftOut(value, np.array([value])) for value in (25.5, 20.02)]
    >>> round(relative_change(*mae, less_is_better=True).value, 3)
    0.215
    """
    sign = -1.0 if less_is_better else 1.0
    value = ratio(np.array([sign * (other.value - base.value)]), np.array([base.value]))
    return LeftOut(float(value[0]), ratio(sign * (other.without - base.without), base.without))


def mean_change(changes: Sequence[LeftOut], weights: Floats) -> Estimate:
    """Return the mean of relative changes with the interval of leaving out each patient.

    Args:
        changes: of each task. weights: questions behind them by patient, shape (P,).
    """
    mean = mean_of_items(changes)
    asked = weights > 0
    return jackknife_estimate(
        mean.value,
        mean.without[asked],
        effective=effective_patients(weights[asked]),
        n=int(weights.sum()),
        n_patients=int(asked.sum()),
        caution=few_patients(int(asked.sum())),
        undefined="no task has a measure of both that is not 0 for the base",
    )
