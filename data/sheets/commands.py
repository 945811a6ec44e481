"""``semiology data import table``: any sheet with features as a recording set."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from semiology.data.problems import RecordingSetError
from semiology.render.help import examples
from semiology.render.outcome import tell_outcome, with_json
from semiology.render.text import counted

if TYPE_CHECKING:
    from semiology.data.sheets.mapping import Notes, Question, SheetMapping
    from semiology.data.sheets.reading import SheetContent

MAPPING = "mapping.yaml"
TABLE_EPILOG = examples(
    "semiology data import table signs.xlsx my_emu --videos films",
    "semiology data import table signs.csv my_emu --choose empty=no",
    "semiology data import table signs.csv my_emu --map my_emu/mapping.yaml --force",
    "semiology data import table elan_files my_emu --videos films",
)


@with_json
def import_table_command(
    source: Annotated[
        Path,
        typer.Argument(
            help="Sheet (.xlsx, .xls, .ods, CSV); or file, or folder of files, of ELAN, BORIS, REDCap, EDF+, "
            "Label Studio, CVAT.",
            exists=True,
            metavar="FILE",
        ),
    ],
    destination: Annotated[
        Path | None,
        typer.Argument(
            help="Folder of the set; by default named like FILE.", file_okay=False, metavar="[DEST]"
        ),
    ] = None,
    map_file: Annotated[
        Path | None, typer.Option("--map", help="How to read it, as an earlier import wrote it.", exists=True)
    ] = None,
    videos: Annotated[
        Path | None,
        typer.Option(help="Folder with the films; they are hard-linked.", exists=True, file_okay=False),
    ] = None,
    choose: Annotated[
        list[str] | None, typer.Option("--choose", help="KEY=VALUE: the answer to a question; repeatable.")
    ] = None,
    key: Annotated[
        Path | None, typer.Option(help="Write the table of new ids and original names here.", dir_okay=False)
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Replace tables that are there; a copy is kept.")
    ] = False,
) -> None:
    """Import any sheet with features, or the annotations of another program.

    A sheet has a row per recording, a row per event, or a column per recording. Header, columns, words for yes and
    no, and the way times are written are found out, and every change is shown.

    What is not clear is asked; without a terminal the choices are named, and nothing but the mapping is written.

    Into a folder that holds recordings.csv only the annotations are imported. Exit code 1 if nothing was imported.
    """
    from semiology.data.sheets.mapping import SheetMapping, answered, read_mapping
    from semiology.data.views import print_problems

    target = destination or Path(source.name.split(".")[0])
    try:
        mapping = read_mapping(map_file) if map_file else SheetMapping()
        mapping = answered(mapping, dict(pair(text) for text in choose or ()))
        _import(source, target, mapping, videos, key, force)
    except RecordingSetError as error:
        print_problems(error.problems)
        raise typer.Exit(1) from None


def pair(text: str) -> tuple[str, str]:
    """Return the key and the value of an answer that was typed."""
    name, mark, value = (
        text.rpartition("=") if text.startswith(("values.", "columns.")) else text.partition("=")
    )
    if not mark or not name:
        raise typer.BadParameter(f"{text!r} is not of the form KEY=VALUE", param_hint="--choose")
    return name.strip(), value.strip()


def _import(
    source: Path, target: Path, mapping: SheetMapping, videos: Path | None, key: Path | None, force: bool
) -> None:
    from semiology.data.sheets.formats.sources import read_source
    from semiology.data.sheets.mapping import Notes, answered, write_mapping
    from semiology.data.sheets.names import films_in, opened
    from semiology.data.sheets.reading import read_sheet
    from semiology.data.sheets.writing import existing_recordings, refuse_to_replace, write_content
    from semiology.data.views import progress

    refuse_to_replace(target, key, force)
    known = existing_recordings(target)
    paths = films_in(videos) if videos else {}
    if known:
        paths = {video_id: item.video for video_id, item in known.items() if item.video.is_file()}
    films = {}
    with progress("Opening films", quiet=not paths) as advance:
        for done, (name, path) in enumerate(paths.items(), 1):
            films[name] = opened(path)
            if advance:
                advance(done, len(paths))
    while True:
        notes = Notes(source.name)
        if known and videos:
            notes.remarks.append(
                "--videos is not used: the set has its recordings, only annotations are imported"
            )
        grids = read_source(source, notes, mapping)
        content, found = read_sheet(grids, mapping, notes, films, known or None)
        if content is not None:
            break
        questions = list(notes.questions.values())
        if not (sys.stdin.isatty() and sys.stdout.isatty()):
            refuse(questions, notes, found, target, source)
        mapping = answered(mapping, ask(questions))
    show_notes(notes)
    if not content.annotations:
        typer.secho(
            "nothing was imported: no cell says yes, no or na of a feature", fg=typer.colors.RED, err=True
        )
        raise typer.Exit(1)
    placed = write_content(content, target, known, key)
    write_mapping(found, target / MAPPING, source.name)
    _tell(content, notes, found, target, placed, known=bool(known), key=key)


def _tell(
    content: SheetContent,
    notes: Notes,
    mapping: SheetMapping,
    target: Path,
    placed: int,
    *,
    known: bool,
    key: Path | None,
) -> None:
    recordings = len({item.video_id for item in content.annotations}) if known else len(content.recordings)
    patients = len({item.patient_id for item in content.recordings})
    of_patients = f" of {counted(patients, 'patient')}" if patients else ""
    tell_outcome(
        folder=target,
        mapping=target / MAPPING,
        recordings=recordings,
        annotations=len(content.annotations),
        not_used=len(notes.unused),
        films_in_place=None if known else placed,
    )
    typer.echo(
        f"{counted(recordings, 'recording')}{of_patients}, {counted(len(content.annotations), 'annotation')}; "
        f"{counted(len(notes.unused), 'value')} not used"
    )
    if not known:
        typer.echo(f"{placed} of {counted(recordings, 'film')} in place")
    if not known and placed < recordings:
        typer.echo("put the others at videos/<video_id>.mp4, or import again with --force --videos FOLDER")
    if mapping.ids == "new" and not known and key is None:
        typer.echo(
            "ids are new, and no table of them was kept: import again with --force --key FILE to have one"
        )
    typer.echo(
        f"written to {target}; how it was read: {target / MAPPING} (edit it, then --map it with --force)"
    )
    typer.echo(f"next: semiology data check {target}, then semiology run --model embedded --data {target}")


def show_notes(notes: Notes) -> None:
    """Print every change as a table, then what was not used."""
    from rich.console import Console

    from semiology.data.views import print_list
    from semiology.render.table import Column, Document, Row, Table, print_document, table_console

    rows = tuple(
        Row((where, found, taken, str(times), str(first) if first is not None else ""))
        for (where, found, taken), (times, first) in notes.changes.items()
    )
    if rows:
        columns = tuple(
            Column(name, left=not name.endswith(("times", "row")))
            for name in ("where", "found", "taken for", "times", "first row")
        )
        print_document(Document("What was changed", parts=(Table("", columns, rows),)), table_console())
    console = Console()
    for remark in dict.fromkeys(notes.remarks):
        console.print(f"note: {remark}", markup=False, highlight=False, soft_wrap=True)
    print_list(console, f"{counted(len(notes.unused), 'value')} not used", notes.unused, "yellow")


def refuse(
    questions: Sequence[Question], notes: Notes, mapping: SheetMapping | None, target: Path, source: Path
) -> NoReturn:
    """Name the choices that are open, write what is known of the mapping, and end with status 1."""
    from semiology.data.sheets.mapping import write_mapping

    show_notes(notes)
    typer.secho(
        f"{counted(len(questions), 'question')} open, nothing was imported:", fg=typer.colors.RED, err=True
    )
    for question in questions:
        typer.echo(f"  {question.text}", err=True)
        for value, meaning in question.choices:
            typer.echo(f"      --choose '{question.key}={value}'    {meaning}", err=True)
        if not question.choices:
            typer.echo(f"      --choose '{question.key}=…'", err=True)
    known = ""
    if mapping is not None:
        target.mkdir(parents=True, exist_ok=True)
        write_mapping(mapping, target / MAPPING, source.name)
        known = f"; what is known stands in {target / MAPPING}"
    typer.echo(f"give the same command with an answer to each{known}", err=True)
    raise typer.Exit(1)


def ask(questions: Sequence[Question]) -> Mapping[str, str]:
    """Ask the person at the terminal, again where an answer is none."""
    from semiology.data.sheets.mapping import SheetMapping, answered

    answers: dict[str, str] = {}
    for question in questions:
        typer.echo(question.text)
        for value, meaning in question.choices:
            typer.echo(f"  {value}: {meaning}")
        while question.key not in answers:
            answer = typer.prompt(question.key)
            try:
                answered(SheetMapping(), {question.key: answer})
            except ValueError as error:
                typer.echo(str(error).removeprefix("--choose "))
            else:
                answers[question.key] = answer
    return answers
