"""Digests of films (SHA-256), recorded while they are whole: any later change is seen, whatever the format.

Films are read whole each time: what a disk damages changes neither the size nor the time of a file, by which other
digests are remembered.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from semiology.data.cache import file_digest
from semiology.data.problems import Problem, RecordingSetError
from semiology.data.recording_set import Recording
from semiology.data.tables.column_editing import set_column
from semiology.data.tables.reading import RECORDINGS, read_folder

COLUMN = "sha256"


@dataclass(frozen=True)
class Digests:
    """What became of a set's digests: how many are recorded now, how many before, and films that had another."""

    recorded: int
    before: int
    differing: tuple[str, ...] = ()


def record_digests(
    directory: Path, *, again: bool = False, on_film: Callable[[int, int], None] | None = None
) -> Digests:
    """Write the digest of every film into the column ``sha256`` of ``recordings.csv``; other cells keep their bytes.

    A film that has another digest than was recorded keeps the recorded one, and is named.

    Args:
        directory: of the recording set.
        again: replace digests that differ.
        on_film: called with the films that are done and all of them.

    Raises:
        RecordingSetError: the set cannot be read.
        ValueError: the table cannot be changed in this column alone.
    """
    reading = read_folder(directory)
    if reading.problems:
        raise RecordingSetError(reading.problems)
    cells: dict[int, str] = {}
    differing: list[str] = []
    for done, (row, recording) in enumerate(reading.recordings, 1):
        found = file_digest(recording.video)
        differs = recording.sha256 is not None and recording.sha256 != found
        if differs:
            differing.append(recording.video_id)
        cells[row] = found if again or not differs else str(recording.sha256)
        if on_film:
            on_film(done, len(reading.recordings))
    before = sum(recording.sha256 is not None for _, recording in reading.recordings)
    set_column(directory / RECORDINGS, COLUMN, cells)
    return Digests(len(cells), before, tuple(differing))


def changed_film(row: int, recording: Recording) -> Problem | None:
    """Return the problem of a film whose content is not what its recorded digest says; None elsewhere."""
    if recording.sha256 is None or file_digest(recording.video) == recording.sha256:
        return None
    message = f"{recording.video_id}, {COLUMN}: the film is not the one whose digest was recorded"
    fix = "copy it again from the original; if it was changed on purpose: semiology data digests --again"
    return Problem(RECORDINGS, row, message, fix)
