"""The options of ``semiology sweep``: those of a run, and what is crossed."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from semiology.harness.options import RunOptions


@dataclass(frozen=True)
class SweepOptions(RunOptions):
    """What one sweep asks; each field is told by its help."""

    out: Annotated[Path, typer.Option(help="Folder for plan, answers and tables; one plan to a folder.")]
    tasks: Annotated[
        str,
        typer.Option(
            help="Stroke-rehabilitation tasks of a study in --data, instead of features: names or globs."
        ),
    ] = ""
    features: Annotated[tuple[str, ...], typer.Option(help="Features, comma-separated, or 'all'.")] = ("all",)
    prompts: Annotated[
        tuple[str, ...], typer.Option(help="Wordings by id or family, comma-separated, or 'all'.")
    ] = ("all",)
    formats: Annotated[
        tuple[str, ...],
        typer.Option(
            "--answer-formats", help="Answer formats crossed with the wordings; 'own' is each wording's own."
        ),
    ] = ("own",)
    enhancements: Annotated[
        tuple[str, ...],
        typer.Option(help="Enhancements crossed with them: none, pose, crop, denoise, transcript."),
    ] = ("none",)
    margin: Annotated[
        float, typer.Option(help="Largest harmless difference of accuracy, fixed now: 0.05 is 5 points.")
    ] = 0.05
