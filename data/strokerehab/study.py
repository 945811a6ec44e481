"""The folder of a stroke-rehabilitation study: subjects, videos, labels, Fugl-Meyer clips and scores.

::

    videos/<subject>/<id>.<mkv|avi|mp4>    id: <subject>_<activity><repetition>_<camera>
    labels/<subject>/<id>.csv              Time_s, MarkerNames
    fm_clips/<subject>/<subject>_FM<lo>[_<hi>]_<A|H>_<F|S>.mp4
    subjects.csv                           subject, group, side_affected, side_scored, fm_total, severity, split
    fm_scores.csv                          subject, item, side, score
    best_views.csv                         id (optional)
    drawn.txt                              only in a drawn study

Nothing is downloaded. Any part may be absent: what is there decides which tasks can run.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from semiology.data.problems import Problem
from semiology.data.tables.alike_names import alike_names
from semiology.data.tables.cells import plain_number
from semiology.data.tables.csv_tables import Row, Table, check_columns, read_table
from semiology.render.text import counted
from semiology.strokerehab import CONTROL, SEVERITIES, severity

SUBJECTS, SCORES, BEST_VIEWS = "subjects.csv", "fm_scores.csv", "best_views.csv"
DRAWN = "drawn.txt"
"""A file of this name says that the study is drawn, so that its numbers are never taken for numbers about people."""
VIDEO_SUFFIXES = (".mkv", ".avi", ".mp4")
SPLITS = ("tune", "test")
ACTIVITY_CLASSES: Mapping[str, str] = {
    "brushing": "brushing",
    "combing": "combing",
    "deodorant": "deodorant",
    "deodrant": "deodorant",
    "drinking": "drinking",
    "face wash": "face wash",
    "feeding": "feeding",
    "glasses": "glasses",
    "rtt": "rtt exercise",
    "rtt left side": "rtt exercise",
    "rtt right side": "rtt exercise",
    "shelf": "shelf exercise",
    "shelf left side": "shelf exercise",
    "shelf right side": "shelf exercise",
}
"""Class of each activity as file names spell it, in lower case."""
_ID = re.compile(r"([SC]\d+)_(.+?)(\d+)_(\d+)")
_SUBJECT = re.compile(r"[SC]\d+")
_CLIP = re.compile(r"([SC]\d+)_FM(\d+)(?:_(\d+))?_([AH])_([FS])")

Side = Literal["left", "right"]
_SIDES: Mapping[str, Side] = {"l": "left", "left": "left", "r": "right", "right": "right"}


@dataclass(frozen=True)
class Subject:
    """A person.

    Attributes:
        name: such as S00027; the first letter is the group.
        control: whether in the control group.
        side_affected: None for controls. side_scored: the side whose Fugl-Meyer scores are the truth, for both groups.
        severity: ``control``, ``mild``, ``moderate``, ``severe`` or None if unknown.
        split: ``tune`` or ``test``.
    """

    name: str
    control: bool
    side_affected: Side | None
    side_scored: Side | None
    severity: str | None
    split: str


@dataclass(frozen=True)
class StudyVideo:
    """A video of an activity; ``labels`` is None without a label file, ``video`` without a film."""

    id: str
    subject: str
    activity_raw: str
    activity: str
    rep: int
    camera: int
    video: Path | None
    labels: Path | None


@dataclass(frozen=True)
class StudyClip:
    """A clip of a Fugl-Meyer movement: items from ``first`` to ``last``, affected or other arm, front or side view."""

    subject: str
    first: int
    last: int
    laterality: str
    view: str
    video: Path


@dataclass
class Study:
    """What a folder holds.

    Attributes:
        root: the folder.
        subjects, videos: by name and by id, in sorted order.
        clips: all readable names.
        scores: Fugl-Meyer score by subject, item and side.
        best_views: ids of the list; None without one.
        overlapping: subjects that stand in both splits, which no run may ask about.
        problems, warnings: what is to be fixed, and what to look at.
    """

    root: Path
    subjects: dict[str, Subject] = field(default_factory=dict)
    videos: dict[str, StudyVideo] = field(default_factory=dict)
    clips: list[StudyClip] = field(default_factory=list)
    scores: dict[tuple[str, int, Side], int] = field(default_factory=dict)
    best_views: frozenset[str] | None = None
    overlapping: list[str] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    warnings: list[Problem] = field(default_factory=list)

    def truth(self, subject: str) -> dict[int, int]:
        """Return the Fugl-Meyer scores of a subject's scored side by item."""
        known = self.subjects.get(subject)
        side = known.side_scored if known else None
        return {
            item: score for (name, item, of), score in self.scores.items() if name == subject and of == side
        }

    @property
    def drawn(self) -> bool:
        """Whether the folder says that its films are drawn."""
        return (self.root / DRAWN).is_file()

    def split_of(self, subject: str) -> str:
        """Return the split of a subject; ``test`` for one that subjects.csv does not name."""
        known = self.subjects.get(subject)
        return known.split if known else "test"


