"""From a reply to the patient's side: ``left``, ``right`` or ``unparsed``.

A sentence that is nothing but the side, a named value (``"answer": "left"``, ``the answer is left``) decides,
if all such claims agree. Otherwise one side must be the only one that is spoken of. Both sides, the camera's
side, an echo of the choice, a denied side and "I cannot tell" are ``unparsed``: never a guess, never a side.
"""

from __future__ import annotations

import re
from typing import Literal

from semiology.tasks.answers.claims import says_unknown
from semiology.tasks.answers.cleaning import clean
from semiology.tasks.s3.answers.reply_fields import field_values, plain, sentences

SideAnswer = Literal["left", "right", "unparsed"]

_KEYS = ("answer", "side", "direction", "arm")
_OWNER = r"(?:(?:the|their|his|her|its) )?(?:patient'?s? |own )?"
_PART = r"(?: (?:arm|hand|side|upper limb|upper extremity))?"
_BARE = re.compile(rf"(?:to |on |towards? )?{_OWNER}(left|right){_PART}(?: only)?", re.IGNORECASE)
_WORD = re.compile(
    r"(?<!all )(?<!that's )\b(left|right)(?:wards?)?\b"
    r"(?! (?:now|away|after|before|then|there|at the|in front|behind|alone|hemisphere))",
    re.IGNORECASE,
)
_DENIED = re.compile(
    rf"\b(?:not|n't|rather than|instead of|never)(?: (?:to|on|towards?|move|turn|moving|turning))* {_OWNER}"
    r"(?:left|right)\b",
    re.IGNORECASE,
)
_REFUSED = re.compile(
    r"\b(?:both|bilateral(?:ly)?|neither|either|camera|viewer|observer|screen|image|viewpoint)\b"
    r"|\bleft\b[\s\"'(),]{0,4}(?:or|and|/|\||vs\.?)[\s\"'()]{0,4}\bright\b"
    r"|\bright\b[\s\"'(),]{0,4}(?:or|and|/|\||vs\.?)[\s\"'()]{0,4}\bleft\b",
    re.IGNORECASE,
)
_EDGES = " .,;:!?\"'()[]{}"


def parse_side(text: str | None) -> SideAnswer:
    """Return the side that a reply gives; never raises."""
    rest = clean(text) if isinstance(text, str) else None
    if not rest:
        return "unparsed"
    rest = plain(rest)
    claims = [_claim(value) for value in field_values(rest, _KEYS)]
    claims += [claim for part in sentences(rest) if (claim := _bare(part))]
    if claims:
        return claims[0] if len(set(claims)) == 1 else "unparsed"
    return _only_side(rest)


def _claim(value: str) -> SideAnswer:
    """Return the side of a named value."""
    return _bare(value) or _only_side(value)


def _bare(line: str) -> SideAnswer | None:
    """Return the side where a text is nothing but a side."""
    match = _BARE.fullmatch(line.strip(_EDGES))
    return _side(match[1]) if match else None


def _only_side(text: str) -> SideAnswer:
    """Return the only side that a text speaks of."""
    if _REFUSED.search(text) or says_unknown(text):
        return "unparsed"
    words = {match[1].casefold() for match in _WORD.finditer(_DENIED.sub(" ", text))}
    return _side(words.pop()) if len(words) == 1 else "unparsed"


def _side(word: str) -> SideAnswer:
    return "left" if word.casefold() == "left" else "right"
