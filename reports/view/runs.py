"""What lies in a folder of results: finished runs, runs that are going on or were cut short, and rating folders."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from semiology.render.progress import STATUS_FILE, STATUS_OLD_S
from semiology.reports.read.lmms_eval_files import (
    RESULTS,
    ResultFiles,
    ResultsError,
    find_result_files,
    mapping,
)

State = Literal["running", "finished", "faulty", "stopped", "rating"]
PAGE = "report.html"
SAMPLE = "cases.json"
"""Of a rating folder, as `semiology review export` makes it."""


@dataclass(frozen=True)
class Listed:
    """One line of the list.

    Attributes:
        key: names it in an address; the same for the same files.
        name: its folder, relative to the one that was looked through.
        folder: where it lies.
        state: ``faulty`` if its files cannot be read as a run, ``stopped`` if its process is silent.
        model, tasks, date, seconds, questions: of a run that has results.
        progress: of a run that is going on or was cut short: what `semiology.render.progress.Tally` knows.
        page: its report, where one was made.
        note: what is wrong with it, or how to go on.
    """

    key: str
    name: str
    folder: Path
    state: State
    model: str = ""
    tasks: int = 0
    date: str = ""
    seconds: float | None = None
    questions: int = 0
    progress: dict[str, Any] | None = None
    page: Path | None = None
    note: str = ""


def listed(root: Path) -> list[Listed]:
    """Return what lies in a folder at any depth: runs that go on first, then the newest.

    A fault of one run costs that run.

    Raises:
        ResultsError: there is no such folder.
    """
    if not root.is_dir():
        raise ResultsError(
            f"{root}: there is no such folder → give the folder of results, --out of `semiology run`"
        )
    found = [*_going_on(root), *_finished(root), *_ratings(root)]
    order = {"running": 0, "stopped": 1}
    return sorted(
        sorted(found, key=lambda each: each.date, reverse=True), key=lambda each: order.get(each.state, 2)
    )


def _finished(root: Path) -> Iterator[Listed]:
    for folder in sorted({file.parent for file in root.rglob(f"*{RESULTS}")}):
        name = _name(folder, root)
        try:
            runs = find_result_files([folder], [])
        except (ResultsError, OSError, ValueError) as error:
            yield Listed(_key(folder), name, folder, "faulty", note=str(error))
            continue
        for run in runs:
            yield _run(run, name)


def _run(run: ResultFiles, name: str) -> Listed:
    seconds = (run.record or {}).get("total_evaluation_time_seconds")
    counts = mapping(run.record, "n-samples").values()
    try:
        took = round(float(str(seconds)), 1)
    except ValueError:
        took = None
    page = run.folder / "report" / PAGE
    return Listed(
        _key(run.folder, run.stamp),
        name,
        run.folder,
        "finished",
        run.model,
        len(run.samples),
        run.stamp,
        took,
        sum(int(each["effective"]) for each in counts if isinstance(each, dict) and "effective" in each),
        page=page if page.is_file() else None,
    )


def _going_on(root: Path) -> Iterator[Listed]:
    for file in sorted(root.rglob(STATUS_FILE)):
        try:
            told = json.loads(file.read_text(encoding="utf-8"))
            silent = time.time() - file.stat().st_mtime
        except (OSError, ValueError):  # it ended while we looked
            continue
        stopped = silent > STATUS_OLD_S
        note = (
            f"silent for {silent / 60:.0f} min: the same command goes on where it stopped" if stopped else ""
        )
        state: State = "stopped" if stopped else "running"
        yield Listed(_key(file), _name(file.parent, root), file.parent, state, progress=dict(told), note=note)


def _ratings(root: Path) -> Iterator[Listed]:
    for file in sorted(root.rglob(SAMPLE)):
        note = f"semiology review serve {file.parent} --rater INITIALS"
        yield Listed(_key(file), _name(file.parent, root), file.parent, "rating", note=note)


def _name(folder: Path, root: Path) -> str:
    return folder.relative_to(root).as_posix()


def _key(path: Path, stamp: str = "") -> str:
    return hashlib.sha256(f"{path.resolve()}\0{stamp}".encode()).hexdigest()[:16]
