"""The live estimator runs real ONNX files through rtmlib: tiny networks whose answer is known."""

from __future__ import annotations

import os
import pickle
from pathlib import Path
from urllib.error import URLError

import numpy as np
import pytest
from drawn_patient import drawn, write_recording

from semiology.data.media.probe import timeline
from semiology.data.recording_set import Recording
from semiology.enhancements.face.detection import YuNet
from semiology.enhancements.pose.keypoints import JOINT, KeypointsError, KeypointsUnavailableError
from semiology.enhancements.pose.live_pose import LivePose
from semiology.enhancements.pose.overlay import PoseOverlay

onnx = pytest.importorskip("onnx", reason="onnx is not installed")
pytest.importorskip("rtmlib", reason="rtmlib is not installed")

COCO_17 = (
    "Nose", "LEye", "REye", "LEar", "REar", "LShoulder", "RShoulder", "LElbow", "RElbow", "LWrist", "RWrist",
    "LHip", "RHip", "LKnee", "RKnee", "LAnkle", "RAnkle",
)  # fmt: skip
SIDE = 64
POINTS = np.stack([np.linspace(20, 44, 17), np.linspace(8, 40, 17)], axis=1)
"""Where the networks find the 17 joints, in px of their input, which the picture fills from its corner."""


def save(path: Path, outputs: dict[str, np.ndarray], shape: tuple[int, ...] = (1, 3, SIDE, SIDE)) -> Path:
    """Write a network that answers with constants, whatever it sees."""
    from onnx import TensorProto, helper, numpy_helper

    picture = helper.make_tensor_value_info("input", TensorProto.FLOAT, list(shape))
    nodes = [
        helper.make_node(
            "Constant", [], [name], value=numpy_helper.from_array(np.asarray(value, np.float32), name)
        )
        for name, value in outputs.items()
    ]
    results = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, list(value.shape))
        for name, value in outputs.items()
    ]
    graph = helper.make_graph(nodes, "tiny", [picture], results)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    onnx.save(model, str(path))
    return path


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Recording:
    return write_recording(tmp_path_factory.mktemp("live"), drawn(0), (128, 96), 5)


@pytest.fixture(scope="module")
def one_stage(tmp_path_factory: pytest.TempPathFactory) -> Path:
    people = np.concatenate([np.stack([POINTS, POINTS]), np.full((2, 17, 1), 0.9)], axis=2)
    people[1] += (100, 0, 0)
    boxes = np.array([[[16, 4, 48, 44, 0.95], [116, 4, 148, 44, 0.2]]])
    return save(tmp_path_factory.mktemp("w") / "rtmo.onnx", {"dets": boxes, "keypoints": people[None]})


def test_one_stage_weights_find_people_in_px_of_the_recording(recording: Recording, one_stage: Path) -> None:
    seen: list[int] = []
    found = LivePose(one_stage, rate_hz=2.5).detect(
        recording, timeline(recording.video), lambda done, total: seen.append(done)
    )
    assert found.frames[:4].tolist() == [0, 2, 4, 6]
    assert found.frames[-1] == timeline(recording.video).info.frames - 1
    assert seen[-1] == timeline(recording.video).info.frames
    assert all(len(people) == 1 for people in found.people), "the unsure person is left out"
    person = found.people[0][0]
    for name, place in zip(COCO_17, POINTS, strict=True):
        assert person[JOINT[name], :2] == pytest.approx(place * 128 / SIDE, abs=0.6), name
    neck = (person[JOINT["RShoulder"], :2] + person[JOINT["LShoulder"], :2]) / 2
    assert person[JOINT["Neck"], :2] == pytest.approx(neck, abs=0.6)
    assert person[:, 2].max() == pytest.approx(0.9)


def test_two_stage_weights_place_joints_in_the_box_of_a_person(recording: Recording, tmp_path: Path) -> None:
    finder = save(tmp_path / "yolox.onnx", {"dets": np.array([[[16.0, 8, 40, 40, 0.9]]])})
    across, down = np.zeros((1, 17, 96)), np.zeros((1, 17, 128))
    across[0, :, 48], down[0, :, 64] = 0.8, 0.8
    poser = save(tmp_path / "rtmpose.onnx", {"x": across, "y": down}, (1, 3, 64, 48))
    source = LivePose(poser, finder, rate_hz=1)
    found = source.detect(recording, timeline(recording.video), None)
    assert len(found.people[0]) == 1
    # The middle of the box (16-40, 8-40) of 64 px, in a picture of 128 px.
    assert found.people[0][0, JOINT["RWrist"], :2] == pytest.approx([56, 48], abs=1.5)
    nobody = save(tmp_path / "nobody.onnx", {"dets": np.array([[[16.0, 8, 40, 40, 0.1]]])})
    found = LivePose(poser, nobody, rate_hz=1).detect(recording, timeline(recording.video), None)
    assert not any(len(people) for people in found.people), "nobody is found where there is nobody"


