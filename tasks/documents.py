"""The questions on features as lmms-eval documents: one row per annotated recording, segment and wording.

A task YAML names ``!function semiology.tasks.documents.questions_about_<feature>`` (or, for tasks with an
enhancement and sweeps, ``questions_about_<task>``); the value is the ``dataset_kwargs`` that points lmms-eval at a
table written here. The table's name carries the hash of its content (wording, segments, media stamps, truth), so
that lmms-eval's response cache, which hashes the task's configuration, can never answer for another wording,
segment or file.

An enhanced task asks about the recordings and segments of the plain task, in the same wording; only the media
differ, or a transcript is put between them and the question. A sweep asks about each segment in every chosen
wording, one after the other, so that a model class that keeps the prefix of a segment reads its frames once.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from semiology.data.problems import SettingsError
from semiology.data.protection.splits import PROTECTED
from semiology.data.windows.clips import WHOLE, WholeVideo
from semiology.data.windows.sliding import Segment
from semiology.enhancements.registry import features_of
from semiology.features import AUDIO_FEATURES, FEATURES, THREE_CLASSES
from semiology.prompts.library import Prompt, answer_formats, load_library, prompt_hash, render
from semiology.render.validation import did_you_mean
from semiology.settings import SWEEP_ENHANCEMENTS, SWEEP_FORMATS, SWEEP_PROMPTS
from semiology.tasks.derived_media import (
    enhanced_row,
    is_quoted,
    transcript_limit,
    usable_plan,
)
from semiology.tasks.plan import Plan, RecordingPlan, current_plan, write_private
from semiology.tasks.settings import Settings, read_settings, sound_override
from semiology.tasks.sweep.wordings import Selection, select_wordings, unfit
from semiology.tasks.task_list import NO_ENHANCEMENT, FeatureTask, task_named
from semiology.versions import installed_versions

QUESTIONS = "questions_about_"
DESCRIPTION = "description_of_"
TASK_VERSION = 1.0


def __getattr__(name: str) -> Any:
    """Resolve the names that the task YAMLs use; see the module's docstring.

    Raises:
        AttributeError: Any other name.
        SettingsError: As for `questions`.
    """
    for prefix, build in ((QUESTIONS, questions), (DESCRIPTION, description)):
        if name.startswith(prefix):
            try:
                return build(name.removeprefix(prefix))
            except KeyError as error:
                raise AttributeError(
                    f"module {__name__!r} has no attribute {name!r}: {error.args[0]}"
                ) from None
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def questions(name: str) -> dict[str, Any]:
    """Write the question table of a task and return it as ``dataset_kwargs`` of lmms-eval.

    Raises:
        KeyError: There is no task of that name, nor a feature, which stands for its plain task.
        SettingsError: No usable recording set or wording is chosen, nothing in the set is annotated for the
            feature, or derived media are missing.
    """
    task, settings = task_named(name), read_settings()
    enhancements = SWEEP_ENHANCEMENTS.words() if task.sweep else (task.enhancement,)
    wordings = _wordings(task, settings)
    rows = [row for each in enhancements for row in rows_of(task.feature, each, wordings, settings)]
    if not rows:
        raise SettingsError(
            f"{task.feature}: no usable recording in {settings.data} is annotated for this feature; add rows to "
            f"annotations.csv or leave {task.name} out"
        )
    if len({row["enhancement"] for row in rows}) > 1:
        # One table has one set of columns.
        rows = [{"enhancement_key": "", "transcript_hash": "", **row} for row in rows]
    return write_questions(task.table, rows, settings)


def rows_of(
    feature: str, enhancement: str, wordings: Prompt | Selection, settings: Settings
) -> list[dict[str, Any]]:
    """Return the rows of a question table with one enhancement, or none of it (``none``).

    Nothing where the enhancement does not suit the feature.

    Raises:
        SettingsError: A derived file is missing that ``semiology enhance`` makes, or there is none at all.
    """

    def build(feature: str, plan: Plan) -> list[dict[str, Any]]:
        if isinstance(wordings, Selection):
            return sweep_documents(feature, plan, wordings)
        return build_documents(
            feature, plan, wordings, settings.answer_format, whole_sound=settings.whole_sound
        )

    if enhancement == NO_ENHANCEMENT:
        return build(feature, current_plan(settings))
    if feature not in features_of(enhancement):
        return []
    enhanced = usable_plan(feature, enhancement, settings)
    rows = [enhanced_row(row, enhanced) for row in build(feature, enhanced.plan)]
    if not rows:
        name = FeatureTask(feature, enhancement).name
        raise SettingsError(f"{name}: {enhanced.nothing_left(feature)}")
    return rows


def write_questions(name: str, documents: Sequence[Mapping[str, Any]], settings: Settings) -> dict[str, Any]:
    """Write a question table under a name that holds its digest; return the ``dataset_kwargs`` for it."""
    text = "".join(json.dumps(document, sort_keys=True) + "\n" for document in documents)
    digest = hashlib.sha256(text.encode()).hexdigest()
    table = settings.cache / "questions" / f"{name}-{digest[:32]}.jsonl"
    if not table.exists():
        write_private(table, text)
    return {"data_files": {"test": str(table)}, "cache_dir": str(settings.cache / "datasets")}


def description(name: str) -> dict[str, Any]:
    """Return the ``metadata`` of a task: version, data set, wordings and the counts of what was left out.

    Raises:
        KeyError: There is no such task.
    """
    task, settings = task_named(name), read_settings()
    wordings = _wordings(task, settings)
    found = coverage(task.feature)
    if isinstance(wordings, Selection):
        asked = [f"{task.feature}/{wording.name}/{wording.hash}" for wording in wordings.wordings]
        return {**found, "prompt": asked, "not_asked": list(wordings.skipped)}
    found["prompt"] = (
        f"{task.feature}/{wordings.id}/{prompt_hash(render(wordings, settings.answer_format or None))}"
    )
    if task.enhancement == NO_ENHANCEMENT:
        return found
    enhanced = usable_plan(task.feature, task.enhancement, settings)
    counts = Counter(status for status, _ in enhanced.left_out.values())
    return {
        **found,
        "enhancement": task.enhancement,
        "enhancement_settings": sorted({f"{row.version}/{row.settings}" for row in enhanced.rows.values()}),
        # ids and states alone: sentences may quote a file's name, which may hold a patient's
        "recordings_without_enhancement": {
            video: status for video, (status, _) in sorted(enhanced.left_out.items())
        },
        "recordings_enhancement_failed": counts["failed"],
        "recordings_enhancement_unavailable": counts["unavailable"],
        **({"transcript_limit": transcript_limit()} if is_quoted(task.enhancement) else {}),
    }


def coverage(feature: str) -> dict[str, Any]:
    """Return version, data set and the counts of what was left out, whatever the wording."""
    settings = read_settings()
    plan = current_plan(settings)
    present = [annotation.present for annotation in plan.recording_set.annotations_of(feature)]
    recordings = plan.recordings.values()
    return {
        "version": TASK_VERSION,
        **run_facts(plan, settings),
        "recordings": len(plan.recording_set.recordings),
        # ids alone: the reasons quote file names, which may hold a name or a date
        "recordings_without_usable_video": sorted(plan.excluded),
        "recordings_not_annotated": len(plan.recording_set.recordings) - len(present),
        "recordings_annotated_na": 0 if feature in THREE_CLASSES else present.count("na"),
        "windows_with_too_few_frames": sum(item.unusable_segments for item in recordings),
        "recordings_without_sound": sum(
            feature in AUDIO_FEATURES and not item.has_sound for item in recordings
        ),
    }


def run_facts(plan: Plan, settings: Settings) -> dict[str, Any]:
    """Return what a task's ``metadata`` says of the run: packages, recording set, splits, segments, sound."""
    handed = plan.handed_out
    opened = {name: len(handed.protected(name)) for name in PROTECTED} if handed else {}
    splits = (
        {
            # not "split": lmms-eval would take that for the name of the documents' part
            "splits_asked": settings.purpose,
            "recordings_protected": opened,
            "recordings_withheld": dict(handed.withheld),
        }
        if handed and (handed.withheld or any(opened.values()))
        else {}
    )
    return {
        # lmms-eval records the commit of the current folder where one would look for its version
        "packages": installed_versions(),
        "recording_set": f"{plan.recording_set.name} {plan.recording_set.version}".strip(),
        "simulated": plan.recording_set.metadata.get("simulated") is True,
        **splits,
        **({"recordings_not_chosen": handed.not_chosen} if handed and handed.not_chosen else {}),
        "window": settings.window_name,
        **({"audio_segments": WHOLE} if settings.whole_sound else {}),
        "sound": sound_override(),
    }


