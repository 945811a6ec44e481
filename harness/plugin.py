"""The one adapter to lmms-eval: makes our tasks known to it and checks a run before it starts.

lmms-eval 0.7.3 loads the entry-point group ``lmms_eval.models`` before it builds any task index, but has no
entry point for tasks and none before a run. So :func:`manifests` wraps two functions, once each:
``TaskManager.initialize_tasks``, so that our task folder, and that of the tasks which follow from the features
(`semiology.tasks.generated`), join the index, and, when an index is built,
``evaluator.simple_evaluate``, so that a run of our tasks is checked before its model is loaded, with the
model and the arguments that lmms-eval really uses. It also wraps ``evaluator.evaluate``, so that the address
that the model class chose is checked, whole recordings are dealt to the processes and a server's prefix cache
is asked window by window; and the table that lmms-eval prints. Works for ``lmms_eval``, ``lmms-eval``,
``python -m lmms_eval`` and torchrun.
"""

from __future__ import annotations

import functools
import inspect
import sys
from collections.abc import Callable
from itertools import chain
from typing import Any, NoReturn

from semiology.harness.class_source import OWN_CLASSES, SIMPLE_CLASSES
from semiology.settings import ONLY, processes
from semiology.tasks import TASK_FOLDER

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
            f"pass --include_path {TASK_FOLDER} instead"
        )
    from lmms_eval.models.registry_v2 import ModelManifest

    _list_own_classes()
    return [
        ModelManifest(model_id=name, simple_class_path=path)
        if name in SIMPLE_CLASSES
        else ModelManifest(model_id=name, chat_class_path=path)
        for name, path in OWN_CLASSES.items()
    ]


def _list_own_classes() -> None:
    """Let ``lmms_eval models`` list our classes: it reads two tables, not the manifests."""
    models = sys.modules["lmms_eval.models"]
    for name, path in OWN_CLASSES.items():
        kind = "AVAILABLE_SIMPLE_MODELS" if name in SIMPLE_CLASSES else "AVAILABLE_CHAT_TEMPLATE_MODELS"
        getattr(models, kind, {}).setdefault(name, path)


def add_tasks() -> None:
    """Wrap lmms-eval's task discovery so that it also finds our tasks; a second call changes nothing.

    Raises:
        ImportError: lmms-eval is not installed.
        AttributeError: This lmms-eval has no ``TaskManager.initialize_tasks``.
    """
    from lmms_eval.tasks import TaskManager

    _wrap_once(TaskManager, "initialize_tasks", _with_our_tasks)


def check_runs() -> None:
    """Wrap lmms-eval's ``simple_evaluate`` and ``evaluate`` for runs of our tasks; idempotent."""
    from lmms_eval import evaluator

    _wrap_once(evaluator, "simple_evaluate", _checked)
    _wrap_once(evaluator, "evaluate", _sharing)
    for name in ("__main__", "lmms_eval.__main__"):  # the first where it was started by `python -m`
        printing = sys.modules.get(name)
        if hasattr(printing, "make_table"):
            from semiology.harness.printed_table import few_measures

            _wrap_once(printing, "make_table", few_measures)


def _wrap_once(owner: Any, name: str, wrap: Callable[[Callable[..., Any]], Callable[..., Any]]) -> None:
    original = getattr(owner, name)
    if not getattr(original, _MARK, False):
        wrapper = functools.wraps(original)(wrap(original))
        setattr(wrapper, _MARK, True)
        setattr(owner, name, wrapper)


def _with_our_tasks(original: Callable[..., dict[str, Any]]) -> Callable[..., dict[str, Any]]:
    """Return a task discovery that adds our folders, and makes sure that runs are checked."""

    def initialize_tasks(
        manager: Any, include_path: str | list[str] | None = None, include_defaults: bool = True
    ) -> dict[str, Any]:
        check_runs()
        paths = [include_path] if isinstance(include_path, str) else list(include_path or [])
        from semiology.tasks.generated import generated_folder

        paths += [str(ours) for ours in (TASK_FOLDER, generated_folder()) if str(ours) not in paths]
        if ONLY.text():
            include_defaults = False
        return original(manager, include_path=paths, include_defaults=include_defaults)

    return initialize_tasks


def _checked(original: Callable[..., Any]) -> Callable[..., Any]:
    """Return a ``simple_evaluate`` that ends a run of ours that cannot work, before its model is loaded."""
    signature = inspect.signature(original)

    def simple_evaluate(*arguments: Any, **keywords: Any) -> Any:
        bound = signature.bind(*arguments, **keywords)
        from semiology.harness.pictures import key_pictures_by_content
        from semiology.harness.preflight import prepare_run

        try:
            key_pictures_by_content()
            prepare_run(bound.arguments)
        except ValueError as error:  # every error of ours that a user can fix is a ValueError
            _stop(error)
        return original(*bound.args, **bound.kwargs)

    return simple_evaluate


def _sharing(original: Callable[..., Any]) -> Callable[..., Any]:
    """Return an ``evaluate`` under which the questions of ours about a window meet."""

    def evaluate(lm: Any, task_dict: Any, *arguments: Any, **keywords: Any) -> Any:
        from semiology.harness.cut_replies import cut_replies_marked
        from semiology.harness.empty_replies import empty_windows_marked
        from semiology.harness.faulty_files import faults_kept_apart
        from semiology.harness.machine.whole_characters import whole_characters
        from semiology.harness.printed_table import no_bar_for_scoring
        from semiology.harness.scheduling import recordings_dealt, windows_together
        from semiology.harness.video_errors import name_video_errors
        from semiology.privacy.remote_models import check_client

        tables = _our_tables(task_dict)
        if not tables:
            return original(lm, task_dict, *arguments, **keywords)
        try:
            check_client(lm)
        except ValueError as error:
            _stop(error)
        name_video_errors()
        with (
            recordings_dealt(chain.from_iterable(tables), processes()),
            windows_together(lm),
            faults_kept_apart(lm),
            empty_windows_marked(lm),
            cut_replies_marked(lm),
            whole_characters(lm),
            no_bar_for_scoring(),
        ):
            return original(lm, task_dict, *arguments, **keywords)

    return evaluate


def _our_tables(task_dict: Any) -> list[Any]:
    """Return the documents of our tasks in a run, one table per task, in their order."""
    from lmms_eval.evaluator_utils import get_task_list

    from semiology.harness.scheduling import is_ours

    tables = [output.task.eval_docs_no_media for output in get_task_list(task_dict) if output.task]
    return [table for table in tables if len(table) and is_ours(table[0])]


def _stop(error: ValueError) -> NoReturn:
    """End the process with a message for the user."""
    print(f"semiology: {error}", file=sys.stderr)  # noqa: T201
    raise SystemExit(2) from None
