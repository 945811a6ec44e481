"""``semiology reproduce`` and ``semiology baselines``: published numbers and answers, scored and kept."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from semiology.render.help import command_group, examples
from semiology.render.outcome import tell_outcome, with_json
from semiology.render.text import counted

if TYPE_CHECKING:
    from semiology.reports.published.reproduction import Reproduction

reproduce_app = command_group(
    "Compute published tables again from published answers, with this package's metrics.",
    "semiology reproduce s3 --data s3_published --out cells.csv",
)
baselines_app = command_group(
    "Published answers as a table that reports can put beside your model.",
    "semiology baselines import s3 s3_published --out s3_answers.csv",
)
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
        "semiology reproduce s3 --data s3_published --figures figures",
    ),
)
@with_json
def reproduce_s3_command(
    data: _Data,
    out: _Cells = None,
    texts: Annotated[
        bool,
        typer.Option("--texts", help="Also BLEU and ROUGE of the reports (slow, and only nearly equal)."),
    ] = False,
    figures: Annotated[
        Path | None,
        typer.Option(
            help="Folder for the scores of task 2 by feature (Figure 4), SVG and PNG.", file_okay=False
        ),
    ] = None,
) -> None:
    """Compute every S3 table again: one row per published cell, equal to two decimals or not.

    Exit status 1 if a cell differs and the publication's own repository does not bear out our value. Any
    folder of this layout can be scored, whichever models it holds.
    """
    from rich.console import Console

    from semiology.reports.published.reproduction import reproduce_s3

    with Console(stderr=True).status("Reading the tables") as status:
        reproduction = reproduce_s3(
            data, texts=texts, on_task=lambda task: status.update(f"Computing {task}")
        )
    if figures is not None:
        _draw_task_2(reproduction, figures)
    _finish(reproduction, out)


def _draw_task_2(reproduction: Reproduction, folder: Path) -> None:
    """Write Figure 4: the interpretation scores of the test recordings, computed again."""
    from semiology.data.cache import write_texts
    from semiology.reports.s3_figures import feature_score_figure

    cells = reproduction.cells
    own = cells[(cells["task"] == "task2") & (cells["scope"] == "test") & (cells["metric"] == "score")]
    own = own[own["recomputed"].notna()].drop_duplicates(["model", "item"])
    scores: dict[str, dict[str, float]] = {}
    for model, item, value in own[["model", "item", "recomputed"]].itertuples(index=False, name=None):
        scores.setdefault(str(model), {})[str(item)] = float(value)
    title = "Interpretation score of each feature (task 2), published scores of the test recordings"
    write_texts(feature_score_figure("s3_task_2", title, scores), folder)


@reproduce_app.command(
    "embc", epilog=examples("semiology reproduce embc --data embc_published --out cells.csv")
)
@with_json
def reproduce_embc_command(data: _Data, out: _Cells = None) -> None:
    """Compute Table IV of the EMBC study again, and check Tables II and III against whole-number counts.

    Exit status 1 if a cell differs that the release does not name as wrong.
    """
    from semiology.reports.published.reproduction import reproduce_embc

    _finish(reproduce_embc(data), out)


@reproduce_app.command(
    "strokerehab",
    epilog=examples(
        "semiology reproduce strokerehab --data strokerehab_published --out cells.csv",
        "semiology reproduce strokerehab --data other_runs --data strokerehab_published",
    ),
)
@with_json
def reproduce_strokerehab_command(
    data: Annotated[
        list[Path],
        typer.Option(
            "--data",
            help="Folder of normalised answers; given several times, they are read as one: runs here, labels there.",
            exists=True,
            file_okay=False,
        ),
    ],
    out: _Cells = None,
) -> None:
    """Compute every figure of the stroke-rehabilitation study again: printed ones, and those its logs store.

    Exit status 1 if a figure differs that the release does not name as a slip. Any folder of this layout can be scored,
    whichever runs it holds; what is absent is told.
    """
    from rich.console import Console

    from semiology.reports.published.strokerehab import reproduce_strokerehab

    with Console(stderr=True).status("Reading the tables") as status:
        reproduction = reproduce_strokerehab(data, on_task=lambda part: status.update(f"Computing {part}"))
    _finish(reproduction, out)


@baselines_app.command(
    "import",
    epilog=examples(
        "semiology baselines import s3 s3_published --out s3_answers.csv",
        "semiology baselines import embc embc_published --out embc_answers.csv",
    ),
)
@with_json
def import_command(
    study: Annotated[
        Literal["s3", "embc"],
        typer.Argument(
            help="s3: the 20 features and tasks 3 to 7; embc: the audio model, two features, three conditions."
        ),
    ],
    source: _Source,
    out: _Answers = None,
) -> None:
    """Write the published answers of a study as one table."""
    from semiology.data.cache import written_whole
    from semiology.reports.published.answers import embc_answers, s3_answers
    from semiology.reports.published.baselines import baselines_file

    frame = {"s3": s3_answers, "embc": embc_answers}[study](source)
    out = baselines_file(study) if out is None else out
    out.parent.mkdir(parents=True, exist_ok=True)
    with written_whole(out, private=False) as unfinished:
        frame.to_csv(unfinished, index=False, lineterminator="\n")
    for task, count in frame.groupby("task").size().items():
        typer.echo(f"{task}: {counted(count, 'answer')}")
    tell_outcome(file=out, answers=len(frame))
    models, recordings = frame["model"].nunique(), frame["video_id"].nunique()
    typer.echo(f"{counted(models, 'model')}, {counted(recordings, 'recording')} → {out}")


def _finish(reproduction: Reproduction, out: Path | None) -> None:
    """Print and write a reproduction; exit with status 1 where a cell differs without a reason."""
    from semiology.render.table import table_console
    from semiology.reports.published.reproduction import print_reproduction, write_cells

    console = table_console(160)
    print_reproduction(reproduction, console)
    if out is not None:
        write_cells(reproduction, out)
        console.print(f"Written: {out}", markup=False, highlight=False)
    tell_outcome(cells=len(reproduction.cells), differ=len(reproduction.unexplained), file=out)
    if len(reproduction.unexplained):
        raise typer.Exit(1)


@baselines_app.command(
    "strokerehab", epilog=examples("semiology baselines strokerehab my_rehab --out blind.md")
)
@with_json
def blind_command(
    source: Annotated[
        Path, typer.Argument(help="Folder of the study.", exists=True, file_okay=False, metavar="DIR")
    ],
    out: Annotated[Path | None, typer.Option(help="Markdown file to write.", dir_okay=False)] = None,
) -> None:
    """Score answers without vision on a stroke-rehabilitation study: label files and item scores are enough."""
    from semiology.data.cache import write_whole
    from semiology.render.table import markdown, print_document, table_console
    from semiology.reports.strokerehab.blind import blind_document

    document = blind_document(source)
    print_document(document, table_console())
    tell_outcome(file=out)
    if out is not None:
        write_whole(out, markdown(document))
        typer.echo(f"Written: {out}")
