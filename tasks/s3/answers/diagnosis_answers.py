"""From a reply to a diagnosis: ``ES`` (epileptic seizure), ``NES`` (non-epileptic event) or ``unparsed``.

A named value (``"answer": "NES"``) or a sentence that is nothing but the diagnosis decides, if all such
claims agree; otherwise exactly one of the two must be spoken of. The description beside the answer may say
anything.
"""

from __future__ import annotations

import re
from typing import Literal

from semiology.tasks.answers.cleaning import clean
from semiology.tasks.s3.answers.reply_fields import field_values, plain, sentences

DiagnosisAnswer = Literal["ES", "NES", "unparsed"]

_KEYS = ("answer", "diagnosis", "conclusion", "final answer")
_NES = r"NES\b|PNES\b|non[- ]?epileptic(?: (?:seizures?|events?|attacks?|spells?))?(?: \(NES\))?"
_ES = r"ES\b|epileptic(?: (?:seizures?|events?))?(?: \(ES\))?"
_MENTION = re.compile(rf"(?<![\w-])(?:(?P<nes>{_NES})|(?P<es>{_ES}))(?!\w)", re.IGNORECASE)
_CAPITALS = re.compile(r"\bes\b")
_DENIED = re.compile(rf"\bnot (?:an? )?(?:{_NES}|{_ES})", re.IGNORECASE)
_EDGES = " .,;:!?\"'()[]{}"


def parse_diagnosis(text: str | None) -> DiagnosisAnswer:
    """Return the diagnosis that a reply gives; never raises."""
    rest = clean(text) if isinstance(text, str) else None
    if not rest:
        return "unparsed"
    rest = plain(rest)
    claims = [_only(value) for value in field_values(rest, _KEYS)]
    claims += [claim for part in sentences(rest) if (claim := _bare(part))]
    if claims:
        return claims[0] if len(set(claims)) == 1 else "unparsed"
    # "es" in small letters inside a sentence is a Spanish or German word, not the abbreviation.
    return _only(_CAPITALS.sub("", rest))


def _bare(line: str) -> DiagnosisAnswer | None:
    match = _MENTION.fullmatch(line.strip(_EDGES))
    return _kind(match) if match else None


def _only(text: str) -> DiagnosisAnswer:
    kinds = {_kind(match) for match in _MENTION.finditer(_DENIED.sub(" ", text))}
    return kinds.pop() if len(kinds) == 1 else "unparsed"


def _kind(match: re.Match[str]) -> DiagnosisAnswer:
    return "NES" if match["nes"] is not None else "ES"
