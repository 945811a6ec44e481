"""From a judge's reply to a reading: strictly one JSON object of the form asked for, or a fault in words.

Reasoning that is closed before the object and a code fence around it are taken off; nothing else is fixed,
since a reply that has to be guessed at is no reading.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from semiology.features import FEATURES
from semiology.judging.prompts import ANSWER_WORDS, LISTS, Words
from semiology.metrics.s3.text.readers import Answers
from semiology.metrics.s3.text.seizure_rqi import NOT_STATED, SECTIONS, ReportFindings
from semiology.tasks.answers.reasoning import without_reasoning

LONGEST_REPLY = 20_000
MOST_SIGNS = 100
SIDES = ("left", "right", NOT_STATED)
LOCATION_WORDS: Mapping[str, tuple[str, ...]] = {
    "head_turning": SIDES,
    "first_motor_laterality": SIDES,
    "asymmetric_posturing": (
        *(f"{side} arm {what}" for side in ("left", "right") for what in ("extension", "flexion")),
        NOT_STATED,
    ),
    "figure4": SIDES,
}
_FLAGS = (*SECTIONS, "off_topic", "hazardous")
_FENCE = re.compile(r"```(?:json)?\s*(.*?)\s*```", re.DOTALL | re.IGNORECASE)


class ReplyFault(ValueError):
    """A judge's reply is not what was asked for; the message says why."""


def read_answers(feature: str, reply: str) -> Answers:
    """Return the answers to the questions of a feature that a judge's reply gives.

    Lists are sorted and joined by ``|``, as the offline rules write them; an empty list is null.

    Raises:
        ReplyFault: the reply is not one JSON object of the form asked for.
    """
    words = ANSWER_WORDS[feature]
    answers = _object(reply, ("answers",))["answers"]
    if not isinstance(answers, list) or len(answers) != len(words):
        raise ReplyFault(f'"answers" must be a list of {len(words)}')
    return tuple(_answer(value, known) for value, known in zip(answers, words, strict=True))


def read_findings(reply: str) -> ReportFindings:
    """Return the findings that a judge's reply gives; the length of the report is not among them.

    Raises:
        ReplyFault: the reply is not one JSON object of the form asked for.
    """
    found = _object(reply, (*_FLAGS, "signs", *LOCATION_WORDS))
    for name in _FLAGS:
        if not isinstance(found[name], bool):
            raise ReplyFault(f'"{name}" must be true or false')
    signs = found["signs"]
    if not isinstance(signs, list) or len(signs) > MOST_SIGNS:
        raise ReplyFault(f'"signs" must be a list of at most {MOST_SIGNS} names')
    unknown = [sign for sign in signs if sign not in FEATURES]
    if unknown:
        raise ReplyFault(f'"signs" has {_short(unknown[0])}, which is none of the names')
    for name, known in LOCATION_WORDS.items():
        if found[name] not in known:
            raise ReplyFault(f'"{name}" must be one of {", ".join(known)}')
    return ReportFindings(
        sections=tuple(name for name in SECTIONS if found[name]),
        features=list(signs),
        locations={name: found[name] for name in LOCATION_WORDS},
        hazardous=found["hazardous"],
        off_topic=found["off_topic"],
    )


def _answer(value: Any, known: Words) -> str | None:
    """Return one answer.

    Raises:
        ReplyFault: it is outside its words.
    """
    if value is None:
        return None
    if known not in LISTS:
        if not isinstance(value, str) or value not in known:
            raise ReplyFault(f"an answer is {_short(value)}, not null or one of {', '.join(known)}")
        return value
    if not isinstance(value, list) or not all(isinstance(one, str) and one in known for one in value):
        raise ReplyFault(f"an answer is {_short(value)}, not null or a list of the allowed words")
    return "|".join(sorted(set(value))) or None


def _object(reply: str, keys: tuple[str, ...]) -> dict[str, Any]:
    """Return the one JSON object of a reply.

    Raises:
        ReplyFault: there is not exactly one, or it has other keys.
    """
    rest = (without_reasoning(reply) or "").strip()
    fence = _FENCE.fullmatch(rest)
    rest = fence[1] if fence else rest
    if not rest:
        raise ReplyFault("it was empty")
    if len(rest) > LONGEST_REPLY:
        raise ReplyFault("it was longer than any answer")
    try:
        found = json.loads(rest, object_pairs_hook=_once, parse_constant=_constant)
    except ReplyFault:
        raise
    except (ValueError, RecursionError):
        raise ReplyFault("it was not one JSON object and nothing else") from None
    if not isinstance(found, dict) or set(found) != set(keys):
        raise ReplyFault(f"its keys must be {', '.join(keys)}")
    return found


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ReplyFault("a key stood there twice")
    return found


def _constant(name: str) -> None:
    raise ReplyFault(f"{name} is no JSON")


def _short(value: Any) -> str:
    return repr(value)[:40]
