"""A table as papers print it, and its three forms: CSV, Markdown, and LaTeX with booktabs rules."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from semiology.reports.tables import neutral, plain, table_line

EMPTY = "--"
_LATEX = {
    "\\": r"\textbackslash{}",
    "&": r"\&",
    "%": r"\%",
    "$": r"\$",
    "#": r"\#",
    "_": r"\_",
    "{": r"\{",
    "}": r"\}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "−": "$-$",
    "≥": r"$\geq$",
    "³": r"\textsuperscript{3}",
}
_LATEX_SIGNS = re.compile("|".join(map(re.escape, _LATEX)))


@dataclass(frozen=True)
class Block:
    """Columns that stand beside each other in print.

    Attributes:
        columns: (group, name) of each column; an empty group stands alone.
        rows: cells of each row, as printed; `EMPTY` where there is nothing.
    """

    columns: tuple[tuple[str, str], ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class PaperTable:
    """One table.

    Attributes:
        stem: name of its files.
        caption: what it shows and by which rule.
        corner: heading of the first column.
        names: first cell of each row, the same in every block.
        blocks: printed one under the other.
    """

    stem: str
    caption: str
    corner: str
    names: tuple[str, ...]
    blocks: tuple[Block, ...]


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
    """Return one Markdown table per block under the caption."""
    lines = [f"**{plain(table.caption)}**", ""]
    for block in table.blocks:
        heads = [" ".join(filter(None, column)) for column in block.columns]
        lines += [table_line([table.corner, *heads]), table_line(["---"] + ["---:"] * len(heads))]
        lines += [
            table_line([name, *(cell if cell != EMPTY else "–" for cell in cells)])
            for name, cells in zip(table.names, block.rows, strict=True)
        ]
        lines.append("")
    return "\n".join(lines)


def paper_latex(table: PaperTable) -> str:
    r"""Return a table environment with booktabs rules (``\usepackage{booktabs}``)."""
    width = max(len(block.columns) for block in table.blocks)
    lines = [
        r"\begin{table*}",
        r"\centering",
        r"\small",
        rf"\caption{{{latex(table.caption)}}}",
        rf"\label{{tab:{table.stem}}}",
        rf"\begin{{tabular}}{{l{'r' * width}}}",
        r"\toprule",
    ]
    for i, block in enumerate(table.blocks):
        lines += [r"\midrule"] if i else []
        lines += [*_heads(table.corner, block, width), r"\midrule"]
        for name, cells in zip(table.names, block.rows, strict=True):
            lines.append(_row([name, *cells], width + 1))
    return "\n".join([*lines, r"\bottomrule", r"\end{tabular}", r"\end{table*}", ""])


def latex(text: str) -> str:
    """Return text in which LaTeX sees no command."""
    return _LATEX_SIGNS.sub(lambda found: _LATEX[found.group()], plain(text))


def _heads(corner: str, block: Block, width: int) -> list[str]:
    """Return the heading lines of a block: groups over their columns where there are any, then names."""
    names = _row([corner, *(name for _, name in block.columns)], width + 1)
    groups = [(group, len(list(columns))) for group, columns in groupby(block.columns, key=lambda c: c[0])]
    if not any(group for group, _ in groups):
        return [names]
    cells, rules, at = [""], [], 2
    for group, count in groups:
        cells.append(
            rf"\multicolumn{{{count}}}{{c}}{{{latex(group)}}}" if group else " & ".join([""] * count)
        )
        rules += [rf"\cmidrule(lr){{{at}-{at + count - 1}}}"] if group else []
        at += count
    filler = " &" * (width + 2 - at)
    return [f"{' & '.join(cells)}{filler} \\\\", " ".join(rules), names]


def _row(cells: Sequence[str], width: int) -> str:
    filled = [*map(latex, cells), *[""] * (width - len(cells))]
    return " & ".join(filled) + r" \\"
