"""Which reader a file, or a folder of files, needs."""

from __future__ import annotations

import json
from pathlib import Path

from semiology.data.problems import Problem, RecordingSetError
from semiology.data.sheets.formats.boris import boris_events, boris_table
from semiology.data.sheets.formats.cvat import cvat_events, cvat_xml_events, cvat_zip_events, is_cvat
from semiology.data.sheets.formats.edf import edf_events
from semiology.data.sheets.formats.elan import elan_events
from semiology.data.sheets.formats.events import Event, event_grid, unreadable
from semiology.data.sheets.formats.label_studio import is_label_studio, label_studio_events
from semiology.data.sheets.formats.redcap import redcap_table
from semiology.data.sheets.grid import Grid, read_grids
from semiology.data.sheets.mapping import Notes, SheetMapping
from semiology.render.text import counted

EVENT_SUFFIXES = (".eaf", ".edf", ".bdf", ".boris", ".json", ".xml", ".zip")
"""Files of annotation programs; a folder may hold several of one kind."""


def read_source(path: Path, notes: Notes, mapping: SheetMapping) -> list[Grid]:
    """Return a file's sheets, or the events of an annotation program's file or folder as one sheet.

    Args:
        path: the file, or a folder with files of one kind.
        notes: takes what there is to tell, and to ask.
        mapping: what is known of how to read it.

    Raises:
        RecordingSetError: a file cannot be read, or a folder holds none or several kinds of files.
    """
    files = _files(path) if path.is_dir() else [path]
    if files[0].suffix.lower() not in EVENT_SUFFIXES:
        grids = read_grids(path, mapping.encoding or "", mapping.delimiter or "")
        if any(
            isinstance(cell, float)
            for grid in grids
            if grid.formats_unread
            for row in grid.rows
            for cell in row
        ):
            notes.remarks.append(
                f"number formats of {path.name} are not read: an id that it shows as 007 may come as 7 (save it as "
                ".xlsx to keep the zeros)"
            )
        return [_adapted(grid, notes) for grid in grids]
    events: list[Event] = []
    units = set()
    for file in files:
        found, unit = _events(file, notes, mapping.fps)
        events += found
        units |= {unit} if found else set()
    if len(units) > 1:
        raise _fault(path, "holds times in seconds and in frames", "import the files one by one")
    if not events:
        raise _fault(path, "holds no annotation", "give a file with annotations")
    unnamed = sum(not event.label for event in events)
    if unnamed:
        notes.remarks.append(f"{counted(unnamed, 'annotation')} without a text: not used")
    if files[0].suffix.lower() in (".edf", ".bdf"):
        notes.remarks.append(
            "times count from the start of the EDF file: make sure that the films start with it"
        )
    return [event_grid(path.name, [event for event in events if event.label], *units)]


def _files(folder: Path) -> list[Path]:
    found = sorted(
        path
        for path in folder.iterdir()
        if path.suffix.lower() in EVENT_SUFFIXES and path.name != "task.json"
    )
    kinds = {path.suffix.lower() for path in found}
    if len(kinds) != 1:
        what = "files of several kinds" if kinds else f"no file of {', '.join(EVENT_SUFFIXES)}"
        raise _fault(folder, f"holds {what}", "give a file, or a folder with files of one kind")
    return found


def _events(file: Path, notes: Notes, fps: float | None) -> tuple[list[Event], str]:
    match file.suffix.lower():
        case ".eaf":
            return elan_events(file), "s"
        case ".boris":
            return boris_events(file), "s"
        case ".edf" | ".bdf":
            return edf_events(file), "s"
        case ".xml":
            return cvat_xml_events(file), "frames"
        case ".zip":
            return cvat_zip_events(file), "frames"
    try:
        content = json.loads(file.read_text(encoding="utf-8-sig"))
        if is_cvat(content):
            return cvat_events(content, file), "frames"
        if is_label_studio(content):
            events, rate_needed = label_studio_events(content, file, fps)
            if rate_needed:
                notes.ask(
                    "fps",
                    f"{file.name} counts frames at the rate of the project (frameRate of its Video tag), which need "
                    "not be the films'. What is that rate?",
                )
            return events, "s"
        if isinstance(content, dict) and "behaviors_conf" in content:
            return boris_events(file), "s"
    except (OSError, ValueError, KeyError, TypeError, AttributeError, IndexError) as error:
        raise unreadable(file, "export", f"{type(error).__name__}: {error}") from None
    raise _fault(file, "is JSON of no program that is known", "export it from Label Studio, CVAT or BORIS")


def _adapted(grid: Grid, notes: Notes) -> Grid:
    """Return a table that a program exported as a plain sheet; any other table as it is."""
    if (table := boris_table(grid)) is not None:
        notes.change("file", "events that BORIS exported", "a row per event")
        return table
    if (found := redcap_table(grid)) is not None:
        notes.change("file", "an export of REDCap", "a row per recording")
        if found[1]:
            notes.remarks.append(f"{counted(found[1], 'row')} of forms that are not complete: not used")
        return found[0]
    return grid


def _fault(path: Path, message: str, fix: str) -> RecordingSetError:
    return RecordingSetError([Problem(path.name, None, message, fix)])
