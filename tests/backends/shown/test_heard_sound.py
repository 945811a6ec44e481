"""The sound that each model class really hears is that of the window, sample by sample."""

from __future__ import annotations

import base64
import io
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import soundfile
import torch
from known_recording import KnownRecording, requests
from test_shown_frames import loaded, watched

from semiology.tasks.messages import AUDIO_RATE, doc_to_messages


def heard(recording: KnownRecording) -> dict[str, Any]:
    return recording.document("ictal_vocalization", "Does the patient cry out?")


@pytest.mark.parametrize("name", ["qwen2_5_omni", "qwen3_omni"])
def test_semiology_hf_plays_omni_models_the_window(
    name: str, recording: KnownRecording, checkpoint: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SEMIOLOGY_SOUND", "array")
    settings = (
        "fps=2,device=cpu,dtype=float32,journal=none,max_num_frames=60,min_pixels=784,max_pixels=100352"
    )
    lm = loaded("semiology_hf", checkpoint[name], settings)
    kept = watched(lm, lm.engine.checkpoint.model)
    (reply,) = lm.generate_until(requests(lm, "semiology_hf", [heard(recording)]))
    assert not reply.text.startswith("[LMMS")
    (given, *_) = (each for each in kept if each.get("input_features") is not None)
    extractor = lm.engine.checkpoint.processor.feature_extractor
    wanted = extractor(
        recording.window_sound(),
        sampling_rate=AUDIO_RATE,
        return_attention_mask=True,
        padding="max_length",
        truncation=False,
        return_tensors="pt",
    )
    valid = int(wanted["attention_mask"].sum())
    got = torch.as_tensor(given["input_features"])
    assert int(torch.as_tensor(given["feature_attention_mask"]).sum()) == valid
    inner = valid - 2  # the last steps look at what is put behind the sound
    torch.testing.assert_close(got[..., :inner], wanted["input_features"][..., :inner])
    other = extractor(
        recording.window_sound()[::-1].copy(), sampling_rate=AUDIO_RATE, return_tensors="pt", truncation=False
    )["input_features"]
    assert not torch.allclose(got[..., :valid], other[..., :valid])


def test_a_sound_that_is_longer_than_the_processor_takes_is_not_cut_in_silence(
    recording: KnownRecording, checkpoint: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SEMIOLOGY_SOUND", "array")
    settings = (
        "fps=2,device=cpu,dtype=float32,journal=none,max_num_frames=60,min_pixels=784,max_pixels=100352"
    )
    lm = loaded("semiology_hf", checkpoint["qwen2_5_omni"], settings)
    extractor = lm.engine.checkpoint.processor.feature_extractor
    monkeypatch.setattr(extractor, "n_samples", 4 * AUDIO_RATE)
    (reply,) = lm.generate_until(requests(lm, "semiology_hf", [heard(recording)]))
    assert "takes 4.0 of 10.0 s of sound" in reply.text


def test_audio_flamingo_hears_the_window_in_sixteen_bits(recording: KnownRecording) -> None:
    """The class writes a file for its processor: 16 bits a sample, which is all that this sound has."""
    from lmms_eval.models.simple.audio_flamingo_3 import AudioFlamingo3

    kept: list[Any] = []

    def template(conversation: Any, **_: Any) -> Any:
        for part in conversation[0]["content"]:
            kept.append(
                part["text"] if part["type"] == "text" else soundfile.read(part["path"], dtype="float32")
            )
        raise RuntimeError("far enough for a test")

    lm = object.__new__(AudioFlamingo3)
    lm._rank, lm.batch_size_per_gpu, lm.device_map, lm._device = 0, 1, "auto", torch.device("cpu")
    lm._tokenizer = SimpleNamespace(encode=list, decode=str, eos_token_id=0)
    lm.processor = SimpleNamespace(apply_chat_template=template)
    lm.cache_hook = SimpleNamespace(add_partial=lambda *_: None)
    assert lm.generate_until(requests(lm, "audio_flamingo_3", [heard(recording)])) == [""]
    text, (samples, rate) = kept
    assert (text, rate) == ("Does the patient cry out?", AUDIO_RATE)
    np.testing.assert_allclose(samples, recording.window_sound(), atol=1.01 / 32768)


def test_a_server_is_sent_the_window_as_a_wave_file(recording: KnownRecording) -> None:
    (message,) = doc_to_messages(heard(recording), {"sound": "data_url"})
    (sound,) = (part["url"] for part in message["content"] if part["type"] == "audio")
    samples, rate = soundfile.read(io.BytesIO(base64.b64decode(sound.partition(",")[2])), dtype="float32")
    assert rate == AUDIO_RATE
    np.testing.assert_allclose(samples, recording.window_sound(), atol=1.01 / 32768)
