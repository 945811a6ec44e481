"""How a sheet writes its times, found out from the times themselves, the films and the starts of recordings."""

from __future__ import annotations

import datetime
import re
from collections.abc import Callable, Mapping, Sequence

from semiology.data.sheets.grid import Cell, text_of
from semiology.data.sheets.layout import Laid
from semiology.data.sheets.mapping import Notes, SheetMapping
from semiology.data.sheets.names import Film
from semiology.data.sheets.rows import Line
from semiology.data.sheets.times import Clock, groups_of, seconds, span_parts, time_of_day
from semiology.data.sheets.values import ask_about_codes
from semiology.data.tables.cells import CellError
from semiology.data.tables.consistency import OFFSET_TOLERANCE_S
from semiology.features import FEATURES

_LONGEST_S = 6 * 3600.0


def starts_of(laid: Laid, lines: Sequence[Line], notes: Notes) -> dict[str, float]:
    """Return the time of day at which recordings start, by their name in the sheet."""
    starts: dict[str, float] = {}
    for line in lines if "start_clock" in laid.columns else ():
        cell = laid.cell(line.row, "start_clock")
        if text_of(cell):
            try:
                starts.setdefault(line.video, time_of_day(cell))
            except CellError as error:
                notes.not_used(line.number, f"start of the recording: {error}", error.fix)
    return starts


def _time_roles(laid: Laid) -> list[str]:
    return [
        role
        for role in laid.columns
        if role.rpartition(".")[2] in ("onset", "offset", "span") or role in FEATURES
    ]


def time_choices(
    laid: Laid,
    lines: Sequence[Line],
    mapping: SheetMapping,
    notes: Notes,
    films: Mapping[str, Film],
    starts: Mapping[str, float],
) -> SheetMapping:
    """Return the mapping with how times are read where the sheet and the films tell; ask where they do not."""
    cells = [(line, laid.cell(line.row, role), role) for line in lines for role in _time_roles(laid)]
    parts = [(line, part, role) for line, cell, role in cells for part in _parts(cell)]
    lengths = {name: film.duration_s for name, film in films.items() if film.duration_s}
    update: dict[str, object] = {}
    rates = {round(film.fps, 3) for film in films.values() if film.fps}
    if mapping.times is None and (chosen := _three_groups(parts, lengths, starts, notes)):
        update["times"] = chosen
    framed = _counts_frames(laid, parts, mapping) or "mm:ss:ff" in (mapping.times, update.get("times"))
    if mapping.fps is None and len(rates) == 1 and framed:
        update["fps"] = rates.pop()
        notes.change("times", "frames", f"{update['fps']} frames per second, as the films have")
    elif mapping.fps is None and framed:
        notes.ask("fps", "Times count frames. How many frames per second? Answer with a number, such as 25.")
    _check_units(laid, lines, mapping, notes, lengths)
    codes = [
        (cell, laid.headings[laid.columns[role]], line.number)
        for line, cell, role in cells
        if role in FEATURES
    ]
    ask_about_codes(codes, mapping, notes)
    return mapping.model_copy(update=update)


def _parts(cell: Cell) -> list[Cell]:
    span = span_parts(cell) if isinstance(cell, str) else None
    return list(span) if span else [cell]


def _counts_frames(laid: Laid, parts: Sequence[tuple[Line, Cell, str]], mapping: SheetMapping) -> bool:
    return "frames" in (*laid.units.values(), *mapping.units.values()) or any(
        isinstance(cell, str) and re.fullmatch(r"\d{1,2}:\d{2}:\d{2}[:;]\d{2}", cell.strip())
        for _, cell, _ in parts
    )


def _three_groups(
    parts: Sequence[tuple[Line, Cell, str]],
    lengths: Mapping[str, float | None],
    starts: Mapping[str, float],
    notes: Notes,
) -> str:
    """Return what times of three groups mean, or an empty text; ask where several readings fit."""
    of_workbook = [cell for _, cell, _ in parts if isinstance(cell, datetime.time | datetime.datetime)]
    groups = [(line, each) for line, cell, _ in parts for each in groups_of([cell])[0]]
    if not groups and not (of_workbook and starts):
        return ""
    fits: dict[str, bool] = {}
    readings: dict[str, Callable[[int, int, int], float]] = {
        "h:mm:ss": lambda a, b, c: a * 3600 + b * 60 + c if c < 60 else 9 * _LONGEST_S,
        "mm:ss:ff": lambda a, b, c: a * 60 + b + c / 100 if c < 60 else 9 * _LONGEST_S,
        "mm:ss:cc": lambda a, b, c: a * 60 + b + c / 100,
    }
    for name, reading in readings.items():
        fits[name] = all(
            reading(*each) <= (lengths.get(line.video) or _LONGEST_S) + OFFSET_TOLERANCE_S
            for line, each in groups
        )
    if starts:
        inside = [
            0
            <= (a * 3600 + b * 60 + c - starts[line.video]) % 86400
            <= (lengths.get(line.video) or _LONGEST_S)
            for line, (a, b, c) in groups
            if line.video in starts
        ]
        if (all(inside) and (inside or of_workbook) and not fits["h:mm:ss"]) or (of_workbook and all(inside)):
            notes.change("times", "times of day", "seconds from the start of the recording")
            return "clock"
    shown = ":".join(f"{part:02d}" for part in groups[0][1]) if groups else "a clock time"
    if fits["h:mm:ss"] and all(each[0] == 0 for _, each in groups):
        notes.change("times", f"three groups, such as {shown}", "H:MM:SS (each begins with 0)")
        return "h:mm:ss"
    possible = [name for name, fit in fits.items() if fit]
    if len(possible) == 1 and lengths:
        notes.change(
            "times", f"three groups, such as {shown}", f"{possible[0].upper()}: no other fits the films"
        )
        return possible[0]
    told = {
        "h:mm:ss": "hours, minutes, seconds", "mm:ss:ff": "minutes, seconds, frames",
        "mm:ss:cc": "minutes, seconds, hundredths (or an empty third group)", "clock": "the time of day",
    }  # fmt: skip
    notes.ask(
        "times",
        f"Times have three groups, such as {shown}. What are they?",
        *((name, told[name]) for name in [*(possible or readings), *(["clock"] if starts else [])]),
    )
    return ""


def _check_units(
    laid: Laid,
    lines: Sequence[Line],
    mapping: SheetMapping,
    notes: Notes,
    lengths: Mapping[str, float | None],
) -> None:
    """Ask for the unit of numbers that cannot be seconds: they lie behind the end of the film, or of any."""
    for role, column in laid.columns.items():
        heading = laid.headings[column]
        if (
            role.rpartition(".")[2] not in ("onset", "offset")
            or column in laid.units
            or heading in mapping.units
        ):
            continue
        for line in lines:
            cell = laid.cell(line.row, role)
            try:
                value, how = seconds(cell, Clock()) if text_of(cell) else (0.0, "")
            except CellError:
                continue
            if how == "seconds" and value > (lengths.get(line.video) or _LONGEST_S) + OFFSET_TOLERANCE_S:
                length = lengths.get(line.video)
                notes.ask(
                    f"units.{heading}",
                    f"{heading!r}, row {line.number}: {value:g} would be "
                    + (
                        f"behind the end of the film ({length:g} s)"
                        if length
                        else "more than six hours in seconds"
                    )
                    + ". What are these numbers?",
                    ("s", "seconds after all: the row is wrong"),
                    ("ms", "milliseconds"),
                    ("frames", "frames"),
                    ("min", "minutes"),
                )
                break
