"""From a folder of films to a set with annotations: `data new`, the template, `data import table`, `data check`."""

from __future__ import annotations

import csv
from pathlib import Path

import openpyxl
import pytest
from media_zoo import even, write_recording
from typer.testing import CliRunner

from semiology.cli import app
from semiology.data.sheets.terms import heading_of
from semiology.features import FEATURES


def run(*arguments: str) -> tuple[int, str]:
    done = CliRunner().invoke(app, ["data", *arguments], env={"COLUMNS": "200"})
    return done.exit_code, done.output


@pytest.fixture
def films(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "films"
    folder.mkdir()
    for frames, name in enumerate(("P1_a", "P1_b", "P2_a"), 60):
        write_recording(folder / f"{name}.mp4", even(frames))
    return folder


def test_the_whole_road_with_the_template(films: Path, tmp_path: Path) -> None:
    status, told = run("new", "emu", "--videos", "films")
    assert status == 1
    assert "--choose 'patient=each'" in told
    assert not (tmp_path / "emu" / "recordings.csv").exists()
    status, told = run("new", "emu", "--videos", "films", "--choose", "patient=^([^_]+)")
    assert status == 0, told
    assert "3 recordings of 2 patients" in told
    rows = list(csv.DictReader((tmp_path / "emu" / "recordings.csv").open()))
    assert [(row["video_id"], row["patient_id"], row["duration_s"]) for row in rows] == [
        ("P1_a", "P1", "2"), ("P1_b", "P1", "2.033"), ("P2_a", "P2", "2.067")]  # fmt: skip
    book = openpyxl.load_workbook(tmp_path / "emu" / "annotation_template.xlsx")
    sheet = book["Annotations"]
    heads = {sheet.cell(1, column).value: column for column in range(1, sheet.max_column + 1)}
    assert set(FEATURES) < set(heads)
    lists = {rule.formula1: str(rule.sqref) for rule in sheet.data_validations.dataValidation}
    assert len(lists['"yes,no,na"'].split()) == 20
    assert any("stiffness" in str(cell.value) for row in book["Explanation"] for cell in row)
    for row, value in ((2, "yes"), (3, "no"), (4, "na")):
        sheet.cell(row, heads["tonic"]).value = value
    sheet.cell(2, heads["tonic onset (s)"]).value = 0.5
    sheet.cell(2, heads["tonic side"]).value = "left"
    book.save(tmp_path / "emu" / "annotation_template.xlsx")
    status, told = run("import", "table", "emu/annotation_template.xlsx", "emu")
    assert status == 0, told
    annotations = list(csv.DictReader((tmp_path / "emu" / "annotations.csv").open()))
    assert [row["present"] for row in annotations] == ["yes", "no", "na"]
    assert (annotations[0]["onset_s"], annotations[0]["side"]) == ("0.5", "left")
    assert run("check", "emu")[0] == 0
    assert run("new", "emu", "--videos", "films")[0] == 1


def test_an_empty_template_imports_nothing(films: Path) -> None:
    assert run("new", "emu", "--videos", "films", "--choose", "patient=each")[0] == 0
    for name in ("annotation_template.xlsx", "annotation_template.csv"):
        status, told = run("import", "table", f"emu/{name}", "emu")
        assert status == 1
        assert "nothing was imported" in told


def test_names_of_films_that_are_no_ids_are_replaced(films: Path, tmp_path: Path) -> None:
    (films / "P2_a.mp4").rename(films / "Müller Eva 2021-03-04.mp4")
    status, told = run("new", "emu", "--videos", "films", "--choose", "patient=each", "--key", "key.csv")
    assert status == 0, told
    recordings = (tmp_path / "emu" / "recordings.csv").read_text()
    assert "Müller" not in recordings
    assert "P003_V01" in recordings
    assert "Müller Eva 2021-03-04" in (tmp_path / "key.csv").read_text()


def test_a_film_that_cannot_be_read_costs_itself_alone(films: Path, tmp_path: Path) -> None:
    (films / "P2_a.mp4").write_bytes(b"no film")
    status, told = run("new", "emu", "--videos", "films", "--choose", "patient=each")
    assert status == 0, told
    assert "P2_a.mp4" in told
    assert len((tmp_path / "emu" / "recordings.csv").read_text().splitlines()) == 3
    (films / "sub").mkdir()
    (films / "sub" / "P1_a.avi").write_bytes(b"another")
    status, told = run("new", "other", "--videos", "films")
    assert status == 1
    assert "same name" in told


def test_every_feature_is_known_by_its_own_name() -> None:
    assert [name for name in FEATURES if heading_of(name).role != name] == []
