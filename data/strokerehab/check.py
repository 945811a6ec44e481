"""What a study's folder allows: which videos, labels and clips are there, which tasks can run, and what is missing.

`examine` opens every file once; `check_study` counts, and `write_manifest` writes one line per video.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from semiology.data.cache import write_whole
from semiology.data.media.probe import MediaError, MediaInfo, probe
from semiology.data.problems import Problem
from semiology.data.strokerehab.labels import Labels, read_labels
from semiology.data.strokerehab.study import Study, StudyVideo, read_study
from semiology.render.text import counted
from semiology.strokerehab import EXERCISES, ITEMS

MANIFEST = "manifest.jsonl"
END_TOLERANCE_S = 0.5
"""Labels that end so much earlier or later than their film are told."""
TASK_NEEDS: Mapping[str, str] = {
    "identification": "films in videos/",
    "primitives": "films in videos/ with label files in labels/",
    "counting": f"films of {' and '.join(EXERCISES)} with label files",
    "impairment": "clips in fm_clips/ with fm_scores.csv and side_scored in subjects.csv",
    "labels only": "label files in labels/ (baselines without vision, the scorer, replay of answers)",
}
"""What each part of the suite needs."""


Look = Callable[[Path], MediaInfo]
"""Opens a film and tells what it holds; raises MediaError."""


@dataclass(frozen=True)
class Examined:
    """A video with what its files hold; ``info`` and ``labels`` are None where there is no readable file."""

    video: StudyVideo
    info: MediaInfo | None
    labels: Labels | None

    @property
    def labelled(self) -> bool:
        """Whether film and labels can be used together."""
        return self.info is not None and self.labels is not None and bool(self.labels.runs)


@dataclass(frozen=True)
class StudyReport:
    """The outcome of a check.

    Attributes:
        directory: the folder.
        problems, warnings: what must be fixed, and what to look at.
        subjects, videos, labelled, clips, scores: how many there are.
        hours: length of the films that could be opened.
        frame_rates: films by frame rate.
        tasks: by part of the suite, how many videos or clips it has; 0 with the reason in ``missing``.
        missing: by part of the suite that cannot run, what it needs.
    """

    directory: str
    problems: tuple[Problem, ...]
    warnings: tuple[Problem, ...]
    subjects: int
    videos: int
    labelled: int
    clips: int
    scores: int
    hours: float
    frame_rates: Mapping[str, int]
    tasks: Mapping[str, int]
    missing: Mapping[str, str]

    @property
    def ok(self) -> bool:
        """Whether nothing has to be fixed."""
        return not self.problems

    def as_json(self) -> dict[str, Any]:
        """Return the report as plain lists, dictionaries, numbers and strings."""
        return {"ok": self.ok, **asdict(self)}


def examine(
    study: Study, *, media: bool = True, on_file: Callable[[int, int], None] | None = None
) -> list[Examined]:
    """Open every film and label file once; faults are added to the study's problems and warnings.

    Args:
        study: as read.
        media: whether films are opened.
        on_file: called with (videos done, all).
    """
    found = []
    for number, video in enumerate(study.videos.values(), 1):
        found.append(examine_video(study, video, probe if media else None))
        if on_file is not None:
            on_file(number, len(study.videos))
    return found


def examine_video(study: Study, video: StudyVideo, look: Look | None = probe) -> Examined:
    """Open the film and the label file of one video; faults are added to the study's problems and warnings.

    Args:
        study: as read. video: one of its videos.
        look: opens a film; None: films are not opened.
    """
    labels = _labels_of(study, video)
    info = film_info(study, video.video, look) if look else None
    if labels and info:
        _compare(study, video, labels, info)
    return Examined(video, info, labels)


def check_study(
    directory: Path, *, media: bool = True, on_file: Callable[[int, int], None] | None = None
) -> StudyReport:
    """Check a study's folder.

    Raises:
        FileNotFoundError: there is no such folder.
    """
    study = read_study(directory)
    found = examine(study, media=media, on_file=on_file)
    readable = [clip for clip in study.clips if not media or film_info(study, clip.video)]
    for subject in sorted({each.video.subject for each in found} - study.subjects.keys()):
        fix = "add a row to subjects.csv, or its group and severity stay unknown"
        study.warnings.append(Problem("subjects.csv", None, f"has no row for {subject}", fix))
    unlabelled = [each.video.id for each in found if each.video.labels is None]
    if unlabelled and len(unlabelled) < len(found):
        message = f"{counted(len(unlabelled), 'video')} without a label file (first: {unlabelled[0]})"
        fix = "nothing, if that is meant: they are asked for their activity only"
        study.warnings.append(Problem("labels", None, message, fix))
    films = [each for each in found if (each.info if media else each.video.video)]
    labelled = [each for each in films if each.labels and each.labels.runs]
    rated = {subject for subject in {clip.subject for clip in readable} if study.truth(subject)}
    tasks = {
        "identification": len(films),
        "primitives": len(labelled),
        "counting": sum(each.video.activity in EXERCISES for each in labelled),
        "impairment": sum(clip.subject in rated for clip in readable),
        "labels only": sum(bool(each.labels and each.labels.runs) for each in found),
    }
    infos = [each.info for each in found if each.info]
    return StudyReport(
        directory=str(directory),
        problems=tuple(study.problems),
        warnings=tuple(study.warnings),
        subjects=len(study.subjects),
        videos=len(study.videos),
        labelled=tasks["labels only"],
        clips=len(study.clips),
        scores=sum(item in ITEMS for _, item, _ in study.scores),
        hours=sum(info.duration_s for info in infos) / 3600,
        frame_rates=dict(Counter(f"{info.fps:.4g}" for info in infos)),
        tasks=tasks,
        missing={name: TASK_NEEDS[name] for name, count in tasks.items() if not count},
    )


def manifest_rows(study: Study, found: list[Examined]) -> list[dict[str, Any]]:
    """Return one row per video: what is there, and what each file holds."""
    rows = []
    for each in found:
        video, info, labels = each.video, each.info, each.labels
        known = study.subjects.get(video.subject)
        rows.append(
            {
                "id": video.id,
                "subject": video.subject,
                "group": "C" if video.subject.startswith("C") else "S",
                "severity": known.severity if known else None,
                "activity_raw": video.activity_raw,
                "activity": video.activity,
                "rep": video.rep,
                "camera": video.camera,
                "video": _relative(video.video, study.root),
                "label": _relative(video.labels, study.root),
                "fps": info.fps if info else None,
                "n_frames": info.frames if info else None,
                "duration_s": info.duration_s if info else None,
                "width": info.width if info else None,
                "height": info.height if info else None,
                "hand": labels.hand if labels and labels.runs else None,
                "split": study.split_of(video.subject),
            }
        )
    return rows


def write_manifest(
    directory: Path, target: Path | None = None, *, on_file: Callable[[int, int], None] | None = None
) -> tuple[Path, int, tuple[Problem, ...]]:
    """Write ``manifest.jsonl``; return where, how many videos, and the problems found on the way.

    Raises:
        FileNotFoundError: there is no such folder.
    """
    study = read_study(directory)
    rows = manifest_rows(study, examine(study, on_file=on_file))
    path = target or directory / MANIFEST
    write_whole(path, "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows))
    return path, len(rows), tuple(study.problems)


def _labels_of(study: Study, video: StudyVideo) -> Labels | None:
    if video.labels is None:
        return None
    name = str(video.labels.relative_to(study.root))
    labels = read_labels(video.labels, name)
    study.problems += labels.problems
    if labels.problems:
        return labels
    told = []
    if labels.other_rows:
        told.append(
            f"labels both hands ({labels.rows} rows of the {labels.hand} one, {labels.other_rows} of the other)"
        )
    if labels.gaps:
        start, end = labels.gaps[0]
        told.append(
            f"{counted(len(labels.gaps), 'gap')} in time, the first from {start:g} to {end:g} s; the label before "
            "goes on"
        )
    if labels.unread:
        told.append(f"markers that name no primitive are skipped: {', '.join(sorted(labels.unread)[:3])}")
    if labels.sideless:
        rows, words = sum(labels.sideless.values()), ", ".join(sorted(labels.sideless)[:3])
        told.append(f"{counted(rows, 'row')} whose marker names no side left out: {words}")
    side = next((word for word in ("left", "right") if word in video.activity_raw.lower()), labels.hand)
    if side != labels.hand:
        told.append(f"labels the {labels.hand} hand, but the activity names the {side} side")
    study.warnings += [Problem(name, None, text, "nothing, if that is meant") for text in told]
    return labels


def film_info(study: Study, path: Path | None, look: Look = probe) -> MediaInfo | None:
    """Return what a film holds; None, and told as a problem, where it cannot be used."""
    if path is None:
        return None
    try:
        return look(path)
    except MediaError as error:
        fix = "replace the file; it is left out"
        study.problems.append(Problem(str(path.relative_to(study.root)), None, str(error), fix))
        return None


def _compare(study: Study, video: StudyVideo, labels: Labels, info: MediaInfo) -> None:
    if labels.runs and abs(labels.runs[-1].end_s - info.duration_s) > END_TOLERANCE_S:
        message = (
            f"{video.id}: labels end at {labels.runs[-1].end_s:.2f} s, the film at {info.duration_s:.2f} s"
        )
        study.warnings.append(
            Problem(f"labels/{video.subject}", None, message, "check that they belong together")
        )


def _relative(path: Path | None, root: Path) -> str | None:
    return None if path is None else str(path.relative_to(root))
