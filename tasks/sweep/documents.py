"""The questions of a sweep: the segments of ``semiology_<feature>``, each under every chosen wording.

Questions about one segment stand together, so that a model class that keeps the prefix of a segment reads its
frames once. Names work as in `semiology.tasks.documents`.
"""

from __future__ import annotations

from typing import Any

from semiology.data.problems import SettingsError
from semiology.features import FEATURES, suggest_feature
from semiology.tasks import documents
from semiology.tasks.enhanced.documents import enhanced_row, nothing_left, usable_plan
from semiology.tasks.enhanced.task_list import TASKS, EnhancedTask, group_of_tasks
from semiology.tasks.plan import Plan, current_plan
from semiology.tasks.settings import Settings, read_settings
from semiology.tasks.sweep.wordings import (
    NO_ENHANCEMENT,
    Selection,
    chosen_enhancements,
    chosen_formats,
    chosen_prompts,
    select_wordings,
)

QUESTIONS = "questions_about_"
DESCRIPTION = "description_of_"
TASK_PREFIX = "sweep_semiology_"


def __getattr__(name: str) -> Any:
    """Resolve the names that the task YAMLs use.

    Raises:
        AttributeError: any other name.
        SettingsError: no usable recording set or wording is chosen, or nothing is annotated for the feature.
    """
    for prefix, build in ((QUESTIONS, questions), (DESCRIPTION, description)):
        if name.startswith(prefix) and name.removeprefix(prefix) in FEATURES:
            return build(name.removeprefix(prefix))
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}{suggest_feature(name)}")


def questions(feature: str) -> dict[str, Any]:
    """Write the question table of a feature's sweep and return it as ``dataset_kwargs`` of lmms-eval.

    Raises:
        SettingsError: as for `semiology.tasks.documents.questions`, or a chosen wording does not exist.
    """
    settings = read_settings()
    selection, rows = _selection(feature), []
    for name in chosen_enhancements():
        if name == NO_ENHANCEMENT:
            rows += sweep_documents(feature, current_plan(settings), selection)
        else:
            # Imported only where it is asked for: enhancements bring packages that most sweeps do not need.

            rows += enhanced_documents(feature, name, selection, settings)
    if len({row["enhancement"] for row in rows}) > 1:
        # One table has one set of columns.
        rows = [{"enhancement_key": "", "transcript_hash": "", **row} for row in rows]
    if not rows:
        raise SettingsError(
            f"{feature}: no usable recording in {settings.data} is annotated for this feature; add rows to "
            f"annotations.csv or leave {TASK_PREFIX}{feature} out"
        )
    return documents.write_questions(f"sweep-{feature}", rows, settings)


def description(feature: str) -> dict[str, Any]:
    """Return the task's ``metadata``: that of the feature's own task, and every wording by id and hash."""
    selection = _selection(feature)
    wordings = [f"{feature}/{wording.name}/{wording.hash}" for wording in selection.wordings]
    return {**documents.coverage(feature), "prompt": wordings, "not_asked": list(selection.skipped)}


def sweep_documents(feature: str, plan: Plan, selection: Selection) -> list[dict[str, Any]]:
    """Return one document per annotated, usable recording, window and wording; wordings innermost.

    Besides the columns of `semiology.tasks.documents.build_documents` each carries ``family``, ``provenance``
    and ``answer_format``.
    """
    base = documents.build_documents(feature, plan, selection.wordings[0].prompt)
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


def _selection(feature: str) -> Selection:
    return select_wordings(feature, chosen_prompts(), chosen_formats())


def enhanced_task(feature: str, enhancement: str) -> EnhancedTask | None:
    """Return the enhanced task of a feature, or None where the enhancement is not meant for it."""
    return TASKS.get(f"{group_of_tasks(enhancement)}_{feature}")


def enhanced_documents(
    feature: str, enhancement: str, selection: Selection, settings: Settings
) -> list[dict[str, Any]]:
    """Return one document per recording with derived media, window and wording; wordings innermost.

    Nothing where the enhancement is not meant for the feature.

    Raises:
        SettingsError: a derived file is missing that ``semiology enhance`` makes, or there is none at all.
    """
    from semiology.tasks.sweep.documents import sweep_documents

    task = enhanced_task(feature, enhancement)
    if task is None:
        return []
    enhanced = usable_plan(task, settings)
    rows = [enhanced_row(row, enhanced) for row in sweep_documents(feature, enhanced.plan, selection)]
    if not rows:
        raise SettingsError(f"sweep of {task.name}: {nothing_left(task, enhanced, settings)}")
    return rows
