"""The S3 summary as text: one table per task for the terminal and Markdown, and the writers of files."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

from semiology.render.table import Footnotes, csv_of, table_line
from semiology.render.text import counted, escaped, plain
from semiology.reports.summary.s3_measures import TASK_TITLES, TWO_STAGE_TASK, TWO_STAGE_TITLE, baseline_title
from semiology.reports.summary.s3_run import S3Run
from semiology.reports.summary.s3_summary import S3Summary, baseline_value, s3_rows, shown_figures
from semiology.reports.tables.estimates import with_limits
from semiology.reports.tables.files import write_texts

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

HEADER = ("figure", "value [95 %]", "without skill", "rule")
REMARKS = (
    "published: the rule behind the published tables. sound: what was not understood counts as wrong.",
    "without skill: the same recordings answered by a constant, by chance, or with another patient's report.",
)


def s3_markdown(summary: S3Summary) -> str:
    """Return all tables as Markdown, figures by feature included."""
    lines = ["# S3 tasks", ""]
    lines += [f"> **Note.** {escaped(caveat)}" for caveat in summary.caveats] + [""] * bool(summary.caveats)
    footnotes = Footnotes()
    for task, runs in by_task(summary):
        lines += [f"## {escaped(task_title(task))}", ""]
        for run in runs:
            told = (coverage(run), *run.remarks)
            lines += [f"**{escaped(run_title(run))}**  ", "  \n".join(map(escaped, told)), ""]
            lines += [table_line(HEADER), table_line(["---", "---:", "---:", "---"])]
            lines += [table_line(cells) for cells in _cells(run, footnotes, signs=True)] + [""]
    lines += [f"({i}) {escaped(text)}  " for i, text in enumerate(footnotes.texts, start=1)]
    lines += ["", *(f"- {escaped(text)}" for text in remarks(summary)), ""]
    if summary.notes:
        lines += ["## Files and rows", "", *(f"- {escaped(note)}" for note in summary.notes), ""]
    return "\n".join(lines)


def s3_csv(summary: S3Summary) -> str:
    """Return the machine table as CSV, cells that a spreadsheet would run as a formula made harmless."""
    return csv_of(s3_rows(summary), "task")


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
    contents: Mapping[str, str] = {
        "s3_summary.csv": s3_csv(summary),
        "s3_summary.md": s3_markdown(summary),
        "s3_summary.json": json.dumps(s3_content(summary), indent=2, ensure_ascii=False, allow_nan=False)
        + "\n",
    }
    return write_texts(contents, folder)


def print_s3_summary(summary: S3Summary, console: Console) -> None:
    """Print one table per task, with figures over the whole task; those by feature are in the files."""
    from rich.text import Text

    for caveat in summary.caveats:
        console.print(Text(f"Note: {plain(caveat)}", style="yellow"))
    footnotes = Footnotes()
    for task, runs in by_task(summary):
        console.print(_rich_table(task, runs, footnotes))
        for run in runs:
            style = "yellow" if run.counts.partial else "dim"
            console.print(Text(plain(f"{run.model}: {coverage(run)}"), style=style))
            for text in run.remarks:
                console.print(Text(plain(f"  {text}"), style="dim"))
    if any(part.part for run in summary.runs for part in run.parts):
        console.print(Text("--out DIR writes the figures of each feature as well.", style="dim"))
    for i, text in enumerate(footnotes.texts, start=1):
        console.print(Text(f"({i}) {plain(text)}", style="dim"))
    for text in remarks(summary):
        console.print(Text(text, style="dim"))
    for note in summary.notes:
        console.print(Text(f"• {plain(note)}", style="yellow"))


def remarks(summary: S3Summary) -> list[str]:
    """Return what is true of every table."""
    drawn = f"{summary.resamples:,} patient resamples, seed {summary.seed}; method per row in s3_summary.csv"
    return [*REMARKS, f"Intervals are clustered by patient ({drawn})."]


def by_task(summary: S3Summary) -> Iterator[tuple[str, list[S3Run]]]:
    """Yield each task with its runs, in the order of the summary."""
    for task, runs in groupby(summary.runs, key=lambda run: run.task):
        yield task, list(runs)


def task_title(task: str) -> str:
    """Return the line above the table of a task."""
    titles = {**TASK_TITLES, TWO_STAGE_TASK: TWO_STAGE_TITLE}
    return f"{task} · {titles[task]}" if task in titles else task


def run_title(run: S3Run) -> str:
    """Return the line above the figures of a run."""
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
    return f"PARTIAL: {text}; its figures rest on other recordings" if counts.partial else text


def _cells(run: S3Run, footnotes: Footnotes, *, signs: bool) -> list[tuple[str, ...]]:
    rows: list[tuple[str, ...]] = []
    for part in run.parts:
        if part.part and not signs:
            continue
        place = ", ".join(text for text in (part.part, _form(part.clip_form)) if text)
        for figure, estimate in shown_figures(run, part):
            value = baseline_value(figure, part)
            name = "chance" if figure.chance is not None else baseline_title(figure.baseline or "")
            skill = "" if value is None else f"{'–' if value != value else f'{value:.2f}'} ({name})"
            title = f"{figure.title} ({place})" if place else figure.title
            rows.append((title, with_limits(estimate, footnotes), skill, figure.rule))
    return rows


def _form(clip_form: str) -> str:
    return f"{clip_form} clips" if clip_form else ""


def _rich_table(task: str, runs: Sequence[S3Run], footnotes: Footnotes) -> Table:
    from rich.table import Table
    from rich.text import Text

    title = Text(plain(task_title(task)))
    table = Table(title=title, title_justify="left", header_style="bold", pad_edge=False)
    for number, name in enumerate(HEADER):
        table.add_column(name, justify="right" if number in (1, 2) else "left")
    for run in runs:
        partial = " (PARTIAL)" if run.counts.partial else ""
        table.add_row(Text(plain(run_title(run) + partial)), style="bold yellow" if partial else "bold")
        rows = _cells(run, footnotes, signs=False)
        for number, row in enumerate(rows, start=1):
            table.add_row(*(Text(plain(cell)) for cell in row), end_section=number == len(rows))
    return table
