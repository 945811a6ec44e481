r"""A table as papers print it, in LaTeX: booktabs rules, set to fit a page of two columns.

The width is estimated from the letters, so that the font can be chosen and the columns can be broken into
blocks without a run of LaTeX; what is too tall for one page, blocks or rows, goes into continued tables.
"""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby, zip_longest

from semiology.render.text import plain
from semiology.reports.tables.paper.table import Block, PaperTable

COLUMN_WIDTH = 234.0
"""Points of one column of ICML's style, the narrower of the two that the papers use (IEEE: 252)."""
PAGE_WIDTH = 486.0
"""Points of both columns of ICML's style (IEEE: 516)."""
PAGE_HEIGHT = 560.0
"""Points that the rows of one table may take, caption and notes left out."""
NAMES_WIDTH, TURNED_HEIGHT = 170.0, 130.0
"""Points after which a name is broken into lines: in the first column, and turned upright."""
LEADING = 1.25
HEAD_LINES = 4
"""Lines that the headings and rules of a block take, turned names left out."""
TURNED = 9
"""Names of runs of more letters than this are turned upright where the columns are too wide otherwise."""
_EMS = {
    **dict.fromkeys("iljI.,:;'|! ", 0.3),
    **dict.fromkeys("tfrs()[]-", 0.42),
    **dict.fromkeys("w", 0.75),
    **dict.fromkeys("mMW%@", 0.95),
}
"""Width of letters in the height of the font; others: capitals 0.75, the rest 0.54."""
_SIGNS = {
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
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    '"': "''",
    # After a line's end LaTeX would take these for options of the line break.
    "[": "{[}",
    "*": "{*}",
    "−": "$-$",
    "≥": r"$\geq$",
    "≤": r"$\leq$",
    "±": r"$\pm$",
    "×": r"$\times$",
    "→": r"$\rightarrow$",
    "Δ": r"$\Delta$",
    "µ": r"$\mu$",
    "·": r"$\cdot$",
    "…": r"\ldots{}",
    "–": "--",
    "—": "---",
    "‘": "`",
    "’": "'",
    "“": "``",
    "”": "''",
    "°": r"$^{\circ}$",
    "¹": r"\textsuperscript{1}",
    "²": r"\textsuperscript{2}",
    "³": r"\textsuperscript{3}",
    "†": r"\dag{}",
    "\u00a0": "~",
}


@dataclass(frozen=True)
class _Setting:
    """How a table is set: command for the letters, their height and the space beside columns in points."""

    command: str
    size: float
    sep: float
    turned: bool


SETTINGS = tuple(
    _Setting(command, size, sep, turned)
    for turned in (False, True)
    for command, size, sep in (
        (r"\small", 9.0, 4.0),
        (r"\footnotesize", 8.0, 3.0),
        (r"\scriptsize", 7.0, 2.0),
    )
)
"""The first that fits is used."""


def paper_latex(table: PaperTable) -> str:
    r"""Return the table in one or more ``table`` or ``table*`` environments.

    Needs ``\usepackage{booktabs}`` and, where headings are turned, ``\usepackage{graphicx}``: the first lines
    of the text say so. Runs carry letters that refer to notes below the table.
    """
    notes = _Notes(table)
    setting = next((each for each in SETTINGS if _fits(table, each)), SETTINGS[-1])
    blocks = table.blocks
    if not _fits(table, setting):
        blocks = tuple(part for block in blocks for part in _narrowed(table, block, setting))
    width = _width(table, blocks, setting)
    environment = "table" if width <= COLUMN_WIDTH else "table*"
    parts = _by_rows(replace(table, blocks=tuple(blocks)), setting)
    pages = [(part, page) for part in parts for page in _pages(part, part.blocks, setting)]
    lines = _header(table, blocks, setting)
    for number, (part, page) in enumerate(pages):
        continued = r" \emph{(continued)}" if number else ""
        lines += [
            rf"\begin{{{environment}}}[tp]",
            *([r"\addtocounter{table}{-1}"] if number else []),
            r"\centering",
            rf"\caption{{{latex(table.caption)}{continued}}}",
            *([] if number else [rf"\label{{tab:{table.stem}}}"]),
            r"\smallskip",
            setting.command,
            rf"\setlength{{\tabcolsep}}{{{setting.sep:g}pt}}",
            *_tabular(part, page, setting, notes),
            *notes.lines(),
            rf"\end{{{environment}}}",
        ]
    return "\n".join([*lines, ""])


