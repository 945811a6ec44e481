"""The published scores of answers with several classes, with patient intervals (S3 tasks 3 and 7).

Answers that were not understood are left out and a ratio with denominator 0 is 0, as published; use
`semiology.metrics.scores.class_tables` for scores that charge what was not understood.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from semiology.metrics.coverage import UNPARSED, is_missing, require_columns
from semiology.metrics.scores.class_tables import class_table
from semiology.metrics.scores.classification import ratio
from semiology.metrics.scores.counts import Floats
from semiology.metrics.statistics.bootstrap import table_estimates
from semiology.metrics.statistics.intervals import BOOTSTRAP, RESAMPLES, Estimate, not_estimable

if TYPE_CHECKING:
    import pandas as pd

SCORES: tuple[str, ...] = ("precision", "recall", "f1", "accuracy")


def published_class_estimates(
    frame: pd.DataFrame,
    classes: Sequence[str],
    *,
    positive: str | None = None,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> dict[str, Estimate]:
    """Return precision, recall, f1 and accuracy by the published rule, each 0 to 1.

    Args:
        frame: columns video_id, patient_id, truth, answer; one row per recording. Rows whose truth or answer
            is empty, and answers that are ``unparsed``, are left out.
        classes: every class.
        positive: class that precision, recall and f1 are about; None: plain means over all classes seen in
            truth or answers.

    All are NaN if no row is left. The values are those of `published_side_scores`, `published_region_scores`
    and `published_diagnosis_scores`; arXiv 2605.21852, Tables 1, 2, 15 and 21.

    Raises:
        ValueError: a column is missing, a recording is there twice, or a value is outside the classes.
    """
    require_columns(frame, ("video_id", "patient_id", "truth", "answer"))
    kept = [
        not is_missing(truth) and not is_missing(answer) and answer != UNPARSED
        for truth, answer in zip(frame["truth"], frame["answer"], strict=True)
    ]
    read = frame[kept]
    if read.empty:
        reason = "no answer was understood"
        return {name: not_estimable(float("nan"), BOOTSTRAP, 0, 0, reason) for name in SCORES}
    tables = np.array(
        [
            class_table(rows["truth"].tolist(), rows["answer"].tolist(), classes)[:, :-1]
            for _, rows in read.groupby("patient_id", sort=True)
        ],
        dtype=np.float64,
    )
    column = None if positive is None else list(classes).index(positive)
    return table_estimates(
        tables, lambda stack: published_table_scores(stack, column), resamples=resamples, seed=seed
    )


def published_table_scores(tables: Floats, positive: int | None) -> Mapping[str, Floats]:
    """Return the published scores of tables (..., k, k), rows true and columns answered, by name.

    ``positive`` is the index of a class, or None for plain means over the classes seen.
    """
    right = np.diagonal(tables, axis1=-2, axis2=-1)
    true, answered = tables.sum(-1), tables.sum(-2)
    n = true.sum(-1)
    by_class = {
        "precision": np.nan_to_num(ratio(right, answered)),
        "recall": np.nan_to_num(ratio(right, true)),
        "f1": np.nan_to_num(ratio(2 * right, true + answered)),
    }
    scores = {"accuracy": ratio(right.sum(-1), n)}
    seen = (true + answered) > 0
    for name, values in by_class.items():
        if positive is None:
            scores[name] = ratio(np.where(seen, values, 0.0).sum(-1), seen.sum(-1))
        else:
            scores[name] = np.where(n > 0, values[..., positive], np.nan)
    return {name: scores[name] for name in SCORES}
