"""The cells of a sheet as its program shows them: workbooks with merged cells, and CSV in any usual coding."""

from __future__ import annotations

import csv
import datetime
import gzip
import io
import re
import unicodedata
import zipfile
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from semiology.data.problems import Problem, RecordingSetError
from semiology.data.tables.csv_tables import encoding_of

Cell = str | float | datetime.time | datetime.datetime | datetime.timedelta
"""Text, a number, or a time as a workbook stores it; an empty cell is an empty text."""
_OPEN_DOCUMENT = b"mimetypeapplication/vnd.oasis.opendocument.spreadsheet"
"""Where a zip file begins: the name and the content of its first, unpacked member."""
OLD_ENCODINGS = ("cp1252", "mac_roman", "cp850", "cp1250", "iso8859-15")
DELIMITERS = (",", ";", "\t", "|")
_LETTERS = frozenset("äöüßéèêëàâáçñóíúîïôûùœ¿¡ÄÖÜÉÈÀÁÇÑÓÍÚ°µ×–—’“”„…")


@dataclass(frozen=True)
class Grid:
    """One sheet.

    Attributes:
        name: of the sheet in a workbook, of the file otherwise.
        rows: cells by row, all rows of one length; a merged cell's value stands in each of its places.
        shown: what a cell's number format says of it, by (row, column) from 0: ``time``, ``zeros 3``.
        merged: places (row, column) that hold the value of a merged cell's first place.
        encoding, delimiter: of a CSV file; empty for a workbook.
        guessed: whether the encoding is the likeliest of several.
        formats_unread: whether numbers may be shown otherwise, with leading zeros, than they are here.
    """

    name: str
    rows: tuple[tuple[Cell, ...], ...]
    shown: dict[tuple[int, int], str] = field(default_factory=dict)
    merged: frozenset[tuple[int, int]] = frozenset()
    encoding: str = ""
    delimiter: str = ""
    guessed: bool = False
    formats_unread: bool = False

    def text(self, row: int, column: int) -> str:
        """Return a cell as text: whole numbers without a decimal point, with the zeros that its format shows."""
        cell = self.rows[row][column]
        zeros = self.shown.get((row, column), "")
        if zeros.startswith("zeros ") and isinstance(cell, float) and cell.is_integer():
            return f"{int(cell):0{int(zeros.split()[1])}d}"
        return text_of(cell)


def text_of(cell: Cell) -> str:
    """Return a cell as text."""
    if isinstance(cell, str):
        return re.sub(r"[ \u00a0\u2007\u202f\t]+", " ", cell).strip().strip("\ufeff\u200b\u2060").strip()
    if isinstance(cell, float):
        return str(int(cell)) if cell.is_integer() else repr(cell)
    return str(cell)


def read_grids(path: Path, encoding: str = "", delimiter: str = "") -> list[Grid]:
    """Return the sheets of a workbook, or the one of a CSV file, that hold anything.

    Args:
        path: the file.
        encoding, delimiter: of a CSV file where they are known.

    Raises:
        RecordingSetError: the file cannot be read, or holds nothing.
    """
    try:
        raw = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    except OSError as error:
        raise _fault(path, f"cannot be read ({error})", "check the file") from None
    if raw.startswith(b"\xd0\xcf\x11\xe0") or raw[30:84] == _OPEN_DOCUMENT:
        grids = _other_workbook(path, raw)
    elif raw.startswith(b"PK\x03\x04"):
        grids = _workbook(path)
    else:
        grids = [_csv(path, raw, encoding, delimiter)]
    grids = [grid for grid in grids if any(any(text_of(cell) for cell in row) for row in grid.rows)]
    if not grids:
        raise _fault(path, "holds no filled cell", "give a sheet with a header and a row per recording")
    return grids


def _fault(path: Path, message: str, fix: str) -> RecordingSetError:
    return RecordingSetError([Problem(path.name, None, message, fix)])


