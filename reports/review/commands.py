"""``semiology review``: justifications and reports rated by people, and questions answered by people."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from semiology.render.help import command_group, examples
from semiology.render.outcome import tell_outcome, with_json
from semiology.reports.options import Resamples

if TYPE_CHECKING:
    from semiology.reports.review.sheet import Sample

review_app = command_group(
    "Have justifications rated, or the models' questions answered, by epileptologists, on a page of this machine.",
    "semiology review export runs --out review --features tonic",
)
_Folder = Annotated[Path, typer.Argument(help="Folder that `review export` wrote.", file_okay=False)]


@review_app.command(
    "export",
    epilog=examples(
        "semiology review export runs --out review",
        "semiology review export runs --features tonic --most 40 --form xlsx --out rate",
        "semiology review export runs --protocol reports --most 20 --out rated",
        "semiology review export runs --protocol reader --data my_emu --out study",
    ),
)
@with_json
def export_command(
    runs: Annotated[list[Path], typer.Argument(help="Folders of results.")],
    out: Annotated[Path, typer.Option(help="Folder of the review.", file_okay=False)],
    features: Annotated[str | None, typer.Option(help="Features or groups, comma-separated.")] = None,
    most: Annotated[
        int | None,
        typer.Option(
            help="At most so many true positives per model and feature; of readers: recordings; of reports: patients.",
            min=1,
        ),
    ] = None,
    protocol: Annotated[
        Literal["justifications", "reports", "reader"],
        typer.Option(help="Rate reasons or reports, or let people answer what models were asked."),
    ] = "justifications",
    data: Annotated[
        Path | None,
        typer.Option(help="Recording set, to cut readers' clips.", envvar="SEMIOLOGY_DATA", file_okay=False),
    ] = None,
    prompt: Annotated[
        str | None, typer.Option(help="Wording for readers, where runs asked in several.")
    ] = None,
    form: Annotated[Literal["csv", "xlsx"], typer.Option(help="Of the rating sheet.")] = "csv",
    seed: Annotated[int, typer.Option(help="Seed of the sample and of its order.")] = 0,
) -> None:
    """Draw what people rate (true positives and as many negatives; reports), or the questions to readers."""
    from semiology.reports.compare.commands import feature_names
    from semiology.reports.review.sheet import draw_sample, read_justifications, write_review

    tell_outcome(folder=out, protocol=protocol)
    if protocol == "reader":
        _export_study(runs, out, feature_names(features), data, prompt, most, seed)
        return
    if protocol == "reports":
        from semiology.reports.review.reports import draw_reports

        _export_reports(draw_reports(runs, seed=seed, most=most), out, form)
        return
    sample = draw_sample(read_justifications(runs), feature_names(features), seed=seed, most=most)
    written = write_review(sample, out, form=form)
    for caveat in sample.caveats:
        typer.echo(f"Note: {caveat}")
    for note in sample.notes:
        typer.echo(f"• {note}")
    positive = sum(case.kind == "true positive" for case in sample.cases)
    tell_outcome(items=len(sample.cases))
    typer.echo(
        f"{len(sample.cases)} items: {positive} true positives, {len(sample.cases) - positive} negatives"
    )
    typer.echo(f"Written: {', '.join(str(path) for path in written)}")
    typer.echo(f"Hand out {written[-1].name}, or: semiology review serve {out} --rater INITIALS --data DIR")
    typer.echo("key.csv and cases.json tell models and patients: keep them from raters.")


def _export_reports(sample: Sample, out: Path, form: Literal["csv", "xlsx"]) -> None:
    from semiology.reports.review.sheet import write_review

    written = write_review(sample, out, form=form)
    for caveat in sample.caveats:
        typer.echo(f"Note: {caveat}")
    for note in sample.notes:
        typer.echo(f"• {note}")
    tell_outcome(items=len(sample.cases))
    models, patients = ({getattr(case, name) for case in sample.cases} for name in ("model", "patient_id"))
    typer.echo(
        f"{len(sample.cases)} reports: {len(models)} models, {len(patients)} patients, a recording of each"
    )
    typer.echo(f"Written: {', '.join(str(path) for path in written)}")
    typer.echo(f"Hand out {written[-1].name}, or: semiology review serve {out} --rater INITIALS --data DIR")
    typer.echo("key.csv and cases.json tell models and patients: keep them from raters.")


def _export_study(
    runs: list[Path],
    out: Path,
    features: Sequence[str],
    data: Path | None,
    prompt: str | None,
    most: int | None,
    seed: int,
) -> None:
    from semiology.reports.review.readers.study import draw_study, write_study
    from semiology.reports.review.sheet import ReviewError

    if data is None:
        raise ReviewError("readers are shown clips of the recordings → name the recording set by --data")
    drawn = draw_study(runs, features, prompt=prompt, most=most, seed=seed)
    study, faults = write_study(drawn, out, data)
    for note in (*drawn.notes, *faults):
        typer.echo(f"• {note}")
    tell_outcome(questions=len(study.items), faults=faults)
    videos, asked = ({getattr(item, name) for item in study.items} for name in ("video_id", "feature"))
    typer.echo(
        f"{len(study.items)} questions: {len(asked)} features, {len(videos)} recordings, all their segments"
    )
    typer.echo(
        f"Each reader, under a name of their own: semiology review serve {out} --rater INITIALS --port PORT"
    )
    typer.echo(
        "study.json tells recordings and annotations, and clips are of patients: keep them on this machine."
    )


@review_app.command(
    "import",
    epilog=examples(
        "semiology review import review --out rated",
        "semiology review import review anna.csv ben.xlsx --out rated",
        "semiology review import study --out readers",
    ),
)
@with_json
def import_command(
    folder: _Folder,
    sheets: Annotated[
        list[Path] | None,
        typer.Argument(help="Filled-in sheets, one for each rater; of a reader study: copies of its folder."),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(help="Folder for tables and figure, or for readers' results.", file_okay=False),
    ] = None,
    resamples: Resamples = 2000,
) -> None:
    """Read ratings back (distribution, medians, agreement, figure), or readers' answers as runs of their own."""
    from semiology.reports.review.readers.study import is_study

    if is_study(folder):
        _import_study([folder, *(sheets or ())], out, resamples)
        return
    from semiology.data.cache import write_texts
    from semiology.render.table import csv_of, print_document, table_console
    from semiology.reports.review.rating_summary import document, summarise_review, write_summary
    from semiology.reports.review.ratings import read_review
    from semiology.reports.review.reports import EXPERT_RATINGS, expert_ratings
    from semiology.reports.review.subjects import REPORT

    review = read_review(folder, sheets or ())
    summary = summarise_review(review)
    console = table_console(140)
    print_document(document(summary), console)
    tell_outcome(folder=out)
    if out is not None:
        written = write_summary(review, summary, out)
        if review.subject is REPORT:
            written += write_texts({EXPERT_RATINGS: csv_of(expert_ratings(review))}, out)
        console.print(f"Written: {', '.join(str(path) for path in written)}", markup=False, highlight=False)


