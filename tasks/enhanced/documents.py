"""The questions of the enhanced tasks: those of ``semiology_<feature>``, asked about the derived media.

Recordings, windows and wording are those of the unenhanced task; a transcript is put between the media and
the unchanged question. Task YAMLs name ``<enhancement>_questions_about_<feature>`` and
``<enhancement>_description_of_<feature>``.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping
from typing import Any

from semiology.data.problems import SettingsError
from semiology.enhancements.assignment import SUBSTITUTES
from semiology.enhancements.speech.quoting import quote_transcript, with_transcript
from semiology.enhancements.speech.transcript_file import read_transcript
from semiology.prompts.library import prompt_hash, render
from semiology.settings import ENHANCED
from semiology.tasks import documents
from semiology.tasks.enhanced.derived_media import EnhancedPlan, check_made, enhanced_plan, manifest_folder
from semiology.tasks.enhanced.task_list import TASKS, EnhancedTask
from semiology.tasks.enhanced.transcript_limit import transcript_limit
from semiology.tasks.plan import current_plan
from semiology.tasks.settings import Settings, read_settings

_BUILT = {
    f"{task.enhancement}_{kind}{task.feature}": (kind, task)
    for task in TASKS.values()
    for kind in (documents.QUESTIONS, documents.DESCRIPTION)
}


def __getattr__(name: str) -> Any:
    """Resolve the names that the task YAMLs use.

    Raises:
        AttributeError: any other name.
        SettingsError: no usable recording set is chosen, or the enhancement is missing.
    """
    if name not in _BUILT:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    kind, task = _BUILT[name]
    return questions(task) if kind == documents.QUESTIONS else description(task)


def questions(task: EnhancedTask) -> dict[str, Any]:
    """Write the question table of an enhanced task and return it as ``dataset_kwargs`` of lmms-eval.

    Raises:
        SettingsError: as for `semiology.tasks.documents.questions`; the enhancement is missing for some
            recording; or it could be made for none.
    """
    settings = read_settings()
    enhanced = usable_plan(task, settings)
    prompt = documents.choose_prompt(task.feature, settings.prompt_id)
    rows = [
        enhanced_row(row, enhanced) for row in documents.build_documents(task.feature, enhanced.plan, prompt)
    ]
    if not rows:
        raise SettingsError(f"{task.name}: {nothing_left(task, enhanced, settings)}")
    return documents.write_questions(f"{task.enhancement}-{task.feature}", rows, settings)


def description(task: EnhancedTask) -> dict[str, Any]:
    """Return the task's ``metadata``: that of the unenhanced task, and what the enhancement left out."""
    settings = read_settings()
    enhanced = usable_plan(task, settings)
    prompt = documents.choose_prompt(task.feature, settings.prompt_id)
    missing = left_out_of(task, enhanced, settings)
    counts = Counter(status for status, _ in missing.values())
    return {
        **documents.coverage(task.feature),
        "prompt": f"{task.feature}/{prompt.id}/{prompt_hash(render(prompt))}",
        "enhancement": task.enhancement,
        "enhancement_settings": sorted({f"{row.version}/{row.settings}" for row in enhanced.rows.values()}),
        # ids and states alone: sentences may quote a file's name, which may hold a patient's
        "recordings_without_enhancement": {name: status for name, (status, _) in sorted(missing.items())},
        "recordings_enhancement_failed": counts["failed"],
        "recordings_enhancement_unavailable": counts["unavailable"],
        **({"transcript_limit": transcript_limit()} if _is_quoted(task.enhancement) else {}),
    }


def usable_plan(task: EnhancedTask, settings: Settings) -> EnhancedPlan:
    """Return the plan of a task with the derived media.

    Raises:
        SettingsError: a derived file is missing that a command can make, or a setting is not understood.
        RecordingSetError: the set or the manifest has faults.
    """
    if _is_quoted(task.enhancement):
        transcript_limit()
    base = current_plan(settings)
    folder = manifest_folder(settings, ENHANCED.text())
    enhanced = enhanced_plan(base, task.enhancement, folder)
    check_made(enhanced, asked_recordings(task, settings), settings, folder)
    return enhanced


def asked_recordings(task: EnhancedTask, settings: Settings) -> tuple[str, ...]:
    """Return the ids of the recordings that the unenhanced task asks about."""
    plan = current_plan(settings)
    return tuple(
        annotation.video_id
        for annotation in plan.recording_set.annotations
        if annotation.feature == task.feature and documents.is_asked(annotation, plan)
    )


def left_out_of(task: EnhancedTask, enhanced: EnhancedPlan, settings: Settings) -> dict[str, tuple[str, str]]:
    """Return (status, sentence) of the recordings that only the unenhanced task asks about, by id."""
    asked = set(asked_recordings(task, settings))
    return {name: told for name, told in enhanced.left_out.items() if name in asked}


def nothing_left(task: EnhancedTask, enhanced: EnhancedPlan, settings: Settings) -> str:
    """Say why a task has no question."""
    missing = left_out_of(task, enhanced, settings)
    if missing:
        _, sentence = next(iter(missing.values()))
        return f"the enhancement {task.enhancement!r} could be made for no recording ({sentence})"
    return f"no usable recording in {settings.data} is annotated for {task.feature}"


def enhanced_row(row: Mapping[str, Any], enhanced: EnhancedPlan) -> dict[str, Any]:
    """Return a row of the question table marked as enhanced; a transcript is quoted before the question.

    Args:
        row: about a recording of ``enhanced.plan``.
        enhanced: the plan with derived media.

    Raises:
        TranscriptError: the transcript cannot be read.
        SettingsError: the length of quotations is not understood.
    """
    source = enhanced.rows[str(row["video_id"])]
    marked = {
        **row,
        "enhancement": enhanced.enhancement,
        "enhancement_key": source.key,
        "transcript_hash": "",
    }
    if not _is_quoted(enhanced.enhancement) or source.file is None:
        return marked
    utterances = read_transcript(source.file)
    window = float(row["start_s"]), float(row["end_s"])
    quoted = quote_transcript(utterances, *window, limit=transcript_limit())
    return marked | {
        # Before the question: all questions about a window then share it with the media.
        "question": with_transcript(str(row["question"]), quoted),
        "transcript_hash": hashlib.sha256(quoted.encode()).hexdigest(),
    }


def _is_quoted(enhancement: str) -> bool:
    return SUBSTITUTES[enhancement] == "text"
