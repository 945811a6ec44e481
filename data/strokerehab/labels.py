"""Read the label file of a video: one row per frame with the marker that is active, of one hand.

The marker names the side (prefix ``l_`` or ``r_``, or ``_l_`` or ``_r_`` inside) and the primitive, among sub-types
such as ``transport_prox``. The hand is the side with more rows, of a tie the right one; the other side's rows are
dropped.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from statistics import median
from typing import Literal

from semiology.data.problems import Problem
from semiology.data.tables.cells import day_fraction_s, plain_number
from semiology.data.tables.csv_tables import check_columns, closest, read_table
from semiology.strokerehab import Run

Hand = Literal["left", "right"]
TIME, MARKER, ROUNDED = "time_s", "markernames", "time_s (rounded)"
MARKERS = (
    ("reach", "reach"),
    ("reposition", "reposition"),
    ("retract", "reposition"),
    ("transport", "transport"),
    ("stabilize", "stabilize"),
    ("idle", "idle"),
    ("rest", "idle"),
)
"""What a marker must hold, and the primitive that it means; the first that matches."""
GAP = 3.0
"""Rows further apart than so many usual steps have a gap between them."""
_SIDE = re.compile(r"(?:^|_)([lr])_")


@dataclass(frozen=True)
class Labels:
    """The labels of one video.

    Attributes:
        hand: whose movements are labelled.
        runs: merged runs in order; the last ends with the file.
        rows: rows of this hand.
        other_rows: rows of the other hand, which are dropped.
        unread: rows of this hand whose marker names no primitive, by marker.
        sideless: rows whose marker names no side, which are left out, by marker.
        gaps: stretches without a row, as (start, end) in seconds; the label before them goes on.
        problems: what is wrong with the file; with any, ``runs`` may be empty.
    """

    hand: Hand
    runs: tuple[Run, ...]
    rows: int
    other_rows: int
    unread: dict[str, int]
    gaps: tuple[tuple[float, float], ...]
    problems: tuple[Problem, ...]
    sideless: dict[str, int] = field(default_factory=dict)


def primitive_of(marker: str) -> str | None:
    """Return the primitive that a marker names, None for none.

    >>> primitive_of("r_retract"), primitive_of("l_transport_prox"), primitive_of("r_wave")
    ('reposition', 'transport', None)
    """
    text = marker.lower()
    return next((primitive for word, primitive in MARKERS if word in text), None)


def side_of(marker: str) -> Hand | None:
    """Return the hand that a marker belongs to, None if it names none."""
    found = _SIDE.search(marker.lower())
    return None if found is None else "left" if found[1] == "l" else "right"


def read_labels(path: Path, name: str | None = None) -> Labels:
    """Read a label file. Never raises for bad content: see ``Labels.problems``.

    Args:
        path: CSV with the columns ``Time_s`` and ``MarkerNames``.
        name: how the file is called in messages.
    """
    table = read_table(path, name)
    problems = list(table.problems)
    if table.columns:
        problems += check_columns(table, (TIME, MARKER), (ROUNDED,))[0]
    times: list[float] = []
    kept: list[tuple[float, str, Hand]] = []
    sideless: Counter[str] = Counter()
    for row in table.rows if not problems else []:
        time = plain_number(row[TIME], decimal_comma=table.delimiter != ",", exponent=True)
        if time is None or time < (times[-1] if times else 0.0):
            what = "is no number" if time is None else f"comes after {times[-1] if times else 0:g} s"
            fix = "times are seconds from the first frame, ascending"
            problems.append(Problem(table.file, row.number, f"Time_s {row[TIME]!r} {what}", fix))
            break
        times.append(time)
        side = side_of(row[MARKER])
        if side is not None:
            kept.append((time, row[MARKER], side))
        elif row[MARKER]:
            sideless[row[MARKER]] += 1
    if _fractions_of_a_day(row[TIME] for row in table.rows):
        message = (
            f"every Time_s, such as {table.rows[-1][TIME]}, looks like a spreadsheet's fraction of a day"
        )
        problems.append(Problem(table.file, None, message, "format the column as a number of seconds"))
    rows = Counter(side for _, _, side in kept)
    hand: Hand = "left" if rows["left"] > rows["right"] else "right"
    if times and not kept:
        message = f"no marker names a side, as in {_example(table.rows[0][MARKER])}"
        problems.append(Problem(table.file, 2, message, "write l_reach or r_reach"))
    own = [(time, marker) for time, marker, side in kept if side == hand]
    unread = Counter(marker for _, marker in own if primitive_of(marker) is None)
    return Labels(
        hand=hand,
        runs=_runs(own, times[-1]) if own and not problems else (),
        rows=rows[hand],
        other_rows=rows["left" if hand == "right" else "right"],
        unread=dict(unread),
        gaps=_gaps(times),
        problems=tuple(problems),
        sideless=dict(sideless),
    )


def _fractions_of_a_day(times: Iterable[str]) -> bool:
    """Return whether all times but zeros are such fractions, two or more."""
    given = [text for text in times if plain_number(text, exponent=True)]
    return len(given) > 1 and all(day_fraction_s(text) is not None for text in given)


def _example(marker: str) -> str:
    near = closest(marker, [word for word, _ in MARKERS])
    return f"{marker!r}" + (f" (r_{near}?)" if near else "")


def _runs(rows: list[tuple[float, str]], end_s: float) -> tuple[Run, ...]:
    """Return merged runs: each ends where the next begins, the last at the file's last time."""
    starts: list[tuple[float, str]] = []
    for time, marker in rows:
        primitive = primitive_of(marker)
        if primitive is not None and (not starts or starts[-1][1] != primitive):
            starts.append((time, primitive))
    ends = [*(time for time, _ in starts[1:]), end_s]
    return tuple(Run(primitive, start, end) for (start, primitive), end in zip(starts, ends, strict=True))


def _gaps(times: list[float]) -> tuple[tuple[float, float], ...]:
    steps = [later - earlier for earlier, later in pairwise(times)]
    usual = median([step for step in steps if step > 0] or [math.inf])
    return tuple((earlier, later) for earlier, later in pairwise(times) if later - earlier > GAP * usual)
