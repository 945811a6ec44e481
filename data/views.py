"""How the ``semiology data`` commands show their results."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from semiology.data.problems import Problem
from semiology.render.text import counted

if TYPE_CHECKING:
    from semiology.data.check import CheckReport, Exclusion
    from semiology.data.deidentify.deidentify import Deidentified
    from semiology.data.fixing import Fix
    from semiology.data.importers.outcome import ImportOutcome

MOST_OF_A_KIND = 10
NOT_ANONYMOUS = (
    "Faces and voices remain in the media: this is not anonymisation. Read the texts before sharing."
)


@contextmanager
def progress(label: str, *, quiet: bool = False) -> Iterator[Callable[[int, int], None] | None]:
    """Give a function to call with (done, all) that moves a progress bar; ``None`` if ``quiet``."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    if quiet:
        yield None
        return
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(label, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


def print_problems(problems: Sequence[Problem]) -> None:
    """Print problems, one per line, on standard error."""
    print_list(Console(stderr=True), counted(len(problems), "problem"), problems, "red")


def print_fixes(fixes: Sequence[Fix], copies: Sequence[Path]) -> None:
    """Print every change that `data check --fix` made, and where the tables are as they were."""
    console = Console()
    places = [f"{fix.file}:{fix.row}" if fix.row else fix.file for fix in fixes]
    changes = [
        f"{fix.column or ('header' if fix.row else 'file')}: {fix.old!r} → {fix.new!r}" for fix in fixes
    ]
    for place, change in zip(places, changes, strict=True):
        _line(console, f"  {place}: {change}")
    kept = f"; copies: {', '.join(copy.name for copy in copies)}" if copies else ""
    _line(console, f"{counted(len(fixes), 'change')} made{kept}")


def print_report(report: CheckReport) -> None:
    """Print problems, exclusions and warnings, then the counts."""
    console = Console()
    print_list(console, counted(len(report.problems), "problem"), report.problems, "red")
    _print_exclusions(console, report.exclusions)
    print_list(console, counted(len(report.warnings), "warning"), report.warnings, "yellow")
    if report.recordings:
        console.print(_feature_table(report))
    hours = (
        f", {report.probed} videos opened ({report.total_duration_s / 3600:.2f} h)" if report.probed else ""
    )
    _line(
        console,
        f"{counted(report.recordings, 'recording')} of {counted(report.patients, 'patient')}, "
        f"{counted(report.reports, 'report')}{hours}; {counted(len(report.problems), 'problem')}, "
        f"{counted(len(report.exclusions), 'unreadable video')}, {counted(len(report.warnings), 'warning')}",
    )
    if report.splits:
        named = (f"{name or 'without a split'} {number}" for name, number in report.splits.items())
        _line(console, f"patients by split: {', '.join(named)}")
    if report.ok:
        console.print("[green]The set can be used.[/green]")
    elif report.problems:
        console.print("[red]The set cannot be used yet.[/red]")
    else:
        left_out = counted(len(report.exclusions), "recording")
        console.print(f"[yellow]The set can be used; a run leaves {left_out} out.[/yellow]")


def _feature_table(report: CheckReport) -> Table:
    table = Table(title=None, header_style="bold")
    table.add_column("feature", no_wrap=True)
    for name in ("yes", "no", "na", "not annotated", "patients with yes"):
        table.add_column(name, justify="right")
    for item in report.features:
        counts = (item.yes, item.no, item.na, item.not_annotated, item.patients_with_yes)
        table.add_row(
            item.feature, *map(str, counts), style="dim" if not item.yes + item.no + item.na else ""
        )
    return table


def print_import(outcome: ImportOutcome, destination: Path, placed: int) -> None:
    """Print what an import gave, what it could not use, and what to do next."""
    console = Console()
    print_list(console, counted(len(outcome.unused), "value") + " not used", outcome.unused, "yellow")
    print_list(console, counted(len(outcome.doubts), "doubtful value") + " used", outcome.doubts, "yellow")
    for note in outcome.notes:
        _line(console, f"note: {note}")
    total = len(outcome.recordings)
    _line(
        console,
        f"{counted(total, 'recording')} of {counted(outcome.patients, 'patient')}, "
        f"{counted(len(outcome.annotations), 'annotation')}, {counted(len(outcome.reports), 'report')}; "
        f"{counted(len(outcome.unused), 'value')} not used, {counted(len(outcome.doubts), 'doubtful value')}",
    )
    _line(console, f"written to {destination}; {placed} of {counted(total, 'video')} in place")
    if placed < total:
        _line(console, "put the others at videos/<video_id>.mp4, or import again with --force --videos DIR")


def print_deidentified(done: Deidentified, destination: Path, *, dry_run: bool = False) -> None:
    """Print what de-identification did and what it cannot do."""
    console = Console()
    _print_exclusions(console, done.excluded)
    parts = ", ".join(f"{count} × {kind}" for kind, count in done.replaced.items()) or "nothing"
    print_list(console, f"{counted(len(done.not_copied), 'file')} not copied", done.not_copied, "yellow")
    console.print(f"{counted(done.recordings, 'recording')} of {counted(done.patients, 'patient')}")
    _line(console, f"replaced in free text: {parts}; streams left out: {done.dropped_streams}")
    if dry_run:
        _line(console, "dry run: nothing was kept")
        titles = [f"{item.file} {item.video_id} {item.place}: {item.text}" for item in done.texts]
        print_list(
            console, f"{counted(len(titles), 'text')} would be kept for a person to read", titles, "yellow"
        )
    else:
        _line(console, f"written to {destination}")
        _line(console, f"key: {done.key}" if done.key else "no key was written: nobody can link the ids back")
    if done.audit:
        texts = counted(len(done.texts), "text")
        _line(console, f"Not clean yet: read the {texts} in {done.audit}, then run")
        _line(console, f"  semiology data confirm-texts {destination} {done.audit}")
    console.print(f"[bold]{NOT_ANONYMOUS}[/bold]")


def _print_exclusions(console: Console, exclusions: Sequence[Exclusion]) -> None:
    lines = [f"{item.video_id}: {item.reason}" for item in exclusions]
    print_list(console, f"{counted(len(lines), 'recording')} excluded", lines, "red")


def print_list(console: Console, title: str, items: Iterable[object], colour: str) -> None:
    """Print a title and what it is about, one per line, the like of each other only so often; nothing where empty."""
    lines = [str(item) for item in items]
    if lines:
        console.print(f"[{colour}]{title}[/{colour}]")
        for line in _without_repeats(lines):
            _line(console, f"  {line}")


def _without_repeats(lines: Sequence[str]) -> list[str]:
    """Keep the first of each kind of line, kinds differing in more than numbers and quoted words."""
    shown: list[str] = []
    seen: dict[str, int] = {}
    for line in lines:
        kind = re.sub(r"'[^']*'|[\w./-]*\d[\w./-]*", "#", line)
        seen[kind] = seen.get(kind, 0) + 1
        if seen[kind] <= MOST_OF_A_KIND:
            shown.append(line)
    more = sum(max(0, count - MOST_OF_A_KIND) for count in seen.values())
    return [*shown, f"… and {more} more of these kinds (--json lists all)"] if more else shown


def _line(console: Console, text: str) -> None:
    """Print a line whole: no markup, no colour guesses, no wrapping inside a path."""
    console.print(escape(text), highlight=False, soft_wrap=True)
