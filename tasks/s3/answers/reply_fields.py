"""Named values in a reply: ``"timestamp": "00:12"`` in an object (valid or cut off), ``answer: left``,
``the answer is left``; and its sentences.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from functools import lru_cache

MOST_FIELDS = 200
"""A reply that repeats a field more often is a loop; the rest of it is not read."""

_MARKDOWN = re.compile(r"[*$~`]|(?:^|(?<=\n))[ \t]{0,8}(?:#{1,6}|>|[-•·])[ \t]")
_UNDERLINE = re.compile(r"(?<![^\W_])_+|_+(?![^\W_])")


def plain(text: str) -> str:
    """Return a cleaned reply without markdown, with single spaces, lines kept."""
    text = _UNDERLINE.sub("", _MARKDOWN.sub("", text))
    text = re.sub(r"[^\S\n]+", " ", text)
    return re.sub(r" ?\n[ \n]*", "\n", text).strip()


def field_values(text: str, keys: Collection[str]) -> list[str]:
    """Return the values written after any of the keys, in order, without quotes; [] where there are none."""
    values = []
    for number, match in enumerate(_pattern(tuple(keys)).finditer(text)):
        if number >= MOST_FIELDS:
            break
        values.append(next((group for group in match.groups() if group is not None), "").strip())
    return values


def sentences(text: str) -> list[str]:
    """Return the lines of a text, and within them the sentences."""
    return re.split(r"\n|(?<=[.!])\s", text)


@lru_cache(maxsize=16)
def _pattern(keys: tuple[str, ...]) -> re.Pattern[str]:
    names = "|".join(map(re.escape, keys))
    return re.compile(
        rf"(?:(?:^|[\s{{,\[(\"'])(?:{names})[\"']?\s{{0,9}}[:=]|\banswer is\b:?)\s{{0,9}}"
        r"(?:\[\s?)?"
        r"(?:\"((?:[^\"\\\n]|\\.){0,4000})\"|'((?:[^'\\\n]|\\.){0,4000})'(?!\w)|([^\n,}\]\"]{1,200}))",
        re.IGNORECASE,
    )
