"""Sides and the region of onset: the optional table ``laterality.csv`` of a recording set.

Columns (all but ``video_id`` optional): ``head_turning_side``, ``head_turning_start_s``,
``head_turning_end_s``, ``arm_movement_side``, ``arm_movement_start_s``, ``arm_movement_end_s`` and
``onset_region``. Sides are the patient's own; times are seconds from the start of the video; an empty cell
means "not annotated or none". The importers and the simulator write this table.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, cast

from semiology.data.problems import Problem, RecordingSetError
from semiology.data.recording_set import Annotation, RecordingSet
from semiology.data.tables.cells import RowCells
from semiology.data.tables.csv_tables import Row, Table, check_columns, read_table
from semiology.features import REGIONS

OneSide = Literal["left", "right"]
LATERALITY = "laterality.csv"
LATERALITY_COLUMNS = (
    "video_id", "head_turning_side", "head_turning_start_s", "head_turning_end_s",
    "arm_movement_side", "arm_movement_start_s", "arm_movement_end_s", "onset_region",
)  # fmt: skip
REGION_HINTS: Mapping[str, str] = {"whole body": "full body", "body": "full body", "eye": "eyes"}


@dataclass(frozen=True)
class SidedEvent:
    """A lateralising event: the patient's side, and its times in s where they are annotated."""

    side: OneSide
    start_s: float | None
    end_s: float | None


@dataclass(frozen=True)
class Laterality:
    """What is known about sides in one recording; None where nothing is."""

    head_turning: SidedEvent | None = None
    arm_movement: SidedEvent | None = None
    onset_region: str | None = None


def read_laterality(recording_set: RecordingSet) -> Mapping[str, Laterality]:
    """Return laterality by video id.

    Where the table gives no side for head turning (or there is no table), the annotation of the feature
    ``head_turning`` gives it (columns ``side``, ``onset_s`` and ``offset_s`` of ``annotations.csv``).

    Raises:
        RecordingSetError: The table has faults; all are listed with file, row and fix.
    """
    videos = [recording.video_id for recording in recording_set.recordings]
    known_ids = {*videos, *recording_set.withheld}
    return laterality_of(recording_set.directory, videos, known_ids, recording_set.annotations)


def laterality_of(
    directory: Path, videos: Iterable[str], known_ids: Collection[str], annotations: Iterable[Annotation]
) -> Mapping[str, Laterality]:
    """Return laterality of some recordings of a folder; as `read_laterality`.

    Args:
        directory: of the set. videos: whose laterality is wanted. known_ids: those of all its recordings.
        annotations: of the recordings wanted.

    Raises:
        RecordingSetError: The table has faults.
    """
    rows, problems, _ = _read_table(directory, known_ids)
    if problems:
        raise RecordingSetError(problems)
    turns = {each.video_id: each for each in annotations if each.feature == "head_turning"}
    found: dict[str, Laterality] = {}
    for video_id in videos:
        known = rows.get(video_id, Laterality())
        turn = known.head_turning or _annotated_turn(turns.get(video_id))
        found[video_id] = Laterality(turn, known.arm_movement, known.onset_region)
    return found


def laterality_problems(directory: Path, video_ids: Collection[str]) -> list[Problem]:
    """Return everything that is wrong with the table of a folder; nothing where there is no table.

    Ids are held against ``video_ids``, those of its recordings, unless none of them is known.
    """
    return _read_table(directory, video_ids)[1]


def laterality_warnings(directory: Path, video_ids: Collection[str]) -> list[Problem]:
    """Return what should be looked at in the table of a folder: columns and times that nothing reads."""
    return _read_table(directory, video_ids)[2]


def _annotated_turn(annotation: Annotation | None) -> SidedEvent | None:
    if annotation is None or annotation.present != "yes" or annotation.side not in ("left", "right"):
        return None
    return SidedEvent(annotation.side, annotation.onset_s, annotation.offset_s)


def _read_table(
    directory: Path, video_ids: Collection[str]
) -> tuple[dict[str, Laterality], list[Problem], list[Problem]]:
    """Return the rows by video id, problems and warnings."""
    path = directory / LATERALITY
    if not path.is_file():
        return {}, [], []
    table = read_table(path)
    problems, warnings = list(table.problems), list[Problem]()
    if table.columns:
        faults, warnings = check_columns(table, LATERALITY_COLUMNS[:1], LATERALITY_COLUMNS[1:])
        problems += faults
    rows: dict[str, Laterality] = {}
    for row in table.rows:
        video_id = row["video_id"]
        if video_ids and video_id not in video_ids:
            fix = "use an id of recordings.csv, or delete the row"
            problems.append(Problem(LATERALITY, row.number, f"unknown video_id {video_id!r}", fix))
        elif video_id in rows:
            problems.append(
                Problem(LATERALITY, row.number, f"{video_id} has a row already", "keep one row per video")
            )
        else:
            rows[video_id] = _laterality(row, table, problems)
            warnings += _times_of_no_side(row)
    return rows, problems, warnings


def _times_of_no_side(row: Row) -> list[Problem]:
    """Return a warning for each event whose times stand in a row without a side."""
    found = []
    for name in ("head_turning", "arm_movement"):
        times = [column for end in ("start", "end") if row[column := f"{name}_{end}_s"]]
        if times and not row[f"{name}_side"]:
            message = f"{row['video_id']}: {' and '.join(times)} without {name}_side are not used"
            found.append(Problem(LATERALITY, row.number, message, "write the side, or delete the times"))
    return found


def _laterality(row: Row, table: Table, problems: list[Problem]) -> Laterality:
    def note(message: str, fix: str) -> None:
        problems.append(Problem(LATERALITY, row.number, message, fix))

    cells = RowCells(table, row, note)

    def event(name: str) -> SidedEvent | None:
        side = cells.choice(f"{name}_side", ("left", "right"), {"l": "left", "r": "right"})
        start, end = cells.seconds(f"{name}_start_s"), cells.seconds(f"{name}_end_s")
        if start is not None and end is not None and end < start:
            note(f"{name}_end_s {end:g} is before {name}_start_s {start:g}", "correct the times")
        return SidedEvent(cast(OneSide, side), start, end) if side else None

    region = cells.choice("onset_region", REGIONS, REGION_HINTS)
    return Laterality(event("head_turning"), event("arm_movement"), region)
