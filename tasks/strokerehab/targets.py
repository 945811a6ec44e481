"""Which videos and clips of a study a task asks about, made once per run from the real files."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from semiology.data.media.probe import MediaInfo
from semiology.data.strokerehab.check import Examined, examine_video, film_info
from semiology.data.strokerehab.study import VIDEO_SUFFIXES, Study, StudyClip, StudyVideo, read_study
from semiology.data.tables.csv_tables import closest
from semiology.prompts.strokerehab_library import Question, load_rehab_library
from semiology.strokerehab import EXERCISES
from semiology.tasks.plan import probe_remembered, read_probes, write_probes
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


class StudyPlan:
    """A study whose films are opened as they are needed, each once; what was learned is remembered on the disk."""

    def __init__(self, study: Study) -> None:
        self.study = study
        self._probes = read_probes()
        self._videos: dict[str, Examined] = {}
        self._clips: dict[Path, MediaInfo | None] = {}

    def examined(self, video: StudyVideo) -> Examined:
        """Return a video with what its files hold; faults become problems of the study."""
        if video.id not in self._videos:
            self._videos[video.id] = examine_video(self.study, video, self._look)
        return self._videos[video.id]

    def clip_info(self, clip: StudyClip) -> MediaInfo | None:
        """Return what a Fugl-Meyer clip holds; None where it cannot be used."""
        if clip.video not in self._clips:
            self._clips[clip.video] = film_info(self.study, clip.video, self._look)
        return self._clips[clip.video]

    def remember(self) -> None:
        """Keep what was learned about the films for the next run."""
        write_probes(self._probes)

    def _look(self, path: Path) -> MediaInfo:
        return probe_remembered(path, self._probes)


_plans: dict[Path, tuple[object, StudyPlan]] = {}


def study_plan(settings: RehabSettings) -> StudyPlan:
    """Return the study as it is on disk now; read again only after a change.

    Raises:
        FileNotFoundError: there is no such folder.
    """
    state = _state(settings.root)
    known = _plans.get(settings.root)
    if known is None or known[0] != state:
        _plans[settings.root] = (state, StudyPlan(read_study(settings.root)))
    return _plans[settings.root][1]


def _state(root: Path) -> object:
    files = (path for path in root.rglob("*") if path.suffix in (".csv", *VIDEO_SUFFIXES))
    return tuple(sorted((str(path), path.stat().st_size, path.stat().st_mtime_ns) for path in files))


def videos_of(task: RehabTask, plan: StudyPlan, settings: RehabSettings) -> list[Examined]:
    """Return the videos that a task asks about, in sorted order.

    Identification and primitives: of every subject and activity the first video. Counting: of every subject and
    exercise the first on a listed best view, or on camera 1 where there is no list. Primitives and counting need
    labels.
    """
    views = plan.study.best_views
    groups: dict[tuple[str, str], list[StudyVideo]] = {}
    for video in sorted(plan.study.videos.values(), key=lambda video: video.id):
        asked = video.video is not None and _in_split(plan.study, video.subject, settings)
        if task.part == "counting":
            asked &= video.activity in EXERCISES and (
                video.camera == 1 if views is None else video.id in views
            )
        if asked and (task.part == "identification" or video.labels is not None):
            kind = video.activity if task.part == "counting" else video.activity_raw
            groups.setdefault((video.subject, kind), []).append(video)
    found = []
    for group in groups.values():
        # Only as many films are opened as it takes to find one that can be used.
        usable = (
            each
            for each in map(plan.examined, group)
            if (each.info if task.part == "identification" else each.labelled)
        )
        first = next(usable, None)
        if first is not None:
            found.append(first)
    plan.remember()
    return sorted(found, key=lambda each: each.video.id)


def clips_of(task: RehabTask, plan: StudyPlan, settings: RehabSettings) -> list[ClipTarget]:
    """Return every question about every clip of subjects with rated items.

    An item of which a clip is missing is asked as far as there are clips; the others stay without an answer.
    """
    items = load_rehab_library().items
    found = []
    for subject in sorted({clip.subject for clip in plan.study.clips}):
        rated = plan.study.truth(subject)
        if not _in_split(plan.study, subject, settings):
            continue
        wanted_items = [number for number in task.items if number in rated]
        own = [
            (clip, info)
            for clip in plan.study.clips
            if clip.subject == subject and any(clip.first <= number <= clip.last for number in wanted_items)
            if (info := plan.clip_info(clip)) is not None
        ]
        for number in wanted_items:
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
    plan.remember()
    return found


def _in_split(study: Study, subject: str, settings: RehabSettings) -> bool:
    return settings.split in (ALL, study.split_of(subject))


def known_wording(prompt_id: str) -> str | None:
    """Return why a wording's id is unusable, None where some question has it."""
    ids = {wording for _, wording, _ in load_rehab_library().texts()}
    if prompt_id == ALL or prompt_id in ids:
        return None
    near = closest(prompt_id, ids)
    return f"no question has a wording {prompt_id!r}" + (
        f"; {near!r}?" if near else f"; use {', '.join(sorted(ids))}"
    )
