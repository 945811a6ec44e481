"""What a sheet says of whole recordings: diagnosis, lobe and side of onset, type of seizure, split and fold."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from typer.testing import CliRunner

from semiology.cli import app
from semiology.data.recording_set import LOBES, SEIZURE_TYPES
from semiology.data.sheets.terms import heading_of, terms


def imported(folder: Path, sheet: str, *words: str) -> tuple[dict[str, dict[str, str]], str]:
    """Import a sheet; the rows of recordings.csv by video, and what was told."""
    (folder / "signs.csv").write_text(sheet, encoding="utf-8")
    arguments = ["data", "import", "table", str(folder / "signs.csv"), str(folder / "emu"), *words]
    done = CliRunner().invoke(app, arguments, env={"COLUMNS": "250"})
    assert done.exit_code == 0, done.output
    rows = csv.DictReader((folder / "emu" / "recordings.csv").open(encoding="utf-8"))
    return {row["video_id"]: row for row in rows}, done.output


@pytest.mark.parametrize(
    ("lobe", "side", "kind", "right"),
    [
        ("temporal", "left", "focal aware", ("temporal", "left", "focal aware")),
        ("mTLE", "Li.", "FIAS", ("temporal", "left", "focal impaired awareness")),
        ("Frontallappen", "rechts", "sekundär generalisiert",
         ("frontal", "right", "focal to bilateral tonic-clonic")),
        ("lobe occipital", "droite", "CNEP", ("occipital", "right", "functional")),
        ("multifocal", "bds.", "GTCS", ("several", "both", "generalized tonic-clonic")),
        ("ínsula", "hemisferio derecho", "ausencia", ("insular", "right", "absence")),
        ("?", "unklar", "unknown", ("", "", "")),
    ],
)  # fmt: skip
def test_conclusions_are_read_in_the_words_of_a_hospital(
    tmp_path: Path, lobe: str, side: str, kind: str, right: tuple[str, str, str]
) -> None:
    found, told = imported(
        tmp_path,
        f"video;patient;tonic;Lobe of onset;Onset side;Seizure type\nA;P1;yes;{lobe};{side};{kind}\nB;P2;no;;;\n",
    )
    for name, value in zip(("onset_lobe", "onset_side", "seizure_type"), right, strict=True):
        assert found["A"].get(name, "") == value
        assert found["B"].get(name, "") == ""
    for cell, value in zip((lobe, side, kind), right, strict=True):
        assert cell == value or cell in told  # whatever was taken for something else is told


def test_a_word_that_is_none_of_them_is_told_with_its_row_and_not_used(tmp_path: Path) -> None:
    found, told = imported(
        tmp_path, "video,patient,tonic,onset lobe,diagnosis\nA,P1,yes,cerebellar,ES\nB,P2,no,temporal,maybe\n"
    )
    assert [found[name]["onset_lobe"] for name in "AB"] == ["", "temporal"]
    assert [found[name]["diagnosis"] for name in "AB"] == ["ES", ""]
    assert "'cerebellar' is none of temporal, frontal" in told
    assert "'maybe' is none of ES, NES, none" in told


def test_what_stands_in_a_later_row_of_a_recording_counts_and_a_contradiction_is_told(tmp_path: Path) -> None:
    rows = ("A,P1,tonic,yes,,,", "A,P1,clonic,no,left,ES,test", "A,P1,head turning,no,right,ES,TEST")
    found, told = imported(
        tmp_path, "video,patient,feature,present,onset side,diagnosis,split\n" + "\n".join(rows) + "\n"
    )
    assert (found["A"]["onset_side"], found["A"]["diagnosis"], found["A"]["split"]) == ("left", "ES", "test")
    assert "onset_side is left above, used; right here" in told
    assert "diagnosis is" not in told


def test_a_recording_without_an_event_is_a_control(tmp_path: Path) -> None:
    found, _ = imported(tmp_path, "video,patient,tonic,diagnosis\nA,P1,no,none\nB,P2,yes,PNES\n")
    assert [found[name]["diagnosis"] for name in "AB"] == ["none", "NES"]


def test_columns_that_a_set_has_already_are_told_to_be_left(tmp_path: Path) -> None:
    found, _ = imported(tmp_path, "video,patient,tonic,onset lobe\nA,P1,yes,temporal\n")
    (tmp_path / "emu" / "annotations.csv").unlink()
    (tmp_path / "emu" / "annotations.csv").write_text("video_id,feature,present\n")
    again, told = imported(tmp_path, "video,patient,tonic,onset lobe\nA,P1,yes,frontal\n")
    assert again["A"]["onset_lobe"] == found["A"]["onset_lobe"] == "temporal"
    assert "recordings.csv stays as it is: not used were the columns onset lobe" in told


def test_the_words_name_what_the_tables_take() -> None:
    conclusions = terms().conclusions
    assert {*conclusions["onset_lobe"].values()} == {*LOBES}
    assert {*conclusions["seizure_type"].values()} == {*SEIZURE_TYPES}
    assert heading_of("Anfallstyp").role == "seizure_type"
    assert heading_of("Anfall").role == "video"
