"""The rules of the state machine once more, on texts: one letter for each half of a window, replaced by patterns."""

from __future__ import annotations

import re
from itertools import groupby, product

import pytest

from semiology.metrics.strokerehab.state_machine import (
    WindowState,
    with_postprocessing,
    without_postprocessing,
    word_of,
)

STATES = {
    "i": WindowState(active=False, holding=False, still=True),
    "o": WindowState(active=True, holding=False, still=False),
    "h": WindowState(active=True, holding=True, still=False),
    "s": WindowState(active=True, holding=True, still=True),
}
WORDS = {"I": "idle", "R": "reach", "P": "reposition", "T": "transport", "S": "stabilize"}


def smoothed(text: str) -> str:
    """Return windows, of which a single one that differs from both neighbours is as they are."""
    for lone, around in (("i", "[ohs]"), ("[ohs]", "i")):
        places = [m.start() + 1 for m in re.finditer(f"(?=({around}{lone}{around}))", text)]
        for place in places:
            # A rest within action is active without holding, action within rest is rest.
            changed = "o" if lone == "i" else "i"
            # Whether it stays in its place is as it was: a rest does ("O": active, empty and still).
            text = text[:place] + ("O" if changed == "o" else "i") + text[place + 1 :]
    for lone, around in (("[oO]", "[hs]"), ("[hs]", "[ioO]")):
        for place in [m.start() + 1 for m in re.finditer(f"(?=({around}{lone}{around}))", text)]:
            swap = {"o": "h", "O": "s", "h": "o", "s": "O"}
            text = text[:place] + swap[text[place]] + text[place + 1 :]
    return text


def opened(match: re.Match[str]) -> str:
    """Return an open stretch of halves with the word that its neighbours ask for."""
    size, whole = len(match[0]), match.string
    before = whole[match.start() - 1] if match.start() else ""
    after = whole[match.end()] if match.end() < len(whole) else ""
    first, second = {
        ("", ""): "II", ("I", "I"): "RP", ("H", "H"): "PR", ("S", "S"): "PR", ("H", "S"): "PR", ("S", "H"): "PR",
    }.get((before, after), "RR" if after in ("H", "S") else "PP")  # fmt: skip
    return first * (size // 2) + second * (size - size // 2)


def held(match: re.Match[str]) -> str:
    """Return a hold of halves: H moves, S stays in its place."""
    found = ["T"] * len(match[0])
    for stay in re.finditer("S+", match[0]):
        if len(stay[0]) >= 4:
            found[stay.start() : stay.end()] = "S" * len(stay[0])
        elif len(found) - stay.end() < 6:
            found[-2:] = "S" * len(found[-2:])
            earlier = [place for place, letter in enumerate(found[:-2]) if letter == "S"]
            if earlier and len(found) - 2 - earlier[-1] <= 2:
                found[earlier[-1] : -2] = "S" * (len(found) - 2 - earlier[-1])
    return "".join(found)


def by_patterns(windows: str) -> str:
    letters = {"i": "I", "o": "O", "O": "O", "h": "H", "s": "S"}
    halves = "".join(letters[window] * 2 for window in smoothed(windows))
    halves = re.sub("O+", opened, halves)
    borders = [
        (m.start(), "RR" if m[1][0] == "I" else "PP") for m in re.finditer("(?=(I[HS]|[HS]I))", halves)
    ]
    for place, words in borders:
        halves = halves[:place] + words + halves[place + 2 :]
    return re.sub("[HS]+", held, halves)


@pytest.mark.parametrize("length", range(1, 7))
def test_postprocessing_of_every_short_sequence_is_that_of_patterns(length: int) -> None:
    for letters in product("iohs", repeat=length):
        windows = "".join(letters)
        found = with_postprocessing([STATES[letter] for letter in windows])
        halves = by_patterns(windows)
        pairs = [halves[place : place + 2] for place in range(0, 2 * length, 2)]
        wanted = [[WORDS[letter] for letter, _ in groupby(pair)] for pair in pairs]
        assert found == wanted, (windows, halves)


LONG = (
    "hshshsss iisshhshssii oosshhhhhshs hhhhhhsshs iissssoohhshhiisso hsshhhhhhssh shshhhhhsshhhhsi isssihhshi "
    "hhhsshhhhshh sshhhhs ssshhhhsh ohhohohhohoi ihihihi sisisohohsi hhhhhssihhsi"
)


@pytest.mark.parametrize("windows", LONG.split())
def test_postprocessing_of_longer_sequences_is_that_of_patterns(windows: str) -> None:
    found = with_postprocessing([STATES[letter] for letter in windows])
    halves = by_patterns(windows)
    assert ["".join(word) for word in found] == [
        "".join(WORDS[letter] for letter, _ in groupby(halves[2 * n : 2 * n + 2]))
        for n in range(len(windows))
    ], halves


def test_an_open_window_is_a_reach_where_a_hold_comes_before_the_next_rest() -> None:
    for letters in product("iohs", repeat=5):
        windows = "".join(letters)
        found = without_postprocessing([STATES[letter] for letter in windows])
        for place, letter in enumerate(windows):
            ahead = re.match("o*([hs])", windows[place:])
            word = {"i": "idle", "h": "transport", "s": "stabilize", "o": "reach" if ahead else "reposition"}[
                letter
            ]
            assert found[place] == [word], windows
    assert [word_of(STATES[letter]) for letter in "iohs"] == ["idle", "open", "transport", "stabilize"]
