"""Reading the folder of a recording set: every problem is collected, none is repaired by guessing."""

from __future__ import annotations

import os
import re
import unicodedata
from collections.abc import Callable, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, cast

import yaml
from pydantic import AfterValidator, BaseModel

from semiology.data.problems import Problem, RecordingSetError
from semiology.data.protection.splits import parse_split
from semiology.data.recording_set import (
    LOBES,
    SEIZURE_TYPES,
    Annotation,
    Diagnosis,
    Presence,
    Recording,
    RecordingSet,
    Side,
)
from semiology.data.tables import cells
from semiology.data.tables.cells import CellError, RowCells
from semiology.data.tables.consistency import Reading, cross_check
from semiology.data.tables.csv_tables import Row, Table, check_columns, closest, read_table
from semiology.features import FEATURES, suggest_feature
from semiology.render.strict_yaml import parse_yaml
from semiology.render.text import counted
from semiology.render.validation import faults_of

RECORDINGS, ANNOTATIONS = "recordings.csv", "annotations.csv"
REPORTS, METADATA = "reports.csv", "dataset.yaml"
SIMULATED = "simulated"
"""Key of ``dataset.yaml`` that says that no patient was filmed: true or false."""
REQUIRED_COLUMNS = {
    RECORDINGS: ("video_id", "patient_id", "video"),
    ANNOTATIONS: ("video_id", "feature", "present"),
    REPORTS: ("video_id", "report"),
}
OPTIONAL_COLUMNS = {
    RECORDINGS: ("audio", "duration_s", "diagnosis", "split", "fold", "pose", "transcript", "sha256"),
    ANNOTATIONS: ("onset_s", "offset_s", "side", "justification"),
    REPORTS: (),
}
CONCLUSIONS = ("onset_lobe", "onset_side", "seizure_type")
"""Further columns of recordings.csv: what was concluded about the seizure."""
NO_EVENT = "none"
"""What the column ``diagnosis`` says of control video, which holds no event."""
_METADATA_FIX = "write at least two lines: 'name: my_set' and 'version: 1'"
_KEYPOINTS = re.compile(r"(\d+)_keypoints\.json$")


def read_folder(directory: Path, *, require_media: bool = True, any_ids: bool = False) -> Reading:
    """Read a folder as far as it can be read; see `read_recording_set` for the strict form."""
    directory = directory.expanduser().absolute()
    reading = Reading()
    if not directory.is_dir():
        fix = "check the path, or make a set to try with `semiology data simulate DIR`"
        reading.problems.append(Problem(str(directory), None, "is not a folder", fix))
        return reading
    if not os.access(directory, os.R_OK | os.X_OK):
        reading.problems.append(Problem(str(directory), None, "may not be read", "ask for access to it"))
        return reading
    if not any(directory.iterdir()):
        fix = f"put {RECORDINGS}, {ANNOTATIONS} and {METADATA} into it, or try `semiology data simulate DIR`"
        reading.problems.append(Problem(str(directory), None, "the folder is empty", fix))
        return reading
    metadata = _read_metadata(directory, reading)
    read_id = _any_id if any_ids else cells.parse_identifier
    _read_recordings(directory, reading, require_media, read_id)
    _read_annotations(directory, reading, read_id)
    _read_reports(directory, reading, read_id)
    cross_check(reading)
    if not reading.problems:
        reading.recording_set = RecordingSet(
            directory=directory,
            name=str(metadata["name"]),
            version=str(metadata["version"]),
            recordings=tuple(recording for _row, recording in reading.recordings),
            annotations=tuple(annotation for _row, annotation in reading.annotations),
            reports={video_id: text for _row, video_id, text in reading.reports},
            metadata=metadata,
        )
    return reading


def _stated(value: object) -> object:
    if value is None or isinstance(value, (list, dict)) or not str(value).strip():
        raise ValueError(f"is empty or a list; {_METADATA_FIX}")
    return value


