"""``semiology agreement``: how far annotators agree, and whether metrics rank reports as experts do."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from semiology.render.help import command_group, examples
from semiology.render.text import json_text
from semiology.reports.options import (
    BertscoreDownload,
    BertscoreEncoder,
    BertscoreLayer,
    JsonTable,
    Resamples,
    Seed,
    chosen_similarity,
)

if TYPE_CHECKING:
    from semiology.metrics.statistics.intervals import Estimate
    from semiology.reports.agreement.annotators import AnnotatorAgreement

agreement_app = command_group(
    "How far annotators agree, and whether metrics rank reports as experts do.",
    "semiology agreement annotators first.csv second.csv",
)
_Out = Annotated[Path | None, typer.Option(help="CSV file to write.", dir_okay=False)]


@agreement_app.command(
    "annotators",
    epilog=examples(
        "semiology agreement annotators first.csv second.csv third.csv",
        "semiology agreement annotators my_emu second_reader --out kappa.csv",
    ),
)
def annotators_command(
    tables: Annotated[
        list[Path],
        typer.Argument(
            help="One per annotator: a recording set, or a CSV file with video_id, feature, present, "
            "patient_id."
        ),
    ],
    out: _Out = None,
    as_json: JsonTable = False,
    resamples: Resamples = 2000,
    seed: Seed = 0,
) -> None:
    """Cohen's and Fleiss' kappa and Krippendorff's alpha by feature, and how alike the distributions are."""
    from semiology.reports.agreement.annotators import annotator_agreement

    found = annotator_agreement(tables, resamples=resamples, seed=seed)
    rows = found.rows()
    _write(rows, out)
    if as_json:
        content = {
            "annotators": found.annotators,
            "rows": rows,
            "rated_by_one_only": found.unrated,
            "notes": found.notes,
            "distributions": {
                pair: {name: None if value != value else value for name, value in values.items()}
                for pair, values in found.distributions.items()
            },
        }
        typer.echo(json_text(content))
        return
    print_agreement(found)


def print_agreement(found: AnnotatorAgreement) -> None:
    """Print the coefficients of each feature, what was left out, and how alike the distributions are."""
    names = {name: name.replace("_", " ") for each in found.features.values() for name in each}
    _print_table("feature", found.features, names, {name: str(n) for name, n in found.items.items()})
    typer.echo(
        f"{len(found.annotators)} annotators; {found.unrated} items rated by one of them only, left out"
    )
    for pair, values in found.distributions.items():
        told = ", ".join(f"{name.replace('_', ' ')} {value:.3f}" for name, value in values.items())
        typer.echo(f"share of yes by feature, {pair}: {told}")
    for note in found.notes:
        typer.echo(f"Note: {note}")


@agreement_app.command(
    "experts",
    epilog=examples(
        "semiology agreement experts ratings.csv runs",
        "semiology agreement experts ratings.csv --rating expert --json",
        "semiology agreement experts ratings.csv runs --figure figures",
    ),
)
def experts_command(
    ratings: Annotated[
        Path,
        typer.Argument(
            help="CSV file: video_id, the ratings, and where needed model, patient_id, rater and metrics."
        ),
    ],
    runs: Annotated[
        list[Path] | None, typer.Argument(help="Runs with answers to s3_report that were rated.")
    ] = None,
    rating: Annotated[str, typer.Option(help="Column of the ratings.")] = "expert",
    bertscore_encoder: BertscoreEncoder = None,
    bertscore_layer: BertscoreLayer = None,
    allow_download: BertscoreDownload = False,
    out: _Out = None,
    reports: Annotated[
        Path | None,
        typer.Option(
            help="CSV file of each report, its metrics beside its rating (S3 Table 11).", dir_okay=False
        ),
    ] = None,
    figure: Annotated[
        Path | None, typer.Option(help="Folder for a figure of the agreement, SVG and PNG.", file_okay=False)
    ] = None,
    as_json: JsonTable = False,
    resamples: Resamples = 2000,
    seed: Seed = 0,
) -> None:
    """Pearson, Spearman, Kendall and pairwise accuracy of each metric of reports against expert ratings."""
    from semiology.reports.agreement.annotators import flat_rows
    from semiology.reports.agreement.experts import MEASURES, agreement_of_reports, rated_reports

    similarity = chosen_similarity(bertscore_encoder, bertscore_layer, download=allow_download)
    table, metrics, notes = rated_reports(ratings, runs or (), rating=rating, similarity=similarity)
    found = agreement_of_reports(table, metrics, rating, resamples=resamples, seed=seed)
    if reports is not None:
        shown = [name for name in ("model", "video_id", *metrics, rating) if name in table.columns]
        _write([{str(k): v for k, v in row.items()} for row in table[shown].to_dict("records")], reports)
    rows = flat_rows(found, MEASURES, ("metric", "measure", "reports"))
    _write(rows, out)
    if figure is not None:
        from semiology.data.cache import write_texts
        from semiology.reports.s3_figures import alignment_figure

        write_texts(alignment_figure(found), figure)
    for note in notes:
        typer.echo(f"Note: {note}", err=True)
    if as_json:
        typer.echo(json_text(rows))
        return
    counts = {metric: str(estimates["pearson"].n) for metric, estimates in found.items()}
    _print_table("metric", found, {name: name.replace("_", " ") for name in MEASURES}, counts)
    typer.echo("Chance: 0 for correlations, 0.5 for pairwise accuracy (less where a metric has ties).")


