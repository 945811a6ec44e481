"""Which side: head turning and arm movement (S3 task 3).

The published scores take ``right`` as positive, drop every answer that is not exactly left or right, and
are printed without a baseline; on the arm question always answering "right" gives F1 0.82 over all
recordings, above each of the six models whose answers were released. `score_sides` gives both sides the
same weight, counts what was not understood as wrong, and carries the constant answers.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from semiology.metrics.scores.class_tables import class_table, positive_class_scores, score_classes
from semiology.metrics.statistics.bootstrap import TaskScores
from semiology.metrics.statistics.intervals import RESAMPLES

if TYPE_CHECKING:
    import pandas as pd

SIDES: tuple[str, str] = ("left", "right")


def published_side_scores(truth: Sequence[str], answer: Sequence[str]) -> dict[str, float]:
    """Return precision, recall, f1, accuracy and n as published, ``right`` positive.

    Only rows where both values are exactly ``left`` or ``right`` are kept (a trailing blank drops the row); a
    ratio with denominator 0 is 0; NaN throughout if no row is left.

    Source: arXiv 2605.21852, section 3.2.3, Tables 1, 15 and 21, and the metric files of its repository.

    Raises:
        ValueError: the lengths differ.
    """
    pairs = [(t, a) for t, a in zip(truth, answer, strict=True) if t in SIDES and a in SIDES]
    if not pairs:
        return dict.fromkeys(("precision", "recall", "f1", "accuracy"), np.nan) | {"n": 0.0}
    table = class_table([t for t, _ in pairs], [a for _, a in pairs], SIDES).astype(np.float64)
    values = positive_class_scores(table, SIDES.index("right"))
    scores = {name: float(np.nan_to_num(value)) for name, value in values.items()}
    return scores | {"accuracy": float(np.trace(table) / len(pairs)), "n": float(len(pairs))}


def score_sides(frame: pd.DataFrame, *, resamples: int = RESAMPLES, seed: int = 0) -> TaskScores:
    """Score a side question with patient-clustered intervals, beside always-left and always-right.

    Args:
        frame: columns video_id, patient_id, truth (``left``, ``right`` or empty: not asked), answer
            (``left``, ``right``, ``unparsed`` or empty: missing); one row per recording.

    Estimates: precision, recall and f1 of ``right``; accuracy, macro_precision, balanced_accuracy and
    macro_f1 over both sides (chance 0.5 for balanced_accuracy), mcc (chance 0).

    Raises:
        ValueError: as `semiology.metrics.scores.class_tables.score_classes`.
    """
    return score_classes(frame, SIDES, positive="right", resamples=resamples, seed=seed)
