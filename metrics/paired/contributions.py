"""What each patient contributes to the difference of a score between two conditions.

A sign-flip test that exchanges all answers of a patient asks whether two conditions are alike in every
respect. Two models of equal balanced accuracy, one of which says yes far more often, are not; yet such a test
then rejects in 1 to 4 % instead of 5 % of studies, and misses real differences. What is not in question is
therefore taken out first: each class of the truth keeps its own difference of recall (each side its own F1),
and only the common part that the null hypothesis denies remains.

So a patient's contribution is the change of the difference when the patient is left out, plus the patient's
share of the difference itself. Leaving out, as in the jackknife, keeps large patients from looking calmer
than they are. Signs are drawn for such contributions in the wild cluster bootstrap (Cameron, Gelbach and
Miller, Review of Economics and Statistics 90 (2008) 414; MacKinnon, Nielsen and Webb, Journal of Applied
Econometrics 38 (2023) 671). `benchmarks/error_rates/paired_tests_error.py` measures the rate of false positives.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from semiology.metrics.arrays import Floats
from semiology.metrics.paired.tables import PairedTables
from semiology.metrics.scores.aggregation import THREE_CLASSES
from semiology.metrics.scores.classification import binary_counts, class_counts
from semiology.metrics.scores.counts import NA, NO, YES

_WHOLE = 1 - 1e-12


class _Parts(NamedTuple):
    """Numerator and denominator of one class for each patient, arrays (P, K)."""

    part: Floats
    whole: Floats


def contributions(tables: PairedTables, measure: str, target: Floats) -> Floats:
    """Return what each patient contributes to the difference second minus first of a measure, shape (P, F).

    ``target`` is the difference that the contributions of each feature stand for, shape (F,): the feature's own, or the
    macro difference when that is tested. Contributions to accuracy are plain differences, since nothing has to be taken
    out, and ignore it. NaN columns where a feature's target is undefined.

    Raises:
        KeyError: the measure is not ``balanced_accuracy``, ``f1`` or ``accuracy``.
    """
    make = {"balanced_accuracy": _of_recall, "f1": _of_f1, "accuracy": _of_accuracy}[measure]
    result: Floats = np.full((len(tables.patients), len(tables.features)), np.nan)
    for i, name in enumerate(tables.features):
        if not np.isnan(target[i]):
            three = name in THREE_CLASSES
            result[:, i] = make(tables.first[:, i], tables.second[:, i], three, float(target[i]))
    return result


def between_groups(inside: Floats, outside: Floats, three: bool, target: float) -> Floats:
    """Return what each patient contributes to the balanced accuracy of one group of recordings minus another's, (P,).

    A patient may have recordings in both. Each class keeps the recall that it has in its own group, as above.

    Args:
        inside, outside: tables of truth against answer of one feature, (P, 3, C); columns that are not scored left out.
        three: whether ``na`` is a class. target: the difference that the contributions stand for.
    """
    rows = [YES, NO, NA] if three else [YES, NO]
    rows = [row for row in rows if inside[:, row].sum() and outside[:, row].sum()]
    own: list[Floats] = []
    for table, half in ((inside, target / 2), (outside, -target / 2)):
        whole = table[:, rows].sum(-1)
        rest = _without_mean(_Parts(table[:, rows, rows], whole))
        own.append(np.asarray((rest + half * whole) / whole.sum(0)))
    return np.asarray((own[0] - own[1]).mean(1))


def _of_recall(first: Floats, second: Floats, three: bool, target: float) -> Floats:
    rows = [YES, NO, 2] if three else [YES, NO]
    whole = first[:, rows].sum(-1)
    rows = [row for row, count in zip(rows, whole.sum(0), strict=True) if count]
    whole = first[:, rows].sum(-1)
    gain = (second - first)[:, rows, rows]
    rest = _without_mean(_Parts(gain, whole))
    return np.asarray(((rest + target * whole) / whole.sum(0)).mean(1))


def _of_f1(first: Floats, second: Floats, three: bool, target: float) -> Floats:
    a, b = _f1_parts(first, three), _f1_parts(second, three)
    below = (_without_mean(a) - target / 2 * a.whole) / a.whole.sum(0)
    above = (_without_mean(b) + target / 2 * b.whole) / b.whole.sum(0)
    return np.asarray((above - below).mean(1))


def _of_accuracy(first: Floats, second: Floats, three: bool, target: float) -> Floats:
    rows = [YES, NO, 2] if three else [YES, NO]
    gain = (second - first)[:, rows, rows].sum(1)
    return np.asarray(gain / first[:, rows].sum())


def _f1_parts(table: Floats, three: bool) -> _Parts:
    if three:
        counts = class_counts(table)
        tp, fp, fn = counts.tp, counts.fp, counts.fn
        present = (tp + fn).sum(0) > 0
        tp, fp, fn = tp[:, present], fp[:, present], fn[:, present]
    else:
        binary = binary_counts(table)
        tp, fp, fn = binary.tp[:, None], binary.fp[:, None], binary.fn[:, None]
    return _Parts(2 * tp, 2 * tp + fp + fn)


def _without_mean(parts: _Parts) -> Floats:
    """Return each patient's deviation from the ratio of all, divided by one minus the patient's share."""
    total = parts.whole.sum(0)
    rest = parts.part - parts.part.sum(0) / total * parts.whole
    share = parts.whole / total
    # A patient who holds all recordings of a class has no deviation to enlarge.
    return np.where(share < _WHOLE, rest / np.maximum(1 - share, 1 - _WHOLE), 0.0)
