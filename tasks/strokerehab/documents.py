"""The questions of the stroke-rehabilitation tasks as lmms-eval documents: one row per window, question and wording.

A task YAML names ``!function semiology.tasks.strokerehab.documents.questions_of_<task>``; see
``semiology.tasks.documents`` for why the table's name carries its digest. Films are shown under neutral names
(links in the cache), because the study's file names tell the group and the activity.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterator
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from semiology.data.cache import private_folder
from semiology.data.media.probe import MediaInfo, needs_clip
from semiology.data.problems import SettingsError
from semiology.data.strokerehab.black_film import write_black_film
from semiology.data.strokerehab.sampling import FrameWindow, Sampling, stride, windows
from semiology.data.strokerehab.study import Study
from semiology.prompts.library import prompt_hash
from semiology.prompts.strokerehab_library import Question, Wording, load_rehab_library
from semiology.settings import REHAB_PROMPT
from semiology.strokerehab import serialised_runs
from semiology.tasks.documents import TASK_VERSION
from semiology.tasks.plan import write_private
from semiology.tasks.strokerehab.settings import ALL, RehabSettings, read_rehab_settings, reading_profile
from semiology.tasks.strokerehab.targets import StudyPlan, clips_of, known_wording, study_plan, videos_of
from semiology.tasks.strokerehab.task_list import NEEDS, TASKS, RehabTask
from semiology.versions import installed_versions

QUESTIONS = "questions_of_"
DESCRIPTION = "description_of_"
EDGE = 0.25
"""Share of a frame by which the times that a model class is given lie outside the frames to be shown, so that rounding
can neither lose nor add one."""


def __getattr__(name: str) -> Any:
    """Resolve the names that the task YAMLs use; see the module's docstring.

    Raises:
        AttributeError: any other name.
        SettingsError: no study is chosen, or nothing in it can be asked.
    """
    for prefix, build in ((QUESTIONS, questions), (DESCRIPTION, description)):
        if name.startswith(prefix) and name.removeprefix(prefix) in TASKS:
            return build(name.removeprefix(prefix))
    near = get_close_matches(name, [f"{QUESTIONS}{task}" for task in TASKS], n=1)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}" + (f"; {near[0]}?" if near else ""))


def questions(task: str) -> dict[str, Any]:
    """Write the question table of a task and return it as ``dataset_kwargs`` of lmms-eval.

    Raises:
        SettingsError: no study is chosen, nothing in it can be asked, or a choice is not understood.
    """
    settings = read_rehab_settings()
    rows = build_documents(task, settings)
    if not rows:
        raise SettingsError(nothing_to_ask(task, settings))
    text = "".join(json.dumps(row, sort_keys=True) + "\n" for row in rows)
    digest = hashlib.sha256(text.encode()).hexdigest()
    table = settings.cache / "questions" / f"{task}-{digest[:32]}.jsonl"
    if not table.exists():
        write_private(table, text)
    return {"data_files": {"test": str(table)}, "cache_dir": str(settings.cache / "datasets")}


def description(task: str) -> dict[str, Any]:
    """Return the task's ``metadata``: version, study, wording, sampling, and how much is asked."""
    settings = read_rehab_settings()
    rows = build_documents(task, settings)
    return {
        "version": TASK_VERSION,
        "data": settings.root.name,
        "simulated": study_plan(settings).study.drawn,
        "prompt": f"{task}/{settings.prompt_id}",
        "provenance": "authored, not yet reviewed by a clinician",
        "profile": reading_profile(),
        "pictures": "black" if settings.black else "film",
        # not "split": lmms-eval takes that for the part of the table to ask
        "study_split": settings.split,
        "sampling": sampling_of(TASKS[task], settings).name,
        "videos_asked": len({row["video_id"] for row in rows}),
        "subjects_asked": len({row["subject"] for row in rows}),
        "questions": len(rows),
        "packages": installed_versions(),
    }


