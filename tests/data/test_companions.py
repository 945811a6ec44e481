"""A check opens the sound file, the keypoints and the transcript of a recording, as a run will."""

import json
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import soundfile
from media_zoo import write_recording

from semiology.data.check import CheckReport, check_recording_set

ROW = "video_id,patient_id,video,{column}\nV1,P1,videos/a.mp4,{value}\nV2,P2,videos/b.mp4,\n"


@pytest.fixture
def checked(tmp_path: Path) -> Callable[..., CheckReport]:
    """Check a set of two films of 8 s, the first with another file in a column."""

    def check(column: str, value: str, content: bytes | None = None) -> CheckReport:
        folder = tmp_path / "set"
        (folder / "videos").mkdir(parents=True)
        for number, name in enumerate("ab"):
            write_recording(
                folder / "videos" / f"{name}.mp4", [i / 10 for i in range(80 + number)], rate=10,
                time_base=Fraction(1, 10),
            )  # fmt: skip
        if content is not None:
            (folder / value).write_bytes(content)
        (folder / "recordings.csv").write_text(ROW.format(column=column, value=value))
        (folder / "annotations.csv").write_text(
            "video_id,feature,present\nV1,ictal_vocalization,yes\nV2,tonic,no\n"
        )
        (folder / "dataset.yaml").write_text("name: x\nversion: 1\n")
        return check_recording_set(folder)

    return check


def sound(path: Path, seconds: float) -> bytes:
    soundfile.write(path, np.random.default_rng(0).uniform(-0.3, 0.3, round(8000 * seconds)), 8000)
    return path.read_bytes()


@pytest.mark.parametrize("suffix", [".wav", ".aiff", ".flac", ".ogg"])
def test_a_sound_file_that_is_far_too_short_is_a_problem(
    checked: Callable[..., CheckReport], tmp_path: Path, suffix: str
) -> None:
    report = checked("audio", f"a{suffix}", sound(tmp_path / f"s{suffix}", 2.0))
    (problem,) = report.problems
    assert (problem.row, "2.0 s" in problem.message, "8.0 s" in problem.message) == (2, True, True)


def test_a_sound_file_of_the_right_length_is_no_problem(
    checked: Callable[..., CheckReport], tmp_path: Path
) -> None:
    report = checked("audio", "a.wav", sound(tmp_path / "s.wav", 8.0))
    assert report.ok
    assert not [each for each in report.warnings if "sound file" in each.message]


@pytest.mark.parametrize("content", [b"", b"no sound at all", b"RIFF\x10\0\0\0WAVEfmt "])
def test_a_sound_file_that_is_none_is_named(checked: Callable[..., CheckReport], content: bytes) -> None:
    (problem,) = checked("audio", "a.wav", content).problems
    assert problem.row == 2
    assert "V1, audio: " in problem.message


@pytest.mark.parametrize(
    ("content", "told"),
    [("start_s,end_s\n1,2\n", "no column text"), ("start_s,end_s,text\n5,3,x\n", "from 5"), ("{", "broken JSON"),
     ("1\n00:00:01,000 --> 00:00:02,000\nhello\n", "subtitles")],
)  # fmt: skip
def test_a_transcript_that_cannot_be_read_is_a_problem(
    checked: Callable[..., CheckReport], content: str, told: str
) -> None:
    (problem,) = checked("transcript", "t.csv", content.encode()).problems
    assert (problem.row, told in problem.message) == (2, True)


def test_speech_after_the_end_of_the_video_is_told(checked: Callable[..., CheckReport]) -> None:
    report = checked("transcript", "t.csv", b"start_s;end_s;text\n1,5;2,5;here\n60;61;there\n")
    assert [each.row for each in report.warnings if "1 of 2 utterances" in each.message] == [2]


def keypoints(folder: Path, frames: int, name: str = "pose_keypoints_2d", points: int = 18) -> None:
    folder.mkdir(parents=True)
    for number in range(frames):
        people = [{name: [30.0, 20.0, 0.9] * points}]
        (folder / f"a_{number:012d}_keypoints.json").write_text(json.dumps({"people": people}))


@pytest.mark.parametrize(
    ("frames", "name", "points", "told"),
    [
        (80, "pose_keypoints", 18, "before 1.3"),
        (80, "keypoints", 17, "'keypoints'"),
        (80, "pose_keypoints_2d", 15, "15 points"),
        (30, "pose_keypoints_2d", 25, "30 of 80 frames"),
        (200, "pose_keypoints_2d", 25, "up to frame 199"),
    ],
)
def test_keypoints_are_opened(
    checked: Callable[..., CheckReport], tmp_path: Path, frames: int, name: str, points: int, told: str
) -> None:
    keypoints(tmp_path / "set" / "pose", frames, name, points)
    report = checked("pose", "pose")
    found = [each for each in (*report.problems, *report.warnings) if told in each.message]
    assert [each.row for each in found] == [2]


def test_points_that_are_no_numbers_are_told(checked: Callable[..., CheckReport], tmp_path: Path) -> None:
    keypoints(tmp_path / "set" / "pose", 80, "pose_keypoints_2d", 25)
    for path in sorted((tmp_path / "set" / "pose").iterdir())[:3]:
        content = json.loads(path.read_text())
        content["people"][0]["pose_keypoints_2d"][4] = float("nan")
        path.write_text(json.dumps(content))
    report = checked("pose", "pose")
    assert report.ok
    assert any("3 of 80 files of keypoints hold NaN" in each.message for each in report.warnings)


def test_frames_that_the_recorder_left_out_are_told_with_their_times(
    checked: Callable[..., CheckReport], tmp_path: Path
) -> None:
    film = tmp_path / "film.mkv"
    times = [i / 10 for i in range(80) if not 30 <= i < 35 and not 60 <= i < 63]
    write_recording(film, times, rate=10, time_base=Fraction(1, 10))
    checked("transcript", "")
    (tmp_path / "set" / "videos" / "a.mp4").write_bytes(film.read_bytes())
    report = check_recording_set(tmp_path / "set")
    (found,) = [each.message for each in report.warnings if "stored no frame" in each.message]
    assert "at 2 places, 0.80 s in all (3.00-3.50 s, 6.00-6.30 s)" in found
    assert not any("damaged" in each.message for each in report.warnings)
