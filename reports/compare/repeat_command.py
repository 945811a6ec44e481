"""What ``semiology repeat`` tells: which answers change when the same questions are asked again."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from semiology.render.text import json_text
from semiology.reports.compare.commands import feature_names

if TYPE_CHECKING:
    from semiology.render.table import Cell, Document
    from semiology.reports.compare.repeats import Changes, Repeats


def repeat(
    runs: Sequence[str],
    out: Path | None = None,
    features: str | None = None,
    any_set: bool = False,
    seed: int = 0,
    as_json: bool = False,
) -> None:
    """Tell which answers differ between runs of the same questions; print the table and write its files.

    Args:
        runs: folders, as `semiology.reports.compare.sides.read_side` takes them. out: folder for the files.
        features: names and groups, comma-separated. any_set: take runs about sets of different names.
        seed: of the intervals. as_json: print JSON instead of a table.
    """
    from semiology.data.cache import write_texts
    from semiology.render.table import (
        Table,
        csv_of,
        markdown,
        print_document,
        table_console,
        table_content,
        table_csv,
    )
    from semiology.reports.compare.comparison import Options
    from semiology.reports.compare.repeats import change_rows, read_repeats

    found = read_repeats(runs, Options(features=feature_names(features), any_set=any_set, seed=seed))
    document = repeat_document(found)
    (table,) = (part for part in document.parts if isinstance(part, Table))
    told = {"runs": list(found.names), **table_content(table)}
    told["notes"] = [*document.caveats, *document.remarks, *document.notes]
    written: list[Path] = []
    if out is not None:
        changed = change_rows(found)
        texts = {
            "repeat.csv": table_csv(table),
            "repeat.md": markdown(document),
            "repeat.json": json_text(told) + "\n",
        }
        texts |= {"repeat_changed.csv": csv_of(changed)} if changed else {}
        written = write_texts(texts, out)
    if as_json:
        typer.echo(json_text(told))
        return
    console = table_console()
    print_document(document, console)
    if written:
        console.print(f"Written: {', '.join(str(path) for path in written)}", markup=False, highlight=False)


def repeat_document(repeats: Repeats) -> Document:
    """Return the table of changed answers, a row for each feature and for all."""
    from semiology.render.table import Column, Document, Lines, Row, Table
    from semiology.render.text import counted
    from semiology.reports.compare.repeats import ALL

    columns = (
        Column("feature"),
        Column("changed [95 %]", ".1%"),
        Column("kappa [95 %]"),
        Column("recordings changed", layout="{} of {}"),
        Column("patients", rank=1),
    )
    rows = tuple(
        Row(_cells(name, each), style="bold" if name == ALL else "") for name, each in repeats.changes.items()
    )
    kappa = "Fleiss" if len(repeats.names) > 2 else "Cohen"
    remarks = [
        f"changed: share of pairs of runs that differ about a recording; kappa: {kappa}'s. Intervals by patient.",
        "Answers are those to recordings, which are scored; neither yes nor no is an answer of its own.",
    ]
    if ALL in repeats.changes:
        remarks.append(
            "Kappa over all features counts features that are rare beside common ones as agreement: read it by feature."
        )
    notes = list(repeats.notes)
    if repeats.n_missing:
        what = counted(repeats.n_missing, "recording and feature", "recordings and features")
        notes.append(f"{what} that some of the runs lack left out")
    lines = Lines((f"{repeats.label}, asked {len(repeats.names)} times: {', '.join(repeats.names)}",))
    table = Table("Answers that changed", columns, rows, stem="repeat")
    return Document("Repeats", (lines, table), repeats.caveats, tuple(remarks), tuple(notes))


def _cells(name: str, each: Changes) -> tuple[Cell, ...]:
    from semiology.reports.tables.estimates import number_of

    return name, number_of(each.changed), number_of(each.kappa), (each.n_changed, each.n), each.n_patients
