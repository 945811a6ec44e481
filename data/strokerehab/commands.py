"""``semiology data`` for stroke-rehabilitation folders: check, prepare, convert scores, draw a set to try."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from semiology.render.help import examples
from semiology.render.outcome import tell_outcome, with_json
from semiology.render.text import counted

if TYPE_CHECKING:
    from semiology.data.problems import Problem
    from semiology.data.strokerehab.check import StudyReport

_Directory = Annotated[Path, typer.Argument(help="Folder of the study.", metavar="DIR")]
PREPARE_EPILOG = examples("semiology data prepare my_rehab")
SIMULATE_EPILOG = examples("semiology data simulate-strokerehab drawn_rehab --controls 2 --strokes 3")


def check_study_command(directory: Path, *, as_json: bool, media: bool) -> None:
    """List what is wrong with a study's folder, then which tasks can run; exit status 1 with a problem."""
    from semiology.data.strokerehab.check import check_study
    from semiology.data.views import progress

    with progress("Opening files", quiet=as_json or not media) as advance:
        report = check_study(directory, media=media, on_file=advance)
    if as_json:
        typer.echo(json.dumps(report.as_json(), indent=2, ensure_ascii=False))
    else:
        print_study(report)
    if not report.ok:
        raise typer.Exit(1)


@with_json
def prepare_command(
    directory: _Directory,
    out: Annotated[
        Path | None,
        typer.Option(help="File to write; by default manifest.jsonl in the folder.", dir_okay=False),
    ] = None,
    wide_scores: Annotated[
        Path | None,
        typer.Option(
            help="CSV of Fugl-Meyer scores with columns 3L, 3R, …: written as fm_scores.csv first.",
            exists=True,
            dir_okay=False,
        ),
    ] = None,
) -> None:
    """Write manifest.jsonl of a stroke-rehabilitation folder: one line per video, with what its files hold.

    Nothing is downloaded, moved or encoded. Exit status 1 if something has to be fixed.
    """
    from semiology.data.strokerehab.check import write_manifest
    from semiology.data.strokerehab.wide_scores import convert_wide_scores
    from semiology.data.views import print_problems, progress

    problems: list[Problem] = []
    if wide_scores is not None:
        written, problems = convert_wide_scores(wide_scores, directory)
        typer.echo(f"{counted(written, 'score')} written to {directory / 'fm_scores.csv'}")
    with progress("Opening files") as advance:
        path, videos, found = write_manifest(directory, out, on_file=advance)
    typer.echo(f"{counted(videos, 'video')} → {path}")
    tell_outcome(file=path, videos=videos, problems=len(problems) + len(found))
    if problems or found:
        print_problems([*problems, *found])
        raise typer.Exit(1)


@with_json
def simulate_command(
    directory: Annotated[Path, typer.Argument(help="Folder of the new study.", metavar="DIR")],
    controls: Annotated[int, typer.Option(help="Drawn controls.", min=0)] = 2,
    strokes: Annotated[int, typer.Option(help="Drawn stroke subjects.", min=0)] = 3,
    tune: Annotated[
        int,
        typer.Option(
            help="So many of them, the last, in the split 'tune', for searches for wordings.", min=0
        ),
    ] = 0,
    seed: Annotated[int, typer.Option(help="The same seed gives the same study.")] = 0,
    rounds: Annotated[int, typer.Option(help="Times that an object is fetched in one video.", min=1)] = 2,
    clips: Annotated[bool, typer.Option("--clips/--no-clips", help="Draw Fugl-Meyer clips too.")] = True,
    fps: Annotated[float, typer.Option(help="Frames per second.", min=5)] = 30.0,
) -> None:
    """Draw a stroke-rehabilitation study: nine activities with exact labels, Fugl-Meyer movements with scores.

    Nothing in it is clinical: it shows that the whole road works.
    """
    from semiology.data.strokerehab.simulate import Look, simulate_study

    if (directory / "subjects.csv").exists():
        raise typer.BadParameter(f"{directory} holds a study already → choose a new folder")
    simulate_study(
        directory,
        controls=controls,
        strokes=strokes,
        tune=tune,
        seed=seed,
        rounds=rounds,
        clips=clips,
        look=Look(fps=fps),
    )
    tell_outcome(folder=directory, subjects=controls + strokes, seed=seed)
    typer.echo(f"{counted(controls + strokes, 'drawn subject')} in {directory}")


def print_study(report: StudyReport) -> None:
    """Print problems and warnings, then what there is, and which tasks can run."""
    from rich.console import Console

    from semiology.data.views import print_list

    console = Console()
    print_list(console, counted(len(report.problems), "problem"), report.problems, "red")
    print_list(console, counted(len(report.warnings), "warning"), report.warnings, "yellow")
    rates = ", ".join(f"{count} at {rate} fps" for rate, count in report.frame_rates.items())
    there = (
        f"{counted(report.subjects, 'subject')}, {counted(report.videos, 'video')} "
        f"({report.hours:.2f} h{'; ' if rates else ''}{rates}), {report.labelled} with labels; "
        f"{counted(report.clips, 'Fugl-Meyer clip')}, {counted(report.scores, 'item score')}"
    )
    lines = [
        there,
        *(
            f"{name}: {counted(count, 'clip' if name == 'impairment' else 'video')}"
            if count
            else f"{name}: cannot run; it needs {report.missing[name]}"
            for name, count in report.tasks.items()
        ),
    ]
    for line in lines:
        console.print(line, markup=False, highlight=False)
