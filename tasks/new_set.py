"""``semiology data new``: a set from a folder of films, with a template that asks annotators what models are asked."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from semiology.render.help import examples
from semiology.render.outcome import tell_outcome, with_json
from semiology.render.text import counted

if TYPE_CHECKING:
    from semiology.data.recording_set import Recording
    from semiology.data.sheets.mapping import Notes, SheetMapping

NEW_EPILOG = examples(
    "semiology data new my_emu --videos films",
    "semiology data new my_emu --videos films --choose patient=each",
)


@with_json
def new_command(
    directory: Annotated[
        Path, typer.Argument(help="Folder of the new recording set.", file_okay=False, metavar="DIR")
    ],
    videos: Annotated[
        Path, typer.Option(help="Folder with the films; they are hard-linked.", exists=True, file_okay=False)
    ],
    choose: Annotated[
        list[str] | None, typer.Option("--choose", help="KEY=VALUE: the answer to a question; repeatable.")
    ] = None,
    key: Annotated[
        Path | None, typer.Option(help="Write the table of new ids and film names here.", dir_okay=False)
    ] = None,
) -> None:
    """Begin a recording set: open every film, fill recordings.csv, and write a template for the annotations.

    The template is a workbook (and a CSV file) with a column per feature, lists to choose from, and an explanation.

    Fill it in, then `semiology data import table DIR/annotation_template.xlsx DIR`.
    """
    from semiology.data.problems import RecordingSetError
    from semiology.data.sheets.commands import pair
    from semiology.data.sheets.mapping import SheetMapping, answered
    from semiology.data.views import print_problems

    try:
        mapping = answered(SheetMapping(), dict(pair(text) for text in choose or ()))
        _begin(directory, videos, mapping, key)
    except RecordingSetError as error:
        print_problems(error.problems)
        raise typer.Exit(1) from None


def _begin(directory: Path, videos: Path, mapping: SheetMapping, key: Path | None) -> None:
    from semiology.data.cache import write_texts
    from semiology.data.importers.outcome import ImportOutcome, write_key, write_outcome
    from semiology.data.sheets.commands import ask, refuse, show_notes
    from semiology.data.sheets.mapping import Notes, answered
    from semiology.data.sheets.names import films_in, opened
    from semiology.data.sheets.template import TEMPLATE_CSV, TEMPLATE_XLSX, template_csv, template_workbook
    from semiology.data.sheets.writing import refuse_to_begin
    from semiology.data.views import progress
    from semiology.prompts.library import load_library

    refuse_to_begin(directory, key)
    paths = films_in(videos)
    films = {}
    with progress("Opening films") as advance:
        for done, path in enumerate(paths.values(), 1):
            films[path.stem] = opened(path)
            if advance:
                advance(done, len(paths))
    while True:
        notes = Notes(str(videos))
        for film in films.values():
            if film.fault:
                notes.not_used(None, film.fault, "export it again, then begin anew")
        recordings, sources = _recordings(
            {name: film.duration_s for name, film in films.items() if not film.fault}, mapping, notes
        )
        if not notes.questions:
            break
        questions = list(notes.questions.values())
        if not (sys.stdin.isatty() and sys.stdout.isatty()):
            refuse(questions, notes, None, directory, videos)
        mapping = answered(mapping, ask(questions))
    show_notes(notes)
    if not recordings:
        typer.secho("no film can be read: nothing was begun", fg=typer.colors.RED, err=True)
        raise typer.Exit(1)
    metadata = {"name": directory.name, "version": "1", "source": "not stated", "licence": "not stated"}
    outcome = ImportOutcome(tuple(recordings), (), {}, metadata, source_names=sources)
    write_outcome(outcome, directory, {ids: films[name].path for ids, name in sources.items()})
    if key:
        write_key(outcome, key)
    contents: dict[str, str | bytes] = {TEMPLATE_CSV: template_csv(recordings)}
    asked = {entry.feature: entry.reference.text for entry in load_library().features}
    try:
        contents[TEMPLATE_XLSX] = template_workbook(recordings, asked)
    except ImportError:
        typer.echo("no workbook was written: pip install 'semiology-eval[import]' for it")
    write_texts(contents, directory)
    patients = len({item.patient_id for item in recordings})
    typer.echo(
        f"{counted(len(recordings), 'recording')} of {counted(patients, 'patient')} in {directory / 'recordings.csv'}"
    )
    tell_outcome(folder=directory, recordings=len(recordings), patients=patients, templates=sorted(contents))
    filled = TEMPLATE_XLSX if TEMPLATE_XLSX in contents else TEMPLATE_CSV
    typer.echo(
        f"fill in {directory / filled}, then: semiology data import table {directory / filled} {directory}"
    )


def _recordings(
    lengths: Mapping[str, float | None], mapping: SheetMapping, notes: Notes
) -> tuple[list[Recording], dict[str, str]]:
    """Return the recordings of films by name, and the films' names by id; none while a question is open."""
    from semiology.data.deidentify.opaque_ids import opaque_ids
    from semiology.data.recording_set import Recording
    from semiology.data.sheets.names import must_be_new, patients_of

    names = list(lengths)
    patients = patients_of(names, mapping, notes)
    if not patients:
        return [], {}
    why = must_be_new([*names, *patients.values()])
    ids = {name: name for name in names}
    if mapping.ids == "new" or (why and mapping.ids is None):
        new = opaque_ids({(patients[name], name) for name in names}, 0)
        notes.change("ids", why or "names of films", "new ids in random order, such as P001_V01")
        ids, patients = dict(new.videos), {name: new.patients[patients[name]] for name in names}
    recordings = [
        Recording(ids[name], patients[name], Path("videos") / f"{ids[name]}.mp4", duration_s=lengths[name])
        for name in sorted(names, key=lambda name: ids[name])
    ]
    return recordings, {ids[name]: name for name in names}
