"""What the cell of a feature says: present or not, when, and on which side."""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterable
from dataclasses import dataclass

from semiology.data.recording_set import Presence, Side
from semiology.data.sheets.grid import Cell, text_of
from semiology.data.sheets.mapping import Notes, SheetMapping
from semiology.data.sheets.terms import key_of, terms
from semiology.data.sheets.times import Clock, is_time_like, seconds, span_parts
from semiology.data.tables.cells import CellError

_CHOICES = (
    ("yes", "the feature is present"),
    ("no", "it is absent"),
    ("na", "it cannot be judged"),
    ("unannotated", "nobody said"),
)
_DOUBT = re.compile(r"\?|^\(.*\)$|~|\*")
"""Marks that make a word doubtful: ``ja?``, ``(x)``."""
_NUMBER = re.compile(r"\d+([.,]\d+)?")
_SIGNED = re.compile(r"[-−–+]\s?\d.*|#.*[!?]|#n/a|#nv", re.IGNORECASE)
"""A number with a sign is a code (``-1`` is "true" to one program and "missing" to the next), ``#REF!`` a fault."""


@dataclass(frozen=True)
class Said:
    """What a cell says of a feature; ``present`` is None where it says nothing, or ``withheld`` an answer."""

    present: Presence | None = None
    onset: float | None = None
    offset: float | None = None
    side: Side | None = None
    withheld: bool = False


@dataclass(frozen=True)
class CellReader:
    """Reads the cells of features of one sheet; what is open becomes a question of ``notes``."""

    mapping: SheetMapping
    clock: Clock
    notes: Notes

    def said(self, cell: Cell, where: str, row: int, start: float | None = None) -> Said:
        """Return what a cell says.

        Args:
            cell: any cell.
            where: the heading, for notes. row: as a spreadsheet shows it.
            start: the time of day at which the recording starts, s.
        """
        if not isinstance(cell, str | float):
            return self._time(cell, where, row, start)
        text = text_of(cell)
        if not text:
            return Said()
        whole = self._word(text, where, row)
        if whole is not None:
            return whole
        if (span := span_parts(text)) is not None:
            return self._span(span, text, where, row, start)
        if (self.mapping.numbers == "onset" and _NUMBER.fullmatch(text)) or is_time_like(text):
            return self._time(text, where, row, start)
        if (joined := self._joined(text, where, row, start)) is not None:
            return joined
        self.notes.ask(
            f"values.{text}", f"{where!r}, row {row}: what does {text!r} mean for a feature?", *_CHOICES
        )
        return Said()

    def side(self, text: str, where: str, row: int) -> Side | None:
        """Return the side that a cell names; one that names none is noted."""
        key = key_of(text)
        if not text or key in terms().no_side:
            return None
        side = terms().sides.get(key)
        if side is None:
            self.notes.not_used(row, f"{where}: {text!r} is no side", "write left, right or both")
            return None
        if side != text:
            self.notes.change(where, text, side, row)
        return side  # type: ignore[return-value]

    def seconds(
        self, cell: Cell, where: str, row: int, start: float | None, shown: str = "", unit: str = ""
    ) -> float | None:
        """Return the time that a cell gives; one that gives none is noted."""
        text = text_of(cell)
        if not text or terms().present.get(key_of(text)) in ("na", "unannotated") or text in ("-", "–", "—"):
            return None
        clock = (
            Clock(unit, self.clock.three, self.clock.two, self.clock.fps, self.clock.decimal_comma)
            if unit
            else self.clock
        )
        try:
            value, how = seconds(cell, clock, start, shown)
        except CellError as error:
            self.notes.not_used(row, f"{where}: {error}", error.fix)
            return None
        if how != "seconds" or "," in text:
            self.notes.change(where, how if how != "seconds" else "decimal comma", "seconds", row)
        return value

    def _word(self, text: str, where: str, row: int) -> Said | None:
        """Return what a cell of one known word says; None if it is not one word, or an unknown one."""
        own = {word.strip().casefold(): meaning for word, meaning in self.mapping.values.items()}
        key = key_of(text)
        meaning: str | None = own.get(text.casefold())
        if meaning is None and _SIGNED.fullmatch(text):
            meaning = "unclear"
        if meaning is None and (meaning := terms().present.get(key)) and _DOUBT.search(text) and key != text:
            meaning = "unclear"
        if meaning is None and key not in terms().sides:
            return None
        if meaning is None:
            side = terms().sides[key]
            self.notes.change(where, text, f"yes, side {side}", row)
            return Said("yes", side=side)  # type: ignore[arg-type]
        if meaning == "unclear":
            self.notes.ask(
                f"values.{text}", f"{where!r}, row {row}: what does {text!r} mean for a feature?", *_CHOICES
            )
            return Said()
        if meaning != text:
            self.notes.change("features", text, meaning, row)
        return Said(withheld=True) if meaning == "unannotated" else Said(meaning)  # type: ignore[arg-type]

    def _time(self, cell: Cell, where: str, row: int, start: float | None) -> Said:
        value = self.seconds(cell, where, row, start)
        if value is None:
            return Said()
        self.notes.change(where, "a time alone", "yes, onset", row)
        return Said("yes", onset=value)

    def _span(self, span: tuple[str, str], text: str, where: str, row: int, start: float | None) -> Said:
        onset, offset = (self.seconds(part, where, row, start) for part in span)
        if onset is None:
            return Said()
        self.notes.change(where, "a span alone", "yes, onset and offset", row)
        return Said("yes", onset, offset)

    def _joined(self, text: str, where: str, row: int, start: float | None) -> Said | None:
        """Return what a cell of several parts says, such as ``ja (0:12-0:40), links``; None if a part is unclear."""
        present: str | None = None
        onset = offset = side = None
        if re.fullmatch(r"\d+\s?/\s?\d+", text):  # neither a time nor two
            return None
        parts = [part for part in re.split(r"[;()\[\]/]|,\s+|,(?=\D)|:\s", text) if part.strip()]
        if len(parts) == 1:
            parts = re.split(r"\s+(?=\S*\d)|(?<=[a-z])\s+(?=[a-z])", parts[0], maxsplit=1)
        for part in map(str.strip, parts if len(parts) > 1 else ()):
            key = key_of(part)
            if (span := span_parts(part)) is not None:
                onset, offset = (self.seconds(each, where, row, start) for each in span)
            elif is_time_like(part) or _NUMBER.fullmatch(part):
                onset = self.seconds(part, where, row, start)
            elif (word := terms().present.get(key)) in ("yes", "no", "na") and present is None:
                present = word
            elif key in terms().sides:
                side = terms().sides[key]
            else:
                return None
        if present is None and onset is None and side is None:
            return None
        taken = ", ".join(
            [
                present or "yes",
                *(["onset"] if onset is not None else []),
                *(["offset"] if offset is not None else []),
                *([f"side {side}"] if side else []),
            ]
        )
        self.notes.change(where, f"joined, such as {text!r}", taken, row)
        return Said(present or "yes", onset, offset, side)  # type: ignore[arg-type]


