"""The command that asks a recorded run's questions again, and running it, each time in a folder of its own.

A run's record (`semiology_run.json`, beside its results) names model, arguments, tasks, wording, format, windows, clips
and recordings; the results name batch size, seeds and settings of generation. The folder of the set is not recorded,
since it never leaves the machine: it is given anew, and its name and version have to be those of the run.
"""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from semiology.data.tables.reading import METADATA
from semiology.harness.run import (
    EMBEDDED,
    EMBEDDED_AUDIO,
    KEEP_THEIR_OWN,
    RUN_FILE,
    UnansweredRequestsError,
    resolve_model,
)
from semiology.render.strict_yaml import parse_yaml

FIRST_SEEDS = [0, 1234, 1234, 1234]
"""Seeds that lmms-eval takes where none is given."""
OPTIONS: Mapping[str, str] = {
    "tasks": "--tasks",
    "prompt_id": "--prompt",
    "answer_format": "--answer-format",
    "audio_segments": "--audio-segments",
    "onset_clips": "--onset-clips",
    "window": "--window",
    "recordings_chosen": "--recordings",
    "videos_chosen": "--videos",
    "limit": "--limit",
}
"""Options of `semiology run` by their place in a run's record."""
_DEFAULT_SPLIT = "score"


class AskAgainError(ValueError):
    """A run cannot be asked again from its record; the message says why."""


@dataclass(frozen=True)
class Changes:
    """What is other than in the recorded run; None leaves it as it was.

    Attributes:
        model, model_args: another engine or release of the same model. batch_size: requests per batch.
        extra: further options of lmms-eval, such as ``--seed=1``.
    """

    model: str | None = None
    model_args: str | None = None
    batch_size: int | None = None
    extra: Sequence[str] = ()


def run_command(run: Path, data: Path, out: Path, changes: Changes) -> list[str]:
    """Return the arguments of `semiology` that ask a run's questions again.

    Args:
        run: folder of the run's results, or one above it that holds one run.
        data: the recording set. out: folder of the new results. changes: against the record.

    Raises:
        AskAgainError: the run left no record, is about stroke rehabilitation or another set, or holds several runs.
    """
    record, config = _record(run)
    if "window" not in record:
        raise AskAgainError(f"{run}: is a run about stroke rehabilitation → give its own command once more")
    _refuse_other_set(run, data, str(record["data"]))
    model, args = _model(record)
    model = changes.model or model
    command = ["run", "--model", model, "--data", str(data), "--out", str(out)]
    args = _own_journal(model, args if changes.model_args is None else changes.model_args, out)
    if args:
        command += ["--model-args", args]
    for key, option in OPTIONS.items():
        if record.get(key) not in (None, ""):
            command += [option, str(record[key])]
    if record.get("split") not in (None, "", _DEFAULT_SPLIT):
        command += ["--split", str(record["split"])]
    size = changes.batch_size or config.get("batch_size")
    if str(size or 1) != "1":
        command += ["--batch-size", str(size)]
    return [
        *command,
        *(f"--lmms-eval-option={each}" for each in (*_settings(config, changes.extra), *changes.extra)),
    ]


def ask_again(
    run: Path, data: Path, into: Path, times: int, changes: Changes, tell: Callable[[str], None]
) -> list[Path]:
    """Ask a run's questions again, and return the folder of each repeat.

    Each repeat is a process of its own (`semiology run`), in ``into/repeat_1``, ``repeat_2``, …: nothing that a model
    or an engine keeps passes from one to the next. A repeat that is there already is not asked again, and one that was
    stopped goes on where it stopped.

    Raises:
        AskAgainError: as `run_command`; or a repeat ended without results.
    """
    folders = [into / f"repeat_{number}" for number in range(1, times + 1)]
    commands = [run_command(run, data, folder, changes) for folder in folders]
    for number, (folder, command) in enumerate(zip(folders, commands, strict=True), 1):
        if any(folder.rglob(RUN_FILE)):
            tell(f"Repeat {number} of {times}: is there already ({folder})")
            continue
        tell(f"Repeat {number} of {times}: {shown(command)}")
        # The command is this package's own, and no shell reads it.
        own = [sys.executable, "-m", "semiology.cli", *command]
        ended = subprocess.run(own, stdout=subprocess.DEVNULL, check=False)  # noqa: S603
        if ended.returncode not in (0, UnansweredRequestsError.exit_status) or not any(
            folder.rglob(RUN_FILE)
        ):
            raise AskAgainError(
                f"{folder}: the run ended with status {ended.returncode} → see what it says above, then give the same "
                "command again, which goes on where it stopped"
            )
    return folders


