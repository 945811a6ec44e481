"""Loaders of the normalised long tables of the published studies (opaque ids, times in seconds, no media)."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import cast

from semiology.data.importers.outcome import ImportOutcome
from semiology.data.importers.repository import EMBC, S3, import_repository, with_sides
from semiology.data.importers.side_tables import side_or_region
from semiology.data.importers.wide import Remarks
from semiology.data.problems import Problem, RecordingSetError
from semiology.data.recording_set import Annotation, Diagnosis, Presence, Recording
from semiology.data.tables.cells import PRESENCE, CellError, RowCells, parse_identifier
from semiology.data.tables.csv_tables import Row, Table, read_table
from semiology.data.tables.laterality import LATERALITY_COLUMNS
from semiology.features import FEATURES, suggest_feature


def read_s3(source: Path, destination: Path, *, seed: int = 0, folds: Path | None = None) -> ImportOutcome:
    """Read the S3 annotations in either form, normalised or as their repository stores them."""
    homes = (source, source / "ground_truth")
    if any((home / f"videos{suffix}").is_file() for home in homes for suffix in (".csv", ".csv.gz")):
        return load_s3_published(source, destination=destination)
    return import_repository(S3, source, seed=seed, folds=folds, directory=destination)


def read_embc(source: Path, destination: Path, *, seed: int = 0) -> ImportOutcome:
    """Read the EMBC annotations in either form, normalised or as their repository stores them."""
    path = source / "annotations.csv" if source.is_dir() else source
    if path.is_file() and "event_id" in read_table(path).columns:
        return load_embc_published(source, destination=destination)
    return import_repository(EMBC, source, seed=seed, directory=destination)


def load_s3_published(directory: Path, *, destination: Path | None = None) -> ImportOutcome:
    """Load the normalised S3 ground truth: 438 recordings of 116 patients, 20 features each.

    ``directory`` holds ``ground_truth/`` or is it; the recordings' paths lie in ``destination`` or else there.

    Raises:
        RecordingSetError: A table is missing or is not of this form.
    """
    folder = directory / "ground_truth" if (directory / "ground_truth").is_dir() else directory
    remarks = Remarks()
    videos = _table(folder, "videos.csv", ("video_id", "patient_id", "diagnosis", "fold", "test_patient"))
    home = (destination or directory).absolute() / "videos"
    recordings = []
    for row in videos.rows:
        video_id = _identifier(videos, row, "video_id")
        diagnosis = _coded(videos, row, "diagnosis", {"ES": "ES", "NES": "NES", "sample": ""}, remarks)
        recordings.append(
            Recording(
                video_id=video_id,
                patient_id=_identifier(videos, row, "patient_id"),
                video=home / f"{video_id}.mp4",
                diagnosis=cast("Diagnosis | None", diagnosis or None),
                split=_coded(videos, row, "test_patient", {"1": "test", "0": "train"}, remarks),
                fold=row["fold"] or None,
            )
        )
    known = {item.video_id for item in recordings}
    annotations = _s3_annotations(folder, known, remarks)
    laterality = _s3_laterality(folder, known, remarks)
    reports = _table(folder, "reports.csv", ("video_id", "report"))
    remarks.note_samples(sum(row["diagnosis"] == "sample" for row in videos.rows))
    return ImportOutcome(
        recordings=tuple(recordings),
        annotations=with_sides(annotations, laterality, remarks),
        reports={row["video_id"]: row["report"] for row in _known(reports, known, remarks) if row["report"]},
        metadata=S3.metadata,
        unused=tuple(remarks.unused),
        notes=tuple(remarks.notes),
        laterality=laterality,
    )


def load_embc_published(path: Path, *, destination: Path | None = None) -> ImportOutcome:
    """Load the normalised EMBC labels: 90 recordings of 29 patients; an empty cell means "not annotated".

    ``path`` is ``annotations.csv`` or its folder; the recordings' paths lie in ``destination`` or else there.

    Raises:
        RecordingSetError: The table is missing or is not of this form.
    """
    folder = path if path.is_dir() else path.parent
    table = _table(folder, path.name if path.is_file() else "annotations.csv",
                   ("event_id", "patient_id", "epileptic", *FEATURES))  # fmt: skip
    remarks = Remarks()
    home = (destination or folder).absolute() / "videos"
    recordings: list[Recording] = []
    annotations: list[Annotation] = []
    for row in table.rows:
        video_id = _identifier(table, row, "event_id")
        diagnosis = _coded(table, row, "epileptic", {"1": "ES", "0": "NES"}, remarks)
        recordings.append(
            Recording(
                video_id=video_id,
                patient_id=_identifier(table, row, "patient_id"),
                video=home / f"{video_id}.mp4",
                diagnosis=cast("Diagnosis | None", diagnosis),
            )
        )
        for feature in FEATURES:
            present = _coded(table, row, feature, {"1": "yes", "0": "no"}, remarks)
            if present:
                annotations.append(Annotation(video_id, feature, cast(Presence, present)))
    idle = [name for name in table.columns if name.startswith("in_")]
    if idle:
        remarks.notes.append(f"{table.file}: columns not imported: {', '.join(idle)}")
    return ImportOutcome(
        recordings=tuple(recordings),
        annotations=tuple(annotations),
        reports={},
        metadata=EMBC.metadata,
        unused=tuple(remarks.unused),
        notes=tuple(remarks.notes),
    )


def _table(folder: Path, name: str, columns: tuple[str, ...]) -> Table:
    path = next((item for item in (folder / f"{name}.gz", folder / name) if item.is_file()), None)
    if path is None:
        fix = "give the folder of the normalised tables"
        raise RecordingSetError([Problem(name, None, f"is missing in {folder}", fix)])
    table = read_table(path)
    missing = [column for column in columns if column not in table.columns]
    if missing:
        message = f"the columns {', '.join(missing)} are missing"
        table.problems.append(Problem(table.file, 1, message, "use the table as it was published"))
    if table.problems:
        raise RecordingSetError(table.problems)
    return table


def _identifier(table: Table, row: Row, column: str) -> str:
    try:
        return parse_identifier(row[column])
    except CellError as error:
        problem = Problem(table.file, row.number, f"{column}: {error}", error.fix)
        raise RecordingSetError([problem]) from None


def _coded(table: Table, row: Row, column: str, codes: Mapping[str, str], remarks: Remarks) -> str | None:
    text = row[column]
    if text and text not in codes:
        remarks.not_used(table, row, f"{column}: {text!r} is not one of {', '.join(codes)}")
    return codes.get(text)


def _known(table: Table, known: set[str], remarks: Remarks) -> list[Row]:
    rows = []
    for row in table.rows:
        if row["video_id"] in known:
            rows.append(row)
        else:
            remarks.not_used(table, row, f"the video {row['video_id']!r} is not in videos.csv")
    return rows


def _s3_annotations(folder: Path, known: set[str], remarks: Remarks) -> list[Annotation]:
    table = _table(folder, "annotations.csv", ("video_id", "feature", "present", "onset_s", "offset_s"))
    found: dict[tuple[str, str], Annotation] = {}
    for row in _known(table, known, remarks):
        feature = row["feature"]
        if feature not in FEATURES:
            remarks.not_used(table, row, f"unknown feature {feature!r}{suggest_feature(feature)}")
            continue
        cells = RowCells(table, row, partial(remarks.not_used, table, row))
        present = cells.choice("present", ("yes", "no", "na"), PRESENCE)
        if present is None:
            continue
        onset, offset = cells.seconds("onset_s"), cells.seconds("offset_s")
        item = Annotation(row["video_id"], feature, cast(Presence, present), onset, offset)
        if found.setdefault((item.video_id, feature), item) is not item:
            remarks.not_used(table, row, f"a second row for {item.video_id}, {feature}")
    return list(found.values())


def _s3_laterality(folder: Path, known: set[str], remarks: Remarks) -> tuple[Mapping[str, str], ...]:
    table = _table(folder, "laterality.csv", LATERALITY_COLUMNS)
    rows: list[Mapping[str, str]] = []
    for row in _known(table, known, remarks):
        cells = {column: row[column] for column in LATERALITY_COLUMNS}
        for column in ("head_turning_side", "arm_movement_side", "onset_region"):
            cells[column] = side_or_region(table, row, column, column, remarks)
        rows.append(cells)
    return tuple(rows)