def latex(text: str) -> str:
    """Return text in which LaTeX sees no command, and no letter that pdfLaTeX cannot set.

    Letters beyond Latin-1 lose their accents; those without a Latin letter beneath are named by code point.
    """
    return "".join(_SIGNS.get(letter) or _letter(letter) for letter in plain(text))


def _letter(letter: str) -> str:
    # Eth and thorn are not in LaTeX's own encoding of fonts.
    if letter.isascii() or (letter.isalpha() and ord(letter) < 256 and letter not in "ªºÐðÞþ"):
        return letter
    bare = "".join(part for part in unicodedata.normalize("NFKD", letter).replace("⁄", "/") if part.isascii())
    if bare:
        return "".join(_SIGNS.get(part, part) for part in bare)
    return "" if unicodedata.combining(letter) else rf"\texttt{{U+{ord(letter):04X}}}"


class _Notes:
    """Letters beside the names of runs, and the notes that they refer to."""

    def __init__(self, table: PaperTable) -> None:
        self._table = table
        self._texts = list(dict.fromkeys(text for name in table.printed.values() for text in name.notes))

    def name(self, cell: str) -> str:
        """Return the name of a run, with the letters of its notes; any other cell as it is."""
        printed = self._table.printed.get(cell)
        if printed is None:
            return latex(cell)
        marks = ",".join(_marker(self._texts.index(text)) for text in printed.notes)
        return latex(printed.text) + (rf"\textsuperscript{{{marks}}}" if marks else "")

    def lines(self) -> list[str]:
        """Return the notes as a paragraph below the table."""
        texts = [rf"\textsuperscript{{{_marker(i)}}}{latex(text)}." for i, text in enumerate(self._texts)]
        texts += [latex(text) for text in self._table.notes]
        if not texts:
            return []
        return [r"\par\smallskip", rf"\parbox{{\linewidth}}{{\footnotesize {' '.join(texts)}}}"]


def _marker(i: int) -> str:
    return chr(ord("a") + i) if i < 26 else f"{chr(ord('a') + i // 26 - 1)}{chr(ord('a') + i % 26)}"


def _header(table: PaperTable, blocks: Sequence[Block], setting: _Setting) -> list[str]:
    needs = r"\usepackage{booktabs}"
    if any(_turned(table, block, setting) for block in blocks):
        needs += r" \usepackage{graphicx}"
    return [
        rf"% Needs: {needs}",
        "% Set for a page of two columns: at least 486 points (6.75 in) between the margins.",
    ]


def _tabular(table: PaperTable, blocks: Sequence[Block], setting: _Setting, notes: _Notes) -> list[str]:
    width = max(len(block.columns) for block in blocks)
    long = _names_width(table, setting.size) >= NAMES_WIDTH
    first = rf"p{{{NAMES_WIDTH:g}pt}}" if long else "l"
    lines = [rf"\begin{{tabular}}{{@{{}}{first}{'r' * width}@{{}}}}", r"\toprule"]
    for i, block in enumerate(blocks):
        lines += [r"\midrule"] if i else []
        lines += [*_heads(table, block, width, setting, notes), r"\midrule"]
        for row, (name, cells) in enumerate(zip(table.names, block.rows, strict=True)):
            if name in table.baselines and row and table.names[row - 1] not in table.baselines:
                lines.append(r"\addlinespace")
            best = [column for at, column in block.best if at == row]
            set_ = [rf"\textbf{{{latex(c)}}}" if i in best else latex(c) for i, c in enumerate(cells)]
            shown = rf"\raggedright {_breakable(notes.name(name))}" if long else notes.name(name)
            lines.append(_row([shown, *set_], width + 1))
    return [*lines, r"\bottomrule", r"\end{tabular}"]


