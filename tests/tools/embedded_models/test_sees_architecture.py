"""The tiny model is a genuine Qwen2.5-VL: it saves, loads, tokenizes and packs as the real one does."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from semiology.tools.embedded_models.packing import block_mask, stack
from semiology.tools.embedded_models.sees import architecture, packing, tower
from semiology.tools.embedded_models.sees.architecture import SPECIAL_TOKENS, train_tokenizer
from semiology.tools.embedded_models.training import save_checkpoint

QUESTIONS = ["Does the patient exhibit a blank stare? Answer with 'yes' or 'no'.", "Is the patient asleep?"]


@pytest.fixture(scope="module")
def tiny() -> tuple[Any, Any]:
    tokenizer = train_tokenizer(QUESTIONS)
    model = architecture.build_model(tokenizer, seed=3).eval()
    return model, architecture.build_processor(tokenizer)


def small_clip(count: int = 6) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 255, (count, 168, 224, 3), dtype=np.uint8)


def stock_inputs(processor: Any, question: str, clip: np.ndarray) -> Any:
    text = processor.apply_chat_template(
        packing.user_turn(question), tokenize=False, add_generation_prompt=True
    )
    metadata = {
        "fps": 30.0,
        "frames_indices": list(range(0, 15 * len(clip), 15)),
        "total_num_frames": 15 * len(clip),
    }
    video = torch.from_numpy(clip).permute(0, 3, 1, 2).float()
    return processor(text=[text], videos=[video], video_metadata=[metadata], return_tensors="pt")


@settings(max_examples=50, deadline=None)
@given(text=st.text(max_size=60))
def test_the_tokenizer_gives_back_every_text(text: str) -> None:
    tokenizer = train_tokenizer(QUESTIONS)
    normal = text.encode("utf-8", "replace").decode("utf-8")
    import unicodedata

    expected = unicodedata.normalize("NFC", normal)
    assert tokenizer.decode(tokenizer(normal).input_ids, clean_up_tokenization_spaces=False) == expected


def test_answers_and_special_tokens_are_single_tokens(tiny: tuple[Any, Any]) -> None:
    tokenizer = tiny[1].tokenizer
    for token in ("yes", "no", *SPECIAL_TOKENS):
        assert len(tokenizer(token).input_ids) == 1


def test_the_template_writes_qwens_layout_with_its_default_system_turn(tiny: tuple[Any, Any]) -> None:
    text = tiny[1].apply_chat_template(packing.user_turn("Why?"), tokenize=False, add_generation_prompt=True)
    assert text == (
        "<|im_start|>system\nYou are a helpful assistant.<|im_end|>\n<|im_start|>user\n"
        "<|vision_start|><|video_pad|><|vision_end|>Why?<|im_end|>\n<|im_start|>assistant\n"
    )


def test_a_saved_checkpoint_loads_through_the_auto_classes(tiny: tuple[Any, Any], tmp_path: Path) -> None:
    from transformers import AutoModelForImageTextToText, AutoProcessor, AutoTokenizer

    save_checkpoint(*tiny, tmp_path)
    model = AutoModelForImageTextToText.from_pretrained(tmp_path)
    processor = AutoProcessor.from_pretrained(tmp_path)
    assert type(model).__name__ == "Qwen2_5_VLForConditionalGeneration"
    assert type(processor).__name__ == "Qwen2_5_VLProcessor"
    assert model.dtype == torch.bfloat16
    assert AutoTokenizer.from_pretrained(tmp_path)("yes").input_ids == tiny[1].tokenizer("yes").input_ids
    for name, tensor in tiny[0].state_dict().items():
        assert torch.equal(model.state_dict()[name], tensor.to(torch.bfloat16)), name


def test_frames_become_the_same_patches_as_in_the_stock_processor(tiny: tuple[Any, Any]) -> None:
    clip = small_clip()
    patches, grid = tower.patchify(clip)
    stock = stock_inputs(tiny[1], "Why?", clip)
    assert stock["video_grid_thw"].tolist() == [list(grid)]
    torch.testing.assert_close(patches, stock["pixel_values_videos"], atol=1e-5, rtol=0)


@torch.no_grad()
def test_packed_questions_have_the_logits_of_separate_prompts(tiny: tuple[Any, Any]) -> None:
    model, processor = tiny
    clip = small_clip()
    patches, grid = tower.patchify(clip)
    tokens = tower.visual_tokens(model, patches, grid).flatten(0, 1)
    prefix = packing.make_prefix(model, processor, grid, 1.0)
    rows = [
        packing.pack(prefix, [packing.encode_block(processor, q, ("yes", "no"), True) for q in QUESTIONS])
    ]
    rows.append(packing.pack(prefix, [packing.encode_block(processor, QUESTIONS[1], ("yes", "no"), False)]))
    batch = stack(rows, pad_id=0)
    embedded = packing.embed(model, batch.ids, prefix.video, tokens.expand(2, -1, -1))
    states = packing.decode_layers(model, embedded, batch.positions, block_mask(batch.block))
    packed = model.lm_head(states[-1])[batch.labels != packing.IGNORED]
    for index, (question, answer) in enumerate(
        [(QUESTIONS[0], "yes"), (QUESTIONS[1], "yes"), (QUESTIONS[1], "no")]
    ):
        inputs = stock_inputs(processor, question, clip)
        word = processor.tokenizer(answer).input_ids[0]
        # Two forced steps of generate: the logits before the word and before the end mark.
        steps: list[torch.Tensor] = []

        def force(
            _: torch.Tensor, scores: torch.Tensor, word: int = word, steps: Any = steps
        ) -> torch.Tensor:
            steps.append(scores.clone())
            return torch.full_like(scores, -1e9).index_fill(1, torch.tensor([word]), 0.0)

        model.generate(**inputs, max_new_tokens=2, logits_processor=[force])
        torch.testing.assert_close(packed[2 * index : 2 * index + 2], torch.cat(steps), atol=1e-4, rtol=1e-4)


def test_a_question_never_sees_another_question() -> None:
    mask = block_mask(torch.tensor([[0, 0, 1, 1, 2, -1]]))[0, 0]
    assert mask.int().tolist() == [
        [1, 0, 0, 0, 0, 0],
        [1, 1, 0, 0, 0, 0],
        [1, 1, 1, 0, 0, 0],
        [1, 1, 1, 1, 0, 0],
        [1, 1, 0, 0, 1, 0],
        [1, 1, 0, 0, 0, 1],
    ]
