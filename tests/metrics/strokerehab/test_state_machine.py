"""From states of windows to primitives: each rule of the published state machine by an example worked out by hand."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from semiology.metrics.strokerehab.state_machine import (
    WindowState,
    with_postprocessing,
    without_postprocessing,
)
from semiology.strokerehab import PRIMITIVES

STATES = {
    "i": WindowState(active=False, holding=False, still=True),
    "o": WindowState(active=True, holding=False, still=False),
    "h": WindowState(active=True, holding=True, still=False),
    "s": WindowState(active=True, holding=True, still=True),
}
SHORT = {"idle": "I", "reach": "R", "reposition": "P", "transport": "T", "stabilize": "S"}


def halves(text: str) -> str:
    """Return the halves of windows: a window with one word has it twice."""
    found = with_postprocessing([STATES[letter] for letter in text])
    return "".join("".join(SHORT[word] for word in words) * (2 // len(words)) for words in found)


def test_without_postprocessing_an_open_window_looks_ahead_to_the_next_rest() -> None:
    words = without_postprocessing([STATES[letter] for letter in "iohoisoos"])
    assert [word for (word,) in words] == [
        "idle", "reach", "transport", "reposition", "idle", "stabilize", "reach", "reach", "stabilize",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("states", "expected"),
    [
        ("oo", "IIII"),  # nothing around it
        ("iooii", "IIRRPPIIII"),  # rest on both sides: there and back
        ("hhoohh", "TTTTPPRRTTTT"),  # hold on both sides: puts down, takes again
        ("iohh", "IIRRTTTT"),  # before a hold
        ("hhoi", "TTTTPPII"),  # after a hold
        ("ooii", "PPPPIIII"),  # from the beginning to a rest
        ("oohh", "RRRRTTTT"),  # from the beginning to a hold
        ("hhoo", "TTTTPPPP"),  # to the end
        ("iihh", "IIIRRTTT"),  # a direct border: half a window on each side
        ("hhii", "TTTPPIII"),
        ("iihii", "IIIIIIIIII"),  # a single active window among rest is rest
        ("hhihhhhh", "TTTTTTTTTTTTTTTT"),  # a single rest among action is action, and then hold
        ("hhohh", "TTTTTTTTTT"),  # a single empty window within a hold
        ("sshsi", "SSSSSSSPPI"),  # half a window between a stabilize and a short one at the release
        ("oohoo", "IIIIIIIIII"),  # a single hold within empty ones, and then nothing around
    ],
)
def test_postprocessing(states: str, expected: str) -> None:
    assert halves(states) == expected


@pytest.mark.parametrize(
    ("states", "expected"),
    [
        ("hsshhhhh", "TTSSSSTTTTTTTTTT"),  # two windows are kept
        ("hshhhhhh", "TTTTTTTTTTTTTTTT"),  # one, far from the release, is none
        ("hhhhshhh", "TTTTTTTTTTTTTTTT"),  # three whole windows before the release
        ("hhhhhshh", "TTTTTTTTTTTTTTSS"),  # near the release it makes the last window stabilize
        ("hhhhhhhs", "TTTTTTTTTTTTTTSS"),
        ("hhsshhsh", "TTTTSSSSTTTTTTSS"),
        ("hhhhsshs", "TTTTTTTTSSSSTTSS"),
    ],
)
def test_stabilize(states: str, expected: str) -> None:
    assert halves(states) == expected


@given(st.text("iohs", min_size=0, max_size=30))
def test_every_window_gets_one_or_two_primitives(states: str) -> None:
    for resolve in (with_postprocessing, without_postprocessing):
        found = resolve([STATES[letter] for letter in states])
        assert len(found) == len(states)
        assert all(1 <= len(words) <= 2 and set(words) <= set(PRIMITIVES) for words in found)
