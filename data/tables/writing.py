"""Writing a recording set: the same content always gives the same bytes, and a file is whole or absent."""

from __future__ import annotations

import csv
import errno
import io
import os
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from pathlib import Path

import yaml

from semiology.data.cache import write_whole
from semiology.data.problems import Problem, RecordingSetError
from semiology.data.recording_set import Annotation, Recording
from semiology.data.tables.csv_tables import guarded_cell
from semiology.data.tables.reading import (
    ANNOTATIONS,
    CONCLUSIONS,
    METADATA,
    NO_EVENT,
    OPTIONAL_COLUMNS,
    RECORDINGS,
    REPORTS,
    REQUIRED_COLUMNS,
)


def write_recording_set(
    directory: Path,
    recordings: Sequence[Recording],
    annotations: Sequence[Annotation],
    reports: Mapping[str, str],
    metadata: Mapping[str, object],
) -> None:
    """Write the tables of a recording set; media are not touched.

    Rows keep their order, optional columns that hold nothing are left out, times keep their full precision,
    and text that a spreadsheet would run as a formula gets a leading apostrophe (reading removes it).

    Args:
        directory: Folder; made if it does not exist. Tables in it are replaced.
        recordings: Their paths must lie in the folder; they are written relative to it.
        annotations: At most one per (recording, feature), all of recordings that are given.
        reports, metadata: Text by video id (no table without any); what ``dataset.yaml`` holds.

    Raises:
        ValueError: An id or (recording, feature) pair occurs twice or is unknown, a path lies outside the
            folder, or ``metadata`` lacks a name or version.
        RecordingSetError: The folder cannot be made.
    """
    directory = directory.expanduser().absolute()
    _refuse_inconsistent(recordings, annotations, reports, metadata)
    rows = [_cells(item, directory) for item in recordings]
    contents = {
        RECORDINGS: _table(RECORDINGS, rows),
        ANNOTATIONS: annotations_text(annotations, directory),
        METADATA: yaml.safe_dump(dict(metadata), sort_keys=False, allow_unicode=True),
    }
    if reports:
        rows = [{"video_id": video_id, "report": text} for video_id, text in reports.items()]
        contents[REPORTS] = _table(REPORTS, rows)
    make_folder(directory)
    for name, text in contents.items():
        write_whole(directory / name, text)
    if not reports:
        (directory / REPORTS).unlink(missing_ok=True)


def annotations_text(annotations: Sequence[Annotation], directory: Path) -> str:
    """Return the table of annotations of a set in a folder."""
    return _table(ANNOTATIONS, [_cells(item, directory) for item in annotations])


def make_folder(directory: Path) -> None:
    """Make the folder of a new set, or see that an existing one can be written to.

    Raises:
        RecordingSetError: It cannot be made or written to; the message says why and what to do.
    """
    try:
        directory.mkdir(parents=True, exist_ok=True)
        if not os.access(directory, os.W_OK | os.X_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
    except OSError as error:
        reason = f"the folder cannot be made or written to ({error.strerror})"
        fix = "choose a folder in a place where you may write, such as your home folder"
        raise RecordingSetError([Problem(str(directory), None, reason, fix)]) from None


def table_text(columns: Sequence[str], rows: Iterable[Mapping[str, str]], delimiter: str = ",") -> str:
    """Return a delimited table with Unix line ends; formula-like text gets a leading apostrophe."""
    stream = io.StringIO()
    writer = csv.writer(stream, delimiter=delimiter, lineterminator="\n")
    writer.writerow(columns)
    for row in rows:
        writer.writerow([guarded_cell(_plain(row.get(column, ""))) for column in columns])
    return stream.getvalue()


def write_new_secret(path: Path, text: str) -> None:
    """Write a file that its owner alone may read (mode 0600).

    Raises:
        FileExistsError: There is such a file already.
    """
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8", newline="") as stream:
        stream.write(text)


def key_problems(key: Path, folder: Path) -> list[Problem]:
    """Return why a new table of ids may not be written there, beside a folder that is given away."""
    if folder.resolve() in (key.resolve(), *key.resolve().parents):
        fix = "keep the key where nobody who gets the folder can read it"
        return [Problem(str(key), None, "the key would lie inside the new recording set", fix)]
    if os.path.lexists(key):
        fix = "choose a new file; keys are never overwritten"
        return [Problem(str(key), None, "the key file exists already", fix)]
    if not key.absolute().parent.is_dir():
        return [Problem(str(key), None, "the folder of the key does not exist", "make it first")]
    return []


def _refuse_inconsistent(
    recordings: Sequence[Recording],
    annotations: Sequence[Annotation],
    reports: Mapping[str, str],
    metadata: Mapping[str, object],
) -> None:
    for key in ("name", "version"):
        if not str(metadata.get(key) or "").strip():
            raise ValueError(f"the metadata of a recording set needs {key!r}")
    known = {item.video_id for item in recordings}
    if len(known) < len(recordings):
        raise ValueError("two recordings have the same video_id")
    pairs = {(item.video_id, item.feature) for item in annotations}
    if len(pairs) < len(annotations):
        raise ValueError("two annotations have the same recording and feature")
    unknown = ({video_id for video_id, _feature in pairs} | set(reports)) - known
    if unknown:
        raise ValueError(f"annotations or reports of unknown recordings: {', '.join(sorted(unknown)[:5])}")


def _table(name: str, rows: Sequence[Mapping[str, str]]) -> str:
    optional = (*OPTIONAL_COLUMNS[name], *(CONCLUSIONS if name == RECORDINGS else ()))
    used = [column for column in optional if any(row.get(column) for row in rows)]
    return table_text([*REQUIRED_COLUMNS[name], *used], rows)


def _cells(item: Recording | Annotation, directory: Path) -> dict[str, str]:
    """Return the cells of a row by column: the fields of a recording or an annotation."""
    cells = {name: _cell(value, directory) for name, value in vars(item).items()}
    return cells | {"diagnosis": NO_EVENT} if isinstance(item, Recording) and item.control else cells


def _cell(value: str | float | Path | None, directory: Path) -> str:
    if isinstance(value, Path):
        inside = Path(os.path.normpath(directory / value))
        try:
            return inside.relative_to(os.path.normpath(directory)).as_posix()
        except ValueError:
            raise ValueError(f"{value} does not lie in the recording set {directory}") from None
    if isinstance(value, (int, float)):
        return format(Decimal(repr(float(value))), "f").removesuffix(".0")
    return value or ""


def _plain(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n").strip()
