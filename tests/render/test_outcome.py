"""``--json``: every command that makes or lists something says it to programs as well."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import click
import pytest
import typer
from typer.testing import CliRunner

from semiology.cli import app
from semiology.render.outcome import tell_outcome, with_json

SERVERS = {"serve-jsonl", "serve-command", "view", "review serve"}
"""Commands that go on until they are ended, and one that prints commands to type."""
ALREADY_JSON = {"leaderboard schema"}


def commands(group: click.Command, name: str = "") -> Iterator[tuple[str, click.Command]]:
    for word, each in getattr(group, "commands", {}).items():
        full = f"{name} {word}".strip()
        if hasattr(each, "commands"):
            yield from commands(each, full)
        else:
            yield full, each


ALL = dict(commands(typer.main.get_command(app)))


def test_there_are_commands() -> None:
    assert len(ALL) > 40
    assert set(ALL) > SERVERS | ALREADY_JSON


@pytest.mark.parametrize("name", sorted(set(ALL) - SERVERS - ALREADY_JSON))
def test_every_command_speaks_json(name: str) -> None:
    assert "--json" in {option for parameter in ALL[name].params for option in parameter.opts}


small = typer.Typer()


@small.command()
@with_json
def make(
    folder: Annotated[Path, typer.Argument()],
    fail: Annotated[bool, typer.Option("--fail")] = False,
    silent: Annotated[bool, typer.Option("--silent")] = False,
) -> None:
    """Make something."""
    typer.echo("making it")
    if silent:
        raise typer.Exit(2)
    tell_outcome(folder=folder, files=[folder / "a"], share=float("nan"))
    tell_outcome(count=2, by={"kind": folder})
    if fail:
        raise typer.Exit(1)


@pytest.mark.parametrize(("words", "status"), [([], 0), (["--fail"], 1)])
def test_words_go_to_standard_error_and_the_outcome_is_one_object(words: list[str], status: int) -> None:
    done = CliRunner().invoke(small, ["x", "--json", *words])
    told: dict[str, Any] = {"folder": "x", "files": ["x/a"], "share": None, "count": 2, "by": {"kind": "x"}}
    assert (json.loads(done.stdout), done.stderr, done.exit_code) == (told, "making it\n", status)
    plain = CliRunner().invoke(small, ["x", *words])
    assert (plain.stdout, plain.stderr, plain.exit_code) == ("making it\n", "", status)


def test_a_command_that_made_nothing_prints_no_object() -> None:
    done = CliRunner().invoke(small, ["x", "--json", "--silent"])
    assert (done.stdout, done.exit_code) == ("", 2)
    # What one command told is not told by the next.
    assert json.loads(CliRunner().invoke(small, ["y", "--json"]).stdout)["folder"] == "y"


def test_commands_that_make_files_name_them(tmp_path: Path) -> None:
    """A sheet is imported, and a leaderboard file is validated."""
    sheet = tmp_path / "signs.csv"
    sheet.write_text("video,patient,tonic\na,p1,yes\nb,p2,no\n")
    words = ["data", "import", "table", str(sheet), str(tmp_path / "set"), "--json"]
    done = CliRunner().invoke(app, words)
    assert done.exit_code == 0, done.stderr
    told = json.loads(done.stdout)
    assert (told["folder"], told["recordings"], told["annotations"], told["films_in_place"]) == (
        str(tmp_path / "set"), 2, 2, 0,
    )  # fmt: skip
    assert Path(told["mapping"]).is_file()
    assert "2 recordings of 2 patients" in done.stderr
    listed = CliRunner().invoke(app, ["prompts", "strokerehab", "--json"])
    assert {"question", "id", "text", "provenance"} <= set(json.loads(listed.stdout)[0])
