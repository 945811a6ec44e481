"""One table for people and machines: numbers go in, and come out for a terminal, Markdown, CSV, JSON, LaTeX.

A table holds numbers with their intervals, or the reason why they have none; how they look is decided where
they are shown. Example::

    table = Table(
        "Model A",
        (Column("feature"), Column("F1 [95 %]"), Column("always yes", rank=1), Column("unparsed", ".0%", "{} ({})")),
        (
            Row(("tonic", Number(0.52, 0.41, 0.62), 0.33, (3, 0.06))),
            Row(("clonic", Number(0.40, note="fewer than 10 patients show it"), 0.2, (0, 0.0))),
        ),
    )
    document = Document("Scores", caveats=("Simulated recordings.",), parts=(table,), remarks=("F1: of yes.",))
    markdown(document), print_document(document, Console()), table_csv(table), table_content(table)

`semiology.reports.tables.estimates.number_of` makes a number of an estimate; `semiology.render.latex` has the
LaTeX.
"""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any, Literal, TypeAlias

from rich.console import Console
from rich.measure import Measurement
from rich.table import Table as RichTable
from rich.text import Text

from semiology.render.text import escaped, escaped_cell, neutral, number_text, plain

Better = Literal["more", "less", ""]
PIPED_WIDTH = 400
"""Of a console whose output is no terminal: a file has no edge at which a number would be cut."""
WIDEST_NAME = 28
"""Letters after which the first column is broken into lines where a terminal is too narrow for all columns."""


@dataclass(frozen=True)
class Number:
    """A number that has an interval, or a reason why it has none.

    Attributes:
        value: None or NaN if undefined.
        low, high: limits of the interval; None if not estimable.
        note: why there is no value or interval, or what to keep in mind; a footnote.
    """

    value: float | None
    low: float | None = None
    high: float | None = None
    note: str | None = None

    @property
    def defined(self) -> bool:
        """Whether there is a value."""
        return self.value is not None and not math.isnan(self.value)


@dataclass(frozen=True)
class Noted:
    """A cell with a footnote; None for none."""

    cell: Cell
    note: str | None


@dataclass(frozen=True)
class Name:
    """The name of a row or column that is shorter in print.

    Attributes:
        text: in full, as no other name is.
        short: in print, where equal names differ in their notes.
        notes: what must be said beside its numbers where ``text`` does not; a footnote in print.
        remark: what must be said in any case, such as how much of the set stands behind the numbers.
    """

    text: str
    short: str
    notes: tuple[str, ...] = ()
    remark: str = ""


Cell: TypeAlias = "str | int | float | Number | Noted | Name | tuple[Cell, ...] | None"
"""What a table holds: text, a number (None or NaN: undefined), or several of these (see `Column.layout`)."""


@dataclass(frozen=True)
class Column:
    """A column and how its cells are shown.

    Attributes:
        name: heading.
        form: of its numbers (`semiology.render.text.number_text`); of several in a cell one each, or one for
            all. Whole numbers are shown as they are.
        layout: of cells that hold several numbers, such as ``{} ({})``.
        group: heading above this and the neighbouring columns of the same group.
        left: whether to align it at the left, as the first column always is.
        rank: 0 is always shown; on a narrow terminal columns of a higher rank drop out first.
        better: whether the highest or the lowest number of the column is the best, and so set in bold.
    """

    name: str | Name
    form: str | tuple[str, ...] = ".2f"
    layout: str = "{} / {}"
    group: str = ""
    left: bool = False
    rank: int = 0
    better: Better = ""

    @property
    def title(self) -> str:
        """Group and name in one."""
        name = self.name.text if isinstance(self.name, Name) else self.name
        return " ".join(filter(None, (self.group, name)))

    def text(self, cell: Cell, notes: Footnotes, form: str | None = None) -> str:
        """Return a cell of this column as text, its footnotes numbered in ``notes``."""
        form = form or (self.form if isinstance(self.form, str) else self.form[0])
        if isinstance(cell, Noted):
            return self.text(cell.cell, notes, form) + notes.mark(cell.note)
        if isinstance(cell, tuple):
            forms = [self.form] * len(cell) if isinstance(self.form, str) else self.form
            parts = [self.text(part, notes, form) for part, form in zip(cell, forms, strict=True)]
            return self.layout.format(*parts)
        if isinstance(cell, Number):
            shown = number_text(cell.value, form)
            if cell.defined:
                limits = f"[{number_text(cell.low, form)}, {number_text(cell.high, form)}]"
                shown += " not estimable" if cell.low is None else f" {limits}"
            return shown + notes.mark(cell.note)
        if isinstance(cell, Name):
            return cell.text
        if cell is None or isinstance(cell, float):
            return number_text(cell, form)
        return str(cell)


