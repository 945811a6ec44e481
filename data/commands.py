"""``semiology data``: check, import, de-identify and simulate recording sets."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from semiology.data.problems import Problem, RecordingSetError
from semiology.data.sheets.commands import TABLE_EPILOG, import_table_command
from semiology.data.strokerehab.commands import (
    PREPARE_EPILOG,
    SIMULATE_EPILOG,
    check_study_command,
    prepare_command,
)
from semiology.data.strokerehab.commands import simulate_command as simulate_study_command
from semiology.render.help import examples
from semiology.render.outcome import tell_outcome, with_json

if TYPE_CHECKING:
    from semiology.data.importers.outcome import ImportOutcome

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="rich",
    help="Recording sets: check, import, de-identify, simulate.",
    epilog=examples("semiology data check my_emu"),
)
import_app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="rich",
    help="Import a sheet of your own, or published annotation tables, as a recording set.",
    epilog=examples("semiology data import table signs.xlsx my_emu --videos films"),
)
app.add_typer(import_app, name="import")
import_app.command("table", epilog=TABLE_EPILOG)(import_table_command)
app.command("prepare", epilog=PREPARE_EPILOG)(prepare_command)
app.command("simulate-strokerehab", epilog=SIMULATE_EPILOG)(simulate_study_command)

_Source = Annotated[
    Path, typer.Argument(help="Table, or folder with the tables, to import.", exists=True, metavar="SRC")
]
_Destination = Annotated[
    Path, typer.Argument(help="Folder of the new recording set.", file_okay=False, metavar="DEST")
]
_Videos = Annotated[
    Path | None,
    typer.Option(help="Folder with the videos; they are hard-linked under their new names.", file_okay=False),
]
_Seed = Annotated[int, typer.Option(help="Draws the new ids; the same seed gives the same ids.")]
_Key = Annotated[
    Path | None, typer.Option(help="Write the table of new ids and original file names here.", dir_okay=False)
]
_Force = Annotated[bool, typer.Option("--force", help="Replace the tables of a set that is already there.")]


@app.command(
    "check",
    epilog=examples(
        "semiology data check my_emu",
        "semiology data check my_emu --no-media --json",
        "semiology data check my_emu --fix",
    ),
)
def check_command(
    directory: Annotated[Path, typer.Argument(help="Folder of the recording set.", metavar="DIR")],
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
    media: Annotated[bool, typer.Option("--media/--no-media", help="Open every video.")] = True,
    window: Annotated[
        float, typer.Option(help="Warn of videos shorter than this, in seconds.", min=0)
    ] = 30.0,
    fix: Annotated[
        bool,
        typer.Option("--fix", help="First write what messages tell to write; copies of the tables are kept."),
    ] = False,
) -> None:
    """List everything that is wrong with a recording set, then what there is to score.

    Every problem names file, row and fix. Exit code 1 if there is a problem or a video cannot be read. A folder with
    subjects.csv is checked as a stroke-rehabilitation study: which tasks can run, and what is missing.
    """
    from semiology.data.check import check_recording_set
    from semiology.data.deidentify.audit import unclean_reason
    from semiology.data.strokerehab.study import is_study
    from semiology.data.views import print_fixes, print_report, progress

    if is_study(directory):
        if fix:
            raise typer.BadParameter("a stroke-rehabilitation study is not fixed", param_hint="--fix")
        check_study_command(directory, as_json=as_json, media=media)
        return

    from semiology.data.fixing import fix_folder

    fixes, copies = fix_folder(directory) if fix and directory.is_dir() else ([], [])
    if fix and not as_json:
        print_fixes(fixes, copies)
    with progress("Opening videos", quiet=as_json or not media) as advance:
        report = check_recording_set(directory, media, window_s=window, on_probe=advance)
    if as_json:
        fixed = (
            {"fixed": [asdict(each) for each in fixes], "copies": [str(copy) for copy in copies]}
            if fix
            else {}
        )
        typer.echo(json.dumps(report.as_json() | fixed, indent=2, ensure_ascii=False))
    else:
        print_report(report)
        if reason := unclean_reason(directory):
            typer.echo(f"This de-identified set is not clean: {reason} (semiology data confirm-texts).")
    if not report.ok:
        raise typer.Exit(1)


@app.command("digests", epilog=examples("semiology data digests my_emu"))
@with_json
def digests_command(
    directory: Annotated[Path, typer.Argument(help="Folder of the recording set.", metavar="DIR")],
    again: Annotated[bool, typer.Option("--again", help="Replace digests that differ.")] = False,
) -> None:
    """Record a digest of every film, so that 'semiology data check' sees any later change of a file.

    Most formats of films have no checksums: what a disk or a transfer damages in them may show another picture.

    Written is the column sha256 of recordings.csv. Exit code 1 if a film is not the one that was recorded.
    """
    from semiology.data.digests import record_digests
    from semiology.data.owned_folder import expect_room
    from semiology.data.views import progress

    if directory.is_dir():
        expect_room(directory)
    with _faults_shown(), progress("Reading films") as advance:
        done = record_digests(directory, again=again, on_film=advance)
    tell_outcome(folder=directory, **asdict(done))
    fresh = done.recorded - done.before
    typer.echo(f"{directory}: digests of {done.recorded} films are recorded, {fresh} of them now")
    if done.differing:
        end = "; the new digests were written" if again else ""
        typer.echo(f"not the film that was recorded: {', '.join(done.differing)}{end}")
    if done.differing and not again:
        raise typer.Exit(1)


@import_app.command(
    "s3",
    epilog=examples(
        "semiology data import s3 ground_truth my_s3 --folds all_folds.csv",
        "semiology data import s3 ground_truth s3 --videos /vault --key /vault/key.csv",
    ),
)
@with_json
def import_s3_command(
    source: _Source,
    destination: _Destination,
    videos: _Videos = None,
    folds: Annotated[Path | None, typer.Option(help="Table of folds, if it lies elsewhere.")] = None,
    seed: _Seed = 0,
    key: _Key = None,
    force: _Force = False,
) -> None:
    """Import the annotations of the Seizure-Semiology-Suite (S3).

    SRC is the folder of the repository's wide table: file_name, one column per feature, start_time_for_…

    Its tables of laterality, reports and diagnoses lie beside it. Normalised tables (videos, …) do as well.

    File names give way to opaque ids. Whatever cannot be used is counted and listed.
    """
    from semiology.data.importers.published import read_s3

    _import(lambda: read_s3(source, destination, seed=seed, folds=folds), destination, videos, key, force)


@import_app.command(
    "embc",
    epilog=examples(
        "semiology data import embc annotations.csv my_embc",
        "semiology data import embc annotations.csv my_embc --videos /secure/videos",
    ),
)
@with_json
def import_embc_command(
    source: _Source,
    destination: _Destination,
    videos: _Videos = None,
    seed: _Seed = 0,
    key: _Key = None,
    force: _Force = False,
) -> None:
    """Import the annotations of the EMBC pilot study (PathMotionMLLM).

    SRC is the wide annotation table (file_name, one column per feature) or its folder.

    Normalised labels (event_id, patient_id, epileptic, …) do as well. An empty cell means 'not annotated'.

    File names give way to opaque ids. Whatever cannot be used is counted and listed.
    """
    from semiology.data.importers.published import read_embc

    _import(lambda: read_embc(source, destination, seed=seed), destination, videos, key, force)


@app.command(
    "deidentify",
    epilog=examples(
        "semiology data deidentify emu opaque",
        "semiology data deidentify emu opaque --names names.txt --key /secure/key.csv",
    ),
)
@with_json
def deidentify_command(
    source: Annotated[Path, typer.Argument(help="Folder of the recording set.", metavar="SRC")],
    destination: Annotated[Path, typer.Argument(help="New folder.", metavar="DEST")],
    key: Annotated[
        Path | None,
        typer.Option(help="Write the table of old and new ids here (mode 0600; never inside DEST)."),
    ] = None,
    seed: Annotated[
        int | None, typer.Option(help="Draw the ids from this seed; by default from the system's randomness.")
    ] = None,
    names: Annotated[
        Path | None,
        typer.Option(help="Text file with one name per line to remove from free text.", exists=True),
    ] = None,
    set_name: Annotated[str, typer.Option(help="Name of the new set; it is not scrubbed.")] = "deidentified",
    texts: Annotated[
        bool, typer.Option("--texts/--no-texts", help="Keep scrubbed justifications, reports, transcripts.")
    ] = True,
    presidio_model: Annotated[
        str | None,
        typer.Option(
            "--presidio", help="Also read free text with Presidio and this spaCy model.", metavar="MODEL"
        ),
    ] = None,
    language: Annotated[str, typer.Option(help="Of Presidio's model, two letters.")] = "en",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Do everything and keep nothing of it.")] = False,
) -> None:
    """Write a copy of a recording set with opaque ids. [bold]This is not anonymisation.[/bold]

    [bold]Faces and voices remain[/bold] in the videos, and so does whatever is seen or said in the room.

    Ids such as P001_V01 in random order take the place of patient and video ids and file names.

    Media are copied stream by stream without metadata and user data; nothing is encoded again.

    Only known fields are kept. In texts, what may identify is replaced and counted; the rest is listed in
    DEST-texts-to-read.csv, and the set is not clean until somebody has read it (semiology data confirm-texts).
    """
    from semiology.data.deidentify.deidentify import Choices, deidentify
    from semiology.data.deidentify.presidio import presidio
    from semiology.data.views import print_deidentified, progress

    words = names.read_text(encoding="utf-8-sig").splitlines() if names else []
    further = presidio(presidio_model, language) if presidio_model else None
    choices = Choices(words, seed, set_name, texts, further)
    with _faults_shown(), progress("Copying recordings") as advance:
        done = deidentify(
            source, destination, key=key, choices=choices, dry_run=dry_run, on_recording=advance
        )
    print_deidentified(done, destination, dry_run=dry_run)
    tell_outcome(folder=destination, excluded=[asdict(each) for each in done.excluded], kept=not dry_run)
    if done.excluded:
        raise typer.Exit(1)


@app.command("confirm-texts", epilog=examples("semiology data confirm-texts opaque opaque-texts-to-read.csv"))
@with_json
def confirm_command(
    directory: Annotated[Path, typer.Argument(help="De-identified set.", metavar="DIR", exists=True)],
    audit: Annotated[
        Path, typer.Argument(help="The list of its texts, as you read it.", metavar="LIST", exists=True)
    ],
) -> None:
    """Say that you have read every text that a de-identified set kept and found nobody in it.

    Only then the set is called clean. The list must be that of the set as it is now.
    """
    from semiology.data.deidentify.audit import confirm

    with _faults_shown():
        read = confirm(directory, audit)
    tell_outcome(folder=directory, texts=read)
    typer.echo(f"{directory}: {read} texts were read; the set is clean of what was looked for")


@app.command(
    "simulate",
    epilog=examples(
        "semiology data simulate demo_set --pose",
        "semiology data simulate big_set --patients 40 --recordings 3 --seed 7",
        "semiology data simulate set --size 640x480 --duration 30-180 --test-share 0.25",
        "semiology data simulate set --patients 12 --controls 12",
    ),
)
@with_json
def simulate_command(
    directory: Annotated[Path, typer.Argument(help="Folder of the new recording set.", metavar="DIR")],
    patients: Annotated[int, typer.Option(help="Number of patients.", min=1)] = 6,
    recordings: Annotated[int, typer.Option(help="Recordings per patient.", min=1)] = 2,
    seed: Annotated[int, typer.Option(help="The same seed gives the same set.")] = 0,
    workers: Annotated[int, typer.Option(help="Processes that render side by side.", min=1)] = 2,
    pose: Annotated[
        bool,
        typer.Option("--pose", help="Also write keypoints (OpenPose JSON, a file per frame) and face boxes."),
    ] = False,
    size: Annotated[str, typer.Option(help="Width and height in px.", metavar="WxH")] = "640x480",
    fps: Annotated[int, typer.Option(help="Frames per second.", min=1)] = 30,
    duration: Annotated[
        str, typer.Option(help="Shortest and longest recording in seconds, 30 or more.", metavar="MIN-MAX")
    ] = "35-60",
    test_share: Annotated[
        float, typer.Option(help="Share of the patients whose split is `test`, the others' is `train`.")
    ] = 0.0,
    controls: Annotated[
        int,
        typer.Option(help="Recordings without an event (`diagnosis` none), of the patients in turn.", min=0),
    ] = 0,
) -> None:
    """Render drawn patients as real video files with sound, and write their exact annotations.

    Nothing in such a set is clinical: it shows that the whole road works, and where a model errs on drawings.
    """
    from semiology.data.simulated import simulate
    from semiology.data.simulated.script.sentences import not_drawn_sentence

    width, height = _pair(size, "x", "--size")
    with _faults_shown():
        _refuse_to_overwrite(directory, None, force=False)
        simulate(
            directory,
            patients=patients,
            seed=seed,
            recordings_per_patient=recordings,
            workers=workers,
            pose=pose,
            size=(round(width), round(height)),
            fps=fps,
            duration_s=_pair(duration, "-", "--duration"),
            test_share=test_share,
            controls=controls,
        )
    tell_outcome(folder=directory, recordings=patients * recordings + controls, patients=patients, seed=seed)
    beside = f" and {controls} without an event" if controls else ""
    typer.echo(
        f"{patients * recordings} recordings{beside} of {patients} simulated patients are in {directory}"
    )
    if missing := not_drawn_sentence():
        typer.echo(missing)


def _pair(text: str, mark: str, option: str) -> tuple[float, float]:
    try:
        first, second = (float(part) for part in text.split(mark))
    except ValueError:
        raise typer.BadParameter(
            f"{text!r}: give two numbers with {mark!r} between them", param_hint=option
        ) from None
    return first, second


@contextmanager
def _faults_shown() -> Iterator[None]:
    """Turn errors that are meant for the user into messages and exit code 1."""
    try:
        yield
    except RecordingSetError as error:
        from semiology.data.views import print_problems

        print_problems(error.problems)
        raise typer.Exit(1) from None


def _refuse_to_overwrite(directory: Path, key: Path | None, force: bool) -> None:
    from semiology.data.tables.writing import key_problems

    faults = key_problems(key, directory) if key else []
    if (directory / "recordings.csv").exists() and not force:
        faults.append(Problem(str(directory), None, "holds a recording set already", "choose a new folder"))
    if faults:
        raise RecordingSetError(faults)


def _import(
    read: Callable[[], ImportOutcome], destination: Path, videos: Path | None, key: Path | None, force: bool
) -> None:
    from semiology.data.importers.outcome import write_key, write_outcome
    from semiology.data.views import print_import

    with _faults_shown():
        _refuse_to_overwrite(destination, key, force)
        outcome = read()
        placed = write_outcome(outcome, destination, videos)
        if key:
            write_key(outcome, key)
        print_import(outcome, destination, placed)
    tell_outcome(
        folder=destination,
        recordings=len(outcome.recordings),
        annotations=len(outcome.annotations),
        films_in_place=placed,
    )
