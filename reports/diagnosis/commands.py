"""``semiology diagnose``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from semiology.data.protection.splits import SPLIT_HELP
from semiology.render.help import examples
from semiology.render.text import counted, json_text
from semiology.reports.options import Resamples

DIAGNOSE_EPILOG = examples(
    "semiology diagnose runs --data my_emu --out two_stages",
    "semiology diagnose runs --data my_emu --classifiers svm --settings published",
    "semiology diagnose --baselines s3 --out two_stages_published",
)


_Runs = Annotated[
    list[Path] | None,
    typer.Argument(help="Folders or files of runs that asked all visual features; needs --data."),
]
_Data = Annotated[
    Path | None,
    typer.Option(help="Recording set with diagnoses, folds and splits.", exists=True, file_okay=False),
]


def diagnose_command(
    runs: _Runs = None,
    data: _Data = None,
    split: Annotated[str | None, typer.Option(help=f"Whose diagnoses are scored. {SPLIT_HELP}")] = None,
    baselines: Annotated[
        list[str] | None,
        typer.Option(help="Published answers: s3 (after `semiology baselines import`), or a file."),
    ] = None,
    classifiers: Annotated[
        str, typer.Option(help="Any of rf, svm, knn, lr (those of S3 Table 32) and gb, comma-separated.")
    ] = "rf,svm,knn,lr,gb",
    settings: Annotated[
        Literal["nested", "published"],
        typer.Option(
            help="nested: chosen on inner patient folds; published: scikit-learn's defaults, as none were published."
        ),
    ] = "nested",
    folds: Annotated[int, typer.Option(help="Folds to draw where the set names none.", min=2)] = 5,
    out: Annotated[Path | None, typer.Option(help="Folder for tables, curves and figures.")] = None,
    resamples: Resamples = 2000,
    seed: Annotated[int, typer.Option(help="Seed of folds, classifiers, shuffles and resamples.")] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of text for people.")] = False,
) -> None:
    """Tell ES from NES by a model's answers to the features, beside always ES and the experts' own annotations.

    Classifiers learn on patient folds; patients of the splits test and confirm are never learned from, whatever --split
    opens. No model is run. It takes minutes; nothing is written before the end, so that an interrupted command
    leaves no half of a result.
    """
    from rich.console import Console

    from semiology.data.cache import write_texts
    from semiology.render.table import print_document, table_console
    from semiology.reports.diagnosis.inputs import of_publication, of_runs
    from semiology.reports.diagnosis.scoring import score_diagnoses
    from semiology.reports.diagnosis.tables import diagnosis_content, diagnosis_document, diagnosis_files
    from semiology.reports.published.baselines import read_named_baselines

    names = _classifiers(classifiers)
    published = read_named_baselines([p for b in baselines for p in b.split(",") if p]) if baselines else None
    told: list[str] = []
    with Console(stderr=True).status("Reading answers") as status:
        if runs:
            if data is None:
                raise typer.BadParameter(
                    "runs need the recording set, which knows the diagnoses: add --data DIR"
                )
            inputs, scored = of_runs(list(runs), published, data, split, folds=folds)
            shown = inputs.experts.vectors.reindex(sorted(inputs.shown)).rename_axis("video_id").reset_index()
            chosen = {
                "models": [each.label for each in inputs.models],
                "classifiers": names,
                "settings": settings,
            }
            told = scored.enter("diagnose", shown, chosen)  # before a number is computed
        elif published is not None:
            inputs = of_publication(published, folds=folds)
        else:
            raise typer.BadParameter(
                "nothing to diagnose: name the folder of a run and --data, or --baselines s3"
            )
        found = score_diagnoses(
            inputs, names, settings=settings, resamples=resamples, seed=seed,
            on_fit=lambda text: status.update(f"Learning {text}"),
        )  # fmt: skip
    document = diagnosis_document(found, settings=settings, importances=False)
    if out is not None:
        written = write_texts(diagnosis_files(found, settings=settings), out)
        told.append(f"Written: {out} ({counted(len(written), 'file')})")
    if as_json:
        typer.echo(json_text(diagnosis_content(found)))
        return
    console = table_console()
    print_document(document, console)
    if out is None:
        told.append("What the classifiers look at, calibration and net benefit are in the files of --out.")
    for line in told:
        console.print(line, markup=False, highlight=False)


def _classifiers(text: str) -> list[str]:
    """Return the names in a comma-separated list.

    Raises:
        ValueError: a name is unknown.
    """
    from semiology.metrics.diagnosis.classifiers import CLASSIFIERS
    from semiology.render.validation import did_you_mean

    names = [part.strip() for part in text.split(",") if part.strip()]
    for name in names:
        if name not in CLASSIFIERS:
            raise ValueError(
                f"--classifiers {name}: there is no such classifier{did_you_mean(name, list(CLASSIFIERS))} → use "
                f"{', '.join(CLASSIFIERS)}"
            )
    return names
