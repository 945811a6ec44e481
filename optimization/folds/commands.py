"""``semiology data folds``."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from semiology.render.help import examples

if TYPE_CHECKING:
    from semiology.optimization.folds.draw import FoldBalance

FOLDS_EPILOG = examples(
    "semiology data folds my_emu",
    "semiology data folds my_emu --folds 3 --seed 7 --split train",
    "semiology data folds my_s3 --table ground_truth/videos.csv.gz",
)

_Table = Annotated[
    Path | None,
    typer.Option(
        help="Take the folds from this table (video_id or patient_id, fold) instead of drawing them.",
        exists=True,
        dir_okay=False,
    ),
]


def folds_command(
    directory: Annotated[Path, typer.Argument(help="Folder of the recording set.", metavar="DIR")],
    folds: Annotated[int, typer.Option(help="Number of folds to draw.", min=2)] = 5,
    seed: Annotated[int, typer.Option(help="The same set, number and seed give the same folds.")] = 0,
    split: Annotated[
        str | None,
        typer.Option(
            help="Draw folds within train, dev, develop (both), …; others get none.", show_default=False
        ),
    ] = None,
    table: _Table = None,
    replace: Annotated[bool, typer.Option("--replace", help="Replace folds that are there already.")] = False,
    distinct_patients: Annotated[
        bool,
        typer.Option(
            "--distinct-patients", help="Patients with look-alike ids, or in one film, are different people."
        ),
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show the folds, write nothing.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Put the patients of a recording set into folds, and write them to recordings.csv.

    All recordings of a patient share a fold; features and ES/NES are spread as evenly as the patients allow.
    What is missing in a fold is named. Patients of the splits test and confirm get no fold unless --split names
    them: folds never overrule a split. Patients who may be one person are refused (--distinct-patients).
    """
    from semiology.data.problems import RecordingSetError
    from semiology.data.protection.splits import DEVELOP, parse_purpose
    from semiology.data.same_patient import refuse_doubtful_patients
    from semiology.data.tables.reading import read_recording_set
    from semiology.optimization.folds.draw import draw_folds, fold_balance, folds_fingerprint, protected_notes
    from semiology.optimization.folds.tables import read_folds, write_folds

    try:
        recording_set = read_recording_set(directory, require_media=False)
        refuse_doubtful_patients(directory, distinct=distinct_patients)
        notes: list[str] = []
        if table is None:
            purpose = DEVELOP if split is None else parse_purpose(split)
            fold_of_patient = draw_folds(recording_set, folds, seed=seed, purpose=purpose)
        else:
            fold_of_patient, notes = read_folds(table, recording_set)
        notes += protected_notes(recording_set, fold_of_patient)
        balance = fold_balance(recording_set, fold_of_patient)
        if not dry_run:
            write_folds(directory, fold_of_patient, replace=replace)
    except RecordingSetError as error:
        from semiology.data.views import print_problems

        print_problems(error.problems)
        raise typer.Exit(1) from None
    fingerprint = folds_fingerprint(fold_of_patient)
    if as_json:
        found = {"fingerprint": fingerprint, "notes": notes, "written": not dry_run, **asdict(balance)}
        typer.echo(json.dumps(found, indent=2, ensure_ascii=False))
    else:
        _print_folds(balance, notes)
        done = "nothing was written" if dry_run else f"written to {directory / 'recordings.csv'}"
        typer.echo(f"fingerprint {fingerprint[:12]}; {done}")


def _print_folds(balance: FoldBalance, notes: list[str]) -> None:
    from rich.console import Console
    from rich.table import Table

    console = Console()
    shown = Table("fold", "patients", "recordings", "ES", "NES", "features seen", "positives")
    for each in balance.folds:
        positives = each.positives.values()
        seen = sum(count > 0 for count in positives)
        cells = (each.patients, each.recordings, each.diagnoses["ES"], each.diagnoses["NES"], seen)
        shown.add_row(each.fold, *map(str, cells), str(sum(positives)))
    console.print(shown)
    for line in (*notes, *balance.warnings):
        console.print(f"- {line}", markup=False, highlight=False)