class Metadata(BaseModel, extra="allow"):
    """What ``dataset.yaml`` must hold; further keys are kept as they are."""

    name: Annotated[object, AfterValidator(_stated)]
    version: Annotated[object, AfterValidator(_stated)]


def _read_metadata(directory: Path, reading: Reading) -> Mapping[str, object]:
    path = directory / METADATA

    def problem(row: int | None, message: str) -> None:
        reading.problems.append(Problem(METADATA, row, message, _METADATA_FIX))

    if not path.is_file():
        problem(None, "is missing")
        return {}
    try:
        content = parse_yaml(path)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        what = getattr(error, "problem", None) or str(error)
        problem(mark.line + 1 if mark else None, f"is not valid YAML ({what})")
        return {}
    content = {str(key): value for key, value in content.items()} if isinstance(content, dict) else content
    for fault in faults_of(Metadata, content):
        problem(None, f"the key {fault.place[0]!r} {fault.message}" if fault.place else fault.message)
    if not isinstance(content, dict):
        return {}
    for key in content:
        if key != SIMULATED and get_close_matches(key.lower(), [SIMULATED], cutoff=0.85):
            problem(None, f"unknown key {key!r}; did you mean {SIMULATED!r}?")
    if not isinstance(content.get(SIMULATED, False), bool):
        problem(None, f"the key {SIMULATED!r} must be true or false, not {content[SIMULATED]!r}")
    return content


def _open(directory: Path, file: str, reading: Reading) -> Table | None:
    """Return a table with all required columns, or None; its faults of form are noted."""
    path = directory / file
    if not path.is_file():
        stem = file.split(".")[0]
        similar = [other.name for other in sorted(directory.iterdir()) if other.name.lower().startswith(stem)]
        fix = f"make it with the columns {', '.join(REQUIRED_COLUMNS[file])}"
        if similar:
            fix = f"there is {similar[0]!r}: save or rename it as {file} (CSV UTF-8)"
        reading.problems.append(Problem(file, None, "is missing", fix))
        return None
    table = read_table(path)
    reading.problems += table.problems
    if table.columns:
        problems, warnings = check_columns(
            table, REQUIRED_COLUMNS[file], OPTIONAL_COLUMNS[file], CONCLUSIONS if file == RECORDINGS else ()
        )
        reading.problems += problems
        reading.warnings += warnings
    if table.open_end and not table.problems:
        what = f"the last line has no end, as in a file that was cut off ({counted(len(table.rows), 'row')} read)"
        reading.warnings.append(Problem(file, None, what, "nothing, if all rows are there"))
    return table if set(REQUIRED_COLUMNS[file]) <= set(table.columns) else None


class _RowReader(RowCells):
    """Parses the cells of one row and turns each fault into a problem that names the row."""

    def __init__(self, table: Table, row: Row, reading: Reading) -> None:
        super().__init__(table, row, self.problem)
        self.table, self.reading = table, reading

    def problem(self, message: str, fix: str) -> None:
        self.reading.problems.append(Problem(self.table.file, self.row.number, message, fix))

    def file(self, column: str, directory: Path, require: bool, *, folder: bool = False) -> Path | None:
        """Return the path of a file, or of a ``folder`` with OpenPose's JSON files, one per frame."""
        path = self.optional(column, lambda text: cells.parse_relative_path(text, directory))
        if path is None or not require or path.is_file():
            return path
        named = f"{column}: the folder {self.row[column]!r}"
        frames = [frame for frame, _ in keypoint_files(path)] if folder and path.is_dir() else None
        if frames is None:
            self.problem(f"{column}: the file {self.row[column]!r} does not exist", _file_fix(path))
        elif not frames:
            fix = "name the folder with OpenPose's files, such as P001_V01_000000000000_keypoints.json"
            self.problem(f"{named} holds no *_keypoints.json file", fix)
        elif len(set(frames)) < len(frames):
            fix = "give every recording a folder of its own"
            self.problem(f"{named} holds more than one *_keypoints.json file of the same frame", fix)
        return path