def _heads(table: PaperTable, block: Block, width: int, setting: _Setting, notes: _Notes) -> list[str]:
    """Return the heading lines of a block: groups over their columns where there are any, then names."""
    heads = [notes.name(name) for _, name in block.columns]
    if _turned(table, block, setting):
        heads = [
            rf"\rotatebox{{90}}{{{_broken(head, _length(_shown(table, name), setting.size))}}}"
            for head, (_, name) in zip(heads, block.columns, strict=True)
        ]
    names = _row([latex(table.corner), *heads], width + 1)
    groups = [(group, len(list(columns))) for group, columns in groupby(block.columns, key=lambda c: c[0])]
    if not any(group for group, _ in groups):
        return [names]
    widths = _column_widths(table, block, setting)
    cells, rules, at = [""], [], 2
    for group, count in groups:
        room = sum(widths[at - 2 : at - 2 + count]) + 2 * setting.sep * (count - 1)
        head = _stacked(group, room, setting.size)
        cells.append(rf"\multicolumn{{{count}}}{{c}}{{{head}}}" if group else " & ".join([""] * count))
        rules += [rf"\cmidrule(lr){{{at}-{at + count - 1}}}"] if group else []
        at += count
    filler = " &" * (width + 2 - at)
    return [f"{' & '.join(cells)}{filler} \\\\", " ".join(rules), names]


def _broken(head: str, length: float) -> str:
    """Return a heading to be turned, in lines if it would stand too high."""
    if length <= TURNED_HEIGHT:
        return head
    return rf"\parbox{{{TURNED_HEIGHT:g}pt}}{{\raggedright {_breakable(head)}}}"


def _breakable(name: str) -> str:
    """Return a name that may be broken at its joints, without hyphens."""
    for joint in (r"\_", "/", "-"):
        name = name.replace(joint, rf"{joint}\allowbreak{{}}")
    return name


def _stacked(text: str, room: float, size: float) -> str:
    """Return a heading in as many lines as its words need to stand over its columns."""
    lines: list[str] = []
    for word in text.split(" "):
        longer = f"{lines[-1]} {word}" if lines else word
        if lines and _length(longer, size) <= room:
            lines[-1] = longer
        else:
            lines.append(word)
    if len(lines) == 1:
        return latex(lines[0])
    stacked = r"\\".join(map(latex, lines))
    return rf"\shortstack{{{stacked}}}"


def _row(cells: Sequence[str], width: int) -> str:
    return " & ".join([*cells, *[""] * (width - len(cells))]) + r" \\"


def _fits(table: PaperTable, setting: _Setting) -> bool:
    return _width(table, table.blocks, setting) <= PAGE_WIDTH


def _width(table: PaperTable, blocks: Sequence[Block], setting: _Setting) -> float:
    """Return the width of blocks under each other, which share their columns."""
    each = [_column_widths(table, block, setting) for block in blocks]
    columns = [max(widths) for widths in zip_longest(*each, fillvalue=0.0)]
    return _names_width(table, setting.size) + sum(columns) + 2 * setting.sep * len(columns)


def _names_width(table: PaperTable, size: float) -> float:
    names = [_shown(table, name) for name in (*table.names, table.corner)]
    return min(max(_length(name, size) for name in names), NAMES_WIDTH)