def _wordings(task: FeatureTask, settings: Settings) -> Prompt | Selection:
    """Return the chosen wording of a task, or the chosen wordings of a sweep."""
    if task.sweep:
        return select_wordings(task.feature, SWEEP_PROMPTS.words(), SWEEP_FORMATS.words())
    return choose_prompt(task.feature, settings.prompt_id, settings.answer_format)


def choose_prompt(feature: str, prompt_id: str, answer_format: str = "") -> Prompt:
    """Return the wording of a feature by id; a study whose wording is another's counts as its id.

    Of several wordings of one study, whose programs spelled a question differently, it is the first, or the one that
    goes with the answer format that is asked for.

    Raises:
        SettingsError: The feature has no wording of that id; the message lists those that it has.
    """
    prompts = load_library().feature(feature).prompts
    named = [prompt for prompt in prompts if prompt_id in (prompt.id, *prompt.also)]
    for prompt in sorted(named, key=lambda prompt: prompt.answer != answer_format):
        return prompt
    raise SettingsError(
        f"{feature} has no wording {prompt_id!r}; it has {', '.join(prompt.id for prompt in prompts)} "
        "(`semiology prompts list` shows them)"
    )


def check_wording(features: Sequence[str], prompt_id: str, answer_format: str = "") -> None:
    """Check that every feature has the chosen wording, and that it can be sent in the chosen answer format.

    Raises:
        SettingsError: Some have not; the message names the tasks that have it, or the ids that exist.
    """
    if answer_format and answer_format not in answer_formats():
        known = list(answer_formats())
        raise SettingsError(
            f"--answer-format {answer_format}: unknown format{did_you_mean(answer_format, known)}; use one of "
            f"{', '.join(known)}"
        )
    library = load_library()
    having = [
        name
        for name in FEATURES
        if any(prompt_id in (prompt.id, *prompt.also) for prompt in library.feature(name).prompts)
    ]
    lacking = [feature for feature in features if feature not in having]
    if lacking and not having:
        choose_prompt(lacking[0], prompt_id)
    if lacking:
        tasks = ",".join(f"semiology_{feature}" for feature in having)
        raise SettingsError(f"no wording {prompt_id!r} for {', '.join(lacking)}; ask with --tasks {tasks}")
    if not answer_format:
        return
    reasons = {name: unfit(choose_prompt(name, prompt_id, answer_format), answer_format) for name in features}
    for feature, reason in reasons.items():
        if reason:
            tasks = ",".join(f"semiology_{name}" for name in features if reasons[name] is None)
            raise SettingsError(
                f"--answer-format {answer_format} does not go with the wording {prompt_id!r} of {feature}, because "
                f"{reason}; " + (f"ask with --tasks {tasks}" if tasks else "choose another wording or format")
            )


