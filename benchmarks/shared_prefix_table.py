"""From the measurements of ``shared_prefix.py`` to its table: ratios, shares of the floor, equal answers.

Plain dictionaries in (one per cell, as the cells' processes write them), rows out; nothing is timed here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from rich.table import Table

STOCK, OURS, FLOOR = "stock", "ours", "floor"

Cell = Mapping[str, Any]
"""``subject``, ``questions``, ``tokens``, ``side``, ``seconds``, ``counts``, ``texts``, ``peak_mib``,
``loaded_mib``; of stock also ``measured_questions`` where fewer were asked."""


@dataclass(frozen=True)
class Row:
    """One line of the table.

    Attributes:
        counts: Opens, decodes, vision runs, prefilled, suffix and generated tokens.
        seconds: End to end, without loading the model.
        extrapolated_from: Questions that were measured, where ``seconds`` and ``counts`` are a straight
            line through them; None where all were asked.
        ratio: Seconds of stock divided by these; None without stock.
        floor_share: Seconds of the floor divided by these, 0 to 1: the part of the possible ratio reached.
        peak_mib: Peak memory of the process while it answered, model included.
        memory_ratio: Peak divided by that of stock.
        equal: Answers equal to stock's; None where there is nothing to compare.
        compared: Answers that were compared.
    """

    subject: str
    tokens: int
    questions: int
    side: str
    counts: Mapping[str, int]
    seconds: float
    extrapolated_from: int | None = None
    ratio: float | None = None
    floor_share: float | None = None
    peak_mib: float | None = None
    memory_ratio: float | None = None
    equal: int | None = None
    compared: int | None = None

    @property
    def trusted(self) -> bool:
        """Whether the ratio stands: every answer that was compared is equal."""
        return self.equal is None or self.equal == self.compared

    def as_dict(self) -> dict[str, Any]:
        """Return the row for JSON."""
        return {**asdict(self), "counts": dict(self.counts), "answers_equal": self.trusted}


def rows_of(cells: Sequence[Cell]) -> list[Row]:
    """Return the table's rows in the order of the cells.

    Ratios compare cells of the same subject, tokens and questions only.

    Raises:
        ValueError: Two cells measure the same thing.
    """
    groups: dict[tuple[str, int, int], dict[str, Cell]] = {}
    for cell in cells:
        group = groups.setdefault((cell["subject"], cell["tokens"], cell["questions"]), {})
        if cell["side"] in group:
            raise ValueError(
                f"measured twice: {cell['subject']}, {cell['questions']} questions, {cell['side']}"
            )
        group[cell["side"]] = cell
    return [row for group in groups.values() for row in _group(group)]


def _group(group: Mapping[str, Cell]) -> list[Row]:
    plain = {side: _plain(cell) for side, cell in group.items()}
    stock, floor = plain.get(STOCK), plain.get(FLOOR)
    rows = []
    for side, row in plain.items():
        if stock is not None:
            row = replace(row, ratio=stock.seconds / row.seconds)
            if row.peak_mib and stock.peak_mib:
                row = replace(row, memory_ratio=row.peak_mib / stock.peak_mib)
            if side == OURS:
                equal, compared = equal_texts(group[STOCK]["texts"], group[OURS]["texts"])
                row = replace(row, equal=equal, compared=compared)
        if floor is not None:
            row = replace(row, floor_share=floor.seconds / row.seconds)
        rows.append(row)
    return rows


def _plain(cell: Cell) -> Row:
    """Return a cell's own figures, drawn out along a straight line where stock answered fewer questions."""
    measured = cell.get("measured_questions") or cell["questions"]
    factor = cell["questions"] / measured
    counts = {name: round(value * factor) for name, value in cell["counts"].items()}
    return Row(
        subject=cell["subject"],
        tokens=cell["tokens"],
        questions=cell["questions"],
        side=cell["side"],
        counts=counts,
        seconds=cell["seconds"] * factor,
        extrapolated_from=None if measured == cell["questions"] else measured,
        peak_mib=cell.get("peak_mib"),
    )


def equal_texts(stock: Sequence[Sequence[str]], ours: Sequence[Sequence[str]]) -> tuple[int, int]:
    """Return how many answers are equal, and how many were compared.

    Args:
        stock: Per window the answers of stock; of the first questions only where it was asked fewer.
        ours: Per window our answers.

    Raises:
        ValueError: Not the same windows, or ours lacks an answer that stock gave.
    """
    pairs = []
    for theirs, mine in zip(stock, ours, strict=True):
        if len(mine) < len(theirs):
            raise ValueError(f"{len(mine)} answers of ours to {len(theirs)} of stock")
        pairs += list(zip(theirs, mine, strict=False))
    return sum(theirs == mine for theirs, mine in pairs), len(pairs)


COUNTS = ("opens", "decodes", "vision_runs", "prefilled_tokens", "suffix_tokens", "generated_tokens")


def table_of(rows: Sequence[Row], title: str) -> Table:
    """Return the table for people."""
    table = Table(title=title, title_justify="left", caption=CAPTION, caption_justify="left")
    for name in ("model", "tokens", "questions", "side"):
        table.add_column(name)
    for name in (*COUNTS, "seconds", "ratio", "of the floor", "peak MiB", "equal answers"):
        table.add_column(name.replace("_", " "), justify="right")
    before = None
    for row in rows:
        group = (row.subject, row.tokens, row.questions)
        if before not in (None, group):
            table.add_section()
        before = group
        table.add_row(row.subject, str(row.tokens), str(row.questions), row.side, *_figures(row))
    return table


CAPTION = (
    "ratio: seconds of stock / these. of the floor: seconds of the floor / these. "
    "~n: not asked, a straight line through n measured questions. "
    "!: answers differ from stock's, so the ratio does not stand."
)


def _figures(row: Row) -> list[str]:
    mark = "" if row.extrapolated_from is None else f" ~{row.extrapolated_from}"
    peak = "" if row.peak_mib is None else f"{row.peak_mib:,.0f}"
    if row.memory_ratio is not None and row.side == OURS:
        peak += f" (x{row.memory_ratio:.2f})"
    return [
        *(f"{row.counts[name]:,}" for name in COUNTS),
        f"{row.seconds:,.2f}{mark}",
        "" if row.ratio is None else f"x{row.ratio:.1f}{'' if row.trusted else ' !'}",
        "" if row.floor_share is None else f"{row.floor_share:.0%}",
        peak,
        "" if row.equal is None else f"{row.equal}/{row.compared}",
    ]
