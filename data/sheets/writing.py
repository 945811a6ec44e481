"""Writing what a sheet holds: a new recording set, or the annotations of one that is there."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from semiology.data.cache import keep_copy, write_whole
from semiology.data.importers.outcome import ImportOutcome, write_key, write_outcome
from semiology.data.problems import Problem, RecordingSetError
from semiology.data.recording_set import Recording
from semiology.data.sheets.reading import SheetContent
from semiology.data.sheets.template import TEMPLATE_CSV
from semiology.data.tables.csv_tables import read_table
from semiology.data.tables.reading import ANNOTATIONS, METADATA, RECORDINGS, read_folder
from semiology.data.tables.writing import annotations_text, key_problems


def existing_recordings(target: Path) -> dict[str, Recording]:
    """Return the recordings of a set that waits for its annotations, by id; none where there is no such set.

    Raises:
        RecordingSetError: its recordings have faults.
    """
    waits = (target / TEMPLATE_CSV).is_file() or not _rows(target / ANNOTATIONS)
    if not (target / RECORDINGS).is_file() or not (target / METADATA).is_file() or not waits:
        return {}
    reading = read_folder(target, require_media=False)
    if faults := [problem for problem in reading.problems if problem.file == RECORDINGS]:
        raise RecordingSetError(faults)
    return {recording.video_id: recording for _, recording in reading.recordings}


def _rows(path: Path) -> int:
    return len(read_table(path).rows) if path.is_file() else 0


def refuse_to_replace(target: Path, key: Path | None, force: bool) -> None:
    """Refuse to replace annotations unless told to; with ``force`` a copy is kept.

    Raises:
        RecordingSetError: there are annotations, or the key cannot be written.
    """
    faults = key_problems(key, target) if key else []
    if _rows(target / ANNOTATIONS) and not force:
        fix = "choose a new folder, or add --force (a copy is kept)"
        faults.append(Problem(str(target), None, "holds annotations already", fix))
    if faults:
        raise RecordingSetError(faults)


def refuse_to_begin(target: Path, key: Path | None) -> None:
    """Refuse to begin a set where one is.

    Raises:
        RecordingSetError: there are tables already, or the key cannot be written.
    """
    faults = key_problems(key, target) if key else []
    if (target / RECORDINGS).exists():
        faults.append(Problem(str(target), None, "holds a recording set already", "choose a new folder"))
    if faults:
        raise RecordingSetError(faults)


def write_content(
    content: SheetContent, target: Path, known: Mapping[str, Recording], key: Path | None
) -> int:
    """Write a set, or only its annotations where its recordings are ``known``; return how many films are in place."""
    for name in (ANNOTATIONS,) if known else (RECORDINGS, ANNOTATIONS):
        if _rows(target / name):
            keep_copy(target / name)
    if known:
        write_whole(target / ANNOTATIONS, annotations_text(content.annotations, target))
        return sum(item.video.is_file() for item in known.values())
    outcome = ImportOutcome(
        content.recordings, content.annotations, content.reports,
        {"name": target.name, "version": "1", "source": "imported from a sheet", "licence": "not stated"},
        source_names=content.source_names,
    )  # fmt: skip
    films = {item.video_id: item.video for item in content.recordings if item.video.is_file()}
    placed = write_outcome(outcome, target, films)
    if key:
        write_key(outcome, key)
    return placed
