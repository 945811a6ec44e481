"""Misspelt names on the command line, told with the nearest one before torch or lmms-eval is imported."""

from __future__ import annotations

import fnmatch
from collections.abc import Sequence
from difflib import SequenceMatcher
from pathlib import Path

from semiology.data.problems import SettingsError
from semiology.harness.class_source import arguments_of, known_classes
from semiology.harness.preflight import PreflightError
from semiology.privacy.local_models import ENGINE_ARGUMENTS, SERVERS
from semiology.render.validation import did_you_mean
from semiology.tasks.s3.task_list import GROUP as S3_GROUP
from semiology.tasks.s3.task_list import TASKS as S3_TASKS
from semiology.tasks.settings import WINDOWS, window_named
from semiology.tasks.strokerehab.task_list import GROUP as REHAB_GROUP
from semiology.tasks.strokerehab.task_list import TASKS as REHAB_TASKS
from semiology.tasks.task_list import ENHANCED_GROUPS, GROUP, TASKS

STANDS_FOR_A_CLASS = ("embedded", "embedded_audio")
"""Names of the models in this package, which stand for a class and its arguments."""
CHECKPOINT_ARGUMENTS = ("pretrained", "model", "model_path")
"""Arguments that may name a folder of this machine; for a server they are names of the server's own."""
GIVEN_BY_THE_RUN = ("batch_size", "max_batch_size", "device")
"""Arguments that lmms-eval gives every class itself."""
_ALIKE = 0.8
"""From here on an argument that a class would hand on, or forget, is taken for a misspelt one of its own."""


def check_model(model: str, model_args: str) -> None:
    """Refuse a model, an argument of it, or a folder with its weights that does not exist.

    Raises:
        PreflightError: one does not; the message names the nearest one that does.
    """
    classes, more = known_classes()
    if model not in classes and more:
        from lmms_eval.models import MODEL_REGISTRY_V2

        classes = dict.fromkeys(MODEL_REGISTRY_V2.list_model_names(), "")
    if model not in classes:
        meant = did_you_mean(model, (*STANDS_FOR_A_CLASS, *classes))
        raise PreflightError(f"--model {model}: lmms-eval has no such model{meant}")
    given = _given(model_args)
    _check_arguments(model, classes[model], [name for name, _ in given])
    for name, value in given if model not in SERVERS else ():
        if name in CHECKPOINT_ARGUMENTS and _is_path(value) and not Path(value).expanduser().exists():
            raise PreflightError(
                f"--model-args {name}={value}: {_missing(Path(value).expanduser())} → give the folder with the "
                "weights, or the name of a model on the hub (owner/name)"
            )


def check_tasks(tasks: str) -> None:
    """Refuse a task name or pattern that fits no task.

    Raises:
        PreflightError: one fits none; the message names the nearest task.
    """
    names = [GROUP, S3_GROUP, REHAB_GROUP, *ENHANCED_GROUPS, *TASKS, *S3_TASKS, *REHAB_TASKS]
    for pattern in tasks.split(","):
        if not fnmatch.filter(names, pattern.strip()):
            raise PreflightError(f"--tasks {pattern}: no such task{did_you_mean(pattern, names)}")


def check_window(window: str | None) -> None:
    """Refuse a window that is not known; None stands for the model's own.

    Raises:
        PreflightError: it is not known.
    """
    if window is None:
        return
    try:
        window_named(window)
    except SettingsError:
        raise PreflightError(
            f"--window {window}: no such window{did_you_mean(window, tuple(WINDOWS))} → use one of "
            f"{', '.join(WINDOWS)}, or length and overlap in s, such as 20x5"
        ) from None


def _given(model_args: str) -> list[tuple[str, str]]:
    """Return the arguments that are typed plainly; none where quotes or braces hold commas of their own."""
    if any(mark in model_args for mark in "\"'{["):
        return []
    parts = (part.partition("=") for part in model_args.split(",") if part.strip())
    return [(name.strip(), value.strip()) for name, _, value in parts]


def _check_arguments(model: str, class_path: str, names: Sequence[str]) -> None:
    arguments = arguments_of(class_path) if class_path else None
    if arguments is None:
        return
    known = dict.fromkeys((*arguments.names, *GIVEN_BY_THE_RUN))
    for name in names:
        if name in known or (arguments.open and name in ENGINE_ARGUMENTS):
            continue
        free = [each for each in known if each not in names]
        alike = max((SequenceMatcher(None, name, each).ratio() for each in free), default=0.0)
        if not arguments.open or alike >= _ALIKE:
            raise PreflightError(
                f"--model-args {name}=…: {model} takes no such argument{did_you_mean(name, free)} → it takes "
                f"{', '.join(each for each in known if each not in GIVEN_BY_THE_RUN)}"
            )


def _is_path(value: str) -> bool:
    """Return whether a value can only be a path: names on the hub have one slash and begin with a letter."""
    return value.startswith(("/", "./", "../", "~")) or value.count("/") > 1 or "\\" in value


def _missing(path: Path) -> str:
    """Say from where on a path does not exist, and what is there instead."""
    there = next((each for each in path.parents if each.exists()), Path())
    first = path.relative_to(there).parts[0]
    near = did_you_mean(first, sorted(each.name for each in there.iterdir())) if there.is_dir() else ""
    return f"{there} holds no {first!r}{near}"
