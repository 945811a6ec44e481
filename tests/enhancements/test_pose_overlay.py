"""The skeleton lies on the patient's limbs, follows the resolution, and stays away where it is not sure.

Smoothing is that of Savitzky and Golay, also where frames are uneven; jerks survive it.
"""

from __future__ import annotations

import pickle
import shutil
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from drawn_patient import attended, first_script, write_recording
from scipy.signal import savgol_filter

from semiology.data.media.frames import read_frames
from semiology.data.media.probe import timeline
from semiology.data.recording_set import Recording
from semiology.data.simulated.picture.pose_truth import BODY_25, body_25, caregiver_body_25, openpose_json
from semiology.data.simulated.script.script import Script
from semiology.enhancements.pose import keypoint_smoothing
from semiology.enhancements.pose.keypoint_smoothing import bridged, smoothed, without_jumps
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


EVEN = np.arange(90) / 30


def test_even_frames_give_what_scipy_gives() -> None:
    points = np.random.default_rng(0).normal(100, 20, (90, 3, 2))
    ours = smoothed(points, np.ones((90, 3)), EVEN, 0.1)
    theirs = savgol_filter(points, 7, 2, axis=0)
    assert ours[3:-3] == pytest.approx(theirs[3:-3])


def test_a_parabola_in_time_stays_itself_on_uneven_frames_with_gaps() -> None:
    times = np.sort(np.random.default_rng(1).uniform(0, 3, 90))
    points = (5 + 40 * times - 12 * times**2)[:, None, None] * np.ones((1, 2, 2))
    weights = np.random.default_rng(2).choice([0.0, 0.4, 1.0], (90, 2))
    assert smoothed(points, weights, times, 0.15) == pytest.approx(points, abs=1e-4)


@pytest.mark.parametrize(("hertz", "kept"), [(1.5, 0.99), (3.0, 0.97), (5.0, 0.85)])
def test_clonic_jerks_are_not_smoothed_away_but_jitter_is(hertz: float, kept: float) -> None:
    wave = 20 * np.sin(2 * np.pi * hertz * EVEN)
    jitter = np.random.default_rng(3).normal(0, 2, 90)
    ones = np.ones((90, 1))
    clean = smoothed(wave[:, None, None], ones, EVEN, 0.085)[5:-5, 0, 0]
    assert np.abs(clean).max() >= kept * np.abs(wave[5:-5]).max()
    calm = smoothed(jitter[:, None, None], ones, EVEN, 0.085)[:, 0, 0]
    assert calm.std() < 0.75 * jitter.std()


def test_short_gaps_are_bridged_in_time_and_long_ones_are_left() -> None:
    times = np.array([0.0, 0.1, 0.15, 0.2, 1.0, 2.0])
    found = np.array([1, 0, 0, 1, 0, 1], bool)[:, None]
    points = np.array([0.0, -1, -1, 20, -1, 50])[:, None, None]
    filled, known = bridged(points, found, times, 0.25)
    assert known[:, 0].tolist() == [True, True, True, True, False, True]
    assert filled[:, 0, 0].tolist() == pytest.approx([0, 10, 15, 20, -1, 50])


def test_a_joint_that_jumps_away_for_one_frame_is_dropped_and_a_quick_move_is_not() -> None:
    path = np.array([0, 1, 90, 2, 3, 60, 120, 121.0])[:, None, None] * np.ones((1, 1, 2))
    kept = without_jumps(path, np.ones((8, 1), bool), 40.0)
    assert kept[:, 0].tolist() == [True, True, False, True, True, True, True, True]


def test_long_recordings_are_smoothed_in_blocks_that_leave_no_seam(monkeypatch: pytest.MonkeyPatch) -> None:
    points = np.random.default_rng(0).normal(100, 20, (90, 3, 2))
    times = np.sort(np.random.default_rng(1).uniform(0, 3, 90))
    at_once = smoothed(points, np.ones((90, 3)), times, 0.2)
    monkeypatch.setattr(keypoint_smoothing, "_BLOCK", 7)
    assert smoothed(points, np.ones((90, 3)), times, 0.2) == pytest.approx(at_once)
