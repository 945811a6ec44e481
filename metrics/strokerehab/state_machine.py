"""From what is known of each window (at rest? holding? moving?) to primitives: the published state machine's rules.

A window is *idle*, or active and *holding* something, or active and *empty*; active and empty is unresolved: a reach or
a reposition, by what follows. The post-processing works on halves of windows, because a border between rest and holding
must have a reach or a reposition in between.

Source: public repository of arXiv 2511.17727, its model ``qwen2_5_vl_prim``; rewritten from a description.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Literal

Word = Literal["idle", "reach", "reposition", "transport", "stabilize"]
Cell = Literal["idle", "hold", "open", "reach", "reposition", "transport", "stabilize"]
STABILIZE_WINDOWS = 2
"""A stabilize of fewer windows is kept only at the end of a hold."""
RELEASE_WINDOWS = 3
"""So near to its release a short stabilize still counts, in windows."""
_HALVES = 2


@dataclass(frozen=True)
class WindowState:
    """What is known of one window.

    Attributes:
        active: whether the hand does something.
        holding: whether it holds something.
        still: whether it stays in its place.
    """

    active: bool
    holding: bool
    still: bool


def word_of(state: WindowState) -> Cell:
    """Return a window's primitive, ``open`` where it is a reach or a reposition."""
    if not state.active:
        return "idle"
    if state.holding:
        return "stabilize" if state.still else "transport"
    return "open"


def without_postprocessing(states: Sequence[WindowState]) -> list[list[str]]:
    """Return the primitive of each window: an open one is a reach if a hold follows before the next rest.

    >>> rest, go = WindowState(False, False, True), WindowState(True, False, False)
    >>> hold = WindowState(True, True, False)
    >>> without_postprocessing([go, rest, go, hold])
    [['reposition'], ['idle'], ['reach'], ['transport']]
    """
    found: list[list[str]] = []
    hold_follows = False
    for state in reversed(states):
        word = word_of(state)
        if word == "open":
            found.append(["reach" if hold_follows else "reposition"])
            continue
        hold_follows = word != "idle"
        found.append([word])
    return found[::-1]


def with_postprocessing(states: Sequence[WindowState]) -> list[list[str]]:
    """Return the primitives of each window after smoothing, resolving, borders and stabilizing; one or two a window.

    >>> rest, hold = WindowState(False, False, True), WindowState(True, True, False)
    >>> with_postprocessing([rest, rest, hold, hold, rest])
    [['idle'], ['idle', 'reach'], ['reach', 'transport'], ['transport', 'reposition'], ['reposition', 'idle']]
    """
    filled = _filled(states)
    halves: list[Cell] = [_kind(state) for state in filled for _ in range(_HALVES)]
    halves = _with_borders(_resolved(halves))
    still = [state.still for state in filled for _ in range(_HALVES)]
    halves = _stabilized(halves, still)
    pairs = [halves[place : place + _HALVES] for place in range(0, len(halves), _HALVES)]
    return [[word for word, _ in groupby(pair)] for pair in pairs]


def _kind(state: WindowState) -> Cell:
    return "idle" if not state.active else "hold" if state.holding else "open"


def _filled(states: Sequence[WindowState]) -> list[WindowState]:
    """Return states in which a single window that differs from both neighbours is as they are."""
    found = list(states)
    for value in (True, False):
        found = [replace(state, active=value) if _alone(found, place, "active", value) else state
                 for place, state in enumerate(found)]  # fmt: skip
    found = [state if state.active else replace(state, holding=False) for state in found]
    for value in (True, False):
        found = [replace(state, holding=value) if state.active and _alone(found, place, "holding", value) else state
                 for place, state in enumerate(found)]  # fmt: skip
    return found


def _alone(states: Sequence[WindowState], place: int, name: str, value: bool) -> bool:
    """Whether a window lacks a value that both of its neighbours have."""
    if not 0 < place < len(states) - 1 or getattr(states[place], name) is value:
        return False
    return getattr(states[place - 1], name) is value and getattr(states[place + 1], name) is value


def _stretches(cells: Sequence[Cell]) -> Iterator[tuple[Cell, int, int]]:
    """Yield each stretch of equal cells with its first place and the place after its last."""
    place = 0
    for cell, group in groupby(cells):
        length = len(list(group))
        yield cell, place, place + length
        place += length


def _resolved(cells: Sequence[Cell]) -> list[Cell]:
    """Return cells with every open stretch resolved by what is around it."""
    found = list(cells)
    for cell, start, end in _stretches(cells):
        if cell != "open":
            continue
        before = cells[start - 1] if start else None
        after = cells[end] if end < len(cells) else None
        size = end - start
        first: Cell
        second: Cell
        if before is None and after is None:
            first = second = "idle"
        elif before == after == "idle":
            first, second = "reach", "reposition"
        elif before == after == "hold":
            first, second = "reposition", "reach"
        else:
            first = second = "reach" if after == "hold" else "reposition"
        words = [first] * (size // 2) + [second] * (size - size // 2)
        found[start:end] = words
    return found


def _with_borders(cells: Sequence[Cell]) -> list[Cell]:
    """Return cells with half a window of reach, or of reposition, on each side of a border of rest and hold."""
    found = list(cells)
    for place in range(1, len(cells)):
        pair = (cells[place - 1], cells[place])
        if pair == ("idle", "hold"):
            found[place - 1 : place + 1] = ["reach", "reach"]
        elif pair == ("hold", "idle"):
            found[place - 1 : place + 1] = ["reposition", "reposition"]
    return found


def _stabilized(cells: Sequence[Cell], still: Sequence[bool]) -> list[Cell]:
    """Return cells in which holds are transports, and those that stay in their place long enough stabilizes."""
    found = list(cells)
    for cell, start, end in _stretches(cells):
        if cell == "hold":
            found[start:end] = _one_hold(still[start:end])
    return found


def _one_hold(still: Sequence[bool]) -> list[Cell]:
    words: list[Cell] = ["transport"] * len(still)
    size = len(still)
    for value, start, end in _stretches_of(still):
        if not value:
            continue
        if end - start >= STABILIZE_WINDOWS * _HALVES:
            words[start:end] = ["stabilize"] * (end - start)
        elif size - end < RELEASE_WINDOWS * _HALVES:
            last = max(0, size - _HALVES)
            words[last:] = ["stabilize"] * (size - last)
            before = [place for place in range(last) if words[place] == "stabilize"]
            if before and last - before[-1] - 1 < _HALVES:
                words[before[-1] : last] = ["stabilize"] * (last - before[-1])
    return words


def _stretches_of(values: Sequence[bool]) -> Iterator[tuple[bool, int, int]]:
    place = 0
    for value, group in groupby(values):
        length = len(list(group))
        yield value, place, place + length
        place += length
