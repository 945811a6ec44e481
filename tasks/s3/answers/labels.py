"""From a reply to one of a few labels: the patient's side, the region of onset, the diagnosis; or ``unparsed``.

A named value (``"answer": "left"``, ``the answer is left``) or a sentence that is nothing but a label decides, if
all such claims agree. Otherwise exactly one label must be spoken of. Both labels, an echo of the choice, a denied
or doubted label, another person's side, the frame's side and "I cannot tell" are ``unparsed``: never a guess. Words
that the question does not offer ("right hand", "whole body" for a region) are no label: a guess at what they mean
would hide that the question was not followed.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from semiology.features import REGIONS
from semiology.tasks.answers.claims import has_second_thoughts, says_unknown
from semiology.tasks.answers.cleaning import clean
from semiology.tasks.answers.fields import object_values
from semiology.tasks.answers.refusals import says_no_look
from semiology.tasks.s3.answers.context import (
    denied,
    doubted,
    of_another_person,
    unchecked_items_dropped,
    without_questions,
)
from semiology.tasks.s3.answers.fields import MOST_FIELDS, field_values, plain, sentences

UNPARSED = "unparsed"
_EDGES = " .,;:!?\"'()[]{}"

_OWNER = r"(?:(?:the|their|his|her|its) )?(?:patient'?s? |own )?"
_PART = r"(?: (?:arm|hand|side|upper limb|upper extremity)|[ -]sided)?"
_BARE_SIDE = re.compile(rf"(?:to |on |towards? )?{_OWNER}(left|right){_PART}(?: only)?", re.IGNORECASE)
_BODY = (
    r"(?:arm|hand|side|leg|upper|lower|limbs?|elbow|wrist|shoulder|foot|forearm|extremit|face|body|fist|fingers?|thumb"
    r"|knee)"
)
_TURN = (
    r"(?:turn\w*|rotat\w*|deviat\w*|versi\w*|look\w*|gaz\w*|facing|mov\w*|direct\w*|tilt\w*|pull\w*|drift\w*"
    r"|jerk\w*)"
)
# A side is claimed with a part of the body, as a direction, or as what something is: never as a mere word.
_SIDE = re.compile(
    rf"\b(?P<part>left|right)(?= {_BODY})(?! side of the)"
    rf"|\b(?:to|towards?|{_TURN})(?: (?:to|towards?|on))?(?: (?:the|his|her|their|patient's"
    rf"|own))*(?: (?P<way>left|right))\b(?! (?:away|now|hand side of))"
    r"|\A(?P<first>left|right)(?=\s?(?:[:(]|, (?:since|because|as|not|from|with)\b))|\A(?P<left>left)(?=, )"
    r"|\b(?P<ward>left|right)wards?\b"
    r"|\b(?:is|was|say|choose|arm|side|direction|answer|clearly)(?: (?:is|was|on|to|the|his|her"
    r"|patient's)){0,4} (?P<what>left|right)(?=\s?(?:$|[.,;!\n)\"]))"
    r"|\bthe (?P<other>left|right)(?= (?:stays|remains|is|one|moves|does|extends|flexes))",
    re.IGNORECASE,
)
_NOT_THE_PATIENTS = re.compile(
    r"\b(?:left|right)(?:[ -]hand)?(?: (?:side|part|half|edge|corner|border|third))? of (?:the |this )?"
    r"(?:frame|video|screen|image|picture|view|room|bed|camera|monitor|scene|shot|footage|window|display)\b"
    r"|\b(?:frame|video|screen|image|picture|viewer|camera)(?:'s)? (?:left|right)\b"
    r"|\b(?:lies?|lying|sleeps?|rests?|turned) (?:\w+ )?(?:on|to|onto) (?:the |his |her )?(?:left"
    r"|right)(?: side)?\b(?! by)|\b(?:left|right) hemisphere\b"
    r"|\b(?:window|door|rail|bed ?rail|monitor|pillow|lamp|chair|wall|table)s? (?:is |stands )?(?:on|to"
    r"|at) the (?:left|right)\b"
    r"|\b(?:contralateral|opposite) to (?:the |his |her |their )?(?:left|right)(?: \w+)?"
    r"|\b(?:enters?|comes?|walks?|appears?|arrives?) (?:in )?from the (?:left|right)\b",
    re.IGNORECASE,
)
_PERSPECTIVE = re.compile(
    r"[ (,]{0,4}from the patient's (?:perspective|point of view|viewpoint)\)?", re.IGNORECASE
)
_LETTER = re.compile(r"^(?:option |choice )?[(\[]?[A-Ka-k][)\].:]\s?(?=\w{2})")
# "Right, not left", "not left but right".
_DENIED_ASIDE = re.compile(
    rf",? not (?:to |on |towards? )?{_OWNER}(?:left|right){_PART}\s*[.!]?$"
    rf"|^not (?:to |on |towards? )?{_OWNER}(?:left|right){_PART},? but "
    rf"(?=(?:to |on |towards? )?{_OWNER}(?:left|right)\b)",
    re.IGNORECASE,
)
_CHOICE_NAMED = re.compile(
    r"^\s?(?:ES|NES|epileptic)\s?(?:/|or|vs\.?|versus)\s?(?:ES|NES|non-?epileptic)\s?:\s?", re.IGNORECASE
)
# "Left arm: tonic." tells of the left arm; it is no field named arm.
_PART_NAMED = re.compile(r"\b(left|right) (arm|hand|leg|foot|face|side)\s?:", re.IGNORECASE)
_DENIED_SIDE = re.compile(
    rf"\b(?:not|n't|rather than|instead of|never)(?: (?:to|on|towards?|move|turn|moving|turning))* {_OWNER}"
    r"(?:left|right)\b",
    re.IGNORECASE,
)
_NO_SIDE = re.compile(
    r"\b(?:both|bilateral(?:ly)?|neither|either|camera|viewer|observer|screen|image|viewpoint)\b"
    r"|\bleft\b[\s\"'(),]{0,4}(?:or|and|/|\||vs\.?)[\s\"'()]{0,4}\bright\b"
    r"|\bright\b[\s\"'(),]{0,4}(?:or|and|/|\||vs\.?)[\s\"'()]{0,4}\bleft\b"
    r"|\bleft\b[^.;\n]{0,20}\bthen\b[^.;\n]{0,20}\bright\b|\bright\b[^.;\n]{0,20}\bthen\b[^.;\n]{0,20}\bleft\b",
    re.IGNORECASE,
)

_REGION_NAMES = "|".join(sorted((re.escape(name) for name in REGIONS), key=len, reverse=True))
_BARE_REGION = re.compile(rf"(?:(?:the )?(?:patient'?s )?|\d\d?\. ?)({_REGION_NAMES})", re.IGNORECASE)
_REGION = re.compile(rf"(?<![\w-])({_REGION_NAMES})(?![\w-])", re.IGNORECASE)

_NES = r"NES\b|PNES\b|non[- ]?epileptic(?: (?:seizures?|events?|attacks?|spells?))?(?: \(NES\))?"
_ES = r"ES\b|epileptic(?: (?:seizures?|events?))?(?: \(ES\))?"
_DIAGNOSIS = re.compile(rf"(?<![\w-])(?:(?P<nes>{_NES})|(?P<es>{_ES}))(?!\w)", re.IGNORECASE)
# "Es" and "es" within a sentence are Spanish or German words, not the abbreviation.
_WORD_ES = re.compile(r"\b[Ee]s\b")
_NOT_BODY = re.compile(
    r"\bface[ -]to[ -]face\b|\b(?:left|right) (?:and|or|then) (?:left|right) (?:arm|leg)s?\b"
    r"|\b(?:head of (?:the )?bed|head(?:board|rest|phones)|face (?:mask|down|up)|faces? the"
    r"|legs? of the (?:bed|chair)|(?:bed|chair|table) legs?)\b",
    re.IGNORECASE,
)


def parse_side(text: str | None) -> str:
    """Return the patient's side that a reply gives, ``left``, ``right`` or ``unparsed``; never raises.

    The camera's side is no side.
    """
    rest = _PERSPECTIVE.sub("", _readable(text)).strip()
    rest = _PART_NAMED.sub(r"\1 \2 is", rest)
    return _claimed(
        rest, ("answer", "side", "laterality", "direction", "arm"), _bare_side, _only_side
    ) or _only_side(rest)


def parse_region(text: str | None) -> str:
    """Return the region of onset that a reply gives, one of `semiology.features.REGIONS`, or ``unparsed``."""
    rest = re.sub(r"(?<=[a-z])[_-](?=[a-z])", " ", _readable(text), flags=re.IGNORECASE)
    keys = ("answer", "region", "body part", "body_part", "location", "option")
    return _claimed(rest, keys, _bare_region, _only_region) or _only_region(rest)


def parse_diagnosis(text: str | None) -> str:
    """Return the diagnosis that a reply gives, ``ES``, ``NES`` (non-epileptic) or ``unparsed``; never raises.

    The description beside the answer may say anything.
    """
    rest = _CHOICE_NAMED.sub("", _readable(text))
    named = [str(value) for value in object_values(rest, ("diagnosis", "answer", "conclusion"))]
    if len(named) == 1 and (kind := _bare_diagnosis(named[0])):
        return UNPARSED if has_second_thoughts(rest.rpartition("}")[2]) else kind
    if re.search(r"\bdifferential\b", rest, re.IGNORECASE):
        return UNPARSED
    keys = ("answer", "diagnosis", "conclusion", "final answer")
    return _claimed(rest, keys, _bare_diagnosis, _only_diagnosis) or _only_diagnosis(rest)


def _readable(text: str | None) -> str:
    """Return a reply without reasoning and markdown; "" where nothing is left."""
    rest = plain(unchecked_items_dropped(clean(text) or "")) if isinstance(text, str) else ""
    return (
        "" if says_no_look(rest) else re.sub(r"^(?:assistant|answer)\s?:\s?", "", rest, flags=re.IGNORECASE)
    )


def _claimed(
    rest: str, keys: tuple[str, ...], bare: Callable[[str], str | None], only: Callable[[str], str]
) -> str | None:
    """Return the label on which all claims agree, ``unparsed`` where they do not, None without a claim."""
    claims = {bare(value) or only(value) for value in field_values(rest, keys)}
    parts = sentences(rest)
    # "Right! The head turns …" begins with an interjection.
    claims |= {
        claim
        for part in parts
        if (len(parts) == 1 or not part.endswith("!")) and "?" not in part and (claim := bare(part))
    }
    if claims and has_second_thoughts("\n".join(["", *parts[1:]])):
        return UNPARSED
    return claims.pop() if len(claims) == 1 else UNPARSED if claims else None


def _bare_side(line: str) -> str | None:
    match = _BARE_SIDE.fullmatch(_DENIED_ASIDE.sub("", _without_letter(line)).strip(_EDGES))
    return match[1].casefold() if match else None


def _only_side(text: str) -> str:
    if _NO_SIDE.search(text) or says_unknown(text):
        return UNPARSED
    text = _NOT_THE_PATIENTS.sub(" ", _DENIED_SIDE.sub(" ", without_questions(text)))
    places = list(_SIDE.finditer(text))[: MOST_FIELDS + 1]
    spoken = [place for place in places if not of_another_person(text, *place.span())]
    side = _single(text, spoken, _side)
    alone = any(place["first"] or place["left"] for place in spoken)
    both = {word.casefold() for word in re.findall(r"\b(?:left|right)\b", text, re.IGNORECASE)}
    return UNPARSED if alone and len(both) > 1 else side


def _without_letter(line: str) -> str:
    """Return a line without the letter of its option and what stands at its edges (``(B) right.``)."""
    return _LETTER.sub("", line.strip().strip("|")).strip(_EDGES + "|")


def _side(place: re.Match[str]) -> str:
    return str(next(filter(None, place.groupdict().values()))).casefold()


def _bare_region(line: str) -> str | None:
    match = _BARE_REGION.fullmatch(_without_letter(line))
    return match[1].casefold() if match else None


def _only_region(text: str) -> str:
    if says_unknown(text):
        return UNPARSED
    text = _NOT_BODY.sub(" ", without_questions(text))
    places = [place for place in _REGION.finditer(text) if not of_another_person(text, *place.span())]
    return _single(text, places, lambda place: place[1].casefold())


def _bare_diagnosis(line: str) -> str | None:
    match = _DIAGNOSIS.fullmatch(_without_letter(line)) or _DIAGNOSIS.fullmatch(
        line.strip(_EDGES.replace(")", ""))
    )
    return _kind(match) if match else None


def _only_diagnosis(text: str) -> str:
    if says_unknown(text):
        return UNPARSED
    if re.search(r"\bbut (?:it |this )?(?:is|was) not\b(?! a)", text, re.IGNORECASE):
        return UNPARSED
    text = without_questions(_WORD_ES.sub(" ", text))
    return _single(text, list(_DIAGNOSIS.finditer(text)), _kind)


def _kind(match: re.Match[str]) -> str:
    return "NES" if match["nes"] is not None else "ES"


def _single(text: str, places: list[re.Match[str]], label: Callable[[re.Match[str]], str]) -> str:
    """Return the one label that a text speaks of without denying or doubting it, else ``unparsed``."""
    if len(places) > MOST_FIELDS:
        return UNPARSED
    spoken = [place for place in places if not denied(text, *place.span())]
    if any(doubted(text, *place.span()) for place in spoken):
        return UNPARSED
    labels = {label(place) for place in spoken}
    return labels.pop() if len(labels) == 1 else UNPARSED
