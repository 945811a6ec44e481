"""The skeleton lies on the patient's limbs, follows the resolution, and stays away where it is not sure."""

from __future__ import annotations

import pickle
import shutil
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from drawn_patient import attended, first_script, write_recording

from semiology.data.media.frames import read_frames
from semiology.data.media.probe import timeline
from semiology.data.recording_set import Recording
from semiology.data.simulated.picture.pose_truth import BODY_25, body_25, caregiver_body_25, openpose_json
from semiology.data.simulated.script.script import Script
from semiology.enhancements.pose.keypoints import JOINT
from semiology.enhancements.pose.overlay import LEFT, LIMB_JOINTS, RIGHT, PoseOverlay, draw_skeleton
from semiology.enhancements.video.writing import Planes

SCRIPT = first_script(lambda s: attended(s) > 0.4 and not s.scene.infrared and s.asleep_until_s == 0)
TIMES = np.arange(300) / 10
SIZE = (320, 240)


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Recording:
    return write_recording(tmp_path_factory.mktemp("pose"), SCRIPT)


@pytest.fixture(scope="module")
def overlaid(recording: Recording, tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("out") / "pose.mp4"
    calls: list[tuple[int, int]] = []
    outcome = PoseOverlay().apply(recording, target, lambda done, total: calls.append((done, total)))
    assert outcome.status == "done", outcome.sentence
    assert outcome.figures["frames"] == 300
    assert outcome.figures["undrawn_frames"] == 0
    assert calls[-1] == (600, 600)
    assert all(before <= after for (before, _), (after, _) in pairwise(calls))
    return target


def test_the_patients_limbs_are_marked_and_the_caregivers_are_not(
    recording: Recording, overlaid: Path
) -> None:
    times = TIMES[::15]
    plain, marked = read_frames(recording.video, times), read_frames(overlaid, times)
    changed = np.abs(plain.astype(int) - marked).max(axis=3)
    patient, other = body_25(SCRIPT, times, SIZE), caregiver_body_25(SCRIPT, times, SIZE)

    def hit(people: np.ndarray, name: str) -> list[bool]:
        places = people[:, BODY_25.index(name)]
        return [
            changed[n, int(y) - 1 : int(y) + 2, int(x) - 1 : int(x) + 2].max() > 60
            for n, (x, y, confidence) in enumerate(places)
            if confidence == 1 and 2 < x < SIZE[0] - 2 and 2 < y < SIZE[1] - 2
        ]

    on = [
        mark
        for name in ("RShoulder", "LShoulder", "RElbow", "LElbow", "RWrist")
        for mark in hit(patient, name)
    ]
    assert len(on) > 60
    assert np.mean(on) > 0.95
    away = [mark for name in ("RWrist", "LWrist", "RElbow", "LElbow") for mark in hit(other, name)]
    assert len(away) > 5
    assert np.mean(away) < 0.1


def test_the_face_is_left_free(recording: Recording, overlaid: Path) -> None:
    times = TIMES[::15]
    plain, marked = read_frames(recording.video, times), read_frames(overlaid, times)
    nose = body_25(SCRIPT, times, SIZE)[:, BODY_25.index("Nose")]
    wrists = body_25(SCRIPT, times, SIZE)[:, [BODY_25.index("RWrist"), BODY_25.index("LWrist")], :2]
    apart = np.linalg.norm(wrists - nose[:, None, :2], axis=2).min(axis=1)
    for n in np.flatnonzero(apart > 60):
        x, y = nose[n, :2].astype(int)
        patch = np.s_[n, y - 8 : y + 8, x - 8 : x + 8]
        assert np.abs(plain[patch].astype(int) - marked[patch]).mean() < 12


def test_doubtful_frames_stay_undrawn_and_are_counted(recording: Recording, tmp_path: Path) -> None:
    folder = tmp_path / "keypoints"
    assert recording.pose
    shutil.copytree(recording.pose, folder)
    files = sorted(folder.iterdir())
    weak = body_25(SCRIPT, TIMES, SIZE)
    weak[..., 2] *= 0.2
    for number in range(100, 150):
        files[number].write_text(openpose_json(weak[number]))
    for path in files[200:230]:
        path.unlink()
    target = tmp_path / "pose.mp4"
    outcome = PoseOverlay().apply(replace(recording, pose=folder), target, None)
    assert outcome.figures["undrawn_frames"] == 80
    assert outcome.figures["missing_pose_files"] == 30
    plain, marked = (
        read_frames(path, TIMES[[120, 215, 60]]).astype(int) for path in (recording.video, target)
    )
    change = np.abs(plain - marked).max(axis=(1, 2, 3))
    assert change[0] < 60
    assert change[1] < 60
    assert change[2] > 100


@pytest.mark.parametrize("height", [120, 480, 720])
def test_the_lines_grow_with_the_picture(height: int) -> None:
    width = height * 4 // 3
    planes = Planes(*(np.full((height // part, width // part), 90, np.uint8) for part in (1, 2, 2)))
    points = np.zeros((19, 2))
    ends = {"RShoulder": (0.2, 0.5), "RElbow": (0.8, 0.5), "LShoulder": (0.2, 0.8), "LElbow": (0.8, 0.8)}
    for name, place in ends.items():
        points[JOINT[name]] = np.array(place) * (width, height)
    shown = np.zeros(19, bool)
    shown[[JOINT[name] for name in ("RShoulder", "RElbow", "LElbow")]] = True
    draw_skeleton(planes, points, shown)
    column = planes.y[: int(0.65 * height), width // 2]
    thick = int((np.abs(column.astype(int) - 90) > 40).sum())
    assert max(2, height / 160) <= thick <= max(6, height / 160 + 6)
    assert (planes.y[int(0.7 * height) :, width // 2] == 90).all(), "a bone needs both its ends"
    here = planes.v[height // 4, width // 4], planes.u[height // 4, width // 4]
    assert here[0] > 150 > here[1], "the right arm is orange"


def test_left_and_right_differ_and_only_limb_joints_are_marked() -> None:
    assert RIGHT != LEFT
    assert len(LIMB_JOINTS) == 12
    assert not {"Nose", "REye", "LEar", "Neck"} & set(LIMB_JOINTS)


def test_what_is_missing_is_told(recording: Recording, tmp_path: Path) -> None:
    target = tmp_path / "pose.mp4"
    outcome = PoseOverlay().apply(replace(recording, pose=None), target, None)
    assert (outcome.status, target.exists()) == ("unavailable", False)
    assert "column pose" in outcome.sentence
    empty = tmp_path / "nobody"
    empty.mkdir()
    for number in range(300):
        (empty / f"v_{number:012d}_keypoints.json").write_text('{"people":[]}')
    outcome = PoseOverlay().apply(replace(recording, pose=empty), target, None)
    assert (outcome.status, target.exists()) == ("failed", False)


def test_settings_travel_and_name_themselves(recording: Recording) -> None:
    step = pickle.loads(pickle.dumps(PoseOverlay(bed=(0.2, 0.1, 0.6, 0.8))))
    assert step.parameters() == PoseOverlay(bed=(0.2, 0.1, 0.6, 0.8)).parameters()
    assert step.parameters() != PoseOverlay().parameters()
    assert step.inputs(recording) == [recording.video, recording.pose]
    assert (step.name, step.suffix) == ("pose", ".mp4")


def test_the_times_of_the_recording_are_kept(recording: Recording, overlaid: Path) -> None:
    assert timeline(overlaid).times_s == pytest.approx(timeline(recording.video).times_s, abs=1e-4)
    assert timeline(overlaid).info.has_audio


def test_the_script_shows_a_caregiver() -> None:
    assert isinstance(SCRIPT, Script)
    assert attended(SCRIPT) > 0.4
