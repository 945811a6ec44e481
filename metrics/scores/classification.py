"""Scores of yes/no answers against expert truth, on counting tables of any leading shape.

Every function takes counts and returns an array of the leading shape, so that one call scores 2,000 bootstrap
resamples of 20 features. A score whose denominator is empty is NaN ("undefined"), never a silent 0: the
published conventions with zeros are kept apart in `semiology.metrics.published`.

Positive is "yes". Recordings whose truth is ``na`` are not scored for yes/no features. Answers that are
neither yes
nor no fall under a policy: ``wrong`` (a miss if the feature is present, a false alarm if it is absent) or
``drop``. verbal_responsiveness has three classes (yes, no, na); its scores are plain means over the classes
found in the truth, and only unparsed answers fall under the policy.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, NamedTuple

import numpy as np

from semiology.metrics.scores.counts import NA, NO, UNPARSED, YES, Floats, confusion_table

Policy = Literal["wrong", "drop"]


class BinaryCounts(NamedTuple):
    """True and false positives and negatives, arrays of one shape."""

    tp: Floats
    fp: Floats
    fn: Floats
    tn: Floats


def binary_counts(table: Floats, policy: Policy = "wrong") -> BinaryCounts:
    """Return yes/no counts of tables ``(..., 3, 4)`` under a policy for other answers."""
    tp, fn = table[..., YES, YES], table[..., YES, NO]
    fp, tn = table[..., NO, YES], table[..., NO, NO]
    if policy == "wrong":
        fn = fn + table[..., YES, NA] + table[..., YES, UNPARSED]
        fp = fp + table[..., NO, NA] + table[..., NO, UNPARSED]
    return BinaryCounts(tp, fp, fn, tn)


def class_counts(table: Floats, policy: Policy = "wrong") -> BinaryCounts:
    """Return one-against-rest counts of the classes yes, no, na, shape ``(..., 3)``.

    An unparsed answer counted as wrong is a miss of its true class and a false alarm of none.
    """
    parsed = table[..., :3]
    truth = (table if policy == "wrong" else parsed).sum(-1)
    tp = np.diagonal(parsed, axis1=-2, axis2=-1)
    fp, fn = parsed.sum(-2) - tp, truth - tp
    return BinaryCounts(tp, fp, fn, truth.sum(-1)[..., None] - tp - fp - fn)


def ratio(part: Floats, whole: Floats) -> Floats:
    """Return ``part / whole``, NaN where ``whole`` is 0."""
    part, whole = np.broadcast_arrays(np.asarray(part, dtype=np.float64), np.asarray(whole, dtype=np.float64))
    result: Floats = np.full(whole.shape, np.nan)
    return np.divide(part, whole, out=result, where=whole > 0)


def precision(c: BinaryCounts) -> Floats:
    """Return tp / (tp + fp); NaN if nothing was answered yes."""
    return ratio(c.tp, c.tp + c.fp)


def recall(c: BinaryCounts) -> Floats:
    """Return tp / (tp + fn), the sensitivity; NaN if the feature is never present."""
    return ratio(c.tp, c.tp + c.fn)


def specificity(c: BinaryCounts) -> Floats:
    """Return tn / (tn + fp); NaN if the feature is always present."""
    return ratio(c.tn, c.tn + c.fp)


def f1(c: BinaryCounts) -> Floats:
    """Return 2 tp / (2 tp + fp + fn); NaN if the feature is never present: no answer could be right."""
    return np.where(c.tp + c.fn > 0, ratio(2 * c.tp, 2 * c.tp + c.fp + c.fn), np.nan)


def accuracy(c: BinaryCounts) -> Floats:
    """Return the share of right answers; NaN without recordings."""
    return ratio(c.tp + c.tn, c.tp + c.fp + c.fn + c.tn)


def balanced_accuracy(c: BinaryCounts) -> Floats:
    """Return the mean of recall and specificity; NaN if the truth holds one class only. Chance is 0.5."""
    return (recall(c) + specificity(c)) / 2


def prevalence(c: BinaryCounts) -> Floats:
    """Return the share of scored recordings that show the feature."""
    return ratio(c.tp + c.fn, c.tp + c.fp + c.fn + c.tn)


def mcc(c: BinaryCounts) -> Floats:
    """Return Matthews' correlation of truth and answer, -1 to 1.

    0 for a constant answer (it carries no information); NaN if the truth itself holds one class only.
    """
    truth = (c.tp + c.fn) * (c.tn + c.fp)
    answered = (c.tp + c.fp) * (c.tn + c.fn)
    value = ratio(c.tp * c.tn - c.fp * c.fn, np.sqrt(truth * answered))
    return np.where(truth > 0, np.nan_to_num(value), np.nan)


def cohen_kappa(c: BinaryCounts) -> Floats:
    """Return Cohen's kappa of truth and answer; NaN if the truth holds one class only."""
    n = c.tp + c.fp + c.fn + c.tn
    chance = ratio((c.tp + c.fn) * (c.tp + c.fp) + (c.tn + c.fp) * (c.tn + c.fn), n * n)
    varied = (c.tp + c.fn > 0) & (c.tn + c.fp > 0)
    return np.where(varied, ratio(accuracy(c) - chance, 1 - chance), np.nan)


def always_yes_f1(c: BinaryCounts) -> Floats:
    """Return the F1 of always answering yes: 2 p / (1 + p) at prevalence p; NaN if p is 0."""
    positive, n = c.tp + c.fn, c.tp + c.fp + c.fn + c.tn
    return np.where(positive > 0, ratio(2 * positive, positive + n), np.nan)


