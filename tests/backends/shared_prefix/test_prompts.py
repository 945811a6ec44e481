"""Token ids of prompts: what is spliced equals what the processor itself would say."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from conftest import checkpoint_of
from miniatures import BUILDERS
from scene import SAMPLING, WINDOW, asked, engine, messages, stock_answers, stock_inputs

from semiology.backends.shared_prefix.frames import DecordReader
from semiology.backends.shared_prefix.inputs import (
    Expansion,
    WindowInputs,
    WindowMedia,
    render,
    shared_length,
)
from semiology.backends.shared_prefix.loading import Checkpoint
from semiology.backends.shared_prefix.questions import Question, Settings, UnansweredError, read_messages
from semiology.backends.shared_prefix.sampling import pick_as_qwen, pick_with_processor

AWKWARD = (
    "Does the patient move?",
    "\n\nDoes the patient move?",
    "  \n Is it so?",
    ", and what then",
    "",
    "Frame1: <0.3 seconds> assistant\n",
    "0" * 30,
    "日本語の質問ですか？",
)
"""Texts that merge with what stands before them, if anything does."""


def window_inputs(checkpoint: Checkpoint, film: Path, text: str) -> tuple[WindowInputs, Any]:
    question = prepared(checkpoint, film, text)
    family, video = checkpoint.family, question.media[0]
    with DecordReader().open(str(film)) as recording:
        if family.qwen_frames:
            picked = pick_as_qwen(video, recording.facts, SAMPLING, family.cap_with_fps)
        else:
            picked = pick_with_processor(video, recording.facts, SAMPLING, checkpoint.processor)
        frames = next(iter(recording.windows([picked.numbers])))
    assert not isinstance(frames, UnansweredError)
    media = WindowMedia(videos=[(frames, picked)])
    return WindowInputs(checkpoint, question.text, media, SAMPLING), question


def prepared(checkpoint: Checkpoint, film: Path, text: str) -> Question:
    question = Question(0, lambda: messages(film, text), Settings())
    read_messages(question, checkpoint.family.system_prompt)
    question.text = render(checkpoint, question)
    return question


@pytest.mark.parametrize("name", BUILDERS)
def test_ids_equal_those_of_the_processor_whatever_the_text(name: str, film: Path) -> None:
    checkpoint = checkpoint_of(name)
    inputs, _ = window_inputs(checkpoint, film, AWKWARD[0])
    for text in AWKWARD:
        ids = inputs.ids(prepared(checkpoint, film, text).text)
        assert ids == stock_inputs(checkpoint, film, text)["input_ids"][0].tolist(), repr(text)


@pytest.mark.parametrize("name", BUILDERS)
def test_the_model_gets_what_the_stock_path_gives_it(name: str, film: Path) -> None:
    checkpoint = checkpoint_of(name)
    inputs, _ = window_inputs(checkpoint, film, "Does he?")
    stock = stock_inputs(checkpoint, film, "Is she asleep or awake?")
    ours = inputs.model_inputs(inputs.ids(prepared(checkpoint, film, "Is she asleep or awake?").text))
    assert set(ours) == set(stock)
    for key, value in stock.items():
        if hasattr(value, "shape"):
            assert ours[key].dtype == value.dtype
            assert (ours[key] == value).all(), key
        else:
            assert list(ours[key]) == list(value)


class Words:
    """A tokenizer of words; the words in angle brackets are special tokens."""

    def __init__(self) -> None:
        self.added_tokens_decoder = {1: "<v>", 2: "<e>"}

    def __call__(self, text: str) -> dict[str, list[int]]:
        special = {"<v>": 1, "<e>": 2}
        return {"input_ids": [special.get(word) or 100 + len(word) for word in text.split()]}


def test_an_expansion_that_ends_in_text_tokenises_the_whole_text() -> None:
    offsets = [{"text": "<v>", "replacement": "frames <v> <v> seen"}]
    full = Words()("you frames <v> <v> seen hello")["input_ids"]
    expansion = Expansion(Words(), "you <v> hello", full, offsets)
    assert expansion.expand("you <v> a bb") == Words()("you frames <v> <v> seen a bb")["input_ids"]
    without = Expansion(Words(), "you <v> hello", full, None)
    assert without.expand("you <v> a bb") is None


def test_an_expansion_needs_the_same_beginning() -> None:
    full = Words()("you <v> <v> <v> <e> hello")["input_ids"]
    expansion = Expansion(Words(), "you <v> <e> hello", full, None)
    assert expansion.expand("you <v> <e> a bb") == Words()("you <v> <v> <v> <e> a bb")["input_ids"]
    assert expansion.expand("they <v> <e> a bb") is None


def test_shared_length_counts_equal_first_tokens() -> None:
    assert shared_length([1, 2, 3], [1, 2, 4, 5]) == 2
    assert shared_length([1, 2], [1, 2, 3]) == 2
    assert shared_length([], [1]) == 0


def test_a_question_before_the_video_shares_the_encoded_video_only(qwen: Checkpoint, film: Path) -> None:
    def turned(text: str) -> list[dict[str, Any]]:
        (turn,) = messages(film, text)
        return [{"role": "user", "content": turn["content"][::-1]}]

    texts = ["Tonic?", "Clonic, or not?", "Asleep?"]
    asking = engine(qwen)
    first = [Question(n, lambda t=text: turned(t), Settings(5)) for n, text in enumerate(texts)]
    answers = asking.answer([*first, *(_later(question) for question in asked(film, texts, 5))])
    assert all(answer.failure is None for answer in answers)
    assert (asking.counts.decodes, asking.counts.vision_runs) == (1, 1)
    assert asking.counts.prefix_prefills == 4  # one per question that comes first, one for the others
    alone = [engine(qwen, "none").answer([question])[0] for question in first]
    assert [answer.text for answer in answers[:3]] == [answer.text for answer in alone]
    assert [answer.text for answer in answers[3:]] == stock_answers(qwen, film, texts, 5)


def _later(question: Question) -> Question:
    question.number += 3
    return question


@pytest.mark.parametrize(
    ("prompt", "shown"), [(None, "helpful"), ("Answer briefly.", "briefly"), ("", "helpful")]
)
def test_the_system_turn(prompt: str | None, shown: str, film: Path) -> None:
    """Empty leaves the template's own; Qwen3-VL's stock class puts the same sentence itself."""
    checkpoint = checkpoint_of("qwen3_vl")
    question = Question(0, lambda: messages(film, "Tonic?"), Settings())
    read_messages(question, checkpoint.family.system_prompt if prompt is None else prompt)
    text = render(checkpoint, question)
    assert text.count("<|im_start|>system") == 1
    assert shown in text
    assert text.endswith("<|im_start|>assistant\n")
    assert question.media[0].start_s == WINDOW[0]


def test_a_processor_that_expands_in_its_own_way_is_asked_for_every_prompt(
    fresh_qwen: Checkpoint, film: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The check of one more prompt against the full processor finds it out, and answers stay right."""
    texts = ["Tonic?", "Clonic, or not?", "Is he asleep now?"]
    wanted = stock_answers(fresh_qwen, film, texts)
    monkeypatch.setattr(Expansion, "expand", lambda self, text: self._tokens(text))
    answers = engine(fresh_qwen).answer(asked(film, texts))
    assert "asked for every prompt" in caplog.text
    assert [answer.text for answer in answers] == wanted
