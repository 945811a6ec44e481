"""Documents of tables as the templates take them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from semiology.render.table import Document, Footnotes, Table


def shown_document(document: Document, tables: Sequence[Table] | None = None) -> dict[str, Any]:
    """Return a document's tables (or some of them) and sentences, footnotes after its remarks."""
    notes = Footnotes()
    parts = [part for part in document.parts if isinstance(part, Table)] if tables is None else tables
    shown = [_shown(part, notes) for part in parts]
    numbered = [f"({number}) {text}" for number, text in enumerate(notes.texts, start=1)]
    return {
        "title": document.title,
        "tables": shown,
        "caveats": document.caveats,
        "remarks": [*document.remarks, *numbered],
        "notes": document.notes,
    }


def _shown(table: Table, notes: Footnotes) -> dict[str, Any]:
    rows = [
        {
            "baseline": row.baseline,
            "cells": [
                column.text(cell, notes) for column, cell in zip(table.columns, row.cells, strict=True)
            ],
        }
        for row in table.rows
    ]
    names = [column.title for column in table.columns]
    return {"title": table.title, "columns": names, "rows": rows, "below": table.below}
