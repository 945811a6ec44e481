"""Checks of a run before a model is loaded: the recording set, the media, the model and where data would go.

Whatever is wrong ends the run with one readable message and exit status 2; lmms-eval alone would go on, fail
late and exit with 0.
"""

from __future__ import annotations

import fnmatch
import ipaddress
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlparse

from semiology.features import AUDIO_FEATURES, FEATURES
from semiology.remote_code import refuse_remote_code

TASK_PREFIX = "semiology_"
GROUP = "semiology"
ALLOW_REMOTE_VARIABLE = "SEMIOLOGY_ALLOW_REMOTE"

# lmms-eval classes that send the media to a server; the address decides whether that is this machine.
SERVER_MODELS = frozenset(
    {
        "async_openai",
        "async_openai_compatible",
        "async_openai_compatible_chat",
        "litellm",
        "litellm_chat",
        "litellm_compatible",
        "openai",
        "openai_compatible",
        "openai_compatible_chat",
    }
)
# Classes whose service is always somebody else's machine.
CLOUD_MODELS = frozenset(
    {"batch_gpt4", "claude", "gemini", "gemini_api", "gpt4o_audio", "gpt4v", "qwen_vl_api", "reka"}
)
SOUND_ONLY_MODELS = frozenset(["audio_flamingo_3", "qwen2_audio", "kimi_audio", "whisper", "whisper_vllm"])
ADDRESS_ARGUMENTS = ("base_url", "api_base", "azure_endpoint")
ADDRESS_VARIABLES = ("OPENAI_API_BASE", "OPENAI_BASE_URL")


class PreflightError(ValueError):
    """A run cannot start; the message says what to change."""


def check_command_line(index: dict[str, Any], model: str | None) -> dict[str, Any]:
    """Check the lmms-eval command being run and return the task index that it may use.

    Args:
        index: lmms-eval's task index, ours included.
        model: lmms-eval model name, or ``None`` when tasks are only listed.

    Raises:
        SystemExit: With status 2 and a message, if the run asks for our tasks and cannot start.
    """
    tasks = selected_tasks(option_of_command("--tasks") or "", index)
    if not tasks or model is None:
        return index
    try:
        return check_run(index, tasks, model, option_of_command("--model_args") or "")
    except ValueError as error:  # every error of ours that a user can mend is a ValueError
        print(f"semiology: {error}", file=sys.stderr)  # noqa: T201
        raise SystemExit(2) from None


def check_run(index: dict[str, Any], tasks: tuple[str, ...], model: str, model_args: str) -> dict[str, Any]:
    """Check a run of our tasks and return the index without features that nobody annotated.

    Raises:
        ValueError: Anything that the user must change first (settings, recording set, model, address).
    """
    check_address(model, model_args)
    check_senses(tasks, model)
    choose_window(model, model_args)
    refuse_remote_code()
    from semiology.tasks.documents import annotated_features
    from semiology.tasks.plan import current_plan
    from semiology.tasks.settings import read_settings

    settings = read_settings()
    plan = current_plan(settings)
    for video_id, reason in plan.excluded.items():
        _warn(f"{video_id} is left out: {reason}")
    features = annotated_features(plan)
    if not features:
        raise PreflightError(
            f"{settings.data}: no recording has both a usable video and an annotation; "
            f"`semiology data check {settings.data}` shows why"
        )
    missing = [feature for feature in FEATURES if feature not in features]
    explicit = [task for task in tasks if task.removeprefix(TASK_PREFIX) in missing and task != GROUP]
    if len(explicit) == len([task for task in tasks if task != GROUP]) and explicit:
        raise PreflightError(f"nothing is annotated for {', '.join(explicit)} in {settings.data}")
    return _without(index, missing, settings.cache)


def selected_tasks(patterns: str, index: Mapping[str, Any]) -> tuple[str, ...]:
    """Return our tasks and our group among those that ``--tasks`` selects (comma-separated globs)."""
    ours = [name for name in index if name == GROUP or name.removeprefix(TASK_PREFIX) in FEATURES]
    chosen = [pattern.strip() for pattern in patterns.split(",")]
    return tuple(name for name in ours if any(fnmatch.fnmatchcase(name, pattern) for pattern in chosen))


