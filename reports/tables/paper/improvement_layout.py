"""The layout of S3 Table 3: one measure a task, the base first, and the mean relative change of each variant."""

from __future__ import annotations

import math
from dataclasses import replace

from semiology.render.table import Cell, Column, Document, Name, Number, Row, Table
from semiology.reports.summary.improvement import LEFT_OUT_AS_PUBLISHED, MEASURES, Improvement, Variant
from semiology.reports.tables.estimates import number_of
from semiology.reports.tables.paper.feature_layouts import RunNames

TITLE = "One measure a task"
PUBLISHED = (
    "Published rules: what was not understood is left out. Task 1: mean F1 of the features; 2: mean interpretation "
    "score; 3: mean F1 of head, arm and region; 4: mean error of onsets, start and end; 5: LCS ratio; 6: Seizure-RQI; "
    "7: mean F1 of the ways to a diagnosis."
)
CHANGE = (
    "Mean change: of the measures relative to the base, errors the other way round, as published without task "
    f"{LEFT_OUT_AS_PUBLISHED}; [95 %] by leaving out each patient. A small measure that doubles weighs like a large "
    "one, and several of these measures are earned without looking: read them beside their floors, and compare."
)


def improvement_document(table: Table, found: Improvement) -> Document:
    """Return the table of `improvement_table` with what must be said of it."""
    return Document(TITLE, (replace(table, title=TITLE),), remarks=(PUBLISHED, CHANGE), notes=found.notes)


def improvement_table(found: Improvement, name_of: RunNames) -> Table:
    """Return the layout of S3 Table 3; models are named by ``name_of``."""
    columns = [
        Column(measure.name, group=f"Task {number}", better="less" if measure.less_is_better else "more")
        for number, measure in MEASURES.items()
    ]
    columns += [
        Column(f"without task {LEFT_OUT_AS_PUBLISHED}", "+.2f", group="mean change"),
        Column("all tasks", "+.2f", group="mean change"),
    ]
    base = name_of(found.base, "the base of the mean changes")
    rows = [_row(found.base, base), *(_row(each, name_of(each)) for each in found.variants)]
    return Table(
        f"One measure a task, in the layout of S3 Table 3. {PUBLISHED}",
        (Column("Model"), *columns),
        tuple(rows),
        below=("Bold: the best of its column.", CHANGE, *found.notes),
        stem="s3_table_03_improvement",
    )


def _row(each: Variant, name: Name) -> Row:
    cells: list[Cell] = [name]
    cells += [None if math.isnan(each.values[number]) else each.values[number] for number in MEASURES]
    means: list[Number | None] = [
        None if mean is None else number_of(mean) for mean in (each.published, each.every)
    ]
    return Row((*cells, *means))
