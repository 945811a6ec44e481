"""Epileptic or not: ES against NES (S3 task 7).

Two recordings in three are ES, so that always answering ES gives F1 0.81: the published F1 means nothing
without that figure, and balanced accuracy and MCC stand beside it here.
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

DIAGNOSES: tuple[str, str] = ("ES", "NES")


def published_diagnosis(answer: str) -> str | None:
    """Read an answer as published: NES if it contains ``NES``, else ES if it contains ``ES``, else None.

    Source: metric files of the repository of arXiv 2605.21852.
    """
    return "NES" if "NES" in answer else "ES" if "ES" in answer else None


def published_diagnosis_scores(truth: Sequence[str], answer: Sequence[str]) -> dict[str, float]:
    """Return precision, recall, f1, accuracy and n as published, ``ES`` positive.

    Rows whose truth is neither ES nor NES and answers that `published_diagnosis` cannot read are dropped; a
    ratio with denominator 0 is 0; NaN throughout if no row is left.

    Source: arXiv 2605.21852, section 3.2.7 and Table 2.

    Raises:
        ValueError: the lengths differ.
    """
    read = [(t, published_diagnosis(a)) for t, a in zip(truth, answer, strict=True)]
    pairs = [(t, a) for t, a in read if t in DIAGNOSES and a is not None]
    if not pairs:
        return dict.fromkeys(("precision", "recall", "f1", "accuracy"), np.nan) | {"n": 0.0}
    table = class_table([t for t, _ in pairs], [a for _, a in pairs], DIAGNOSES).astype(np.float64)
    values = positive_class_scores(table, 0)
    scores = {name: float(np.nan_to_num(value)) for name, value in values.items()}
    return scores | {"accuracy": float(np.trace(table) / len(pairs)), "n": float(len(pairs))}


def score_diagnosis(frame: pd.DataFrame, *, resamples: int = RESAMPLES, seed: int = 0) -> TaskScores:
    """Score ES against NES with patient-clustered intervals, beside always-ES and always-NES.

    Args:
        frame: columns video_id, patient_id, truth (``ES``, ``NES`` or empty: not asked), answer (``ES``,
            ``NES``, ``unparsed`` or empty: missing); one row per recording.

    Estimates: precision, recall and f1 of ES, accuracy, balanced_accuracy (chance 0.5), macro_precision,
    macro_f1, mcc (chance 0). Baselines: ``always_ES_f1`` and the other constant answers.

    Raises:
        ValueError: as `semiology.metrics.scores.class_tables.score_classes`.
    """
    return score_classes(frame, DIAGNOSES, positive="ES", resamples=resamples, seed=seed)
