"""``semiology optimize``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from semiology.harness.options import Data, Model, ModelArgs, Window
from semiology.render.help import examples

OPTIMIZE_EPILOG = examples(
    "semiology optimize --features tonic --model embedded --data emu --budget 600",
    "semiology optimize --features tonic,clonic --model embedded --data my_emu",
    "semiology optimize --preset published --model embedded --data my_emu",
)

_Features = Annotated[
    str,
    typer.Option(help="Features, comma-separated; they share the video work. Needed without --preset."),
]
_Budget = Annotated[
    int | None,
    typer.Option(
        help="Metric calls per feature: one recording asked in one wording (default: 600; none where "
        "--minutes is given).",
        min=1,
    ),
]
_Minutes = Annotated[float | None, typer.Option(help="Minutes, instead of or besides --budget.")]
_Objective = Annotated[str, typer.Option(help="f1, balanced_accuracy or worst_fold.")]
_Begin = Annotated[str, typer.Option(help="Library wording to begin with, by id.")]
_Seeds = Annotated[
    str, typer.Option(help="Library wordings tried first: ids, comma-separated, 'all' or 'none'.")
]
_Proposer = Annotated[
    str,
    typer.Option(
        help="Who writes wordings: 'offline' (a grammar, no language model) or NAME@ADDRESS, a model on an "
        "OpenAI-compatible server of this machine."
    ),
]
_Format = Annotated[str, typer.Option(help="Answer format of every wording.")]
_Formats = Annotated[
    str, typer.Option(help="Further answer formats that the offline proposer may choose, comma-separated.")
]
_Minibatch = Annotated[int, typer.Option(help="Training recordings a new wording is tried on first.")]
_Siblings = Annotated[
    int, typer.Option(help="Wordings tried in each step; they share the video, the best goes on.")
]
_Longest = Annotated[int, typer.Option(help="Longest wording, in characters.")]
_Fold = Annotated[str | None, typer.Option(help="Fold kept for the test (default: the first).")]
_Seed = Annotated[int, typer.Option(help="Same seed, same search (with the offline proposer).")]
_Preset = Annotated[str | None, typer.Option(help="A named experiment: published.")]
_Out = Annotated[Path, typer.Option(help="Folder of the run; the same command again goes on.")]
_Timeout = Annotated[float, typer.Option(help="Longest wait for a proposal, s.", min=0.1)]
_Remote = Annotated[
    bool, typer.Option("--allow-remote-proposer", help="Let the proposer be on another machine: text only.")
]
_Json = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]


def optimize(
    model: Model,
    data: Data,
    features: _Features = "",
    model_args: ModelArgs = "",
    budget: _Budget = None,
    minutes: _Minutes = None,
    objective: _Objective = "f1",
    begin_with: _Begin = "s3",
    seeds: _Seeds = "all",
    proposer: _Proposer = "offline",
    answer_format: _Format = "yes_no",
    other_formats: _Formats = "",
    minibatch: _Minibatch = 8,
    siblings: _Siblings = 5,
    max_characters: _Longest = 700,
    test_fold: _Fold = None,
    seed: _Seed = 0,
    window: Window = None,
    preset: _Preset = None,
    out: _Out = Path("optimized"),
    proposer_timeout: _Timeout = 300.0,
    allow_remote_proposer: _Remote = False,
    as_json: _Json = False,
) -> None:
    """Search for better wordings on training patients, select on others, and test on others again, once.

    Writes wordings in the library's form (OUT/wordings, for SEMIOLOGY_PROMPTS), the whole lineage
    (OUT/FEATURE/lineage.json) and a summary. Nothing is lost when it is stopped; it ends with status 1 where
    the proposing model gave no replies any more.
    """
    given = dict(locals())
    from dataclasses import fields

    from rich.console import Console

    from semiology.optimization.search.options import SearchOptions
    from semiology.optimization.search.setup import prepare

    lists = {"features": features, "seeds": "" if seeds == "none" else seeds, "other_formats": other_formats}
    given |= {
        key: tuple(name.strip() for name in text.split(",") if name.strip()) for key, text in lists.items()
    }
    options = SearchOptions(**{each.name: given[each.name] for each in fields(SearchOptions)})
    prepared = prepare(options)
    if options.preset is not None:
        from semiology.optimization.published.experiment import print_published, run_published

        summary = run_published(options, prepared)
        if as_json:
            typer.echo(json.dumps(summary, indent=2, ensure_ascii=False))
        else:
            print_published(summary, Console())
        return
    from semiology.optimization.search.report import next_commands, print_result
    from semiology.optimization.search.run import optimize as search
    from semiology.render.text import counted

    result = search(options, prepared)
    if as_json:
        typer.echo(json.dumps(result.summary, indent=2, ensure_ascii=False))
    else:
        print_result(result, Console())
        for command in next_commands(result, out):
            typer.echo(f"ask with it: {command}")
        read = f"{counted(result.asked, 'question')} on {counted(result.windows, 'window')} read"
        typer.echo(f"{read}, {result.known:,} answered before; written to {out}")
    if any(each.found.unfinished for each in result.features):
        raise typer.Exit(1)
