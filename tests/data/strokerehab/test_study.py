"""Folders of the study: the drawn one, and what is wrong with others."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from semiology.data.commands import app
from semiology.data.media.frames import read_frames
from semiology.data.strokerehab.check import check_study
from semiology.data.strokerehab.drawing import LEFT_HAND, OBJECT, RIGHT_HAND
from semiology.data.strokerehab.labels import read_labels
from semiology.data.strokerehab.simulate import FIXTURE, Look, simulate_study, write_fixture, write_video
from semiology.data.strokerehab.study import activity_of, read_study
from semiology.data.strokerehab.wide_scores import convert_wide_scores


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("drawn")
    simulate_study(
        root, controls=1, strokes=1, rounds=1, activities=("drinking", "rtt exercise"), look=Look((96, 64))
    )
    return root


def test_a_drawn_study_allows_every_task(drawn: Path) -> None:
    report = check_study(drawn)
    assert report.ok
    assert not report.missing
    assert report.tasks == {
        "identification": 4, "primitives": 4, "counting": 2, "impairment": 84, "labels only": 4,
    }  # fmt: skip
    study = read_study(drawn)
    assert set(study.truth("S90001")) == set(range(3, 34)) - {18}
    assert study.subjects["C90001"].severity == "control"


def test_the_fixture_has_the_labels_of_the_specification(tmp_path: Path) -> None:
    write_fixture(tmp_path)
    (video,) = read_study(tmp_path).videos.values()
    assert video.labels is not None
    assert video.video is not None
    labels = read_labels(video.labels)
    assert labels.hand == "right"
    assert len(labels.runs) == 9
    assert labels.runs[-1].end_s == pytest.approx(len(FIXTURE) * 16 / 30, abs=1e-3)
    assert sum(path.stat().st_size for path in tmp_path.rglob("*") if path.is_file()) < 1_000_000


def middle(picture: np.ndarray, colour: tuple[int, int, int]) -> np.ndarray | None:
    near = (np.abs(picture.astype(int) - colour).sum(2) < 90).nonzero()
    return np.array([near[1].mean(), near[0].mean()]) if len(near[0]) else None


@pytest.mark.parametrize(("hand", "colour"), [("right", RIGHT_HAND), ("left", LEFT_HAND)])
def test_the_drawn_hand_does_what_its_labels_say(
    tmp_path: Path, hand: str, colour: tuple[int, int, int]
) -> None:
    primitives = [
        ("idle", 10),
        ("reach", 20),
        ("transport", 20),
        ("stabilize", 16),
        ("transport", 20),
        ("reposition", 14),
    ]
    write_video(tmp_path, "S1_drinking1_1", "drinking", hand, primitives, Look((320, 208)))
    film = next(tmp_path.rglob("*.mp4"))
    first = 0
    for primitive, frames in primitives:
        start, end = read_frames(film, [(first + 1) / 30, (first + frames - 1) / 30])
        one, two = middle(start, colour), middle(end, colour)
        assert one is not None
        assert two is not None
        assert (np.abs(one - two).max() > 5) == (primitive in ("reach", "transport", "reposition")), primitive
        thing = middle(end, OBJECT)
        assert thing is not None
        # At the end of a reach the hand is there too: contact is what a reach ends with.
        assert (np.abs(thing - two).max() < 12) == (primitive in ("reach", "transport", "stabilize")), (
            primitive
        )
        first += frames


@pytest.mark.parametrize(("suffix", "fps"), [(".mkv", 60.0), (".avi", 20.2), (".mp4", 100.0)])
def test_containers_and_frame_rates_of_the_study(tmp_path: Path, suffix: str, fps: float) -> None:
    write_video(
        tmp_path,
        "S1_feeding1_1",
        "feeding",
        "right",
        [("idle", 30), ("reach", 30)],
        Look((96, 64), fps, suffix),
    )
    report = check_study(tmp_path)
    assert report.frame_rates == {f"{fps:.4g}": 1}
    assert report.tasks["primitives"] == 1
    assert any("subjects.csv" in str(warning) for warning in report.warnings)


def test_faults_are_told_with_file_row_and_fix(tmp_path: Path) -> None:
    (tmp_path / "subjects.csv").write_text(
        "subject,group,side_affected,side_scored,fm_total,severity,split\n"
        "S1,S,L,L,30,,tune\nS1,S,L,L,30,,test\nS2,X,L,L,,,\nS3,S,up,,99,,later\n"
    )
    (tmp_path / "fm_scores.csv").write_text(
        "subject,item,side,score\nS1,3,L,2\nS1,3,L,1\nS1,3,L,5\nS1,44,L,1\n"
    )
    labels = tmp_path / "labels" / "S1"
    labels.mkdir(parents=True)
    (labels / "S1_RTT left side1_1.csv").write_text("Time_s,MarkerNames\n0,r_idle\n1,r_reach\n")
    (labels / "S1_walking1_1.csv").write_text("Time_s,MarkerNames\n0,r_idle\n")
    videos = tmp_path / "videos" / "S1"
    videos.mkdir(parents=True)
    (videos / "S1_feeding1_1.mkv").write_bytes(b"no film")
    report = check_study(tmp_path)
    told = [(problem.file, problem.row) for problem in report.problems]
    assert told.count(("subjects.csv", 5)) == 3
    assert {
        ("subjects.csv", 3),
        ("subjects.csv", 4),
        ("fm_scores.csv", 3),
        ("fm_scores.csv", 4),
        ("fm_scores.csv", 5),
    } <= set(told)
    assert any("tune and test" in problem.message for problem in report.problems)
    assert any("feeding1_1.mkv" in problem.file for problem in report.problems)
    warnings = "\n".join(map(str, report.warnings))
    assert "right hand, but the activity names the left side" in warnings
    assert "walking" in warnings
    assert report.tasks["labels only"] == 1
    assert set(report.missing) == {"identification", "primitives", "counting", "impairment"}


def test_commands(drawn: Path, tmp_path: Path) -> None:
    run = CliRunner()
    checked = run.invoke(app, ["check", str(drawn), "--json"])
    assert checked.exit_code == 0
    assert json.loads(checked.stdout)["tasks"]["counting"] == 2
    assert "impairment: 84 clips" in run.invoke(app, ["check", str(drawn)]).stdout
    target = tmp_path / "manifest.jsonl"
    assert run.invoke(app, ["prepare", str(drawn), "--out", str(target)]).exit_code == 0
    rows = [json.loads(line) for line in target.read_text().splitlines()]
    assert len(rows) == 4
    assert {row["hand"] for row in rows} <= {"left", "right"}
    assert rows[0]["fps"] == 30
    assert run.invoke(app, ["simulate-strokerehab", str(drawn)]).exit_code == 2


def test_a_wide_table_of_scores_is_converted(tmp_path: Path) -> None:
    source = tmp_path / "wide.csv"
    source.write_text("subject,3L,3R,4L\nS1,2,,1\nS2,7,0,\n")
    written, problems = convert_wide_scores(source, tmp_path)
    assert written == 3
    assert [problem.row for problem in problems] == [3]
    assert (tmp_path / "fm_scores.csv").read_text().splitlines()[1:] == ["S1,3,L,2", "S1,4,L,1", "S2,3,R,0"]


def test_activities_by_the_spellings_of_file_names() -> None:
    assert activity_of("deodrant") == "deodorant"
    assert activity_of("RTT left side") == activity_of("rtt_right_side") == "rtt exercise"
    assert activity_of("walking") is None
