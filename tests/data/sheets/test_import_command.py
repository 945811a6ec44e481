"""The command: from a sheet to a set that `data check` accepts, in one step; refusals, copies, annotations alone."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
import yaml
from media_zoo import even, write_recording
from typer.testing import CliRunner

from semiology.cli import app
from semiology.data.sheets.commands import ask
from semiology.data.sheets.mapping import Question

SHEET = "video;patient;tonisch;klonisch\nP1_a.mp4;P1;ja;nein\nP1_b.mp4;P1;nein;ja\nP2_a.mp4;P2;ja;nein\n"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "films").mkdir()
    for frames, name in enumerate(("P1_a", "P1_b", "P2_a"), 60):
        write_recording(tmp_path / "films" / f"{name}.mp4", even(frames))
    (tmp_path / "signs.csv").write_text(SHEET, encoding="utf-8")
    return tmp_path


def run(*arguments: str) -> tuple[int, str]:
    done = CliRunner().invoke(app, ["data", *arguments], env={"COLUMNS": "200"})
    return done.exit_code, done.output


def rows(path: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(path.open(encoding="utf-8")))


def test_one_command_makes_a_set_that_can_be_used(folder: Path) -> None:
    status, told = run("import", "table", "signs.csv", "emu", "--videos", "films")
    assert status == 0, told
    assert "3 of 3 films in place" in told
    assert "tonisch" in told
    assert next(row["duration_s"] for row in rows(folder / "emu" / "recordings.csv")).startswith("2")
    assert (folder / "emu" / "videos" / "P1_a.mp4").samefile(folder / "films" / "P1_a.mp4")
    status, told = run("check", "emu")
    assert status == 0, told
    assert yaml.safe_load((folder / "emu" / "mapping.yaml").read_text())["columns"]["tonisch"] == "tonic"


def test_what_is_there_is_not_replaced_without_a_copy(folder: Path) -> None:
    assert run("import", "table", "signs.csv", "emu")[0] == 0
    before = (folder / "emu" / "annotations.csv").read_bytes()
    status, told = run("import", "table", "signs.csv", "emu")
    assert status == 1
    assert "--force" in told
    (folder / "signs.csv").write_text(SHEET.replace("P2;ja", "P2;nein"))
    assert run("import", "table", "signs.csv", "emu", "--map", "emu/mapping.yaml", "--force")[0] == 0
    assert (folder / "emu" / "annotations.csv.bak1").read_bytes() == before
    assert (folder / "emu" / "annotations.csv").read_bytes() != before


def test_a_question_names_its_choices_and_writes_no_set(folder: Path) -> None:
    (folder / "signs.csv").write_text("video,patient,tonic\nP1_a,P1,x\nP1_b,P1,\n")
    status, told = run("import", "table", "signs.csv", "emu")
    assert status == 1
    assert "--choose 'empty=no'" in told
    assert not (folder / "emu" / "recordings.csv").exists()
    status, told = run("import", "table", "signs.csv", "emu", "--choose", "empty=no")
    assert status == 0, told
    assert [row["present"] for row in rows(folder / "emu" / "annotations.csv")] == ["yes", "no"]
    assert yaml.safe_load((folder / "emu" / "mapping.yaml").read_text())["empty"] == "no"


def test_importing_nothing_is_an_error(folder: Path) -> None:
    (folder / "signs.csv").write_text("video,patient,tonic\nP1_a,P1,\nP1_b,P1,\n")
    status, told = run("import", "table", "signs.csv", "emu")
    assert status == 1
    assert "nothing was imported" in told
    assert not (folder / "emu" / "recordings.csv").exists()


def test_a_choice_that_is_none_is_told(folder: Path) -> None:
    for choice, told in (
        ("emty=no", "did you mean 'empty'"),
        ("empty=nope", "--choose empty"),
        ("columns.x=tonik", "did you mean 'tonic'"),
    ):
        done = CliRunner().invoke(app, ["data", "import", "table", "signs.csv", "emu", "--choose", choice])
        assert told in str(done.exception), choice


def test_a_set_without_annotations_gets_them(folder: Path) -> None:
    assert run("import", "table", "signs.csv", "emu", "--videos", "films")[0] == 0
    recordings = (folder / "emu" / "recordings.csv").read_bytes()
    (folder / "emu" / "annotations.csv").unlink()
    (folder / "signs.csv").write_text(
        "recording,pat,sign,value\np1-A,P1,Tonic,yes\nP2_a,P7,Tonic,no\nP9_z,,Tonic,no\n"
    )
    status, told = run("import", "table", "signs.csv", "emu", "--videos", "films")
    assert status == 0, told
    assert [row["video_id"] for row in rows(folder / "emu" / "annotations.csv")] == ["P1_a", "P2_a"]
    assert "'P9_z'" in told
    assert "--videos is not used" in told
    assert "the patients of 1 recording are called otherwise" in told
    assert "P2_a" in told
    assert (folder / "emu" / "recordings.csv").read_bytes() == recordings


def test_an_answer_that_is_none_is_asked_for_again(monkeypatch: pytest.MonkeyPatch) -> None:
    typed = iter(["perhaps", "no"])
    monkeypatch.setattr("semiology.data.sheets.commands.typer.prompt", lambda key: next(typed))
    assert ask([Question("empty", "What does an empty cell mean?", (("no", ""), ("unannotated", "")))]) == {
        "empty": "no"
    }


def test_empty_cells_beside_no_are_not_annotated_and_told(folder: Path) -> None:
    (folder / "signs.csv").write_text("video,patient,tonic,clonic\nP1_a,P1,yes,\nP1_b,P1,no,yes\n")
    status, told = run("import", "table", "signs.csv", "emu")
    assert status == 0, told
    assert "not annotated" in told
    assert len(rows(folder / "emu" / "annotations.csv")) == 3
