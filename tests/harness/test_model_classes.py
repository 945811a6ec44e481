"""Model classes that would show something else than the run says are refused, those that nobody compared are told."""

from __future__ import annotations

import pytest
import torch

from semiology.harness.model_classes import COMPARED, REFUSED, ModelClassError, check_model_class
from semiology.harness.preflight import prepare_run


@pytest.mark.parametrize("model", sorted(REFUSED))
def test_a_class_that_shows_other_frames_is_refused_with_what_to_use(model: str) -> None:
    with pytest.raises(
        ModelClassError, match=f"--model {model} .* → use --model semiology_hf --model-args pre"
    ):
        check_model_class(model, "pretrained=x")


@pytest.mark.parametrize("model", ["openai", "openai_compatible", "async_openai_compatible_chat"])
def test_a_whole_recording_in_place_of_a_segment_is_refused(model: str) -> None:
    with pytest.raises(ModelClassError, match="pass_video_url"):
        check_model_class(model, "model_version=m,pass_video_url=True")
    assert check_model_class(model, "model_version=m,pass_video_url=False") == []


def test_audio_flamingo_needs_what_it_would_fail_without_in_silence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(ModelClassError, match="CUDA"):
        check_model_class("audio_flamingo_3", "pretrained=x,device=cpu,device_map=auto")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    with pytest.raises(ModelClassError, match="device=cpu"):
        check_model_class("audio_flamingo_3", "pretrained=x,device=cpu,device_map=auto")
    monkeypatch.setattr("semiology.harness.model_classes.find_spec", lambda name: None)
    with pytest.raises(ModelClassError, match="pip install soxr"):
        check_model_class("audio_flamingo_3", "pretrained=x")
    monkeypatch.setattr("semiology.harness.model_classes.find_spec", lambda name: name == "soxr" or None)
    assert check_model_class("audio_flamingo_3", "pretrained=x") == []


def test_a_class_that_nobody_compared_is_told() -> None:
    (remark,) = check_model_class("llava_hf", "pretrained=x")
    assert "llava_hf" in remark
    assert "never compared" in remark
    assert all(not check_model_class(model, "") for model in COMPARED - {"audio_flamingo_3"})


def test_fewer_frames_than_fps_says_are_told() -> None:
    """Qwen3-VL's classes show at most 32 frames unless told otherwise: half a frame a second of 60 s."""
    (remark,) = check_model_class("qwen3_vl", "pretrained=x,fps=2", 60.0)
    assert "0.53 a second of 60 s" in remark
    assert "max_num_frames=120" in remark
    assert check_model_class("semiology_hf", "pretrained=Qwen/Qwen3-VL-8B-Instruct,fps=2", 60.0)
    assert not check_model_class("qwen3_vl", "pretrained=x,fps=2,max_num_frames=120", 60.0)
    assert not any(
        "max_num_frames" in each
        for each in check_model_class("semiology_hf", "pretrained=Qwen/Qwen2.5-VL-7B-Instruct,fps=2", 60.0)
    )
    assert not check_model_class("semiology_hf", "pretrained=Qwen/Qwen3-Omni-30B-A3B-Instruct,fps=2", 60.0)


@pytest.mark.usefixtures("small_set")
def test_a_run_ends_before_the_model_is_loaded() -> None:
    with pytest.raises(ValueError, match="16 frames"):
        prepare_run({"model": "qwen2_5_omni", "model_args": "", "tasks": ["semiology_tonic"]})


@pytest.mark.parametrize(
    ("model", "checkpoint", "release", "told"),
    [
        ("semiology_hf", "Qwen/Qwen2.5-VL-7B-Instruct", "5.23.0", True),
        ("qwen2_5_vl", "models/qwen2_5_vl_3b", "5.3.0", True),
        ("semiology_hf", "Qwen/Qwen2-VL-7B-Instruct", "5.24.0", True),
        ("semiology_hf", "Qwen/Qwen2.5-VL-7B-Instruct", "5.2.0", False),
        ("semiology_hf", "Qwen/Qwen3-VL-8B-Instruct", "5.23.0", False),
        ("semiology_hf", "OpenGVLab/InternVL3_5-8B-HF", "5.23.0", False),
    ],
)
def test_a_question_that_stands_elsewhere_than_in_training_is_told(
    model: str, checkpoint: str, release: str, told: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("semiology.harness.model_classes.version", lambda name: release)
    remarks = check_model_class(model, f"pretrained={checkpoint},fps=2")
    assert any("other positions" in each for each in remarks) == told
