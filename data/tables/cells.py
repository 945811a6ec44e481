"""The values that a cell of a recording set may hold. Each parser returns the value or raises `CellError`."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import TypeVar

from semiology.data.tables.csv_tables import Row, Table, closest

_IDENTIFIER = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_SECONDS = re.compile(r"(\d+(\.\d*)?|\.\d+)")
_DAY_S = 86_400
_NUMBER = re.compile(r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)")
_EXPONENT = re.compile(r"[eE][+-]?\d{1,3}$")
_MINUS = str.maketrans("\u2212\u2013\ufe63\uff0d", "----")
"""Signs that programs write for a minus."""
_CLOCK = re.compile(r"\d+:\d{1,2}(:\d{1,2})?([.,]\d+)?")
_DATE_LIKE = re.compile(
    r"(?<!\d)(?:(?:19|20)\d{2}([-._])\d{1,2}\1\d{1,2}|(?:19|20)\d{2}(?:0[1-9]|1[0-2])(?:[0-2]\d|3[01])"
    r"|\d{1,2}([-._])\d{1,2}\2(?:19|20)\d{2}|\d{1,2}([-.])\d{1,2}\3\d{2})(?!\d)"
)
_NOBODY = re.compile(
    r"na|n/a|n\.a\.|nan|null|none|nil|unknown|unk|unbekannt|inconnu|missing|tbd|\?+|-+|true|false|wahr|falsch"
    r"|#(?:n/a|nv|ref!|value!|name\?|null!|div/0!|num!)",
    re.IGNORECASE,
)
_ANSWERS = frozenset({"none", "true", "false", "wahr", "falsch"})
_MONTH = (
    r"(?:jan|feb|mar|mrz|mär|apr|may|mai|jun|jul|aug|sep|sept|oct|okt|nov|dec|dez|fév|avr|juin|juil|août|déc"
    r"|ene|abr|ago|dic)"
)
_SPREADSHEET_MADE = re.compile(
    rf"\d{{1,2}}[-. ]{{1,2}}{_MONTH}\.?(?:[-. ]\d{{2,4}})?|{_MONTH}\.?[-. ]\d{{2,4}}"
    r"|\d(?:[.,]\d+)?e[+-]?\d{1,3}|\d+[.,]0",
    re.IGNORECASE,
)
_NAME_LIMIT_BYTES = 255
T = TypeVar("T")

PRESENCE: Mapping[str, str] = {
    "y": "yes", "true": "yes", "1": "yes", "present": "yes", "positive": "yes", "ja": "yes", "oui": "yes",
    "n": "no", "false": "no", "0": "no", "absent": "no", "negative": "no", "nein": "no", "non": "no",
    "n/a": "na", "n.a.": "na", "nan": "na", "none": "na", "unknown": "na", "not applicable": "na",
}  # fmt: skip
SIDES: Mapping[str, str] = {
    "l": "left", "r": "right", "bilateral": "both", "left and right": "both", "b": "both",
}  # fmt: skip
LOBE_HINTS: Mapping[str, str] = {
    "mesial temporal": "temporal", "mtl": "temporal", "tlr": "temporal", "tle": "temporal", "fle": "frontal",
    "insula": "insular", "multilobar": "several", "multifocal": "several", "frontotemporal": "several",
}  # fmt: skip
TYPE_HINTS: Mapping[str, str] = {
    "fas": "focal aware", "fias": "focal impaired awareness", "simple partial": "focal aware",
    "complex partial": "focal impaired awareness", "fbtc": "focal to bilateral tonic-clonic",
    "fbtcs": "focal to bilateral tonic-clonic", "gtc": "generalized tonic-clonic", "gtcs": "generalized tonic-clonic",
    "generalised": "generalized", "pnes": "functional", "nes": "functional", "fds": "functional",
    "focal preserved consciousness": "focal aware", "focal impaired consciousness": "focal impaired awareness",
}  # fmt: skip
DIAGNOSES: Mapping[str, str] = {
    "epileptic": "es", "epilepsy": "es", "non-epileptic": "nes", "pnes": "nes", "fs": "nes", "fds": "nes",
}  # fmt: skip


class CellError(ValueError):
    """A cell holds something that its column cannot take; ``fix`` says what to write."""

    def __init__(self, message: str, fix: str) -> None:
        super().__init__(message)
        self.fix = fix


class RowCells:
    """The cells of one row, parsed; a cell that cannot be used is reported to ``note(message, fix)``."""

    def __init__(self, table: Table, row: Row, note: Callable[[str, str], object]) -> None:
        self.row, self.note, self._decimal_comma = row, note, table.delimiter != ","

    def required(self, column: str, parse: Callable[[str], T]) -> T | None:
        """Return what the cell holds; None where it cannot be used."""
        try:
            return parse(self.row[column])
        except CellError as error:
            self.note(f"{column}: {error}", error.fix)
            return None

    def optional(self, column: str, parse: Callable[[str], T]) -> T | None:
        """Return what the cell holds; None where it is empty or cannot be used."""
        return self.required(column, parse) if self.row[column] else None

    def seconds(self, column: str) -> float | None:
        """Return a time in seconds; with a decimal comma only where cells are not separated by commas."""
        return self.optional(column, lambda text: parse_seconds(text, decimal_comma=self._decimal_comma))

    def choice(self, column: str, choices: tuple[str, ...], hints: Mapping[str, str]) -> str | None:
        """Return one of some words (see `parse_choice`)."""
        return self.optional(column, lambda text: parse_choice(text, choices, hints))


def parse_seconds(text: str, *, decimal_comma: bool = False) -> float:
    """Return seconds (finite, not negative); ``12,5`` is 12.5 with ``decimal_comma``, for tables without commas.

    Raises:
        CellError: Anything else than a plain number of seconds; for a clock time, and for the fraction of a day that
            spreadsheets make of one, it says how to convert it.
    """
    if re.fullmatch(r"\d+,\d+", text):
        if not decimal_comma:
            raise CellError(f"{text!r} has a decimal comma", f"write {text.replace(',', '.')}")
        text = text.replace(",", ".")
    if (meant := day_fraction_s(text)) is not None:
        fix = f"write {meant:g} ({clock(meant)}), or round it, such as {float(text):.4f}, if it does mean seconds"
        raise CellError(f"{text!r} looks like a spreadsheet's fraction of a day", fix)
    if _SECONDS.fullmatch(text):
        return float(text)
    if _CLOCK.fullmatch(text):
        parts = [float(part.replace(",", ".")) for part in text.split(":")]
        fix = f"write {parts[0] * 60 + parts[1]:g} if this is MM:SS"
        if len(parts) == 3:
            long_form = parts[0] * 3600 + parts[1] * 60 + parts[2]
            short_form = parts[0] * 60 + parts[1]
            fix = f"write {long_form:g} if this is H:MM:SS, or {short_form:g} if it is MM:SS and hundredths"
        raise CellError(f"{text!r} is a clock time, seconds are expected", fix)
    if with_unit := re.fullmatch(r"([\d.]+)\s*(s|sec|secs|seconds?)", text, re.IGNORECASE):
        raise CellError(f"{text!r} has a unit", f"write {with_unit.group(1)}")
    fix = "write seconds from the start of the video, such as 12.5"
    try:
        value = float(text)
    except ValueError:
        raise CellError(f"{text!r} is not a number of seconds", fix) from None
    if math.isfinite(value) and value < 0:
        raise CellError(
            f"{text!r} is before the start of the video", fix.replace("such as 12.5", "0 or more")
        )
    fix = "write it plainly, such as 12.5, or leave the cell empty"
    raise CellError(f"{text!r} is not a plain number of seconds", fix)


def plain_number(text: str, *, decimal_comma: bool = False, exponent: bool = False) -> float | None:
    """Return a finite number as people write it; None for anything else, such as ``1_0``, ``1.234,5`` or ``inf``.

    Args:
        text: the cell; any minus sign will do.
        decimal_comma: whether ``12,5`` is 12.5. exponent: whether ``5e-01``, which programs write, is one.

    >>> plain_number("\u221212,5", decimal_comma=True), plain_number("1_0"), plain_number("4e0")
    (-12.5, None, None)
    """
    plain = text.strip().translate(_MINUS)
    if decimal_comma and re.fullmatch(r"[+-]?\d+,\d+", plain):
        plain = plain.replace(",", ".")
    if not _NUMBER.fullmatch(_EXPONENT.sub("", plain) if exponent else plain):
        return None
    value = float(plain)
    return value if math.isfinite(value) else None


def day_fraction_s(text: str) -> float | None:
    """Return the seconds that a number means if a spreadsheet made it of a clock time; None for any other number.

    Spreadsheets store 0:00:15 as 15/86400 = 0.000173611. A number below 1 is taken for one if it has five decimals
    or more (from one hour on eight) and is a whole number of tenths of a second (of seconds), as exactly as it is
    written. The time of a video frame in a program's full precision (15 digits, a multiple of 1/120 s) is no such
    number, although it could be one.
    """
    if not re.fullmatch(r"0?\.\d+|\d(\.\d+)?[eE]-0*[1-9]\d?", text):
        return None
    number = Decimal(text)
    digits = -int(number.as_tuple().exponent)
    if not 0 < number < 1 or digits < 5:
        return None
    seconds = number * _DAY_S
    step = Decimal("0.1") if seconds < 3600 else Decimal(1)
    meant = (seconds / step).to_integral_value() * step
    written = Decimal(5).scaleb(-digits - 1) * _DAY_S
    if len(number.as_tuple().digits) >= 15 and abs(number * 120 - round(number * 120)) < Decimal("1e-11"):
        return None
    if meant == 0 or abs(seconds - meant) > max(written, Decimal("1e-9")) or (seconds >= 3600 and digits < 8):
        return None
    return float(meant)


def clock(seconds: float) -> str:
    """Return seconds as a clock time, such as 0:00:15.3."""
    minutes, rest = divmod(seconds, 60)
    whole, tenths = divmod(round(rest * 10), 10)
    return f"{int(minutes) // 60}:{int(minutes) % 60:02d}:{whole:02d}" + (f".{tenths}" if tenths else "")


def parse_choice(text: str, choices: tuple[str, ...], hints: Mapping[str, str]) -> str:
    """Return the one of ``choices`` that the cell names, whatever the case of its letters.

    Raises:
        CellError: It names none; ``hints`` (spelling to lower-case choice) gives the "did you mean".
    """
    lower = text.lower()
    for choice in choices:
        if lower == choice.lower():
            return choice
    options = {choice.lower(): choice for choice in choices}
    near = hints.get(lower) or closest(lower, options)
    meant = f"; did you mean {options[near]!r}?" if near else ""
    raise CellError(f"{text!r} is not one of {', '.join(choices)}{meant}", f"write {' or '.join(choices)}")


def parse_identifier(text: str) -> str:
    """Return an opaque id: 1 to 64 letters, digits, dots, hyphens or underscores, no blank, no path.

    Raises:
        CellError: It holds anything else.
    """
    if _IDENTIFIER.fullmatch(text):
        return text
    if not text:
        raise CellError("is empty", "give an opaque id such as P001_V01")
    fix = "use an opaque id such as P001_V01; `semiology data deidentify` makes them"
    raise CellError(f"{text!r} is no opaque id (letters, digits, '-', '_', '.')", fix)


def parse_group(text: str) -> str:
    """Return the name of a group, such as a fold, as it is written.

    Raises:
        CellError: It is a missing value (``#N/A``, ``nan``), which would be a group of its own.
    """
    if names_nobody(text):
        raise CellError(f"{text!r} is a missing value", "write its name, or leave the cell empty")
    return text


def looks_dated(text: str) -> bool:
    """Return whether an id or file name seems to contain a calendar date, which would identify a patient."""
    return bool(_DATE_LIKE.search(text))


def names_nobody(text: str) -> bool:
    """Return whether a cell for an id says that there is none, as programs write it (``NaN``, ``#N/A``, ``null``).

    Example:
        >>> names_nobody("NaN"), names_nobody("#N/A"), names_nobody("Nan01")
        (True, True, False)
    """
    return bool(_NOBODY.fullmatch(text.strip()))


def says_nothing(text: str) -> bool:
    """Return whether a cell of a user's own column is a missing value; ``none``, ``true`` and ``false`` are answers.

    Example:
        >>> says_nothing("#N/A"), says_nothing("none"), says_nothing("")
        (True, False, True)
    """
    plain = text.strip().lower()
    return not plain or (names_nobody(plain) and plain not in _ANSWERS)


def one_spelling(values: Iterable[str]) -> dict[str, str]:
    """Return how each value of a user's own column is called: ``F`` and ``f``, or ``1`` and ``1.0``, are one.

    The most frequent spelling stands for all, of equals the first.

    Example:
        >>> one_spelling(["F", "f", "f", "1.0", "1"])
        {'F': 'f', 'f': 'f', '1.0': '1.0', '1': '1.0'}
    """
    spelt: dict[str, Counter[str]] = {}
    for value in values:
        number = plain_number(value)
        key = " ".join(value.casefold().split()) if number is None else f"{number:g}"
        spelt.setdefault(key, Counter())[value] += 1
    return {value: found.most_common(1)[0][0] for found in spelt.values() for value in found}


def spreadsheet_made(text: str) -> bool:
    """Return whether an id looks as if a spreadsheet had made a date or a number of it (``7-Mar``, ``1E+05``)."""
    return bool(_SPREADSHEET_MADE.fullmatch(text.strip()))


def parse_relative_path(text: str, directory: Path) -> Path:
    """Return the absolute path of a file named relative to the folder (``/`` or ``\\`` between parts).

    Raises:
        CellError: The path is absolute, a web address, no file name, or leaves the folder.
    """
    if re.match(r"[A-Za-z][A-Za-z0-9+.\-]+://", text):
        raise CellError(
            f"{text!r} is a web address", "store the file in the folder and give its relative path"
        )
    windows = PureWindowsPath(text)
    if windows.drive or windows.root or PurePosixPath(text).is_absolute():
        raise CellError(
            f"{text!r} is an absolute path", "give it relative to the folder, such as videos/P001_V01.mp4"
        )
    if "\0" in text or any(len(part.encode()) > _NAME_LIMIT_BYTES for part in windows.parts):
        raise CellError(f"{text[:40]!r} is no file name", "give the path of the file relative to the folder")
    depth = 0
    for part in windows.parts:
        depth += -1 if part == ".." else 0 if part == "." else 1
        if depth < 0:
            raise CellError(f"{text!r} leaves the folder", "copy or link the file into the folder")
    return directory.joinpath(*windows.parts)
