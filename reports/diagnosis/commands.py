"""``semiology diagnose``."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from semiology.data.protection.splits import SPLIT_HELP
from semiology.render.help import examples
from semiology.render.text import counted, json_text
from semiology.reports.options import Resamples

if TYPE_CHECKING:
    from semiology.reports.diagnosis.inputs import DiagnosisInputs

DIAGNOSE_EPILOG = examples(
    "semiology diagnose runs --data my_emu --out two_stages",
    "semiology diagnose runs --data my_emu --classifiers svm --settings published",
    "semiology diagnose --baselines s3 --out two_stages_published",
    "semiology diagnose runs --data my_emu --target onset_side --out side",
)


_Runs = Annotated[
    list[Path] | None,
    typer.Argument(help="Folders or files of runs that asked all visual features; needs --data."),
]
_Data = Annotated[
    Path | None,
    typer.Option(help="Recording set with the target, folds and splits.", exists=True, file_okay=False),
]

_Target = Annotated[
    str,
    typer.Option(
        help="What is concluded: onset_lobe, onset_side, seizure_type or any column of recordings.csv with few classes."
    ),
]
_Classifiers = Annotated[
    str,
    typer.Option(
        help="Any of rf, svm, knn, lr (those of S3 Table 32), gb, and rules: from the literature, comma-separated."
    ),
]
_Rules = Annotated[
    Path | None,
    typer.Option(help="Rules of your own instead of those of the literature.", exists=True, dir_okay=False),
]


def diagnose_command(
    runs: _Runs = None,
    data: _Data = None,
    split: Annotated[str | None, typer.Option(help=f"Whose diagnoses are scored. {SPLIT_HELP}")] = None,
    baselines: Annotated[
        list[str] | None,
        typer.Option(help="Published answers: s3 (after `semiology baselines import`), or a file."),
    ] = None,
    target: _Target = "diagnosis",
    classifiers: _Classifiers = "rf,svm,knn,lr,gb,rules",
    rules: _Rules = None,
    settings: Annotated[
        Literal["nested", "published"],
        typer.Option(
            help="nested: chosen on inner patient folds; published: scikit-learn's defaults, as none were published."
        ),
    ] = "nested",
    folds: Annotated[int, typer.Option(help="Folds to draw where the set names none.", min=2)] = 5,
    out: Annotated[Path | None, typer.Option(help="Folder for tables, curves and figures.")] = None,
    distinct_patients: Annotated[
        bool,
        typer.Option(
            "--distinct-patients", help="Patients with look-alike ids, or in one film, are different people."
        ),
    ] = False,
    resamples: Resamples = 2000,
    seed: Annotated[int, typer.Option(help="Seed of folds, classifiers, shuffles and resamples.")] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of text for people.")] = False,
) -> None:
    """Conclude from a model's answers to the features: ES or NES, or onset lobe, side or seizure type.

    Beside every row stand the most frequent class (of ES or NES: always ES) and the ceiling, which is the same on the
    experts' own annotations. Classifiers learn on patient folds; patients of the splits test and confirm are never
    learned from, whatever --split opens. No model is run, and nothing concluded is validated for patients. It takes
    minutes; nothing is written before the end, so that an interrupted command leaves no half of a result.
    """
    from rich.console import Console

    from semiology.data.cache import write_texts
    from semiology.data.same_patient import refuse_doubtful_patients
    from semiology.render.table import print_document, table_console
    from semiology.reports.diagnosis.files import diagnosis_content, diagnosis_files
    from semiology.reports.diagnosis.literature import LITERATURE, read_rules
    from semiology.reports.diagnosis.scoring import score_diagnoses
    from semiology.reports.diagnosis.tables import diagnosis_document

    column = target.strip().lower()
    cited = read_rules(rules or LITERATURE).get(column, ())
    names, told = _classifiers(classifiers, column, ruled=bool(cited))
    chosen = {"target": column, "classifiers": names, "settings": settings}
    with Console(stderr=True).status("Reading answers") as status:
        if runs and data is not None:
            refuse_doubtful_patients(data, distinct=distinct_patients)
        inputs, looks = _inputs(runs, baselines, data, split, folds, chosen)
        told += looks
        found = score_diagnoses(
            inputs, names, rules=[each.rule for each in cited], settings=settings, resamples=resamples, seed=seed,
            on_fit=lambda text: status.update(f"Learning {text}"),
        )  # fmt: skip
    document = diagnosis_document(found, settings=settings, importances=False)
    if out is not None:
        written = write_texts(diagnosis_files(found, settings=settings, rules=cited), out)
        told.append(f"Written: {out} ({counted(len(written), 'file')})")
    if as_json:
        content = diagnosis_content(found)
        typer.echo(json_text({**content, "notes": [*content["notes"], *told]}))
        return
    console = table_console()
    print_document(document, console)
    if out is None:
        told.append(
            "Every recording's conclusion, confusions, calibration, rules and what classifiers look at: --out DIR."
        )
    for line in told:
        console.print(line, markup=False, highlight=False)


def _inputs(
    runs: list[Path] | None,
    baselines: list[str] | None,
    data: Path | None,
    split: str | None,
    folds: int,
    chosen: Mapping[str, Any],
) -> tuple[DiagnosisInputs, list[str]]:
    """Return what is concluded from, and what the ledger says of the look, entered before a number is computed.

    Raises:
        BadParameter: there is nothing to conclude from, or nothing that knows the target.
    """
    from semiology.reports.diagnosis.inputs import of_publication, of_runs
    from semiology.reports.published.baselines import read_named_baselines

    column = chosen["target"]
    published = read_named_baselines([p for b in baselines for p in b.split(",") if p]) if baselines else None
    if runs:
        if data is None:
            raise typer.BadParameter("runs need the recording set, which knows the diagnoses: add --data DIR")
        inputs, scored = of_runs(list(runs), published, data, split, folds=folds, column=column)
        shown = inputs.experts.vectors.reindex(sorted(inputs.shown)).rename_axis("video_id").reset_index()
        models = {"models": [each.label for each in inputs.models]}
        return inputs, scored.enter("diagnose", shown, {**models, **chosen})
    if published is None:
        raise typer.BadParameter(
            "nothing to diagnose: name the folder of a run and --data, or --baselines s3"
        )
    if column != "diagnosis":
        raise typer.BadParameter(
            f"published answers come with no {column}: their recordings are known to be ES or NES, no more → "
            "write the column into recordings.csv of a set of your own, and give runs about it with --data"
        )
    return of_publication(published, folds=folds), []


def _classifiers(text: str, column: str, *, ruled: bool) -> tuple[list[str], list[str]]:
    """Return the names in a comma-separated list, and in a sentence that rules were left out.

    Args:
        column: the target. ruled: whether any rule is about it.

    Raises:
        ValueError: a name is unknown, or nothing is left.
    """
    from semiology.render.validation import did_you_mean
    from semiology.reports.diagnosis.scoring import LABELS, RULES

    names = [part.strip() for part in text.split(",") if part.strip()]
    for name in names:
        if name not in LABELS:
            raise ValueError(
                f"--classifiers {name}: there is no such classifier{did_you_mean(name, list(LABELS))} → use "
                f"{', '.join(LABELS)}"
            )
    if RULES not in names or ruled:
        return names, []
    kept = [name for name in names if name != RULES]
    told = f"no rule of the literature is about {column}: rules left out (your own: --rules FILE)"
    if not kept:
        raise ValueError(f"--classifiers {RULES}: {told} → name a classifier too")
    return kept, [told]