def nothing_to_ask(task: str, settings: RehabSettings) -> str:
    """Return what is missing in the study for a task to be asked, and the fix."""
    return (
        f"{task}: nothing in {settings.root} can be asked with the split {settings.split}; it needs "
        f"{NEEDS[TASKS[task].part]}. `semiology data check {settings.root}` tells what is there"
    )


def sampling_of(task: RehabTask, settings: RehabSettings) -> Sampling:
    """Return how a task samples: as published, or dense tasks as chosen."""
    return settings.sampling if settings.sampling and task.sampling.fps is not None else task.sampling


def build_documents(name: str, settings: RehabSettings) -> list[dict[str, Any]]:
    """Return one document per window, question and wording; all questions on a window follow each other.

    Raises:
        SettingsError: the wording is unknown.
    """
    for prompt_id in settings.prompt_ids:
        if fault := known_wording(prompt_id):
            raise SettingsError(f"{REHAB_PROMPT}: {fault}")
    task, plan = TASKS[name], study_plan(settings)
    sampling = sampling_of(task, settings)
    build = _clip_rows if task.part == "impairment" else _video_rows
    return list(build(task, plan, sampling, settings))


def _video_rows(
    task: RehabTask, plan: StudyPlan, sampling: Sampling, settings: RehabSettings
) -> Iterator[dict[str, Any]]:
    library = load_rehab_library().questions[task.questions_of]
    asked = [library[name] for name in task.questions]
    for each in videos_of(task, plan, settings):
        video, info, labels = each.video, each.info, each.labels
        if info is None or video.video is None:
            continue
        found = windows(info.frames, info.fps, sampling)
        runs = serialised_runs(labels.runs) if labels and task.part != "identification" else ""
        hand = labels.hand.upper() if labels else ""
        shared = {
            **_whose(task, plan.study, video.subject),
            "video_id": video.id,
            "activity": video.activity,
            "item": 0,
            "laterality": "",
            "rated": "",
            "order": 0,
            "windows": len(found),
            "questions": len(asked),
            "subject_questions": 0,
            "hand": hand,
        }
        for window in found:
            media = _media(video.video, info, window, sampling, settings)
            for place, question in enumerate(asked):
                for wording in _wordings(question, settings):
                    first = window.number == 0 and place == 0
                    yield {
                        **shared,
                        **_asked(question, wording, hand),
                        **media,
                        "truth": video.activity if task.part == "identification" else "",
                        "truth_runs": runs if first else "",
                    }


def _clip_rows(
    task: RehabTask, plan: StudyPlan, sampling: Sampling, settings: RehabSettings
) -> Iterator[dict[str, Any]]:
    rows = list(_rows_of_clips(task, plan, sampling, settings))
    totals = Counter((row["subject"], row["prompt_id"]) for row in rows)
    for row in rows:
        yield {**row, "subject_questions": totals[row["subject"], row["prompt_id"]]}


def _rows_of_clips(
    task: RehabTask, plan: StudyPlan, sampling: Sampling, settings: RehabSettings
) -> Iterator[dict[str, Any]]:
    items = load_rehab_library().items
    told: set[tuple[str, str]] = set()
    truths = {subject: plan.study.truth(subject) for subject in {clip.subject for clip in plan.study.clips}}
    for target in sorted(
        clips_of(task, plan, settings), key=lambda each: (each.clip.subject, str(each.clip.video), each.item)
    ):
        clip, info = target.clip, target.info
        rated = truths[clip.subject]
        own = {item: rated[item] for item in task.items if item in rated}
        entry = items[target.item]
        count = len(entry.questions if task.questions == ("questions",) else entry.reasoning)
        found = windows(info.frames, info.fps, sampling)
        for window in found:
            media = _media(clip.video, info, window, sampling, settings)
            for wording in _wordings(target.question, settings):
                key = (clip.subject, wording.id)
                yield {
                    **_whose(task, plan.study, clip.subject),
                    **_asked(target.question, wording, ""),
                    **media,
                    "video_id": clip.video.stem,
                    "activity": "",
                    "item": target.item,
                    "laterality": clip.laterality,
                    "order": target.order,
                    "windows": len(found),
                    "questions": count * (2 if target.item == 33 else 1),
                    "hand": "",
                    "truth": str(rated[target.item]),
                    "truth_runs": "",
                    "rated": ""
                    if key in told
                    else ";".join(f"{item}:{score}" for item, score in own.items()),
                }
                told.add(key)


