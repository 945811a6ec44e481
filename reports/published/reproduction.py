"""``semiology reproduce``: published cells beside the same cells computed again, and why some differ.

A cell is explained where the printed table differs but the public repository's own value of that very cell
equals ours, or where the release names it as wrong. Nothing depends on which models a folder holds.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
from rich.console import Console

from semiology.data.cache import written_whole
from semiology.render.table import Column, Document, Lines, Row, Table, print_document
from semiology.render.text import counted
from semiology.reports.published.answers import read_embc_table
from semiology.reports.published.embc import TABLES, embc_cells, embc_count_notes
from semiology.reports.published.s3 import (
    CELL_COLUMNS,
    HALF_UNIT,
    TWO_STAGE,
    compare_cells,
    read_s3_tables,
    s3_cells,
    two_stage_cells,
)

COLUMNS = (
    "source",
    "table",
    "scope",
    "task",
    "model",
    "item",
    "metric",
    "published",
    "recomputed",
    "equal",
    "status",
    "reason",
)
CELL = ["scope", "task", "model", "item", "metric"]
EXPECTED = "expected_metrics.csv.gz"
TEXT_METRICS = ("bleu_corpus", "rouge1_f1", "rougeL_f1", "berts_f1", "bleu", "bertscore_f1")
EQUAL, SLIP, NO_INPUT, SCRUBBED, REFITTED, NEW, DIFFERS = (
    "equal",
    "slip",
    "no input",
    "scrubbed input",
    "fitted again",
    "not published",
    "differs",
)
"""Equal; different for a reason that the release names; nothing published to compute it from; computed from
texts in which names and places were replaced after the published scoring; from a classifier that had to be
fitted anew, which is no reproduction; computed, and nothing published to compare with; different without a
reason."""


@dataclass(frozen=True)
class Reproduction:
    """Published cells and what was computed again.

    Attributes:
        cells: columns `COLUMNS`, one row per published cell, then cells of models without a published one.
        decimals: to which cells are compared; None: to as many as each is printed with.
        notes: what the folder lacks, what was left out of it, and counts that the publication tells of its tables.
    """

    cells: pd.DataFrame
    decimals: int | None
    notes: tuple[str, ...] = ()

    @property
    def precision(self) -> str:
        """How exactly cells are compared, in words."""
        return "as printed" if self.decimals is None else f"to {self.decimals} decimals"

    @property
    def unexplained(self) -> pd.DataFrame:
        """The cells that differ without a reason."""
        return self.cells[self.cells["status"] == DIFFERS]


def reproduce_s3(
    folder: Path, *, texts: bool = False, on_task: Callable[[str], None] | None = None
) -> Reproduction:
    """Compute every published S3 cell again from the answers in a folder.

    Args:
        folder: ground_truth/, predictions/ and, to compare with, ``expected_metrics.csv.gz``.
        texts: also BLEU and ROUGE of the reports; their texts were altered after the published scoring, so
            that they come near and no more.
        on_task: called with the name of each task before it is computed.

    Raises:
        FileNotFoundError: a table is missing; the message names it.
        ValueError: a model answers a recording twice, or a cell is published twice.
    """
    tables = read_s3_tables(folder)
    cells = s3_cells(tables, texts=texts, on_task=on_task)
    if on_task is not None:
        on_task("task 7, two stages")
    again = pd.DataFrame(two_stage_cells(tables), columns=CELL_COLUMNS)
    cells = pd.concat([cells, again], ignore_index=True) if len(again) else cells
    path = folder / EXPECTED
    expected = pd.DataFrame(columns=["source", "table", *CELL, "value"])
    if path.is_file():
        expected = pd.read_csv(path, dtype=str, keep_default_na=False)
    compared = compare_cells(expected, cells)
    status, reasons = _explained(compared)
    compared = compared.assign(status=status, reason=reasons)
    new = cells[~cells["model"].isin(expected["model"])].rename(columns={"value": "recomputed"})
    new = new[new["recomputed"].notna()].assign(source="", table="", equal=False, status=NEW, reason="")
    together = pd.concat([compared, new], ignore_index=True) if len(new) else compared
    return Reproduction(together[list(COLUMNS)].reset_index(drop=True), 2)


def reproduce_embc(folder: Path) -> Reproduction:
    """Compute the published EMBC cells again: Table IV from answers, Tables II and III as a check.

    Cells are compared to the third decimal, as printed.

    Raises:
        FileNotFoundError: a table is missing; the message names it.
    """
    tables = {name: read_embc_table(folder, name) for name in TABLES}
    cells = embc_cells(tables)
    status, reasons = [], []
    for row in cells.to_dict("records"):
        if math.isnan(row["recomputed"]):
            status.append(NO_INPUT)
            reasons.append("means over folds whose answers were not published")
        elif row["equal"]:
            status.append(EQUAL)
            reasons.append("")
        else:
            named = row["status"] == "wrong_in_paper"
            status.append(SLIP if named else DIFFERS)
            reasons.append("the printed value contradicts the other metrics of its row" if named else "")
    cells = cells.assign(source="paper", status=status, reason=reasons)
    notes = embc_count_notes(tables["published_tables"])
    return Reproduction(cells[list(COLUMNS)].reset_index(drop=True), 3, notes)


def totals(reproduction: Reproduction) -> list[tuple[str, ...]]:
    """Return one row per source, table, scope and task: cells, computed again, equal, slips, unexplained."""
    rows = []
    published = reproduction.cells[reproduction.cells["status"] != NEW]
    for (source, table, scope, task), part in published.groupby(
        ["source", "table", "scope", "task"], sort=False
    ):
        counts = part["status"].value_counts()
        again = part["recomputed"].notna()
        shown = (len(part), int(again.sum()), *(int(counts.get(name, 0)) for name in STATUSES))
        rows.append((str(source), str(table), str(scope), str(task), *map(str, shown)))
    return rows


REFITTED_REASON = "the published classifier was not released; ours was fitted on folds 1 to 4"
STATUSES = (EQUAL, SLIP, SCRUBBED, REFITTED, DIFFERS)
HEADER = ("source", "table", "scope", "task", "cells", "computed", *STATUSES)


def print_reproduction(reproduction: Reproduction, console: Console) -> None:
    """Print equal of total per table and task, every cell that differs, and the sums."""
    columns = tuple(Column(name, left=name in HEADER[:4]) for name in HEADER)
    title = f"Equal {reproduction.precision}"
    rows = tuple(Row(row, style="red" if row[-1] != "0" else "") for row in totals(reproduction))
    parts: list[Table | Lines] = [Table(title, columns, rows)]
    cells = reproduction.cells
    for cell in cells[cells["status"].isin([SLIP, DIFFERS])].to_dict("records"):
        name = " ".join(
            cell[part] for part in ("run" if "run" in cell else "model", "item", "metric") if cell[part]
        )
        text = f"{cell['source']} table {cell['table']}{cell['scope'] and ', '}{cell['scope']}: {name}"
        told = f"{text}: published {cell['published']:g}, computed {cell['recomputed']:.4f}"
        style = "yellow" if cell["status"] == SLIP else "red"
        parts.append(Lines((f"{told} → {cell['reason'] or 'unexplained'}",), style))
    without = cells[(cells["status"] == NO_INPUT) & (cells["reason"] != "")]
    reasons = Counter(zip(without["table"].tolist(), without["reason"].tolist(), strict=True))
    if reasons:
        lines = (
            f"{table or 'logs'}: {counted(n, 'cell')}: {reason}" for (table, reason), n in reasons.items()
        )
        parts.append(Lines(("Cannot be computed:", *lines)))
    refitted = cells[cells["status"] == REFITTED]
    if len(refitted):  # a classifier that was fitted again: published value, then ours
        metrics = list(dict.fromkeys(refitted["metric"]))
        both = []
        for model, of_model in refitted.groupby("model"):
            values = of_model.set_index("metric")[["published", "recomputed"]]
            both.append(Row((str(model), *(tuple(values.loc[name].tolist()) for name in metrics))))
        title = f"Two stages, published / ours ({REFITTED_REASON})"
        parts.append(Table(title, tuple(map(Column, ("model", *metrics))), tuple(both)))
    if reproduction.notes:
        parts.append(Lines(("To know:", *reproduction.notes), "yellow"))
    print_document(Document("", tuple(parts), last=(headline(reproduction),)), console)


def headline(reproduction: Reproduction) -> str:
    """Return the sums in one line."""
    cells = reproduction.cells
    counts = cells["status"].value_counts()
    parts = []
    # One sum for all, but for figures that are compared as printed: a log has its own.
    for source in [None] if reproduction.decimals is not None else list(dict.fromkeys(cells["source"])):
        status = cells["status"] if source is None else cells.loc[cells["source"] == source, "status"]
        equal, computed = (status == EQUAL).sum(), status.isin([EQUAL, SLIP, DIFFERS]).sum()
        if source != "":
            parts.append(
                f"{source or ''}{': ' if source else ''}{equal} of {computed} cells equal {reproduction.precision}"
            )
    parts += [
        f"{int(counts[name])} {what}"
        for name, what in (
            (SLIP, "different by slips of the publication"),
            (DIFFERS, "unexplained"),
            (SCRUBBED, "from texts altered after scoring"),
            (REFITTED, "from a classifier fitted again"),
            (NO_INPUT, "without published inputs"),
            (NEW, "of models that are not in the tables"),
        )
        if counts.get(name, 0)
    ]
    return "; ".join(parts)


def write_cells(reproduction: Reproduction, path: Path) -> None:
    """Write the cells as CSV, values to six digits (twelve where each cell is compared as printed).

    A value that cannot be computed is empty.
    """
    digits = 12 if reproduction.decimals is None else 6
    path.parent.mkdir(parents=True, exist_ok=True)
    with written_whole(path, private=False) as unfinished:
        reproduction.cells.to_csv(unfinished, index=False, float_format=f"%.{digits}g", lineterminator="\n")


def _explained(compared: pd.DataFrame) -> tuple[list[str], list[str]]:
    """Return the status of each cell and, where it differs, the reason."""
    own = compared[compared["source"] == "repository"].set_index(CELL)
    agreeing = {
        key: value
        for key, value, equal in zip(own.index, own["published"], own["equal"], strict=True)
        if equal
    }
    status: list[str] = []
    reasons: list[str] = []
    for row in compared.to_dict("records"):
        key = tuple(row[name] for name in CELL)
        reason = ""
        if math.isnan(row["recomputed"]):
            found = NO_INPUT
        elif row["item"] == TWO_STAGE:
            found, reason = REFITTED, REFITTED_REASON
        elif row["equal"]:
            found = EQUAL
        elif row["task"] == "task6" and row["metric"] in TEXT_METRICS:
            found, reason = SCRUBBED, "the released texts were altered after the published scoring"
        elif row["source"] == "paper" and key in agreeing:
            found, stored = SLIP, agreeing[key]
            twice = abs(row["published"] - stored) <= HALF_UNIT
            reason = f"{'rounded twice: the repository stores' if twice else 'misprint: the repository has'} {stored:g}"
        else:
            found = DIFFERS
        status.append(found)
        reasons.append(reason)
    return status, reasons
