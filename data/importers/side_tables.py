"""The tables beside the annotations: laterality, reports, diagnoses and folds."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import cast

from semiology.data.importers.wide import NOT_GIVEN, Remarks, rows_by_name, seconds_of
from semiology.data.recording_set import Diagnosis
from semiology.data.tables.csv_tables import Row, Table
from semiology.features import REGIONS

_COLUMNS = {
    "head_turning_side": ("left_right_head_turning", "head_turning_side"),
    "head_turning_start_s": ("start_time_for_left_right_head_turning", "start_time_for_head_turning"),
    "head_turning_end_s": ("end_time_for_left_right_head_turning", "end_time_for_head_turning"),
    "arm_movement_side": ("left_right_arm_movement", "arm_movement_side"),
    "arm_movement_start_s": ("start_time_for_left_right_arm_movement", "start_time_for_arm_movement"),
    "arm_movement_end_s": ("end_time_for_left_right_arm_movement", "end_time_for_arm_movement"),
    "onset_region": ("body_region_onset", "onset_region"),
}


def _matched(
    table: Table | None, videos: Mapping[str, str], remarks: Remarks
) -> Iterator[tuple[Table, Row, str]]:
    """Yield (table, row, video id); rows about videos that have no annotation are noted."""
    if table is None:
        return
    for name, row in rows_by_name(table, remarks).items():
        if name in videos:
            yield table, row, videos[name]
        else:
            remarks.not_used(table, row, "its file_name matches no annotated video")


def read_reports(table: Table | None, videos: Mapping[str, str], remarks: Remarks) -> dict[str, str]:
    """Return the report text by video id."""
    found = {video_id: row["report"] for _table, row, video_id in _matched(table, videos, remarks)}
    return {video_id: found[video_id] for video_id in sorted(found) if found[video_id]}


def read_diagnoses(
    table: Table | None, videos: Mapping[str, str], remarks: Remarks
) -> dict[str, Diagnosis | None]:
    """Return the diagnosis by video id; ``sample`` clips have none, which is noted."""
    found: dict[str, Diagnosis | None] = {}
    samples = 0
    for source, row, video_id in _matched(table, videos, remarks):
        label = row["label"].upper()
        if label in {"ES", "NES"}:
            found[video_id] = cast(Diagnosis, label)
        elif label == "SAMPLE":
            found[video_id], samples = None, samples + 1
        else:
            remarks.not_used(source, row, f"label: {row['label']!r} is neither ES, NES nor sample")
    remarks.note_samples(samples)
    return found


def fold_of(table: Table | None, videos: Mapping[str, str], remarks: Remarks) -> dict[str, str]:
    """Return the cross-validation fold by video id, where the table gives one."""
    found = {video_id: row["fold"] for _table, row, video_id in _matched(table, videos, remarks)}
    return {video_id: fold.removesuffix(".0") for video_id, fold in found.items() if fold}


def laterality_of(
    table: Table | None, videos: Mapping[str, str], remarks: Remarks
) -> tuple[Mapping[str, str], ...]:
    """Return the laterality rows by video id: sides ``left`` or ``right``, times in seconds, onset region.

    Values that cannot be used are noted and left empty.
    """
    rows = []
    for source, row, video_id in _matched(table, videos, remarks):
        cells = {"video_id": video_id}
        for target, names in _COLUMNS.items():
            column = next((name for name in names if name in source.columns), None)
            if column is None:
                cells[target] = ""
            elif target.endswith("_s"):
                seconds = seconds_of(source, row, column, remarks)
                cells[target] = "" if seconds is None else f"{seconds:g}"
            else:
                cells[target] = side_or_region(source, row, column, target, remarks)
        rows.append(cells)
    return tuple(sorted(rows, key=lambda row: row["video_id"]))


def side_or_region(table: Table, row: Row, column: str, target: str, remarks: Remarks) -> str:
    """Return a side or a region for the column ``target`` of ``laterality.csv``; empty where none is given."""
    text = row[column].strip().lower()
    allowed = REGIONS if target == "onset_region" else ("left", "right")
    if text in allowed:
        return text
    if text not in NOT_GIVEN and text != "filled":
        remarks.not_used(table, row, f"{column}: {text!r} is not one of {', '.join(allowed)}")
    return ""
