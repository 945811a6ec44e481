"""The shared-prefix benchmark computes its table rightly from given measurements; nothing is timed here."""

from __future__ import annotations

import json
import sys
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))

from shared_prefix_table import COUNTS, Row, equal_texts, rows_of, table_of


def cell(side: str, seconds: float, texts: list[list[str]], **others: Any) -> dict[str, Any]:
    counts = dict(zip(COUNTS, (20, 20, 20, 30_000, 0, 20), strict=True))
    if side != "stock":
        counts = dict(zip(COUNTS, (1, 1, 1, 1464, 1300, 20), strict=True))
    plain = {"subject": "medium", "questions": 20, "tokens": 1, "side": side, "seconds": seconds}
    return plain | {"counts": counts, "texts": texts, "peak_mib": 1000.0} | others


YES = [["yes"] * 20]


def by_side(cells: list[dict[str, Any]]) -> dict[str, Row]:
    return {row.side: row for row in rows_of(cells)}


def shown(cells: list[dict[str, Any]]) -> str:
    console = Console(width=250, record=True, file=StringIO())
    console.print(table_of(rows_of(cells), "title"))
    return console.export_text()


def test_ratio_and_share_of_the_floor() -> None:
    rows = by_side(
        [cell("floor", 2.0, []), cell("stock", 40.0, YES), cell("ours", 2.5, YES, peak_mib=1250.0)]
    )
    ours = rows["ours"]
    assert (ours.ratio, ours.floor_share, ours.memory_ratio) == (16.0, 0.8, 1.25)
    assert (ours.equal, ours.compared, ours.trusted) == (20, 20, True)
    assert rows["floor"].ratio == 20.0
    assert rows["stock"].ratio == 1.0
    assert ours.counts["prefilled_tokens"] == 1464


def test_a_ratio_without_equal_answers_is_marked() -> None:
    cells = [cell("stock", 40.0, YES), cell("ours", 2.0, [["no", *YES[0][1:]]])]
    ours = by_side(cells)["ours"]
    assert (ours.equal, ours.compared, ours.trusted) == (19, 20, False)
    assert ours.as_dict()["answers_equal"] is False
    assert "x20.0 !" in shown(cells)
    assert "19/20" in shown(cells)
    assert "x20.0 !" not in shown([cells[0], cell("ours", 2.0, YES)])


def test_stock_that_was_asked_fewer_is_a_straight_line_and_says_so() -> None:
    cells = [
        cell("stock", 40.0, YES, questions=120, measured_questions=20),
        cell("ours", 4.0, [["yes"] * 120], questions=120),
    ]
    rows = by_side(cells)
    stock = rows["stock"]
    assert (stock.seconds, stock.extrapolated_from) == (240.0, 20)
    assert (stock.counts["decodes"], stock.counts["prefilled_tokens"]) == (120, 180_000)
    assert rows["ours"].ratio == 60.0
    assert (rows["ours"].equal, rows["ours"].compared) == (20, 20)  # only what stock answered
    assert "~20" in shown(cells)
    assert rows["ours"].extrapolated_from is None


def test_only_cells_of_the_same_block_are_compared() -> None:
    cells = [
        cell("stock", 40.0, YES),
        cell("ours", 2.0, YES, tokens=16),
        cell("ours", 4.0, YES, subject="7b"),
    ]
    rows = rows_of(cells)
    assert [row.ratio for row in rows if row.side == "ours"] == [None, None]
    assert [row.equal for row in rows if row.side == "ours"] == [None, None]


def test_the_same_measurement_twice_is_an_error() -> None:
    with pytest.raises(ValueError, match="measured twice: medium, 20 questions, ours"):
        rows_of([cell("ours", 2.0, YES), cell("ours", 2.0, YES)])


def test_answers_are_compared_window_by_window() -> None:
    assert equal_texts([["a", "b"], ["c"]], [["a", "x", "y"], ["c", "z"]]) == (2, 3)
    with pytest.raises(ValueError, match="1 answers of ours to 2"):
        equal_texts([["a", "b"]], [["a"]])
    with pytest.raises(ValueError, match="zip"):
        equal_texts([["a"], ["b"]], [["a"]])


def test_rows_can_be_written_as_json_with_every_figure() -> None:
    (row,) = rows_of([cell("stock", 40.0, YES)])
    written = json.loads(json.dumps(row.as_dict()))
    assert written["counts"] == dict(row.counts)
    assert written["seconds"] == 40.0
