"""How far the asking of a language model is: prompts, those from the journal, those without a reply."""

from __future__ import annotations

import sys
import time
from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from semiology.render.progress import LINE_EVERY_S, is_quiet


class AskingProgress:
    """A bar on a terminal, a line every half minute elsewhere, nothing where ``SEMIOLOGY_QUIET`` is set.

    Args:
        what: what is being done, in a few words.
    """

    def __init__(self, what: str) -> None:
        self.total = self.done = self.kept = self.failed = 0
        self._what = what
        self._console = Console(file=sys.stderr, quiet=is_quiet())
        self._live = self._console.is_terminal and not self._console.quiet
        columns = (TextColumn("{task.description}"), BarColumn(bar_width=20), MofNCompleteColumn())
        self._bar = Progress(
            *columns,
            TextColumn("{task.fields[note]}"),
            TimeRemainingColumn(),
            console=self._console,
            disable=not self._live,
        )
        self._task = self._bar.add_task(what, total=None, note="")
        self._told = time.monotonic()

    def __enter__(self) -> AskingProgress:
        self._bar.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._bar.stop()
        if not self._live and self.total:
            self._say()

    def expect(self, prompts: int, kept: int) -> None:
        """Take note of further prompts, some of which the journal answers."""
        self.total += prompts
        self.kept += kept
        self.done += kept
        self._show()

    def answered(self, prompts: int, *, failed: bool = False) -> None:
        """Count prompts that were asked."""
        self.done += prompts
        self.failed += prompts if failed else 0
        self._show()

    def line(self) -> str:
        """Return all of it in one line of plain text."""
        return f"{self._what}: {self.done}/{self.total} prompts, {self._note()}"

    def _note(self) -> str:
        lost = f", {self.failed} without a reply" if self.failed else ""
        return f"{self.kept} from the journal{lost}"

    def _show(self) -> None:
        if self._live:
            self._bar.update(self._task, total=self.total, completed=self.done, note=self._note())
        elif time.monotonic() - self._told >= LINE_EVERY_S:
            self._say()

    def _say(self) -> None:
        self._told = time.monotonic()
        self._console.print(self.line(), highlight=False, soft_wrap=True, markup=False)
