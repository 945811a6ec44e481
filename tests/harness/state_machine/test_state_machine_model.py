"""The state machine around a model, on drawn films with keypoints of a known person."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from lmms_eval.api.instance import GenerationResult, Instance

from semiology.backends.generation_only import GenerationOnly
from semiology.data.media.frames import read_frames
from semiology.data.media.probe import Timeline, probe
from semiology.data.recording_set import Recording
from semiology.data.strokerehab.drawing import OBJECT, RIGHT_HAND, SHOULDERS, elbow_of
from semiology.data.strokerehab.simulate import Look, write_video
from semiology.enhancements.pose.keypoints import JOINT, JOINTS, Detections, KeypointsUnavailableError
from semiology.harness.asking import ask_documents
from semiology.harness.state_machine.hand_track import crops, hand_track, largest_box, movement
from semiology.harness.state_machine.model import StateMachine
from semiology.tasks.strokerehab.documents import build_documents
from semiology.tasks.strokerehab.messages import doc_to_messages, doc_to_text, doc_to_visual
from semiology.tasks.strokerehab.scores import RECORD, measures, process_results
from semiology.tasks.strokerehab.settings import read_rehab_settings

SIZE = (320, 208)
PRIMITIVES = [
    ("idle", 48), ("reach", 32), ("transport", 48), ("stabilize", 48), ("transport", 32),
    ("reposition", 32), ("idle", 32),
]  # fmt: skip


def place(picture: np.ndarray, colour: tuple[int, int, int]) -> np.ndarray | None:
    near = (np.abs(picture.astype(int) - colour).sum(2) < 90).nonzero()
    return np.array([near[1].mean(), near[0].mean()]) if len(near[0]) else None


class DrawnPose:
    """Keypoints from the colour of the right hand, where a person of that drawing has them."""

    def __init__(self, confidence: float = 1.0) -> None:
        self.confidence = confidence

    def parameters(self) -> Mapping[str, Any]:
        return {}

    def inputs(self, recording: Recording) -> Sequence[Path]:
        return []

    def detect(self, recording: Recording, line: Timeline, progress: Any) -> Detections:
        people = []
        for picture in read_frames(recording.video, line.times_s):
            person = np.zeros((1, len(JOINTS), 3))
            hand = place(picture, RIGHT_HAND)
            if hand is not None:
                elbow = np.multiply(elbow_of("right", (hand[0] / SIZE[0], hand[1] / SIZE[1])), SIZE)
                person[0, JOINT["RElbow"]] = (*elbow, self.confidence)
                # The hand lies beyond the wrist.
                person[0, JOINT["RWrist"]] = (*(elbow + (hand - elbow) / 1.75), self.confidence)
                person[0, JOINT["RShoulder"]] = (*np.multiply(SHOULDERS["right"], SIZE), self.confidence)
            people.append(person)
        return Detections(np.arange(line.info.frames), people)


class Rule(GenerationOnly):
    """A model that looks at the colours of what it is shown, and keeps what it was asked."""

    is_simple = False

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[tuple[str, dict[str, Any]]] = []

    def generate_until(self, requests: list[Instance]) -> list[GenerationResult]:
        return [
            GenerationResult(text=self.reply(self.messages_of(request)[0]["content"])) for request in requests
        ]

    def reply(self, content: Sequence[Mapping[str, Any]]) -> str:
        video, text = dict(content[0]), str(content[1]["text"])
        self.asked.append((text, video))
        if "bounding box" in text:
            return '[{"bbox_2d": [10, 10, 300, 200]}]'
        path = Path(video["url"])
        end = video.get("end_time", probe(path).duration_s - 0.02)
        first, last = read_frames(
            path, [video.get("start_time", 0.0), min(end, probe(path).duration_s - 0.01)]
        )
        before, after, thing = place(first, RIGHT_HAND), place(last, RIGHT_HAND), place(last, OBJECT)
        together = after is not None and thing is not None and np.abs(thing - after).max() < 14
        if "at rest" in text:
            moves = before is not None and after is not None and np.abs(before - after).max() > 3
            return "No." if moves or together else "Yes."
        return "yes" if together == ("take hold" in text) else "no"


@pytest.fixture
def film(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    write_video(tmp_path / "study", "S1_drinking1_1", "drinking", "right", PRIMITIVES, Look(SIZE))
    monkeypatch.setenv("STROKEREHAB_ROOT", str(tmp_path / "study"))
    monkeypatch.setenv("SEMIOLOGY_CACHE", str(tmp_path / "cache"))
    return tmp_path


def scored(machine: StateMachine) -> tuple[dict[str, float], list[str]]:
    rows = build_documents("strokerehab_primitives_3", read_rehab_settings())
    replies = ask_documents(
        machine,
        rows,
        text=doc_to_text,
        messages=doc_to_messages,
        visual=doc_to_visual,
        settings={"max_new_tokens": 256},
    )
    return measures(
        [process_results(row, [reply])[RECORD] for row, reply in zip(rows, replies, strict=True)]
    ), replies


OTHERS = [(True, False), (False, True), (False, False)]


@pytest.mark.parametrize(
    ("crop", "post"), [(True, True), *(pytest.param(*each, marks=pytest.mark.slow) for each in OTHERS)]
)
def test_every_switch_reads_a_drawn_film(film: Path, crop: bool, post: bool) -> None:
    rule = Rule()
    machine = StateMachine(lm=rule, source=DrawnPose(), do_crop=crop, do_postprocess=post)
    found, replies = scored(machine)
    assert all(reply.startswith("PRIMITIVES: ") for reply in replies)
    assert replies[0::2] == replies[1::2]  # both questions on a window get the same
    assert found["edit_score"] > 60
    assert found["edit_score"] > found["transport_only_edit_score"] + 30
    assert found["invalid_rate"] == 0
    texts = [text for text, _ in rule.asked]
    assert sum("bounding box" in text for text in texts) == 1
    assert any("RIGHT hand" in text for text in texts) != crop
    cropped = [video for text, video in rule.asked if "bounding box" not in text]
    assert all(("start_time" in video) != crop for video in cropped)
    if crop:
        info = probe(Path(cropped[0]["url"]))
        assert (info.frames, info.width) == (8, 208)


def test_a_hand_that_is_not_sure_is_at_rest_and_empty_and_nothing_is_asked(film: Path) -> None:
    rule = Rule()
    machine = StateMachine(lm=rule, source=DrawnPose(confidence=0.5), do_locate=False)
    _, replies = scored(machine)
    assert set(replies) == {"PRIMITIVES: idle"}
    assert not rule.asked
    assert set(machine.moves) == {"unknown"}


def test_a_film_without_keypoints_is_told_and_costs_itself(film: Path) -> None:
    class Nothing(DrawnPose):
        def detect(self, recording: Recording, line: Timeline, progress: Any) -> Detections:
            raise KeypointsUnavailableError("no folder")

    _, replies = scored(StateMachine(lm=Rule(), source=Nothing()))
    assert set(replies) == {"PRIMITIVES: idle"}


def test_without_any_source_of_keypoints_the_model_says_what_to_name() -> None:
    with pytest.raises(ValueError, match="pose_files"):
        StateMachine(lm=Rule())


def test_movement_and_crops() -> None:
    sure = np.ones(8)
    path = np.linspace((0, 0), (105, 0), 8)  # 15 px a frame
    assert movement(path, sure) == "fast"
    assert movement(path[:3], sure[:3]) == "moving"  # too few frames to be fast
    assert movement(path * 0.2, sure) == "moving"  # 3 px a frame
    assert movement(path * 0.19, sure) == "still"
    assert movement(path, np.r_[sure[:7], 0.89]) == "unknown"
    assert movement(np.full((8, 2), np.nan), sure) == "unknown"
    followed = crops(path + 200, "fast", (640, 480))
    assert followed[0][0] < followed[-1][0]
    still = crops(path + 200, "still", (640, 480))
    assert set(still) == {(round(252.5 - 112), (200 - 112), 224)}
    assert crops(np.zeros((2, 2)), "still", (100, 80)) == [(0, 0, 80)] * 2


def test_the_person_of_the_box_is_followed() -> None:
    people = np.zeros((2, len(JOINTS), 3))
    people[0, [JOINT["LElbow"], JOINT["LWrist"]]] = ((10, 10, 1), (20, 10, 0.8))
    people[1, [JOINT["LElbow"], JOINT["LWrist"]]] = ((100, 100, 1), (200, 300, 0.9))
    found = Detections(np.array([0]), [people])
    assert hand_track(found, "left").places[0].tolist() == [275, 450]  # the larger one
    chosen = hand_track(found, "left", (0, 0, 50, 50))
    assert chosen.places[0].tolist() == [27.5, 10]
    assert chosen.confidence[0] == 0.8
    assert hand_track(Detections(np.array([0]), [people[:0]]), "left").confidence[0] == 0


@pytest.mark.parametrize(
    ("reply", "box"),
    [
        ('```json\n[{"bbox_2d": [1, 2, 3, 4]}, {"bbox_2d": [0, 0, 30, 40]}]\n```', (0, 0, 30, 40)),
        ("no person", None),
        ("[1, 2, 3]", None),
        ("[3, 2, 1, 4]", None),
        ("", None),
    ],
)
def test_boxes(reply: str, box: tuple[float, ...] | None) -> None:
    assert largest_box(reply) == box
