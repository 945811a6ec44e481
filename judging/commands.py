"""``semiology judge`` and ``semiology merge``: a language model reads, or merges, texts of finished runs."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from semiology.render.help import examples
from semiology.settings import MERGE_MODEL

if TYPE_CHECKING:
    from semiology.judging.asking import Asked

JUDGE_EPILOG = examples(
    "semiology judge runs --judge http://127.0.0.1:8000/v1 --model NAME",
    "semiology judge runs --judge-checkpoint models/Qwen3-8B",
    "semiology judge runs --judge-lmms-eval vllm --judge-args model=models/Qwen3-8B",
)
MERGE_EPILOG = examples(
    "semiology merge runs --server http://127.0.0.1:8000/v1 --model NAME",
    "semiology merge runs/one runs/two --json",
)

_Runs = Annotated[list[Path], typer.Argument(help="Folders (any depth) or files that lmms-eval wrote.")]
_Model = Annotated[str | None, typer.Option(help="Name of the model on the server.")]
_Timeout = Annotated[float, typer.Option(help="Seconds that a server may take for a reply.", min=0.1)]
_KeyVariable = Annotated[
    str | None, typer.Option(help="Environment variable that holds the server's key, if it wants one.")
]
_Json = Annotated[bool, typer.Option("--json", help="Print the outcome as JSON instead of for people.")]


def judge_command(
    runs: _Runs,
    judge: Annotated[
        str | None, typer.Option(help="Address of an OpenAI-compatible server, of this machine.")
    ] = None,
    model: _Model = None,
    judge_checkpoint: Annotated[
        str | None,
        typer.Option(help="Folder (or hub name) of a checkpoint that transformers loads in this process."),
    ] = None,
    judge_lmms_eval: Annotated[
        str | None, typer.Option(help="lmms-eval model name, loaded in this process.")
    ] = None,
    judge_args: Annotated[str, typer.Option(help="Its lmms-eval model arguments: key=value,key=value.")] = "",
    allow_download: Annotated[
        bool,
        typer.Option(
            "--allow-download",
            help="Let a judge that is named and not on this machine be fetched from the model hub.",
        ),
    ] = False,
    baselines: Annotated[
        Path | None,
        typer.Option(help="Published answers (`semiology baselines import`) to be read beside, too."),
    ] = None,
    at_once: Annotated[
        int | None,
        typer.Option(
            help="Prompts asked at a time: 8 of a server, 1 of a checkpoint, 16 of lmms-eval.", min=1
        ),
    ] = None,
    max_tokens: Annotated[int, typer.Option(help="Longest reply in tokens.", min=16)] = 1024,
    timeout: _Timeout = 600.0,
    api_key_variable: _KeyVariable = None,
    as_json: _Json = False,
) -> None:
    """Let a language model read reports and justifications, for `semiology report` (S3 tasks 2 and 6).

    What it read is written beside each run; texts that it cannot read are read by the offline rules, and
    counted. Replies are kept, so that no text is read twice and a killed command goes on where it was.
    """
    from semiology.judging.judge import judge_runs
    from semiology.judging.model_choice import short_name
    from semiology.reports.published.baselines import read_baselines

    published = read_baselines(baselines) if baselines is not None else None
    asked = _chosen(
        judge, model, judge_checkpoint, judge_lmms_eval, judge_args,
        download=allow_download, at_once=at_once, max_tokens=max_tokens, timeout_s=timeout,
        key_variable=api_key_variable,
    )  # fmt: skip
    name = short_name(model or judge_checkpoint or f"{judge_lmms_eval}:{judge_args}")
    summary = judge_runs(runs, asked, name, baselines=published)
    if as_json:
        typer.echo(json.dumps(asdict(summary), indent=2))
        return
    typer.echo(
        f"{summary.judge} read {summary.read} of {summary.texts} texts: {summary.retried} asked again after "
        f"a reply that could not be used, {summary.malformed} malformed twice, {summary.no_reply} without a "
        f"reply; {summary.from_journal} replies came from the journal"
    )
    if summary.malformed or summary.no_reply:
        typer.echo("Texts that it did not read are read by the offline rules; the report counts them.")
    _tell_files(summary.files)


def merge_command(
    runs: _Runs,
    server: Annotated[
        str | None, typer.Option(help="Address of an OpenAI-compatible server, of this machine.")
    ] = None,
    model: _Model = None,
    at_once: Annotated[int | None, typer.Option(help="Prompts asked at a time; by default 8.", min=1)] = None,
    timeout: _Timeout = 600.0,
    api_key_variable: _KeyVariable = None,
    as_json: _Json = False,
) -> None:
    """Let a language model merge the texts of several windows as published, for `semiology report`.

    Without --server and --model the model of SEMIOLOGY_MERGE_MODEL (NAME@http://127.0.0.1:8000/v1) merges.
    The merged texts are written beside each run; a judge reads merged texts, so merge first.
    """
    from semiology.backends.text.served import MAX_TOKENS, merge_choice
    from semiology.judging.merge import merge_runs
    from semiology.judging.model_choice import JudgeChoiceError, served, short_name

    chosen = merge_choice()
    name, address = model or (chosen[0] if chosen else None), server or (chosen[1] if chosen else None)
    if name is None or address is None:
        raise JudgeChoiceError(f"which model is to merge? Give --server and --model, or set {MERGE_MODEL}")
    asked = served(
        address, name, at_once=at_once or 8, max_tokens=MAX_TOKENS, timeout_s=timeout,
        key_variable=api_key_variable, setting="--server" if server else str(MERGE_MODEL),
    )  # fmt: skip
    summary = merge_runs(runs, asked, short_name(name))
    if as_json:
        typer.echo(json.dumps(asdict(summary), indent=2))
        return
    typer.echo(
        f"{summary.model} merged {summary.merged} of {summary.groups} groups of texts; "
        f"{summary.from_journal} replies came from the journal"
    )
    _tell_files(summary.files)


def merge_texts(folder: Path) -> None:
    """Let the model of ``SEMIOLOGY_MERGE_MODEL``, if there is one, merge a run's texts before its report.

    A server that stops costs no answers: it is told, and the report takes each statement once.
    """
    from semiology.backends.text.served import TextModelError, merge_choice

    if merge_choice() is None or not any(folder.glob("*_samples_s3_*.jsonl")):
        return
    from semiology.judging.merge import merge_as_chosen

    try:
        merge_as_chosen(folder)
    except TextModelError as error:
        typer.secho(f"texts are merged extractively: {error}", fg=typer.colors.YELLOW, err=True)


def _tell_files(files: tuple[str, ...]) -> None:
    for file in files:
        typer.echo(f"Written: {file}")


def _chosen(
    judge: str | None,
    model: str | None,
    checkpoint_folder: str | None,
    lmms_eval: str | None,
    lmms_eval_args: str,
    *,
    download: bool,
    at_once: int | None,
    max_tokens: int,
    **server: Any,
) -> Asked:
    """Return the judge that exactly one of the options names.

    Raises:
        JudgeChoiceError: none or several do, or the option does not fit the others.
    """
    from semiology.judging.model_choice import JudgeChoiceError, checkpoint, lmms_eval_model, served

    if sum(option is not None for option in (judge, checkpoint_folder, lmms_eval)) != 1:
        raise JudgeChoiceError(
            "which judge? Give exactly one of --judge ADDRESS (with --model), --judge-checkpoint FOLDER and "
            "--judge-lmms-eval NAME"
        )
    if checkpoint_folder is not None:
        return checkpoint(checkpoint_folder, download=download, at_once=at_once or 1, max_tokens=max_tokens)
    if lmms_eval is not None:
        return lmms_eval_model(
            lmms_eval, lmms_eval_args, download=download, at_once=at_once or 16, max_tokens=max_tokens
        )
    if download:
        raise JudgeChoiceError("--allow-download fetches a judge for this process; a server has its own")
    if not model:
        raise JudgeChoiceError(f"--judge {judge}: also give --model, the name of the model on the server")
    assert judge is not None
    return served(judge, model, at_once=at_once or 8, max_tokens=max_tokens, **server)
