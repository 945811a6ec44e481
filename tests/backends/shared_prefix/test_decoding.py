"""Greedy decoding by the checkpoint's own rules, each question to its own end."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from miniatures import questions
from scene import asked, engine, messages, stock_answers, stock_inputs

from semiology.backends.shared_prefix.loading import Checkpoint
from semiology.backends.shared_prefix.questions import Question, Settings

TEXTS = questions(10)


@pytest.fixture
def rules(qwen: Checkpoint) -> Any:
    """The miniature's generation config, given back as it was."""
    before = qwen.model.generation_config.to_dict()
    yield qwen.model.generation_config
    qwen.model.generation_config = type(qwen.model.generation_config).from_dict(before)


@pytest.mark.parametrize(
    "settings",
    [
        {"repetition_penalty": 1.0},
        {"repetition_penalty": 1.6},
        {"no_repeat_ngram_size": 1},
        {"suppress_tokens": [5, 6, 7]},
        {"min_new_tokens": 6, "repetition_penalty": 1.3},
        {"exponential_decay_length_penalty": [2, 1.8]},
    ],
    ids=lambda settings: "-".join(settings),
)
@pytest.mark.parametrize("way", ["packed", "padded"])
def test_the_generation_config_is_honoured(
    settings: dict[str, Any], way: str, rules: Any, qwen: Checkpoint, film: Path
) -> None:
    for name, value in settings.items():
        setattr(rules, name, value)
    answers = engine(qwen, way).answer(asked(film, TEXTS))
    assert [answer.text for answer in answers] == stock_answers(qwen, film, TEXTS)


def test_the_penalty_makes_a_difference(rules: Any, qwen: Checkpoint, film: Path) -> None:
    """Or the tests above would pass without it."""
    plain = [answer.text for answer in engine(qwen).answer(asked(film, TEXTS))]
    rules.repetition_penalty = 1.6
    assert [answer.text for answer in engine(qwen).answer(asked(film, TEXTS))] != plain


@pytest.mark.parametrize("way", ["packed", "padded", "sequential"])
def test_questions_stop_on_their_own(way: str, qwen: Checkpoint, film: Path) -> None:
    """The end token is made one that the model does generate, so that answers end early and apart."""
    tokenizer, end = qwen.tokenizer, qwen.tokenizer.eos_token
    tokens = [generated(qwen, film, text) for text in TEXTS]
    common = max({t for row in tokens for t in row[:6]}, key=lambda t: sum(t in row[1:6] for row in tokens))
    tokenizer.eos_token = tokenizer.convert_ids_to_tokens(common)
    try:
        asking = engine(qwen, way)
        answers = asking.answer(asked(film, TEXTS, new_tokens=12))
        wanted = stock_answers(qwen, film, TEXTS, new_tokens=12)
    finally:
        tokenizer.eos_token = end
    assert [answer.text for answer in answers] == wanted
    lengths = {answer.tokens for answer in answers}
    assert len(lengths) > 2
    assert max(lengths) <= 12
    assert asking.counts.fed_tokens == sum(answer.tokens - 1 for answer in answers)


@torch.no_grad()
def generated(checkpoint: Checkpoint, film: Path, text: str) -> list[int]:
    inputs = stock_inputs(checkpoint, film, text)
    out = checkpoint.model.generate(**inputs, do_sample=False, max_new_tokens=12)
    return [int(token) for token in out[0, inputs["input_ids"].shape[1] :]]


def test_every_request_has_its_own_length_and_stop_text(qwen: Checkpoint, film: Path) -> None:
    whole = stock_answers(qwen, film, TEXTS[:4], new_tokens=12)
    stop = whole[2][3]
    settings = [Settings(3), Settings(12), Settings(12, until=(stop,)), Settings(1)]
    asking = [
        Question(number, lambda text=text: messages(film, text), setting)
        for number, (text, setting) in enumerate(zip(TEXTS, settings, strict=False))
    ]
    answers = engine(qwen).answer(asking)
    assert answers[0].text == stock_answers(qwen, film, TEXTS[:1], new_tokens=3)[0]
    assert answers[1].text == whole[1]
    assert answers[2].text == whole[2].partition(stop)[0]
    assert answers[2].tokens < 12
    assert [answers[0].tokens, answers[3].tokens] == [3, 1]


def test_sampled_and_searched_answers_take_their_full_prompt(qwen: Checkpoint, film: Path) -> None:
    beams = Settings(6, num_beams=3)
    sampled = Settings(6, temperature=0.9, top_k=5)
    asking = engine(qwen)
    asking_both = [
        Question(0, lambda: messages(film, TEXTS[0]), beams),
        Question(1, lambda: messages(film, TEXTS[1]), Settings(6)),
        Question(2, lambda: messages(film, TEXTS[2]), sampled),
        Question(3, lambda: messages(film, TEXTS[2]), sampled),
    ]
    torch.manual_seed(0)
    answers = asking.answer(asking_both)
    assert asking.counts.sharing == {"packed": 1, "vision": 3}
    assert asking.counts.vision_runs == 1
    inputs = stock_inputs(qwen, film, TEXTS[0])
    out = qwen.model.generate(**inputs, num_beams=3, do_sample=False, max_new_tokens=6)
    tail = out[0, inputs["input_ids"].shape[1] :]
    assert answers[0].text == qwen.tokenizer.decode(tail, skip_special_tokens=True)
    assert answers[1].text == stock_answers(qwen, film, [TEXTS[1]], new_tokens=6)[0]
    assert answers[2].text != answers[3].text  # drawn twice, though the question is the same


def test_settings_are_read_as_lmms_eval_writes_them() -> None:
    read = Settings.read({"max_new_tokens": 256, "temperature": 0, "do_sample": False, "until": []})
    assert read == Settings(256)
    assert read.greedy
    assert Settings.read({"until": "\n\n", "temperature": 0.7}).until == ("\n\n",)
    assert not Settings.read({"temperature": 0.7}).greedy
    assert not Settings.read({"num_beams": 4}).greedy
    assert Settings.read({}).max_new_tokens == 128
