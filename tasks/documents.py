"""The questions of a task as lmms-eval documents: one row per annotated recording and window.

A task YAML names ``!function semiology.tasks.documents.questions_about_<feature>``; the value is the
``dataset_kwargs`` that points lmms-eval at a table written here. The table's name carries the hash of its
content (wording, windows, media stamps, truth), so that lmms-eval's response cache, which hashes the task's
configuration, can never answer for another wording, window or file.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

from semiology.data.problems import SettingsError
from semiology.data.recording_set import Annotation
from semiology.data.windows.sliding import Segment
from semiology.features import AUDIO_FEATURES, FEATURES, suggest_feature
from semiology.prompts.library import Prompt, load_library, prompt_hash, render
from semiology.tasks.plan import Plan, RecordingPlan, current_plan, write_private
from semiology.tasks.settings import Settings, read_settings, sound_override
from semiology.versions import installed_versions

QUESTIONS = "questions_about_"
DESCRIPTION = "description_of_"
TASK_VERSION = 1.0


def __getattr__(name: str) -> Any:
    """Resolve the names that the task YAMLs use; see the module's docstring.

    Raises:
        AttributeError: Any other name.
        SettingsError: No usable recording set is chosen, or nothing in it is annotated for the feature.
    """
    for prefix, build in ((QUESTIONS, questions), (DESCRIPTION, description)):
        if name.startswith(prefix) and name.removeprefix(prefix) in FEATURES:
            return build(name.removeprefix(prefix))
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}{suggest_feature(name)}")


def questions(feature: str) -> dict[str, Any]:
    """Write the question table of a feature and return it as ``dataset_kwargs`` of lmms-eval.

    Raises:
        SettingsError: No usable recording set is chosen, or nothing in it is annotated for the feature.
    """
    settings = read_settings()
    documents = build_documents(feature, current_plan(settings), choose_prompt(feature, settings.prompt_id))
    if not documents:
        raise SettingsError(
            f"{feature}: no usable recording in {settings.data} is annotated for this feature; add rows to "
            f"annotations.csv or leave semiology_{feature} out"
        )
    return write_questions(feature, documents, settings)


def write_questions(name: str, documents: Sequence[Mapping[str, Any]], settings: Settings) -> dict[str, Any]:
    """Write a question table under a name that holds its digest; return the ``dataset_kwargs`` for it."""
    text = "".join(json.dumps(document, sort_keys=True) + "\n" for document in documents)
    digest = hashlib.sha256(text.encode()).hexdigest()
    table = settings.cache / "questions" / f"{name}-{digest[:32]}.jsonl"
    if not table.exists():
        write_private(table, text)
    return {"data_files": {"test": str(table)}, "cache_dir": str(settings.cache / "datasets")}


def description(feature: str) -> dict[str, Any]:
    """Return the task's ``metadata``: version, data set and the counts of what was left out."""
    prompt = choose_prompt(feature, read_settings().prompt_id)
    return {**coverage(feature), "prompt": f"{feature}/{prompt.id}/{prompt_hash(render(prompt))}"}


def coverage(feature: str) -> dict[str, Any]:
    """Return version, data set and the counts of what was left out, whatever the wording."""
    settings = read_settings()
    plan = current_plan(settings)
    presence = {
        annotation.video_id: annotation.present
        for annotation in plan.recording_set.annotations
        if annotation.feature == feature
    }
    return {
        "version": TASK_VERSION,
        # lmms-eval records the commit of the current folder where one would look for its version
        "packages": installed_versions(),
        "recording_set": f"{plan.recording_set.name} {plan.recording_set.version}".strip(),
        "simulated": plan.recording_set.metadata.get("simulated") is True,
        "window": settings.window_name,
        "sound": sound_override(),
        "recordings": len(plan.recording_set.recordings),
        # ids alone: the reasons quote file names, which may hold a name or a date
        "recordings_without_usable_video": sorted(plan.excluded),
        "recordings_not_annotated": len(plan.recording_set.recordings) - len(presence),
        "recordings_annotated_na": 0
        if feature == "verbal_responsiveness"
        else sum(value == "na" for value in presence.values()),
        "windows_with_too_few_frames": sum(item.unusable_segments for item in plan.recordings.values()),
        "recordings_without_sound": sum(
            feature in AUDIO_FEATURES and not has_sound(item) for item in plan.recordings.values()
        ),
    }


