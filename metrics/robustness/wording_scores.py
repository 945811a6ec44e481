"""The score of each wording, from counting tables per patient and wording."""

from __future__ import annotations

import numpy as np

from semiology.metrics.robustness.answers import WordingAnswers
from semiology.metrics.scores.classification import (
    Policy,
    accuracy,
    balanced_accuracy,
    binary_counts,
    f1,
    prevalence,
    rates,
    three_class_table_scores,
)
from semiology.metrics.scores.counts import Codes, Floats

WORDING_SCORES = ("f1", "accuracy", "balanced_accuracy")
RATES = ("yes_rate", "unparsed_rate", "prevalence")


def patient_wording_tables(
    answers: WordingAnswers, patient: Codes | None = None, n_patients: int | None = None
) -> Floats:
    """Return counting tables per patient and wording, shape (P, K, 3, 4); see `metrics.confusion`.

    Args:
        answers: wordings × recordings.
        patient, n_patients: each recording's patient in another list, and its length (default: its own).
    """
    patient = answers.patient if patient is None else patient
    n_patients = len(answers.patients) if n_patients is None else n_patients
    k = len(answers.wordings)
    wording = np.arange(k)[:, None]
    flat = ((patient * k + wording) * 3 + answers.truth) * 4 + answers.answers
    shape = (n_patients, k, 3, 4)
    counts = np.bincount(flat.ravel(), minlength=int(np.prod(shape)))
    return counts.reshape(shape).astype(np.float64)


def wording_scores(
    tables: Floats, policy: Policy = "wrong", *, three_classes: bool = False
) -> dict[str, Floats]:
    """Return `WORDING_SCORES` and `RATES` of tables (..., 3, 4), each of the leading shape.

    With three classes F1 and balanced accuracy are means over the classes found in the truth; see
    `classification.three_class_table_scores`.
    """
    if three_classes:
        scores = three_class_table_scores(tables, policy)
        return {name: scores[name] for name in (*WORDING_SCORES, *RATES)}
    c = binary_counts(np.asarray(tables, dtype=np.float64), policy)
    shown = rates(tables, policy)
    return {
        "f1": f1(c),
        "accuracy": accuracy(c),
        "balanced_accuracy": balanced_accuracy(c),
        "prevalence": prevalence(c),
        "yes_rate": shown["yes_rate"],
        "unparsed_rate": shown["unparsed_rate"],
    }
