"""Groups of commands, and examples under a command's ``--help`` that can be copied as they stand."""

from __future__ import annotations

import typer

# Typer's help leaves a column free on each side of an 80-column terminal. It fills the rest with spaces, so
# that a line continued with a backslash would not survive copying: an example is one line that fits.
LONGEST = 78


def examples(*commands: str) -> str:
    """Lay out the epilog of a command: each example on a line of its own.

    Args:
        commands: Command lines beginning with ``semiology``, at most `LONGEST` characters each (a test of the
            command line reads every one of them and holds it against the options of its command).

    Returns:
        Rich markup for Typer's ``epilog``. Blank lines part the examples: some versions of Typer join the
        lines of a paragraph, none joins paragraphs.
    """
    heading = "Example:" if len(commands) == 1 else "Examples:"
    shown = ("[cyan]" + command.replace("[", r"\[") + "[/cyan]" for command in commands)
    return "\n\n".join((heading, *shown))


def command_group(told: str, *commands: str) -> typer.Typer:
    """Return a group of commands with its help and examples, which it also shows when called by itself."""
    return typer.Typer(no_args_is_help=True, rich_markup_mode="rich", help=told, epilog=examples(*commands))
