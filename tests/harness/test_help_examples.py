"""Every command shows examples, and every example is one that its command understands."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer

from semiology import cli
from semiology.enhancements.commands import DEFAULT
from semiology.render.help import LONGEST, examples

# Typer brings its own click: the class of its errors is found through its public one.
ClickException: Any = typer.BadParameter.__mro__[2]
ROOT: Any = typer.main.get_command(cli.app)


def described(command: Any, path: tuple[str, ...] = ("semiology",)) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Yield each command of the tree with the words that call it."""
    yield path, command
    for name, below in getattr(command, "commands", {}).items():
        yield from described(below, (*path, name))


COMMANDS = dict(described(ROOT))


def shown(command: Any) -> list[str]:
    """The examples in a command's epilog, as a reader sees them."""
    return [
        line.removeprefix("[cyan]").removesuffix("[/cyan]").replace(r"\[", "[")
        for line in (command.epilog or "").split("\n\n")[1:]
    ]


EXAMPLES = [(path, example) for path, command in COMMANDS.items() for example in shown(command)]


def called(words: list[str]) -> tuple[tuple[str, ...], Any, list[str]]:
    """Follow words down the tree as the command line does: the command reached, and the words left to it."""
    path, command, rest = (words[0],), ROOT, words[1:]
    while commands := getattr(command, "commands", None):
        name = rest.pop(0) if rest and rest[0] in commands else DEFAULT
        assert name in commands, f"{' '.join(words)}: no command of {' '.join(path)} is called"
        path, command = (*path, name), commands[name]
    return path, command, rest


def arguments(example: str) -> list[str]:
    """The words of an example without what the shell redirects."""
    words = shlex.split(example)
    ends = [index for index, word in enumerate(words) if word in ("<", ">", "|")]
    return words[: ends[0]] if ends else words


@pytest.mark.parametrize("path", COMMANDS, ids=" ".join)
def test_every_command_has_an_example(path: tuple[str, ...]) -> None:
    assert shown(COMMANDS[path])


@pytest.mark.parametrize(("path", "example"), EXAMPLES, ids=[example for _, example in EXAMPLES])
def test_an_example_is_read_by_the_command_that_shows_it(
    path: tuple[str, ...], example: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert example.startswith("semiology ")
    reached, command, words = called(arguments(example))
    assert reached[: len(path)] == path
    monkeypatch.chdir(tmp_path)
    parse(command, words)


def parse(command: Any, words: list[str]) -> None:
    """Let a command read its words and not run; files and folders that must exist are made."""
    for _ in words:
        try:
            command.make_context(command.name, list(words))
        except ClickException as error:
            missing = re.search(r"(\w+) '([^'/][^']*)' does not exist", error.message)
            if missing is None:
                raise
            Path(missing[2]).parent.mkdir(parents=True, exist_ok=True)
            Path(missing[2]).touch() if missing[1] == "file" else Path(missing[2]).mkdir()
        else:
            return


@pytest.mark.parametrize("path", COMMANDS, ids=" ".join)
def test_an_example_stands_on_a_line_of_its_own(
    path: tuple[str, ...], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    command = COMMANDS[path]
    typer.Context(command, info_name=" ".join(path)).get_help()
    lines = [line.strip() for line in capsys.readouterr().out.splitlines()]
    for example in shown(command):
        assert len(example) <= LONGEST
        assert example in lines


def test_brackets_of_an_example_are_shown_and_not_read_as_markup() -> None:
    assert r"semiology data check my\[1]" in examples("semiology data check my[1]")


def test_one_example_is_called_one() -> None:
    assert examples("semiology demo").startswith("Example:\n")
    assert examples("semiology demo", "semiology demo").startswith("Examples:\n")


@pytest.mark.parametrize(
    "words",
    [
        ["my_emu", "--no-such-option"],
        ["my_emu", "--window", "long"],
        ["my_emu", "another"],
        [],
    ],
)
def test_an_example_that_has_rotten_would_be_found(
    words: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ClickException):
        COMMANDS["semiology", "data", "check"].make_context("check", words)
