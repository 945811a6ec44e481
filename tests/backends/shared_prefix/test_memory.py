"""Bounded memory: one copy of the prefix, chunks by a token budget, and what happens when memory runs out."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import torch
from miniatures import questions
from scene import asked, engine
from transformers import Cache

from semiology.backends.shared_prefix.loading import Checkpoint

TEXTS = questions(16)


def cache_of(named: dict[str, Any]) -> Cache:
    """Return the key-value cache among a layer's arguments, whatever its name in this version."""
    return next(value for value in named.values() if isinstance(value, Cache))


@contextmanager
def room_for(checkpoint: Checkpoint, tokens: int) -> Iterator[list[int]]:
    """Let every forward pass with more new tokens than this behind a filled cache run out of memory."""
    widths: list[int] = []
    layer = checkpoint.model.base_model.language_model.layers[1]  # the first layer's cache has grown by then

    def check(_: Any, arguments: tuple[Any, ...], named: dict[str, Any]) -> None:
        hidden = arguments[0] if arguments else named["hidden_states"]
        if cache_of(named).get_seq_length(1) == 0:
            return
        widths.append(hidden.shape[0] * hidden.shape[1])
        if widths[-1] > tokens:
            raise torch.OutOfMemoryError("made up by a test")

    hook = layer.register_forward_pre_hook(check, with_kwargs=True)
    try:
        yield widths
    finally:
        hook.remove()


def texts(answers: Any) -> list[str]:
    return [answer.text for answer in answers]


@pytest.mark.parametrize("way", ["packed", "padded"])
def test_out_of_memory_halves_the_chunk_and_goes_on(way: str, qwen: Checkpoint, film: Path) -> None:
    wanted = texts(engine(qwen, way).answer(asked(film, TEXTS)))
    asking = engine(qwen, way)
    with room_for(qwen, 200) as widths:
        answers = asking.answer(asked(film, TEXTS))
    assert max(widths) > 200
    assert texts(answers) == wanted
    assert asking.counts.out_of_memory >= 1
    assert asking.counts.unanswered == 0
    assert asking.counts.prefix_prefills == 1


def test_after_running_out_the_next_window_starts_smaller(qwen: Checkpoint, film: Path) -> None:
    asking = engine(qwen)
    with room_for(qwen, 200):
        asking.answer(asked(film, TEXTS))
        before = asking.counts.out_of_memory
        asking.answer(asked(film, TEXTS, window=(0.0, 8.0)))
    assert asking.counts.out_of_memory == before


def test_a_question_that_alone_is_too_much_is_marked_and_the_rest_goes_on(
    qwen: Checkpoint, film: Path
) -> None:
    long = "Tell me about the hands. " * 40
    with room_for(qwen, 300):
        answers = engine(qwen).answer(asked(film, [TEXTS[0], long, TEXTS[1]]))
    assert "memory" in str(answers[1].failure)
    assert texts(answers[::2]) == texts(engine(qwen).answer(asked(film, TEXTS[:2])))
    assert answers[0].failure is answers[2].failure is None


def test_no_copy_of_the_prefix_per_question(qwen: Checkpoint, film: Path) -> None:
    """In packed sharing keys and values have one row, whatever the number of questions."""
    rows: set[int] = set()
    longest: list[int] = []
    layer = qwen.model.base_model.language_model.layers[0]

    def look(_: Any, arguments: tuple[Any, ...], named: dict[str, Any], output: Any) -> None:
        del arguments, output
        keys = cache_of(named).layers[0].keys
        rows.add(keys.shape[0])
        longest.append(keys.shape[2])

    hook = layer.register_forward_hook(look, with_kwargs=True)
    asking = engine(qwen, token_budget=120)
    try:
        asking.answer(asked(film, questions(40)))
    finally:
        hook.remove()
    assert rows == {1}
    # never more than the prefix, one chunk of suffixes and what these questions generate
    assert max(longest) <= asking.counts.prefix_tokens + 120 + 8 * 10


def test_a_prompt_longer_than_the_context_is_marked(qwen: Checkpoint, film: Path) -> None:
    answers = engine(qwen).answer(asked(film, [TEXTS[0], "word " * 4200]))
    assert answers[0].failure is None
    assert "context" in str(answers[1].failure)


def test_a_window_that_does_not_fit_is_marked_as_a_whole(qwen: Checkpoint, film: Path) -> None:
    tower = qwen.model.base_model.visual

    def full(*_: Any) -> None:
        raise torch.OutOfMemoryError("made up by a test")

    hook = tower.register_forward_pre_hook(full)
    try:
        answers = engine(qwen).answer(asked(film, TEXTS[:3]))
    finally:
        hook.remove()
    assert all("fewer frames" in str(answer.failure) for answer in answers)
    assert engine(qwen).answer(asked(film, TEXTS[:1]))[0].failure is None
