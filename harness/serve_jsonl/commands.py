"""``semiology serve-jsonl``."""

from __future__ import annotations

import sys
from functools import partial
from typing import Annotated

import typer

from semiology.render.help import examples

SERVE_EPILOG = examples(
    "semiology serve-jsonl --model embedded",
    "semiology serve-jsonl --model semiology_hf --model-args pretrained=qwen,fps=2",
    "semiology serve-jsonl --model embedded < requests.jsonl > answers.jsonl",
)


def serve_jsonl(
    model: Annotated[str, typer.Option(help="lmms-eval model name; 'embedded' for the one in this package.")],
    model_args: Annotated[str, typer.Option(help="lmms-eval model arguments: key=value,key=value.")] = "",
    timeout: Annotated[float, typer.Option(help="Longest wait for one answer, s.", min=0.1)] = 300.0,
    max_batch: Annotated[int, typer.Option(help="Most requests handed to the model at once.", min=1)] = 256,
    cut_windows: Annotated[
        bool,
        typer.Option("--cut-windows", help="Cut windows into files, for classes that read no start and end."),
    ] = False,
) -> None:
    """Keep a model loaded and answer one JSON request a line, from standard input to standard output.

    What is queued is answered together, so questions about one window share its video. Errors are JSON lines
    too; logs go to standard error. The command ends when its input does.

    A request: {"id": "1", "video": "a.mp4", "prompt": "Does …?", "start_s": 0, "end_s": 30}
    """
    from semiology.harness.serve_jsonl.server import JsonlServer, answers_of, claim_stdout, utf8_lines

    answers = claim_stdout()
    from semiology.harness.run import check_names, resolve_model, without_journal

    name, arguments = resolve_model(model, model_args)
    check_names(name, "semiology", arguments)
    from semiology.harness.asking import load_model

    lm = load_model(name, without_journal(name, arguments))
    typer.echo(f"{model} is loaded; waiting for requests", err=True)
    server = JsonlServer(
        partial(answers_of, lm, cut_windows=cut_windows), answers, timeout_s=timeout, max_batch=max_batch
    )
    server.serve(utf8_lines(sys.stdin.buffer))
