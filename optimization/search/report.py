"""The results of ``semiology optimize`` for people: every number whole on a terminal of 80 columns."""

from __future__ import annotations

import math
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from semiology.optimization.search.run_folder import WORDINGS, wording_id
from semiology.prompts.library import load_library
from semiology.render.text import counted

if TYPE_CHECKING:
    from rich.console import Console

    from semiology.optimization.search.run import FeatureResult, OptimizationResult
    from semiology.optimization.search.search import FoundWording
    from semiology.render.table import Table


def print_result(result: OptimizationResult, console: Console) -> None:
    """Print both wordings' scores on development and test, the chosen wordings, and what to know."""
    from semiology.render.table import Document, Lines, print_document

    chosen = Lines(tuple(chosen_line(each.found) for each in result.features))
    parts = (_table("development", result.features), _table("test", result.features), chosen)
    print_document(Document("", parts, notes=result.notes), console)


def _table(part: str, features: Sequence[FeatureResult]) -> Table:
    """Return the scores on one part; no test is valid on the patients that chose, so development has no p."""
    from semiology.render.table import Cell, Column, Row, Table
    from semiology.reports.tables.estimates import number_of

    selected = part == "development"
    columns = [Column("feature"), Column("F1 before"), Column("F1 after"), Column("difference", "+.2f")]
    columns += [] if selected else [Column("p\n(Holm)")]
    rows = []
    for each in features:
        found = each.development if selected else each.test
        tried = counted(len(each.found.lineage["candidates"]), "wording")
        name = f"{each.found.feature} ({tried})"
        if found is None:
            why = "not asked yet" if each.found.unfinished else "no test patients"
            rows.append(Row((name, why, *[""] * len(columns[1:]))))
            continue
        scores = (found.before["f1"], found.after["f1"], found.difference["f1"])
        p = math.nan if each.correction is None else each.correction.p_adjusted.get("f1", math.nan)
        p_value = "" if math.isnan(p) else "<0.001" if p < 0.001 else f"{p:.3f}"
        cells: list[Cell] = [name, *(number_of(score) for score in scores)]
        cells += [found.always_yes_f1] if selected else [p_value, found.always_yes_f1]
        rows.append(Row(tuple(cells)))
    title = f"{part} patients{' (selected on them: too high)' if selected else ''}, 95 % intervals"
    return Table(title, (*columns, Column("always\nyes")), tuple(rows))


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