def _import_study(folders: list[Path], out: Path | None, resamples: int) -> None:
    import pandas as pd

    from semiology.reports.agreement.commands import print_agreement
    from semiology.reports.review.readers.results import read_answers, reader_agreement, write_results

    study, readers = read_answers(folders)
    tell_outcome(folder=out, readers=len(readers))
    for reader in readers:
        typer.echo(f"{reader.sentence}.")
    found = reader_agreement(readers, resamples=resamples)
    if found is None:
        typer.echo("No recording was answered by two readers: how far they agree is not known.")
    else:
        print_agreement(found)
        typer.echo("Agreement is of answers on recordings; a 'cannot tell' that decides one counts as none.")
    if out is None:
        typer.echo("Name --out to write the readers' answers as runs beside those of models.")
        return
    written = write_results(study, readers, out)
    if found is not None:
        target = out / "reader_agreement.csv"
        pd.DataFrame(found.rows()).to_csv(target, index=False, lineterminator="\n", float_format="%.6g")
        written.append(target)
    typer.echo(f"Written: {', '.join(str(path) for path in written)}")
    typer.echo(f"Beside models: semiology report RUNS {out}")


@review_app.command(
    "serve",
    epilog=examples(
        "semiology review serve review --rater AB --data my_emu",
        "semiology review serve study --rater CD --port 8766",
    ),
)
def serve_command(
    folder: _Folder,
    rater: Annotated[str, typer.Option(help="Initials of the rater.")],
    data: Annotated[
        Path | None,
        typer.Option(help="Recording set, to show its videos.", envvar="SEMIOLOGY_DATA", file_okay=False),
    ] = None,
    port: Annotated[int, typer.Option(help="Port on 127.0.0.1.", min=1024, max=65535)] = 8765,
    resume: Annotated[
        bool, typer.Option("--resume", help="Of a reader study: go on as the reader of this name.")
    ] = False,
) -> None:
    """Serve the page to this machine alone; what is given is kept at once, Ctrl-C ends it."""
    from semiology.reports.local import serving_needed
    from semiology.reports.review.sheet import read_sample

    with serving_needed():
        from semiology.reports.local.app import listen, serve
        from semiology.reports.review.server import review_app as make_app
        from semiology.reports.review.server import token_of
    from semiology.reports.review.readers.study import is_study
    from semiology.reports.review.store import STORE, RatingStore

    if is_study(folder):
        _serve_study(folder, rater, port, resume=resume)
        return
    sample = read_sample(folder)
    cases = sample.cases
    videos: dict[str, Path] = {}
    if data is not None:
        from semiology.data.tables.reading import read_recording_set

        videos = {r.video_id: r.video for r in read_recording_set(data, require_media=False).recordings}
    store = RatingStore(folder / STORE)
    token = token_of(folder)
    app = make_app(cases, store, rater, token, videos, sample.subject)
    listening = listen(port)
    shown = sum(case.video_id in videos for case in cases)
    rated = sum(given.rating is not None for given in store.latest(rater))
    typer.echo(f"{len(cases)} items, {shown} with video; {rater} has rated {rated}.")
    if not shown:
        typer.echo("No video is shown: give the recording set by --data.")
    typer.echo(f"Open http://127.0.0.1:{port}/{token}/ on this machine (the address is a key: keep it).")
    serve(app, listening)


def _serve_study(folder: Path, reader: str, port: int, *, resume: bool) -> None:
    from semiology.reports.local.app import listen, serve
    from semiology.reports.review.readers.answers import AnswerStore, only_reader
    from semiology.reports.review.readers.page import reader_app
    from semiology.reports.review.readers.study import read_study
    from semiology.reports.review.server import check_name, token_of
    from semiology.reports.review.sheet import ReviewError

    study, store = read_study(folder), AnswerStore(folder)
    with only_reader(folder, check_name(reader)):
        known = {item.item for item in study.items}
        answered = sum(answer.item in known for answer in store.latest(reader))
        if answered and not resume:
            raise ReviewError(
                f"reader {reader!r} has answered {answered} of {len(known)} questions → add --resume to go on as the "
                "same person; two readers need two names"
            )
        token = token_of(folder, f"token-{reader}")
        app = reader_app(study, folder, store, reader, token)
        listening = listen(port)
        typer.echo(f"{len(known)} questions; {reader} has answered {answered}.")
        typer.echo(f"Open http://127.0.0.1:{port}/{token}/ on this machine (the address is a key: keep it).")
        serve(app, listening)
