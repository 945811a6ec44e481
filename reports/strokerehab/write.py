"""Write the tables and figures of stroke-rehabilitation runs into a folder."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from semiology.data.cache import write_texts
from semiology.data.owned_folder import written_together
from semiology.render.table import Document, Table, markdown, table_content, table_csv
from semiology.reports.page.documents import shown_document
from semiology.reports.page.writing import render_tables
from semiology.reports.strokerehab.figures import rehab_figures
from semiology.reports.strokerehab.reading import RehabResults
from semiology.reports.strokerehab.tables import rehab_document, scored
from semiology.versions import installed_versions

FOLDER, PAGE = "strokerehab", "report.html"
MAIN = ("_activities", "_primitives", "_items", "_wordings")
"""Stems of the tables that stand on the main page too."""


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
    files: dict[str, str | bytes] = {
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
    files |= figures | {PAGE: _page(document, figures).encode()}
    with written_together(folder):
        written = write_texts(files, folder)
    return document, written


def _page(document: Document, figures: dict[str, bytes]) -> str:
    """Return the tables and figures as one page that loads nothing."""
    pictures = [
        (Path(name).stem, f"data:image/svg+xml;base64,{base64.b64encode(content).decode('ascii')}")
        for name, content in figures.items()
        if name.endswith(".svg")
    ]
    content = shown_document(document) | {
        "figures": pictures,
        "software": installed_versions().get("semiology-eval"),
    }
    return render_tables("strokerehab.html.j2", content)


def section_of(document: Document, models: Iterable[str]) -> dict[str, Any]:
    """Return the suite's section of the main page: the tables of scores of each task, and where all others are."""
    main = [part for part in document.parts if isinstance(part, Table) and part.stem.endswith(MAIN)]
    return shown_document(document, main) | {"models": sorted(set(models)), "more": f"{FOLDER}/{PAGE}"}