@dataclass(frozen=True)
class Row:
    """One row.

    Attributes:
        cells: one for each column.
        style: of rich; empty for none.
        ends: whether a rule or a space follows, as before means.
        baseline: whether it holds a trivial baseline, set apart from the rows of models.
        best: whether the highest number within each group of columns is set in bold.
    """

    cells: tuple[Cell, ...]
    style: str = ""
    ends: bool = False
    baseline: bool = False
    best: bool = False


@dataclass(frozen=True)
class Table:
    """A table.

    Attributes:
        title: heading or caption.
        columns, rows: the first column names the rows.
        level: of the heading in Markdown.
        above, below: sentences before and after the table.
        fold: columns (the first left out) that stand beside each other in print before the next ones follow
            in a block below; 0 for all.
        stem: name of its files, where it has its own.
    """

    title: str
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    level: int = 2
    above: tuple[str, ...] = ()
    below: tuple[str, ...] = ()
    fold: int = 0
    stem: str = ""

    @classmethod
    def of_rows(cls, rows: Sequence[Mapping[str, Any]], title: str = "") -> Table:
        """Return the table of flat rows that all have the keys of the first."""
        columns = tuple(Column(name, left=True) for name in rows[0]) if rows else ()
        return cls(title, columns, tuple(Row(tuple(row[name] for name in rows[0])) for row in rows))

    def blocks(self) -> Iterator[range]:
        """Yield the places of the columns of each block, the first column left out."""
        size = self.fold or max(len(self.columns) - 1, 1)
        for start in range(1, max(len(self.columns), 2), size):
            yield range(start, min(start + size, len(self.columns)))

    def best(self) -> frozenset[tuple[int, int]]:
        """Return row and column of the best numbers: ties as printed are best together, but not all of them."""
        found: set[tuple[int, int]] = set()
        for at, column in enumerate(self.columns):
            if column.better:
                found |= self._best([(row, at) for row in range(len(self.rows))], column.better)
        for number, row in enumerate(self.rows):
            if row.best:
                # Neighbours of the same group; blocks part groups of the same name.
                for block in self.blocks():
                    for _, group in groupby(block, key=lambda at: self.columns[at].group):
                        found |= self._best([(number, at) for at in group], "more")
        return frozenset(found)

    def _best(self, places: Sequence[tuple[int, int]], better: Better) -> set[tuple[int, int]]:
        values = {}
        for row, at in places:
            cell, form = self.rows[row].cells[at], self.columns[at].form
            value = cell.value if isinstance(cell, Number) else cell
            if isinstance(value, (int, float)) and not math.isnan(value):
                # Of equal numbers in print none is better: rounded as they are printed.
                values[row, at] = float(format(value, form if isinstance(form, str) else form[0]))
        if len(set(values.values())) < 2:
            return set()
        best = max(values.values()) if better == "more" else min(values.values())
        return {place for place, value in values.items() if value == best}


@dataclass(frozen=True)
class Lines:
    """Lines between tables.

    Attributes:
        texts: one a line.
        style: of rich, on a terminal.
        level: of a heading in Markdown; 0 for a paragraph.
    """

    texts: tuple[str, ...]
    style: str = ""
    level: int = 0


@dataclass(frozen=True)
class Document:
    """Tables with what a reader must know before and after the numbers.

    Attributes:
        title: heading of the whole.
        parts: tables, and lines between them.
        caveats: before the tables.
        remarks: what is true of every table, after them.
        notes: what is missing or went wrong, at the end, below the heading ``notes_title``.
        last: lines that close the document.
    """

    title: str
    parts: tuple[Table | Lines, ...]
    caveats: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    notes_title: str = "Notes"
    last: tuple[str, ...] = ()


@dataclass
class Footnotes:
    """Footnotes numbered by first use; the same text gets the same number."""

    texts: list[str] = field(default_factory=list)

    def mark(self, text: str | None) -> str:
        """Return `` (n)`` for a footnote, or an empty string for none."""
        if not text:
            return ""
        if text not in self.texts:
            self.texts.append(text)
        return f" ({self.texts.index(text) + 1})"