def option_of_command(name: str) -> str | None:
    """Return the value of an option of the running command, in either form (``--x v``, ``--x=v``)."""
    arguments = sys.argv[1:]
    for position, argument in enumerate(arguments):
        if argument == name and position + 1 < len(arguments):
            return arguments[position + 1]
        if argument.startswith(f"{name}="):
            return argument.partition("=")[2]
    return None


def check_address(model: str, model_args: str) -> None:
    """Refuse to send patient video to another machine unless the user allowed it by name.

    Raises:
        PreflightError: The model class talks to an address that is not loopback, and
            ``SEMIOLOGY_ALLOW_REMOTE=1`` is not set.
    """
    if model not in SERVER_MODELS | CLOUD_MODELS or os.environ.get(ALLOW_REMOTE_VARIABLE) == "1":
        return
    address = _address(model_args)
    if model in SERVER_MODELS and address and _is_loopback(address):
        return
    raise PreflightError(
        f"--model {model} would send the frames (and the sound) of every recording to "
        f"{address or 'the provider of that service'}. Use a server on this machine "
        f"(base_url=http://127.0.0.1:8000/v1), or, if your ethics approval covers it, set "
        f"{ALLOW_REMOTE_VARIABLE}=1"
    )


def check_senses(tasks: tuple[str, ...], model: str) -> None:
    """Refuse questions about pictures to a model class that takes only sound.

    Raises:
        PreflightError: Some selected task needs pictures.
    """
    if model in SOUND_ONLY_MODELS and any(
        task.removeprefix(TASK_PREFIX) not in AUDIO_FEATURES for task in tasks
    ):
        names = ",".join(TASK_PREFIX + feature for feature in AUDIO_FEATURES)
        raise PreflightError(f"--model {model} takes sound only; use --tasks {names}")


def choose_window(model: str, model_args: str) -> None:
    """Set the published window of the model unless the user set one."""
    from semiology.tasks.settings import WINDOW_VARIABLE, window_for_model

    os.environ.setdefault(WINDOW_VARIABLE, window_for_model(model, model_args))


def _address(model_args: str) -> str | None:
    """Return the server address from the model's arguments or the environment."""
    for part in model_args.split(","):
        key, _, value = part.partition("=")
        if key.strip() in ADDRESS_ARGUMENTS and value:
            return value.strip()
    return next((os.environ[name] for name in ADDRESS_VARIABLES if os.environ.get(name)), None)


def _is_loopback(address: str) -> bool:
    host = urlparse(address if "//" in address else f"//{address}").hostname or ""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _without(index: dict[str, Any], missing: list[str], cache: Path) -> dict[str, Any]:
    """Take features without annotations out of the index and out of the group."""
    if not missing:
        return index
    _warn(f"not asked, because nothing usable is annotated for them: {', '.join(missing)}")
    index = {name: entry for name, entry in index.items() if name.removeprefix(TASK_PREFIX) not in missing}
    if GROUP in index:
        index[GROUP] = {
            **index[GROUP],
            "yaml_path": str(_group_without(index[GROUP]["yaml_path"], missing, cache)),
        }
    return index


def _group_without(yaml_path: str, missing: list[str], cache: Path) -> Path:
    """Write the group's YAML without the missing features; text lines, so that tags stay as they are."""
    from semiology.tasks.plan import write_private

    gone = {f"- {TASK_PREFIX}{feature}" for feature in missing}
    lines = [line for line in Path(yaml_path).read_text().splitlines() if line.strip() not in gone]
    target = cache / "groups" / f"semiology-without-{len(missing)}-{os.getpid()}.yaml"
    write_private(target, "\n".join(lines) + "\n")
    return target


def _warn(message: str) -> None:
    from loguru import logger

    logger.warning(message)
