"""Convert a wide table of Fugl-Meyer scores (columns ``<item>L``, ``<item>R``) to ``fm_scores.csv``."""

from __future__ import annotations

import csv
import io
import re
from pathlib import Path

from semiology.data.cache import write_whole
from semiology.data.problems import Problem
from semiology.data.strokerehab.study import SCORES
from semiology.data.tables.cells import plain_number
from semiology.data.tables.csv_tables import read_table

_COLUMN = re.compile(r"(\d+)([lr])")


def convert_wide_scores(source: Path, directory: Path) -> tuple[int, list[Problem]]:
    """Write ``fm_scores.csv`` into a folder; return the rows written, and what was left out.

    A table whose form is at fault is left out whole.

    Args:
        source: CSV whose first column names the subject. Empty cells are skipped.
        directory: the study's folder.
    """
    table = read_table(source)
    problems = list(table.problems)
    columns = [(name, found) for name in table.columns if (found := _COLUMN.fullmatch(name))]
    if table.columns and not columns:
        message = "has no column such as 3L or 3R"
        problems.append(Problem(table.file, 1, message, "name columns <item>L and <item>R, items 1 to 33"))
    items: dict[tuple[int, str], str] = {}
    for name, found in columns:
        first = items.setdefault((int(found[1]), found[2]), name)
        if first != name:
            message = f"the columns {first!r} and {name!r} are of one item and side"
            problems.append(Problem(table.file, 1, message, "delete one of them"))
    rows = []
    for row in table.rows if not problems else ():
        subject = row[table.columns[0]]
        if not subject:
            fix = "name the subject in every row; a spreadsheet keeps the name of merged cells in the first alone"
            problems.append(Problem(table.file, row.number, "names no subject", fix))
            continue
        for name, found in columns:
            text = row[name]
            if not text:
                continue
            if plain_number(text) not in (0, 1, 2) or not 1 <= int(found[1]) <= 33:
                message = f"{subject}, {name}: {text!r}"
                problems.append(
                    Problem(table.file, row.number, message, "scores are 0, 1 or 2 of items 1 to 33")
                )
                continue
            rows.append((subject, int(found[1]), found[2].upper(), int(float(text))))
    if rows:
        text_file = io.StringIO()
        writer = csv.writer(text_file, lineterminator="\n")
        writer.writerow(("subject", "item", "side", "score"))
        writer.writerows(rows)
        write_whole(directory / SCORES, text_file.getvalue())
    return len(rows), problems
