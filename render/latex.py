r"""Tables in LaTeX: booktabs rules, scaled by adjustbox where they are wider or taller than the page.

Every block of columns is a float of its own, and so are rows beyond `ROWS_PER_PAGE`; all but the first are
"(continued)". Not a longtable: LaTeX refuses these on pages of two columns.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby

from semiology.render.table import Column, Footnotes, Name, Row, Table
from semiology.render.text import MISSING, latex_text

ROWS_PER_PAGE = 40
TURNED_FROM = 6
"""Names of runs that head so many columns of a block, or more, are turned upright."""
NARROW = 6
"""A table of at most so many columns stands in one column of a page of two."""
NEEDS = r"""% Needs: \usepackage{booktabs} \usepackage{adjustbox} \usepackage{graphicx}"""
EMPTY = "--"


def table_latex(table: Table) -> str:
    r"""Return a table as one or more ``table`` or ``table*`` environments.

    The first line of the text names the packages that it needs. Names carry letters that refer to notes below
    the table; equal notes share a letter.
    """
    names = [*(row.cells[0] for row in table.rows), *(column.name for column in table.columns)]
    notes = list(dict.fromkeys(note for name in names if isinstance(name, Name) for note in _notes_of(name)))
    best, blocks = table.best(), list(table.blocks())
    environment = "table" if max(map(len, blocks)) < NARROW else "table*"
    lines = [NEEDS]
    continued = r" \emph{(continued)}"
    for number, (block, rows) in enumerate(_pages(table, blocks)):
        lines += [
            rf"\begin{{{environment}}}[tp]",
            *([r"\addtocounter{table}{-1}"] if number else []),
            r"\centering",
            rf"\caption{{{latex_text(table.title)}{continued * (number > 0)}}}",
            *([] if number or not table.stem else [rf"\label{{tab:{table.stem}}}"]),
            r"\begin{adjustbox}{max width=\linewidth, max totalheight=0.8\textheight}",
            rf"\begin{{tabular}}{{@{{}}l{''.join('l' if table.columns[at].left else 'r' for at in block)}@{{}}}}",
            r"\toprule",
            *_heads(table, block, notes),
            r"\midrule",
            *_rows(table, block, rows, best, notes),
            r"\bottomrule",
            r"\end{tabular}",
            r"\end{adjustbox}",
            *_below(table, notes),
            rf"\end{{{environment}}}",
        ]
    return "\n".join([*lines, ""])


def _pages(table: Table, blocks: Sequence[range]) -> Iterator[tuple[range, range]]:
    """Yield the columns and rows of each float."""
    count = len(table.rows)
    pages = -(-count // ROWS_PER_PAGE) or 1
    size = -(-count // pages) or 1
    for start in range(0, max(count, 1), size):
        for block in blocks:
            yield block, range(start, min(start + size, count))


def _heads(table: Table, block: range, notes: Sequence[str]) -> Iterator[str]:
    """Yield the lines of the heading: groups over their columns where there are any, then names."""
    columns = [table.columns[at] for at in block]
    groups = [(group, len(list(each))) for group, each in groupby(columns, key=lambda column: column.group)]
    if any(group for group, _ in groups):
        cells, rules, at = [""], [], 2
        for group, count in groups:
            cells.append(rf"\multicolumn{{{count}}}{{c}}{{{latex_text(group)}}}")
            rules += [rf"\cmidrule(lr){{{at}-{at + count - 1}}}"] if group else []
            at += count
        yield _line(cells)
        yield " ".join(rules)
    turned = sum(isinstance(column.name, Name) for column in columns) >= TURNED_FROM
    heads = [_name(column.name, notes) for column in columns]
    yield _line(
        [_name(table.columns[0].name, notes), *(rf"\rotatebox{{90}}{{{h}}}" if turned else h for h in heads)]
    )


def _rows(
    table: Table, block: range, rows: range, best: frozenset[tuple[int, int]], notes: Sequence[str]
) -> Iterator[str]:
    for number in rows:
        row = table.rows[number]
        before = table.rows[number - 1]
        if number > rows.start and (before.ends or row.baseline > before.baseline):
            yield r"\addlinespace"
        cells = [
            _name(row.cells[0], notes)
            if isinstance(row.cells[0], (Name, str))
            else _cell(table.columns[0], row, 0)
        ]
        for at in block:
            shown = _cell(table.columns[at], row, at)
            cells.append(rf"\textbf{{{shown}}}" if (number, at) in best else shown)
        yield _line(cells)


def _cell(column: Column, row: Row, at: int) -> str:
    """Return a number in LaTeX, with a minus sign as long as a plus sign."""
    shown = column.text(row.cells[at], Footnotes())
    if shown == MISSING:
        return EMPTY
    text = latex_text(shown)
    return text if isinstance(row.cells[at], str) else text.replace("-", "$-$")


def _line(cells: Sequence[str]) -> str:
    return f"{' & '.join(cells)} \\\\"


def _notes_of(name: Name) -> tuple[str, ...]:
    return (*name.notes, *filter(None, [name.remark]))


def _name(name: object, notes: Sequence[str]) -> str:
    """Return the name of a row or column, with the letters of its notes."""
    if not isinstance(name, Name):
        return latex_text(str(name))
    marks = ",".join(_letter(notes.index(note)) for note in _notes_of(name))
    return latex_text(name.short) + (rf"\textsuperscript{{{marks}}}" if marks else "")


def _below(table: Table, notes: Sequence[str]) -> list[str]:
    texts = [rf"\textsuperscript{{{_letter(i)}}}{latex_text(text)}." for i, text in enumerate(notes)]
    texts += map(latex_text, table.below)
    if not texts:
        return []
    return [r"\par\smallskip", rf"\parbox{{\linewidth}}{{\footnotesize {' '.join(texts)}}}"]


def _letter(i: int) -> str:
    return (chr(ord("a") + i // 26 - 1) if i >= 26 else "") + chr(ord("a") + i % 26)
