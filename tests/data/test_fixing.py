"""`data check --fix` writes what messages tell to write, and nothing that they leave to a person."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner

from semiology.cli import app
from semiology.data.fixing import Fix, fix_folder, fix_of
from semiology.data.problems import Problem
from semiology.data.tables.reading import read_folder

MakeSet = Callable[..., Path]
ANNOTATIONS = """video_id,feature,present,onset_s,offset_s,side,justification
P001_V01,tonik,Y,10,20.5 s,L,"stiff, then relaxed"
P001_V01,clonic,nein,,,,
P001_V02,tonic,na,1:30,,,
P002_V01,head_turning,yes,"3,5",4,right,kept  as it is
"""


def test_what_is_named_is_written_and_the_rest_is_left(make_set: MakeSet) -> None:
    folder = make_set(annotations=ANNOTATIONS)
    before = (folder / "annotations.csv").read_bytes()
    fixes, copies = fix_folder(folder)
    assert {(fix.row, fix.column, fix.old, fix.new) for fix in fixes} == {
        (2, "feature", "tonik", "tonic"),
        (2, "present", "Y", "yes"),
        (2, "offset_s", "20.5 s", "20.5"),
        (2, "side", "L", "left"),
        (3, "present", "nein", "no"),
        (5, "onset_s", "3,5", "3.5"),
    }
    assert [copy.read_bytes() for copy in copies] == [before]
    left = read_folder(folder).problems
    assert [(problem.row, problem.message.split(":")[0]) for problem in left] == [(4, "onset_s")]
    text = (folder / "annotations.csv").read_text()
    assert '"stiff, then relaxed"' in text
    assert "kept  as it is" in text
    assert fix_folder(folder) == ([], [])
    assert len(list(folder.glob("*.bak*"))) == 1


def test_columns_files_and_codings(make_set: MakeSet) -> None:
    recordings = (
        "video_id,patient_id,video,duraton_s\nP001_V01,P001,videos/P001_V01.mp,60\n"
        "P001_V02,P001,videos/p001_v02.mp4,90\nP002_V01,P002,videos/P002_V01.mp4,\n"
    )
    reports = "video_id,report\nP001_V01,Versteift für 3 s\n".encode("cp1252")
    folder = make_set(recordings=recordings, reports=reports, annotations=ANNOTATIONS.replace("1:30", "60"))
    fixes, copies = fix_folder(folder)
    found = {(fix.file, fix.row, fix.new) for fix in fixes}
    assert ("recordings.csv", 1, "duration_s") in found
    assert ("recordings.csv", 2, "videos/P001_V01.mp4") in found
    assert ("recordings.csv", 3, "videos/P001_V02.mp4") in found
    assert ("reports.csv", None, "UTF-8") in found
    assert len(copies) == 3
    assert read_folder(folder).problems == []
    assert "für" in (folder / "reports.csv").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("message", "fix"),
    [
        ("onset_s: '1:30' is a clock time, seconds are expected", "write 90 if this is MM:SS"),
        (
            "onset_s: '0.000173611' looks like a spreadsheet's fraction of a day",
            "write 15 (0:00:15), or round it",
        ),
        ("video_id: 'a b' is no opaque id", "use an opaque id such as P001_V01"),
        ("present: is empty", "write yes, no or na; delete the row if it was not annotated"),
    ],
)
def test_choices_are_left_to_a_person(message: str, fix: str) -> None:
    assert fix_of(Problem("annotations.csv", 2, message, fix)) is None


def test_the_command_lists_the_changes(make_set: MakeSet) -> None:
    folder = make_set(annotations=ANNOTATIONS.replace("1:30", "60"))
    done = CliRunner().invoke(
        app, ["data", "check", str(folder), "--no-media", "--fix"], env={"COLUMNS": "200"}
    )
    assert done.exit_code == 0, done.output
    assert "annotations.csv:2: present: 'Y' → 'yes'" in done.output
    assert "annotations.csv.bak1" in done.output
    again = CliRunner().invoke(app, ["data", "check", str(folder), "--no-media", "--fix", "--json"])
    assert json.loads(again.output)["fixed"] == []


def test_a_fix_says_what_it_is() -> None:
    problem = Problem(
        "a.csv", 3, "present: 'ja' is not one of yes, no, na; did you mean 'yes'?", "write yes or no or na"
    )
    assert fix_of(problem) == Fix("a.csv", 3, "present", "ja", "yes")
