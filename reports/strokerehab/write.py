"""Write the tables and figures of stroke-rehabilitation runs into a folder."""

from __future__ import annotations

import base64
import json
import re
from pathlib import Path

from semiology.data.cache import written_whole
from semiology.render.table import Document, Footnotes, Table, markdown, table_content, table_csv
from semiology.reports.page.writing import render_tables
from semiology.reports.strokerehab.figures import rehab_figures
from semiology.reports.strokerehab.reading import RehabResults
from semiology.reports.strokerehab.tables import rehab_document, scored
from semiology.versions import installed_versions

FOLDER = "strokerehab"


def document_content(document: Document) -> dict[str, object]:
    """Return a document's tables and remarks for JSON."""
    tables = [
        {"title": part.title, **table_content(part)} for part in document.parts if isinstance(part, Table)
    ]
    return {"tables": tables, "caveats": list(document.caveats), "remarks": list(document.remarks)}


def write_rehab(results: RehabResults, out: Path, *, partial: bool = False) -> tuple[Document, list[Path]]:
    """Write ``strokerehab/``: a page, Markdown, a CSV file per table, all of it as JSON, and the figures.

    Args:
        results: as read.
        out: folder of the report.
        partial: score videos of which windows are missing too.
    """
    document = rehab_document(results, partial=partial)
    folder = out / FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    files: dict[str, bytes] = {
        "strokerehab.md": markdown(document).encode(),
        "strokerehab.json": (
            json.dumps(document_content(document), indent=2, ensure_ascii=False) + "\n"
        ).encode(),
    }
    for part in document.parts:
        if isinstance(part, Table):
            name = re.sub(r"[^a-z0-9_]+", "_", (part.stem or part.title).lower())
            while f"{name}.csv" in files:
                name += "_"
            files[f"{name}.csv"] = table_csv(part).encode()
    figures = rehab_figures(scored(results, partial=partial))
    files |= figures | {"report.html": _page(document, figures).encode()}
    written = []
    for name, content in files.items():
        with written_whole(folder / name, private=False) as unfinished:
            unfinished.write_bytes(content)
        written.append(folder / name)
    return document, written


def _page(document: Document, figures: dict[str, bytes]) -> str:
    """Return the tables and figures as one page that loads nothing."""
    notes = Footnotes()
    tables = []
    for part in document.parts:
        if not isinstance(part, Table):
            continue
        rows = [
            {
                "baseline": row.baseline,
                "cells": [
                    column.text(cell, notes) for column, cell in zip(part.columns, row.cells, strict=True)
                ],
            }
            for row in part.rows
        ]
        names = [column.title for column in part.columns]
        tables.append({"title": part.title, "columns": names, "rows": rows, "below": part.below})
    pictures = [
        (Path(name).stem, f"data:image/svg+xml;base64,{base64.b64encode(content).decode('ascii')}")
        for name, content in figures.items()
        if name.endswith(".svg")
    ]
    content = {
        "title": document.title,
        "caveats": document.caveats,
        "remarks": [
            *document.remarks,
            *(f"({number}) {text}" for number, text in enumerate(notes.texts, start=1)),
        ],
        "tables": tables,
        "figures": pictures,
        "software": installed_versions().get("semiology-eval"),
    }
    return render_tables("strokerehab.html.j2", content)
