"""The results of ``semiology optimize`` for people: every number whole on a terminal of 80 columns."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from semiology.optimization.search.run_folder import WORDINGS, wording_id
from semiology.prompts.library import load_library
from semiology.render.text import counted

if TYPE_CHECKING:
    from rich.console import Console

    from semiology.metrics.statistics.intervals import Estimate
    from semiology.optimization.search.run import FeatureResult, OptimizationResult
    from semiology.optimization.search.scores import WordingComparison
    from semiology.optimization.search.search import FoundWording

NO_INTERVAL = "(*)"
# Columns and the widest content of each, an interval on a line of its own: "[0.20, 0.30]", "[-0.20, -0.10]".
_FIGURES = {"F1 before": 12, "F1 after": 12, "difference": 14}


def print_result(result: OptimizationResult, console: Console) -> None:
    """Print both wordings' scores on development and test, the chosen wordings, and what to know."""
    cells: list[str] = []
    for part in ("development", "test"):
        cells += _print_part(part, result.features, console)
    if any(NO_INTERVAL in cell for cell in cells):
        _line(console, f"{NO_INTERVAL} no interval; summary.json says why")
    for each in result.features:
        _line(console, chosen_line(each.found))
    for note in result.notes:
        _line(console, f"- {note}")


def chosen_line(found: FoundWording) -> str:
    """Return the chosen wording and where it comes from, in one line."""
    prompt = found.prompt
    if not found.is_new:
        earlier = prompt.provenance == "optimized"
        kind = f"{'found by an earlier search' if earlier else 'a wording of the library'}, {prompt.id}"
    else:
        known = [
            each.id for each in load_library().feature(found.feature).prompts if each.text == prompt.text
        ]
        kind = f"the text of {known[0]} with another answer format, {prompt.answer}" if known else "new"
    same = " (the one it began with)" if found.chosen == found.begun_text else ""
    return f"{found.feature}: {kind}{same}: {found.chosen}"


def next_commands(result: OptimizationResult, out: Path) -> list[str]:
    """Return for each new wording the command that asks with it."""
    new = [each.found for each in result.features if each.wordings is not None]
    return [
        f"SEMIOLOGY_PROMPTS={shlex.quote(str(out / WORDINGS))} semiology run --prompt "
        f"{wording_id(found.prompt.text, found.prompt.answer)} --tasks semiology_{found.feature} …"
        for found in new
    ]


def _print_part(part: str, features: Sequence[FeatureResult], console: Console) -> list[str]:
    """Print one table and return its cells."""
    from rich import box
    from rich.table import Table

    table = Table(
        title=f"{part} patients{' (selected on them: too high)' if part == 'development' else ''}, "
        "95 % intervals",
        box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, title_justify="left",
    )  # fmt: skip
    table.add_column("feature", overflow="fold")
    for name, width in _FIGURES.items():
        table.add_column(name, min_width=width)
    if part == "test":  # no test is valid on the patients that chose
        table.add_column("p", no_wrap=True)
    table.add_column("always\nyes", min_width=6)
    rows = [_cells(each, part) for each in features]
    for row in rows:
        table.add_row(*row)
    console.print(table)
    console.print()
    return [cell for row in rows for cell in row]


def _cells(each: FeatureResult, part: str) -> list[str]:
    tried = counted(len(each.found.lineage["candidates"]), "wording")
    name = f"{each.found.feature}\n{tried}"
    found: WordingComparison | None = each.development if part == "development" else each.test
    if found is None:
        return [name, "not asked yet" if each.found.unfinished else "no test patients", "", "", "", ""]
    figures = [found.before["f1"], found.after["f1"]]
    shown = [_in_two_lines(each) for each in figures] + [_in_two_lines(found.difference["f1"], "+")]
    p_value = [_p_value(found.p_value["f1"])] if part == "test" else []
    return [name, *shown, *p_value, f"{found.always_yes_f1:.2f}"]


def _in_two_lines(estimate: Estimate, sign: str = "") -> str:
    """Return a score and, below it, its interval; a reason for none fills no cell of a terminal."""
    if estimate.value != estimate.value:
        return "undefined"
    value = f"{estimate.value:{sign}.2f}"
    if estimate.low is None or estimate.high is None:
        return f"{value} {NO_INTERVAL}"
    return f"{value}\n[{estimate.low:{sign}.2f}, {estimate.high:{sign}.2f}]"


def _p_value(value: float) -> str:
    return "<0.001" if value < 0.001 else f"{value:.3f}"


def _line(console: Console, text: str) -> None:
    console.print(text, markup=False, highlight=False)
