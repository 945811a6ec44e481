"""Which of nine activities a video shows: accuracy, class scores, confusion with ``none``, controls against stroke.

Source: arXiv 2511.17727 and its public notebooks; the tests between groups are scipy's and statsmodels'.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from scipy.stats import chi2_contingency, fisher_exact
from sklearn.metrics import precision_recall_fscore_support
from statsmodels.stats.multitest import multipletests

from semiology.metrics.scores.counts import class_table
from semiology.strokerehab import ACTIVITIES

NONE = "none"
"""The column of answers that name none of the nine."""
MEASURES = ("precision", "recall", "f1", "support")


class GroupTest(NamedTuple):
    """Accuracy of controls and stroke subjects, and whether they differ.

    ``p`` is Fisher's exact test where an observed cell is under 5, else the chi-square test without correction;
    ``p_holm`` is adjusted over the activities, NaN for all of them together.
    """

    n_control: int
    accuracy_control: float
    n_stroke: int
    accuracy_stroke: float
    p: float
    p_holm: float


def accuracy(truth: Sequence[str], answer: Sequence[str]) -> float:
    """Return the share of right answers; NaN without a video."""
    return float(np.mean([t == a for t, a in zip(truth, answer, strict=True)])) if len(truth) else math.nan


def majority_accuracy(truth: Sequence[str]) -> float:
    """Return the accuracy of always naming the commonest activity; NaN without a video."""
    return max(list(truth).count(name) for name in set(truth)) / len(truth) if len(truth) else math.nan


def class_scores(
    truth: Sequence[str], answer: Sequence[str], *, always: Sequence[str] = ()
) -> dict[str, dict[str, float]]:
    """Return precision, recall, F1 and support by class, and their plain and weighted means.

    Args:
        truth, answer: activities, or ``none``.
        always: classes that have a row, and count in the plain mean, even where they are neither true nor answered.

    Classes are those seen in truth or answers, ``none`` included, as scikit-learn's ``classification_report`` gives
    them with an undefined ratio as 0; the plain mean is therefore over ten classes where ``none`` was answered.
    """
    labels = sorted({*truth, *answer, *always})
    found = {}
    for average, names in ((None, labels), ("macro", ["macro avg"]), ("weighted", ["weighted avg"])):
        values = precision_recall_fscore_support(
            truth, answer, labels=labels, average=average, zero_division=0
        )
        columns = [np.atleast_1d(np.asarray(value, dtype=float)) for value in values[:3]]
        support = np.atleast_1d(values[3]) if average is None else np.array([len(truth)])
        for place, name in enumerate(names):
            found[name] = dict(zip(MEASURES, (*(c[place] for c in columns), support[place]), strict=True))
    return {name: {key: float(value) for key, value in row.items()} for name, row in found.items()}


def macro_f1(truth: Sequence[str], answer: Sequence[str]) -> float:
    """Return the mean F1 over the activities that are in the truth; an answer ``none`` is a miss, not a class."""
    found = class_scores(truth, answer)
    values = [found[name]["f1"] for name in sorted(set(truth))]
    return float(np.mean(values)) if values else math.nan


def confusion(truth: Sequence[str], answer: Sequence[str]) -> dict[tuple[str, str], int]:
    """Return how often each true activity was answered as each activity or ``none``.

    Raises:
        ValueError: a truth is no activity, or an answer neither one nor ``none``.
    """
    labels = [*ACTIVITIES, NONE]
    table = class_table(list(truth), list(answer), labels)
    return {
        (true, given): int(table[row, column])
        for row, true in enumerate(ACTIVITIES)
        for column, given in enumerate(labels)
    }


def control_against_stroke(
    truth: Sequence[str], answer: Sequence[str], control: Sequence[bool]
) -> Mapping[str, GroupTest]:
    """Return the comparison of groups by activity and ``overall``; activities that a group lacks are left out.

    Args:
        truth, answer: activities of each video.
        control: whether the subject is a control.
    """
    rows = list(zip(truth, answer, control, strict=True))
    tests: dict[str, tuple[int, float, int, float, float]] = {}
    for name in (*ACTIVITIES, "overall"):
        chosen = [row for row in rows if name in ("overall", row[0])]
        counts = [[0, 0], [0, 0]]
        for true, given, is_control in chosen:
            counts[0 if is_control else 1][0 if true == given else 1] += 1
        n_control, n_stroke = sum(counts[0]), sum(counts[1])
        if n_control and n_stroke:
            p = group_p_value(counts)
            tests[name] = (n_control, counts[0][0] / n_control, n_stroke, counts[1][0] / n_stroke, p)
    activities = [name for name in tests if name != "overall"]
    adjusted = multipletests([tests[name][4] for name in activities], method="holm")[1] if activities else []
    holm = dict(zip(activities, map(float, adjusted), strict=True))
    return {name: GroupTest(*row, holm.get(name, math.nan)) for name, row in tests.items()}


def group_p_value(counts: Sequence[Sequence[int]]) -> float:
    """Return the p-value of a 2 x 2 table; 1 where all answers are right, or all wrong.

    Args:
        counts: right and wrong answers of each of two groups.
    """
    table = np.asarray(counts)
    if (table < 5).any():
        return float(fisher_exact(table).pvalue)
    return float(chi2_contingency(table, correction=False).pvalue)
