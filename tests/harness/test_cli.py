"""The command line: quick help with examples, and errors as sentences."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from typer import Typer

from semiology import cli

COMMAND = str(Path(sys.executable).with_name("semiology"))


def semiology(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([COMMAND, *arguments], capture_output=True, text=True, check=False)


def test_a_command_explains_itself() -> None:
    done = semiology("run", "--help")  # test_help_examples.py reads the help of every command
    assert done.returncode == 0
    assert "Usage" in done.stdout


def test_help_does_not_load_the_heavy_libraries() -> None:
    heavy = "('torch', 'lmms_eval', 'pandas', 'av')"
    code = f"import sys, semiology.cli; print([m for m in {heavy} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_version_is_told_with_what_it_stands_on() -> None:
    from semiology.versions import RECORDED_PACKAGES

    code = "import sys; sys.argv[1:] = ['--version']; from semiology.cli import app\n"
    code += "app(standalone_mode=False); print([m for m in ('torch', 'lmms_eval') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    line, loaded = done.stdout.splitlines()
    assert line.startswith("semiology ")
    assert all(name in line for name in RECORDED_PACKAGES[1:3])
    assert loaded == "[]"


def test_an_error_that_the_user_can_mend_is_one_sentence_and_status_2(tmp_path: Path) -> None:
    done = semiology("report", str(tmp_path / "nothing"))
    assert done.returncode == 2
    assert "nothing" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_bug_keeps_its_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    broken = Typer(pretty_exceptions_enable=False)

    @broken.command()
    def fail() -> None:
        raise KeyError("a bug")

    monkeypatch.setattr(cli, "app", broken)
    monkeypatch.setattr(sys, "argv", ["semiology"])
    with pytest.raises(KeyError):
        cli.main()
