"""What a reply to an S3 task holds: named values, sentences, and the text of a report.

A named value is ``"timestamp": "00:12"`` in an object (valid or cut off), ``answer: left`` or ``the answer is left``.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from functools import lru_cache

from semiology.tasks.answers.cleaning import clean

MOST_FIELDS = 200
"""A reply that repeats a field more often is a loop; the rest of it is not read."""

_MARKDOWN = re.compile(r"[*$~`]|(?:^|(?<=\n))[ \t]{0,8}(?:#{1,6}|>|[-•·])[ \t]")
_UNDERLINE = re.compile(r"(?<![^\W_])_+|_+(?![^\W_])")
_LABEL = re.compile(
    r"^(?:here is [^\n:]{0,80}:|(?:semiology )?(?:report|description)(?: of [^\n:]{0,40})?:|answer:)\s*",
    re.IGNORECASE,
)
_WORD = re.compile(r"[^\W\d_]{2,}")


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


def parse_report(text: str | None) -> str | None:
    """Return the report's text on one line, or None where the reply holds no word; never raises.

    A reply that ends inside its reasoning, or is longer than any report (``LONGEST_REPLY``), is None too.
    What is wrong with a text (another language, one word again and again) is for the scores to tell.
    """
    rest = clean(text) if isinstance(text, str) else None
    if not rest:
        return None
    rest = plain(rest)
    if rest.startswith("{"):
        fields = field_values(rest, ("report", "description", "semiology", "text"))
        rest = fields[0] if fields else rest
    rest = _LABEL.sub("", rest).strip().strip('"').strip()
    return re.sub(r"\s+", " ", rest) if _WORD.search(rest) else None


@lru_cache(maxsize=16)
def _pattern(keys: tuple[str, ...]) -> re.Pattern[str]:
    names = "|".join(map(re.escape, keys))
    return re.compile(
        rf"(?:(?:^|[\s{{,\[(\"'])(?:{names})[\"']?\s{{0,9}}[:=]|\banswer is\b:?)\s{{0,9}}"
        r"(?:\[\s?)?"
        r"(?:\"((?:[^\"\\\n]|\\.){0,4000})\"|'((?:[^'\\\n]|\\.){0,4000})'(?!\w)|([^\n,}\]\"]{1,200}))",
        re.IGNORECASE,
    )
