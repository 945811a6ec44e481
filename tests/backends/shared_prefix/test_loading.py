"""From a folder to a checkpoint: each supported architecture, and errors that are sentences."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from conftest import checkpoint_of
from miniatures import BUILDERS, questions
from scene import asked, engine

from semiology.backends.shared_prefix.loading import (
    CheckpointError,
    Loading,
    choose_device,
    family_of,
    load_checkpoint,
)


@pytest.mark.parametrize("name", BUILDERS)
def test_a_saved_checkpoint_answers_as_the_model_in_memory(name: str, film: Path, tmp_path: Path) -> None:
    original = checkpoint_of(name)
    original.model.save_pretrained(tmp_path)
    original.processor.save_pretrained(tmp_path)
    loaded = load_checkpoint(Loading(str(tmp_path), device="cpu", dtype="float32"))
    assert type(loaded.model) is type(original.model)
    assert type(loaded.processor) is type(original.processor)
    assert loaded.family is original.family
    assert loaded.model.dtype == torch.float32
    assert not loaded.model.training
    if name == "qwen2_5_omni":  # its processor's default size is no part of what is saved
        loaded.processor.videos_kwargs = original.processor.videos_kwargs
    texts = questions(3)
    assert [answer.text for answer in engine(loaded).answer(asked(film, texts))] == [
        answer.text for answer in engine(original).answer(asked(film, texts))
    ]


def test_dtype_attention_and_pixels_reach_model_and_processor(tmp_path: Path) -> None:
    original = checkpoint_of("qwen2_5_vl")
    original.model.save_pretrained(tmp_path)
    original.processor.save_pretrained(tmp_path)
    loading = Loading(str(tmp_path), "cpu", None, "bfloat16", "eager", min_pixels=1000, max_pixels=50_000)
    loaded = load_checkpoint(loading)
    assert loaded.model.dtype == torch.bfloat16
    assert loaded.model.config.get_text_config()._attn_implementation == "eager"
    size = loaded.processor.video_processor.size
    assert (size["shortest_edge"], size["longest_edge"]) == (1000, 50_000)
    assert loaded.device.type == "cpu"


def test_automatic_device() -> None:
    assert choose_device("auto").type == ("cuda" if torch.cuda.is_available() else "cpu")
    with pytest.raises(CheckpointError, match="give auto"):
        choose_device("the big one")
    if not torch.cuda.is_available():
        with pytest.raises(CheckpointError, match="no usable CUDA"):
            choose_device("cuda")


def test_a_checkpoint_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="cannot be loaded"):
        load_checkpoint(Loading(str(tmp_path / "nothing")))


def test_an_unknown_architecture(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "bert", "vocab_size": 10}))
    checkpoint_of("qwen2_5_vl").processor.save_pretrained(tmp_path)
    with pytest.raises(CheckpointError, match=r"'bert'.*video and text"):
        load_checkpoint(Loading(str(tmp_path)))


def test_a_processor_without_video(tmp_path: Path) -> None:
    from transformers import LlavaConfig, LlavaProcessor

    tokenizer = checkpoint_of("llava_onevision").tokenizer
    images = checkpoint_of("llava_onevision").processor.image_processor
    LlavaConfig().save_pretrained(tmp_path)
    LlavaProcessor(images, tokenizer, patch_size=14).save_pretrained(tmp_path)
    with pytest.raises(CheckpointError, match="takes no video"):
        load_checkpoint(Loading(str(tmp_path)))


@pytest.mark.parametrize("wrong", ["int8", "float64", ""])
def test_an_unknown_dtype(wrong: str) -> None:
    with pytest.raises(CheckpointError, match="bfloat16, float16, float32"):
        load_checkpoint(Loading("anything", dtype=wrong))


def test_families() -> None:
    assert family_of("qwen2_5_vl").name == "Qwen2.5-VL"
    assert family_of("qwen3_vl").system_prompt == "You are a helpful assistant."
    other: Any = family_of("something_new")
    assert (other.name, other.verified, other.tokenizer_stop) == ("something_new", False, False)
