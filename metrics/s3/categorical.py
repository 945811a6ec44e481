"""Questions with classes of their own: which side, which onset region (S3 task 3), ES or NES (task 7).

The published scores drop what was not understood and are printed without a baseline, so that a constant answer
can win: on the arm question always answering "right" gives F1 0.82 over all recordings, above each of the six
models whose answers were released, and always answering ES, two recordings in three, gives F1 0.81. They also take
every label they meet for a class: "amrs", misspelt in the truth, is one. `score_classes` keeps to the classes,
gives each the same weight, counts what was not understood as wrong, and carries the constant answers.
`semiology.metrics.published_rules` has the published scores.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from semiology.features import REGIONS
from semiology.metrics.arrays import Floats, ratio
from semiology.metrics.coverage import count_answers, is_missing, require_recordings
from semiology.metrics.scores.classification import class_table_scores, positive_class_scores
from semiology.metrics.scores.counts import class_table
from semiology.metrics.statistics.bootstrap import TaskScores, table_estimates
from semiology.metrics.statistics.intervals import RESAMPLES, proportion_estimate

if TYPE_CHECKING:
    import pandas as pd

SIDES: tuple[str, ...] = ("left", "right")
DIAGNOSES: tuple[str, ...] = ("ES", "NES")


class Question(NamedTuple):
    """The classes of a question, and the one that precision, recall and f1 are about (None: no such class)."""

    classes: tuple[str, ...]
    positive: str | None


SIDE = Question(SIDES, "right")
REGION = Question(REGIONS, None)
DIAGNOSIS = Question(DIAGNOSES, "ES")


def score_classes(
    frame: pd.DataFrame, question: Question, *, resamples: int = RESAMPLES, seed: int = 0
) -> TaskScores:
    """Score the recordings of one question, with patient-clustered intervals, constant answers and counts.

    Args:
        frame: columns video_id, patient_id, truth (a class, or empty: not asked), answer (a class, ``unparsed``,
            or empty: missing); one row per recording.
        question: `SIDE`, `REGION`, `DIAGNOSIS` or another.
        resamples, seed: of the draws of patients.

    Estimates: accuracy, macro_precision, balanced_accuracy (chance: one over the number of classes) and macro_f1
    over the classes found in the truth, mcc (chance 0); and precision, recall and f1 of the positive class.
    Baselines: `constant_answer_scores`.

    Raises:
        ValueError: a column is missing, a recording is there twice, or a value is outside its vocabulary.

    >>> import pandas as pd
    >>> rows = [(f"v{i}", f"p{i}", SIDES[i % 2], "right" if i % 3 else "left") for i in range(30)]
    >>> scores = score_classes(pd.DataFrame(rows, columns=["video_id", "patient_id", "truth", "answer"]), SIDE)
    >>> round(scores.estimates["accuracy"].value, 2), round(scores.baselines["best_constant_accuracy"], 2)
    (0.5, 0.5)
    """
    classes, positive = question
    asked, tables = patient_class_tables(frame, classes)

    def scores(stack: Floats) -> dict[str, Floats]:
        extra = positive_class_scores(stack, classes.index(positive)) if positive else {}
        return class_table_scores(stack) | extra

    estimates = table_estimates(tables, scores, resamples=resamples, seed=seed)
    right = np.diagonal(tables[:, :, :-1], axis1=1, axis2=2).sum(1)
    estimates["accuracy"] = proportion_estimate(right, tables.sum((1, 2)))
    baselines = constant_answer_scores(tables.sum(0), classes)
    return TaskScores(estimates, baselines, count_answers(asked["answer"]))


def patient_class_tables(frame: pd.DataFrame, classes: Sequence[str]) -> tuple[pd.DataFrame, Floats]:
    """Return the rows with a truth, and their counting tables by patient (P, k, k + 1), as of `score_classes`."""
    require_recordings(frame, ("video_id", "patient_id", "truth", "answer"))
    asked = frame[[not is_missing(value) for value in frame["truth"]]]
    tables = [
        class_table(rows["truth"].tolist(), rows["answer"].tolist(), classes)
        for _, rows in asked.groupby("patient_id", sort=True)
    ]
    stacked = np.array(tables, dtype=np.float64).reshape(len(tables), len(classes), len(classes) + 1)
    return asked, stacked[stacked.sum((1, 2)) > 0]


def constant_answer_scores(table: Floats, classes: Sequence[str]) -> dict[str, float]:
    """Return what the same answer to everything scores, by ``always_<class>_<score>``.

    For each class accuracy, macro_f1 and the f1 of that class; then ``best_constant_accuracy``,
    ``best_constant_macro_f1`` and ``best_constant_macro_precision``, the bars to clear. Unanswered
    recordings are not in the table.
    """
    true = np.asarray(table, dtype=np.float64).sum(-1)
    n = true.sum()
    f1 = np.where(true > 0, ratio(2 * true, true + n), np.nan)
    scores = {"accuracy": ratio(true, n), "f1": f1, "macro_f1": ratio(np.nan_to_num(f1), (true > 0).sum())}
    values = {
        f"always_{name.replace(' ', '_')}_{score}": float(each[i])
        for i, name in enumerate(classes)
        for score, each in scores.items()
    }
    best = {f"best_constant_{name}": float(scores[name].max()) for name in ("accuracy", "macro_f1")}
    best["best_constant_macro_precision"] = float(ratio(best["best_constant_accuracy"], (true > 0).sum()))
    return values | best