def _whose(task: RehabTask, study: Study, subject: str) -> dict[str, Any]:
    known = study.subjects.get(subject)
    return {
        "task": task.name,
        "part": task.part,
        "subject": subject,
        "patient_id": subject,
        "group": "C" if subject.startswith("C") else "S",
        "severity": (known.severity if known else None) or "",
        "feature": "",
        "enhancement": "none",
    }


def _wordings(question: Question, settings: RehabSettings) -> list[Wording]:
    """Return the chosen wordings of a question, each once; the reference stands for one that it lacks."""
    if settings.prompt_id == ALL:
        return question.prompts
    found = {wording.id: wording for wording in map(question.wording, settings.prompt_ids)}
    return list(found.values())


def _asked(question: Question, wording: Wording, hand: str) -> dict[str, Any]:
    text = wording.text.replace("{hand}", hand)
    return {
        "question_id": question.id,
        "kind": question.kind or question.answer,
        "prompt_id": wording.id,
        "prompt_hash": prompt_hash(text),
        "question": text,
    }


def _media(
    path: Path, info: MediaInfo, window: FrameWindow, sampling: Sampling, settings: RehabSettings
) -> dict[str, Any]:
    """Return the part of a document that says which frames to show.

    Model classes that read a window get its first and last frame to be shown, and how many (``frames``): evenly spread
    these are the frames of the stride. Classes that take a file get a clip of just these frames.
    """
    shown = window.numbers if len(window.numbers) > 1 else _pair(window.numbers[0], info.frames)
    step = shown[1] - shown[0] if sampling.fps is None else stride(info.fps, sampling.fps)
    state = path.stat()
    return {
        "video": str(black_film(info, settings) if settings.black else neutral_link(path, settings)),
        "media_stamp": f"{state.st_size}-{state.st_mtime_ns}",
        "window": window.number,
        "segment": window.number,
        "start_s": window.start_s,
        "end_s": window.end_s,
        "show_start_s": max(0.0, (shown[0] - EDGE) / info.fps),
        "show_end_s": (shown[-1] + EDGE) / info.fps,
        "frames": len(shown),
        "clip_start_s": shown[0] / info.fps,
        "clip_end_s": min(info.duration_s, (shown[0] + len(shown) * max(1, step)) / info.fps),
        "clip_fps": info.fps / max(1, step),
        "fps": info.fps,
        "has_audio": False,
        "audio": "",
        "cut_first": needs_clip(info) is not None and not settings.black,
    }


def _pair(number: int, frames: int) -> tuple[int, ...]:
    """Return a frame with its neighbour: video models take no single frame."""
    if frames < 2:
        return (number, number)
    return (number, number + 1) if number + 1 < frames else (number - 1, number)


def neutral_link(path: Path, settings: RehabSettings) -> Path:
    """Return a link to a film whose name tells nothing; made in the cache, readable for its owner alone."""
    name = hashlib.sha256(str(path.resolve()).encode()).hexdigest()[:16]
    link = settings.cache / "neutral" / f"{name}{path.suffix}"
    private_folder(link.parent)
    if not link.exists():
        link.unlink(missing_ok=True)
        link.symlink_to(path.resolve())
    return link


def black_film(info: MediaInfo, settings: RehabSettings) -> Path:
    """Return a film of black frames with the size, rate and length of another; made once for all of its like."""
    name = f"{info.width}x{info.height}-{info.fps:.4f}-{info.frames}"
    target = settings.cache / "black" / f"{hashlib.sha256(name.encode()).hexdigest()[:16]}.mp4"
    private_folder(target.parent)
    if not target.exists():
        write_black_film(target, info.frames, info.fps, (info.width, info.height))
    return target
