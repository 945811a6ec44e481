"""Which body part shows the first feature: eleven regions (S3 task 3).

The published scores are plain means over all labels seen in truth or answers, so that a misspelt label in the
truth ("amrs") becomes a class of its own and an answered label without truth adds a class with F1 0.
`score_onset_regions` keeps to the eleven regions.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from semiology.features import REGIONS
from semiology.metrics.scores.class_tables import class_table, score_classes
from semiology.metrics.scores.classification import ratio
from semiology.metrics.statistics.bootstrap import TaskScores
from semiology.metrics.statistics.intervals import RESAMPLES

if TYPE_CHECKING:
    import pandas as pd


def published_region_scores(truth: Sequence[str], answer: Sequence[str]) -> dict[str, float]:
    """Return precision, recall, f1, accuracy and n as published.

    Both sides in lower case; rows where either is empty, ``n/a``, ``nan`` or ``filled`` are dropped; plain
    means over all labels seen in truth or answers; a ratio with denominator 0 is 0; NaN if no row is left.

    Source: arXiv 2605.21852, section 3.2.3, Tables 1, 15 and 21, and the metric files of its repository.

    Raises:
        ValueError: the lengths differ.
    """
    dropped = {"", "n/a", "nan", "filled"}
    pairs = [(t.lower(), a.lower()) for t, a in zip(truth, answer, strict=True)]
    pairs = [(t, a) for t, a in pairs if t not in dropped and a not in dropped]
    if not pairs:
        return dict.fromkeys(("precision", "recall", "f1", "accuracy"), np.nan) | {"n": 0.0}
    labels = sorted({label for pair in pairs for label in pair})
    table = class_table([t for t, _ in pairs], [a for _, a in pairs], labels)[:, :-1].astype(np.float64)
    right, true, answered = np.diag(table), table.sum(1), table.sum(0)
    return {
        "precision": float(np.nan_to_num(ratio(right, answered)).mean()),
        "recall": float(np.nan_to_num(ratio(right, true)).mean()),
        "f1": float(np.nan_to_num(ratio(2 * right, true + answered)).mean()),
        "accuracy": float(right.sum() / len(pairs)),
        "n": float(len(pairs)),
    }


def score_onset_regions(frame: pd.DataFrame, *, resamples: int = RESAMPLES, seed: int = 0) -> TaskScores:
    """Score the onset region with patient-clustered intervals, beside the eleven constant answers.

    Args:
        frame: columns video_id, patient_id, truth (one of `REGIONS`, or empty: not asked), answer (a region,
            ``unparsed``, or empty: missing); one row per recording.

    Estimates: accuracy, macro_precision, balanced_accuracy and macro_f1 over the regions found in the truth,
    and mcc.

    Raises:
        ValueError: as `semiology.metrics.scores.class_tables.score_classes`.
    """
    return score_classes(frame, REGIONS, resamples=resamples, seed=seed)