def is_study(root: Path) -> bool:
    """Tell whether a folder is of this layout: no recording set, and with subjects, labels or clips."""
    folders = (root / name for name in ("labels", "fm_clips"))
    there = (root / SUBJECTS).is_file() or any(folder.is_dir() for folder in folders)
    return there and not (root / "recordings.csv").exists()


def read_study(root: Path) -> Study:
    """Read a folder; everything that is wrong with it is in ``problems``, files that cannot be named are left out.

    Raises:
        FileNotFoundError: there is no such folder.
    """
    if not root.is_dir():
        raise FileNotFoundError(f"{root}: no such folder → give the folder that holds {SUBJECTS}")
    study = Study(root)
    _read_subjects(study)
    _read_scores(study)
    _read_best_views(study)
    _find_videos(study)
    _find_clips(study)
    _tell_strangers(study)
    return study


def activity_of(raw: str) -> str | None:
    """Return the class of an activity as file names spell it; None if it is none of the nine."""
    return ACTIVITY_CLASSES.get(" ".join(raw.replace("_", " ").lower().split()))


def _table(study: Study, name: str, required: tuple[str, ...], optional: tuple[str, ...] = ()) -> list[Row]:
    path = study.root / name
    if not path.is_file():
        return []
    table: Table = read_table(path, name)
    study.problems += table.problems
    problems, warnings = check_columns(table, required, optional) if table.columns else ([], [])
    study.problems += problems
    study.warnings += warnings
    return [] if problems else table.rows


def _read_subjects(study: Study) -> None:
    columns = ("side_affected", "side_scored", "fm_total", "severity", "split")
    rows = _table(study, SUBJECTS, ("subject", "group"), columns)
    alike = {row.number: (first, at) for row, _, at, first in _alike_subjects(rows)}
    for row in rows:
        faults = list(_subject_faults(row))
        if row.number in alike:
            first, at = alike[row.number]
            what = f"{row['subject']!r} is written like {first!r} in row {at}: are they one person?"
            faults.append((what, "give one person one name; different people need names that differ by more"))
        name = row["subject"]
        if name in study.subjects:
            known, split = study.subjects[name], row["split"].lower() or "test"
            what = f"{name} stands twice"
            if split != known.split:
                what += f", in the splits {known.split} and {split}"
                study.overlapping.append(name)
            faults.append((what, "keep one row per subject: who served to tune a prompt cannot test it"))
        study.problems += [Problem(SUBJECTS, row.number, message, fix) for message, fix in faults]
        if faults:
            continue
        control = row["group"].upper() == "C"
        total = row["fm_total"]
        level = CONTROL if control else row["severity"].lower() or (severity(float(total)) if total else None)
        affected = _side(row["side_affected"])
        study.subjects[name] = Subject(
            name,
            control,
            affected,
            _side(row["side_scored"]) or affected,
            level,
            row["split"].lower() or "test",
        )
    if not (study.root / SUBJECTS).is_file():
        fix = "add it with the columns subject, group, side_affected, side_scored, fm_total, severity, split"
        study.warnings.append(Problem(SUBJECTS, None, "is missing: no groups, severities or splits", fix))


def _alike_subjects(rows: list[Row]) -> Iterator[tuple[Row, str, int, str]]:
    for row, name, before, first in alike_names((row, row["subject"]) for row in rows):
        yield row, name, before.number, first


def _subject_faults(row: Row) -> Iterator[tuple[str, str]]:
    if not _SUBJECT.fullmatch(row["subject"]):
        yield f"subject is {row['subject']!r}", "write it as in the names of films, such as S00027"
    if row["group"].upper() not in ("C", "S"):
        yield f"group is {row['group']!r}", "write C (control) or S (stroke)"
    for column in ("side_affected", "side_scored"):
        if row[column] and _side(row[column]) is None:
            yield f"{column} is {row[column]!r}", "write L or R, or leave it empty"
    if row["split"].lower() not in ("", *SPLITS):
        yield f"split is {row['split']!r}", "write tune or test"
    if row["severity"].lower() not in ("", *SEVERITIES):
        yield f"severity is {row['severity']!r}", f"write one of {', '.join(SEVERITIES)}"
    if row["fm_total"] and not _is_number(row["fm_total"], 0, 66):
        yield f"fm_total is {row['fm_total']!r}", "write a number from 0 to 66"