def keypoint_files(folder: Path) -> list[tuple[int, Path]]:
    """Return the files of a folder that OpenPose wrote, with the number of their frame, in order."""
    found = ((_KEYPOINTS.search(path.name), path) for path in folder.iterdir())
    return sorted((int(match[1]), path) for match, path in found if match and path.is_file())


def _file_fix(path: Path) -> str:
    if path.is_symlink() and not path.exists():
        return f"it is a link to {path.readlink()}, where nothing is: mount that disk, or link it anew"
    if path.exists() and not path.is_dir():
        return "this is a pipe or a device: name a file"
    if path.is_dir():
        return "this is a folder: name the file in it"
    if not path.parent.is_dir():
        missing = next(each for each in (path.parent, *path.parents) if each.parent.is_dir())
        alike = sorted(
            each.name for each in missing.parent.iterdir() if _looks(each.name) == _looks(missing.name)
        )
        fix = "copy or link the file there, or correct the path"
        return _alike_fix(alike[0], missing.name, "folder") if alike else fix
    names = sorted(other.name for other in path.parent.iterdir())
    if alike := [name for name in names if _looks(name) == _looks(path.name)]:
        return _alike_fix(alike[0], path.name)
    near = closest(path.name, names)
    return f"did you mean {near!r}?" if near else "copy or link the file there, or correct the path"


def _looks(name: str) -> str:
    """Return what two names that a person cannot tell apart share."""
    return re.sub(r"[\s\u200b\ufeff\xad]+", " ", unicodedata.normalize("NFKC", name)).strip().casefold()


def _alike_fix(found: str, named: str, kind: str = "file") -> str:
    """Say how the name of a file or folder differs from the one in the table where they look alike."""
    if unicodedata.normalize("NFC", found) == unicodedata.normalize("NFC", named):
        form, other = ("NFD", "NFC") if unicodedata.is_normalized("NFC", named) else ("NFC", "NFD")
        return (
            f"the {kind} {found!r} is there, but its accented letters are stored in another form (Unicode {form}; the "
            f"table has {other}), as happens between macOS and other systems: rename the {kind} by typing its name "
            f"anew, best without accents, and the cell alike (`convmv -f utf8 -t utf8 --{other.lower()} --notest` "
            "renames a whole folder)"
        )
    if found.casefold() == named.casefold():
        return f"the {kind} is called {found!r}: here large and small letters differ; write it so"
    shown = ascii(found)
    return (
        f"the {kind} is called {shown}, with other blanks or look-alike characters: rename it, or write it so"
    )


def _any_id(text: str) -> str:
    """Return an id that need not be opaque, since it is replaced."""
    if not text:
        raise CellError("is empty", "give each recording and each patient an id")
    return text


def _read_recordings(
    directory: Path, reading: Reading, require_media: bool, read_id: Callable[[str], str]
) -> None:
    table = _open(directory, RECORDINGS, reading)
    if table is None:
        return
    if not table.rows and not table.problems:
        reading.problems.append(Problem(RECORDINGS, None, "holds no recording", "write one row per video"))
    for row in table.rows:
        reader = _RowReader(table, row, reading)
        recording = _recording(reader, directory, require_media, read_id)
        if recording is not None:
            reading.recordings.append((row.number, recording))


