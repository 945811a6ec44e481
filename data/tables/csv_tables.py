"""Reading CSV tables as spreadsheets write them: any of their encodings, delimiters and line ends."""

from __future__ import annotations

import csv
import gzip
import io
import re
import unicodedata
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path

from semiology.data.problems import Problem, RecordingSetError
from semiology.render.text import counted

_DELIMITERS = ",;\t|"
_INVISIBLE = "\ufeff\u200b\u2060"
"""Marks without width that copying from other programs leaves around a cell."""
_WIDE_MARKS = (
    (b"\xff\xfe\0\0", "utf-32"), (b"\0\0\xfe\xff", "utf-32"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"),
)  # fmt: skip
_EAST = (("shift_jis", "Shift-JIS"), ("gb18030", "GB 18030"), ("euc_kr", "EUC-KR"), ("big5", "Big5"))
_RISKY_START = re.compile(r"[=+\-@\t\r]")
_GUARDED = re.compile(r"'+[=+\-@\t\r]")
_FORMULA = re.compile(r"=|[+\-@][^|\n]*\|[^!\n]*!")
_SAVE_AS = "save it again as 'CSV UTF-8 (comma delimited)'"


@dataclass(frozen=True)
class Row:
    """One row: its number as a spreadsheet shows it and its cells by lower-case column name."""

    number: int
    cells: dict[str, str]

    def __getitem__(self, column: str) -> str:
        return self.cells.get(column, "")


@dataclass
class Table:
    """A table as text.

    Attributes:
        file: Name for messages.
        columns: Column names, lower case, in order. headings: The same as they are written.
        rows: Those that hold anything.
        delimiter: ``,``, ``;``, ``|`` or a tab.
        problems: Faults of form (encoding, quoting, header, formula cells).
        open_end: Whether the last line has no end, as in a file that was cut off.
    """

    file: str
    columns: tuple[str, ...] = ()
    headings: tuple[str, ...] = ()
    rows: list[Row] = field(default_factory=list)
    delimiter: str = ","
    problems: list[Problem] = field(default_factory=list)
    open_end: bool = False


def read_table(path: Path, name: str | None = None) -> Table:
    """Read a CSV file (also ``.csv.gz``). Never raises for bad content: see ``Table.problems``.

    Byte order marks, UTF-16 and UTF-32, semicolons, tabs, bars, Windows and old Macintosh line ends, blanks around
    cells and empty lines are accepted. Cells that a spreadsheet would run as a formula are refused.
    """
    table = Table(name or path.name)
    text = _decode(path, table)
    if text is None:
        return table
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    hint = re.match(r"sep=([,;\t|])\n", text, re.IGNORECASE)
    table.delimiter = hint.group(1) if hint else delimiter_of(text)
    lines: list[tuple[int, list[str]]] = []
    try:
        rows = csv.reader(io.StringIO(text), delimiter=table.delimiter, strict=True, skipinitialspace=True)
        for number, cells in enumerate(rows, 1):
            lines.append((number, cells))
    except csv.Error as error:
        message = f"the quotation marks do not pair up or a cell is too long ({error})"
        table.problems.append(Problem(table.file, len(lines) + 1, message, _SAVE_AS))
        return table
    _fill(table, lines[1:] if hint else lines)
    table.open_end = not text.endswith("\n")
    if table.open_end and _ends_short(table, lines):
        message = (
            f"ends in the middle of a row ({len(lines[-1][1])} of {len(table.columns)} cells): it was cut off"
        )
        fix = "copy it again; if the row is meant so, end its line"
        table.problems.append(Problem(table.file, lines[-1][0], message, fix))
    return table


def decoded_text(path: Path) -> tuple[str, str]:
    """Return a table's text, in whatever coding it is, and what separates its cells; for tables that programs wrote.

    Raises:
        RecordingSetError: it is no text.
    """
    table = Table(path.name)
    text = _decode(path, table)
    if text is None:
        raise RecordingSetError(table.problems)
    return text, delimiter_of(text)


def _ends_short(table: Table, lines: Sequence[tuple[int, list[str]]]) -> bool:
    """Return whether the last row alone has fewer cells than there are columns."""
    widths = [len(cells) for _, cells in lines[1:] if cells]
    return len(widths) > 1 and widths[-1] < len(table.columns) <= min(widths[:-1])


def delimiter_of(text: str) -> str:
    """Return what separates the cells of the first line that is not blank."""
    header = next((line for line in re.split("[\r\n]", text) if line.strip()), "")
    return max(_DELIMITERS, key=re.sub(r'"[^"]*"', "", header).count)


def encoding_of(raw: bytes) -> str:
    """Return how a table's bytes are coded: UTF-8, unless a mark or zeros in its first letters say otherwise."""
    for mark, name in _WIDE_MARKS:
        if raw.startswith(mark):
            return name
    for zeros, name in ((b"\0\0\0", "utf-32"), (b"\0", "utf-16")):
        if raw[:1] != b"\0" and raw[1 : 1 + len(zeros)] == zeros:
            return f"{name}-le"
        if raw.startswith(zeros) and raw[len(zeros) : len(zeros) + 1] not in (b"", b"\0"):
            return f"{name}-be"
    return "utf-8-sig"


def _decode(path: Path, table: Table) -> str | None:
    try:
        raw = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    except (OSError, EOFError, zlib.error) as error:
        table.problems.append(Problem(table.file, None, f"cannot be read ({error})", "check the file"))
        return None
    if raw.startswith((b"PK\x03\x04", b"\xd0\xcf\x11\xe0")):
        table.problems.append(Problem(table.file, None, "is a spreadsheet file, not a CSV file", _SAVE_AS))
        return None
    encoding = encoding_of(raw)
    try:
        text = raw.decode(encoding)
    except UnicodeDecodeError as error:
        table.problems.append(_undecodable(table.file, raw, encoding, error))
        return None
    text = text.removesuffix("\x1a")  # the end of a file under MS-DOS
    if "\0" in text:
        row = text[: text.index("\0")].count("\n") + 1
        message = f"line {row} holds a zero byte, which no text has: the file is damaged, or no table"
        table.problems.append(Problem(table.file, row, message, f"copy it again, or {_SAVE_AS}"))
        return None
    return text


def _undecodable(file: str, raw: bytes, encoding: str, error: UnicodeDecodeError) -> Problem:
    """Say why a file is no text in its coding: cut off, stray bytes within UTF-8, or another coding altogether."""
    if encoding != "utf-8-sig":
        name = encoding[:6].upper()
        return Problem(
            file, None, f"begins as {name} text, but is damaged or cut off at its byte {error.start + 1}",
            f"copy it again, or {_SAVE_AS}",
        )  # fmt: skip
    row = raw[: error.start].replace(b"\r\n", b"\n").replace(b"\r", b"\n").count(b"\n") + 1
    lenient = raw.decode("utf-8", "surrogateescape")
    stray = [letter for letter in lenient if "\udc80" <= letter <= "\udcff"]
    whole = sum(ord(letter) > 127 for letter in lenient) - len(stray)
    byte = raw[error.start]
    if whole > len(stray):
        message = (
            f"is UTF-8 text with {counted(len(stray), 'stray byte')}, the first (0x{byte:02X}) in line {row}: a cell "
            "was damaged, or pasted in another coding"
        )
        return Problem(file, row, message, "correct that cell in a text editor and save the file as UTF-8")
    around = raw[max(0, error.start - 12) : error.start + 13].decode("cp1252", "replace")
    shown = re.split(r"[,;\t|\r\n]", around[min(error.start, 12) :])[0]
    shown = re.split(r"[,;\t|\r\n]", around[: min(error.start, 12)])[-1] + shown
    message = (
        f"is not UTF-8 text: line {row} holds the byte 0x{byte:02X}, which older programs write for a letter beyond "
        f"a to z ({_readings(raw, error.start, shown)})"
    )
    return Problem(file, row, message, _SAVE_AS)


def _readings(raw: bytes, place: int, shown: str) -> str:
    """Say how the cell around a byte reads in the codings that tables come in."""
    tried = [f"{shown.strip()!r} if it is Windows-1252"]
    start = max(raw.rfind(mark, 0, place) for mark in (b",", b";", b"\t", b"\n", b'"')) + 1
    end = min(
        (at for mark in (b",", b";", b"\t", b"\n", b"\r", b'"') if (at := raw.find(mark, place)) >= 0),
        default=None,
    )
    for coding, name in _EAST:
        try:
            text = raw[start:end].decode(coding)
            raw.decode(coding)
        except UnicodeDecodeError:
            continue
        if len(text) < 60 and all(
            letter.isascii()
            or "CJK" in unicodedata.name(letter, "")
            or "KANA" in unicodedata.name(letter, "")
            or "HANGUL" in unicodedata.name(letter, "")
            for letter in text
        ):
            tried.append(f"{text.strip()!r} if it is {name}")
    return ", ".join(tried)


def _fill(table: Table, lines: Sequence[tuple[int, list[str]]]) -> None:
    filled = [(number, [_bare(cell) for cell in cells]) for number, cells in lines]
    filled = [(number, cells) for number, cells in filled if any(cells)]
    if not filled:
        table.problems.append(
            Problem(table.file, None, "is empty", "write a header row and one row per item")
        )
        return
    header_row, header = filled[0]
    if header[0].startswith("#") and len(filled) > 1 and not any(header[1:]):
        message = f"begins with a remark ({header[0][:40]!r}); tables hold none"
        table.problems.append(Problem(table.file, header_row, message, "delete the line"))
        return
    while header and not header[-1]:
        header = header[:-1]
    table.headings, table.columns = tuple(header), tuple(name.lower() for name in header)
    twice = sorted({name for name in table.columns if name and table.columns.count(name) > 1})
    for name in twice:
        table.problems.append(
            Problem(table.file, header_row, f"column {name!r} occurs twice", "rename or delete one of them")
        )
    width = len(table.columns)
    for number, cells in filled[1:]:
        if any(cells[width:]):
            message = f"has {len(cells)} cells, the header has {width}"
            fix = "put text that holds the delimiter (a comma?) in double quotes"
            table.problems.append(Problem(table.file, number, message, fix))
            continue
        values = dict(zip(table.columns, cells, strict=False))
        for column, value in values.items():
            if _FORMULA.match(value):
                message = f"the cell {column!r} is a spreadsheet formula ({value[:20]!r})"
                fix = "write its value, or put an apostrophe before it"
                table.problems.append(Problem(table.file, number, message, fix))
        table.rows.append(Row(number, {column: bare_cell(value) for column, value in values.items()}))


def _bare(cell: str) -> str:
    """Return a cell without the blanks and invisible marks around it."""
    return cell.strip().strip(_INVISIBLE).strip()


def guarded_cell(text: str) -> str:
    """Return ``text`` so that no spreadsheet runs it as a formula (an apostrophe is put before it)."""
    return f"'{text}" if _RISKY_START.match(text) or _GUARDED.match(text) else text


def bare_cell(text: str) -> str:
    """Undo `guarded_cell`."""
    return text[1:] if _GUARDED.match(text) else text


def check_columns(
    table: Table, required: Sequence[str], optional: Sequence[str], further: Sequence[str] = ()
) -> tuple[list[Problem], list[Problem]]:
    """Return (problems, warnings) about a table's columns.

    A missing column is a problem, and so is an unknown one that looks like a misspelt known one, since its
    content would be lost; any other unknown column is a warning. Nothing is taken for a misspelt ``further`` one, since
    columns of a user's own, such as ``onset_zone``, look like them.
    """
    known = (*required, *optional)
    problems = [
        Problem(
            table.file, 1, f"the column {name!r} is missing", f"add it; the header is: {', '.join(known)}"
        )
        for name in required
        if name not in table.columns
    ]
    warnings: list[Problem] = []
    absent = [name for name in known if name not in table.columns]
    for name in table.columns:
        if name in known or name in further or not name:
            continue
        near = closest(name, absent)
        if near:
            problems.append(
                Problem(table.file, 1, f"unknown column {name!r}; did you mean {near!r}?", "rename it")
            )
        else:
            warnings.append(
                Problem(table.file, 1, f"the column {name!r} is not used", "nothing, if that is meant")
            )
    return problems, warnings


def closest(name: str, known: Iterable[str]) -> str | None:
    """Return the known name that ``name`` most probably misspells, or ``None``."""
    slug = re.sub(r"[\s\-]+", "_", name.strip().lower())
    by_slug = {item.lower(): item for item in known}
    by_start = [item for item in by_slug if slug and item.startswith(f"{slug}_")]
    near = by_start or get_close_matches(slug, by_slug, n=1, cutoff=0.7)
    return by_slug[near[0]] if near else None
