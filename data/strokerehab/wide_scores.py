"""Convert a wide table of Fugl-Meyer scores (columns ``<item>L``, ``<item>R``) to ``fm_scores.csv``."""

from __future__ import annotations

import csv
import io
import re
from pathlib import Path

from semiology.data.cache import write_whole
from semiology.data.problems import Problem
from semiology.data.strokerehab.study import SCORES
from semiology.data.tables.csv_tables import read_table

_COLUMN = re.compile(r"(\d+)([lr])")


def convert_wide_scores(source: Path, directory: Path) -> tuple[int, list[Problem]]:
    """Write ``fm_scores.csv`` into a folder; return the rows written, and the cells that were left out.

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
    rows = []
    for row in table.rows:
        for name, found in columns:
            text = row[name]
            if not text:
                continue
            if text not in ("0", "1", "2") or not 1 <= int(found[1]) <= 33:
                message = f"{row[table.columns[0]]}, {name}: {text!r}"
                problems.append(
                    Problem(table.file, row.number, message, "scores are 0, 1 or 2 of items 1 to 33")
                )
                continue
            rows.append((row[table.columns[0]], int(found[1]), found[2].upper(), text))
    if rows:
        text_file = io.StringIO()
        writer = csv.writer(text_file, lineterminator="\n")
        writer.writerow(("subject", "item", "side", "score"))
        writer.writerows(rows)
        write_whole(directory / SCORES, text_file.getvalue())
    return len(rows), problems
