"""Scores of yes/no answers against expert truth, on counting tables of any leading shape.

Every function takes counts and returns an array of the leading shape, so that one call scores 2,000 bootstrap
resamples of 20 features. A score whose denominator is empty is NaN ("undefined"), never a silent 0: the
published conventions with zeros are kept apart in `semiology.metrics.published_rules`. scikit-learn's functions
take lists of labels, one data set a call, which is far too slow for resamples; the tests hold every score here
against theirs.

Yes/no features have tables (..., 3, 4), see `counts`. Positive is "yes". Recordings whose truth is ``na`` are not
scored. Answers that are neither yes nor no fall under a policy, ``wrong`` or ``drop``. Wrong means, of any number of
classes, that the recording is not recognised: a miss of its true class, so that recall, specificity and their mean
suffer, and in F1 and precision a false alarm if the feature is absent. In MCC and kappa they are a third answer, which
agrees with nothing and contradicts nothing: a model whose replies cannot be read has an MCC of 0, not -1.
verbal_responsiveness has three classes (yes, no, na), and other
questions have classes of their own (`counts.class_table`): their scores are plain means over the classes found in
the truth, and only unparsed answers, in the last column, fall under the policy.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, NamedTuple

import numpy as np

from semiology.metrics.arrays import Bools, Floats, mean_defined, ratio
from semiology.metrics.scores.aggregation import THREE_CLASSES
from semiology.metrics.scores.counts import NA, NO, UNPARSED, YES, confusion_table

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
    """Return one-against-rest counts of the k classes of tables ``(..., k, k + 1)``, each of shape ``(..., k)``.

    An unparsed answer counted as wrong is a miss of its true class and a false alarm of none.
    """
    parsed = table[..., : table.shape[-2]]
    truth = (table if policy == "wrong" else parsed).sum(-1)
    tp = np.diagonal(parsed, axis1=-2, axis2=-1)
    fp, fn = parsed.sum(-2) - tp, truth - tp
    return BinaryCounts(tp, fp, fn, truth.sum(-1)[..., None] - tp - fp - fn)


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


def kappa_of_tables(tables: Floats) -> Floats:
    """Return Cohen's kappa of tables ``(..., k, m)`` of two raters, the first k columns being the k rows' classes.

    NaN without items, or if both used one and the same class throughout: nothing is then beyond chance.
    """
    k, n = tables.shape[-2], tables.sum((-2, -1))
    right = np.diagonal(tables[..., :k], axis1=-2, axis2=-1).sum(-1)
    expected = (tables.sum(-1) * tables.sum(-2)[..., :k]).sum(-1)
    return ratio(right * n - expected, n * n - expected)


def agreement_with_truth(tables: Floats) -> tuple[Floats, Floats]:
    """Return Gorodkin's R_K (MCC where there are two classes) and Cohen's kappa of tables ``(..., k, m)``.

    Further columns than k are further answers. R_K is 0 for a constant answer, which carries no information. Both are
    NaN if the truth holds one class only.

    Source: Gorodkin, Computational Biology and Chemistry 28 (2004) 367, for R_K.
    """
    k, n, truth, answered = tables.shape[-2], tables.sum((-2, -1)), tables.sum(-1), tables.sum(-2)
    covariance = np.diagonal(tables[..., :k], axis1=-2, axis2=-1).sum(-1) * n
    covariance = covariance - (truth * answered[..., :k]).sum(-1)
    spread_truth, spread_answer = n * n - (truth**2).sum(-1), n * n - (answered**2).sum(-1)
    correlation = np.nan_to_num(ratio(covariance, np.sqrt(spread_truth * spread_answer)))
    varied = spread_truth > 0
    return np.where(varied, correlation, np.nan), np.where(varied, kappa_of_tables(tables), np.nan)


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
    scored = asked if policy == "wrong" else asked[..., :truths]
    total = asked.sum((-2, -1))
    return {
        "yes_rate": ratio(asked[..., YES].sum(-1), scored.sum((-2, -1))),
        "unparsed_rate": ratio(asked[..., UNPARSED].sum(-1), total),
        "na_rate": ratio(asked[..., NA].sum(-1), total),
    }


def binary_table_scores(table: Floats, policy: Policy = "wrong") -> dict[str, Floats]:
    """Return every yes/no score of tables ``(..., 3, 4)``, each of the leading shape."""
    c = binary_counts(np.asarray(table, dtype=np.float64), policy)
    measures = (precision, recall, f1, accuracy, specificity, balanced_accuracy, prevalence)
    extra = (always_yes_f1, always_no_f1, random_f1)
    scores = {measure.__name__: measure(c) for measure in (*measures, *extra)}
    scores["mcc"], scores["kappa"] = agreement_with_truth(_answers_of_two(table, policy))
    scores["f1_minus_always_yes"] = scores["f1"] - scores["always_yes_f1"]
    return scores | rates(table, policy)


def macro_scores(table: Floats, policy: Policy = "wrong") -> dict[str, Floats]:
    """Return scores of tables ``(..., k, k + 1)`` as plain means over the classes found in the truth.

    precision, recall, f1 and specificity: a class of the truth that was never answered has precision 0; accuracy;
    mcc and kappa: see `agreement_with_truth`, with unparsed as one more answer. All NaN without recordings.
    """
    c = class_counts(table, policy)
    positives = c.tp + c.fn
    present = positives > 0
    correlation, kappa = agreement_with_truth(table if policy == "wrong" else table[..., : table.shape[-2]])
    means = {
        measure.__name__: _mean_where(measure(c), present) for measure in (precision, recall, f1, specificity)
    }
    return means | {"accuracy": ratio(c.tp.sum(-1), positives.sum(-1)), "mcc": correlation, "kappa": kappa}


def class_table_scores(tables: Floats) -> dict[str, Floats]:
    """Return the scores of a question with classes of its own, from tables ``(..., k, k + 1)``.

    accuracy; balanced_accuracy (mean recall), macro_precision, macro_f1 and mcc as in `macro_scores`.
    balanced_accuracy and mcc are NaN if the truth holds one class only.
    """
    tables = np.asarray(tables, dtype=np.float64)
    means = macro_scores(tables)
    varied = (tables.sum(-1) > 0).sum(-1) > 1
    return {
        "accuracy": means["accuracy"],
        "balanced_accuracy": np.where(varied, means["recall"], np.nan),
        "macro_precision": means["precision"],
        "macro_f1": means["f1"],
        "mcc": means["mcc"],
    }


def positive_class_scores(tables: Floats, positive: int) -> dict[str, Floats]:
    """Return precision, recall and f1 of one class of tables ``(..., k, k + 1)`` against the rest."""
    counts = class_counts(np.asarray(tables, dtype=np.float64))
    one = BinaryCounts(*(part[..., positive] for part in counts))
    return {"precision": precision(one), "recall": recall(one), "f1": f1(one)}


def three_class_table_scores(table: Floats, policy: Policy = "wrong") -> dict[str, Floats]:
    """Return the scores of `binary_table_scores` for yes/no/na: `macro_scores`, baselines and rates.

    Balanced accuracy is the mean recall; chance is one over the number of classes.
    """
    table = np.asarray(table, dtype=np.float64)
    scores, c = macro_scores(table, policy), class_counts(table, policy)
    positives = c.tp + c.fn
    present, n = positives > 0, positives.sum(-1)
    share = ratio(positives, n[..., None])
    constant = [
        ratio(ratio(2 * positives[..., i], positives[..., i] + n), present.sum(-1)) for i in (YES, NO)
    ]
    scores |= {
        "balanced_accuracy": scores["recall"].copy(),
        "prevalence": share[..., YES],
        "always_yes_f1": constant[YES],
        "always_no_f1": constant[NO],
        "random_f1": _mean_where(share, present),
        "f1_minus_always_yes": scores["f1"] - constant[YES],
    }
    return scores | rates(table, policy, three_classes=True)


def table_scores(
    table: Floats, policy: Policy = "wrong", *, three_classes: bool = False
) -> dict[str, Floats]:
    """Return all scores of tables ``(..., 3, 4)`` as yes/no or as yes/no/na."""
    return three_class_table_scores(table, policy) if three_classes else binary_table_scores(table, policy)


def feature_table_scores(
    tables: Floats, features: Sequence[str], policy: Policy = "wrong"
) -> dict[str, Floats]:
    """Return every score of tables ``(..., F, 3, 4)``, shape (..., F), over the classes that each feature has."""
    scores = binary_table_scores(tables, policy)
    for i, name in enumerate(features):
        if name in THREE_CLASSES:
            for key, values in three_class_table_scores(tables[..., i, :, :], policy).items():
                scores[key][..., i] = values
    return scores


def binary_scores(truth: Sequence[Any], answer: Sequence[Any], policy: Policy = "wrong") -> dict[str, float]:
    """Return every yes/no score of two aligned lists of words, plus n (recordings scored) and n_na_truth.

    Raises:
        ValueError: lengths differ, or a value is outside its vocabulary.

    >>> scores = binary_scores(["yes", "yes", "no", "no"], ["yes", "no", "no", "unparsed"])
    >>> scores["f1"], scores["specificity"], scores["unparsed_rate"]
    (0.5, 0.5, 0.25)
    """
    table = confusion_table(truth, answer).astype(np.float64)
    scores = {name: float(value) for name, value in binary_table_scores(table, policy).items()}
    scores["n"] = float(sum(binary_counts(table, policy)))
    scores["n_na_truth"] = float(table[NA].sum())
    return scores


def _mean_where(values: Floats, present: Bools) -> Floats:
    return mean_defined(np.where(present, np.nan_to_num(values), np.nan))


def _answers_of_two(table: Floats, policy: Policy) -> Floats:
    """Return the tables (..., 2, 3) of truth against yes, no and neither; (..., 2, 2) where neither is dropped."""
    table = np.asarray(table, dtype=np.float64)[..., :2, :]
    if policy == "drop":
        return table[..., :2]
    return np.concatenate([table[..., :2], table[..., 2:].sum(-1, keepdims=True)], axis=-1)
