"""The column `pose` names a file, or the folder that OpenPose fills with a file per frame."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from semiology.data.tables.reading import keypoint_files, read_folder, read_recording_set

Make = Callable[..., Path]
ANNOTATIONS = "video_id,feature,present\nP001_V01,tonic,no\n"
POSE_HEADER = "video_id,patient_id,video,pose\nP001_V01,P001,videos/P001_V01.mp4,pose/"


def test_keypoints_are_a_file_or_openposes_folder(make_set: Make) -> None:
    tables = {"annotations": ANNOTATIONS, "reports": None}
    folder = make_set(recordings=POSE_HEADER + "one", **tables)
    (folder / "pose" / "one").mkdir(parents=True)
    for number in (1, 0, 10):
        (folder / "pose" / "one" / f"P001_V01_{number:012d}_keypoints.json").write_text("{}")
    (folder / "pose" / "one.json").write_text("{}")
    (recording,) = read_recording_set(folder).recordings
    assert recording.pose == folder / "pose" / "one"
    assert [number for number, _ in keypoint_files(recording.pose)] == [0, 1, 10]
    make_set(recordings=POSE_HEADER + "one.json", **tables)
    assert read_recording_set(folder).recordings[0].pose == folder / "pose" / "one.json"


@pytest.mark.parametrize(
    ("files", "message", "fix"),
    [
        (None, "'pose/one' does not exist", "copy or link the file there"),
        ([], "holds no *_keypoints.json file", "name the folder with OpenPose's files"),
        (["notes.txt", "a_keypoints.json"], "holds no *_keypoints.json file", "P001_V01_000000000000_key"),
        (["a_01_keypoints.json", "b_01_keypoints.json"], "more than one", "a folder of its own"),
    ],
)
def test_a_folder_that_is_not_openposes_is_named(
    make_set: Make, files: list[str] | None, message: str, fix: str
) -> None:
    table = {"recordings": POSE_HEADER + "one", "annotations": ANNOTATIONS, "reports": None}
    folder = make_set(**table)
    for name in files or ():
        (folder / "pose" / "one").mkdir(parents=True, exist_ok=True)
        (folder / "pose" / "one" / name).write_text("{}")
    if files == []:
        (folder / "pose" / "one").mkdir(parents=True)
    (problem,) = read_folder(folder).problems
    assert problem.row == 2
    assert message in problem.message
    assert fix in problem.fix
