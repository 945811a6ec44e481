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
    "semiology optimize --tasks strokerehab_counting --model embedded --data rehab",
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

    options = replace(options, seeds=()) if options.seeds == ("none",) else options
    from semiology.data.owned_folder import owned_folder

    if options.tasks:
        with owned_folder(options.out):
            _optimize_study(options, as_json=as_json)
        return
    from semiology.optimization.search.setup import prepare

    prepared = prepare(options)
    if options.preset is not None:
        from semiology.optimization.published.experiment import print_published, run_published

        with owned_folder(options.out):
            summary = run_published(options, prepared)
        if as_json:
            typer.echo(json.dumps(summary, indent=2, ensure_ascii=False))
        else:
            print_published(summary, Console())
        return
    from semiology.optimization.search.report import next_commands, print_result
    from semiology.optimization.search.run import optimize as search
    from semiology.render.text import counted

    with owned_folder(options.out):
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


def _optimize_study(options: SearchOptions, *, as_json: bool) -> None:
    """Search for wordings of a stroke-rehabilitation study's questions."""
    from semiology.optimization.search.run_folder import WORDINGS
    from semiology.optimization.strokerehab.setup import result_document, run_study_search
    from semiology.render.table import print_document, table_console
    from semiology.render.text import counted

    results, summary = run_study_search(options)
    if as_json:
        typer.echo(json.dumps(summary, indent=2, ensure_ascii=False))
    else:
        print_document(result_document(results, summary), table_console())
        read = f"{counted(summary['questions_asked'], 'question')} on {counted(summary['windows_read'], 'window')} read"
        typer.echo(f"{read}, {summary['questions_from_journal']:,} answered before; written to {options.out}")
        if any(each.library_id is None and not each.unfinished for each in results):
            typer.echo(f"ask with them: SEMIOLOGY_PROMPTS={options.out / WORDINGS} semiology sweep --tasks …")
    if any(each.unfinished for each in results):
        raise typer.Exit(1)
