"""Importing the wide tables of the two published repositories (the S3 suite and the EMBC pilot study)."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import cast

from semiology.data.deidentify.opaque_ids import OpaqueIds, opaque_ids
from semiology.data.importers.outcome import ImportOutcome
from semiology.data.importers.side_tables import fold_of, laterality_of, read_diagnoses, read_reports
from semiology.data.importers.wide import (
    FILE_NAME,
    Remarks,
    annotations_of_row,
    feature_columns,
    note_columns,
    rows_by_name,
    slug,
    stem_of,
)
from semiology.data.problems import Problem, RecordingSetError
from semiology.data.recording_set import Annotation, Diagnosis, Recording, Side
from semiology.data.tables.csv_tables import Row, Table, read_table

_NAMED_KIND = re.compile(r"@(sz|nes)_v")
_MIN_FEATURES = 3
_FILE_NAMES = {"filename": FILE_NAME, "video": FILE_NAME, "video_name": FILE_NAME}


@dataclass(frozen=True)
class Layout:
    """How a published repository names its tables; ``metadata`` is the content for ``dataset.yaml``.

    ``preferred`` has, by purpose, the file names to prefer where several tables would do; ``test_fold`` is the fold
    that is the test split, if any.
    """

    metadata: Mapping[str, object]
    preferred: Mapping[str, tuple[str, ...]]
    test_fold: str | None = None


S3 = Layout(
    metadata={
        "name": "seizure-semiology-suite",
        "version": "published annotations",
        "source": "Zhang et al., Seizure-Semiology-Suite, arXiv 2605.21852 (2026), and its public repository",
        "licence": "no explicit data licence; research use; do not try to re-identify anyone",
    },
    preferred={
        "annotations": ("task12_annotation.csv",),
        "laterality": ("task3_annotation.csv",),
        "report": ("task6_annotation.csv", "task6_report_annotation.csv", "task6_report_modified.csv"),
        "label": ("task7_annotation.csv", "task7_esnes_annotation.csv"),
        "fold": ("all_folds.csv", "cv_folds.csv"),
    },
    test_fold="0",
)
EMBC = Layout(
    metadata={
        "name": "embc-pilot",
        "version": "published annotations",
        "source": "Zhang et al., pilot study on seizure semiology, EMBC 2025, and its public repository",
        "licence": "no licence file; research use; do not try to re-identify anyone",
    },
    preferred={"annotations": ("annotations.csv",)},
)


def import_repository(
    layout: Layout, source: Path, *, seed: int = 0, folds: Path | None = None, directory: Path | None = None
) -> ImportOutcome:
    """Read the wide tables of a published repository; original names are replaced by opaque ids.

    Args:
        layout, seed: `S3` or `EMBC`; what draws the order of the opaque ids.
        source: The wide annotation table, or the folder that holds it and, beside it, any tables of
            laterality, reports, diagnoses and folds (found by their columns).
        folds: Table of folds that lies elsewhere.
        directory: Folder that the recordings' paths shall lie in (default: ``source``).

    Raises:
        RecordingSetError: No annotation table is found, several would do, or one cannot be read.
    """
    tables = _tables(source, folds)
    remarks = Remarks()
    chosen = {purpose: _choose(layout, tables, purpose) for purpose in _WANTED}
    wide = chosen["annotations"]
    if wide is None and source.is_file() and FILE_NAME in tables[0].columns and feature_columns(tables[0]):
        wide = tables[0]  # the user named this very file, however few features it has
    if wide is None:
        unread = [problem for table in tables for problem in table.problems]
        raise RecordingSetError(unread or [_no_wide_table(source, tables)])
    note_columns(wide, remarks)
    named = rows_by_name(wide, remarks)
    used = {id(table) for table in chosen.values()}
    if idle := [table.file for table in tables if id(table) not in used]:
        remarks.notes.append(f"files not imported: {', '.join(idle)}")
    remarks.unused += [problem for table in tables if id(table) not in used for problem in table.problems]
    patients = _patients(wide, named, remarks)
    ids = opaque_ids([(patient, name) for name, patient in patients.items()], seed)
    rows = {ids.videos[name]: named[name] for name in patients}
    annotations = [
        item
        for video_id in sorted(rows)
        for item in annotations_of_row(wide, rows[video_id], video_id, remarks)
    ]
    laterality = laterality_of(chosen["laterality"], ids.videos, remarks)
    return ImportOutcome(
        recordings=_recordings(layout, chosen, patients, ids, (directory or source).absolute(), remarks),
        annotations=with_sides(annotations, laterality, remarks),
        reports=read_reports(chosen["report"], ids.videos, remarks),
        metadata=layout.metadata,
        unused=tuple(remarks.unused),
        doubts=tuple(remarks.doubts),
        notes=tuple(remarks.notes),
        source_names={video_id: rows[video_id][FILE_NAME] for video_id in sorted(rows)},
        laterality=laterality,
    )


def _no_wide_table(source: Path, tables: Sequence[Table]) -> Problem:
    """Say what the tables lack to be the annotations."""
    for table in tables:
        found = feature_columns(table) if FILE_NAME in table.columns else ()
        if found:
            message = f"{table.file} has only {len(found)} feature columns, {_MIN_FEATURES} are needed"
            return Problem(str(source), None, message, "name that CSV file itself if it is the right one")
    message = f"no table with the column {FILE_NAME!r} and one column per feature"
    return Problem(str(source), None, message, "name the CSV file or its folder")


_WANTED = ("annotations", "laterality", "report", "label", "fold")
_LATERALITY_MARKS = {"left_right_head_turning", "left_right_arm_movement", "body_region_onset",
                     "head_turning_side", "arm_movement_side", "onset_region"}  # fmt: skip


def _suits(table: Table, purpose: str) -> bool:
    if FILE_NAME not in table.columns:
        return False
    if purpose == "annotations":
        return len(feature_columns(table)) >= _MIN_FEATURES
    if purpose == "laterality":
        return bool(_LATERALITY_MARKS & set(table.columns))
    return purpose in table.columns


def _tables(source: Path, folds: Path | None) -> list[Table]:
    if source.is_dir():
        paths = sorted([*source.glob("*.csv"), *source.glob("*.csv.gz")])
    elif source.is_file():
        paths = [source]
    else:
        raise RecordingSetError([Problem(str(source), None, "does not exist", "check the path")])
    tables = [read_table(path) for path in [*paths, *([folds] if folds else [])]]
    for table in tables:
        names = {column: _FILE_NAMES.get(slug(column), slug(column)) for column in table.columns}
        table.rows = [Row(row.number, {new: row[old] for old, new in names.items()}) for row in table.rows]
        table.columns = tuple(names[column] for column in table.columns)
    return tables


def _choose(layout: Layout, tables: Sequence[Table], purpose: str) -> Table | None:
    fitting = [table for table in tables if _suits(table, purpose)]
    for name in layout.preferred.get(purpose, ()):
        fitting = [table for table in fitting if table.file.lower() == name] or fitting
        if len(fitting) == 1:
            break
    if len(fitting) > 1:
        names = ", ".join(table.file for table in fitting)
        fix = "leave one of them in the folder, or name the annotation table itself"
        raise RecordingSetError([Problem(names, None, f"several tables would do for {purpose!r}", fix)])
    if fitting and fitting[0].problems:
        raise RecordingSetError(fitting[0].problems)
    return fitting[0] if fitting else None


def _patients(wide: Table, named: Mapping[str, Row], remarks: Remarks) -> dict[str, str]:
    """Return the patient that each file name tells; names that tell none are noted."""
    patients: dict[str, str] = {}
    for name, row in named.items():
        match = re.match(r"([^@]+)@|(.+?)_v\d+$", name)
        if match:
            patients[name] = match[1] or match[2]
        else:
            fix = "name it <patient>@<date>@<recording>@… or <patient>_V<number>"
            remarks.not_used(wide, row, f"the file name {row[FILE_NAME]!r} tells no patient", fix)
    return patients


def _recordings(
    layout: Layout,
    chosen: Mapping[str, Table | None],
    patients: Mapping[str, str],
    ids: OpaqueIds,
    directory: Path,
    remarks: Remarks,
) -> tuple[Recording, ...]:
    """Return the recordings; the patients of the layout's test fold are the split ``test``, others ``train``."""
    diagnoses = read_diagnoses(chosen["label"], ids.videos, remarks)
    folds = fold_of(chosen["fold"], ids.videos, remarks)
    splits: dict[str, str] = {}
    if layout.test_fold is not None and folds:
        splits = dict.fromkeys(patients.values(), "train")
        tested = [p for name, p in patients.items() if folds.get(ids.videos[name]) == layout.test_fold]
        splits |= dict.fromkeys(tested, "test")
    return tuple(
        Recording(
            video_id=video_id,
            patient_id=ids.patients[patients[name]],
            video=directory / "videos" / f"{video_id}.mp4",
            diagnosis=diagnoses[video_id] if video_id in diagnoses else named_diagnosis(name),
            split=splits.get(patients[name]),
            fold=folds.get(video_id),
        )
        for name, video_id in sorted(ids.videos.items(), key=lambda item: item[1])
    )


def named_diagnosis(name: str) -> Diagnosis | None:
    """Return the diagnosis that the published file names carry (``@sz_v…`` or ``@nes_v…``)."""
    match = _NAMED_KIND.search(stem_of(name))
    return None if match is None else "ES" if match[1] == "sz" else "NES"


def with_sides(
    annotations: Sequence[Annotation], laterality: Sequence[Mapping[str, str]], remarks: Remarks
) -> tuple[Annotation, ...]:
    """Return the annotations with the side of ``head_turning`` filled in from the laterality table."""
    sides = {row["video_id"]: row["head_turning_side"] for row in laterality}
    clashes = 0
    result: list[Annotation] = []
    for item in annotations:
        side = sides.get(item.video_id, "") if item.feature == "head_turning" else ""
        clashes += bool(side) and item.present != "yes"
        result.append(replace(item, side=cast(Side, side)) if side else item)
    if clashes:
        remarks.notes.append(
            f"{clashes} recordings have a head turning side but head_turning is not 'yes': both were kept"
        )
    return tuple(result)
