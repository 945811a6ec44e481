"""Where a command shall write is looked at when it starts, before models are loaded and answers are read."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from semiology.data.owned_folder import expect_room

NAMES = ("out", "into", "dest")
"""Options and arguments that name where a command writes."""


def with_places_checked(command: Any) -> Any:
    """Return a command of Click that, with all below it, refuses at once to write where it cannot.

    What an option names is told by its help, which begins with "Folder" or, say, "CSV file": the versions of Typer have
    no other place in common where it stands.

    Raises:
        FolderError: by the command when it is called: the place is no folder, may not be written, or its disk is full.
    """
    for each in getattr(command, "commands", {}).values():
        with_places_checked(each)
    for parameter in command.params:
        if parameter.name in NAMES:
            folder = "folder" in str(getattr(parameter, "help", ""))[:24].lower()
            parameter.callback = _checking(parameter.callback, one_file=not folder)
    return command


def _checking(before: Callable[..., Any] | None, *, one_file: bool) -> Callable[..., Any]:
    def check(context: Any, parameter: Any, value: Any) -> Any:
        value = before(context, parameter, value) if before else value
        if isinstance(value, str | Path) and not context.resilient_parsing:
            place = Path(value)
            expect_room(place.parent if one_file else place)
        return value

    return check