def markdown(document: Document) -> str:
    """Return a document in Markdown."""
    lines = [f"# {escaped(document.title)}", ""]
    lines += [f"> **Note.** {escaped(text)}" for text in document.caveats] + [""] * bool(document.caveats)
    notes = Footnotes()
    for part in document.parts:
        if isinstance(part, Lines):
            lines += [
                f"{'#' * part.level} {escaped(text)}" if part.level else escaped(text) for text in part.texts
            ]
            lines.append("")
            continue
        if part.title:
            lines += [
                f"{'#' * part.level} {escaped(part.title)}" if part.level else f"**{escaped(part.title)}**  "
            ]
            lines += [""] * (part.level > 0)
        if part.above:
            lines += ["  \n".join(map(escaped, part.above)), ""]
        lines += markdown_table(part, notes)
    lines += [f"({i}) {escaped(text)}  " for i, text in enumerate(notes.texts, start=1)]
    lines += ["", *(f"- {escaped(text)}" for text in document.remarks), ""]
    if document.notes:
        lines += [f"## {document.notes_title}", "", *(f"- {escaped(text)}" for text in document.notes), ""]
    if document.last:
        lines += [*(f"{escaped(text)}  " for text in document.last), ""]
    return "\n".join(lines)


def markdown_table(table: Table, notes: Footnotes) -> list[str]:
    """Return the lines of a table in Markdown, one block below the other, without its title."""
    best = table.best()
    lines = []
    for block in table.blocks():
        places = [0, *block]
        columns = [table.columns[at] for at in places]
        lines.append(f"| {' | '.join(escaped_cell(column.title) for column in columns)} |")
        lines.append(f"| {' | '.join('---' if _left(table, at) else '---:' for at in places)} |")
        for number, row in enumerate(table.rows):
            cells = [escaped_cell(table.columns[at].text(row.cells[at], notes)) for at in places]
            bold = [f"**{c}**" if (number, at) in best else c for at, c in zip(places, cells, strict=True)]
            lines.append(f"| {' | '.join(bold)} |")
        lines.append("")
    return lines


def paper_markdown(table: Table) -> str:
    """Return a table by itself in Markdown: caption, blocks below each other, what must be said of names, notes."""
    lines = [f"**{plain(table.title)}**", "", *markdown_table(table, Footnotes())]
    names = [*(row.cells[0] for row in table.rows), *(column.name for column in table.columns)]
    told = dict.fromkeys(f"{n.text}: {n.remark}." for n in names if isinstance(n, Name) and n.remark)
    lines += [f"- {escaped(text)}" for text in (*told, *table.below)]
    return "\n".join([*lines, ""] if told or table.below else lines)


def table_console(width: int = 200) -> Console:
    """Return the console that tables are printed on: the terminal, or `width` letters where there is none."""
    console = Console()
    return console if console.is_terminal else Console(width=width)


def print_document(document: Document, console: Console) -> None:
    """Print a document, its tables with the widest set of columns that fits the console."""
    for text in document.caveats:
        console.print(Text(f"Note: {plain(text)}", style="yellow"))
    notes = Footnotes()
    rank, stacked = _fitting([part for part in document.parts if isinstance(part, Table)], console)
    for part in document.parts:
        if isinstance(part, Lines):
            for text in part.texts:
                console.print(Text(plain(text), style=part.style))
        else:
            console.print(_rich_table(part, notes, rank, stacked=stacked))
    if any(
        column.rank > rank for part in document.parts if isinstance(part, Table) for column in part.columns
    ):
        console.print(Text("A wider terminal, and --out, show all columns.", style="dim"))
    for i, text in enumerate(notes.texts, start=1):
        console.print(Text(f"({i}) {plain(text)}", style="dim"))
    for text in document.remarks:
        console.print(Text(plain(text), style="dim"))
    for text in document.notes:
        console.print(Text(f"• {plain(text)}", style="yellow"))
    if document.last:
        console.print(Text("\n".join(map(plain, document.last)), style="bold"), soft_wrap=True)


