"""`semiology data …` as typed: what is printed, what is written, and the exit code."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from typer.testing import CliRunner, Result

from semiology.data.check import check_recording_set
from semiology.data.commands import app
from semiology.features import FEATURES

Make = Callable[..., Path]
RECORDINGS = """video_id,patient_id,video,duration_s
P001_V01,P001,videos/P001_V01.mp4,2
P001_V02,P001,videos/P001_V02.mp4,
P002_V01,P002,videos/P002_V01.mp4,9
"""
ANNOTATIONS = """video_id,feature,present,onset_s,offset_s
P001_V01,tonic,yes,0,1
P001_V02,tonic,yes,0.5,1
P002_V01,tonic,no,,
P001_V01,ictal_vocalization,yes,,
"""


def film(path: Path, seconds: float = 2.0) -> None:
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=10)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for index in range(round(seconds * 10)):
            image = np.full((48, 64, 3), index, np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="rgb24")))
        container.mux(stream.encode())


def call(*words: object) -> Result:
    return CliRunner().invoke(app, [str(word) for word in words], env={"COLUMNS": "200"})


@pytest.fixture
def filmed(make_set: Make) -> Path:
    """A set with three real silent videos of two seconds."""
    folder = make_set(recordings=RECORDINGS, annotations=ANNOTATIONS, reports=None)
    for path in (folder / "videos").iterdir():
        film(path)
    return folder


def test_a_usable_set_is_summarised_and_exits_with_0(filmed: Path) -> None:
    result = call("check", filmed)
    assert result.exit_code == 0, result.output
    assert "3 recordings of 2 patients, 0 reports, 3 videos opened (0.00 h)" in result.output
    assert "0 problems, 0 unreadable videos" in result.output
    assert "The set can be used." in result.output
    (tonic,) = [line.split() for line in result.output.splitlines() if line.strip(" │┃").startswith("tonic")]
    assert [cell for cell in tonic if cell.isdigit()] == ["2", "1", "0", "0", "1"]


def test_what_opening_the_media_shows_is_warned_about(filmed: Path) -> None:
    warnings = [(item.row, item.message) for item in check_recording_set(filmed, window_s=3).warnings]
    assert (2, "P001_V01 lasts 2.0 s, less than a window (3 s)") in warnings
    assert (4, "P002_V01: duration_s is 9, but the video lasts 2.0 s") in warnings
    assert (2, "P001_V01 has no sound, but ictal_vocalization is annotated") in warnings


def test_an_onset_behind_the_real_end_of_the_video_is_a_problem(filmed: Path) -> None:
    (filmed / "annotations.csv").write_text("video_id,feature,present,onset_s\nP001_V02,tonic,yes,5\n")
    (problem,) = check_recording_set(filmed).problems
    assert (problem.row, "onset_s 5 is beyond the end of the video (2 s)" in problem.message) == (2, True)
    assert check_recording_set(filmed, media=False).ok


def test_a_video_of_more_than_three_hours_is_left_out_as_in_a_run(
    filmed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import dataclasses

    from semiology.data.media import probe as media

    real = media.probe

    def long_film(path: Path) -> media.MediaInfo:
        return dataclasses.replace(real(path), duration_s=4 * 3600.0)

    monkeypatch.setattr(media, "probe", long_film)
    report = check_recording_set(filmed)
    assert {item.video_id for item in report.exclusions} == {"P001_V01", "P001_V02", "P002_V01"}
    assert all("4.0 h long, more than the 3 h" in item.reason for item in report.exclusions)


def test_videos_that_cannot_be_read_are_counted_and_listed(filmed: Path) -> None:
    (filmed / "videos" / "P001_V02.mp4").write_bytes(b"")
    (filmed / "videos" / "P002_V01.mp4").write_bytes(b"no film at all")
    report = check_recording_set(filmed)
    assert [item.video_id for item in report.exclusions] == ["P001_V02", "P002_V01"]
    assert (report.probed, report.ok, report.problems) == (1, False, ())
    result = call("check", filmed)
    assert result.exit_code == 1
    assert "2 recordings excluded" in result.output
    assert "2 unreadable videos" in result.output
    assert call("check", filmed, "--no-media").exit_code == 0


def test_all_problems_are_printed_whole_with_exit_code_1(make_set: Make) -> None:
    folder = make_set(annotations="video_id,feature,present\nP001_V01,tonik,yes\nP001_V01,[tonic],yes\n")
    result = call("check", folder, "--no-media")
    assert result.exit_code == 1
    assert "annotations.csv:2: feature: unknown feature 'tonik'; did you mean 'tonic'?" in result.output
    assert "annotations.csv:3: feature: unknown feature '[tonic]'" in result.output
    assert "2 problems" in result.output
    assert "\x1b[" not in result.output


def test_json_output_is_one_object_for_machines(filmed: Path, make_set: Make) -> None:
    result = call("check", filmed, "--json")
    content = json.loads(result.stdout)
    assert (content["ok"], content["recordings"], content["patients"]) == (True, 3, 2)
    assert [item["feature"] for item in content["features"]] == list(FEATURES)
    make_set(annotations="video_id,feature,present\nP009_V01,tonic,yes\n")
    result = call("check", filmed, "--json", "--no-media")
    content = json.loads(result.stdout)
    assert (result.exit_code, content["ok"]) == (1, False)
    assert content["problems"][0]["file"] == "annotations.csv"
    assert content["problems"][0]["row"] == 2


@pytest.mark.parametrize("name", ["empty", "nowhere"])
def test_a_folder_without_a_set_is_told_what_to_do(tmp_path: Path, name: str) -> None:
    (tmp_path / "empty").mkdir()
    result = call("check", tmp_path / name)
    assert result.exit_code == 1
    assert "semiology data simulate" in result.output


@pytest.mark.parametrize(
    "words",
    [["check"], ["import"], ["import", "s3"], ["import", "embc"], ["deidentify"], ["simulate"], []],
    ids=" ".join,
)
def test_every_help_has_an_example(words: list[str]) -> None:
    result = call(*words, "--help")
    assert result.exit_code == 0
    assert "semiology data" in result.output
    assert "Example" in result.output


def test_the_help_of_deidentify_says_that_it_is_no_anonymisation() -> None:
    text = " ".join(call("deidentify", "--help").output.split())
    assert "This is not anonymisation." in text
    assert "Faces and voices remain" in text


def test_the_help_loads_no_heavy_library() -> None:
    heavy = ("torch", "av", "pandas", "numpy", "yaml")
    code = f"import sys, semiology.data.commands; print([name for name in {heavy} if name in sys.modules])"
    loaded = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert loaded.stdout.strip() == "[]"


def test_an_import_is_counted_and_refuses_to_replace_a_set(tmp_path: Path) -> None:
    table = tmp_path / "annotations.csv"
    table.write_text(
        "file_name,tonic,clonic,figure4\nA1@1-2-2020@X@sz_v1.mp4,yes,perhaps,\nB1@x@y@nes_v1,no,no,no\n"
    )
    key = tmp_path / "key.csv"
    result = call("import", "embc", table, tmp_path / "set", "--key", key)
    assert result.exit_code == 0, result.output
    assert "2 recordings of 2 patients, 4 annotations, 0 reports; 1 value not used" in result.output
    assert "annotations.csv:2: clonic: 'perhaps' is neither yes, no nor NA" in result.output
    assert "0 of 2 videos in place" in result.output
    assert "A1@1-2-2020@X@sz_v1.mp4" in key.read_text()
    assert key.stat().st_mode & 0o777 == 0o600
    again = call("import", "embc", table, tmp_path / "set")
    assert (again.exit_code, "holds a recording set already" in again.output) == (1, True)
    assert call("import", "s3", table, tmp_path / "set", "--force").exit_code == 0
    inside = call("import", "s3", table, tmp_path / "new", "--key", tmp_path / "new" / "key.csv")
    assert (inside.exit_code, "the key would lie inside" in inside.output) == (1, True)


def test_an_import_without_a_table_says_what_is_wanted(tmp_path: Path) -> None:
    result = call("import", "s3", tmp_path, tmp_path / "set")
    assert (result.exit_code, "one column per feature" in result.output) == (1, True)


def test_deidentify_prints_what_was_replaced_and_what_remains(filmed: Path, tmp_path: Path) -> None:
    (filmed / "reports.csv").write_text("video_id,report\nP001_V01,Ana came on 5/13/2021\n")
    (tmp_path / "names.txt").write_text("Ana\n\n")
    result = call("deidentify", filmed, tmp_path / "out", "--names", tmp_path / "names.txt", "--seed", 3)
    assert result.exit_code == 0, result.output
    assert "replaced in free text: 1 × date, 1 × name" in result.output
    assert "Faces and voices remain" in result.output
    assert "no key was written" in result.output
    assert call("check", tmp_path / "out").exit_code == 0
    refused = call("deidentify", filmed, tmp_path / "out2", "--key", tmp_path / "out2" / "key.csv")
    assert (refused.exit_code, "the key would lie inside" in refused.output) == (1, True)


@pytest.mark.parametrize("place", ["file/new", "file"])
def test_simulate_says_in_a_sentence_that_a_folder_cannot_be_made(tmp_path: Path, place: str) -> None:
    (tmp_path / "file").write_text("")
    result = call("simulate", tmp_path / place, "--patients", 1)
    assert result.exit_code == 1
    assert f"{place}: the folder cannot be made or written to" in result.output
    assert "choose a folder in a place where you may write" in result.output
    assert "Errno" not in result.output


def test_simulate_passes_its_options_on_and_refuses_to_replace_a_set(
    tmp_path: Path, make_set: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[tuple[Path, dict[str, Any]]] = []
    monkeypatch.setattr(
        "semiology.data.simulated.simulate", lambda path, **options: calls.append((path, options))
    )
    chosen = ("--size", "1280x720", "--duration", "30-180", "--fps", 25, "--test-share", 0.25)
    result = call("simulate", tmp_path / "new", "--patients", 3, "--recordings", 4, "--seed", 9, *chosen)
    options = {"patients": 3, "seed": 9, "recordings_per_patient": 4, "workers": 2, "pose": False}
    options |= {
        "size": (1280, 720),
        "duration_s": (30.0, 180.0),
        "fps": 25,
        "test_share": 0.25,
        "controls": 0,
    }
    assert calls == [(tmp_path / "new", options)]
    assert "12 recordings of 3 simulated patients" in result.output
    assert call("simulate", make_set()).exit_code == 1
    wrong = call("simulate", tmp_path / "other", "--size", "big")
    assert wrong.exit_code == 2
    assert "two numbers" in wrong.output
    assert len(calls) == 1


def test_faults_of_the_table_of_sides_are_listed_with_file_row_and_mend(filmed: Path) -> None:
    (filmed / "laterality.csv").write_text(
        "video_id,head_turning_side,onset_region\n"
        "P001_V01,up,head\n"
        "P009_V01,left,head\n"
        "P002_V01,left,elbow\n"
        "P002_V01,left,head\n"
    )
    result = call("check", filmed, "--no-media", "--json")
    assert result.exit_code == 1
    found = {(problem["file"], problem["row"]): problem for problem in json.loads(result.output)["problems"]}
    assert set(found) == {("laterality.csv", row) for row in (2, 3, 4, 5)}
    for row, word in ((2, "'up'"), (3, "P009_V01"), (4, "'elbow'"), (5, "already")):
        assert word in found["laterality.csv", row]["message"]
        assert found["laterality.csv", row]["fix"]


def test_patients_are_counted_by_split(make_set: Make) -> None:
    named = RECORDINGS.replace("duration_s\n", "duration_s,split\n")
    for row, split in (("P001_V01.mp4,2", "Hold-out"), ("P001_V02.mp4,", ""), ("P002_V01.mp4,9", "confirm")):
        named = named.replace(f"{row}\n", f"{row},{split}\n")
    told = call("check", make_set(recordings=named, annotations=ANNOTATIONS, reports=None), "--no-media")
    assert "patients by split: test 1, confirm 1" in told.output
    plain = call("check", make_set(recordings=RECORDINGS), "--no-media")
    assert "patients by split" not in plain.output
