"""Which way of sharing a model gets, and what is said when it cannot have the one that was asked for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from miniatures import questions
from scene import asked, engine, stock_answers

from semiology.backends.shared_prefix.loading import Checkpoint
from semiology.backends.shared_prefix.sharing import SharingError, choose, next_way


def test_the_leanest_way_is_chosen_where_nothing_stands_against_it(qwen: Checkpoint) -> None:
    assert choose(qwen.model).way == "packed"
    assert choose(qwen.model, "sequential").way == "sequential"


def test_flash_attention_gets_padded_batches(qwen: Checkpoint, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        qwen.model.config.get_text_config(), "_attn_implementation_internal", "flash_attention_2"
    )
    choice = choose(qwen.model)
    assert choice.way == "padded"
    assert "flash_attention_2" in choice.reason
    with pytest.raises(SharingError, match="four-dimensional"):
        choose(qwen.model, "packed")


@pytest.fixture
def sliding() -> Any:
    """A Qwen2.5-VL whose second layer sees only the last 24 tokens."""
    import miniatures
    from transformers import Qwen2_5_VLForConditionalGeneration

    from semiology.backends.shared_prefix.loading import Family

    model, processor = miniatures.qwen2_5_vl()
    config = model.config
    text = config.text_config
    text.use_sliding_window, text.sliding_window, text.max_window_layers = True, 24, 1
    text.layer_types = ["full_attention", "sliding_attention"]
    other = Qwen2_5_VLForConditionalGeneration(config).float().eval()
    other.load_state_dict(model.state_dict())
    other.generation_config = model.generation_config
    family = Family("sliding", verified=False, qwen_frames=True, pixel_limits=True, relative_times=False)
    return Checkpoint(other, processor, family)


def test_a_cache_that_cannot_be_cut_back_is_copied_per_question(sliding: Checkpoint, film: Path) -> None:
    assert choose(sliding.model).way == "sequential"
    assert "cut back" in choose(sliding.model).reason
    asking = engine(sliding)
    texts = questions(5)
    answers = asking.answer(asked(film, texts))
    from dataclasses import replace

    from semiology.backends.shared_prefix.loading import QWEN2_5_VL

    stock = stock_answers(replace(sliding, family=QWEN2_5_VL), film, texts)
    assert [answer.text for answer in answers] == stock
    assert asking.counts.sharing == {"sequential": 5}
    assert asking.counts.prefix_prefills == 1


def test_the_ways_end_with_full_prompts(qwen: Checkpoint) -> None:
    assert next_way(qwen.model, "packed") == "padded"
    assert next_way(qwen.model, "vision") == "none"
    assert next_way(qwen.model, "none") == "none"


def test_an_unknown_way_is_refused(qwen: Checkpoint) -> None:
    with pytest.raises(SharingError, match="auto or one of packed"):
        choose(qwen.model, "everything")
