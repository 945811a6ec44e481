"""``semiology optimize``."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from semiology.optimization.search.options import SearchOptions
from semiology.render.help import examples
from semiology.render.options import REQUIRED, with_options

OPTIMIZE_EPILOG = examples(
    "semiology optimize --features tonic --model embedded --data emu --budget 600",
    "semiology optimize --features tonic,clonic --model embedded --data my_emu",
    "semiology optimize --preset published --model embedded --data my_emu",
)


@with_options(SearchOptions, "options", defaults={"model": REQUIRED, "data": REQUIRED})
def optimize(
    options: SearchOptions,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Search for better wordings on training patients, select on others, and test on others again, once.

    Writes wordings in the library's form (OUT/wordings, for SEMIOLOGY_PROMPTS), the whole lineage
    (OUT/FEATURE/lineage.json) and a summary. Nothing is lost when it is stopped; it ends with status 1 where
    the proposing model gave no replies any more.
    """
    from dataclasses import replace

    from rich.console import Console

    from semiology.optimization.search.setup import prepare

    options = replace(options, seeds=()) if options.seeds == ("none",) else options
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
        for command in next_commands(result, options.out):
            typer.echo(f"ask with it: {command}")
        numbers = result.summary
        asked, windows = numbers["questions_asked"], numbers["windows_read"]
        read = f"{counted(asked, 'question')} on {counted(windows, 'window')} read"
        known = numbers["questions_from_journal"]
        typer.echo(f"{read}, {known:,} answered before; written to {options.out}")
    if any(each.found.unfinished for each in result.features):
        raise typer.Exit(1)