def always_no_f1(c: BinaryCounts) -> Floats:
    """Return the F1 of answering no throughout: 0, or NaN if the feature is never present."""
    return np.where(c.tp + c.fn > 0, 0.0, np.nan)


def random_f1(c: BinaryCounts) -> Floats:
    """Return the F1 of a guess that says yes as often as the feature occurs: precision = recall = prevalence."""
    return np.where(c.tp + c.fn > 0, prevalence(c), np.nan)


def rates(table: Floats, policy: Policy, *, three_classes: bool = False) -> dict[str, Floats]:
    """Return yes_rate, unparsed_rate and na_rate of the answers.

    yes_rate is over the recordings scored under the policy, so that it compares with the prevalence; the
    other two are over all recordings with a truth that can be scored, whatever the policy.
    """
    truths = 3 if three_classes else 2
    asked = table[..., :truths, :]
    columns = 4 if policy == "wrong" else (3 if three_classes else 2)
    total = asked.sum((-2, -1))
    return {
        "yes_rate": ratio(asked[..., YES].sum(-1), asked[..., :columns].sum((-2, -1))),
        "unparsed_rate": ratio(asked[..., UNPARSED].sum(-1), total),
        "na_rate": ratio(asked[..., NA].sum(-1), total),
    }


def binary_table_scores(table: Floats, policy: Policy = "wrong") -> dict[str, Floats]:
    """Return every yes/no score of tables ``(..., 3, 4)``, each of the leading shape."""
    c = binary_counts(np.asarray(table, dtype=np.float64), policy)
    measures = (precision, recall, f1, accuracy, specificity, balanced_accuracy, mcc, prevalence)
    extra = (always_yes_f1, always_no_f1, random_f1)
    scores = {measure.__name__: measure(c) for measure in (*measures, *extra)}
    scores["kappa"] = cohen_kappa(c)
    scores["f1_minus_always_yes"] = scores["f1"] - scores["always_yes_f1"]
    return scores | rates(table, policy)


def three_class_table_scores(table: Floats, policy: Policy = "wrong") -> dict[str, Floats]:
    """Return the same scores for yes/no/na, as plain means over the classes found in the truth.

    Balanced accuracy is the mean recall (chance: one over the number of classes), MCC is Gorodkin's R_K and
    kappa is Cohen's, both with unparsed as one more answer. A class of the truth that was never answered has
    precision 0.
    """
    table = np.asarray(table, dtype=np.float64)
    c = class_counts(table, policy)
    present = c.tp + c.fn > 0
    positives, n = c.tp + c.fn, (c.tp + c.fp + c.fn + c.tn)[..., 0]
    share = ratio(positives, n[..., None])
    mean_recall = _mean_where(recall(c), present)
    scores = {
        "precision": _mean_where(precision(c), present),
        "recall": mean_recall,
        "f1": _mean_where(f1(c), present),
        "accuracy": ratio(c.tp.sum(-1), n),
        "specificity": _mean_where(specificity(c), present),
        "balanced_accuracy": mean_recall,
        "prevalence": share[..., YES],
        "always_yes_f1": ratio(ratio(2 * positives[..., YES], positives[..., YES] + n), present.sum(-1)),
        "always_no_f1": ratio(ratio(2 * positives[..., NO], positives[..., NO] + n), present.sum(-1)),
        "random_f1": _mean_where(share, present),
    }
    scores["mcc"], scores["kappa"] = _multiclass_agreement(table, policy)
    scores["f1_minus_always_yes"] = scores["f1"] - scores["always_yes_f1"]
    return scores | rates(table, policy, three_classes=True)


def table_scores(
    table: Floats, policy: Policy = "wrong", *, three_classes: bool = False
) -> dict[str, Floats]:
    """Return all scores of tables ``(..., 3, 4)`` as yes/no or as yes/no/na."""
    return three_class_table_scores(table, policy) if three_classes else binary_table_scores(table, policy)


def binary_scores(truth: Sequence[Any], answer: Sequence[Any], policy: Policy = "wrong") -> dict[str, float]:
    """Return every yes/no score of two aligned lists of words, plus n (recordings scored) and n_na_truth.

    Raises:
        ValueError: lengths differ, or a value is outside its vocabulary.
    """
    table = confusion_table(truth, answer).astype(np.float64)
    scores = {name: float(value) for name, value in binary_table_scores(table, policy).items()}
    scores["n"] = float(sum(binary_counts(table, policy)))
    scores["n_na_truth"] = float(table[NA].sum())
    return scores


def _mean_where(values: Floats, present: np.ndarray[Any, np.dtype[np.bool_]]) -> Floats:
    return ratio(np.where(present, np.nan_to_num(values), 0.0).sum(-1), present.sum(-1))


def _multiclass_agreement(table: Floats, policy: Policy) -> tuple[Floats, Floats]:
    """Return R_K and kappa of truth against answers; NaN if the truth holds one class only."""
    counted = table if policy == "wrong" else table[..., :3]
    n, truth = counted.sum((-2, -1)), counted.sum(-1)
    answered = counted.sum(-2)
    right = np.diagonal(table[..., :3], axis1=-2, axis2=-1).sum(-1)
    expected = (truth * answered[..., :3]).sum(-1)
    spread_truth, spread_answer = n * n - (truth**2).sum(-1), n * n - (answered**2).sum(-1)
    correlation = np.nan_to_num(ratio(right * n - expected, np.sqrt(spread_truth * spread_answer)))
    kappa = ratio(right * n - expected, n * n - expected)
    varied = spread_truth > 0
    return np.where(varied, correlation, np.nan), np.where(varied, kappa, np.nan)
