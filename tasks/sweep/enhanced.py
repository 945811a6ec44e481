"""The questions of a sweep about derived media: those of the enhanced tasks, under every chosen wording."""

from __future__ import annotations

from typing import Any

from semiology.tasks.enhanced.documents import enhanced_row, nothing_left, usable_plan
from semiology.tasks.enhanced.task_list import TASKS, EnhancedTask, group_of_tasks
from semiology.tasks.settings import Settings, SettingsError
from semiology.tasks.sweep.wordings import Selection


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
