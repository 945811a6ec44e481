"""The frames that each model class really shows are those of the window: every byte, their order and their times."""

from __future__ import annotations

import base64
import io
import json
import re
import sys
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from known_recording import RATE, SIZE, WINDOW, Frames, KnownRecording, requests
from patches import frames_of_patches
from PIL import Image

from semiology.harness.pictures import key_pictures_by_content

FIRST, LAST = (round(time * RATE) for time in WINDOW)
SHOWN = 20
"""Frames of the window at 2 a second, as qwen-vl-utils counts them (an even number)."""

LIMITS = "min_pixels=784,max_pixels=100352"
QUESTIONS = ("Does the patient stiffen?", "Do the arms jerk?", "Are the eyes closed?")


def documents(recording: KnownRecording) -> list[dict[str, Any]]:
    return [recording.document(question=question) for question in QUESTIONS]


def loaded(model: str, folder: Path, arguments: str) -> Any:
    from lmms_eval.models import get_model

    return get_model(model, False).create_from_arg_string(
        f"pretrained={folder},{arguments}", {"batch_size": 1}
    )


def watched(lm: Any, model: Any) -> list[dict[str, Any]]:
    """Keep what a transformers model is asked to generate from; the miniature itself answers."""
    kept: list[dict[str, Any]] = []
    original = model.generate

    def generate(**arguments: Any) -> Any:
        kept.append(arguments)
        return original(**arguments)

    model.generate = generate
    return kept


def numbers(recording: KnownRecording, frames: Frames) -> list[int]:
    """Return which frames of the film these are, byte for byte."""
    known = {frame.tobytes(): number for number, frame in enumerate(recording.frames)}
    assert all(frame.tobytes() in known for frame in frames), "a picture that the film does not have"
    return [known[frame.tobytes()] for frame in frames]


def evenly(recording: KnownRecording, shown: int = SHOWN) -> list[int]:
    return numbers(recording, recording.window_frames(shown)[0])


@pytest.mark.parametrize("model", ["qwen2_5_vl", "qwen3_vl"])
def test_the_stock_qwen_classes_show_the_window(
    model: str, recording: KnownRecording, checkpoint: dict[str, Path]
) -> None:
    lm = loaded(model, checkpoint[model], f"fps=2,device=cpu,device_map=cpu,{LIMITS}")
    kept = watched(lm, lm._model)
    assert len(lm.generate_until(requests(lm, model, documents(recording)))) == len(kept) == len(QUESTIONS)
    for given in kept:
        frames = frames_of_patches(
            given["pixel_values_videos"], given["video_grid_thw"], lm.processor.video_processor
        )
        assert numbers(recording, frames) == evenly(recording)
        _check_times(model, given, lm.processor.tokenizer, recording)
    asked = [lm.processor.tokenizer.decode(given["input_ids"][0]) for given in kept]
    assert all(any(question in text for text in asked) for question in QUESTIONS)


def _check_times(model: str, given: dict[str, Any], tokenizer: Any, recording: KnownRecording) -> None:
    """Hold the times that a Qwen model is told against those of the frames.

    Qwen2.5-VL gets the seconds between pairs of frames, by its makers' rule, which counts one frame less than there
    are gaps; Qwen3-VL gets a written time before each pair, in the middle of the pair.
    """
    _, times = recording.window_frames(SHOWN)
    if model == "qwen2_5_vl":
        apart = 2 * (times[-1] - times[0]) / (SHOWN - 1)
        assert float(given["second_per_grid_ts"][0]) == pytest.approx(apart, rel=0.05)
        return
    text = tokenizer.decode(given["input_ids"][0])
    told = [float(number) for number in re.findall(r"<([\d.]+) seconds>", text)]
    assert told == pytest.approx(
        [(one + other) / 2 for one, other in zip(times[::2], times[1::2], strict=True)], abs=0.051
    )


@pytest.mark.parametrize("name", ["qwen2_5_vl", "qwen3_vl", "qwen2_5_omni", "qwen3_omni"])
@pytest.mark.parametrize("decoder", ["stream", "decord"])
def test_semiology_hf_shows_qwen_models_the_window(
    name: str, decoder: str, recording: KnownRecording, checkpoint: dict[str, Path]
) -> None:
    settings = f"fps=2,device=cpu,dtype=float32,journal=none,max_num_frames=60,decoder={decoder},{LIMITS}"
    lm = loaded("semiology_hf", checkpoint[name], settings)
    kept = watched(lm, lm.engine.checkpoint.model)
    asked = requests(lm, "semiology_hf", documents(recording))
    assert not any(reply.text.startswith("[LMMS") for reply in lm.generate_until(asked))
    assert lm.counts.sharing == {"packed": len(QUESTIONS)}
    (given,) = (each for each in kept if each.get("pixel_values_videos") is not None)
    processor = lm.engine.checkpoint.processor
    frames = frames_of_patches(
        given["pixel_values_videos"], given["video_grid_thw"], processor.video_processor
    )
    assert numbers(recording, frames) == evenly(recording)
    if name in ("qwen2_5_vl", "qwen3_vl"):
        _check_times(name, given, processor.tokenizer, recording)


