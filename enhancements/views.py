"""How `semiology enhance` shows its progress and its results."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.filesize import decimal
from rich.markup import escape
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Table

from semiology.enhancements.enhance import Summary, Told
from semiology.enhancements.pipeline.cache import Usage
from semiology.enhancements.pipeline.step import Figure
from semiology.render.text import counted
from semiology.settings import ENHANCED

MOST_SENTENCES = 5
FACES = "Derived files show the patient as the recordings do: keep them where those are kept."


@contextmanager
def progress_bar(quiet: bool) -> Iterator[Told | None]:
    """Give a function that moves a bar by ended jobs and by the share of the current one."""
    if quiet:
        yield None
        return
    columns = (
        TextColumn("Enhancing"),
        BarColumn(),
        TextColumn("{task.fields[counted]}"),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("", total=None, counted="")

        def told(ended: int, jobs: int, share: float) -> None:
            bar.update(task, total=jobs, completed=ended + share, counted=f"{ended}/{jobs}")

        yield told


def print_summary(summary: Summary, chosen: Path | None) -> None:
    """Print counts per enhancement, then measures, why recordings have no derived file, and what to do next.

    Args:
        chosen: output folder, where the user chose one; None for the recording set.
    """
    console = Console()
    table = Table(header_style="bold")
    table.add_column("enhancement", no_wrap=True)
    for name in ("done", "of these cached", "unavailable", "failed", "seconds"):
        table.add_column(name, justify="right")
    for step in summary.steps:
        counts = (step.done, step.reused, step.unavailable, step.failed, f"{step.seconds:.1f}")
        table.add_row(step.enhancement, *map(str, counts))
    console.print(table)
    for step in summary.steps:
        if step.figures:
            text = f"{step.enhancement}, mean per recording: {figures_text(step.figures)}"
            console.print(escape(text), highlight=False, soft_wrap=True)
        for each in step.sentences[:MOST_SENTENCES]:
            colour = "red" if each["status"] == "failed" else "yellow"
            text = f"{step.enhancement}: {each['recordings']} × {each['status']}: {each['sentence']}"
            console.print(f"[{colour}]{escape(text)}[/{colour}]", highlight=False, soft_wrap=True)
        more = sum(each["recordings"] for each in step.sentences[MOST_SENTENCES:])
        if more:
            console.print(f"{step.enhancement}: {more} more with other reasons, see the manifest")
    for split, number in summary.withheld.items():
        what = (
            f"{counted(number, 'recording')} of the split {split}" if split else f"{number} without a split"
        )
        console.print(f"not enhanced: {what} → --split {split or 'all'}", highlight=False, soft_wrap=True)
    made = [step.enhancement for step in summary.steps if step.done]
    lines = [f"manifest: {summary.manifest}"]
    if made:
        tasks = ",".join(f"{name}_semiology" for name in made)
        where = f"{ENHANCED}={shlex.quote(str(summary.manifest.parent))} " if chosen else ""
        lines.append(f"ask with: {where}semiology run --tasks {tasks} …")
        lines.append(FACES)
    for line in lines:
        console.print(escape(line), highlight=False, soft_wrap=True)


def summary_json(summary: Summary) -> dict[str, Any]:
    """Return the same for machines."""
    return {
        "manifest": str(summary.manifest),
        "complete": summary.complete,
        "withheld": dict(summary.withheld),
        "enhancements": [asdict(step) for step in summary.steps],
    }


def print_usage(usage: Sequence[Usage], folder: str, *, cleared: bool) -> None:
    """Print how much of the disk each enhancement takes, or took."""
    console = Console()
    total = sum(use.size_bytes for use in usage)
    for use in usage:
        console.print(f"{use.enhancement:<12} {use.entries:>6} files  {decimal(use.size_bytes):>10}")
    verb = "freed" if cleared else "used"
    console.print(f"{decimal(total)} {verb} in {escape(folder)}", highlight=False, soft_wrap=True)


def figures_text(figures: Mapping[str, Figure]) -> str:
    """Return measures as ``name 1.2, name 3``."""
    return ", ".join(
        f"{name} {value:.6g}" if isinstance(value, float) else f"{name} {value}"
        for name, value in figures.items()
    )