def ask_about_codes(cells: Iterable[tuple[Cell, str, int]], mapping: SheetMapping, notes: Notes) -> None:
    """Ask what numbers in the cells of features mean where 0 and 1 are not all there is.

    ``1`` alone means yes; beside ``2`` and without ``0`` it may as well be a code.
    """
    numbers: dict[str, tuple[str, int]] = {}
    for cell, where, row in cells:
        text = (
            "" if isinstance(cell, datetime.time | datetime.datetime | datetime.timedelta) else text_of(cell)
        )
        if _NUMBER.fullmatch(text):
            numbers.setdefault(text, (where, row))
    others = [text for text in numbers if text not in ("0", "1") and text not in mapping.values]
    if not others or mapping.numbers == "onset":
        return
    small = all(re.fullmatch(r"\d|9|99|999", text) for text in others)
    if not small and mapping.numbers is None:
        where, row = numbers[others[0]]
        notes.ask(
            "numbers",
            f"{where!r}, row {row}: the cells of features hold numbers such as {others[0]}. What are they?",
            ("onset", "seconds at which the feature begins"),
            ("codes", "codes, asked about one by one"),
        )
        return
    unsure = [
        *others,
        *(["1"] if "1" in numbers and "0" not in numbers and "1" not in mapping.values else []),
    ]
    for text in unsure:
        where, row = numbers[text]
        notes.ask(f"values.{text}", f"{where!r}, row {row}: what does the code {text} mean?", *_CHOICES)
