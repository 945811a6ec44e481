"""Times of sheets in seconds from the start of the video: clocks, frames, fractions of a day, spans."""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterable
from dataclasses import dataclass

from semiology.data.sheets.grid import Cell, text_of
from semiology.data.tables.cells import CellError, day_fraction_s

DAY_S = 86_400.0
UNITS = ("s", "ms", "min", "frames")
CLOCKS = ("h:mm:ss", "mm:ss:ff", "mm:ss:cc", "clock")
"""How three groups are read: hours, minutes, seconds; minutes, seconds, frames (or hundredths); the time of day."""
TWO_GROUPS = ("mm:ss", "h:mm")
_GROUPS = re.compile(r"(\d{1,3}):(\d{1,2})(?:([:;.,])(\d{1,3}))?(?:([:;.,])(\d{1,3}))?")
_WORDS = re.compile(
    r"(\d{1,2}):(\d{2}):(\d{2})(?:[.,](\d+))?\s*(am|pm)|(?:(\d+)\s*h)?\s*(?:(\d+)\s*(?:m|min|')\.?)?\s*"
    r"(?:(\d+(?:[.,]\d+)?)\s*(?:s|sec|sek|seg|''|\")\.?)?",
    re.IGNORECASE,
)
_SPAN = re.compile(r"\s*(?:-|–|—|→|->|\bbis\b|\bto\b|\bà\b|\bhasta\b|\ba\b|\.\.+|…)\s*", re.IGNORECASE)


@dataclass(frozen=True)
class Clock:
    """How a sheet writes times.

    Attributes:
        unit: of plain numbers.
        three, two: what three and two groups mean; "" where that is not known.
        fps: frames per second, for frames; None where it is not known.
        decimal_comma: whether ``12,5`` is 12.5.
    """

    unit: str = "s"
    three: str = ""
    two: str = "mm:ss"
    fps: float | None = None
    decimal_comma: bool = True


def seconds(cell: Cell, clock: Clock, start: float | None = None, shown: str = "") -> tuple[float, str]:
    """Return the seconds that a cell means and how it was read.

    Args:
        cell: not empty.
        clock: how the sheet writes times.
        start: the time of day at which the video starts, in seconds from midnight, for the time of day.
        shown: what the cell's number format says (`Grid.shown`).

    Raises:
        CellError: it is no time, or may mean several.
    """
    if isinstance(cell, datetime.timedelta):
        return cell.total_seconds(), "clock time of the workbook"
    if isinstance(cell, datetime.datetime):
        cell = cell.time()
    if isinstance(cell, datetime.time):
        of_day = cell.hour * 3600 + cell.minute * 60 + cell.second + cell.microsecond / 1e6
        if shown == "h:mm" and not cell.second and clock.two == "mm:ss" and clock.three != "clock":
            return cell.hour * 60.0 + cell.minute, "a workbook's h:mm that means MM:SS"
        if clock.three == "clock":
            return _since(of_day, start)
        return of_day, "clock time of the workbook"
    text = text_of(cell)
    return _of_text(text, clock, start)


def _of_text(text: str, clock: Clock, start: float | None) -> tuple[float, str]:
    plain = text.replace(",", ".") if clock.decimal_comma and re.fullmatch(r"\d+,\d+", text) else text
    if re.fullmatch(r"\d+,\d+", plain):
        raise CellError(f"{text!r} has a decimal comma", f"write {text.replace(',', '.')}")
    if re.fullmatch(r"(\d+\.?\d*|\.\d+)(e-?\d+)?", plain, re.IGNORECASE):
        meant = day_fraction_s(plain)
        if meant is not None and clock.unit == "s":
            return meant, "fraction of a day"
        return _number(float(plain), clock), {"s": "seconds"}.get(clock.unit, clock.unit)
    if found := _GROUPS.fullmatch(text):
        return _grouped(text, found, clock, start)
    if text and (found := _WORDS.fullmatch(text)) and any(found.groups()):
        if found[5]:
            hour = int(found[1]) % 12 + (12 if found[5].lower() == "pm" else 0)
            return _since(hour * 3600.0 + int(found[2]) * 60 + int(found[3]), start)
        given = [float((found[at] or "0").replace(",", ".")) for at in (6, 7, 8)]
        return given[0] * 3600 + given[1] * 60 + given[2], "time with units"
    raise CellError(f"{text!r} is no time", "write seconds from the start of the video, such as 12.5")


def _number(value: float, clock: Clock) -> float:
    if clock.unit == "frames":
        if not clock.fps:
            raise CellError(f"{value:g} is a frame, but the frames per second are not known", "choose fps")
        return round(value / clock.fps, 3)
    return {"s": value, "ms": round(value / 1000, 3), "min": round(value * 60, 3)}[clock.unit]


