"""The tasks on features by name: each feature alone, with each enhancement that suits it, and as a sweep."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from semiology.enhancements.registry import STEPS, features_of
from semiology.features import FEATURES, suggest_feature

GROUP = "semiology"
TASK_PREFIX = "semiology_"
NO_ENHANCEMENT = "none"


@dataclass(frozen=True)
class FeatureTask:
    """A task: one feature, asked in the chosen wording or (a sweep) in many, with or without an enhancement."""

    feature: str
    enhancement: str = NO_ENHANCEMENT
    sweep: bool = False

    @property
    def name(self) -> str:
        """Name in lmms-eval: ``semiology_tonic``, ``pose_semiology_tonic``, ``sweep_semiology_tonic``."""
        if self.sweep:
            return f"sweep_{TASK_PREFIX}{self.feature}"
        return f"{group_of_tasks(self.enhancement)}_{self.feature}"

    @property
    def table(self) -> str:
        """What its question table is called: ``tonic``, ``pose-tonic``, ``sweep-tonic``."""
        head = "sweep" if self.sweep else self.enhancement
        return self.feature if head == NO_ENHANCEMENT else f"{head}-{self.feature}"


def group_of_tasks(enhancement: str) -> str:
    """Return the name of the group of an enhancement's tasks, of the plain ones for ``none``."""
    return GROUP if enhancement == NO_ENHANCEMENT else f"{enhancement}_{GROUP}"


PLAIN_TASKS: dict[str, FeatureTask] = {task.name: task for task in map(FeatureTask, FEATURES)}
SWEEP_TASKS: dict[str, FeatureTask] = {
    task.name: task for task in (FeatureTask(feature, sweep=True) for feature in FEATURES)
}
ENHANCED_TASKS: dict[str, FeatureTask] = {
    task.name: task
    for task in (FeatureTask(feature, name) for name in STEPS for feature in features_of(name))
}
TASKS: dict[str, FeatureTask] = PLAIN_TASKS | SWEEP_TASKS | ENHANCED_TASKS
ENHANCED_GROUPS: dict[str, str] = {group_of_tasks(name): name for name in STEPS}
"""Enhancement by name of its group."""


def task_named(name: str) -> FeatureTask:
    """Return a task by its name, or the plain task of a feature by the feature's name.

    Raises:
        KeyError: There is no such task; the message suggests the nearest feature.
    """
    task = TASKS.get(name) or PLAIN_TASKS.get(TASK_PREFIX + name)
    if task is None:
        raise KeyError(f"no feature or task is called {name!r}{suggest_feature(name)}")
    return task


def asked_enhanced(names: Sequence[str]) -> tuple[FeatureTask, ...]:
    """Return the enhanced tasks among those selected; a group stands for all of its own."""
    return tuple(
        task
        for task in ENHANCED_TASKS.values()
        if task.name in names or group_of_tasks(task.enhancement) in names
    )