def _recording(
    reader: _RowReader, directory: Path, require: bool, read_id: Callable[[str], str]
) -> Recording | None:
    row = reader.row
    video_id = reader.required("video_id", read_id)
    patient_id = reader.required("patient_id", read_id)
    if not row["video"]:
        reader.problem("video: is empty", "give the path of the video relative to the folder")
    video = reader.file("video", directory, require)
    duration = reader.seconds("duration_s")
    if duration == 0:
        reader.problem("duration_s: 0 is no duration", "give the length in seconds, or leave the cell empty")
    diagnosis = reader.choice("diagnosis", ("ES", "NES", NO_EVENT), cells.DIAGNOSES)
    recording = Recording(
        video_id=video_id or "",
        patient_id=patient_id or "",
        video=video or directory,
        audio=reader.file("audio", directory, require),
        duration_s=duration,
        diagnosis=None if diagnosis == NO_EVENT else cast("Diagnosis | None", diagnosis),
        split=reader.optional("split", parse_split),
        fold=reader.optional("fold", cells.parse_group),
        pose=reader.file("pose", directory, require, folder=True),
        transcript=reader.file("transcript", directory, require),
        control=diagnosis == NO_EVENT,
        onset_lobe=reader.choice("onset_lobe", LOBES, cells.LOBE_HINTS),
        onset_side=cast("Side | None", reader.choice("onset_side", ("left", "right", "both"), cells.SIDES)),
        seizure_type=reader.choice("seizure_type", SEIZURE_TYPES, cells.TYPE_HINTS),
        sha256=reader.optional("sha256", _digest),
    )
    return recording if video_id else None


def _digest(text: str) -> str:
    if re.fullmatch(r"[0-9a-f]{64}", text.lower()):
        return text.lower()
    raise CellError(
        f"{text!r} is no SHA-256 digest", "let `semiology data digests` write it, or leave it empty"
    )


def _parse_feature(text: str) -> str:
    if text in FEATURES:
        return text
    fix = "use one of the feature names: " + ", ".join(FEATURES)
    raise CellError(f"unknown feature {text!r}{suggest_feature(text)}", fix)


def _read_annotations(directory: Path, reading: Reading, read_id: Callable[[str], str]) -> None:
    table = _open(directory, ANNOTATIONS, reading)
    if table is None:
        return
    for row in table.rows:
        annotation = _annotation(_RowReader(table, row, reading), read_id)
        if annotation is not None:
            reading.annotations.append((row.number, annotation))


def _annotation(reader: _RowReader, read_id: Callable[[str], str]) -> Annotation | None:
    row = reader.row
    video_id = reader.required("video_id", read_id)
    feature = reader.required("feature", _parse_feature)
    if not row["present"]:
        reader.problem("present: is empty", "write yes, no or na; delete the row if it was not annotated")
    annotation = Annotation(
        video_id=video_id or "",
        feature=feature or "",
        present=cast(Presence, reader.choice("present", ("yes", "no", "na"), cells.PRESENCE)),
        onset_s=reader.seconds("onset_s"),
        offset_s=reader.seconds("offset_s"),
        side=cast("Side | None", reader.choice("side", ("left", "right", "both"), cells.SIDES)),
        justification=row["justification"] or None,
    )
    return annotation if video_id and feature and annotation.present else None


def _read_reports(directory: Path, reading: Reading, read_id: Callable[[str], str]) -> None:
    if not (directory / REPORTS).exists():
        return
    table = _open(directory, REPORTS, reading)
    if table is None:
        return
    for row in table.rows:
        video_id = _RowReader(table, row, reading).required("video_id", read_id)
        if video_id and row["report"]:
            reading.reports.append((row.number, video_id, row["report"]))
        elif video_id:
            reading.warnings.append(
                Problem(REPORTS, row.number, "the report is empty", "write the report or delete the row")
            )


def read_recording_set(directory: Path, *, require_media: bool = True, any_ids: bool = False) -> RecordingSet:
    """Read a recording set strictly; without ``require_media`` a file that does not exist is no error.

    ``any_ids`` lets ids be anything, such as names, for a set whose ids are about to be replaced.

    Raises:
        RecordingSetError: Anything is wrong; it lists *all* problems with file, row and fix.
    """
    reading = read_folder(directory, require_media=require_media, any_ids=any_ids)
    if reading.recording_set is None:
        raise RecordingSetError(reading.problems)
    return reading.recording_set