def build_documents(
    feature: str, plan: Plan, prompt: Prompt, answer_format: str = "", *, whole_sound: bool = False
) -> list[dict[str, Any]]:
    """Return one document per annotated, usable recording and segment, in the set's order.

    An ``answer_format`` other than the wording's own stands in a column of that name. With ``whole_sound`` a feature
    of sound is asked about once, over the whole recording, whose picture then has as many frames as a window.

    A recording annotated ``na`` is asked only where NA is an answer; elsewhere it has no truth to compare with
    and is counted by `description`.
    """
    truths = plan.truths(feature)
    question = render(prompt, answer_format or None)
    shared = {
        "feature": feature,
        "enhancement": NO_ENHANCEMENT,
        "prompt_id": prompt.id,
        "prompt_hash": prompt_hash(question),
        "polarity": prompt.polarity,
        "question": question,
        **({"answer_format": answer_format} if answer_format else {}),
    }
    whole = WholeVideo(plan.window.max_frames) if whole_sound and feature in AUDIO_FEATURES else None
    rows = []
    for video_id, recording in plan.recordings.items():
        if video_id not in truths:
            continue
        segments = recording.segments if whole is None else (whole.segment(recording.info.duration_s),)
        for segment in segments:
            rate = {} if whole is None else {"clip_fps": whole.rate(segment)}
            rows.append({**shared, "truth": truths[video_id], **media_of(recording, segment), **rate})
    return rows


def sweep_documents(feature: str, plan: Plan, selection: Selection) -> list[dict[str, Any]]:
    """Return one document per annotated, usable recording, segment and wording; wordings innermost.

    Besides the columns of `build_documents` each carries ``family``, ``provenance`` and ``answer_format``.
    """
    base = build_documents(feature, plan, selection.wordings[0].prompt)
    return [
        {
            **row,
            "prompt_id": wording.prompt.id,
            "prompt_hash": wording.hash,
            "polarity": wording.prompt.polarity,
            "family": wording.prompt.family,
            "provenance": wording.prompt.provenance,
            "answer_format": wording.answer_format,
            "question": wording.question,
        }
        for row in base
        for wording in selection.wordings
    ]


def media_of(plan: RecordingPlan, segment: Segment) -> dict[str, Any]:
    """Return the part of a document that says which media to show."""
    return {
        "video_id": plan.recording.video_id,
        "patient_id": plan.recording.patient_id,
        "segment": segment.index,
        "start_s": segment.start_s,
        "end_s": segment.end_s,
        "video": str(plan.recording.video),
        "audio": str(plan.recording.audio) if plan.recording.audio else None,
        "has_audio": plan.has_sound,
        "media_stamp": plan.media_stamp,
        "cut_first": plan.clip_reason is not None,
    }
