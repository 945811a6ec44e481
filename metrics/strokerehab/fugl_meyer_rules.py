"""From answers about a Fugl-Meyer item to its score 0, 1 or 2; None where no score follows.

A tree of short questions: of an item's questions in order the first that yields a score decides. Kinds of question:

===========  =================  ===========================================
kind         yes                no
===========  =================  ===========================================
gate         (go on)            0: the start position or the ability is not there
stays        (go on)            1: it does not stay as it should
deviation    1                  (go on)
fault        0                  (go on)
closing      2                  1
===========  =================  ===========================================

``rating`` is a score by itself. Under the ``paper`` profile a ``fault`` reads no as 0, as published (item 27).
Items 31 and 32 are rated window by window and averaged, 33 is timed from counted touches or from beginnings of
contact, 18 follows from 15 to 17.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import NamedTuple

from semiology.metrics.strokerehab.replies import Profile, read_count, read_score, read_yes_no

Score = int | None
KNEE_TOUCHES, NOSE_TOUCHES = 4, 5
"""So many touches of knee or nose end the five movements of item 33."""
SLOWER_2_S, SLOWER_6_S = 2.0, 6.0
"""Under the first the affected side scores 2, under the second 1, else 0."""
_YES_NO: Mapping[str, tuple[Score, Score]] = {
    "gate": (None, 0),
    "stays": (None, 1),
    "deviation": (1, None),
    "fault": (0, None),
    "closing": (2, 1),
}
"""Score for yes and for no; None: the next question decides."""


class TouchWindow(NamedTuple):
    """Touches counted in one window; None where the reply could not be read."""

    end_s: float
    knee: int | None
    nose: int | None


def answer_score(kind: str, reply: str | None, profile: Profile = "fixed") -> tuple[Score, bool]:
    """Return the score that a reply yields, if any, and whether the reply could be read.

    Args:
        kind: ``rating`` or one of the yes/no kinds.
        reply: as the model wrote it.
        profile: how it is read.
    """
    if kind == "rating":
        score = read_score(reply, profile)
        return score, score is not None
    said = read_yes_no(reply, profile)
    if said is None:
        return None, False
    yes, no = (None, 0) if kind == "fault" and profile == "paper" else _YES_NO[kind]
    return (yes if said else no), True


def item_score(answers: Sequence[tuple[str, str | None]], profile: Profile = "fixed") -> Score:
    """Return the score of an item: of its (kind, reply) in order, the first that yields one.

    >>> item_score([("gate", "yes"), ("deviation", "no"), ("closing", "yes")])
    2
    """
    for kind, reply in answers:
        score, _ = answer_score(kind, reply, profile)
        if score is not None:
            return score
    return None


def windowed_score(replies: Sequence[str | None], profile: Profile = "fixed") -> Score:
    """Return the mean rating over windows, rounded half up (31, 32); None if none could be read.

    >>> windowed_score(["2", "1", "no idea"])
    2
    """
    scores = [score for reply in replies if (score := read_score(reply, profile)) is not None]
    return math.floor(sum(scores) / len(scores) + 0.5) if scores else None


def touch_windows(
    ends: Sequence[float],
    knee: Sequence[str | None],
    nose: Sequence[str | None],
    profile: Profile = "fixed",
    *,
    contact: bool = False,
) -> list[TouchWindow]:
    """Return the touches read from replies, window by window.

    Args:
        ends: of the windows, s. knee, nose: the replies. profile: how they are read.
        contact: they say whether the finger is at the place (yes or no), not how often it touches it.
    """
    counts = [
        rising_edges([read_yes_no(reply, profile) for reply in replies])
        if contact
        else [read_count(reply, profile) for reply in replies]
        for replies in (knee, nose)
    ]
    return [TouchWindow(*window) for window in zip(ends, *counts, strict=True)]


def rising_edges(contacts: Sequence[bool | None]) -> list[int | None]:
    """Return the touches of each window from contacts: one where a contact begins, however long it lasts.

    Counted touches are found twice where one goes over the border of two windows, and in every window where the hand
    stays; beginnings of contact are not. A contact in the first window is the start position, not a touch; a window
    that could not be read is None and changes nothing.

    >>> rising_edges([True, False, True, True, None, False, True])
    [0, 0, 1, 0, None, 0, 1]
    """
    found: list[int | None] = []
    before = True
    for at in contacts:
        found.append(None if at is None else int(at and not before))
        before = before if at is None else at
    return found


def touched_again(windows: Sequence[TouchWindow]) -> tuple[int, int]:
    """Return in how many windows a touch is counted right after one of the same place, and in how many at all.

    The former may be the same touch counted twice.
    """
    again = touched = 0
    for place in ("knee", "nose"):
        counts = [getattr(window, place) or 0 for window in windows]
        touched += sum(count > 0 for count in counts)
        again += sum(count > 0 and before > 0 for before, count in pairwise(counts))
    return again, touched


def movement_time(windows: Sequence[TouchWindow], *, nose_only: bool = False) -> float | None:
    """Return when five movements are done: the end of the window in which knee or nose is touched often enough.

    Args:
        windows: in time order.
        nose_only: the variant in which touches of the knee do not count.

    None if that never happens.
    """
    knee = nose = 0
    for window in windows:
        knee += window.knee or 0
        nose += window.nose or 0
        if nose >= NOSE_TOUCHES or (knee >= KNEE_TOUCHES and not nose_only):
            return window.end_s
    return None


def time_score(affected_s: float | None, other_s: float | None) -> Score:
    """Return the score of item 33 from the times of both sides; None if one is unknown.

    >>> time_score(8.0, 5.0), time_score(6.9, 5.0), time_score(11.0, 5.0), time_score(None, 5.0)
    (1, 2, 0, None)
    """
    if affected_s is None or other_s is None:
        return None
    slower = affected_s - other_s
    return 2 if slower < SLOWER_2_S else 1 if slower < SLOWER_6_S else 0


def reflex_score(scores: Mapping[int, Score]) -> Score:
    """Return the score of item 18: only where 15 to 17 all have one; 2 if all are 2, else 0.

    >>> reflex_score({15: 2, 16: 2, 17: 2}), reflex_score({15: 2, 16: 2, 17: 1}), reflex_score({15: 2, 16: 2})
    (2, 0, None)
    """
    three = [scores.get(item) for item in (15, 16, 17)]
    if any(score is None for score in three):
        return None
    return 2 if all(score == 2 for score in three) else 0
