"""Set one column of a CSV file and leave every other byte as it is: headings, marks, quotes, line ends, comments."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from semiology.data.cache import written_whole
from semiology.data.tables.csv_tables import delimiter_of, encoding_of, guarded_cell, read_table


@dataclass(frozen=True)
class _Record:
    """The place of a record in the text: its cells as (start, end), and where its line end begins."""

    number: int
    cells: tuple[tuple[int, int], ...]
    end: int


def set_column(path: Path, column: str, values: Mapping[int, str]) -> None:
    """Write the cells of a column, by the row's number as a spreadsheet shows it; the others keep their bytes.

    A column that the table lacks is added at its end. The file is replaced whole or not at all, and only after the
    new text was read back and found to differ in that column alone.

    Args:
        path: a table that `read_table` reads without problems.
        column: its name, lower case.
        values: the text of every row's cell; rows that are not named get an empty one.

    Raises:
        ValueError: the result would not be the same table.
    """
    before = read_table(path)
    raw = path.read_bytes()
    encoding = encoding_of(raw)
    marked = encoding in ("utf-16", "utf-32")
    if marked:  # these names write a mark of their own, in the order of this machine
        encoding += "-be" if raw.startswith((b"\xfe", b"\0")) else "-le"
    text = raw.decode("utf-8" if encoding == "utf-8-sig" else encoding)
    body = 1 if text.startswith("\ufeff") else 0
    hint = re.match(r"sep=([,;\t|])(\r\n|\r|\n)", text[body:], re.IGNORECASE)
    delimiter = hint[1] if hint else delimiter_of(text[body:])
    start, first = (body + hint.end(), 2) if hint else (body, 1)
    records = [each for each in _records(text, start, first, delimiter) if _filled(text, each)]
    header = records[0]
    place = before.columns.index(column) if column in before.columns else None
    edits: list[tuple[int, int, str]] = []
    width = max(len(before.columns), *(len(each.cells) for each in records)) if place is None else place + 1
    for record in records:
        cell = column if record is header else values.get(record.number, "")
        cell = _quoted(guarded_cell(cell), delimiter)
        if place is not None and place < len(record.cells):
            if record is not header:
                edits.append((*record.cells[place], cell))
            continue
        missing = width - len(record.cells) - (1 if place is not None else 0)
        edits.append((record.end, record.end, delimiter * (missing + 1) + cell))
    for start, end, cell in reversed(edits):
        text = text[:start] + cell + text[end:]
    with written_whole(path) as unfinished:
        unfinished.write_bytes(text.encode("utf-8" if encoding == "utf-8-sig" else encoding))
        unfinished.chmod(path.stat().st_mode & 0o777)
        after = read_table(unfinished, before.file)
        others = [name for name in before.columns if name != column]
        same = [[row[name] for name in others] for row in before.rows] == [
            [row[name] for name in others] for row in after.rows
        ]
        wanted = [values.get(row.number, "") for row in before.rows]
        if after.problems or not same or [row[column] for row in after.rows] != wanted:
            raise ValueError(
                f"{path.name}: the column {column!r} cannot be set without changing other cells → save the table "
                "again as 'CSV UTF-8 (comma delimited)'"
            )


def _records(text: str, start: int, first: int, delimiter: str) -> Iterator[_Record]:
    """Yield the records of a text as `csv` divides it, with blanks before an opening quotation mark."""
    number, at = first, start
    while at < len(text):
        cells = []
        while True:
            begin = at
            while at < len(text) and text[at] == " ":
                at += 1
            if at < len(text) and text[at] == '"':
                at += 1
                while at < len(text) and (text[at] != '"' or text[at + 1 : at + 2] == '"'):
                    at += 2 if text[at] == '"' else 1
                at += 1
            while at < len(text) and text[at] not in (delimiter, "\r", "\n"):
                at += 1
            cells.append((begin, at))
            if at < len(text) and text[at] == delimiter:
                at += 1
                continue
            break
        yield _Record(number, tuple(cells), at)
        at += 2 if text[at : at + 2] == "\r\n" else 1
        number += 1


def _filled(text: str, record: _Record) -> bool:
    return any(text[start:end].strip(' "\ufeff\u200b\u2060\t') for start, end in record.cells)


def _quoted(cell: str, delimiter: str) -> str:
    return '"' + cell.replace('"', '""') + '"' if re.search(f'["\r\n{re.escape(delimiter)}]', cell) else cell
