"""Which S3 tasks a recording set allows, told before a model is loaded."""

from __future__ import annotations

from collections.abc import Sequence

from semiology.backends.text.served import chosen_text_model
from semiology.tasks.documents import check_wording
from semiology.tasks.plan import current_plan
from semiology.tasks.s3.documents import nothing_to_ask, prompt_of
from semiology.tasks.s3.targets import targets
from semiology.tasks.s3.task_list import GROUP, TASKS
from semiology.tasks.settings import read_settings


def asked_tasks(tasks: Sequence[str]) -> tuple[str, ...]:
    """Return the S3 tasks among those selected; the group stands for all of them."""
    return tuple(TASKS) if GROUP in tasks else tuple(task for task in TASKS if task in tasks)


def check_tasks(tasks: Sequence[str]) -> tuple[dict[str, str], list[str]]:
    """Return which of the tasks cannot be asked, with what is missing where, and remarks on the others.

    Raises:
        ValueError: A setting is not understood, a wording is unknown, or a table has faults.
    """
    settings = read_settings()
    chosen_text_model()
    plan = current_plan(settings)
    missing: dict[str, str] = {}
    remarks: list[str] = []
    for task in tasks:
        found = targets(task, plan, settings.window_name)
        if not found:
            missing[task] = nothing_to_ask(task, settings)
        elif task != "s3_justification":
            prompt_of(task)
        else:
            check_wording(list(dict.fromkeys(target.feature for target in found)), settings.prompt_id)
            if not any(target.extra["reference"] for target in found):
                remarks.append(
                    f"{task}: annotations.csv has no text in `justification`, so only the yes and no of the "
                    "answers are scored, not their justifications"
                )
    return missing, remarks