@agreement_app.command(
    "distributions",
    epilog=examples(
        "semiology agreement distributions my_emu second_reader.csv --out alike",
        "semiology agreement distributions runs/qwen my_emu --data my_emu --out alike",
    ),
)
def distributions_command(
    first: Annotated[
        Path, typer.Argument(help="Recording set, CSV file of labels, or results of one model.")
    ],
    second: Annotated[Path, typer.Argument(help="The same; it may be about other recordings.")],
    data: Annotated[
        Path | None,
        typer.Option(
            help="Recording set that knows ES and NES, where the two do not.", exists=True, file_okay=False
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(help="Folder for distributions.csv, .md, .tex and the figure.", file_okay=False),
    ] = None,
    as_json: JsonTable = False,
    draws: Annotated[int, typer.Option(help="Permutations behind each p-value.", min=100)] = 2000,
    seed: Seed = 0,
) -> None:
    """How alike two sources call features present, in ES, NES and both (S3 Table 5 and Figure 7)."""
    from semiology.data.cache import write_texts
    from semiology.render.latex import table_latex
    from semiology.render.table import Table, csv_of, markdown, print_document, table_console
    from semiology.reports.agreement.distributions import (
        distribution_document,
        distribution_rows,
        distributions,
    )
    from semiology.reports.dataset.figures import distribution_figure

    found = distributions(first, second, data, draws=draws, seed=seed)
    document, rows = distribution_document(found), distribution_rows(found)
    if out is not None:
        texts: dict[str, str | bytes] = {
            "distributions.csv": csv_of(rows),
            "distributions.md": markdown(document),
            "distributions.tex": "".join(
                table_latex(part) for part in document.parts if isinstance(part, Table)
            ),
        }
        written = write_texts(texts | distribution_figure(found.names, found.features, found.found), out)
    if as_json:
        typer.echo(json_text({"rows": rows, "notes": [*document.remarks, *document.notes]}))
        return
    print_document(document, table_console(160))
    if out is not None:
        typer.echo(f"Written: {', '.join(str(path) for path in written)}")


def _print_table(
    head: str, found: dict[str, dict[str, Estimate]], names: dict[str, str], counts: dict[str, str]
) -> None:
    """Print one row per feature or metric with its intervals, and why some have none below."""
    from semiology.render.table import Column, Document, Row, Table, print_document, table_console
    from semiology.reports.tables.estimates import number_of

    rows = tuple(
        Row((key, counts[key], *(number_of(estimates.get(name)) for name in names)))
        for key, estimates in found.items()
    )
    table = Table("", tuple(map(Column, (head, "n", *names.values()))), rows)
    print_document(Document("", (table,), remarks=("[95 %] by patients.",)), table_console())


def _write(rows: Sequence[dict[str, Any]], out: Path | None) -> None:
    import pandas as pd

    if out is not None:
        out.parent.mkdir(parents=True, exist_ok=True)
        pd.DataFrame(rows).to_csv(out, index=False, lineterminator="\n", float_format="%.6g")
