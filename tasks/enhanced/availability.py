"""Which enhanced tasks a recording set allows, told before a model is loaded."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from semiology.tasks.documents import check_wording
from semiology.tasks.enhanced.documents import (
    asked_recordings,
    left_out_of,
    nothing_left,
    usable_plan,
)
from semiology.tasks.enhanced.task_list import EnhancedTask
from semiology.tasks.settings import read_settings


def check_tasks(tasks: Sequence[EnhancedTask]) -> tuple[dict[str, str], list[str]]:
    """Return which of the tasks cannot be asked, with the reason, and remarks on the others.

    Raises:
        ValueError: a derived file is missing that a command can make, the manifest or the set has faults, or
            a feature lacks the chosen wording.
    """
    settings = read_settings()
    check_wording(list(dict.fromkeys(task.feature for task in tasks)), settings.prompt_id)
    missing: dict[str, str] = {}
    remarks: dict[str, None] = {}
    for task in tasks:
        asked = asked_recordings(task, settings)
        if not asked:
            missing[task.name] = (
                f"{task.name} is not asked: no usable recording is annotated for {task.feature}"
            )
            continue
        enhanced = usable_plan(task, settings)
        left_out = left_out_of(task, enhanced, settings)
        if len(left_out) == len(set(asked)):
            missing[task.name] = f"{task.name} is not asked: {nothing_left(task, enhanced, settings)}"
        elif left_out:
            remarks |= dict.fromkeys(_told(task, left_out, len(set(asked))))
    return missing, list(remarks)


def _told(task: EnhancedTask, left_out: dict[str, tuple[str, str]], asked: int) -> list[str]:
    """Return one sentence with the count, and one for each reason."""
    counts = Counter(left_out.values())
    head = (
        f"{task.name} leaves {len(left_out)} of {asked} recordings out, because {task.enhancement} could not "
        f"be made: {', '.join(sorted(left_out)[:5])}"
    )
    return [
        head,
        *(f"{task.enhancement}: {n} × {status}: {why}" for (status, why), n in counts.most_common()),
    ]