def _grouped(text: str, found: re.Match[str], clock: Clock, start: float | None) -> tuple[float, str]:
    first, second = int(found[1]), int(found[2])
    if second > 59:
        raise CellError(f"{text!r} has more than 59 in its second group", "correct the time")
    if found[6] is not None and found[5] in (":", ";"):
        third, frames = int(found[4]), int(found[6])
        if not clock.fps:
            raise CellError(f"{text!r} counts frames, but the frames per second are not known", "choose fps")
        if frames >= round(clock.fps):
            raise CellError(f"{text!r} has frame {frames} at {clock.fps:g} frames per second", "correct fps")
        whole = first * 3600 + second * 60 + third
        if clock.three == "clock":
            return _since(whole + frames / clock.fps, start)
        return round(whole + frames / clock.fps, 3), "SMPTE H:MM:SS:FF"
    if found[4] is None:
        if clock.two == "h:mm":
            return first * 3600.0 + second * 60, "H:MM"
        return first * 60.0 + second, "MM:SS"
    if found[3] in (".", ","):  # a decimal part after two groups
        return float(f"{first * 60 + second}.{found[4]}"), "MM:SS with decimals"
    third = int(found[4])
    decimals = float(f"0.{found[6]}") if found[6] else 0.0
    if clock.three == "clock":
        return _since(first * 3600 + second * 60 + third + decimals, start)
    if found[6] or clock.three == "h:mm:ss":
        if third > 59:
            raise CellError(f"{text!r} has more than 59 seconds", "correct the time")
        return first * 3600 + second * 60 + third + decimals, "H:MM:SS"
    if clock.three == "mm:ss:ff":
        if not clock.fps or third >= round(clock.fps):
            raise CellError(
                f"{text!r} has frame {third} at {clock.fps or 0:g} frames per second", "correct fps"
            )
        return round(first * 60 + second + third / clock.fps, 3), "MM:SS:FF"
    if clock.three == "mm:ss:cc":
        return round(first * 60 + second + third / 100, 3), "MM:SS and hundredths"
    raise CellError(f"{text!r} may be H:MM:SS, MM:SS:FF or MM:SS and hundredths", "choose times")


def _since(of_day: float, start: float | None) -> tuple[float, str]:
    if start is None:
        raise CellError("is a time of day, but the start of the recording is not known", "fill in the start")
    return round((of_day - start) % DAY_S, 3), "time of day less the start of the recording"


def time_of_day(cell: Cell) -> float:
    """Return the seconds from midnight of a recording's start.

    Raises:
        CellError: the cell is no time of day.
    """
    if isinstance(cell, datetime.datetime):
        cell = cell.time()
    if isinstance(cell, datetime.time):
        return cell.hour * 3600 + cell.minute * 60 + cell.second + cell.microsecond / 1e6
    text = re.sub(r"^\d{1,4}[-./]\d{1,2}[-./]\d{1,4}[T ]+", "", text_of(cell))
    found = re.fullmatch(
        r"(\d{1,2}):(\d{2})(?::(\d{2})(?:[.,](\d+))?)?\s*(am|pm)?(?:Z|[+-]\d{2}:?\d{2})?", text, re.I
    )
    if not found:
        raise CellError(f"{text!r} is no time of day", "write it as HH:MM:SS")
    hour = int(found[1]) % 12 + (12 if found[5].lower() == "pm" else 0) if found[5] else int(found[1])
    return hour * 3600 + int(found[2]) * 60 + int(found[3] or 0) + float(f"0.{found[4] or 0}")


def span_parts(text: str) -> tuple[str, str] | None:
    """Return the two times of a span such as ``0:12-0:40`` or ``12 bis 40 s``; None if it is none."""
    parts = _SPAN.split(text.strip("()[] "))
    if len(parts) != 2:
        return None
    unit = re.search(r"[a-z]+\.?$", parts[1], re.IGNORECASE)
    if unit and not re.search(r"[a-z'\"]", parts[0], re.IGNORECASE):
        parts[0] += unit[0]
    if not all(is_time_like(part) or re.fullmatch(r"\d+([.,]\d+)?", part) for part in parts):
        return None
    return parts[0], parts[1]


def is_time_like(text: str) -> bool:
    """Return whether a text is written as a clock time or a time with a unit, and not as a plain number."""
    return bool(
        _GROUPS.fullmatch(text)
        or (re.search(r"\d", text) and _WORDS.fullmatch(text) and re.search(r"\D", text))
    )


def groups_of(cells: Iterable[Cell]) -> tuple[list[tuple[int, int, int]], list[tuple[int, int]]]:
    """Return the times of three groups without a fourth, and those of two, among some cells."""
    three, two = [], []
    for cell in cells:
        found = _GROUPS.fullmatch(text_of(cell)) if isinstance(cell, str) else None
        if found and found[4] is None:
            two.append((int(found[1]), int(found[2])))
        elif found and found[3] in (":", ";") and found[6] is None:
            three.append((int(found[1]), int(found[2]), int(found[4])))
    return three, two
