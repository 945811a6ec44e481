"""The ``answer`` field of JSON-like replies: valid, Python-style, in a list, cut off, or with text around."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

ANSWER_KEYS = ("answer", "final_answer", "final answer", "finalanswer", "答案", "回答")
JUSTIFICATION_KEYS = ("justification", "explanation", "reason", "reasoning", "rationale")
DEEPEST = 20
# A reply with more braces than this that open no valid object is read field by field instead.
MOST_FAILED_OBJECTS = 50

_FIELD = re.compile(
    r"[{,]\s{0,20}([\"']?)answer\1\s{0,20}[:=]\s{0,20}"
    # The value must be complete: `"yes" or "no"`, as templates write it, is none.
    r"(?:(?:\"(?P<double>[^\"\n]{0,400})\"|'(?P<single>[^'\n]{0,400})')(?=\s{0,20}(?:[,;}\]]|$"
    r"|[\"']\w{1,20}[\"']\s{0,3}:))"
    # A list of one, as Python writes it; two values in a list are none.
    r"|\[\s{0,5}(?:\"(?P<double_in_list>[^\"\n]{0,400})\"|'(?P<single_in_list>[^'\n]{0,400})'"
    r"|(?P<bare_in_list>[a-z]{1,5}))"
    r"\s{0,5}\](?=\s{0,20}(?:[,}\]]|$))"
    r"|(?P<bare>[a-z/]{1,5})(?=\s{0,20}[,}\]\n]))?",
    re.IGNORECASE,
)
_KINDS = ("double", "single", "double_in_list", "single_in_list", "bare_in_list", "bare")
_JUSTIFICATION = re.compile(
    r"[{,]\s{0,20}([\"']?)(?:justification|explanation|reason|reasoning"
    r"|rationale)\1\s{0,20}[:=]\s{0,20}([\"'])",
    re.IGNORECASE,
)
# Comments, which models write into JSON and JSON does not know.
_COMMENT = re.compile(r"/\*[^*]{0,400}\*/|(?:^|(?<=[\s,{]))//[^\n]{0,400}")
_OBJECT_LIKE = re.compile(r"\[?\s?\{[^{}]*(?:\}\s?\]?|$)")


def object_values(text: str, keys: tuple[str, ...]) -> list[Any]:
    """Return the values of the named keys in the valid objects of a cleaned reply, in order."""
    return [value for content in _valid_objects(text)[0] for value in _values(content, keys)]


@dataclass(frozen=True)
class Fields:
    """What the objects of a reply hold: values of ``answer``, a justification, and the text outside them.

    A value is a str, bool, list or None as written; None also stands for a field that is cut off.
    """

    answers: tuple[Any, ...]
    justification: str | None
    outside: str


class _Pairs(list[tuple[str, Any]]):
    """A JSON object with every pair as written, so that a key that stands twice is seen twice."""


_DECODER = json.JSONDecoder(object_pairs_hook=_Pairs)


def find_fields(text: str) -> Fields:
    """Return the ``answer`` fields of all objects in a cleaned reply, none where it holds no object."""
    objects, rest = _valid_objects(text)
    if not objects and "{" in text:
        objects, rest = _valid_objects(_COMMENT.sub(" ", text).replace('\\"', '"'))
    answers = [value for content in objects for value in _values(content, ANSWER_KEYS)]
    reasons = [
        value
        for content in objects
        for value in _values(content, JUSTIFICATION_KEYS)
        if isinstance(value, str)
    ]
    start = rest.find("{")
    if start >= 0:
        answers += [_written(match) for match in _FIELD.finditer(rest, start)]
        reasons += _loose_justification(rest[start:])
        rest = _OBJECT_LIKE.sub("\n", rest)
    reason = reasons[0].strip() if reasons else ""
    return Fields(tuple(answers), reason or None, rest)


def _valid_objects(text: str) -> tuple[list[Any], str]:
    """Return the valid JSON objects of a text in order, and the text without them."""
    objects: list[Any] = []
    kept: list[str] = []
    done = position = failed = 0
    while (start := text.find("{", position)) >= 0 and failed < MOST_FAILED_OBJECTS:
        try:
            content, end = _DECODER.raw_decode(text, start)
        except (ValueError, RecursionError):
            position = start + 1
            failed += 1
            continue
        objects.append(content)
        kept.append(text[done:start])
        done = position = end
    rest = "\n".join([*kept, text[done:]])
    # What is left of a list of objects must not hide the text beside it.
    return objects, re.sub(r"[\[\]]", "\n", rest) if objects else rest


def _values(content: Any, keys: tuple[str, ...], depth: int = 0) -> list[Any]:
    """Return the values of the named keys in an object and in the objects within it."""
    if depth > DEEPEST:
        return []
    if isinstance(content, _Pairs):
        own = [value for key, value in content if key.strip().casefold() in keys]
        return own + [found for _, value in content for found in _values(value, keys, depth + 1)]
    if isinstance(content, list):
        return [found for value in content for found in _values(value, keys, depth + 1)]
    if isinstance(content, str) and content.lstrip().startswith("{"):
        # The arguments of a tool call, written as JSON within JSON.
        return [found for inner in _valid_objects(content)[0] for found in _values(inner, keys, depth + 1)]
    return []


def _written(field: re.Match[str]) -> str | None:
    """Return the value of a field that is not valid JSON, or None where it is cut off or no plain value."""
    for kind in _KINDS:
        if field[kind] is not None:
            return field[kind]
    return None


def _loose_justification(text: str) -> list[str]:
    """Return the justification of an object that is not valid JSON: up to the last such quote, or the end."""
    key = _JUSTIFICATION.search(text)
    if not key:
        return []
    body = text[key.end() :]
    closing = re.search(rf"{key[2]}\s{{0,20}}\}}", body)
    return [body[: closing.start()] if closing else body]
