"""The enhanced tasks by name: ``<enhancement>_semiology_<feature>``, and a group for each enhancement."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from semiology.enhancements.assignment import ENHANCEMENTS, features_of


@dataclass(frozen=True)
class EnhancedTask:
    """One feature asked with one enhancement."""

    enhancement: str
    feature: str

    @property
    def name(self) -> str:
        """Name in lmms-eval."""
        return f"{group_of_tasks(self.enhancement)}_{self.feature}"


def group_of_tasks(enhancement: str) -> str:
    """Return the name of the group of an enhancement's tasks."""
    return f"{enhancement}_semiology"


TASKS: dict[str, EnhancedTask] = {
    task.name: task
    for task in (EnhancedTask(name, feature) for name in ENHANCEMENTS for feature in features_of(name))
}
GROUPS: dict[str, str] = {group_of_tasks(name): name for name in ENHANCEMENTS}
"""Enhancement by name of its group."""


def asked_tasks(names: Sequence[str]) -> tuple[EnhancedTask, ...]:
    """Return the enhanced tasks among those selected; a group stands for all of its own."""
    groups = {GROUPS[name] for name in names if name in GROUPS}
    return tuple(task for task in TASKS.values() if task.name in names or task.enhancement in groups)