def _read_scores(study: Study) -> None:
    for row in _table(study, SCORES, ("subject", "item", "side", "score")):
        side = _side(row["side"])
        if not row["subject"]:
            fix = "name the subject in every row; a spreadsheet keeps the name of merged cells in the first alone"
            study.problems.append(Problem(SCORES, row.number, "subject is ''", fix))
            continue
        good = _is_number(row["item"], 1, 33) and _is_number(row["score"], 0, 2) and side
        if not good or not side:
            message = f"item {row['item']!r}, side {row['side']!r}, score {row['score']!r}"
            fix = "items are 1 to 33, sides L or R, scores 0, 1 or 2"
            study.problems.append(Problem(SCORES, row.number, message, fix))
            continue
        key = (row["subject"], int(float(row["item"])), side)
        if key in study.scores:
            message = f"{key[0]}, item {key[1]}, {side}: stands twice"
            study.problems.append(Problem(SCORES, row.number, message, "keep one of the rows"))
        study.scores.setdefault(key, int(float(row["score"])))


def _read_best_views(study: Study) -> None:
    if (study.root / BEST_VIEWS).is_file():
        study.best_views = frozenset(row["id"] for row in _table(study, BEST_VIEWS, ("id",)))


def _find_videos(study: Study) -> None:
    films = _files(study.root / "videos", VIDEO_SUFFIXES, study)
    labels = _files(study.root / "labels", (".csv",), study)
    for name in sorted(films.keys() | labels.keys()):
        where = films.get(name) or labels[name]
        found = _ID.fullmatch(name)
        activity = activity_of(found[2]) if found else None
        if found is None or activity is None:
            what = "is not of the form <subject>_<activity><repetition>_<camera>"
            what = what if found is None else f"{found[2]!r} is none of the activities"
            fix = "rename it, as in S00027_feeding1_2; it is left out"
            study.warnings.append(Problem(str(where.relative_to(study.root)), None, what, fix))
            continue
        study.videos[name] = StudyVideo(
            name,
            found[1],
            found[2],
            activity,
            int(found[3]),
            int(found[4]),
            films.get(name),
            labels.get(name),
        )


def _find_clips(study: Study) -> None:
    for name, path in sorted(_files(study.root / "fm_clips", VIDEO_SUFFIXES, study).items()):
        found = _CLIP.fullmatch(name)
        if found is None:
            fix = "name clips <subject>_FM<first>[_<last>]_<A or H>_<F or S>; it is left out"
            where = str(path.relative_to(study.root))
            study.warnings.append(Problem(where, None, "is not the name of a clip", fix))
            continue
        first = int(found[2])
        study.clips.append(StudyClip(found[1], first, int(found[3] or first), found[4], found[5], path))


def _tell_strangers(study: Study) -> None:
    """Warn of rows about a subject or a video that nothing else names."""
    rated = sorted({name for name, _, _ in study.scores} - study.subjects.keys())
    if rated and (study.root / SUBJECTS).is_file():
        message = (
            f"rates {rated[0]}, of whom {SUBJECTS} has no row that can be used: the side to score is unknown"
        )
        study.warnings.append(Problem(SCORES, None, message, "write the name alike in both tables"))
    views = sorted((study.best_views or frozenset()) - study.videos.keys())
    if views:
        message = f"names {counted(len(views), 'video')} that are not there (first: {views[0]!r})"
        fix = "write ids as files are called, without their ending, such as S00027_feeding1_2"
        study.warnings.append(Problem(BEST_VIEWS, None, message, fix))


def _files(folder: Path, suffixes: tuple[str, ...], study: Study) -> dict[str, Path]:
    """Return the files of a folder and its sub-folders by name without suffix; of two of a name the first counts."""
    found: dict[str, Path] = {}
    for path in sorted(folder.rglob("*")) if folder.is_dir() else []:
        if path.suffix.lower() in suffixes and path.is_file():
            if path.stem in found:
                where = str(path.relative_to(study.root))
                study.problems.append(
                    Problem(where, None, f"{path.stem} is there twice", "keep one of the files")
                )
            found.setdefault(path.stem, path)
    return found


def _side(text: str) -> Side | None:
    return _SIDES.get(text.strip().lower())


def _is_number(text: str, low: float, high: float) -> bool:
    value = plain_number(text)
    return value is not None and low <= value <= high and value == int(value)
