"""A reply that stopped at the token limit is marked, whoever wrote it, and its unfinished thoughts are no answer."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from lmms_eval.api.instance import GenerationResult, TokenCounts

from semiology.harness.cut_replies import cut_replies_marked
from semiology.tasks.answers.cleaning import CUT
from semiology.tasks.answers.parse import parse_reply

THOUGHT = "The left arm extends. So the answer is yes. The nurse then lifts the blanket"


def asked(reply: Any, allowed: int | None) -> Any:
    settings = {} if allowed is None else {"max_new_tokens": allowed}
    request = SimpleNamespace(args=("question", None, settings, 0, "task", "test"))
    lm = SimpleNamespace(generate_until=lambda requests: [reply for _ in requests])
    with cut_replies_marked(lm):
        return lm.generate_until([request])[0]


@pytest.mark.parametrize(("tokens", "allowed", "cut"), [(16, 16, True), (15, 16, False), (16, None, False)])
def test_a_reply_as_long_as_allowed_is_marked(tokens: int, allowed: int | None, cut: bool) -> None:
    reply = asked(GenerationResult(THOUGHT, TokenCounts(output_tokens=tokens)), allowed)
    assert reply.text.endswith(CUT) is cut
    assert reply.token_counts.output_tokens == tokens


@pytest.mark.parametrize(
    "reply", [THOUGHT, GenerationResult(THOUGHT, None), GenerationResult("", TokenCounts())]
)
def test_replies_without_counts_stay_as_they_are(reply: Any) -> None:
    assert asked(reply, 16) == reply


def test_a_marked_thought_is_unparsed_and_an_answer_before_the_cut_stands() -> None:
    thought = asked(GenerationResult(THOUGHT + ".", TokenCounts(output_tokens=16)), 16)
    assert (parse_reply(thought.text).answer, parse_reply(thought.text).why) == ("unparsed", "cut")
    answer = asked(GenerationResult("Yes, the arm extends and", TokenCounts(output_tokens=16)), 16)
    assert parse_reply(answer.text).answer == "yes"


def test_the_model_gets_its_own_function_back() -> None:
    lm = SimpleNamespace(generate_until=len)
    with cut_replies_marked(lm):
        assert lm.generate_until is not len
    assert lm.generate_until is len
