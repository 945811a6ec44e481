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

if TYPE_CHECKING:
    import pandas as pd

TRUTHS: tuple[str, ...] = ("yes", "no", "na")
ANSWERS: tuple[str, ...] = ("yes", "no", "na", "unparsed")
YES, NO, NA, UNPARSED = range(4)

Floats = npt.NDArray[np.float64]
Codes = npt.NDArray[np.int64]


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


def confusion_table(truth: Sequence[Any], answer: Sequence[Any]) -> Codes:
    """Return the table of one set of recordings, shape (3, 4).

    Rows without a truth (None, NaN, empty) are left out; a missing answer counts as unparsed.

    Raises:
        ValueError: lengths differ, or a value is outside its vocabulary.
    """
    if len(truth) != len(answer):
        raise ValueError(
            f"truth has {len(truth)} values and answer {len(answer)} → give one answer per truth"
        )
    rows, columns = encode(truth, TRUTHS, "truth"), _answer_codes(answer)
    kept = rows >= 0
    return np.bincount(rows[kept] * 4 + columns[kept], minlength=12).reshape(3, 4).astype(np.int64)


def patient_tables(recordings: pd.DataFrame, features: Sequence[str] | None = None) -> PatientTables:
    """Count recording answers per patient and feature.

    Args:
        recordings: one row per recording and feature, columns patient_id, feature, answer, truth.
        features: names in the wanted order (default: those present, sorted); other rows are left out.

    Raises:
        ValueError: a column or a patient id is missing, or a value is outside its vocabulary.
    """
    absent = [name for name in ("patient_id", "feature", "answer", "truth") if name not in recordings.columns]
    if absent:
        raise ValueError(f"the frame of recordings has no column {absent[0]!r}")
    names = tuple(sorted(set(recordings["feature"]))) if features is None else tuple(features)
    rows = recordings[recordings["feature"].isin(names)]
    if bool(rows["patient_id"].isna().any()):
        raise ValueError(
            "a recording has no patient_id → intervals need to know which recordings share a patient"
        )
    patients, patient = np.unique(
        np.asarray(rows["patient_id"].astype(str), dtype=object), return_inverse=True
    )
    feature = encode(rows["feature"].to_numpy(dtype=object), names, "feature")
    truth = encode(rows["truth"].to_numpy(dtype=object), TRUTHS, "truth")
    answer = _answer_codes(rows["answer"].to_numpy(dtype=object))
    kept = truth >= 0
    flat = ((patient * len(names) + feature) * 3 + truth) * 4 + answer
    shape = (len(patients), len(names), 3, 4)
    counts = np.bincount(flat[kept], minlength=int(np.prod(shape))).reshape(shape).astype(np.float64)
    without = np.bincount(feature[~kept], minlength=len(names)).astype(np.int64)
    return PatientTables(tuple(str(name) for name in patients), names, counts, without)


def _answer_codes(answer: Sequence[Any] | npt.NDArray[Any]) -> Codes:
    codes = encode(answer, ANSWERS, "answer")
    return np.where(codes < 0, UNPARSED, codes)
