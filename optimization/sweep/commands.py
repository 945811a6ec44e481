"""``semiology sweep``: how much of a model's score is the wording?"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from semiology.harness.options import BatchSize, Data, LmmsEvalOptions, Model, ModelArgs, Verbosity, Window
from semiology.render.help import examples

if TYPE_CHECKING:
    from semiology.harness.asking import ProbeResult

SWEEP_EPILOG = examples(
    "semiology sweep --model embedded --data my_emu --out sweep --features tonic",
    "semiology sweep --model embedded --data my_emu --out few --prompts s3,minimal",
    "semiology sweep --model embedded --data my_emu --out plan --dry-run --no-probe",
)


_Out = Annotated[Path, typer.Option(help="Folder for plan, answers and tables; one plan to a folder.")]
_Features = Annotated[str, typer.Option(help="Features, comma-separated, or 'all'.")]
_Prompts = Annotated[str, typer.Option(help="Wordings by id or family, comma-separated, or 'all'.")]
_Formats = Annotated[
    str, typer.Option(help="Answer formats crossed with the wordings; 'own' is each wording's own.")
]
_Enhancements = Annotated[
    str, typer.Option(help="Enhancements crossed with them: none, pose, crop, denoise, transcript.")
]
_Margin = Annotated[
    float, typer.Option(help="Largest harmless difference of accuracy, fixed now: 0.05 is 5 points.")
]
_Probe = Annotated[
    bool,
    typer.Option("--probe/--no-probe", help="Ask about 3 segments first and show how long the rest takes."),
]
_DryRun = Annotated[
    bool, typer.Option("--dry-run", help="Plan and probe only; with --no-probe, load no model.")
]
_Yes = Annotated[bool, typer.Option("--yes", help="Go on after the probe without asking.")]


def sweep_command(
    model: Model,
    data: Data,
    out: _Out,
    model_args: ModelArgs = "",
    features: _Features = "all",
    prompts: _Prompts = "all",
    answer_formats: _Formats = "own",
    enhancements: _Enhancements = "none",
    margin: _Margin = 0.05,
    window: Window = None,
    batch_size: BatchSize = 1,
    probe: _Probe = True,
    dry_run: _DryRun = False,
    yes: _Yes = False,
    verbosity: Verbosity = "WARNING",
    lmms_eval_option: LmmsEvalOptions = None,
) -> None:
    """Ask a model the same segments in many wordings, and show how much of its score is due to the wording.

    The plan is printed first. A sweep that was stopped goes on with the same command and asks nothing twice.
    """
    from semiology.optimization.sweep.plan import plan_lines
    from semiology.optimization.sweep.run import (
        SweepOptions,
        SweepStopped,
        estimate_line,
        plan_sweep,
        run_sweep,
    )

    options = SweepOptions(
        model=model,
        model_args=model_args,
        data=data,
        out=out,
        features=None if "all" in _names(features) else _names(features),
        prompts=_names(prompts),
        formats=_names(answer_formats),
        enhancements=_names(enhancements),
        margin=margin,
        window=window,
        batch_size=batch_size,
        verbosity=verbosity.upper(),
        extra=tuple(lmms_eval_option or ()),
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

    written = write_sweep_files(summary, out / "report")
    console = Console()
    if not console.is_terminal:
        console = Console(width=PIPED_WIDTH)
    console.print(f"Written: {', '.join(map(str, written))}", markup=False, highlight=False)
    print_sweep(summary, console)


def _names(text: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(part.strip() for part in text.split(",") if part.strip()))
