"""Events of annotation programs as one sheet: a row per event."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from semiology.data.problems import Problem, RecordingSetError
from semiology.data.sheets.grid import Cell, Grid, made_grid


@dataclass(frozen=True)
class Event:
    """One annotated stretch of a recording.

    Attributes:
        video: name of the recording or its film. label: what was seen, in the words of the annotator.
        onset, offset: in the unit of the file; None where there is none.
        side: a word for the side. comment: free text.
        present: a word for yes or no; empty for an event that was just marked.
    """

    video: str
    label: str
    onset: float | None = None
    offset: float | None = None
    side: str = ""
    comment: str = ""
    present: str = ""


def event_grid(name: str, events: Sequence[Event], unit: str = "s") -> Grid:
    """Return events as a sheet; ``unit`` (``s`` or ``frames``) is that of their times."""
    said = any(event.present for event in events)
    headings = ["video", "feature", f"onset ({unit})", f"offset ({unit})", "side", "comment"]
    rows: list[list[Cell]] = []
    for event in events:
        times: list[Cell] = ["" if value is None else float(value) for value in (event.onset, event.offset)]
        present = [event.present or "yes"] if said else []
        rows.append([event.video, event.label, *times, event.side, event.comment, *present])
    return made_grid(name, [*headings, *(["present"] if said else [])], rows)


def unreadable(path: Path, what: str, error: object) -> RecordingSetError:
    """Return the error for a file that is damaged or of another kind."""
    return RecordingSetError(
        [Problem(path.name, None, f"is no {what} that can be read ({error})", "export it again")]
    )


def package_missing(path: Path, package: str) -> RecordingSetError:
    """Return the error for a package that is not installed."""
    fix = "pip install 'semiology-eval[import]'"
    return RecordingSetError(
        [Problem(path.name, None, f"is read with {package}, which is not installed", fix)]
    )
