"""``semiology sweep``: how much of a model's score is the wording?"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from semiology.optimization.sweep.options import SweepOptions
from semiology.render.help import examples
from semiology.render.options import with_options

if TYPE_CHECKING:
    from semiology.harness.asking import ProbeResult

SWEEP_EPILOG = examples(
    "semiology sweep --model embedded --data my_emu --out sweep --features tonic",
    "semiology sweep --model embedded --data my_emu --out few --prompts s3,minimal",
    "semiology sweep --model embedded --data my_emu --out plan --dry-run --no-probe",
)


@with_options(
    SweepOptions, "options", defaults={"model_args": ""}, without=("tasks", "prompt_id", "limit", "use_cache")
)
def sweep_command(
    options: SweepOptions,
    probe: Annotated[
        bool,
        typer.Option(
            "--probe/--no-probe", help="Ask about 3 segments first and show how long the rest takes."
        ),
    ] = True,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Plan and probe only; with --no-probe, load no model.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Go on after the probe without asking.")] = False,
) -> None:
    """Ask a model the same segments in many wordings, and show how much of its score is due to the wording.

    The plan is printed first. A sweep that was stopped goes on with the same command and asks nothing twice.
    """
    from semiology.harness.run import check_replies
    from semiology.optimization.sweep.plan import plan_lines
    from semiology.optimization.sweep.run import (
        SweepStopped,
        estimate_line,
        plan_sweep,
        run_sweep,
    )

    plan = plan_sweep(options)
    typer.echo("\n".join(plan_lines(plan)))
    if dry_run and not probe:
        typer.echo("dry run: nothing was asked")
        return

    def after_probe(found: ProbeResult) -> None:
        """Print the estimate, and ask whether to go on where somebody can answer."""
        typer.echo(estimate_line(plan, found))
        asks = not yes and sys.stdin.isatty() and sys.stdout.isatty()
        if dry_run or (asks and not typer.confirm("Go on?", default=True)):
            raise SweepStopped

    summary = run_sweep(options, plan, after_probe, with_probe=probe)
    if summary is None:
        typer.echo("stopped after the probe; its answers are kept, and the same command goes on")
        return
    from rich.console import Console

    from semiology.render.table import PIPED_WIDTH
    from semiology.reports.tables.sweep import print_sweep, write_sweep_files

    written = write_sweep_files(summary, options.out / "report")
    console = Console()
    if not console.is_terminal:
        console = Console(width=PIPED_WIDTH)
    console.print(f"Written: {', '.join(map(str, written))}", markup=False, highlight=False)
    print_sweep(summary, console)
    newest = max(options.out.rglob("*_results.json"), key=lambda path: path.stat().st_mtime)
    check_replies(newest.parent)
