"""Which cells of a printed table are the best: ties as printed are best together, but not all of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Literal

Better = Literal["more", "less", ""]
Cells = Sequence[Sequence[str]]


def best_of_columns(rows: Cells, better: Sequence[Better]) -> frozenset[tuple[int, int]]:
    """Return row and column of the best cell of each column.

    Args:
        rows: printed cells; what is no number has no part in it.
        better: of each column, whether more or less is better; empty where nothing is to be marked.
    """
    found: set[tuple[int, int]] = set()
    for column, wanted in enumerate(better):
        found |= set(_best([(row, column) for row in range(len(rows))], rows, wanted))
    return frozenset(found)


def best_of_groups(rows: Cells, row: int, size: int) -> frozenset[tuple[int, int]]:
    """Return the highest cell of a row within each group of neighbouring columns."""
    found: set[tuple[int, int]] = set()
    for start in range(0, len(rows[row]), size):
        found |= set(_best([(row, column) for column in range(start, start + size)], rows, "more"))
    return frozenset(found)


def _best(places: Sequence[tuple[int, int]], rows: Cells, wanted: Better) -> Iterator[tuple[int, int]]:
    """Yield the best of some cells; nothing where none is worse, so that the best says nothing."""
    values = {place: value for place in places if (value := _number(rows[place[0]][place[1]])) is not None}
    if not wanted or len(set(values.values())) < 2:
        return
    best = max(values.values()) if wanted == "more" else min(values.values())
    yield from (place for place, value in values.items() if value == best)


def _number(cell: str) -> float | None:
    try:
        return float(cell)
    except ValueError:
        return None