@pytest.mark.parametrize("name", ["internvl", "llava_onevision"])
def test_semiology_hf_shows_other_models_the_window(
    name: str, recording: KnownRecording, checkpoint: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """These models' processors shrink the frames: what they are given is compared, and the times told beside."""
    lm = loaded("semiology_hf", checkpoint[name], "fps=2,device=cpu,dtype=float32,journal=none")
    processor = lm.engine.checkpoint.processor
    kept: list[dict[str, Any]] = []
    original: Callable[..., Any] = type(processor).__call__

    def call(self: Any, *arguments: Any, **named: Any) -> Any:
        kept.append(named)
        return original(self, *arguments, **named)

    monkeypatch.setattr(type(processor), "__call__", call)
    lm.generate_until(requests(lm, "semiology_hf", documents(recording)))
    (given, *_) = (each for each in kept if each.get("videos") is not None)
    frames = np.asarray(torch.as_tensor(given["videos"][0]).permute(0, 2, 3, 1))
    found = numbers(recording, frames)
    assert found == sorted(set(found))
    assert FIRST <= found[0] <= found[-1] <= LAST
    assert len(found) in (SHOWN, SHOWN + 1)
    assert {later - earlier for earlier, later in pairwise(found)} <= {5, 6}
    told = given["video_metadata"][0]
    indices = told["frames_indices"] if isinstance(told, dict) else told.frames_indices
    assert [FIRST + int(number) for number in indices] == found


def pictures(messages: list[dict[str, Any]]) -> Frames:
    parts = [part for message in messages for part in message["content"] if part["type"] == "image_url"]
    sent = [base64.b64decode(part["image_url"]["url"].partition(",")[2]) for part in parts]
    return np.stack([np.asarray(Image.open(io.BytesIO(each)).convert("RGB")) for each in sent])


@pytest.mark.parametrize("qwen3", [False, True])
def test_the_vllm_class_hands_over_the_window(qwen3: bool, recording: KnownRecording) -> None:
    """All that the class does before the engine, in its threads; vLLM itself is not needed for it."""
    from lmms_eval.models.chat.vllm import VLLM

    key_pictures_by_content()
    lm = object.__new__(VLLM)
    lm.max_pixels, lm.min_image_pixels, lm.max_frame_num, lm.fps = 1605632, 28, 60, 2
    lm.nframes, lm.max_new_tokens, lm.is_qwen3_vl = 32, 64, qwen3
    for request in requests(lm, "vllm", documents(recording)):
        messages, settings = lm.make_one_request(request)
        assert numbers(recording, pictures(messages)) == evenly(recording)
        assert settings["temperature"] == 0
        texts = [part["text"] for part in messages[0]["content"] if part["type"] == "text"]
        assert texts[-1] in QUESTIONS
        if qwen3:
            told = [float(text.removeprefix("<").removesuffix(" seconds>")) for text in texts[:-1]]
            assert told == pytest.approx(recording.window_frames(SHOWN)[1], abs=0.051)


def test_semiology_jsonl_names_film_and_window(recording: KnownRecording, tmp_path: Path) -> None:
    """The program opens the film itself: what it is told of the window is all that can be wrong."""
    program, kept = tmp_path / "program.py", tmp_path / "kept.jsonl"
    program.write_text(
        "import json, sys\n"
        "for line in sys.stdin:\n"
        f"    open({str(kept)!r}, 'a').write(line)\n"
        "    print(json.dumps({'id': json.loads(line)['id'], 'text': 'yes'}), flush=True)\n"
    )
    from semiology.backends.jsonl.model import SemiologyJsonl

    lm = SemiologyJsonl(command=f"{sys.executable} {program}")
    replies = lm.generate_until(requests(lm, "semiology_jsonl", documents(recording)))
    lm.clean()
    assert [reply.text for reply in replies] == ["yes"] * len(QUESTIONS)
    lines = [json.loads(line) for line in kept.read_text().splitlines()]
    assert {line["prompt"] for line in lines} == set(QUESTIONS)
    assert {(line["video"], line["start_s"], line["end_s"]) for line in lines} == {
        (str(recording.film), *WINDOW)
    }


def test_the_omni_classes_show_sixteen_frames_of_any_window(recording: KnownRecording) -> None:
    """Why they are refused: their shared loop fixes the frames, whatever ``max_num_frames`` says."""
    from lmms_eval.models.chat._chat_base import ChatMixin
    from qwen_vl_utils import fetch_video

    shown: list[int] = []

    class Omni(ChatMixin):
        batch_size, rank = 1, 0
        cache_hook = type("Hook", (), {"add_partial": lambda *_: None})

        def _infer_one(self, chat_messages: Any, gen_kwargs: Any) -> str:
            (message,) = chat_messages.to_hf_messages(video_kwargs=self.video_kwargs)
            shown.append(len(fetch_video({**message["content"][0], "min_pixels": SIZE * SIZE})))
            raise RuntimeError("made up by a test")

    lm = Omni()
    assert lm.generate_until(requests(lm, "qwen2_5_omni", [recording.document()])) == [""]
    assert shown == [16]


def test_the_llava_class_asks_without_pictures_where_it_cannot_read_them() -> None:
    """Why ``llava_onevision`` is refused: a film that it cannot read costs the pictures, not the question."""
    import inspect

    from lmms_eval.models.simple.llava_onevision import Llava_OneVision

    source = inspect.getsource(Llava_OneVision.generate_until)
    caught = source.index('in loading video")')
    assert source[caught:].split("\n")[1].strip() == "image_tensor = None"
