"""Rules that hold between the rows and tables of a recording set."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from semiology.data.problems import Problem
from semiology.data.recording_set import Annotation, Recording, RecordingSet
from semiology.data.tables.alike_names import alike_names
from semiology.data.tables.cells import looks_dated, names_nobody, spreadsheet_made
from semiology.data.tables.csv_tables import closest
from semiology.features import FEATURES
from semiology.render.text import counted

_RECORDINGS, _ANNOTATIONS, _REPORTS = "recordings.csv", "annotations.csv", "reports.csv"
OFFSET_TOLERANCE_S = 1.0
"""An offset may lie this far behind the end of the video: annotators round up to whole seconds."""

STATES = frozenset({"occur_during_sleep", "verbal_responsiveness", "close_eyes"})
"""Features that a patient shows without an event too."""


def cross_check(reading: Reading) -> None:
    """Add to ``reading`` every problem and warning that concerns more than one cell."""
    reading.problems += _repeated_recordings(reading.recordings)
    reading.problems += _patients_in_two(reading.recordings, "split")
    reading.problems += _patients_in_two(reading.recordings, "fold")
    reading.problems += _folds_in_two_forms(reading.recordings)
    reading.problems += _repeated_annotations(reading.annotations)
    reading.problems += _unknown_videos(reading)
    durations = {item.video_id: item.duration_s for _row, item in reading.recordings if item.duration_s}
    for row, annotation in reading.annotations:
        reading.problems += time_problems(row, annotation, durations.get(annotation.video_id))
    reading.problems.sort(key=lambda problem: (problem.file, problem.row or 0))
    reading.warnings += _warnings(reading)


def time_problems(row: int, annotation: Annotation, duration_s: float | None) -> list[Problem]:
    """Return what is wrong with the times of an annotation in a row of ``annotations.csv``.

    ``duration_s`` is the length of the video in seconds, None if it is unknown.
    """
    onset, offset = annotation.onset_s, annotation.offset_s
    faults: list[str] = []
    if onset is not None and offset is not None and offset < onset:
        faults.append(f"offset_s {offset:g} is before onset_s {onset:g}")
    if duration_s is not None:
        if onset is not None and onset >= duration_s:
            faults.append(f"onset_s {onset:g} is beyond the end of the video ({duration_s:g} s)")
        elif offset is not None and offset > duration_s + OFFSET_TOLERANCE_S:
            faults.append(f"offset_s {offset:g} is beyond the end of the video ({duration_s:g} s)")
    fix = "give both in seconds from the start of the video"
    return [Problem(_ANNOTATIONS, row, f"{annotation.video_id}: {fault}", fix) for fault in faults]


def _repeated_recordings(recordings: Iterable[tuple[int, Recording]]) -> list[Problem]:
    problems: list[Problem] = []
    by_id: dict[str, int] = {}
    by_file: dict[Path, int] = {}
    for row, recording in recordings:
        first = by_id.setdefault(recording.video_id.lower(), row)
        if first != row:
            message = f"video_id {recording.video_id!r} is already in row {first}"
            problems.append(Problem(_RECORDINGS, row, message, "give every recording its own id"))
        first_file = by_file.setdefault(recording.video, row)
        if first_file != row and first == row and recording.video.suffix:
            message = f"the video {recording.video.name!r} is already used in row {first_file}"
            problems.append(Problem(_RECORDINGS, row, message, "name the right file, or delete the row"))
    return problems


def _patients_in_two(recordings: Iterable[tuple[int, Recording]], column: str) -> list[Problem]:
    problems: list[Problem] = []
    first_use: dict[str, tuple[int, str]] = {}
    for row, recording in recordings:
        value: str | None = getattr(recording, column)
        if not value or not recording.patient_id:
            continue
        first_row, first = first_use.setdefault(recording.patient_id, (row, value))
        if value != first:
            message = (
                f"patient {recording.patient_id!r} is in {column} {value!r}, in row {first_row} in {first!r}"
            )
            fix = f"put all recordings of a patient in one {column}, or the test would know its patients"
            problems.append(Problem(_RECORDINGS, row, message, fix))
    return problems


def _folds_in_two_forms(recordings: Iterable[tuple[int, Recording]]) -> list[Problem]:
    """Return a problem for each fold that differs from an earlier one in form alone, as ``1.0`` does from ``1``."""
    problems = []
    for row, fold, first_row, first in alike_names((row, item.fold or "") for row, item in recordings):
        message = f"fold {fold!r} is written like {first!r} in row {first_row}: they would be two folds"
        problems.append(Problem(_RECORDINGS, row, message, "write a fold in one form"))
    return problems


def _repeated_annotations(annotations: Iterable[tuple[int, Annotation]]) -> list[Problem]:
    problems: list[Problem] = []
    first_use: dict[tuple[str, str], tuple[int, Annotation]] = {}
    for row, annotation in annotations:
        pair = (annotation.video_id, annotation.feature)
        first_row, first = first_use.setdefault(pair, (row, annotation))
        if first_row == row:
            continue
        if annotation == first:
            message, fix = f"repeats row {first_row}", "delete one of the two rows"
        elif annotation.present != first.present:
            message = f"says {annotation.present!r}, row {first_row} says {first.present!r}"
            fix = "decide, and keep one of the two rows"
        else:
            message = f"gives other details than row {first_row}"
            fix = "keep one row per recording and feature (onset of the first, offset of the last occurrence)"
        problems.append(Problem(_ANNOTATIONS, row, f"{pair[0]}, {pair[1]}: {message}", fix))
    return problems


def _unknown_videos(reading: Reading) -> list[Problem]:
    if not reading.recordings:
        return []
    known = {recording.video_id for _row, recording in reading.recordings}
    problems: list[Problem] = []
    uses = [(_ANNOTATIONS, row, item.video_id) for row, item in reading.annotations]
    reports: dict[str, int] = {}
    for row, video_id, _text in reading.reports:
        uses.append((_REPORTS, row, video_id))
        first = reports.setdefault(video_id, row)
        if first != row:
            message = f"{video_id!r} has already a report in row {first}"
            problems.append(Problem(_REPORTS, row, message, "keep one report per recording"))
    near = {video_id: closest(video_id, known) for _file, _row, video_id in uses if video_id not in known}
    for file, row, video_id in uses:
        if video_id not in known:
            meant = f"; did you mean {near[video_id]!r}?" if near[video_id] else ""
            message = f"the recording {video_id!r} is not in {_RECORDINGS}{meant}"
            problems.append(Problem(file, row, message, "correct the id, or add the recording"))
    return problems


def _warnings(reading: Reading) -> list[Problem]:
    """Return what should be looked at: dates in names, odd times, and what is not annotated."""
    warnings: list[Problem] = []
    dated = [
        row
        for row, item in reading.recordings
        if any(map(looks_dated, (item.video_id, item.patient_id, item.video.name)))
    ]
    if dated:
        message = f"{len(dated)} recordings seem to have a date in an id or file name"
        warnings.append(Problem(_RECORDINGS, dated[0], message, "use `semiology data deidentify SRC DEST`"))
    warnings += _odd_ids(reading.recordings)
    for row, item in reading.annotations:
        if item.present == "yes" and item.onset_s is None and item.offset_s is not None:
            message = f"{item.video_id}, {item.feature}: an offset without an onset"
            warnings.append(Problem(_ANNOTATIONS, row, message, "add onset_s if it is known"))
    without = [row for row, item in reading.recordings if not item.split]
    if 0 < len(without) < len(reading.recordings):
        patients = {item.patient_id for _row, item in reading.recordings if item.split}
        lost = [row for row, item in reading.recordings if not item.split and item.patient_id not in patients]
        if lost:
            message = f"{len(lost)} recordings are of patients without a split, in a set that has splits"
            fix = "write train, dev, test or confirm; nothing is trained on them where others are named train"
            warnings.append(Problem(_RECORDINGS, lost[0], message, fix))
    warnings += _control_warnings(reading)
    videos = {item.video_id for _row, item in reading.annotations}
    bare = [i.video_id for _row, i in reading.recordings if i.video_id not in videos and not i.control]
    if bare:
        some = ", ".join(bare[:5]) + (f" and {len(bare) - 5} more" if len(bare) > 5 else "")
        message = f"{len(bare)} of {len(reading.recordings)} recordings have no annotation ({some})"
        fix = "they are not scored; annotate them if they should be"
        warnings.append(Problem(_ANNOTATIONS, None, message, fix))
    used = {item.feature for _row, item in reading.annotations}
    idle = [name for name in FEATURES if name not in used]
    if idle and reading.recordings:
        message = (
            f"{len(idle)} of {len(FEATURES)} features are not annotated in any recording ({', '.join(idle)})"
        )
        warnings.append(Problem(_ANNOTATIONS, None, message, "they are not scored"))
    return warnings


def _odd_ids(recordings: Iterable[tuple[int, Recording]]) -> list[Problem]:
    """Return warnings about ids that name nobody, or that a spreadsheet seems to have changed."""
    nobody: dict[str, list[int]] = {}
    changed: dict[str, int] = {}
    for row, item in recordings:
        if names_nobody(item.patient_id):
            nobody.setdefault(item.patient_id, []).append(row)
        for each in (item.patient_id, item.video_id):
            if spreadsheet_made(each):
                changed.setdefault(each, row)
    warnings = [
        Problem(
            _RECORDINGS,
            rows[0],
            f"the patient {name!r} of {counted(len(rows), 'recording')} seems to be no patient, but a missing value",
            "write who it is: all recordings of one id count as one patient",
        )
        for name, rows in nobody.items()
    ]
    if changed:
        name, row = next(iter(changed.items()))
        message = (
            f"{counted(len(changed), 'id')} such as {name!r} may be dates or numbers that a spreadsheet made"
        )
        fix = "compare them with the source; format such columns as text before you type or open them"
        warnings.append(Problem(_RECORDINGS, row, message, fix))
    return warnings


def _control_warnings(reading: Reading) -> list[Problem]:
    """Return what stands in the way of counting false alarms in control video: signs in it, or no annotation."""
    controls = {item.video_id for _row, item in reading.recordings if item.control}
    warnings = [
        Problem(
            _ANNOTATIONS,
            row,
            f"{item.video_id} is control video (diagnosis none) and shows {item.feature}",
            "correct one of the two; such answers are no false alarms",
        )
        for row, item in reading.annotations
        if item.video_id in controls and item.present == "yes" and item.feature not in STATES
    ]
    bare = sorted(controls - {item.video_id for _row, item in reading.annotations})
    if bare:
        message = f"{len(bare)} recordings of control video have no annotation, such as {bare[0]}"
        fix = "they are not asked about; write `no` for each feature whose false alarms are to be counted"
        warnings.append(Problem(_ANNOTATIONS, None, message, fix))
    return warnings


@dataclass
class Reading:
    """What was found in a folder: the set, or None if there is any problem.

    All readable rows are kept with their numbers, also where there are problems: (row, recording),
    (row, annotation) and (row, video id, text of the report).
    """

    recording_set: RecordingSet | None = None
    recordings: list[tuple[int, Recording]] = field(default_factory=list)
    annotations: list[tuple[int, Annotation]] = field(default_factory=list)
    reports: list[tuple[int, str, str]] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    warnings: list[Problem] = field(default_factory=list)
