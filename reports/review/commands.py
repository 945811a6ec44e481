"""``semiology review``: justifications rated by people."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from semiology.render.help import command_group, examples

review_app = command_group(
    "Have justifications rated by epileptologists: draw a sample, rate it locally, read the ratings.",
    "semiology review export runs --out review --features tonic",
)
_Folder = Annotated[Path, typer.Argument(help="Folder that `review export` wrote.", file_okay=False)]


@review_app.command(
    "export",
    epilog=examples(
        "semiology review export runs --out review",
        "semiology review export runs --features tonic --most 40 --form xlsx --out rate",
    ),
)
def export_command(
    runs: Annotated[list[Path], typer.Argument(help="Folders of results with justifications.")],
    out: Annotated[Path, typer.Option(help="Folder of the review.", file_okay=False)],
    features: Annotated[str | None, typer.Option(help="Features or groups, comma-separated.")] = None,
    most: Annotated[
        int | None, typer.Option(help="At most so many true positives per model and feature.", min=1)
    ] = None,
    form: Annotated[Literal["csv", "xlsx"], typer.Option(help="Of the rating sheet.")] = "csv",
    seed: Annotated[int, typer.Option(help="Seed of the sample and of its order.")] = 0,
) -> None:
    """Draw all true positives and as many true negatives per feature, and write the rating sheet."""
    from semiology.reports.compare.commands import feature_names
    from semiology.reports.review.sheet import draw_sample, read_justifications, write_review

    sample = draw_sample(read_justifications(runs), feature_names(features), seed=seed, most=most)
    written = write_review(sample, out, form=form)
    for caveat in sample.caveats:
        typer.echo(f"Note: {caveat}")
    for note in sample.notes:
        typer.echo(f"• {note}")
    positive = sum(case.kind == "true positive" for case in sample.cases)
    typer.echo(
        f"{len(sample.cases)} items: {positive} true positives, {len(sample.cases) - positive} negatives"
    )
    typer.echo(f"Written: {', '.join(str(path) for path in written)}")
    typer.echo(f"Hand out {written[-1].name}, or: semiology review serve {out} --rater INITIALS --data DIR")
    typer.echo("key.csv and cases.json tell models and patients: keep them from raters.")


@review_app.command(
    "import",
    epilog=examples(
        "semiology review import review --out rated",
        "semiology review import review anna.csv ben.xlsx --out rated",
    ),
)
def import_command(
    folder: _Folder,
    sheets: Annotated[list[Path] | None, typer.Argument(help="Filled-in sheets, one for each rater.")] = None,
    out: Annotated[Path | None, typer.Option(help="Folder for tables and figure.", file_okay=False)] = None,
) -> None:
    """Read ratings back: distribution, share of at least 60 %, medians, agreement, figure."""
    from semiology.render.table import print_document, table_console
    from semiology.reports.review.rating_summary import document, summarise_review, write_summary
    from semiology.reports.review.ratings import read_review

    review = read_review(folder, sheets or ())
    summary = summarise_review(review)
    console = table_console(140)
    print_document(document(summary), console)
    if out is not None:
        written = write_summary(review, summary, out)
        console.print(f"Written: {', '.join(str(path) for path in written)}", markup=False, highlight=False)


@review_app.command("serve", epilog=examples("semiology review serve review --rater AB --data my_emu"))
def serve_command(
    folder: _Folder,
    rater: Annotated[str, typer.Option(help="Initials of the rater.")],
    data: Annotated[
        Path | None,
        typer.Option(help="Recording set, to show its videos.", envvar="SEMIOLOGY_DATA", file_okay=False),
    ] = None,
    port: Annotated[int, typer.Option(help="Port on 127.0.0.1.", min=1024, max=65535)] = 8765,
) -> None:
    """Serve the rating page to this machine alone; ratings are kept as they are given, Ctrl-C ends it."""
    from semiology.reports.review.sheet import ReviewError, read_sample

    try:
        from semiology.reports.review.server import listen, serve, token_of
        from semiology.reports.review.server import review_app as make_app
    except ModuleNotFoundError as error:
        raise ReviewError(
            f"{error.name} is missing → pip install --constraint constraints.txt 'semiology-eval[review]'"
        ) from None
    from semiology.reports.review.store import STORE, RatingStore

    cases = read_sample(folder).cases
    videos: dict[str, Path] = {}
    if data is not None:
        from semiology.data.tables.reading import read_recording_set

        videos = {r.video_id: r.video for r in read_recording_set(data, require_media=False).recordings}
    store = RatingStore(folder / STORE)
    token = token_of(folder)
    app = make_app(cases, store, rater, token, videos)
    listening = listen(port)
    shown = sum(case.video_id in videos for case in cases)
    rated = sum(given.rating is not None for given in store.latest(rater))
    typer.echo(f"{len(cases)} items, {shown} with video; {rater} has rated {rated}.")
    if not shown:
        typer.echo("No video is shown: give the recording set by --data.")
    typer.echo(f"Open http://127.0.0.1:{port}/{token}/ on this machine (the address is a key: keep it).")
    serve(app, listening)
