"""From a reply to the region of onset: one of the 11 that the question offers, or ``unparsed``.

A named value or a sentence that is nothing but a region decides, if all such claims agree; otherwise exactly
one region must be spoken of. Words that the question does not offer ("right hand", "whole body") are no
region: a guess at what they mean would hide that the question was not followed.
"""

from __future__ import annotations

import re

from semiology.features import REGIONS
from semiology.tasks.answers.claims import says_unknown
from semiology.tasks.answers.cleaning import clean
from semiology.tasks.s3.answers.reply_fields import field_values, plain, sentences

UNPARSED = "unparsed"

_KEYS = ("answer", "region", "body part", "body_part", "location", "option")
_WORDS = "|".join(sorted((re.escape(name) for name in REGIONS), key=len, reverse=True))
_BARE = re.compile(rf"(?:(?:the )?(?:patient'?s )?|\d\d?\. ?)({_WORDS})", re.IGNORECASE)
_MENTION = re.compile(rf"(?<![\w-])({_WORDS})(?![\w-])", re.IGNORECASE)
_DENIED = re.compile(rf"\bnot (?:in |at |on )?(?:the )?(?:{_WORDS})\b", re.IGNORECASE)
_EDGES = " .,;:!?\"'()[]{}"


def parse_region(text: str | None) -> str:
    """Return the region that a reply gives, or ``unparsed``; never raises."""
    rest = clean(text) if isinstance(text, str) else None
    if not rest:
        return UNPARSED
    rest = re.sub(r"(?<=[a-z])[_-](?=[a-z])", " ", plain(rest), flags=re.IGNORECASE)
    claims = [_claim(value) for value in field_values(rest, _KEYS)]
    claims += [claim for part in sentences(rest) if (claim := _bare(part))]
    if claims:
        return claims[0] if len(set(claims)) == 1 else UNPARSED
    return _only_region(rest)


def _claim(value: str) -> str:
    return _bare(value) or _only_region(value)


def _bare(line: str) -> str | None:
    match = _BARE.fullmatch(line.strip(_EDGES))
    return match[1].casefold() if match else None


def _only_region(text: str) -> str:
    if says_unknown(text):
        return UNPARSED
    found = {match[1].casefold() for match in _MENTION.finditer(_DENIED.sub(" ", text))}
    return found.pop() if len(found) == 1 else UNPARSED
