"""From a reply to a point in time, in seconds from the start of the clip.

Read are ``MM:SS`` and ``H:MM:SS`` (with decimals), ``12 s``, ``1 min 5 s``, and a bare number of seconds
where a named value or the whole reply is one. Minutes and seconds run to 59 (``1:75`` is no time), nothing is
negative, and several different times in one reply, a range and a time before the end are no answer. The length of the
clip or of a movement (``the 30 s clip``, ``for 5 seconds``) is no point in time, and a sentence that denies has none.
"""

from __future__ import annotations

import re
from itertools import islice

from semiology.tasks.answers.claims import says_unknown
from semiology.tasks.answers.cleaning import clean
from semiology.tasks.answers.fields import object_values
from semiology.tasks.answers.refusals import says_no_look
from semiology.tasks.s3.answers.context import denied, without_questions
from semiology.tasks.s3.answers.fields import MOST_FIELDS, field_values, plain

_KEYS = ("timestamp", "time", "start_time", "end_time", "start", "end", "onset", "onset_time", "answer")
_CLOCK = re.compile(r"(?:(\d{1,2}):)?(\d{1,3}):(\d{1,2})(?:[.,](\d{1,6}))?")
_UNITS = re.compile(
    r"(?:(\d{1,3}) ?(?:m|mins?|minutes?)\.?,?(?: and)? ?)?(\d{1,5}(?:\.\d{1,6})?) ?(?:s|secs?|seconds?)\.?",
    re.IGNORECASE,
)
_MINUTES = re.compile(r"(\d{1,3}(?:\.\d{1,6})?) ?(?:min|mins|minutes?)\.?", re.IGNORECASE)
# Milliseconds after seconds, and a time of day: neither may be read as the seconds before them.
_OTHER_CLOCK = re.compile(
    r"\d ?(?:s|secs?|seconds?)\.?,?(?: and)? ?\d{1,6} ?(?:ms|milliseconds?|frames?)\b"
    r"|\d ?(?:[ap]\.m\.?|[ap]m\b)|\d\s?(?:uhr|o'clock)\b",
    re.IGNORECASE,
)
_NUMBER = re.compile(r"\d{1,5}(?:\.\d{1,6})?")
_IN_TEXT = re.compile(
    rf"(?<![\w:.,/-])(?:{_CLOCK.pattern}|{_UNITS.pattern})(?![\w:])",
    re.IGNORECASE,
)
_TIME = "(?:" + re.sub(r"\((?!\?)", "(?:", rf"(?:{_CLOCK.pattern}|{_UNITS.pattern})") + ")"
_MEDIA = r"(?:clip|video|recording|film|footage|window|segment|interval|sequence|excerpt)"
_LENGTH = re.compile(
    rf"{_TIME}[- ]?(?:-?long\b|\s?{_MEDIA}\b|\s?of (?:the )?{_MEDIA}\b|\s?(?:in|of) (?:duration|length)\b)"
    rf"|\b(?:{_MEDIA}|duration|length)(?: duration| length)? ?(?:is|was|of|lasts|has|:|=)? ?(?:about |around "
    rf"|approximately |only )?{_TIME}"
    rf"|\b(?:for|lasts?|lasting|over|during|within|throughout)(?: the)?(?: (?:about|around|approximately"
    rf"|at least|only|full|entire|whole|next|following))* {_TIME}",
    re.IGNORECASE,
)
_RANGE = re.compile(
    rf"\b\d[\d:.]{{0,9}} ?(?:s|sec|seconds?)? ?(?:to|-|–|and|until|through|or) ?{_TIME}"
    rf"|\b(?:first|last|final|initial) {_TIME}|{_TIME} (?:before|prior to|from the end|later)\b"
    rf"|{_TIME} after (?!the (?:start|beginning|onset of the (?:clip|video)))"
    rf"|\b(?:before|after|by|until|no later than|not before|earlier than|later than|every|each|at least|at most"
    rf"|more than|less than) {_TIME}|{_TIME} (?:apart|each|intervals?)\b|[<>≤≥] ?{_TIME}(?![\w\s.]{{0,8}}>)",
    re.IGNORECASE,
)
_NO_CLAIM = re.compile(
    r"\b(?:for example|example|e\.?g\.?|format|clock (?:in|on)|on-screen|wall clock|time ?stamp overlay)\b"
    r"|\b(?:if|had) (?:it|the|this)\b",
    re.IGNORECASE,
)
_NEGATIVE = re.compile(r"(?<![\w:])[-−]\s?\d")
_AROUND = re.compile(r"^(?:at|about|around|approximately|~|t ?=)\s?", re.IGNORECASE)
_EDGES = " \t\n.,;!?\"'()[]{}"


def parse_timestamp(text: str | None) -> float | None:
    """Return the seconds that a reply gives, or None where it gives no single time; never raises."""
    rest = clean(text) if isinstance(text, str) else None
    if not rest:
        return None
    if says_no_look(rest) or _OTHER_CLOCK.search(rest):
        return None
    objects = [str(value) for value in object_values(rest, _KEYS)]
    rest = plain(rest)
    if _NO_CLAIM.search(rest[:60]):
        return None
    written = objects or field_values(rest, _KEYS) or [rest]
    if len(written) == 1 and seconds_of(written[0]) is None:
        if (
            _NEGATIVE.search(written[0])
            or (written[0] != rest and says_unknown(written[0]))
            or _NO_CLAIM.search(rest)
        ):
            return None
        told = _LENGTH.sub(" ", without_questions(rest))
        if _RANGE.search(told):
            return None
        found = list(islice(_IN_TEXT.finditer(told), MOST_FIELDS))
        written = [match[0] for match in found if not denied(told, *match.span())]
    times = {seconds_of(value) for value in written}
    return times.pop() if len(times) == 1 else None


def seconds_of(value: str) -> float | None:
    """Return the seconds that a text is, or None if it is anything else than one time."""
    value = _AROUND.sub("", value.strip(_EDGES)).strip(_EDGES)
    if match := _CLOCK.fullmatch(re.sub(r"(?<=:\d\d) ?s$", "", value)):
        return _clock(match)
    if match := _UNITS.fullmatch(value):
        minutes, seconds = int(match[1] or 0), float(match[2])
        return 60.0 * minutes + seconds if not match[1] or seconds < 60 else None
    if match := _MINUTES.fullmatch(value):
        return 60.0 * float(match[1])
    return float(value) if _NUMBER.fullmatch(value) and value.isascii() else None


def _clock(match: re.Match[str]) -> float | None:
    hours, minutes, seconds = int(match[1] or 0), int(match[2]), int(match[3])
    if len(match[3]) != 2 or seconds > 59 or (match[1] is not None and minutes > 59):
        return None
    return 3600.0 * hours + 60.0 * minutes + seconds + float(f"0.{match[4] or 0}")
