"""Checks of a run before a model is loaded: the recording set, the media, the model and where data would go.

Whatever is wrong ends the run with one readable message and exit status 2; lmms-eval alone would go on, fail
late and exit with 0.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from semiology.features import AUDIO_FEATURES, FEATURES
from semiology.privacy.remote_code import refuse_remote_code
from semiology.privacy.remote_models import check_address
from semiology.privacy.uploads import check_uploads
from semiology.settings import WINDOW
from semiology.tasks.generated import missing_task_files
from semiology.tasks.s3.task_list import GROUP as S3_GROUP
from semiology.tasks.s3.task_list import asked_tasks
from semiology.tasks.task_list import (
    GROUP,
    PLAIN_TASKS,
    SWEEP_TASKS,
    TASK_PREFIX,
    FeatureTask,
    asked_enhanced,
    group_of_tasks,
)

if TYPE_CHECKING:
    from semiology.tasks.settings import Settings

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
        ValueError: Anything that the user must change first (settings, recording set, model, address).
    """
    tasks = [task for task in arguments.get("tasks") or () if isinstance(task, str)]
    features, s3_tasks, enhanced = asked_features(tasks), asked_tasks(tasks), asked_enhanced(tasks)
    if not features and not s3_tasks and not enhanced:
        return
    if missing := missing_task_files():
        raise PreflightError("\n".join(missing))
    model = arguments["model"] if isinstance(arguments["model"], str) else type(arguments["model"]).__name__
    model_args = arguments.get("model_args") or ""
    check_address(model, model_args)
    check_uploads(arguments.get("evaluation_tracker"))
    check_senses((*features, *(task.feature for task in enhanced)), model, s3_tasks)
    choose_window(model, str(model_args))
    if s3_tasks:
        _tell_hearing(model)
    refuse_remote_code()
    left_out = check_recording_set(features, tasks) if features else []
    gone = {task.name for name in left_out for task in (FeatureTask(name), FeatureTask(name, sweep=True))}
    gone |= check_s3(s3_tasks, alone=not (features or enhanced)) if s3_tasks else set()
    gone |= check_enhanced(enhanced, alone=not (features or s3_tasks)) if enhanced else set()
    arguments["tasks"] = [task for task in arguments["tasks"] if task not in gone]
    for group in (GROUP, S3_GROUP, *{group_of_tasks(task.enhancement) for task in enhanced}):
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


def check_enhanced(tasks: Sequence[FeatureTask], *, alone: bool) -> set[str]:
    """Return the enhanced tasks, and groups, of which nothing can be asked; each is told with the reason.

    Args:
        tasks: selected enhanced tasks.
        alone: whether nothing else is asked, so that no task at all would be left.

    Raises:
        ValueError: a derived file is missing (the message holds the command that makes it), the set or a
            setting has faults, or ``alone`` and no task is left.
    """
    from semiology.tasks.availability import check_enhanced_tasks

    missing = _told(*check_enhanced_tasks(tasks), tasks=len(tasks), alone=alone)
    groups = {group_of_tasks(task.enhancement) for task in tasks}
    left = {group_of_tasks(task.enhancement) for task in tasks if task.name not in missing}
    return {*missing, *(groups - left)}


def check_s3(tasks: Sequence[str], *, alone: bool) -> set[str]:
    """Return the S3 tasks that cannot be asked of the recording set, each told with what is missing.

    Args:
        tasks: Selected S3 tasks.
        alone: Whether nothing else is asked, so that no task at all would be left.

    Raises:
        ValueError: The set or a setting has faults, or ``alone`` and no task is left.
    """
    from semiology.tasks.availability import check_s3_tasks

    return set(_told(*check_s3_tasks(tasks), tasks=len(tasks), alone=alone))


