"""The ``lmms_eval`` command: lmms-eval's own command line with our tasks known from the start.

lmms-eval 0.7.3 installs only ``lmms-eval``; this is the spelling that its users type. The web UI is refused:
it listens on every interface without a login, which is not acceptable beside patient video.
"""

from __future__ import annotations

import os
import sys
from itertools import pairwise

from semiology.harness.typos import STANDS_FOR_A_CLASS, check_model, check_tasks
from semiology.settings import prefer_decord

OUR_NAMES = ("semiology", "strokerehab", "s3")
"""What the name of a task of ours, or one that is meant to be, holds."""


def checked(arguments: list[str]) -> list[str]:
    """Return the arguments of lmms-eval, with ``--model embedded`` as the class and checkpoint that it stands for.

    Names are checked where the tasks are ours, before torch is imported.

    Raises:
        PreflightError: A task, model or argument of it does not exist; the message names the nearest one.
    """
    spelt = [part for each in arguments for part in (each.split("=", 1) if each.startswith("--") else [each])]
    given = dict(pairwise(spelt))
    name, name_args, tasks = (given.get(f"--{option}", "") for option in ("model", "model_args", "tasks"))
    ours = [task for task in tasks.split(",") if any(mark in task for mark in OUR_NAMES)]
    model, model_args = name, name_args
    if name in STANDS_FOR_A_CLASS:
        from semiology.harness.run import resolve_model

        model, model_args = resolve_model(name, name_args)
    if ours and model:
        check_tasks(",".join(ours))
        check_model(model, model_args)
    if model == name:
        return arguments
    spelt[spelt.index("--model") + 1] = model
    if "--model_args" not in given:
        return [*spelt, "--model_args", model_args]
    spelt[spelt.index("--model_args") + 1] = model_args
    return spelt


def main() -> None:
    """Run lmms-eval's command line; the status is 3, as of ``semiology run``, where requests of ours got no reply."""
    if len(sys.argv) > 1 and sys.argv[1] in {"ui", "serve", "tui"}:
        sys.exit(
            f"lmms_eval {sys.argv[1]}: not started. lmms-eval's servers accept requests without a login; do "
            "not run them on a machine that holds patient video. Use `semiology run` and `semiology report`."
        )
    os.umask(0o077)
    prefer_decord()
    from semiology.harness.plugin import add_tasks

    add_tasks()
    try:
        sys.argv[1:] = checked(sys.argv[1:])
    except ValueError as error:
        sys.exit(f"semiology: {error}")
    from lmms_eval.cli.dispatch import main as dispatch

    dispatch()
    from semiology.harness.faulty_files import Unanswered
    from semiology.harness.run import UnansweredRequestsError

    if Unanswered.count:
        sys.exit(UnansweredRequestsError.exit_status)
