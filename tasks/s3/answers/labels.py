"""From a reply to one of a few labels: the patient's side, the region of onset, the diagnosis; or ``unparsed``.

A named value (``"answer": "left"``, ``the answer is left``) or a sentence that is nothing but a label decides, if
all such claims agree. Otherwise exactly one label must be spoken of. Both labels, an echo of the choice, a denied
label and "I cannot tell" are ``unparsed``: never a guess. Words that the question does not offer ("right hand",
"whole body" for a region) are no label: a guess at what they mean would hide that the question was not followed.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from semiology.features import REGIONS
from semiology.tasks.answers.claims import says_unknown
from semiology.tasks.answers.cleaning import clean
from semiology.tasks.s3.answers.fields import field_values, plain, sentences

UNPARSED = "unparsed"
_EDGES = " .,;:!?\"'()[]{}"

_OWNER = r"(?:(?:the|their|his|her|its) )?(?:patient'?s? |own )?"
_PART = r"(?: (?:arm|hand|side|upper limb|upper extremity))?"
_BARE_SIDE = re.compile(rf"(?:to |on |towards? )?{_OWNER}(left|right){_PART}(?: only)?", re.IGNORECASE)
_SIDE = re.compile(
    r"(?<!all )(?<!that's )\b(left|right)(?:wards?)?\b"
    r"(?! (?:now|away|after|before|then|there|at the|in front|behind|alone|hemisphere))",
    re.IGNORECASE,
)
_DENIED_SIDE = re.compile(
    rf"\b(?:not|n't|rather than|instead of|never)(?: (?:to|on|towards?|move|turn|moving|turning))* {_OWNER}"
    r"(?:left|right)\b",
    re.IGNORECASE,
)
_NO_SIDE = re.compile(
    r"\b(?:both|bilateral(?:ly)?|neither|either|camera|viewer|observer|screen|image|viewpoint)\b"
    r"|\bleft\b[\s\"'(),]{0,4}(?:or|and|/|\||vs\.?)[\s\"'()]{0,4}\bright\b"
    r"|\bright\b[\s\"'(),]{0,4}(?:or|and|/|\||vs\.?)[\s\"'()]{0,4}\bleft\b",
    re.IGNORECASE,
)

_REGION_NAMES = "|".join(sorted((re.escape(name) for name in REGIONS), key=len, reverse=True))
_BARE_REGION = re.compile(rf"(?:(?:the )?(?:patient'?s )?|\d\d?\. ?)({_REGION_NAMES})", re.IGNORECASE)
_REGION = re.compile(rf"(?<![\w-])({_REGION_NAMES})(?![\w-])", re.IGNORECASE)
_DENIED_REGION = re.compile(rf"\bnot (?:in |at |on )?(?:the )?(?:{_REGION_NAMES})\b", re.IGNORECASE)

_NES = r"NES\b|PNES\b|non[- ]?epileptic(?: (?:seizures?|events?|attacks?|spells?))?(?: \(NES\))?"
_ES = r"ES\b|epileptic(?: (?:seizures?|events?))?(?: \(ES\))?"
_DIAGNOSIS = re.compile(rf"(?<![\w-])(?:(?P<nes>{_NES})|(?P<es>{_ES}))(?!\w)", re.IGNORECASE)
_DENIED_DIAGNOSIS = re.compile(rf"\bnot (?:an? )?(?:{_NES}|{_ES})", re.IGNORECASE)


def parse_side(text: str | None) -> str:
    """Return the patient's side that a reply gives, ``left``, ``right`` or ``unparsed``; never raises.

    The camera's side is no side.
    """
    rest = _readable(text)
    return _claimed(rest, ("answer", "side", "direction", "arm"), _bare_side, _only_side) or _only_side(rest)


def parse_region(text: str | None) -> str:
    """Return the region of onset that a reply gives, one of `semiology.features.REGIONS`, or ``unparsed``."""
    rest = re.sub(r"(?<=[a-z])[_-](?=[a-z])", " ", _readable(text), flags=re.IGNORECASE)
    keys = ("answer", "region", "body part", "body_part", "location", "option")
    return _claimed(rest, keys, _bare_region, _only_region) or _only_region(rest)


def parse_diagnosis(text: str | None) -> str:
    """Return the diagnosis that a reply gives, ``ES``, ``NES`` (non-epileptic) or ``unparsed``; never raises.

    The description beside the answer may say anything.
    """
    rest = _readable(text)
    keys = ("answer", "diagnosis", "conclusion", "final answer")
    # "es" in small letters inside a sentence is a Spanish or German word, not the abbreviation.
    return _claimed(rest, keys, _bare_diagnosis, _only_diagnosis) or _only_diagnosis(
        re.sub(r"\bes\b", "", rest)
    )


def _readable(text: str | None) -> str:
    """Return a reply without reasoning and markdown; "" where nothing is left."""
    return plain(clean(text) or "") if isinstance(text, str) else ""


def _claimed(
    rest: str, keys: tuple[str, ...], bare: Callable[[str], str | None], only: Callable[[str], str]
) -> str | None:
    """Return the label on which all claims agree, ``unparsed`` where they do not, None without a claim."""
    claims = {bare(value) or only(value) for value in field_values(rest, keys)}
    claims |= {claim for part in sentences(rest) if (claim := bare(part))}
    return claims.pop() if len(claims) == 1 else UNPARSED if claims else None


def _bare_side(line: str) -> str | None:
    match = _BARE_SIDE.fullmatch(line.strip(_EDGES))
    return match[1].casefold() if match else None


def _only_side(text: str) -> str:
    if _NO_SIDE.search(text) or says_unknown(text):
        return UNPARSED
    return _single({match[1].casefold() for match in _SIDE.finditer(_DENIED_SIDE.sub(" ", text))})


def _bare_region(line: str) -> str | None:
    match = _BARE_REGION.fullmatch(line.strip(_EDGES))
    return match[1].casefold() if match else None


def _only_region(text: str) -> str:
    if says_unknown(text):
        return UNPARSED
    return _single({match[1].casefold() for match in _REGION.finditer(_DENIED_REGION.sub(" ", text))})


def _bare_diagnosis(line: str) -> str | None:
    match = _DIAGNOSIS.fullmatch(line.strip(_EDGES))
    return _kind(match) if match else None


def _only_diagnosis(text: str) -> str:
    return _single({_kind(match) for match in _DIAGNOSIS.finditer(_DENIED_DIAGNOSIS.sub(" ", text))})


def _kind(match: re.Match[str]) -> str:
    return "NES" if match["nes"] is not None else "ES"


def _single(labels: set[str]) -> str:
    return labels.pop() if len(labels) == 1 else UNPARSED