def _told(
    missing: Mapping[str, str], remarks: Sequence[str], *, tasks: int, alone: bool
) -> Mapping[str, str]:
    """Tell which of so many tasks are not asked, and remarks; raise PreflightError where none would be left."""
    if alone and len(missing) == tasks:
        raise PreflightError("\n".join(missing.values()))
    for message in (*missing.values(), *remarks):
        _warn(message)
    return missing


def check_recording_set(features: Sequence[str], tasks: Sequence[str]) -> list[str]:
    """Read the recording set and the media, and return the features that cannot be asked about.

    Args:
        features: Features asked about.
        tasks: Tasks selected; a sweep's wordings are its own.

    Raises:
        ValueError: The set has faults, nothing in it is usable, or a feature lacks the chosen wording.
    """
    from semiology.tasks.documents import annotated_features, check_wording
    from semiology.tasks.plan import current_plan
    from semiology.tasks.settings import read_settings
    from semiology.tasks.sweep.wordings import chosen_formats, chosen_prompts, select_wordings

    settings = read_settings()
    check_wording(
        [name for name in features if GROUP in tasks or TASK_PREFIX + name in tasks], settings.prompt_id
    )
    for name in features:
        if FeatureTask(name, sweep=True).name in tasks:
            select_wordings(name, chosen_prompts(), chosen_formats())
    plan = current_plan(settings)
    for video_id, reason in plan.excluded.items():
        _warn(f"{video_id} is left out: {reason}")
    annotated = annotated_features(plan)
    missing = [feature for feature in features if feature not in annotated]
    if len(missing) == len(features):
        raise PreflightError(_nothing_to_ask(settings, missing))
    if missing:
        _warn(f"not asked, because no usable recording is annotated for them: {', '.join(missing)}")
    return missing


def check_senses(features: Sequence[str], model: str, s3_tasks: Sequence[str] = ()) -> None:
    """Refuse questions about pictures to a model class that takes only sound.

    Raises:
        PreflightError: Some feature, or an S3 task, needs pictures.
    """
    if model in SOUND_ONLY_MODELS and (s3_tasks or not set(features) <= set(AUDIO_FEATURES)):
        names = ",".join(TASK_PREFIX + feature for feature in AUDIO_FEATURES)
        raise PreflightError(f"--model {model} takes sound only; use --tasks {names}")


def choose_window(model: str, model_args: str) -> None:
    """Set the published window of the model unless the user set one."""
    from semiology.tasks.settings import window_for_model

    WINDOW.suggest(window_for_model(model, model_args))


def _tell_hearing(model: str) -> None:
    """Let the sequence task know whether the model is played sound; lmms-eval does not tell its hooks."""
    from semiology.tasks.s3.hearing import set_model

    set_model(model)


def _nothing_to_ask(settings: Settings, missing: Sequence[str]) -> str:
    return (
        f"{settings.data}: no recording has both a usable video and an annotation of "
        f"{', '.join(missing)}; `semiology data check {settings.data}` shows why"
    )


def _shrink_group(task_manager: Any, group: str, gone: set[str]) -> None:
    """Take tasks out of the group, for this run: the index then names a group file without them."""
    index = getattr(task_manager, "task_index", None)
    if index is None or group not in index:
        return
    shorter = _group_without(Path(index[group]["yaml_path"]), gone)
    index[group] = {**index[group], "yaml_path": str(shorter)}


def _group_without(group: Path, gone: set[str]) -> Path:
    """Write the group's YAML without some tasks; text lines, so that tags stay as they are."""
    from semiology.tasks.plan import write_private
    from semiology.tasks.settings import cache_directory

    lines = [line for line in group.read_text().splitlines() if line.strip().removeprefix("- ") not in gone]
    text = "\n".join(lines) + "\n"
    name = hashlib.sha256(text.encode()).hexdigest()[:16]
    target = cache_directory() / "groups" / f"{group.stem}-{name}.yaml"
    write_private(target, text)
    return target


def _warn(message: str) -> None:
    from loguru import logger

    logger.warning(message)