def choose_prompt(feature: str, prompt_id: str) -> Prompt:
    """Return the wording of a feature by id; a study whose wording is the reference's counts as its id.

    Raises:
        SettingsError: The feature has no wording of that id; the message lists those that it has.
    """
    prompts = load_library().feature(feature).prompts
    for prompt in prompts:
        if prompt_id == prompt.id or prompt_id in prompt.also:
            return prompt
    raise SettingsError(
        f"{feature} has no wording {prompt_id!r}; it has {', '.join(prompt.id for prompt in prompts)} "
        "(`semiology prompts list` shows them)"
    )


def check_wording(features: Sequence[str], prompt_id: str) -> None:
    """Check that every feature has the chosen wording.

    Raises:
        SettingsError: Some have not; the message names the tasks that have it, or the ids that exist.
    """
    library = load_library()
    having = [name for name in FEATURES if _has_wording(library.feature(name).prompts, prompt_id)]
    lacking = [feature for feature in features if feature not in having]
    if lacking and not having:
        choose_prompt(lacking[0], prompt_id)
    if lacking:
        tasks = ",".join(f"semiology_{feature}" for feature in having)
        raise SettingsError(f"no wording {prompt_id!r} for {', '.join(lacking)}; ask with --tasks {tasks}")


def _has_wording(prompts: Sequence[Prompt], prompt_id: str) -> bool:
    return any(prompt_id == prompt.id or prompt_id in prompt.also for prompt in prompts)


def annotated_features(plan: Plan) -> tuple[str, ...]:
    """Return the features that can be asked about: annotated for at least one usable recording."""
    seen = {annotation.feature for annotation in plan.recording_set.annotations if is_asked(annotation, plan)}
    return tuple(feature for feature in FEATURES if feature in seen)


def build_documents(feature: str, plan: Plan, prompt: Prompt) -> list[dict[str, Any]]:
    """Return one document per annotated, usable recording and window, in the set's order.

    A recording annotated ``na`` is asked only about verbal responsiveness, where NA is an answer; elsewhere
    it has no truth to compare with and is counted by :func:`description`.
    """
    truths = {
        annotation.video_id: annotation.present
        for annotation in plan.recording_set.annotations
        if annotation.feature == feature and is_asked(annotation, plan)
    }
    question = render(prompt)
    shared = {
        "feature": feature,
        "enhancement": "none",
        "prompt_id": prompt.id,
        "prompt_hash": prompt_hash(question),
        "polarity": prompt.polarity,
        "question": question,
    }
    return [
        {**shared, "truth": truths[video_id], **media_of(recording, segment)}
        for video_id, recording in plan.recordings.items()
        if video_id in truths
        for segment in recording.segments
    ]


def is_asked(annotation: Annotation, plan: Plan) -> bool:
    """Tell whether an annotation gives a question: usable media, and a truth that an answer can have."""
    recording = plan.recordings.get(annotation.video_id)
    if recording is None or (annotation.feature in AUDIO_FEATURES and not has_sound(recording)):
        return False
    return annotation.present != "na" or annotation.feature == "verbal_responsiveness"


def has_sound(recording: RecordingPlan) -> bool:
    """Tell whether a recording has a sound track or a sound file beside it."""
    return recording.has_audio or recording.recording.audio is not None


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
        "has_audio": has_sound(plan),
        "media_stamp": plan.media_stamp,
        "cut_first": plan.clip_reason is not None,
    }
