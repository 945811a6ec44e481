"""The one adapter to lmms-eval: makes our tasks known to it and checks a run before it starts.

lmms-eval 0.7.3 loads the entry-point group ``lmms_eval.models`` before it builds any task index, but has no
entry point for tasks. So :func:`manifests` wraps ``TaskManager.initialize_tasks`` once: our task folder joins
the index, and a run that asks for our tasks is checked first (recording set, media, remote endpoints), so
that bad input is told before a model is loaded. Works for ``lmms_eval``, ``lmms-eval``,
``python -m lmms_eval`` and torchrun.
"""

from __future__ import annotations

import functools
import os
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

ONLY_OURS_VARIABLE = "SEMIOLOGY_ONLY"
_MARK = "_semiology_wrapped"


def manifests() -> list[Any]:
    """Return our lmms-eval model manifests and make our tasks known; called by lmms-eval itself.

    Never raises: an exception here would hide the entry points of other packages.
    """
    try:
        add_tasks()
    except (ImportError, AttributeError, TypeError) as error:
        from loguru import logger

        logger.warning(
            f"Semiology's tasks could not be added to lmms-eval ({error}); "
            f"pass --include_path {task_folder()} instead"
        )
    from lmms_eval.models.registry_v2 import ModelManifest

    return [
        ModelManifest(
            model_id="semiology_constant", chat_class_path="semiology.backends.constant.ConstantAnswer"
        )
    ]


def task_folder() -> Path:
    """Return the folder of our task YAMLs, without importing the task code."""
    spec = find_spec("semiology.tasks")
    if spec is None or spec.origin is None:
        raise ImportError("the package semiology.tasks is not installed")
    return Path(spec.origin).parent


def add_tasks() -> None:
    """Wrap lmms-eval's task discovery so that it also finds our tasks; a second call changes nothing.

    Raises:
        ImportError: lmms-eval is not installed.
        AttributeError: This lmms-eval has no ``TaskManager.initialize_tasks``.
    """
    from lmms_eval.tasks import TaskManager

    original = TaskManager.initialize_tasks
    if not getattr(original, _MARK, False):
        TaskManager.initialize_tasks = _with_our_tasks(original)


def _with_our_tasks(original: Callable[..., dict[str, Any]]) -> Callable[..., dict[str, Any]]:
    """Return a task discovery that adds our folder and, for a run of our tasks, checks it first."""

    @functools.wraps(original)
    def initialize_tasks(
        manager: Any, include_path: str | list[str] | None = None, include_defaults: bool = True
    ) -> dict[str, Any]:
        paths = [include_path] if isinstance(include_path, str) else list(include_path or [])
        ours = str(task_folder())
        if ours not in paths:
            paths.append(ours)
        if os.environ.get(ONLY_OURS_VARIABLE):
            include_defaults = False
        index = original(manager, include_path=paths, include_defaults=include_defaults)
        from semiology import preflight

        return preflight.check_command_line(index, getattr(manager, "model_name", None))

    setattr(initialize_tasks, _MARK, True)
    return initialize_tasks
