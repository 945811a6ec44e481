"""Counting tables of truth against answer: the one place where answers become numbers.

A table has shape ``(..., 3, 4)``: rows are the truth (yes, no, na), columns the answer (yes, no, na,
unparsed). Tables add up, so a bootstrap over patients is one matrix product of patient weights and patient
tables.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from semiology.metrics.arrays import Codes, Floats
from semiology.metrics.coverage import require_columns

if TYPE_CHECKING:
    import pandas as pd

TRUTHS: tuple[str, ...] = ("yes", "no", "na")
ANSWERS: tuple[str, ...] = ("yes", "no", "na", "unparsed")
YES, NO, NA, UNPARSED = range(4)


@dataclass(frozen=True)
class PatientTables:
    """Counting tables per patient and feature.

    Attributes:
        patients: patient ids, sorted, length P.
        features: feature names, length F.
        counts: tables, shape (P, F, 3, 4).
        without_truth: recordings left out because they carry no annotation, shape (F,).
    """

    patients: tuple[str, ...]
    features: tuple[str, ...]
    counts: Floats
    without_truth: Codes


_FEW = 1000
"""Values up to which looking each up is quicker than building a pandas series."""


def encode(values: Sequence[Any] | npt.NDArray[Any], vocabulary: Sequence[str], what: str) -> Codes:
    """Return the position of each value in ``vocabulary``; -1 for a missing value (None, NaN, empty).

    Raises:
        ValueError: a value is neither missing nor in the vocabulary; the message names it.
    """
    place = {word: code for code, word in enumerate(vocabulary)}
    if len(values) <= _FEW:
        # A search for wordings scores thousands of short lists; what is missing or strange is read below.
        with suppress(KeyError, TypeError):
            return np.array([place[value] for value in values], dtype=np.int64)
    import pandas as pd

    series = pd.Series(np.asarray(values, dtype=object))
    codes = np.asarray(series.map(place).fillna(-1), dtype=np.int64)
    missing = np.asarray(series.isna() | (series == ""), dtype=bool)
    strange = sorted({str(value) for value in series[(codes < 0) & ~missing]})
    if strange:
        raise ValueError(f"unknown {what} {strange[0]!r} → use one of {', '.join(vocabulary)}")
    return codes


def encode_answers(values: Sequence[Any] | npt.NDArray[Any]) -> Codes:
    """Return the position of each answer in `ANSWERS`; a missing one counts as unparsed.

    Raises:
        ValueError: a value is outside the vocabulary.
    """
    codes = encode(values, ANSWERS, "answer")
    return np.where(codes < 0, UNPARSED, codes)


def class_table(
    truth: Sequence[Any], answer: Sequence[Any], classes: Sequence[str], *, missing_is_unparsed: bool = False
) -> Codes:
    """Return the table of one set of recordings over any classes, shape (k, k + 1).

    Rows are the true class, columns the answered one; the last column holds answers that were not understood.
    Recordings without a truth (None, NaN, empty) are left out, and those without an answer too, unless
    ``missing_is_unparsed``.

    Raises:
        ValueError: lengths differ, or a value is neither a class nor (for answers) ``unparsed``.

    >>> class_table(["left", "right", "right"], ["left", "left", "unparsed"], ["left", "right"])
    array([[1, 0, 0],
           [1, 0, 1]])
    """
    if len(truth) != len(answer):
        raise ValueError(
            f"truth has {len(truth)} values and answer {len(answer)} → give one answer per truth"
        )
    k = len(classes)
    rows, columns = encode(truth, classes, "truth"), encode(answer, (*classes, ANSWERS[UNPARSED]), "answer")
    if missing_is_unparsed:
        columns = np.where(columns < 0, k, columns)
    kept = (rows >= 0) & (columns >= 0)
    flat = rows[kept] * (k + 1) + columns[kept]
    return np.bincount(flat, minlength=k * (k + 1)).reshape(k, k + 1).astype(np.int64)


def confusion_table(truth: Sequence[Any], answer: Sequence[Any]) -> Codes:
    """Return the `class_table` of yes, no and na, shape (3, 4); a missing answer counts as unparsed."""
    return class_table(truth, answer, TRUTHS, missing_is_unparsed=True)


def patient_tables(recordings: pd.DataFrame, features: Sequence[str] | None = None) -> PatientTables:
    """Count recording answers, one row per recording and feature, per patient and feature.

    ``features`` gives the names in the wanted order (default: those present, sorted); other rows are left out.

    Raises:
        ValueError: a column or a patient id is missing, or a value is outside its vocabulary.
    """
    require_columns(recordings, ("feature", "answer", "truth"), of="recordings")
    names = tuple(sorted(set(recordings["feature"]))) if features is None else tuple(features)
    rows = recordings[recordings["feature"].isin(names)]
    require_columns(rows, ("patient_id",), of="recordings")
    patients, patient = np.unique(
        np.asarray(rows["patient_id"].astype(str), dtype=object), return_inverse=True
    )
    feature = encode(rows["feature"].to_numpy(dtype=object), names, "feature")
    truth = encode(rows["truth"].to_numpy(dtype=object), TRUTHS, "truth")
    answer = encode_answers(rows["answer"].to_numpy(dtype=object))
    kept = truth >= 0
    flat = ((patient * len(names) + feature) * 3 + truth) * 4 + answer
    shape = (len(patients), len(names), 3, 4)
    counts = np.bincount(flat[kept], minlength=int(np.prod(shape))).reshape(shape).astype(np.float64)
    without = np.bincount(feature[~kept], minlength=len(names)).astype(np.int64)
    return PatientTables(tuple(str(name) for name in patients), names, counts, without)