def _workbook(path: Path) -> list[Grid]:
    try:
        import openpyxl
    except ImportError:
        fix = "pip install 'semiology-eval[import]', or save it as CSV"
        raise _fault(path, "is a workbook, which needs openpyxl", fix) from None
    from openpyxl.utils.exceptions import InvalidFileException

    try:
        book = openpyxl.load_workbook(io.BytesIO(path.read_bytes()), data_only=True)
        formulas = openpyxl.load_workbook(io.BytesIO(path.read_bytes()))
    except (OSError, ValueError, KeyError, TypeError, InvalidFileException, zipfile.BadZipFile) as error:
        raise _fault(path, f"is no workbook that can be read ({error})", "save it again as .xlsx") from None
    _refuse_unknown_values(path, book, formulas)
    return [_sheet(sheet) for sheet in book.worksheets if sheet.sheet_state == "visible"]


def _other_workbook(path: Path, raw: bytes) -> list[Grid]:
    """Return the visible sheets of an OpenDocument file or of a workbook of Excel 97.

    Their number formats are not read: what a format alone shows (leading zeros) is not in the cells.
    """
    try:
        import python_calamine
    except ImportError:
        fix = "pip install 'semiology-eval[import]', or save it as .xlsx"
        raise _fault(path, "is a workbook that needs python-calamine", fix) from None
    try:
        book = python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(raw))
        shown = [
            sheet.name
            for sheet in book.sheets_metadata
            if sheet.visible == python_calamine.SheetVisibleEnum.Visible
            and sheet.typ == python_calamine.SheetTypeEnum.WorkSheet
        ]
        sheets = [book.get_sheet_by_name(name) for name in shown]
        return [
            _filled(
                sheet.name,
                [[_value(cell) for cell in row] for row in sheet.to_python(skip_empty_area=False)],
                sheet.merged_cell_ranges or (),
                formats_unread=True,
            )
            for sheet in sheets
        ]
    except python_calamine.PasswordError:
        raise _fault(path, "has a password", "save it without one") from None
    except (python_calamine.CalamineError, OSError, ValueError) as error:
        raise _fault(
            path, f"is no workbook that can be read ({error})", "save it as .xlsx without a password"
        ) from None


def _refuse_unknown_values(path: Path, book: Any, formulas: Any) -> None:
    """Refuse a workbook with formulas whose values were never stored: their cells would seem empty.

    Raises:
        RecordingSetError: there is one; the first of each sheet is named.
    """
    problems = []
    for sheet in formulas.worksheets:
        values = book[sheet.title]
        for row in sheet.iter_rows():
            cell = next((c for c in row if c.data_type == "f" and values[c.coordinate].value is None), None)
            if cell is not None:
                message = f"sheet {sheet.title!r}: the formula in {cell.coordinate} has no value"
                fix = "open the workbook in a spreadsheet program and save it"
                problems.append(Problem(path.name, cell.row, message, fix))
                break
    if problems:
        raise RecordingSetError(problems)


def _sheet(sheet: object) -> Grid:
    shown: dict[tuple[int, int], str] = {}
    rows: list[list[Cell]] = []
    for cells in sheet.iter_rows():  # type: ignore[attr-defined]
        row: list[Cell] = []
        for cell in cells:
            row.append(_value(cell.value))
            place = (cell.row - 1, cell.column - 1)
            code = str(cell.number_format)
            if re.fullmatch(r"0{2,}", code):
                shown[place] = f"zeros {len(code)}"
            elif isinstance(row[-1], datetime.time) and "s" not in code.lower():
                shown[place] = "h:mm"
        rows.append(row)
    areas = [
        ((area.min_row - 1, area.min_col - 1), (area.max_row - 1, area.max_col - 1))
        for area in sheet.merged_cells.ranges  # type: ignore[attr-defined]
    ]
    return _filled(str(sheet.title), rows, areas, shown)  # type: ignore[attr-defined]


