"""What a served model is really sent: every window's own frames, in order, encoded once, all its questions together."""

from __future__ import annotations

import base64
import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from asking import Asked, model_of, replies
from PIL import Image
from recording_server import (
    ModelServer,
    frames_of,
    parts_of,
    pictures_of,
    question_of,
    serving,
)

from semiology.backends.served.pictures import encoded_picture
from semiology.backends.shared_prefix.frames import DecordReader
from semiology.backends.shared_prefix.questions import Medium
from semiology.backends.shared_prefix.sampling import Sampling, pick_as_qwen, resize_as_qwen

WINDOWS = ((0.0, 5.0), (5.0, 11.0))
QUESTIONS = [f"Is feature {number} there{'?' * (number % 3 + 1)}" for number in range(20)]
SAMPLING = Sampling(4, min_pixels=28 * 28, max_pixels=56 * 84)


def decoded(film: Path, window: tuple[float, float]) -> np.ndarray:
    """Return the frames of a window as ``semiology_hf`` decodes them with decord, one window in one reader."""
    with DecordReader().open(str(film)) as recording:
        picked = pick_as_qwen(Medium("video", str(film), *window), recording.facts, SAMPLING, False)
        (frames,) = recording.windows([picked.numbers])
    assert isinstance(frames, np.ndarray)
    return frames


def in_task_order(films: list[Path], questions: list[str] = QUESTIONS) -> list[Asked]:
    """Return questions as lmms-eval hands them over: one task after the other, each through all windows."""
    return [Asked(film, text, window) for text in questions for film in films for window in WINDOWS]


@pytest.mark.parametrize("media", ["video", "images"])
def test_frames_without_loss_are_those_decoded(films: list[Path], media: str) -> None:
    documents = [Asked(film, text, window) for film in films for window in WINDOWS for text in QUESTIONS[:2]]
    with serving(ModelServer(keeps=False)) as server:
        model = model_of(server, media=media, encoding="png", resize=False, num_concurrent=1)
        assert len(replies(model, documents)) == 8
    assert [question_of(body) for body in server.asked] == [each.text for each in documents]
    for body, document in zip(server.asked, documents, strict=True):
        truth = decoded(document.film, document.window)
        assert np.array_equal(frames_of(body), truth)
        assert len({frame.tobytes() for frame in truth}) == len(truth)


@pytest.mark.parametrize("encoding", ["png", "jpeg"])
def test_frames_are_resized_once_as_the_shared_prefix_resizes_them(films: list[Path], encoding: str) -> None:
    with serving(ModelServer(keeps=False)) as server:
        replies(model_of(server, encoding=encoding), [Asked(films[0], "Stiff?", WINDOWS[0])])
    (body,) = server.asked
    small = (
        resize_as_qwen(decoded(films[0], WINDOWS[0]), SAMPLING, 14)
        .permute(0, 2, 3, 1)
        .numpy()
        .astype(np.uint8)
    )
    assert small.shape[1] % 28 == small.shape[2] % 28 == 0
    sent = pictures_of(body)
    assert sent == [encoded_picture(Image.fromarray(frame), encoding) for frame in small]
    error = np.abs(frames_of(body).astype(int) - small)
    assert error.max() == 0 if encoding == "png" else 0 < error.mean() < 3


def test_a_window_is_decoded_and_encoded_once_and_its_twenty_questions_come_together(
    films: list[Path],
) -> None:
    documents = in_task_order(films)
    with serving(ModelServer(keeps=False)) as server:
        model = model_of(server, num_concurrent=1)
        found = replies(model, documents)
    assert found == ["yes" if len(each.text) % 2 else "no" for each in documents]
    counts = model.counts
    assert (counts.opens, counts.decodes, counts.encodes, counts.requests) == (2, 4, 4, 80)
    shown = [b"".join(pictures_of(body)) for body in server.asked]
    assert [len(set(shown[start : start + 20])) for start in range(0, 80, 20)] == [1, 1, 1, 1]
    assert len(set(shown)) == 4
    expected = [text for _ in range(4) for text in QUESTIONS]
    assert [question_of(body) for body in server.asked] == expected


def test_a_server_that_keeps_a_window_is_sent_it_once_and_all_questions_name_the_right_one(
    films: list[Path],
) -> None:
    documents = in_task_order(films)
    with serving(ModelServer()) as server:
        model = model_of(server, num_concurrent=6)
        found = replies(model, documents)
    assert found == ["yes" if len(each.text) % 2 else "no" for each in documents]
    assert model.engine.encoding == "png"
    assert (model.counts.encodes, model.counts.named) == (4, 76)
    truth: dict[str, np.ndarray] = {}
    for body in server.asked:
        (part,) = parts_of(body, "video_url")
        if part["video_url"] is not None:
            assert part["uuid"] not in truth
            truth[part["uuid"]] = frames_of(body)
    assert len(truth) == 4
    asked = {}
    for body in server.asked:
        asked.setdefault(parts_of(body, "video_url")[0]["uuid"], []).append(question_of(body))
    assert all(sorted(texts) == sorted(QUESTIONS) for texts in asked.values())


