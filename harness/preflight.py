"""Checks of a run before a model is loaded: the recording set, the media, the model and where data would go.

Whatever is wrong ends the run with one readable message and exit status 2; lmms-eval alone would go on, fail
late and exit with 0.
"""

from __future__ import annotations

import hashlib
import os
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from semiology.backends.text.served import chosen_text_model
from semiology.data.cache import cache_directory
from semiology.features import AUDIO_FEATURES, FEATURES
from semiology.harness.model_classes import check_model_class, model_arguments
from semiology.harness.protected_patients import enter_asking, refuse_training_patients
from semiology.metrics.s3.text.justification_rules import READERS
from semiology.privacy.remote_code import refuse_remote_code
from semiology.privacy.remote_models import check_address, check_uploads
from semiology.privacy.staying_here import stay_here
from semiology.settings import SWEEP_FORMATS, SWEEP_PROMPTS, WINDOW
from semiology.tasks.derived_media import usable_plan
from semiology.tasks.documents import check_wording
from semiology.tasks.generated import missing_task_files
from semiology.tasks.plan import current_plan, write_private
from semiology.tasks.s3.documents import nothing_to_ask, prompt_of
from semiology.tasks.s3.records import set_model
from semiology.tasks.s3.targets import asked_targets
from semiology.tasks.s3.task_list import GROUP as S3_GROUP
from semiology.tasks.s3.task_list import asked_tasks
from semiology.tasks.settings import read_settings, window_for_model
from semiology.tasks.strokerehab.availability import check_rehab_tasks
from semiology.tasks.strokerehab.task_list import GROUP as REHAB_GROUP
from semiology.tasks.strokerehab.task_list import asked_tasks as asked_rehab_tasks
from semiology.tasks.sweep.wordings import select_wordings
from semiology.tasks.task_list import (
    GROUP,
    PLAIN_TASKS,
    SWEEP_TASKS,
    TASK_PREFIX,
    FeatureTask,
    asked_enhanced,
    group_of_tasks,
)

SOUND_ONLY_MODELS = frozenset(
    {"audio_flamingo_3", "kimi_audio", "qwen2_audio", "semiology_qwen2_audio", "whisper", "whisper_vllm"}
)


class PreflightError(ValueError):
    """A run cannot start; the message says what to change."""


def prepare_run(arguments: dict[str, Any]) -> None:
    """Check the arguments of ``lmms_eval.evaluator.simple_evaluate`` if they ask for our tasks.

    Features that nobody annotated are taken out of ``tasks`` and out of the group, and told. Runs of other
    tasks are left alone.

    Args:
        arguments: By name, as bound to the function; ``tasks`` is changed in place.

    Raises:
        ValueError: Anything that the user must change first (settings, recording set, model, address); for a
            derived file that is missing, the command that makes it.
    """
    tasks = [task for task in arguments.get("tasks") or () if isinstance(task, str)]
    features, s3_tasks, enhanced = asked_features(tasks), asked_tasks(tasks), asked_enhanced(tasks)
    rehab = asked_rehab_tasks(tasks)
    if not features and not s3_tasks and not enhanced and not rehab:
        return
    os.umask(0o077)  # what lmms-eval writes about patients is for its owner alone, whatever started it
    if faults := missing_task_files():
        raise PreflightError("\n".join(faults))
    stay_here()
    model_args = arguments.get("model_args") or ""
    if isinstance(arguments["model"], str):
        model = arguments["model"]
        if model in ("embedded", "embedded_audio"):
            raise PreflightError(
                f"--model {model} is no class of lmms-eval → start the run with `lmms_eval --model {model}` or "
                f"`semiology run --model {model}`, which know the checkpoint it stands for"
            )
        check_address(model, model_args)
    else:  # made by the caller's own code; its client is looked at before the first question
        model = type(arguments["model"]).__name__
    check_uploads(arguments.get("evaluation_tracker"))
    check_senses((*features, *(task.feature for task in enhanced)), model, (*s3_tasks, *rehab))
    # The published window of the model unless the user set one.
    WINDOW.suggest(window_for_model(model, str(model_args)))
    for remark in check_model_class(model, model_args, read_settings().window.window_s):
        _warn(remark)
    refuse_remote_code()
    left_out = check_recording_set(features, tasks) if features else []
    gone = {task.name for name in left_out for task in (FeatureTask(name), FeatureTask(name, sweep=True))}
    if s3_tasks:
        set_model(model)  # lmms-eval does not tell its hooks which model answered
        gone |= _told(
            *check_s3_tasks(s3_tasks), tasks=len(s3_tasks), alone=not (features or enhanced or rehab)
        )
    if rehab:
        gone |= _told(
            *check_rehab_tasks(rehab), tasks=len(rehab), alone=not (features or s3_tasks or enhanced)
        )
    if enhanced:
        missing = _told(
            *check_enhanced_tasks(enhanced), tasks=len(enhanced), alone=not (features or s3_tasks or rehab)
        )
        groups = {group_of_tasks(task.enhancement) for task in enhanced}
        left = {group_of_tasks(task.enhancement) for task in enhanced if task.name not in missing}
        gone |= missing | (groups - left)
    arguments["tasks"] = [task for task in arguments["tasks"] if task not in gone]
    if features or s3_tasks or enhanced:
        refuse_training_patients(model_arguments(model_args))
        for sentence in enter_asking(arguments["tasks"], model, str(model_args)):
            _warn(sentence)
    for group in (GROUP, S3_GROUP, REHAB_GROUP, *{group_of_tasks(task.enhancement) for task in enhanced}):
        if gone and group in tasks and group not in gone:
            _shrink_group(arguments.get("task_manager"), group, gone)


