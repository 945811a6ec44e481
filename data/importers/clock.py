"""Times as the published annotation tables write them: ``MM:SS:00``, with a few ``H:MM:SS``."""

from __future__ import annotations

import re
from dataclasses import dataclass

from semiology.data.tables.cells import CellError

NOT_GIVEN = frozenset({"", "na", "n/a", "nan", "none", "-"})
_FIX = "write it as MM:SS in the source table and import again"


@dataclass(frozen=True)
class ClockTime:
    """Seconds from the start of the video; ``doubt`` says why the reading is not beyond question."""

    seconds: float
    doubt: str | None = None


def parse_clock(text: str) -> ClockTime | None:
    """Return the time that a cell of a published table means, or ``None`` if it gives none.

    The rule: ``MM:SS`` is minutes and seconds. Of three groups, ``a:b:00`` is minutes, seconds and an empty
    third group, which is how spreadsheets stored these tables; ``0:b:c`` with a third group that is not zero
    is hours, minutes and seconds, and so is a one-digit ``a:b:c`` (the few ``H:MM:SS``), which is doubted. A
    one-digit ``a:b:00`` is read as minutes and seconds, but doubted too: ``0:34:00`` might mean 34 minutes.
    Bare numbers from 1 on are seconds.

    Raises:
        CellError: No reading is safe: ``aa:b:c`` with neither zero hours nor an empty third group, 60 or more
            seconds, a fraction of a day, or no time at all.
    """
    text = text.strip()
    if text.lower() in NOT_GIVEN:
        return None
    if re.fullmatch(r"\d+(\.\d+)?", text):
        if 0 < float(text) < 1:
            raise CellError(f"{text!r} looks like a spreadsheet's fraction of a day", _FIX)
        return ClockTime(float(text))
    parts = re.fullmatch(r"(\d{1,3}):(\d{1,2})(?::(\d{1,2}))?", text)
    if parts is None:
        raise CellError(f"{text!r} is no time", _FIX)
    first, second, third = int(parts[1]), int(parts[2]), int(parts[3] or 0)
    if second > 59 or third > 59:
        raise CellError(f"{text!r} has more than 59 minutes or seconds in a group", _FIX)
    short, long = first * 60 + second, first * 3600 + second * 60 + third
    one_digit = len(parts[1]) == 1
    if parts[3] is None:
        return ClockTime(float(short))
    if third == 0:
        doubt = f"{text!r} was read as {short} s (MM:SS:00); as H:MM:SS it would be {long} s"
        return ClockTime(float(short), doubt if one_digit and long else None)
    if first == 0:
        return ClockTime(float(long))
    if one_digit:
        doubt = f"{text!r} was read as {long} s (H:MM:SS); with hundredths it would be {short} s"
        return ClockTime(float(long), doubt)
    raise CellError(f"{text!r} is ambiguous: H:MM:SS, or MM:SS and hundredths", _FIX)
