"""``semiology reproduce`` and ``semiology baselines``: published numbers and answers, scored and kept."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from semiology.render.help import examples
from semiology.render.text import counted

if TYPE_CHECKING:
    import pandas as pd

    from semiology.reports.published.reproduction import Reproduction

reproduce_app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="rich",
    help="Compute published tables again from published answers, with this package's metrics.",
    epilog=examples("semiology reproduce s3 --data s3_published --out cells.csv"),
)
baselines_app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="rich",
    help="Published answers as a table that reports can put beside your model.",
    epilog=examples("semiology baselines import s3 s3_published --out s3_answers.csv"),
)
import_app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="rich",
    help="Write published answers as one table.",
    epilog=examples("semiology baselines import embc embc_published --out embc_answers.csv"),
)
baselines_app.add_typer(import_app, name="import")

_Data = Annotated[
    Path, typer.Option("--data", help="Folder of the normalised release.", exists=True, file_okay=False)
]
_Cells = Annotated[Path | None, typer.Option(help="CSV file for one row per published cell.", dir_okay=False)]
_Source = Annotated[
    Path,
    typer.Argument(help="Folder of the normalised release.", exists=True, file_okay=False, metavar="DIR"),
]
_Answers = Annotated[
    Path | None,
    typer.Option(
        help="CSV file to write; by default where `semiology report --baselines` finds it by name.",
        dir_okay=False,
    ),
]


@reproduce_app.command(
    "s3",
    epilog=examples(
        "semiology reproduce s3 --data s3_published --out cells.csv",
        "semiology reproduce s3 --data s3_published --texts",
    ),
)
def reproduce_s3_command(
    data: _Data,
    out: _Cells = None,
    texts: Annotated[
        bool,
        typer.Option("--texts", help="Also BLEU and ROUGE of the reports (slow, and only nearly equal)."),
    ] = False,
) -> None:
    """Compute every S3 table again: one row per published cell, equal to two decimals or not.

    Exit status 1 if a cell differs and the publication's own repository does not bear out our value. Any
    folder of this layout can be scored, whichever models it holds.
    """
    from semiology.reports.published.reproduction import reproduce_s3

    with _told("Reading the tables") as tell:
        reproduction = reproduce_s3(data, texts=texts, on_task=tell)
    _finish(reproduction, out)


@reproduce_app.command(
    "embc", epilog=examples("semiology reproduce embc --data embc_published --out cells.csv")
)
def reproduce_embc_command(data: _Data, out: _Cells = None) -> None:
    """Compute Table IV of the EMBC study again, and check Tables II and III against whole-number counts.

    Exit status 1 if a cell differs that the release does not name as wrong.
    """
    from semiology.reports.published.reproduction import reproduce_embc

    with _told("Reading the tables"):
        reproduction = reproduce_embc(data)
    _finish(reproduction, out)


@import_app.command("s3", epilog=examples("semiology baselines import s3 s3_published --out s3_answers.csv"))
def import_s3_command(source: _Source, out: _Answers = None) -> None:
    """Write the published S3 answers of the 20 features and of tasks 3 to 7."""
    from semiology.reports.published.answers import s3_answers

    _write(s3_answers(source), out, "s3")


@import_app.command(
    "embc", epilog=examples("semiology baselines import embc embc_published --out embc_answers.csv")
)
def import_embc_command(source: _Source, out: _Answers = None) -> None:
    """Write the published answers of the EMBC study: its audio model, two features, three conditions."""
    from semiology.reports.published.answers import embc_answers

    _write(embc_answers(source), out, "embc")


def _finish(reproduction: Reproduction, out: Path | None) -> None:
    """Print and write a reproduction; exit with status 1 where a cell differs without a reason."""
    from rich.console import Console

    from semiology.reports.published.reproduction import print_reproduction, write_cells

    console = Console()
    if not console.is_terminal:
        console = Console(width=160)
    print_reproduction(reproduction, console)
    if out is not None:
        write_cells(reproduction, out)
        console.print(f"Written: {out}", markup=False, highlight=False)
    if len(reproduction.unexplained):
        raise typer.Exit(1)


def _write(frame: pd.DataFrame, out: Path | None, name: str) -> None:
    from semiology.data.cache import written_whole
    from semiology.reports.published.baselines import baselines_file

    out = baselines_file(name) if out is None else out
    out.parent.mkdir(parents=True, exist_ok=True)
    with written_whole(out, private=False) as unfinished:
        frame.to_csv(unfinished, index=False, lineterminator="\n")
    by_task = frame.groupby("task").size()
    for task, count in by_task.items():
        typer.echo(f"{task}: {counted(count, 'answer')}")
    models, recordings = frame["model"].nunique(), frame["video_id"].nunique()
    typer.echo(f"{counted(models, 'model')}, {counted(recordings, 'recording')} → {out}")


@contextmanager
def _told(start: str) -> Iterator[Callable[[str], None]]:
    """Show on the terminal what is being done, and nothing where output is piped."""
    from rich.console import Console

    console = Console(stderr=True)
    with console.status(start) as status:
        yield lambda task: status.update(f"Computing {task}")
