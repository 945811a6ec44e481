"""The scoring rules behind published tables, kept apart from our own so that both can be named.

They treat an empty denominator as 0 and silently leave out what is not a plain label; use them to reproduce
numbers. All are one rule on different labels: precision, recall and F1 of one class, or plain means over all
labels seen in truth or answers, as scikit-learn's ``precision_recall_fscore_support(..., zero_division=0)`` gives
them. They are computed from counting tables here, because the same lines then serve the resamples of an interval;
the tests hold them against scikit-learn's.

Source: arXiv 2605.21852, sections 3.2.3 and 3.2.7, Tables 1, 2, 13, 15, 19 and 21, and the metric files of its
public repository; Zhang et al., EMBC, Table IV.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from semiology.metrics.arrays import Floats, mean_defined, ratio
from semiology.metrics.s3.categorical import DIAGNOSIS, SIDE, Question, patient_class_tables
from semiology.metrics.scores.counts import class_table
from semiology.metrics.statistics.bootstrap import table_estimates
from semiology.metrics.statistics.intervals import BOOTSTRAP, RESAMPLES, Estimate, not_estimable

if TYPE_CHECKING:
    import pandas as pd

SCORES: tuple[str, ...] = ("precision", "recall", "f1", "accuracy")


def published_s3_task1_scores(
    truth: Sequence[str], answer: Sequence[str], *, three_classes: bool = False
) -> dict[str, float]:
    """Return precision, recall, f1, accuracy and n as in S3 task 1 and the EMBC audio table.

    Yes/no features: rows where truth and answer are both yes/no; "yes" is positive.
    Three classes (verbal_responsiveness): truth must be yes/no, answers may also be ``na`` (``""`` reads as
    ``na``); means over all labels seen, so that an ``na`` answer adds a class whose F1 is 0.

    >>> published_s3_task1_scores(["yes", "no", "no"], ["yes", "yes", "maybe"])
    {'precision': 0.5, 'recall': 1.0, 'f1': 0.6666666666666666, 'accuracy': 0.5, 'n': 2.0}
    """
    allowed = {"yes", "no", "na", ""} if three_classes else {"yes", "no"}
    rows = ((t, a or "na") for t, a in zip(truth, answer, strict=True) if t in {"yes", "no"} and a in allowed)
    return _scores(rows, None if three_classes else "yes")


def published_side_scores(truth: Sequence[str], answer: Sequence[str]) -> dict[str, float]:
    """Return precision, recall, f1, accuracy and n of a side (task 3), ``right`` positive.

    Only rows where both values are exactly ``left`` or ``right`` are kept: a trailing blank drops the row.

    >>> published_side_scores(["right", "left", "left"], ["right", "right", "right "])
    {'precision': 0.5, 'recall': 1.0, 'f1': 0.6666666666666666, 'accuracy': 0.5, 'n': 2.0}
    """
    rows = ((t, a) for t, a in zip(truth, answer, strict=True) if {t, a} <= set(SIDE.classes))
    return _scores(rows, SIDE.positive)


def published_region_scores(truth: Sequence[str], answer: Sequence[str]) -> dict[str, float]:
    """Return precision, recall, f1, accuracy and n of the onset region (task 3), means over all labels seen.

    Both sides in lower case; rows where either is empty, ``n/a``, ``nan`` or ``filled`` are dropped.

    >>> published_region_scores(["head", "amrs", "N/A"], ["Head", "arms", "head"])
    {'precision': 0.3333333333333333, 'recall': 0.3333333333333333, 'f1': 0.3333333333333333, 'accuracy': 0.5, 'n': 2.0}
    """
    dropped = {"", "n/a", "nan", "filled"}
    pairs = ((t.lower(), a.lower()) for t, a in zip(truth, answer, strict=True))
    return _scores((pair for pair in pairs if not dropped & set(pair)), None)


def published_diagnosis_scores(truth: Sequence[str], answer: Sequence[str]) -> dict[str, float]:
    """Return precision, recall, f1, accuracy and n of the diagnosis (task 7), ``ES`` positive.

    Rows whose truth is neither ES nor NES and answers that `published_diagnosis` cannot read are dropped.

    >>> published_diagnosis_scores(["ES", "NES"], ["ES", "It is NES, not ES"])
    {'precision': 1.0, 'recall': 1.0, 'f1': 1.0, 'accuracy': 1.0, 'n': 2.0}
    """
    read = ((t, published_diagnosis(a)) for t, a in zip(truth, answer, strict=True))
    return _scores(((t, a) for t, a in read if t in DIAGNOSIS.classes and a is not None), DIAGNOSIS.positive)


def published_diagnosis(answer: str) -> str | None:
    """Read an answer as published: NES if it contains ``NES``, else ES if it contains ``ES``, else None."""
    return "NES" if "NES" in answer else "ES" if "ES" in answer else None


def published_class_estimates(
    frame: pd.DataFrame, question: Question, *, resamples: int = RESAMPLES, seed: int = 0
) -> dict[str, Estimate]:
    """Return the published precision, recall, f1 and accuracy of tasks 3 and 7 with patient intervals.

    Args:
        frame: columns video_id, patient_id, truth, answer; one row per recording. Rows whose truth or answer
            is empty, and answers that are ``unparsed``, are left out.
        question: its classes and the one that precision, recall and f1 are about, or None: means over all classes
            seen in truth or answers.
        resamples, seed: of the draws of patients.

    All are NaN if no row is left.

    Raises:
        ValueError: a column is missing, a recording is there twice, or a value is outside the classes.
    """
    _, tables = patient_class_tables(frame, question.classes)
    tables = tables[:, :, :-1]
    tables = tables[tables.sum((1, 2)) > 0]
    if not len(tables):
        reason = "no answer was understood"
        return {name: not_estimable(float("nan"), BOOTSTRAP, 0, 0, reason) for name in SCORES}
    place = None if question.positive is None else question.classes.index(question.positive)
    return table_estimates(
        tables, lambda stack: published_table_scores(stack, place), resamples=resamples, seed=seed
    )


def published_table_scores(tables: Floats, positive: int | None) -> Mapping[str, Floats]:
    """Return the published scores of tables (..., k, k), rows true and columns answered, by name.

    ``positive`` is the index of a class, or None for plain means over the classes seen.
    """
    right = np.diagonal(tables, axis1=-2, axis2=-1)
    true, answered = tables.sum(-1), tables.sum(-2)
    n, seen = true.sum(-1), (true + answered) > 0
    scores = {}
    for name, part, whole in (
        ("precision", right, answered),
        ("recall", right, true),
        ("f1", 2 * right, true + answered),
    ):
        values = np.nan_to_num(ratio(part, whole))
        if positive is None:
            scores[name] = mean_defined(np.where(seen, values, np.nan))
        else:
            scores[name] = np.where(n > 0, values[..., positive], np.nan)
    return scores | {"accuracy": ratio(right.sum(-1), n)}


def _scores(rows: Iterable[tuple[str, str]], positive: str | None) -> dict[str, float]:
    """Return the scores of (truth, answer) rows; NaN throughout if there is none."""
    pairs = list(rows)
    labels = sorted({label for pair in pairs for label in pair} | ({positive} if positive else set()))
    table = class_table([t for t, _ in pairs], [a for _, a in pairs], labels)[:, :-1].astype(np.float64)
    found = published_table_scores(table, None if positive is None else labels.index(positive))
    return {name: float(found[name]) for name in SCORES} | {"n": float(len(pairs))}
