"""Folds on disk: reading published ones from a table, and writing them into a recording set."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from semiology.data.problems import Problem, RecordingSetError
from semiology.data.recording_set import RecordingSet
from semiology.data.tables.column_editing import set_column
from semiology.data.tables.csv_tables import Table, read_table
from semiology.data.tables.reading import RECORDINGS, read_recording_set
from semiology.optimization.folds.draw import FoldError, folds_of
from semiology.render.text import counted

_IDENTITIES = ("video_id", "patient_id")


def read_folds(path: Path, recording_set: RecordingSet) -> tuple[dict[str, str], list[str]]:
    """Read folds from a table (CSV, also gzip) with the column ``fold`` and ``video_id`` or ``patient_id``.

    A fold holds whole patients: a recording without one takes its patient's (the S3 table leaves it empty for
    six clips of patients who have a fold; left so, they could be trained on and their patients tested on).

    Returns:
        Fold by patient id, for patients of the set, and in sentences what was filled in or not used.

    Raises:
        RecordingSetError: columns are missing, the table does not name a single patient of the set, or a
            patient is in two folds; every such row is named.
    """
    table = read_table(path)
    identity = next((name for name in _IDENTITIES if name in table.columns), None)
    if not table.problems and (identity is None or "fold" not in table.columns):
        fix = "give a table with the columns video_id (or patient_id) and fold"
        table.problems.append(Problem(table.file, 1, "the columns of a fold table are missing", fix))
    if table.problems or identity is None:
        raise RecordingSetError(table.problems)
    known = {getattr(item, identity): item.patient_id for item in recording_set.recordings}
    found, problems = _patient_folds(table, identity, known)
    if not found and not problems:
        message = f"names no {identity} of the recording set {recording_set.name!r} with a fold"
        problems.append(Problem(table.file, None, message, "give the table that belongs to this set"))
    if problems:
        raise RecordingSetError(problems)
    return found, _notes(table, identity, known, recording_set, found)


def write_folds(directory: Path, fold_of_patient: Mapping[str, str], *, replace: bool = False) -> int:
    """Write folds into the column ``fold`` of ``recordings.csv``; every other byte of the table is kept.

    The table is replaced whole or not at all. Patients without a fold get an empty cell.

    Returns:
        The number of recordings that now have a fold.

    Raises:
        RecordingSetError: the set has faults (such as a patient in two folds).
        FoldError: other folds are there and ``replace`` is not set, or a patient is not in the set.
    """
    recording_set = read_recording_set(directory, require_media=False)
    strange = sorted(set(fold_of_patient) - set(recording_set.patients))
    if strange:
        raise FoldError(f"patient {strange[0]!r} is not in {directory / RECORDINGS} → correct the id")
    present = folds_of(recording_set)
    if present and present != dict(fold_of_patient) and not replace:
        there = counted(len(present), "patient")
        raise FoldError(
            f"{directory / RECORDINGS}: {there} with a fold already → keep the folds, so that "
            "results stay comparable, or replace them with --replace"
        )
    path = directory / RECORDINGS
    table = read_table(path)
    folds = {row.number: fold_of_patient.get(row["patient_id"], "") for row in table.rows}
    set_column(path, "fold", folds)
    return sum(map(bool, folds.values()))


def _patient_folds(
    table: Table, identity: str, known: Mapping[str, str]
) -> tuple[dict[str, str], list[Problem]]:
    found: dict[str, str] = {}
    first: dict[str, int] = {}
    problems = []
    for row in table.rows:
        patient, fold = known.get(row[identity]), row["fold"]
        if patient is None or not fold:
            continue
        first.setdefault(patient, row.number)
        if found.setdefault(patient, fold) != fold:
            message = (
                f"patient {patient!r} is in fold {fold!r}, in row {first[patient]} in {found[patient]!r}"
            )
            fix = "put all recordings of a patient into one fold, or the test would know its patients"
            problems.append(Problem(table.file, row.number, message, fix))
    return found, problems


def _notes(
    table: Table,
    identity: str,
    known: Mapping[str, str],
    recording_set: RecordingSet,
    found: Mapping[str, str],
) -> list[str]:
    notes = []
    with_fold = {row[identity] for row in table.rows if row["fold"]}
    if identity == "video_id":
        filled = [name for name, patient in known.items() if patient in found and name not in with_fold]
        if filled:
            number = counted(len(filled), "recording")
            notes.append(f"{number} without a fold took that of the patient: {_some(filled)}")
    without = [patient for patient in recording_set.patients if patient not in found]
    if without:
        notes.append(f"{counted(len(without), 'patient')} without a fold: {_some(without)}")
    strange = [row[identity] for row in table.rows if row[identity] not in known]
    if strange:
        notes.append(
            f"{table.file}: {counted(len(strange), 'row')} about nobody in this set: {_some(strange)}"
        )
    return notes


def _some(names: list[str], limit: int = 5) -> str:
    return ", ".join(names[:limit]) + (f" and {len(names) - limit} more" if len(names) > limit else "")