def shown(command: Sequence[str]) -> str:
    """Return a command as it is typed."""
    return shlex.join(["semiology", *command])


def _record(run: Path) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    """Return the record of a run, and the settings that lmms-eval wrote with its newest results."""
    if not run.is_dir():
        raise AskAgainError(f"{run}: is not a folder → give the folder of one run's results")
    found = sorted(run.rglob(RUN_FILE))
    if len(found) != 1:
        what = f"holds {len(found)} runs" if found else f"has no {RUN_FILE}, which `semiology run` writes"
        fix = "give the folder of one of them" if found else "give its own command once more"
        raise AskAgainError(f"{run}: {what} → {fix}")
    results = sorted(found[0].parent.glob("*_results.json"))
    try:
        record = json.loads(found[0].read_text(encoding="utf-8"))
        config = json.loads(results[-1].read_text(encoding="utf-8"))["config"] if results else {}
    except (OSError, ValueError, KeyError) as error:
        raise AskAgainError(f"{found[0].parent}: its record cannot be read ({error})") from None
    return record, config


def _refuse_other_set(run: Path, data: Path, asked: str) -> None:
    try:
        about = parse_yaml(data / METADATA)
        given = f"{about['name']} {about['version']}".strip()
    except Exception as error:  # noqa: BLE001 - whatever is wrong with it, the run cannot be repeated on it
        raise AskAgainError(f"{data / METADATA}: cannot be read ({error})") from None
    if given != asked:
        raise AskAgainError(f"{data}: is {given!r}, and {run} was asked about {asked!r} → give that set")


def _model(record: Mapping[str, Any]) -> tuple[str, str]:
    """Return model and arguments as they are typed: those of an embedded model follow from its name."""
    model, args = str(record["model"]), str(record["model_args"] or "")
    if model not in (EMBEDDED, EMBEDDED_AUDIO):
        return model, args
    own = {part.partition("=")[0]: part for part in resolve_model(model, "")[1].split(",")}
    kept = [
        part
        for part in args.split(",")
        if part.partition("=")[0] != "pretrained" and part not in own.values()
    ]
    return model, ",".join(kept)


def _own_journal(model: str, args: str, out: Path) -> str:
    """Return model arguments with a journal in the folder of the repeat, for classes that keep their answers.

    The one that all runs share would give the recorded run's answers once more, and nothing would be asked.
    """
    name = resolve_model(model, "")[0]
    if name not in KEEP_THEIR_OWN:
        return args
    if "," in str(out):
        raise AskAgainError(
            f"{out}: holds a comma, which parts model arguments → choose another folder for --into"
        )
    kept = [part for part in args.split(",") if part and not part.startswith("journal=")]
    return ",".join([*kept, f"journal={out.resolve() / 'journal'}"])


def _settings(config: Mapping[str, Any], extra: Sequence[str]) -> list[str]:
    """Return seeds and settings of generation that were not lmms-eval's own, unless they are changed."""
    given = config.get("resolved_cli_args") or {}
    kept = []
    if config.get("gen_kwargs") and not any(each.startswith("--gen_kwargs") for each in extra):
        kept.append(f"--gen_kwargs={given.get('gen_kwargs') or config['gen_kwargs']}")
    if given.get("seed") not in (None, FIRST_SEEDS) and not any(each.startswith("--seed") for each in extra):
        kept.append(f"--seed={','.join(map(str, given['seed']))}")
    return kept
