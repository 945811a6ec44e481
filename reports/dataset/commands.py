"""``semiology data describe``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from semiology.render.help import examples
from semiology.render.text import json_text

if TYPE_CHECKING:
    from semiology.data.recording_set import RecordingSet

DESCRIBE_EPILOG = examples(
    "semiology data describe my_emu",
    "semiology data describe my_emu --out my_emu/described",
)


def describe_command(
    directory: Annotated[
        Path, typer.Argument(help="Folder of the recording set.", metavar="DIR", exists=True, file_okay=False)
    ],
    out: Annotated[
        Path | None,
        typer.Option(help="Folder for demographics.csv, .md and .tex, and the figure.", file_okay=False),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Tell who was recorded, ES beside NES, by patient and tested (S3 Table 4), and draw what the set holds (Figure 1).

    Any further column of recordings.csv becomes rows: sex, age, age of onset, depression. Missing cells are counted.
    Durations are those of recordings.csv, else of the videos that are there.
    """
    from semiology.data.cache import write_texts
    from semiology.data.tables.reading import read_recording_set
    from semiology.render.latex import table_latex
    from semiology.render.table import (
        Table,
        markdown,
        print_document,
        table_console,
        table_content,
        table_csv,
    )
    from semiology.reports.dataset.demographics import demographics, demographics_document
    from semiology.reports.dataset.figures import dataset_figure

    document = demographics_document(demographics(directory))
    (table,) = (part for part in document.parts if isinstance(part, Table))
    written: list[Path] = []
    if out is not None:
        found = read_recording_set(directory, require_media=False)
        stamp = "Simulated recordings." if found.metadata.get("simulated") is True else ""
        texts: dict[str, str | bytes] = {
            "demographics.csv": table_csv(table, printed=True),
            "demographics.md": markdown(document),
            "demographics.tex": table_latex(table),
        }
        written = write_texts(texts | dataset_figure(found, durations(found), stamp), out)
    if as_json:
        typer.echo(json_text(table_content(table) | {"remarks": document.remarks, "notes": document.notes}))
        return
    print_document(document, table_console(160))
    if written:
        typer.echo(f"Written: {', '.join(str(path) for path in written)}")


def durations(found: RecordingSet) -> dict[str, float]:
    """Return the durations of recordings, s: stated, or else read from the video; those of neither are left out."""
    from semiology.data.media.probe import MediaError, probe

    known = {}
    for each in found.recordings:
        if each.duration_s is not None:
            known[each.video_id] = each.duration_s
        elif each.video.is_file():
            try:
                known[each.video_id] = probe(each.video).duration_s
            except MediaError:
                continue
    return known
