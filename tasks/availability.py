"""Which enhanced tasks and S3 tasks a recording set allows, found out before a model is loaded."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from semiology.backends.text.served import chosen_text_model
from semiology.metrics.s3.text.justification_rules import READERS
from semiology.tasks.derived_media import usable_plan
from semiology.tasks.documents import check_wording
from semiology.tasks.plan import current_plan
from semiology.tasks.s3.documents import nothing_to_ask, prompt_of
from semiology.tasks.s3.targets import targets
from semiology.tasks.settings import read_settings
from semiology.tasks.task_list import FeatureTask


def check_enhanced_tasks(tasks: Sequence[FeatureTask]) -> tuple[dict[str, str], list[str]]:
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
        asked = len(current_plan(settings).truths(task.feature))
        if not asked:
            missing[task.name] = (
                f"{task.name} is not asked: no usable recording is annotated for {task.feature}"
            )
            continue
        enhanced = usable_plan(task.feature, task.enhancement, settings)
        left_out = enhanced.left_out
        if len(left_out) == asked:
            missing[task.name] = f"{task.name} is not asked: {enhanced.nothing_left(task.feature)}"
        elif left_out:
            head = (
                f"{task.name} leaves {len(left_out)} of {asked} recordings out, because {task.enhancement} could "
                f"not be made: {', '.join(sorted(left_out)[:5])}"
            )
            reasons = Counter(left_out.values()).most_common()
            remarks |= dict.fromkeys(
                [head, *(f"{task.enhancement}: {n} × {status}: {why}" for (status, why), n in reasons)]
            )
    return missing, list(remarks)


def check_s3_tasks(tasks: Sequence[str]) -> tuple[dict[str, str], list[str]]:
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
            features = list(dict.fromkeys(target.feature for target in found))
            check_wording(features, settings.prompt_id)
            if not any(target.extra["reference"] for target in found):
                remarks.append(
                    f"{task}: annotations.csv has no text in `justification`, so only the yes and no of the "
                    "answers are scored, not their justifications"
                )
            elif unread := [feature for feature in features if feature not in READERS]:
                remarks.append(
                    f"{task}: no rules read justifications of {', '.join(unread)}, which therefore have no "
                    "interpretation score (metrics/s3/text/justification_rules.py)"
                )
    return missing, remarks