def test_an_overlay_can_be_made_from_the_video_alone(
    recording: Recording, one_stage: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    step = PoseOverlay(keypoints=LivePose(one_stage, rate_hz=5))
    outcome = step.apply(Recording("v", "p", recording.video), tmp_path / "pose.mp4", None)
    assert outcome.status == "done", outcome.sentence
    assert outcome.figures["undrawn_frames"] == 0
    assert "onnx" not in capsys.readouterr().out, "rtmlib's own messages, which hold paths, are not passed on"


def test_what_is_missing_is_told(
    recording: Recording, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    line = timeline(recording.video)
    with pytest.raises(KeypointsUnavailableError, match="give the weights of RTMO or RTMPose"):
        LivePose().detect(recording, line, None)
    with pytest.raises(KeypointsUnavailableError, match=r"gone\.onnx do not exist") as told:
        LivePose(tmp_path / "gone.onnx").detect(recording, line, None)
    assert str(tmp_path) not in str(told.value)
    (tmp_path / "bad.onnx").write_bytes(b"no network")
    with pytest.raises(KeypointsError, match="pose weights cannot be used"):
        LivePose(tmp_path / "bad.onnx").detect(recording, line, None)
    monkeypatch.setitem(__import__("sys").modules, "rtmlib", None)
    with pytest.raises(KeypointsUnavailableError, match="pip install --no-deps rtmlib"):
        LivePose(tmp_path / "bad.onnx").detect(recording, line, None)


def test_weights_that_cannot_be_fetched_are_tried_again_later(
    recording: Recording, monkeypatch: pytest.MonkeyPatch
) -> None:
    import rtmlib

    asked: list[str] = []

    class Unreachable:
        def __init__(self, weights: str, **options: object) -> None:
            asked.append(weights)
            raise URLError("no network")

    monkeypatch.setattr(rtmlib, "RTMO", Unreachable)
    with pytest.raises(KeypointsUnavailableError, match=r"could not fetch its weights \(URLError\)"):
        LivePose(mode="lightweight").detect(recording, timeline(recording.video), None)
    assert asked == [rtmlib.Body.RTMO_MODE["lightweight"]["pose"]]
    with pytest.raises(KeypointsUnavailableError, match="--pose-mode"):
        LivePose().detect(recording, timeline(recording.video), None)
    assert len(asked) == 1, "nothing is fetched unless a size is named"


def test_weights_are_named_by_their_content(one_stage: Path, tmp_path: Path) -> None:
    copy = tmp_path / "other.onnx"
    copy.write_bytes(one_stage.read_bytes())
    assert LivePose(copy).parameters() == LivePose(one_stage).parameters()
    copy.write_bytes(one_stage.read_bytes() + b" ")
    os.utime(copy, ns=(1, 1))
    assert LivePose(copy).parameters() != LivePose(one_stage).parameters()
    assert LivePose(one_stage).parameters()["rtmlib"]
    assert pickle.loads(pickle.dumps(LivePose(one_stage))) == LivePose(one_stage)


def test_yunet_is_run_by_opencv(tmp_path: Path) -> None:
    outputs: dict[str, np.ndarray] = {}
    for stride in (8, 16, 32):
        cells = (SIDE // stride) ** 2
        for kind, width in (("cls", 1), ("obj", 1), ("bbox", 4), ("kps", 10)):
            outputs[f"{kind}_{stride}"] = np.zeros((1, cells, width))
    middle = 4 * (SIDE // 8) + 4
    outputs["cls_8"][0, middle] = outputs["obj_8"][0, middle] = 0.81
    outputs["bbox_8"][0, middle] = (0.5, 0.5, np.log(2.0), np.log(3.0))
    weights = save(tmp_path / "yunet.onnx", outputs)
    faces = YuNet(weights).finder((SIDE, SIDE))(np.zeros((SIDE, SIDE, 3), np.uint8))
    assert faces.shape == (1, 5)
    assert faces[0] == pytest.approx([28, 24, 16, 24, 0.81], abs=0.01)
