"""What a server's chat completion says: the answer, its length, how likely each answer was."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import Any

from semiology.backends.shared_prefix.decoding import forms
from semiology.backends.shared_prefix.questions import Answer, Settings

MOST_TOKENS_TOLD = 20
"""Tokens per place whose log-probabilities an OpenAI-compatible server tells at most."""

_REASONING_TAG = re.compile(r"</?(?:think|thinking|thought|reasoning|reflection)\s?>", re.IGNORECASE)


def answer_of(said: Any, settings: Settings) -> Answer:
    """Return the answer that a completion holds, or why it holds none.

    Reasoning that the server put aside (``reasoning_content``) is never the answer. A reply that was cut while it
    still reasoned becomes an open ``<think>`` block, which no parser takes for an answer. A reply that the server
    ended for its length counts as at least as many tokens as were allowed, so that it is known to be cut.
    """
    choice = _choice(said)
    if choice is None:
        return Answer("", failure="the server's reply holds no choice → look into its log")
    message, ended = getattr(choice, "message", None), str(getattr(choice, "finish_reason", "") or "")
    text, reasoning = getattr(message, "content", None), _reasoning(message)
    cut = ended == "length"
    if ended == "content_filter":
        return Answer("", failure="the server's content filter held the reply back")
    if not isinstance(text, str) or (not text and reasoning):
        if not (reasoning and cut):
            refused = getattr(message, "refusal", None)
            held = f"a refusal ({refused})" if refused else "reasoning only" if reasoning else "no text"
            return Answer("", failure=f"the server's reply holds {held} → look into its log")
        text = "<think>\n" + _REASONING_TAG.sub("", reasoning)
    for stop in settings.until:
        text = text.partition(stop)[0]
    tokens = int(getattr(getattr(said, "usage", None), "completion_tokens", 0) or 0)
    return Answer(text, max(tokens, settings.max_new_tokens) if cut else tokens)


def scored_answer_of(said: Any, answers: Sequence[str]) -> Answer:
    """Return the likeliest of some answers as the first token, with the log-probability of each.

    The forms of an answer (`semiology.backends.shared_prefix.decoding.forms`) are added up. A server tells the
    likeliest tokens only: an answer that is not among them gets the greatest log-probability that it can have: that of
    the last token told, or what is left of 1.
    """
    choice = _choice(said)
    places = getattr(getattr(choice, "logprobs", None), "content", None)
    if not places:
        return Answer("", failure="score=logprob: the server tells no log-probabilities → leave score= out")
    told: dict[str, float] = {}
    for each in places[0].top_logprobs or [places[0]]:
        told.setdefault(str(each.token), float(each.logprob))
    found = {answer: [told[form] for form in forms(answer) if form in told] for answer in answers}
    if not any(found.values()):
        first = str(places[0].token)
        return Answer(
            "",
            failure=f"score=logprob: none of {', '.join(answers)} is among the {len(told)} likeliest first tokens; "
            f"the likeliest is {first!r} → leave score= out, or switch reasoning off (thinking=False)",
        )
    left = 1.0 - sum(math.exp(each) for each in told.values())
    bound = min(min(told.values()), math.log(left) if left > 0 else -math.inf)
    if not math.isfinite(bound):
        bound = min(told.values())
    scores = {answer: _total(each) if each else bound for answer, each in found.items()}
    return Answer(max(scores, key=lambda answer: scores[answer]), 1, scores)


def _choice(said: Any) -> Any:
    choices = getattr(said, "choices", None)
    return choices[0] if isinstance(choices, list) and choices else None


def _reasoning(message: Any) -> str:
    """Return the reasoning that a server put aside, under either of its names."""
    for name in ("reasoning_content", "reasoning"):
        found = getattr(message, name, None)
        if isinstance(found, str) and found:
            return found
    return ""


def _total(logprobs: Sequence[float]) -> float:
    most = max(logprobs)
    return most + math.log(sum(math.exp(each - most) for each in logprobs))
