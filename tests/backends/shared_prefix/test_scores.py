"""First-token scores: one forward pass per question, probabilities of the full prompt."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest
import torch
from conftest import checkpoint_of
from miniatures import questions
from scene import asked, engine, stock_inputs, watched

from semiology.backends.shared_prefix.decoding import FirstTokenScores, ScoreError, forms
from semiology.backends.shared_prefix.loading import Checkpoint

TEXTS = questions(10)


@torch.no_grad()
def wanted(checkpoint: Checkpoint, film: Path, text: str) -> dict[str, float]:
    """The scores from the full prompt, spelled out."""
    logits = checkpoint.model(**stock_inputs(checkpoint, film, text)).logits[0, -1]
    chances = logits.double().softmax(-1)
    found = {}
    for answer in ("yes", "no", "NA"):
        tokens = set()
        for form in (
            {answer, answer.lower(), answer.upper(), answer.capitalize()} if answer != "NA" else {"NA"}
        ):
            for text_form in (form, " " + form):
                ids = checkpoint.tokenizer.encode(text_form, add_special_tokens=False)
                tokens |= set(ids) if len(ids) == 1 else set()
        found[answer] = math.log(sum(float(chances[token]) for token in tokens))
    return found


@pytest.mark.parametrize("way", ["packed", "padded", "sequential", "vision", "none"])
def test_scores_are_those_of_the_full_prompt(way: str, qwen: Checkpoint, film: Path) -> None:
    answers = engine(qwen, way, score=True).answer(asked(film, TEXTS))
    for answer, text in zip(answers, TEXTS, strict=True):
        assert answer.scores == pytest.approx(wanted(qwen, film, text), abs=1e-4)
        assert answer.text == max(answer.scores or {}, key=(answer.scores or {}).__getitem__)
        assert answer.tokens == 1


def test_scoring_runs_one_forward_pass_and_generates_nothing(film: Path) -> None:
    asking = engine(checkpoint_of("smolvlm"), score=True)
    with watched(asking) as witness:
        asking.answer(asked(film, TEXTS))
    assert asking.counts.fed_tokens == 0
    assert witness.language_tokens == asking.counts.prefix_tokens + asking.counts.suffix_tokens


def test_the_repetition_penalty_does_not_touch_scores(qwen: Checkpoint, film: Path) -> None:
    config = qwen.model.generation_config
    before = engine(qwen, score=True).answer(asked(film, TEXTS[:3]))
    penalty, config.repetition_penalty = config.repetition_penalty, 5.0
    try:
        after = engine(qwen, score=True).answer(asked(film, TEXTS[:3]))
    finally:
        config.repetition_penalty = penalty
    assert [answer.scores for answer in after] == [answer.scores for answer in before]


class Letters:
    """A tokenizer of single letters and a few words."""

    def encode(self, text: str, add_special_tokens: bool) -> list[int]:
        assert not add_special_tokens
        words = {"yes": 1, "Yes": 2, " yes": 3, "no": 4, "NA": 5}
        return [words[text]] if text in words else [100 + ord(letter) for letter in text]


def test_every_single_token_form_counts_and_only_those() -> None:
    scores = FirstTokenScores(Letters())
    assert scores.tokens == {"yes": (1, 2, 3), "no": (4,), "NA": (5,)}
    logits = torch.zeros(300)
    found = scores.of(logits)
    assert found["yes"] == pytest.approx(math.log(3 / 300), abs=1e-6)
    assert found["no"] == pytest.approx(math.log(1 / 300), abs=1e-6)


@pytest.mark.parametrize(
    ("answers", "message"), [(("maybe",), "no form"), (("yes", "Yes"), "shares the token")]
)
def test_answers_that_cannot_be_scored_are_refused(answers: Any, message: str) -> None:
    with pytest.raises(ScoreError, match=message):
        FirstTokenScores(Letters(), answers)


def test_forms_of_an_abbreviation_keep_its_capitals() -> None:
    assert forms("NA") == ["NA", " NA"]
    assert forms("yes") == ["yes", " yes", "YES", " YES", "Yes", " Yes"]
