"""A table as papers print it, as CSV and Markdown (`semiology.reports.tables.paper.latex` has the LaTeX)."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from semiology.render.table import table_line
from semiology.render.text import escaped, neutral, plain

EMPTY = "--"


@dataclass(frozen=True)
class Block:
    """Columns that stand beside each other in print.

    Attributes:
        columns: (group, name) of each column; an empty group stands alone.
        rows: cells of each row, as printed; `EMPTY` where there is nothing.
        best: row and column of each cell printed bold.
    """

    columns: tuple[tuple[str, str], ...]
    rows: tuple[tuple[str, ...], ...]
    best: frozenset[tuple[int, int]] = frozenset()


@dataclass(frozen=True)
class PrintedName:
    """The name of a run in print.

    Attributes:
        text: short name; runs of equal names differ in their notes.
        notes: what must be said beside its numbers.
        coverage: the last note, where it tells how many recordings stand behind the numbers; empty otherwise.
    """

    text: str
    notes: tuple[str, ...] = ()
    coverage: str = ""


@dataclass(frozen=True)
class PaperTable:
    """One table.

    Attributes:
        stem: name of its files.
        caption: what it shows and by which rule.
        corner: heading of the first column.
        names: first cell of each row, the same in every block.
        blocks: printed one under the other.
        printed: names of runs in print, by the cell or column heading that names them.
        baselines: cells of `names` that are trivial baselines.
        notes: sentences below the table.
    """

    stem: str
    caption: str
    corner: str
    names: tuple[str, ...]
    blocks: tuple[Block, ...]
    printed: Mapping[str, PrintedName] = field(default_factory=dict)
    baselines: frozenset[str] = frozenset()
    notes: tuple[str, ...] = ()


def paper_csv(table: PaperTable) -> str:
    """Return all blocks side by side, two heading cells joined into one; spreadsheet formulas disarmed."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    heads = [" ".join(filter(None, column)) for block in table.blocks for column in block.columns]
    writer.writerow([table.corner, *heads])
    for i, name in enumerate(table.names):
        cells = [cell if cell != EMPTY else "" for block in table.blocks for cell in block.rows[i]]
        writer.writerow([neutral(name), *map(neutral, cells)])
    return out.getvalue()


def paper_markdown(table: PaperTable) -> str:
    """Return one Markdown table per block under the caption, and the notes."""
    lines = [f"**{plain(table.caption)}**", ""]
    for block in table.blocks:
        heads = [" ".join(filter(None, column)) for column in block.columns]
        lines += [table_line([table.corner, *heads]), table_line(["---"] + ["---:"] * len(heads))]
        for row, (name, cells) in enumerate(zip(table.names, block.rows, strict=True)):
            lines.append(_markdown_row(name, [(c, (row, at) in block.best) for at, c in enumerate(cells)]))
        lines.append("")
    partial = [f"{name}: {run.coverage}." for name, run in table.printed.items() if run.coverage]
    lines += [f"- {escaped(text)}" for text in (*partial, *table.notes)]
    return "\n".join([*lines, ""] if partial or table.notes else lines)


def _markdown_row(name: str, cells: Sequence[tuple[str, bool]]) -> str:
    """Return a line of figures, some of them bold."""
    shown = ["–" if cell == EMPTY else f"**{cell}**" if best else cell for cell, best in cells]
    return " | ".join([table_line([name]).removesuffix(" |"), *shown]) + " |"
