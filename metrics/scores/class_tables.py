"""Scores of answers with several classes: sides, onset regions, ES against NES.

A table has shape ``(..., k, k + 1)``: rows are the true class, columns the answered class, and the last
column holds answers that were not understood, which count as wrong. Tables add up over patients. An undefined
score is NaN.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from semiology.metrics.coverage import UNPARSED, AnswerCounts, count_answers, is_missing, require_columns
from semiology.metrics.scores.classification import ratio
from semiology.metrics.scores.counts import Codes, Floats, encode
from semiology.metrics.statistics.bootstrap import TaskScores, table_estimates
from semiology.metrics.statistics.intervals import RESAMPLES, proportion_estimate

if TYPE_CHECKING:
    import pandas as pd


def class_table(truth: Sequence[Any], answer: Sequence[Any], classes: Sequence[str]) -> Codes:
    """Return the table of one set of recordings, shape (k, k + 1).

    Rows without a truth or without an answer (None, NaN, empty) are left out.

    Raises:
        ValueError: lengths differ, or a value is neither a class nor (for answers) ``unparsed``.
    """
    if len(truth) != len(answer):
        raise ValueError(
            f"truth has {len(truth)} values and answer {len(answer)} → give one answer per truth"
        )
    k = len(classes)
    rows = encode(_words(truth), classes, "truth")
    columns = encode(_words(answer), (*classes, UNPARSED), "answer")
    kept = (rows >= 0) & (columns >= 0)
    flat = rows[kept] * (k + 1) + columns[kept]
    return np.bincount(flat, minlength=k * (k + 1)).reshape(k, k + 1).astype(np.int64)


def class_table_scores(tables: Floats) -> dict[str, Floats]:
    """Return scores of tables ``(..., k, k + 1)``, each of the leading shape.

    accuracy; balanced_accuracy (mean recall), macro_precision, macro_f1: plain means over the classes found
    in the truth, where a class never answered has precision 0; mcc: Gorodkin's R_K with "not understood" as
    one more answer, 0 for a constant answer. All are 0 to 1 but mcc (-1 to 1), and NaN without recordings;
    balanced_accuracy and mcc are NaN if the truth holds one class only.

    Source: Gorodkin, Computational Biology and Chemistry 28 (2004) 367, for R_K.
    """
    tables = np.asarray(tables, dtype=np.float64)
    k = tables.shape[-2]
    right = np.diagonal(tables[..., :k], axis1=-2, axis2=-1)
    true, answered = tables.sum(-1), tables.sum(-2)
    n, present = true.sum(-1), true > 0
    varied = present.sum(-1) > 1
    recall = _mean_present(ratio(right, true), present)
    expected = (true * answered[..., :k]).sum(-1)
    spread = (n * n - (true**2).sum(-1)) * (n * n - (answered**2).sum(-1))
    correlation = np.nan_to_num(ratio(right.sum(-1) * n - expected, np.sqrt(np.maximum(spread, 0.0))))
    return {
        "accuracy": ratio(right.sum(-1), n),
        "balanced_accuracy": np.where(varied, recall, np.nan),
        "macro_precision": _mean_present(ratio(right, answered[..., :k]), present),
        "macro_f1": _mean_present(ratio(2 * right, true + answered[..., :k]), present),
        "mcc": np.where(varied, correlation, np.nan),
    }


def positive_class_scores(tables: Floats, positive: int) -> dict[str, Floats]:
    """Return precision, recall and f1 of one class against the rest.

    Precision is NaN if the class was never answered; recall and f1 are NaN if it is never true.
    """
    tables = np.asarray(tables, dtype=np.float64)
    right = tables[..., positive, positive]
    true, answered = tables[..., positive, :].sum(-1), tables[..., positive].sum(-1)
    f1 = np.where(true > 0, ratio(2 * right, true + answered), np.nan)
    return {"precision": ratio(right, answered), "recall": ratio(right, true), "f1": f1}


def constant_answer_scores(table: Floats, classes: Sequence[str]) -> dict[str, float]:
    """Return what the same answer to everything scores, by ``always_<class>_<score>``.

    For each class accuracy, macro_f1 and the f1 of that class; then ``best_constant_accuracy`` and
    ``best_constant_macro_f1``, the bars to clear. Unanswered recordings are not in the table.
    """
    true = np.asarray(table, dtype=np.float64).sum(-1)
    n, found = true.sum(), int((true > 0).sum())
    values: dict[str, float] = {}
    for name, count in zip(classes, true, strict=True):
        key = f"always_{name.replace(' ', '_')}"
        f1 = 2 * count / (count + n) if count else float("nan")
        values[f"{key}_accuracy"] = float(count / n) if n else float("nan")
        values[f"{key}_f1"] = float(f1)
        values[f"{key}_macro_f1"] = float(np.nan_to_num(f1) / found) if found else float("nan")
    for score in ("accuracy", "macro_f1"):
        every = [values[f"always_{name.replace(' ', '_')}_{score}"] for name in classes]
        values[f"best_constant_{score}"] = max(every, default=float("nan"))
    return values


def score_classes(
    frame: pd.DataFrame,
    classes: Sequence[str],
    *,
    positive: str | None = None,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> TaskScores:
    """Score the recordings of one question, with intervals, constant-answer baselines and counts.

    Args:
        frame: columns video_id, patient_id, truth, answer; one row per recording. Rows whose truth is empty
            are not asked; an empty answer is missing, ``unparsed`` is wrong.
        classes: every class, in the order of the table.
        positive: class for precision, recall and f1 (None: leave them out).

    Raises:
        ValueError: a column is missing, a recording is there twice, or a value is outside its vocabulary.
    """
    require_columns(frame, ("video_id", "patient_id", "truth", "answer"))
    asked = frame[[not is_missing(value) for value in frame["truth"]]]
    counts: AnswerCounts = count_answers(asked["answer"])
    tables = np.array(
        [
            class_table(rows["truth"].tolist(), rows["answer"].tolist(), classes)
            for _, rows in asked.groupby("patient_id", sort=True)
        ],
        dtype=np.float64,
    ).reshape(-1, len(classes), len(classes) + 1)
    tables = tables[tables.sum((1, 2)) > 0]

    def scores(stack: Floats) -> dict[str, Floats]:
        extra = positive_class_scores(stack, list(classes).index(positive)) if positive else {}
        return class_table_scores(stack) | extra

    estimates = table_estimates(tables, scores, resamples=resamples, seed=seed)
    right = np.diagonal(tables[:, :, :-1], axis1=1, axis2=2).sum(1)
    estimates["accuracy"] = proportion_estimate(right, tables.sum((1, 2)))
    return TaskScores(estimates, constant_answer_scores(tables.sum(0), classes), counts)


def _words(values: Sequence[Any]) -> list[Any]:
    return [None if is_missing(value) else value for value in values]


def _mean_present(values: Floats, present: np.ndarray[Any, np.dtype[np.bool_]]) -> Floats:
    return ratio(np.where(present, np.nan_to_num(values), 0.0).sum(-1), present.sum(-1))
