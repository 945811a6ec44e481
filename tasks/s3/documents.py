"""The questions of the S3 tasks as lmms-eval documents: one row per recording, question and clip.

A task YAML names ``!function semiology.tasks.s3.documents.questions_of_<task>``; see
``semiology.tasks.documents`` for why the table's name carries its digest.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from semiology.backends.text.served import merge_choice
from semiology.data.problems import SettingsError
from semiology.features import THREE_CLASSES
from semiology.prompts.library import prompt_hash, render
from semiology.prompts.s3_library import TaskPrompt, fill, load_task_prompts
from semiology.render.validation import did_you_mean
from semiology.settings import S3_PROMPT
from semiology.tasks.documents import TASK_VERSION, choose_prompt, media_of, run_facts, write_questions
from semiology.tasks.plan import current_plan
from semiology.tasks.s3.targets import Target, asked_targets
from semiology.tasks.s3.task_list import TASKS
from semiology.tasks.settings import Settings, read_settings

QUESTIONS = "questions_of_"
DESCRIPTION = "description_of_"
JUSTIFICATION_FORMAT = "embc_qwen"
"""The published sentence that asks for an answer with its justification as one JSON object."""
JUSTIFICATION_FORMAT_WITH_NA = "yes_no_na_json"
JUSTIFICATION = "justification"
"""What a question says that asks for a reason itself; it is sent as it is, every other in the formats above."""


def __getattr__(name: str) -> Any:
    """Resolve the names that the task YAMLs use; see the module's docstring.

    Raises:
        AttributeError: Any other name.
        SettingsError: No usable recording set is chosen, or nothing in it can be asked.
    """
    for prefix, build in ((QUESTIONS, questions), (DESCRIPTION, description)):
        if name.startswith(prefix) and name.removeprefix(prefix) in TASKS:
            return build(name.removeprefix(prefix))
    known = [f"{QUESTIONS}{task}" for task in TASKS]
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}{did_you_mean(name, known)}")


def questions(task: str) -> dict[str, Any]:
    """Write the question table of a task and return it as ``dataset_kwargs`` of lmms-eval.

    Raises:
        SettingsError: No usable recording set is chosen, nothing in it can be asked, or a wording is unknown.
        RecordingSetError: A table has faults.
    """
    settings = read_settings()
    documents = build_documents(task, asked_targets(task, current_plan(settings), settings), settings)
    if not documents:
        raise SettingsError(nothing_to_ask(task, settings))
    return write_questions(task, documents, settings)


def description(task: str) -> dict[str, Any]:
    """Return the task's ``metadata``: version, data set, wording, and how many recordings are asked."""
    settings = read_settings()
    plan = current_plan(settings)
    found = asked_targets(task, plan, settings)
    asked = {target.recording.recording.video_id for target in found}
    justified = task == "s3_justification"
    merger = None
    if TASKS[task].answer in ("justification", "report"):
        chosen = merge_choice()
        merger = "extractive" if chosen is None else chosen[0]
    return {
        "version": TASK_VERSION,
        **run_facts(plan, settings),
        "prompt": f"{task}/{settings.prompt_id if justified else prompt_of(task).id}",
        # what merges the texts of segments; None where there are no texts
        "merge": merger,
        "recordings": len(plan.recording_set.recordings),
        "recordings_asked": len(asked),
        "recordings_without_usable_video": sorted(plan.excluded),
        "recordings_without_truth": sorted(set(plan.recordings) - asked),
        "references": sum(bool(target.extra.get("reference")) for target in found) if justified else None,
    }


def prompt_of(task: str) -> TaskPrompt:
    """Return the chosen wording of a task (``SEMIOLOGY_S3_PROMPT``, by default ``s3``).

    A task without a wording of that id is asked with ``s3`` if another S3 task has it.

    Raises:
        SettingsError: No task has a wording of that id.
    """
    chosen = S3_PROMPT.text()
    library = {name: load_task_prompts(name) for name in TASKS if name != "s3_justification"}
    known = {
        word for entry in library.values() for prompt in entry.prompts for word in (prompt.id, *prompt.also)
    }
    if chosen not in known:
        raise SettingsError(f"{S3_PROMPT}={chosen}: no such wording; use one of {', '.join(sorted(known))}")
    try:
        return library[task].prompt(chosen)
    except KeyError:
        return library[task].prompt("s3")


def nothing_to_ask(task: str, settings: Settings) -> str:
    """Return what is missing in the recording set for a task to be asked: files, columns and the fix."""
    return (
        f"{task}: no usable recording in {settings.data} has what it is compared with; "
        f"it needs {TASKS[task].needs}. Add these or leave the task out"
    )


def build_documents(task: str, found: Sequence[Target], settings: Settings) -> list[dict[str, Any]]:
    """Return one document per target and segment.

    Raises:
        SettingsError: A wording is unknown.
    """
    return [
        {
            "task": task,
            "feature": target.feature,
            "enhancement": "none",
            **_wording(task, target, settings),
            "truth": target.truth,
            **{name: value for name, value in target.extra.items() if name != "report"},
            "clip_form": target.clip_form,
            "clip_fps": target.clip_fps,
            "hear": target.hear,
            **media_of(target.recording, segment),
        }
        for target in found
        for segment in target.segments
    ]


def _wording(task: str, target: Target, settings: Settings) -> dict[str, Any]:
    """Return the columns that say what is asked in which words."""
    if task == "s3_justification":
        prompt = choose_prompt(target.feature, settings.prompt_id, settings.answer_format)
        text = render(prompt, settings.answer_format or None)
        if JUSTIFICATION not in text:
            with_na = target.feature in THREE_CLASSES
            text = render(prompt, JUSTIFICATION_FORMAT_WITH_NA if with_na else JUSTIFICATION_FORMAT)
        polarity = prompt.polarity
        prompt_id = prompt.id
    else:
        chosen = prompt_of(task)
        described = (chosen.descriptions or {}).get(target.feature, "")
        text = fill(chosen, {"description": described, "report": str(target.extra.get("report"))})
        polarity, prompt_id = "positive", chosen.id
    return {"prompt_id": prompt_id, "prompt_hash": prompt_hash(text), "polarity": polarity, "question": text}
