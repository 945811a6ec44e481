"""How many samples of each task an export holds: S3 Table 12."""

from __future__ import annotations

from collections.abc import Sequence

from semiology.optimization.training.samples import Sample
from semiology.render.table import Column, Row, Table
from semiology.render.text import counted

NAMES = {
    1: "recognition",
    2: "justification",
    3: "side and region",
    4: "onset times",
    5: "order of features",
    6: "report",
    7: "diagnosis",
}
BY_QUESTION = (3, 7)
"""Tasks whose questions have a row each in print; all others have many features."""


def sample_table(kept: Sequence[Sample]) -> Table:
    """Return a row for each task, for tasks 1 and 2 together as the paper counts them, and for each question."""
    rows = []
    tasks = sorted({sample.task for sample in kept})
    for task in tasks:
        rows.append(
            _row(f"task {task}: {NAMES[task]}", "all", [s for s in kept if s.task == task], style="bold")
        )
        questions = sorted({s.feature for s in kept if s.task == task})
        for question in questions if len(questions) > 1 else ():
            rows.append(
                _row(f"task {task}", question, [s for s in kept if s.task == task and s.feature == question])
            )
    if {1, 2} <= set(tasks):
        both = [s for s in kept if s.task in (1, 2)]
        rows.append(_row("tasks 1 and 2", "all", both, style="bold"))
    rows.append(_row("all tasks", "all", kept, style="bold"))
    columns = (
        Column("task"),
        Column("question", left=True),
        *map(Column, ("samples", "recordings", "patients")),
    )
    title = "Samples by task, in the layout of S3 Table 12"
    below = (f"{counted(len({s.recording.recording.patient_id for s in kept}), 'training patient')}.",)
    return Table(title, columns, tuple(rows), below=below, stem="samples")


def _row(name: str, question: str, own: Sequence[Sample], style: str = "") -> Row:
    recordings = {s.recording.recording.video_id for s in own}
    patients = {s.recording.recording.patient_id for s in own}
    return Row((name, question, len(own), len(recordings), len(patients)), style=style)


def shortened(table: Table) -> Table:
    """Return the table without the rows of features, for a terminal; those of tasks 3 and 7 stay."""
    kept = {f"task {task}" for task in BY_QUESTION}
    rows = tuple(row for row in table.rows if row.cells[1] == "all" or row.cells[0] in kept)
    return Table(table.title, table.columns, rows, below=table.below, stem=table.stem)
