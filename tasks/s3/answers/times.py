"""From a reply to a point in time, in seconds from the start of the clip.

Read are ``MM:SS`` and ``H:MM:SS`` (with decimals), ``12 s``, ``1 min 5 s``, and a bare number of seconds
where a named value or the whole reply is one. Minutes and seconds run to 59 (``1:75`` is no time), nothing is
negative, and several different times in one reply are no answer.
"""

from __future__ import annotations

import re

from semiology.tasks.answers.cleaning import clean
from semiology.tasks.s3.answers.fields import field_values, plain

_KEYS = ("timestamp", "time", "start_time", "end_time", "start", "end", "onset", "onset_time", "answer")
_CLOCK = re.compile(r"(?:(\d{1,2}):)?(\d{1,3}):(\d{1,2})(?:[.,](\d{1,6}))?")
_UNITS = re.compile(
    r"(?:(\d{1,3}) ?(?:m|mins?|minutes?)\.?,?(?: and)? ?)?(\d{1,5}(?:\.\d{1,6})?) ?(?:s|secs?|seconds?)\.?",
    re.IGNORECASE,
)
_NUMBER = re.compile(r"\d{1,5}(?:\.\d{1,6})?")
_IN_TEXT = re.compile(
    rf"(?<![\w:.,/-])(?:{_CLOCK.pattern}|{_UNITS.pattern})(?![\w:])",
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
    rest = plain(rest)
    written = field_values(rest, _KEYS) or [rest]
    if len(written) == 1 and seconds_of(written[0]) is None:
        if _NEGATIVE.search(written[0]):
            return None
        written = [match[0] for match in _IN_TEXT.finditer(rest)]
    times = {seconds_of(value) for value in written}
    return times.pop() if len(times) == 1 else None


def seconds_of(value: str) -> float | None:
    """Return the seconds that a text is, or None if it is anything else than one time."""
    value = _AROUND.sub("", value.strip(_EDGES)).strip(_EDGES)
    if match := _CLOCK.fullmatch(value):
        return _clock(match)
    if match := _UNITS.fullmatch(value):
        minutes, seconds = int(match[1] or 0), float(match[2])
        return 60.0 * minutes + seconds if not match[1] or seconds < 60 else None
    return float(value) if _NUMBER.fullmatch(value) and value.isascii() else None


def _clock(match: re.Match[str]) -> float | None:
    hours, minutes, seconds = int(match[1] or 0), int(match[2]), int(match[3])
    if len(match[3]) != 2 or seconds > 59 or (match[1] is not None and minutes > 59):
        return None
    return 3600.0 * hours + 60.0 * minutes + seconds + float(f"0.{match[4] or 0}")
