"""The S3 summary for people and machines: one table per task, and the writer of files."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from pathlib import Path
from typing import Any

from rich.console import Console

from semiology.data.cache import write_texts
from semiology.render.table import Cell, Column, Document, Lines, Row, Table, csv_of, markdown, print_document
from semiology.render.text import counted, json_text
from semiology.reports.summary.s3 import S3Run, S3Summary, baseline_of, s3_rows, shown_measures
from semiology.reports.summary.s3_measures import TASK_TITLES, TWO_STAGE_TASK, TWO_STAGE_TITLE
from semiology.reports.tables.estimates import number_of

COLUMNS = (
    Column("measure"),
    Column("value [95 %]"),
    Column("trivial baseline", layout="{} ({})"),
    Column("rule", left=True),
)
REMARKS = (
    "published: the rule behind the published tables. sound: what was not understood counts as wrong.",
    "trivial baseline: the same recordings answered by a constant, by chance, or with another patient's report.",
)


def s3_markdown(summary: S3Summary) -> str:
    """Return all tables as Markdown, measures by feature included."""
    parts: list[Table | Lines] = []
    for task, runs in by_task(summary):
        parts.append(Lines((task_title(task),), level=2))
        parts += [
            Table(
                run_title(run),
                COLUMNS,
                _rows(run, by_feature=True),
                level=0,
                above=(coverage(run), *run.remarks),
            )
            for run in runs
        ]
    return markdown(_document(summary, parts))


def s3_content(summary: S3Summary) -> dict[str, Any]:
    """Return the machine table, caveats and notes as plain lists and dictionaries."""
    return {
        "caveats": list(summary.caveats),
        "notes": list(summary.notes),
        "resamples": summary.resamples,
        "seed": summary.seed,
        "rows": s3_rows(summary),
    }


def write_s3_files(summary: S3Summary, folder: Path) -> list[Path]:
    """Write s3_summary.csv, s3_summary.md and s3_summary.json; return their paths."""
    content = json_text(s3_content(summary))
    contents = {
        "s3_summary.csv": csv_of(s3_rows(summary), "task"),
        "s3_summary.md": s3_markdown(summary),
        "s3_summary.json": content + "\n",
    }
    return write_texts(contents, folder)


def print_s3_summary(summary: S3Summary, console: Console) -> None:
    """Print one table per task, with measures over the whole task; those by feature are in the files."""
    parts: list[Table | Lines] = []
    for task, runs in by_task(summary):
        rows: list[Row] = []
        below: list[Lines] = []
        for run in runs:
            partial = " (PARTIAL)" if run.counts.partial else ""
            rows.append(Row((run_title(run) + partial,), style="bold yellow" if partial else "bold"))
            rows += _rows(run, by_feature=False)
            below.append(Lines((f"{run.model}: {coverage(run)}",), "yellow" if partial else "dim"))
            below.append(Lines(tuple(f"  {text}" for text in run.remarks), "dim"))
        parts += [Table(task_title(task), COLUMNS, tuple(rows)), *below]
    if any(part.part for run in summary.runs for part in run.parts):
        parts.append(Lines(("--out DIR writes the measures of each feature as well.",), "dim"))
    print_document(_document(summary, parts), console)


def _document(summary: S3Summary, parts: list[Table | Lines]) -> Document:
    drawn = f"{summary.resamples:,} patient resamples, seed {summary.seed}; method per row in s3_summary.csv"
    remarks = (*REMARKS, f"Intervals are clustered by patient ({drawn}).")
    return Document("S3 tasks", tuple(parts), summary.caveats, remarks, summary.notes, "Files and rows")


def by_task(summary: S3Summary) -> Iterator[tuple[str, list[S3Run]]]:
    """Yield each task with its runs, in the order of the summary."""
    for task, runs in groupby(summary.runs, key=lambda run: run.task):
        yield task, list(runs)


CLIP_FORMS = {"": "", "whole": "whole recordings"}


def task_title(task: str) -> str:
    """Return the line above the table of a task."""
    titles = {**TASK_TITLES, TWO_STAGE_TASK: TWO_STAGE_TITLE}
    return f"{task} · {titles[task]}" if task in titles else task


def run_title(run: S3Run) -> str:
    """Return the line above the measures of a run."""
    enhancement = "" if run.enhancement == "none" else f" · enhancement {run.enhancement}"
    return f"{run.model} · wording {run.prompt}{enhancement}"


def coverage(run: S3Run) -> str:
    """Return how much a run answered; a model that answered only part is marked."""
    counts = run.counts
    noun = "recording" if counts.asked == run.n_recordings + counts.missing else "question"
    answered = f"{counted(run.n_recordings, 'recording')} of {counted(run.n_patients, 'patient')} answered"
    text = (
        f"{counted(counts.asked, noun)} ({answered}): "
        f"{counts.answered} understood, {counts.unparsed} unparsed, {counts.missing} missing"
    )
    return f"PARTIAL: {text}; its numbers rest on other recordings" if counts.partial else text


def _rows(run: S3Run, *, by_feature: bool) -> tuple[Row, ...]:
    """Return a row for each measure of a run, over the whole task and, if wanted, of each feature."""
    rows: list[tuple[Cell, ...]] = []
    for part in run.parts:
        if part.part and not by_feature:
            continue
        form = CLIP_FORMS.get(part.clip_form, f"{part.clip_form} clips")
        place = ", ".join(filter(None, (part.part, form)))
        for measure, estimate in shown_measures(run, part):
            value, name = baseline_of(measure, part)
            title = f"{measure.title} ({place})" if place else measure.title
            rows.append((title, number_of(estimate), "" if value is None else (value, name), measure.rule))
    return tuple(Row(cells, ends=number == len(rows)) for number, cells in enumerate(rows, start=1))
