"""How far a run is: questions, questions per second, answers from the journal, time left.

On a terminal a live bar; in a log or a pipe one plain line every half minute; nothing where
``SEMIOLOGY_QUIET`` is set or another process of the same run (rank 0) speaks already. `semiology view` reads the same
numbers from a small file in the folder of the run.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType
from typing import TextIO

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from semiology.settings import PROGRESS, QUIET

LINE_EVERY_S = 30.0
STATUS_FILE = ".semiology_progress.json"
"""In the folder of a run while it goes on: what its `Tally` knows."""
STATUS_EVERY_S = 2.0
STATUS_OLD_S = 120.0
"""A status file that was not renewed for so long is of a run that was cut short, or whose model is very slow."""


def is_quiet(rank: int = 0) -> bool:
    """Return whether nothing is to be shown: ``SEMIOLOGY_QUIET`` is set (not to 0), or the rank is not 0."""
    return rank > 0 or QUIET.text() != "0"


@dataclass
class Tally:
    """What is done, and how long the rest takes.

    Attributes:
        questions: questions of the run.
        segments: segments of the run, each a window or clip of a recording; None while that is not known.
        answered: questions that have their answer.
        from_journal: those of them that were answered in an earlier run.
        segments_done: segments all of whose questions have their answers.
        failed: questions that the model gave no reply to.
        noun: what is counted: ``questions`` of a run, or ``prompts`` of a judge.
        elapsed_s: time since the run began, s.
        remark: what else is worth knowing while it runs, in a few words.
    """

    questions: int
    segments: int | None = None
    answered: int = 0
    from_journal: int = 0
    failed: int = 0
    noun: str = "questions"
    segments_done: int = 0
    elapsed_s: float = 0.0
    remark: str = ""

    @property
    def rate(self) -> float:
        """Questions that the model answers per second; those from the journal do not count."""
        return (self.answered - self.from_journal) / self.elapsed_s if self.elapsed_s > 0 else 0.0

    @property
    def remaining_s(self) -> float | None:
        """Time that the rest takes at the rate so far, s; None before the model's first answer."""
        rest = self.questions - self.answered
        return rest / self.rate if self.rate > 0 else (0.0 if not rest else None)

    @property
    def notes(self) -> str:
        """How many answers came from the journal, and how many did not come."""
        lost = f", {self.failed} without a reply" if self.failed else ""
        return f"{self.from_journal} from the journal{lost}" + (f", {self.remark}" if self.remark else "")

    def line(self) -> str:
        """Return all of it in one line of plain text."""
        left = "?" if self.remaining_s is None else clock(self.remaining_s)
        segments = "" if self.segments is None else f"segments {self.segments_done}/{self.segments}, "
        return (
            f"{segments}{self.noun} {self.answered}/{self.questions}, {self.rate:.2f} {self.noun}/s, "
            f"{self.notes}, {clock(self.elapsed_s)} elapsed, {left} left"
        )


@contextmanager
def status_kept(folder: Path) -> Iterator[None]:
    """Let the progress of this process be read from `STATUS_FILE` in a folder while this lasts.

    The file of a process that is killed stays, by which it is seen that it was cut short.
    """
    PROGRESS.choose(str(folder / STATUS_FILE))
    try:
        yield
        Path(PROGRESS.text()).unlink(missing_ok=True)
    finally:
        PROGRESS.choose("")


def clock(seconds: float) -> str:
    """Return a duration as h:mm:ss."""
    whole = round(seconds)
    return f"{whole // 3600}:{whole // 60 % 60:02d}:{whole % 60:02d}"


class RunProgress:
    """Shows a run's progress while it is used as a context manager.

    Args:
        questions: questions of the run that are known at first; see `more`.
        segments: segments of the run; None while that is not known, and then not shown.
        title: what is being done, in a few words; shown in front.
        noun: what is counted.
        rank: this process among those of the run; only 0 speaks.
        stream: where to, standard error by default.
        line_every_s: time between two lines where the stream is no terminal, s.
        now: gives the time, s.
    """

    def __init__(
        self,
        questions: int = 0,
        segments: int | None = None,
        *,
        title: str = "",
        noun: str = "questions",
        rank: int = 0,
        stream: TextIO | None = None,
        line_every_s: float = LINE_EVERY_S,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self.tally = Tally(questions, segments, noun=noun)
        self._title = f"{title}: " if title else ""
        self._now, self._line_every_s = now, line_every_s
        self._began = self._told = now()
        self._kept, self._speaks = float("-inf"), rank == 0
        self._said = ""
        self._console = Console(file=stream or sys.stderr, quiet=is_quiet(rank))
        self._live = self._console.is_terminal and not self._console.quiet
        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=20),
            MofNCompleteColumn(),
            TextColumn("{task.fields[note]}"),
            console=self._console,
            disable=not self._live,
        )
        known = segments is not None
        self._segments = self._bar.add_task("segments", total=segments, visible=known, note="")
        self._questions = self._bar.add_task(title or noun, total=questions, note="")

    def __enter__(self) -> RunProgress:
        self._began = self._told = self._now()
        self._bar.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._show()
        self._bar.stop()
        if not self._live and self.tally.questions:
            self._say()

    def expect(self, segments: int) -> None:
        """Take note of how many segments the run has."""
        self.tally.segments = segments
        self._bar.update(self._segments, total=segments, visible=True)

    def more(self, questions: int) -> None:
        """Take note of further questions."""
        self.tally.questions += questions
        self._bar.update(self._questions, total=self.tally.questions)

    def answered(self, questions: int = 1, *, from_journal: bool = False, failed: bool = False) -> None:
        """Count questions that were answered, by the model or the journal, or got no reply."""
        self.tally.answered += questions
        self.tally.from_journal += questions if from_journal else 0
        self.tally.failed += questions if failed else 0
        self._show()

    def still(self) -> None:
        """Show that the run goes on where nothing was answered for a while."""
        self._show()

    def remark(self, words: str) -> None:
        """Show a few words beside the numbers, in place of the last ones."""
        self.tally.remark = words

    def segment_done(self) -> None:
        """Count a segment all of whose questions have their answers."""
        self.tally.segments_done += 1
        self._show()

    def _show(self) -> None:
        tally = self.tally
        tally.elapsed_s = self._now() - self._began
        if self._live:
            left = "?" if tally.remaining_s is None else clock(tally.remaining_s)
            note = f"{tally.rate:.2f}/s, {tally.notes}, {left} left"
            self._bar.update(self._segments, completed=tally.segments_done)
            self._bar.update(self._questions, completed=tally.answered, note=note)
        elif self._now() - self._told >= self._line_every_s:
            self._say()
        if self._speaks and self._now() - self._kept >= STATUS_EVERY_S:
            self._keep()

    def _keep(self) -> None:
        """Write the status file, where one is wanted; a disk that is full costs the file and not the run."""
        self._kept = self._now()
        path = PROGRESS.folder()
        if path is None:
            return
        beside = path.with_name(f"{path.name}.new")
        with suppress(OSError):
            told = {**asdict(self.tally), "rate": self.tally.rate, "remaining_s": self.tally.remaining_s}
            beside.write_text(json.dumps({**told, "title": self._title}), encoding="utf-8")
            beside.replace(path)

    def _say(self) -> None:
        line = self._title + self.tally.line()
        if line != self._said:
            self._said, self._told = line, self._now()
            self._console.print(line, highlight=False, soft_wrap=True, markup=False)