def _column_widths(table: PaperTable, block: Block, setting: _Setting) -> list[float]:
    size = setting.size
    turned = _turned(table, block, setting)
    # Bold figures are a little wider.
    widths = [
        max(1.1 * _length(row[at], size) for row in block.rows) if block.rows else 0.0
        for at in range(len(block.columns))
    ]
    heads = [_length(_shown(table, name), size) for _, name in block.columns]
    if turned:
        heads = [size * LEADING * math.ceil(length / TURNED_HEIGHT) for length in heads]
    widths = [max(pair) for pair in zip(widths, heads, strict=True)]
    at = 0
    for group, columns in groupby(block.columns, key=lambda c: c[0]):
        count = len(list(columns))
        # The longest word of a group's heading cannot be broken; LaTeX widens the last column for it.
        word = max((_length(word, size) for word in group.split(" ")), default=0.0)
        widths[at + count - 1] += max(0.0, word - sum(widths[at : at + count]))
        at += count
    return widths


def _shown(table: PaperTable, name: str) -> str:
    printed = table.printed.get(name)
    return name if printed is None else printed.text + "," * len(printed.notes)


def _turned(table: PaperTable, block: Block, setting: _Setting) -> bool:
    return setting.turned and any(
        name in table.printed and len(_shown(table, name)) > TURNED for _, name in block.columns
    )


def _length(text: str, size: float) -> float:
    """Return about how many points a text takes in Computer Modern or Times."""
    return size * sum(_EMS.get(letter, 0.75 if letter.isupper() else 0.54) for letter in text)


def _narrowed(table: PaperTable, block: Block, setting: _Setting) -> Iterator[Block]:
    """Yield parts of a block that fit the page, broken between groups of columns where that is possible."""
    # Blocks under each other share columns whose groups may not lie above each other: hence some room.
    room = 0.95 * PAGE_WIDTH - _names_width(table, setting.size)
    widths = [width + 2 * setting.sep for width in _column_widths(table, block, setting)]
    start = 0
    while start < len(widths):
        end, used = start, 0.0
        while end < len(widths) and (end == start or used + widths[end] <= room):
            used += widths[end]
            end += 1
        if end < len(widths):
            whole = end
            while whole > start and block.columns[whole][0] == block.columns[whole - 1][0] != "":
                whole -= 1
            end = whole if whole > start else end
        yield _part(block, start, end)
        start = end


def _part(block: Block, start: int, end: int) -> Block:
    best = frozenset((row, at - start) for row, at in block.best if start <= at < end)
    return Block(block.columns[start:end], tuple(row[start:end] for row in block.rows), best)


def _by_rows(table: PaperTable, setting: _Setting) -> Iterator[PaperTable]:
    """Yield parts of a table that each have so few rows that a block fits one page."""
    line = setting.size * LEADING
    heads = max((_head_height(table, block, setting) for block in table.blocks), default=0.0)
    pages = math.ceil(len(table.names) / int((PAGE_HEIGHT - heads) / line - HEAD_LINES))
    rows = math.ceil(len(table.names) / max(pages, 1))
    for start in range(0, len(table.names), max(rows, 1)):
        end = start + rows
        blocks = tuple(
            Block(
                block.columns,
                block.rows[start:end],
                frozenset((row - start, at) for row, at in block.best if start <= row < end),
            )
            for block in table.blocks
        )
        yield replace(table, names=table.names[start:end], blocks=blocks)


def _head_height(table: PaperTable, block: Block, setting: _Setting) -> float:
    """Return the points that turned names stand above the rows; 0 where none are turned."""
    if not _turned(table, block, setting):
        return 0.0
    head = max((_length(_shown(table, name), setting.size) for _, name in block.columns), default=0.0)
    return min(head, TURNED_HEIGHT)


def _pages(table: PaperTable, blocks: Sequence[Block], setting: _Setting) -> Iterator[list[Block]]:
    """Yield the blocks of one page after the other."""
    page: list[Block] = []
    used = 0.0
    for block in blocks:
        lines = len(block.rows) + HEAD_LINES
        tall = lines * setting.size * LEADING + _head_height(table, block, setting)
        if page and used + tall > PAGE_HEIGHT:
            yield page
            page, used = [], 0.0
        page.append(block)
        used += tall
    yield page