def _filled(
    name: str,
    rows: list[list[Cell]],
    areas: Sequence[tuple[tuple[int, int], tuple[int, int]]],
    shown: dict[tuple[int, int], str] | None = None,
    formats_unread: bool = False,
) -> Grid:
    """Return a sheet in which each place of a merged area (first, last place from 0) holds the area's value."""
    merged: set[tuple[int, int]] = set()
    for first, last in areas:
        for at in range(first[0], min(last[0] + 1, len(rows))):
            for column in range(first[1], min(last[1] + 1, len(rows[at]))):
                if (at, column) != first:
                    merged.add((at, column))
                    rows[at][column] = rows[first[0]][first[1]]
    return Grid(name, tuple(map(tuple, rows)), shown or {}, frozenset(merged), formats_unread=formats_unread)


def _value(value: object) -> Cell:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, int | float):
        return float(value)
    if isinstance(value, datetime.time | datetime.datetime | datetime.timedelta):
        return value
    if isinstance(value, datetime.date):
        return datetime.datetime(value.year, value.month, value.day)  # noqa: DTZ001 (a sheet's own clock)
    return str(value)


def _csv(path: Path, raw: bytes, encoding: str, delimiter: str) -> Grid:
    text, found, guessed = decoded(path, raw, encoding)
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    if hint := re.match(r"sep=([,;\t|])\n", text, re.IGNORECASE):
        delimiter, text = delimiter or hint[1], "\n" + text[hint.end() :]
    delimiter = delimiter or _delimiter(text)
    try:
        rows: list[list[str]] = list(
            csv.reader(io.StringIO(text), delimiter=delimiter, skipinitialspace=True)
        )
    except csv.Error as error:
        raise _fault(path, f"is no table ({error})", "save it again as 'CSV UTF-8'") from None
    width = max((len(row) for row in rows), default=0)
    filled = tuple((*row, *[""] * (width - len(row))) for row in rows)
    return Grid(path.name, filled, encoding=found, delimiter=delimiter, guessed=guessed)


def decoded(path: Path, raw: bytes, encoding: str = "") -> tuple[str, str, bool]:
    """Return a file's text, its encoding, and whether that is only the likeliest one.

    Raises:
        RecordingSetError: it is no text, or not in the encoding that is given.
    """
    for name in (encoding,) if encoding else (encoding_of(raw),):
        try:
            text = raw.decode(name)
        except (UnicodeDecodeError, LookupError) as error:
            if encoding:
                raise _fault(
                    path, f"is not {encoding} text ({error})", "correct `encoding` in the mapping"
                ) from None
        else:
            if "\0" in text:
                raise _fault(path, "holds zero bytes: it is damaged, or no table", "save it as CSV UTF-8")
            return text, name, False
    best: Callable[[str], int] = lambda name: _plausible(raw, name)  # noqa: E731
    likeliest = max(OLD_ENCODINGS, key=best)
    if best(likeliest) < 0:
        raise _fault(path, "is text in no usual encoding", "save it again as 'CSV UTF-8'")
    return raw.decode(likeliest), likeliest, True


def _plausible(raw: bytes, encoding: str) -> int:
    """Return how much a text looks like a language of Europe: its accented letters less its odd signs."""
    try:
        text = raw.decode(encoding)
    except UnicodeDecodeError:
        return -1
    odd = Counter(letter for letter in text if ord(letter) > 127)
    good = sum(count for letter, count in odd.items() if letter in _LETTERS)
    bad = sum(count for letter, count in odd.items() if unicodedata.category(letter)[0] in "CS")
    rest = odd.total() - good - bad
    return max(0, 10 * good - 10 * bad - 2 * rest)


def _delimiter(text: str) -> str:
    """Return what parts the cells: the mark that gives most lines the same number of cells."""
    lines = [line for line in text.split("\n") if line.strip()][:200]

    def evenness(mark: str) -> tuple[int, int]:
        try:
            widths = Counter(len(row) for row in csv.reader(lines, delimiter=mark) if len(row) > 1)
        except csv.Error:
            return 0, 0
        width, times = max(widths.items(), key=lambda item: (item[1], item[0]), default=(0, 0))
        return times, width

    return max(DELIMITERS, key=evenness)


def made_grid(name: str, headings: Sequence[str], rows: Sequence[Sequence[Cell]]) -> Grid:
    """Return a grid of a header and rows that a program put together."""
    return Grid(name, (tuple(headings), *(tuple(row) for row in rows)))
