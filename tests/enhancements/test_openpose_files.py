"""OpenPose's folders are read as OpenPose writes them; what cannot belong to a recording is refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from drawn_patient import SIZE, drawn, line_of

from semiology.data.recording_set import Recording
from semiology.data.simulated.picture.pose_truth import body_25, openpose_json
from semiology.enhancements.pose.keypoints import (
    COCO_18,
    JOINT,
    Detections,
    KeypointsError,
    KeypointsUnavailableError,
)
from semiology.enhancements.pose.openpose_files import OpenPoseFiles

TIMES = np.arange(40) / 10
TRUTH = body_25(drawn(0), TIMES, SIZE)


def write(folder: Path, people: np.ndarray = TRUTH, first: int = 0) -> None:
    folder.mkdir(exist_ok=True)
    for number, person in enumerate(people):
        (folder / f"v_{number + first:012d}_keypoints.json").write_text(openpose_json(person))


def read(folder: Path | None, **settings: tuple[int, int]) -> Detections:
    recording = Recording("v", "p", Path("v.mp4"), pose=folder)
    return OpenPoseFiles(**settings).detect(recording, line_of(TIMES), None)


def positions(found: Detections) -> np.ndarray:
    return np.stack([people[0] for people in found.people])


def test_body_25_is_read_point_by_point(tmp_path: Path) -> None:
    write(tmp_path / "k")
    found = read(tmp_path / "k")
    assert found.frames.tolist() == list(range(40))
    assert positions(found) == pytest.approx(TRUTH[:, :19], abs=0.001)
    assert found.counts == {}


def test_coco_18_gets_the_middle_of_the_hips(tmp_path: Path) -> None:
    names = list(COCO_18)
    from semiology.data.simulated.picture.pose_truth import BODY_25

    write(tmp_path / "k", TRUTH[:, [BODY_25.index(name) for name in names]])
    found = positions(read(tmp_path / "k"))
    others = [number for number in range(19) if number != JOINT["MidHip"]]
    assert found[:, others] == pytest.approx(TRUTH[:, others], abs=0.001)
    hips = found[:, [JOINT["RHip"], JOINT["LHip"]]]
    seen = hips[..., 2].all(axis=1)
    assert found[seen, JOINT["MidHip"], :2] == pytest.approx(hips[seen, :, :2].mean(axis=1))
    assert (found[~seen, JOINT["MidHip"]] == 0).all()


def test_missing_damaged_and_nan_files_are_counted_and_the_rest_is_used(tmp_path: Path) -> None:
    write(tmp_path / "k")
    files = sorted((tmp_path / "k").iterdir())
    for path in files[5:9]:
        path.unlink()
    files[12].write_text(files[12].read_text()[:200])
    files[13].write_text("[]")
    broken = json.loads(files[20].read_text())
    broken["people"][0]["pose_keypoints_2d"][0] = float("nan")
    files[20].write_text(json.dumps(broken))
    found = read(tmp_path / "k")
    assert sorted(set(range(40)) - set(found.frames.tolist())) == [5, 6, 7, 8, 12, 13]
    assert found.counts == {"missing_pose_files": 4, "unreadable_pose_files": 2, "nan_points": 1}
    assert (found.people[found.frames.tolist().index(20)][0, 0] == 0).all()


def test_files_counted_from_1_and_a_few_too_many_are_accepted(tmp_path: Path) -> None:
    write(tmp_path / "one", first=1)
    assert positions(read(tmp_path / "one"))[7] == pytest.approx(TRUTH[7, :19], abs=0.001)
    write(tmp_path / "more", np.concatenate([TRUTH, TRUTH[:1]]))
    assert len(read(tmp_path / "more").people) == 40


@pytest.mark.parametrize("scale", ["0 to 1", "-1 to 1", "a smaller copy"])
def test_other_scales_of_coordinates_are_brought_back(tmp_path: Path, scale: str) -> None:
    people = TRUTH.copy()
    here = people[..., 2] > 0
    people[here, :2] /= SIZE
    settings: dict[str, tuple[int, int]] = {}
    if scale == "-1 to 1":
        people[here, :2] = 2 * people[here, :2] - 1
    elif scale == "a smaller copy":
        people[here, :2] *= (320, 240)
        settings = {"size": (320, 240)}
    write(tmp_path / "k", people)
    assert positions(read(tmp_path / "k", **settings)) == pytest.approx(TRUTH[:, :19], abs=0.4)


def thinned(folder: Path) -> None:
    write(folder)
    for path in sorted(folder.iterdir())[::2]:
        path.unlink()
    sorted(folder.iterdir())[0].unlink()


def upright() -> np.ndarray:
    """Return keypoints of a picture of 480 x 640 px."""
    moved = TRUTH * (0.75, 1.0, 1.0)
    moved[..., 1] += 160 * (moved[..., 2] > 0)
    return moved


def with_points(count: int) -> Callable[[Path], None]:
    return lambda folder: write(folder, np.resize(TRUTH, (40, count, 3)))


REFUSED: list[tuple[Callable[[Path], None], str]] = [
    (
        lambda folder: write(folder, np.tile(TRUTH, (2, 1, 1))),
        "another video, or to one with another frame rate",
    ),
    (thinned, "keypoints exist for 19 of 40 frames only"),
    (with_points(17), "a person has 17 points"),
    (with_points(15), "a person has 15 points"),
    (
        lambda folder: write(folder, TRUTH * (2, 2, 1)),
        "outside the picture of 640 x 480 px, at another resolution",
    ),
    (lambda folder: write(folder, TRUTH * (0.5, 0.5, 1)), "upper left quarter of the picture"),
    (lambda folder: write(folder, upright()), "as if the picture were turned"),
]


@pytest.mark.parametrize(("make", "sentence"), REFUSED)
def test_what_cannot_belong_to_the_recording_is_refused(
    tmp_path: Path, make: Callable[[Path], None], sentence: str
) -> None:
    make(tmp_path / "k")
    with pytest.raises(KeypointsError, match=sentence) as caught:
        read(tmp_path / "k")
    assert not isinstance(caught.value, KeypointsUnavailableError)
    assert str(tmp_path) not in str(caught.value)


def test_no_folder_a_file_and_an_empty_folder_are_told(tmp_path: Path) -> None:
    (tmp_path / "file.json").write_text("{}")
    (tmp_path / "empty").mkdir()
    for pose, sentence in (
        (None, "name OpenPose's folder in the column pose"),
        (tmp_path / "file.json", "does not name a folder"),
        (tmp_path / "empty", "holds no \\*_keypoints.json file"),
    ):
        with pytest.raises(KeypointsUnavailableError, match=sentence):
            read(pose)
