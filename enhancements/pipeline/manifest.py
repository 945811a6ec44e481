"""``enhanced.csv``: which derived file stands for a recording under an enhancement, and what came of it.

The table lies in the recording set, or in the output folder that was chosen, and a clinician can open it in a
spreadsheet. Each row remembers the state of the recording's files, so that a derived file is never taken for
that of a video which was replaced since.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any, get_args

from semiology.data.cache import locked, write_whole
from semiology.data.problems import Problem, RecordingSetError
from semiology.data.recording_set import Recording
from semiology.data.tables.csv_tables import Row, check_columns, read_table
from semiology.data.tables.writing import table_text
from semiology.enhancements.pipeline.step import Figure, Status
from semiology.enhancements.registry import STEPS

MANIFEST = "enhanced.csv"
"""Folder of the manifest, where it does not lie in the recording set."""
Pair = tuple[str, str]
"""(video_id, enhancement)."""


@dataclass(frozen=True)
class Enhanced:
    """One row: what came of one enhancement of one recording.

    Attributes:
        file: absolute path of the derived file, or None unless ``done``.
        sentence: what came out, or what is wrong and how to fix it.
        figures: what was counted, by name.
        settings: stands for version and all parameters of the step; one for all recordings that may be put
            together.
        key: entry in the cache; stands for inputs, parameters and version together.
        source: state of the recording's files when the row was written, see `source_state`.
    """

    video_id: str
    enhancement: str
    status: Status
    file: Path | None
    sentence: str
    figures: Mapping[str, Figure]
    version: str
    settings: str
    key: str
    source: str


COLUMNS = tuple(each.name for each in fields(Enhanced))


def source_state(recording: Recording) -> str:
    """Return a short string that changes when a file of the recording is replaced, added or taken away."""
    files = (recording.video, recording.audio, recording.pose, recording.transcript)
    state = hashlib.sha256()
    for path in files:
        known = path.stat() if path is not None and path.exists() else None
        state.update(f"{known.st_size}-{known.st_mtime_ns}|".encode() if known else b"none|")
    return state.hexdigest()[:16]


def read_manifest(folder: Path) -> dict[Pair, Enhanced]:
    """Read the manifest of a folder; no file is an empty one.

    Raises:
        RecordingSetError: the table has faults; all are listed with row and fix.
    """
    path = folder / MANIFEST
    if not path.exists():
        return {}
    table = read_table(path, MANIFEST)
    problems = [
        replace(problem, fix=_FIX) for problem in (*table.problems, *check_columns(table, COLUMNS, ())[0])
    ]
    rows: dict[Pair, Enhanced] = {}
    for row in table.rows if not problems else ():
        try:
            item = _row(row, folder)
        except ValueError as error:
            problems.append(Problem(MANIFEST, row.number, str(error), _FIX))
            continue
        if (item.video_id, item.enhancement) in rows:
            problems.append(Problem(MANIFEST, row.number, "the same recording and enhancement twice", _FIX))
        rows[item.video_id, item.enhancement] = item
    if problems:
        raise RecordingSetError(problems)
    return rows


_FIX = f"delete {MANIFEST} and run `semiology enhance` again; what is in the cache is not made anew"


def write_manifest(folder: Path, rows: Iterable[Enhanced]) -> None:
    """Put rows into the manifest of a folder; those of other recordings and enhancements are kept.

    Runs that end at the same time wait for each other.

    Raises:
        RecordingSetError: the manifest that is there has faults.
        OSError: the folder cannot be written to.
    """
    with locked(folder):
        known = read_manifest(folder)
        known |= {(row.video_id, row.enhancement): row for row in rows}
        ordered = sorted(known.values(), key=lambda row: (row.video_id, list(STEPS).index(row.enhancement)))
        text = table_text(COLUMNS, [_cells(row, folder) for row in ordered])
        write_whole(folder / MANIFEST, text)


def _row(row: Row, folder: Path) -> Enhanced:
    status, enhancement = row["status"], row["enhancement"]
    if status not in get_args(Status):
        raise ValueError(f"the status is {status!r}, not one of {', '.join(get_args(Status))}")
    if enhancement not in STEPS:
        raise ValueError(f"the enhancement is {enhancement!r}, not one of {', '.join(STEPS)}")
    if (status == "done") != bool(row["file"]):
        raise ValueError("a file is named if, and only if, the status is done")
    if not row["video_id"]:
        raise ValueError("no video_id")
    try:
        figures = json.loads(row["figures"] or "{}")
    except json.JSONDecodeError:
        figures = None
    if not isinstance(figures, dict):
        raise ValueError("the figures are not a JSON object")
    file = folder.absolute() / row["file"] if row["file"] else None
    given: dict[str, Any] = {name: row[name] for name in COLUMNS}
    return Enhanced(**{**given, "file": file, "figures": figures})


def _cells(row: Enhanced, folder: Path) -> dict[str, str]:
    """Return a row as text; a file in the folder is named relative to it, so that the folder can be moved."""
    file, folder = row.file, folder.absolute()
    if file and file.is_relative_to(folder):
        file = file.relative_to(folder)
    figures = json.dumps(dict(row.figures), sort_keys=True) if row.figures else ""
    cells = {name: getattr(row, name) for name in COLUMNS}
    return {**cells, "file": file.as_posix() if file else "", "figures": figures}
