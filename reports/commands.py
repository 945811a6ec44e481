"""``semiology report``: from result folders to the first table."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer


def report(
    runs: Annotated[list[Path], typer.Argument(help="Folders (any depth) or files that lmms-eval wrote.")],
    out: Annotated[
        Path | None, typer.Option(help="Folder for summary.csv, summary.md and summary.json.")
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the table as JSON instead of for people.")
    ] = False,
    seed: Annotated[int, typer.Option(help="Seed of the patient bootstrap.")] = 0,
    policy: Annotated[
        Literal["wrong", "drop"],
        typer.Option(help="What a recording without a yes or no answer counts as."),
    ] = "wrong",
    resamples: Annotated[int, typer.Option(help="Patient resamples per interval.", min=100)] = 2000,
) -> None:
    """Score finished runs: one row per model, wording, enhancement and feature, with 95 % intervals."""
    # Imported here so that `semiology --help` stays quick.
    from rich.console import Console

    from semiology.reports.results import read_results
    from semiology.reports.summary import summarise
    from semiology.reports.tables import json_text, print_summary, write_files

    summary = summarise(read_results(runs), policy=policy, resamples=resamples, seed=seed)
    console = Console()
    written = write_files(summary, out) if out is not None else []
    if as_json:
        typer.echo(json_text(summary))
        return
    if not console.is_terminal:
        console = Console(width=200)
    if written:
        console.print(f"Written: {', '.join(str(path) for path in written)}", markup=False, highlight=False)
    print_summary(summary, console)