def asked_features(tasks: Sequence[str]) -> tuple[str, ...]:
    """Return the features that the selected tasks ask about, in one wording or in all (sweeps).

    The group stands for all of them.
    """
    if GROUP in tasks:
        return FEATURES
    asked = {task.feature for name, task in (PLAIN_TASKS | SWEEP_TASKS).items() if name in tasks}
    return tuple(name for name in FEATURES if name in asked)


def _told(missing: Mapping[str, str], remarks: Sequence[str], *, tasks: int, alone: bool) -> set[str]:
    """Tell which of so many tasks are not asked, and remarks; raise PreflightError where none would be left."""
    if alone and len(missing) == tasks:
        raise PreflightError("\n".join(missing.values()))
    for message in (*missing.values(), *remarks):
        _warn(message)
    return set(missing)


def check_recording_set(features: Sequence[str], tasks: Sequence[str]) -> list[str]:
    """Read the recording set and the media, and return the features that cannot be asked about.

    The tasks selected tell which features are asked in the chosen wording; a sweep's wordings are its own.

    Raises:
        ValueError: The set has faults, nothing in it is usable, or a feature lacks the chosen wording.
    """
    settings = read_settings()
    check_wording(
        [name for name in features if GROUP in tasks or TASK_PREFIX + name in tasks],
        settings.prompt_id,
        settings.answer_format,
    )
    for name in features:
        if FeatureTask(name, sweep=True).name in tasks:
            select_wordings(name, SWEEP_PROMPTS.words(), SWEEP_FORMATS.words())
    plan = current_plan(settings)
    for video_id, reason in plan.excluded.items():
        _warn(f"{video_id} is left out: {reason}")
    missing = [feature for feature in features if not plan.truths(feature)]
    if len(missing) == len(features):
        raise PreflightError(
            f"{settings.data}: no recording has both a usable video and an annotation of "
            f"{', '.join(missing)}; `semiology data check {settings.data}` shows why"
        )
    if missing:
        _warn(f"not asked, because no usable recording is annotated for them: {', '.join(missing)}")
    return missing


def check_enhanced_tasks(tasks: Sequence[FeatureTask]) -> tuple[dict[str, str], list[str]]:
    """Return which of the tasks cannot be asked, with the reason, and remarks on the others.

    Raises:
        ValueError: a derived file is missing that a command can make, the manifest or the set has faults, or
            a feature lacks the chosen wording.
    """
    settings = read_settings()
    check_wording(
        list(dict.fromkeys(task.feature for task in tasks)), settings.prompt_id, settings.answer_format
    )
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
        found = asked_targets(task, plan, settings)
        if not found:
            missing[task] = nothing_to_ask(task, settings)
        elif task != "s3_justification":
            prompt_of(task)
        else:
            features = list(dict.fromkeys(target.feature for target in found))
            check_wording(features, settings.prompt_id, settings.answer_format)
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


def check_senses(features: Sequence[str], model: str, s3_tasks: Sequence[str] = ()) -> None:
    """Refuse questions about pictures to a model class that takes only sound.

    Raises:
        PreflightError: Some feature, or an S3 task, needs pictures.
    """
    if model in SOUND_ONLY_MODELS and (s3_tasks or not set(features) <= set(AUDIO_FEATURES)):
        names = ",".join(TASK_PREFIX + feature for feature in AUDIO_FEATURES)
        raise PreflightError(f"--model {model} takes sound only; use --tasks {names}")


def _shrink_group(task_manager: Any, group: str, gone: set[str]) -> None:
    """Take tasks out of the group, for this run: the index then names a group file without them."""
    index = getattr(task_manager, "task_index", None)
    if index is None or group not in index:
        return
    whole = Path(index[group]["yaml_path"])
    # Lines of text, so that tags stay as they are.
    lines = [line for line in whole.read_text().splitlines() if line.strip().removeprefix("- ") not in gone]
    text = "\n".join(lines) + "\n"
    name = hashlib.sha256(text.encode()).hexdigest()[:16]
    shorter = cache_directory() / "groups" / f"{whole.stem}-{name}.yaml"
    write_private(shorter, text)
    index[group] = {**index[group], "yaml_path": str(shorter)}


def _warn(message: str) -> None:
    from loguru import logger

    logger.warning(message)
