"""Which videos and clips of a study a task asks about, made once per run from the real files."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from semiology.data.media.probe import MediaError, MediaInfo, probe
from semiology.data.problems import Problem
from semiology.data.strokerehab.check import Examined, examine
from semiology.data.strokerehab.study import Study, StudyClip, read_study
from semiology.data.tables.csv_tables import closest
from semiology.prompts.strokerehab_library import Question, load_rehab_library
from semiology.strokerehab import EXERCISES
from semiology.tasks.strokerehab.settings import ALL, RehabSettings
from semiology.tasks.strokerehab.task_list import RehabTask


@dataclass(frozen=True)
class ClipTarget:
    """One question about one Fugl-Meyer clip."""

    clip: StudyClip
    info: MediaInfo
    item: int
    order: int
    question: Question


@dataclass(frozen=True)
class StudyPlan:
    """A study with its videos opened, and the clips that can be read."""

    study: Study
    examined: tuple[Examined, ...]
    clips: tuple[tuple[StudyClip, MediaInfo], ...]


_plans: dict[Path, tuple[object, StudyPlan]] = {}


def study_plan(settings: RehabSettings) -> StudyPlan:
    """Return the study as it is on disk now; read again only after a change.

    Raises:
        FileNotFoundError: there is no such folder.
    """
    state = _state(settings.root)
    known = _plans.get(settings.root)
    if known is None or known[0] != state:
        study = read_study(settings.root)
        examined = tuple(examine(study))
        clips = []
        for clip in study.clips:
            try:
                clips.append((clip, probe(clip.video)))
            except MediaError as error:
                where = str(clip.video.relative_to(study.root))
                study.problems.append(Problem(where, None, str(error), "replace the file; it is left out"))
        _plans[settings.root] = (state, StudyPlan(study, examined, tuple(clips)))
    return _plans[settings.root][1]


def _state(root: Path) -> object:
    files = (path for path in root.rglob("*") if path.suffix in (".csv", ".mkv", ".avi", ".mp4"))
    return tuple(sorted((str(path), path.stat().st_size, path.stat().st_mtime_ns) for path in files))


def videos_of(task: RehabTask, plan: StudyPlan, settings: RehabSettings) -> list[Examined]:
    """Return the videos that a task asks about, in sorted order.

    Identification and primitives: of every subject and activity the first video. Counting: of every subject and
    exercise the first on a listed best view, or on camera 1 where there is no list. Primitives and counting need
    labels.
    """
    usable = [
        each for each in plan.examined if each.info and _in_split(plan.study, each.video.subject, settings)
    ]
    if task.part != "identification":
        usable = [each for each in usable if each.labelled]
    if task.part == "counting":
        views = plan.study.best_views
        usable = [each for each in usable if each.video.activity in EXERCISES]
        usable = [
            each for each in usable if (each.video.camera == 1 if views is None else each.video.id in views)
        ]
        return _first(usable, lambda each: (each.video.subject, each.video.activity))
    return _first(usable, lambda each: (each.video.subject, each.video.activity_raw))


def clips_of(task: RehabTask, plan: StudyPlan, settings: RehabSettings) -> list[ClipTarget]:
    """Return every question about every clip of subjects with rated items.

    An item of which a clip is missing is asked as far as there are clips; the others stay without an answer.
    """
    items = load_rehab_library().items
    found = []
    for subject in sorted({clip.subject for clip, _ in plan.clips}):
        rated = plan.study.truth(subject)
        if not _in_split(plan.study, subject, settings):
            continue
        own = [(clip, info) for clip, info in plan.clips if clip.subject == subject]
        for number in task.items:
            if number not in rated:
                continue
            item = items[number]
            questions = item.questions if task.questions == ("questions",) else item.reasoning
            for order, question in enumerate(questions):
                for clip, info in own:
                    wanted = ("A", "H") if number == 33 else ("A",)
                    if (
                        clip.first <= number <= clip.last
                        and clip.view == question.view
                        and clip.laterality in wanted
                    ):
                        found.append(ClipTarget(clip, info, number, order, question))
    return found


def _in_split(study: Study, subject: str, settings: RehabSettings) -> bool:
    return settings.split in (ALL, study.split_of(subject))


def _first(videos: Iterable[Examined], key: Callable[[Examined], object]) -> list[Examined]:
    chosen: dict[object, Examined] = {}
    for each in sorted(videos, key=lambda each: each.video.id):
        chosen.setdefault(key(each), each)
    return list(chosen.values())


def known_wording(prompt_id: str) -> str | None:
    """Return why a wording's id is unusable, None where some question has it."""
    ids = {wording for _, wording, _ in load_rehab_library().texts()}
    if prompt_id == ALL or prompt_id in ids:
        return None
    near = closest(prompt_id, ids)
    return f"no question has a wording {prompt_id!r}" + (
        f"; {near!r}?" if near else f"; use {', '.join(sorted(ids))}"
    )
