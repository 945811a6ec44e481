"""What is wrong with a recording set, said so that the person who made it can fix it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from semiology.render.text import counted


@dataclass(frozen=True)
class Problem:
    """One fault of a recording set.

    Attributes:
        file: Name of the file, relative to the folder.
        row: Row number as a spreadsheet shows it (the header is row 1), or ``None`` for the whole file.
        message: What is wrong.
        fix: What to do about it.
    """

    file: str
    row: int | None
    message: str
    fix: str

    def __str__(self) -> str:
        place = self.file if self.row is None else f"{self.file}:{self.row}"
        return f"{place}: {self.message} → {self.fix}"


class RecordingSetError(ValueError):
    """A recording set cannot be used; ``problems`` holds everything that is wrong with it."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems: tuple[Problem, ...] = tuple(problems)
        head = f"{counted(len(self.problems), 'problem')} in the recording set:"
        super().__init__("\n".join([head, *map(str, self.problems)]))


class SettingsError(ValueError):
    """A setting is missing or not understood; the message says how to set it."""