def _fitting(tables: Sequence[Table], console: Console) -> tuple[int, bool]:
    """Return up to which rank the columns of all tables fit the console, and whether intervals are stacked."""
    # Measured without an edge: within one, a table is never wider than it.
    free = console.options.update(width=PIPED_WIDTH)
    for rank in sorted({column.rank for table in tables for column in table.columns}, reverse=True):
        for stacked in (False, True):
            shown = [_rich_table(table, Footnotes(), rank, stacked=stacked) for table in tables]
            if all(Measurement.get(console, free, each).maximum <= console.width for each in shown):
                return rank, stacked
    return 0, True


def _rich_table(table: Table, notes: Footnotes, rank: int, *, stacked: bool) -> RichTable:
    places = [at for at, column in enumerate(table.columns) if column.rank <= rank]
    whole = len(places) == len(table.columns)
    shown = RichTable(title_justify="left", header_style="bold", pad_edge=False)
    shown.title = Text(plain(table.title)) if table.title else None
    for at in places:
        heading = table.columns[at].title
        if stacked:
            heading = heading.replace(" [", "\n[").replace(" (", "\n(").replace(" / ", " /\n")
        shown.add_column(
            heading,
            justify="left" if _left(table, at) else "right",
            overflow="fold",
            max_width=None if at or whole else WIDEST_NAME,
        )
    for row in table.rows:
        cells = [
            plain(table.columns[at].text(row.cells[at], notes)) if at < len(row.cells) else ""
            for at in places
        ]
        if stacked:
            cells = [cell.replace(" [", "\n[").replace(" not est", "\nnot est") for cell in cells]
        shown.add_row(*map(Text, cells), style=row.style or None, end_section=row.ends)
    return shown


def _left(table: Table, at: int) -> bool:
    return at == 0 or table.columns[at].left


def csv_of(rows: Sequence[Mapping[str, Any]], heading: str = "model") -> str:
    """Return rows as CSV, cells that a spreadsheet would run as a formula made harmless.

    Args:
        rows: cells by column; all rows have the columns of the first.
        heading: only column of a table without rows.
    """
    out = io.StringIO()
    writer = csv.DictWriter(out, list(rows[0]) if rows else [heading], lineterminator="\n")
    writer.writeheader()
    writer.writerows({key: neutral(value) for key, value in row.items()} for row in rows)
    return out.getvalue()


def table_csv(table: Table, *, printed: bool = False) -> str:
    """Return a table as CSV, with limits and notes in columns of their own.

    Args:
        table: the table.
        printed: give numbers as they are printed, without limits, in place of their full values.
    """
    if not printed:
        rows = table_content(table)["rows"]
        heads = list(dict.fromkeys(name for row in rows for name in row))
        return csv_of([{name: row.get(name) for name in heads} for row in rows], table.columns[0].title)
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow([column.title for column in table.columns])
    for row in table.rows:
        cells = [_single(cell) for cell in row.cells]
        writer.writerow(
            [
                "" if _undefined(cell) else neutral(column.text(cell, Footnotes()))
                for column, cell in zip(table.columns, cells, strict=True)
            ]
        )
    return out.getvalue()


def table_content(table: Table) -> dict[str, Any]:
    """Return a table ready for JSON: title, rows by column with limits and notes, sentences."""
    rows = []
    for row in table.rows:
        cells: dict[str, Any] = {}
        for column, cell in zip(table.columns, row.cells, strict=True):
            cells |= _content(column.title, cell)
        rows.append(cells)
    return {"title": table.title, "rows": rows, "notes": [*table.above, *table.below]}


def _content(name: str, cell: Cell) -> dict[str, Any]:
    if isinstance(cell, Noted):
        return _content(name, cell.cell) | {f"{name} note": cell.note}
    if isinstance(cell, tuple):
        parts = [_content(name if i == 1 else f"{name} {i}", part) for i, part in enumerate(cell, start=1)]
        return {key: value for part in parts for key, value in part.items()}
    if isinstance(cell, Number):
        limits = {f"{name} low": cell.low, f"{name} high": cell.high, f"{name} note": cell.note}
        return {name: cell.value if cell.defined else None} | limits
    if isinstance(cell, Name):
        return {name: cell.text}
    return {name: None if _undefined(cell) else cell}


def _single(cell: Cell) -> Cell:
    """Return a cell without its interval and footnote."""
    if isinstance(cell, Noted):
        return _single(cell.cell)
    return cell.value if isinstance(cell, Number) else cell


def _undefined(cell: Cell) -> bool:
    return cell is None or (isinstance(cell, float) and math.isnan(cell))