def test_a_window_that_the_server_dropped_is_sent_again(films: list[Path]) -> None:
    def forgetting(number: int, body: Any) -> None:
        if number == 4:
            server.forget()

    with serving(ModelServer(answering=forgetting)) as server:
        model = model_of(server, num_concurrent=1)
        found = replies(model, [Asked(films[0], text) for text in QUESTIONS[:6]])
    assert not [text for text in found if text.startswith("[")]
    with_frames = [number for number, body in enumerate(server.asked, 1) if pictures_of(body)]
    assert with_frames == [1, 5]
    assert model.counts.named == 4


def test_times_of_the_frames_are_told_where_the_server_lets_them_be_told(films: list[Path]) -> None:
    for timed in (True, False):
        with serving(ModelServer(timed=timed)) as server:
            model = model_of(server)
            replies(model, [Asked(films[0], "Stiff?", WINDOWS[1])])
        assert model.engine.form is not None
        assert model.engine.form.timed is timed
        told = server.asked[0].get("media_io_kwargs")
        if timed:
            numbers = told["video"]["frames_indices"]
            assert (numbers[0], numbers[-1], len(numbers)) == (50, 110, 24)
            assert told["video"] | {"frames_indices": numbers} == {
                "num_frames": -1, "fps": 10.0, "total_num_frames": 61, "frames_indices": numbers,
            }  # fmt: skip
        else:
            assert told is None


@pytest.mark.parametrize(
    ("server", "why"),
    [
        (ModelServer(most_frames=32, timed=False), "not all are shown"),
        (ModelServer(most_frames=1), "not all are shown"),
        (ModelServer(most_frames=0), "takes no clip"),
        (ModelServer(counts=False), "not all are shown"),
    ],
)
def test_pictures_are_sent_where_a_video_would_not_be_shown_whole(
    films: list[Path], server: ModelServer, why: str
) -> None:
    with serving(server):
        model = model_of(server, encoding="png", resize=False)
        replies(model, [Asked(films[0], "Stiff?", (0.0, 11.0))])
        form = model.engine.form
        assert form is not None
        assert not form.video
        assert why in form.told.replace("\n", " ")
        assert np.array_equal(frames_of(server.asked[0]), decoded(films[0], (0.0, 11.0)))
        with pytest.raises(ValueError, match="media=video"):
            replies(model_of(server, media="video"), [Asked(films[0], "Stiff?", (0.0, 11.0))])


def test_the_trial_is_made_once(films: list[Path]) -> None:
    with serving(ModelServer(keeps=False)) as server:
        model = model_of(server)
        for window in WINDOWS:
            replies(model, [Asked(films[0], "Stiff?", window)])
    assert len(server.trials) == 5  # three clips, and two requests that found that nothing is kept


def test_questions_are_under_way_together_but_no_more_than_allowed(films: list[Path]) -> None:
    alone = [Asked(films[0], "Stiff?", (float(start), start + 3.0)) for start in range(8)]
    with serving(ModelServer(takes_s=0.15)) as server:
        replies(model_of(server, num_concurrent=3), alone)
    assert server.most_at_once == 3
    together = [Asked(films[0], text) for text in QUESTIONS[:9]]
    with serving(ModelServer(takes_s=0.1)) as server:
        replies(model_of(server, num_concurrent=4), together)
    assert server.most_at_once == 4
    assert pictures_of(server.asked[0])
    assert not any(pictures_of(body) for body in server.asked[1:])


def test_sound_is_sent_as_it_was_handed_over_and_the_frames_are_not_encoded_again(films: list[Path]) -> None:
    sound = np.sin(np.arange(16_000, dtype=np.float32) / 20) / 2
    documents = [Asked(films[0], "Stiff?"), Asked(films[0], "Does the patient speak?", sound=sound)]
    with serving(ModelServer(keeps=False)) as server:
        model = model_of(server, num_concurrent=1)
        replies(model, documents)
    heard = [body for body in server.asked if parts_of(body, "input_audio")]
    assert [question_of(body) for body in heard] == ["Does the patient speak?"]
    (part,) = parts_of(heard[0], "input_audio")
    wave, rate = soundfile.read(io.BytesIO(base64.b64decode(part["input_audio"]["data"])), dtype="float32")
    assert rate == 16_000
    assert np.abs(wave - sound).max() < 1e-4
    assert [each["type"] for each in heard[0]["messages"][-1]["content"]] == [
        "video_url",
        "input_audio",
        "text",
    ]
    assert model.counts.encodes == 1


def test_settings_of_the_generation_reach_the_server(films: list[Path]) -> None:
    with serving(ModelServer()) as server:
        model = model_of(server, system_prompt="Look closely.", thinking=False)
        (found,) = replies(
            model, [Asked(films[0], "Stiff?")], until=["s"], max_new_tokens=7, temperature=0.4, top_p=0.9
        )
    (body,) = server.asked
    assert (body["max_tokens"], body["temperature"], body["top_p"], body["stop"]) == (7, 0.4, 0.9, ["s"])
    assert body["messages"][0] == {"role": "system", "content": "Look closely."}
    assert body["chat_template_kwargs"] == {"enable_thinking": False}
    assert found in ("ye", "no")
