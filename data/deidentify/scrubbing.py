"""Removing what may identify a person from free text."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence

from semiology.features import FEATURES

_MONTH = (
    r"(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|"
    r"oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)\.?"
)
_DAY = r"\d{1,2}(?:st|nd|rd|th)?"
_PATTERNS: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("email", re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")),
    (
        "date",
        re.compile(
            r"(?<!\d)(?:(?:19|20)\d{2}[-./]\d{1,2}[-./]\d{1,2}"
            r"|\d{1,2}\s?[-./]\s?\d{1,2}\s?[-./]\s?(?:\d{4}|\d{2}))(?!\d)"
            rf"|\b(?:{_DAY}\s+(?:of\s+)?{_MONTH}(?:,?\s+(?:19|20)\d{{2}})?"
            rf"|{_MONTH}\s+(?:{_DAY}(?!\s*(?:s|sec|seconds|min|minutes|times)\b)(?:,?\s+(?:19|20)\d{{2}})?"
            r"|(?:19|20)\d{2}))(?!\w)",
            re.IGNORECASE,
        ),
    ),
    (
        "time",
        re.compile(
            r"(?<![\d:])\d{1,2}:\d{2}(?::\d{2}(?:[.,]\d+)?)?(?:\s?[ap]\.?m\b\.?)?(?![\d:])"
            r"|\b\d{1,2}\s?[ap]\.?m\b\.?",
            re.IGNORECASE,
        ),
    ),
    (
        "phone",
        re.compile(
            r"(?<![\w.])(?=(?:[\s./()+-]*\d){7})(?:\+\d{1,3}[\s./-]?)?\(?\d{2,4}\)?(?:[\s./-]?\(?\d{2,4}\)?){2,4}(?![\w])"
        ),
    ),
    ("number", re.compile(r"(?<![\w.])[A-Za-z]{0,4}\d{6,}(?!\w)")),
)
_SUBTITLE_TIMES = re.compile(r"^\s*[\d:.,]+\s+-->\s+[\d:.,]+.*$")
_EVERYDAY = """
    video videos clip seizure segment recording record patient audio camera event film copy final edited room
    left right both head face arms legs hand hands eyes mouth body epileptic focal generalized bilateral motor
    onset offset start test train movement night sleep with from then the and for nes part pose crop
    transcript sound speech day new old cut date time phone email number name
"""
_HARMLESS = {*_EVERYDAY.split(), *"_".join(FEATURES).split("_")}
_MIN_PART = 3


class Scrubber:
    """Replaces dates, clock times, phone numbers, e-mails, ids and names by ``[date]``, ``[time]``, ….

    ``replaced`` counts the pieces by kind.

    Args:
        identifying: Old ids and file names; they and their parts (of three characters or more, without
            everyday words of the field such as "left") are replaced by ``[id]``.
        names: Words to replace by ``[name]``, whatever the case of their letters.
    """

    def __init__(self, identifying: Iterable[str] = (), names: Sequence[str] = ()) -> None:
        wholes = {text for text in identifying if _telling(text)}
        parts = {part for text in identifying for part in re.split(r"[\W_]+", text) if _telling(part)}
        self.replaced: Counter[str] = Counter()
        self._rules = [
            ("id", _any_of(wholes)),
            ("name", _any_of({name.strip() for name in names if name.strip()})),
            *_PATTERNS,
            ("id", _any_of(parts)),
        ]

    def scrub(self, text: str) -> str:
        """Return ``text`` without what may identify; time lines of subtitles (``-->``) are kept."""
        lines = text.split("\n")
        return "\n".join(line if _SUBTITLE_TIMES.match(line) else self._line(line) for line in lines)

    def _line(self, line: str) -> str:
        for kind, pattern in self._rules:
            if pattern is not None:
                line, count = pattern.subn(f"[{kind}]", line)
                self.replaced[kind] += count
        self.replaced = +self.replaced
        return line


def _telling(text: str) -> bool:
    """Return whether a piece of a name may be sought in free text: long enough, no everyday word."""
    return (
        len(text) >= _MIN_PART
        and text.lower() not in _HARMLESS
        and not re.fullmatch(r"v?\d{1,3}", text.lower())
    )


def _any_of(words: set[str]) -> re.Pattern[str] | None:
    if not words:
        return None
    ordered = sorted(words, key=lambda word: (-len(word), word))
    return re.compile(r"(?<![^\W_])(?:" + "|".join(map(re.escape, ordered)) + r")(?![^\W_])", re.IGNORECASE)
