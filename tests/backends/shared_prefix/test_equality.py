"""Same answers: shared prefixes against the independent full prompt, for every supported architecture."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import torch
from conftest import checkpoint_of
from miniatures import BUILDERS, questions
from scene import asked, engine, stock_answers, stock_inputs, watched

from semiology.backends.shared_prefix import lanes
from semiology.backends.shared_prefix.counts import Counts
from semiology.backends.shared_prefix.prefill import fill, prepare
from semiology.backends.shared_prefix.windows import common_length

ARCHITECTURES = tuple(BUILDERS)
QUESTIONS = 40


def questions_for(name: str) -> Sequence[str]:
    """All to one architecture; to the others, which differ in their inputs alone, fewer."""
    return questions(QUESTIONS if name == "qwen2_5_vl" else 16)


@cache
def expected(name: str, film: Path) -> tuple[str, ...]:
    return tuple(stock_answers(checkpoint_of(name), film, questions_for(name)))


def lane_of(way: str, *arguments: Any) -> lanes.Lane:
    build: dict[str, Callable[..., lanes.Lane]] = {
        "packed": lanes.PackedLane,
        "padded": lanes.PaddedLane,
        "sequential": lanes.SequentialLane,
    }
    return build[way](*arguments)


@pytest.mark.parametrize("name", ARCHITECTURES)
@torch.no_grad()
def test_the_first_logits_are_those_of_the_full_prompt(
    name: str, film: Path, record_property: Callable[[str, object], None]
) -> None:
    model = checkpoint_of(name).model
    full = [stock_inputs(checkpoint_of(name), film, text) for text in questions(12)]
    wanted = torch.stack([model(**inputs).logits[0, -1] for inputs in full])
    assert wanted.std() > 0.5
    assert (wanted[0] - wanted[1]).abs().max() > 0.1
    prompts = [inputs["input_ids"][0].tolist() for inputs in full]
    longest = max(range(len(full)), key=lambda number: len(prompts[number]))
    length = common_length(prompts)
    prefix = fill(model, prompts[longest], length, prepare(model, full[longest], {"max_new_tokens": 4}))
    suffixes = [prompt[length:] for prompt in prompts]
    assert len({len(suffix) for suffix in suffixes}) > 5
    for way, parts in (
        ("packed", [suffixes]),
        ("padded", [suffixes]),
        ("sequential", [[s] for s in suffixes]),
    ):
        got = []
        for part in parts:
            lane = lane_of(way, model, prefix, Counts())
            got.append(lane.start(part))
            lane.close()
        difference = float((torch.cat(got) - wanted).abs().max())
        record_property(f"{name} {way}", difference)
        assert difference < 1e-4
        assert prefix.cache.get_seq_length() == length


WAYS = ("packed", "padded", "sequential", "vision", "none")
EVERY_WAY = [
    # the other architectures differ in their inputs, not in what happens behind the prefix
    pytest.param(name, way, marks=() if way == "packed" or name == "qwen2_5_vl" else pytest.mark.slow)
    for name in ARCHITECTURES
    for way in WAYS
]


@pytest.mark.parametrize(("name", "way"), EVERY_WAY)
def test_greedy_texts_are_those_of_generate_and_nothing_is_done_twice(
    name: str, way: str, film: Path
) -> None:
    texts = questions_for(name)
    asking = engine(checkpoint_of(name), way)
    with watched(asking) as witness:
        answers = asking.answer(asked(film, texts))
    assert tuple(answer.text for answer in answers) == expected(name, film)
    assert len(set(expected(name, film))) > len(texts) // 4
    counts = asking.counts
    assert counts.sharing == {way: len(texts)}
    assert (witness.opens, witness.reads) == (counts.opens, counts.decodes) == (1, 1)
    assert witness.language_tokens == counts.language_model_tokens
    assert witness.vision_runs == counts.vision_runs == (len(texts) if way == "none" else 1)
    shared = way in ("packed", "padded", "sequential")
    assert counts.prefix_prefills == int(shared)
    assert counts.cache_hits == (len(texts) - 1 if shared else 0)
    assert bool(counts.padding_tokens) == (way == "padded")


@pytest.mark.parametrize("name", ["qwen3_vl", "smolvlm"])
def test_language_model_tokens_are_prefix_plus_suffixes_plus_generated(name: str, film: Path) -> None:
    checkpoint, texts = checkpoint_of(name), questions(9)
    prompts = [stock_inputs(checkpoint, film, text)["input_ids"][0].tolist() for text in texts]
    length = common_length(prompts)
    asking = engine(checkpoint, "packed")
    with watched(asking) as witness:
        answers = asking.answer(asked(film, texts))
    suffixes = sum(len(prompt) - length for prompt in prompts)
    generated = sum(answer.tokens for answer in answers)
    assert asking.counts.prefix_tokens == length
    assert asking.counts.suffix_tokens == suffixes
    assert asking.counts.generated_tokens == generated
    # the last token of an answer is never fed back
    assert witness.language_tokens == length + suffixes + generated - len(texts)


@pytest.mark.parametrize(
    ("way", "budget"), [("packed", 1), ("packed", 90), ("packed", 9000), ("padded", 150)]
)
def test_the_size_of_chunks_changes_nothing(way: str, budget: int, film: Path) -> None:
    asking = engine(checkpoint_of("qwen2_5_vl"), way, token_budget=budget, rows=3)
    answers = asking.answer(asked(film, questions(QUESTIONS)))
    assert tuple(answer.text for answer in answers) == expected("qwen2_5_vl", film)


def test_a_window_asked_again_after_another_one_gets_the_same_answers(film: Path) -> None:
    """Positions that some models keep as a state must not reach the next window."""
    asking = engine(checkpoint_of("qwen2_5_vl"))
    first = asking.answer(asked(film, questions(6)))
    asking.answer(asked(film, questions(3), window=(0.0, 15.0)))
    again = asking.answer(asked(film, questions(6)))
    assert [answer.text for answer in again] == [answer.text for answer in first]
    assert tuple(answer.text for answer in first) == expected("qwen2_5_vl", film)[:6]


@pytest.mark.parametrize("name", ["qwen2_5_vl", "llava_onevision"])
def test_eager_attention_gives_the_same(name: str, film: Path) -> None:
    model = checkpoint_of(name).model
    before = model.config.get_text_config()._attn_implementation
    model.set_attn_implementation("eager")
    try:
        answers = engine(checkpoint_of(name), "packed").answer(asked(film, questions(10)))
    finally:
        model.set_attn_implementation(before)
    assert tuple(answer.text for answer in answers) == expected(name, film)[:10]
