"""What a reply of a model says, under two profiles.

``paper`` reads replies as the published study did, to compare with it; ``fixed`` (the default everywhere else) corrects
what is wrong there: "no" inside "know", the first of two final lines, a digit of "0 degrees" as a score.
A reply that cannot be read is None and counted; what it then counts as is said with each task.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from semiology.strokerehab import PRIMITIVES

Profile = Literal["fixed", "paper"]
PROFILES: tuple[Profile, ...] = ("fixed", "paper")

_WORD = re.compile(r"[a-z]+")
_PRIMITIVE = re.compile(rf"\b({'|'.join(PRIMITIVES)})\b", re.IGNORECASE)
_FINAL_ANSWER = re.compile(r"FINAL[_ ]ANSWER\s*\**\s*:\s*(.*)", re.IGNORECASE)
_FINAL_SCORE = re.compile(r"FINAL[_ ]SCORE\s*\**\s*:\s*\**\s*<?\s*(-?\d+(?:\.\d+)?)", re.IGNORECASE)
_PAPER_SCORE = re.compile(r"FINAL_SCORE:\s*([0-2])(?!\d)")
_LONE_DIGIT = re.compile(r"\b([0-2])\b")
_ONLY_NUMBER = re.compile(r"[\s*\"'(]*(\d+)[\s*\"').]*")
_PRIMITIVES = "PRIMITIVES: "
_EDGES = " \t*_`\"'“”‘’.,;:!<>[]()"


def read_yes_no(reply: str | None, profile: Profile = "fixed") -> bool | None:
    """Return what a reply to a yes/no question says; None if it says neither.

    ``fixed``: the first word decides; if it is neither, a whole word "yes" or "no" decides where only one of them
    stands there. ``paper``: "yes" anywhere is yes, and everything else, an empty reply included, is no.

    >>> read_yes_no("YES."), read_yes_no("I do not know"), read_yes_no("I do not know", "paper")
    (True, None, False)
    """
    text = (reply or "").lower()
    if profile == "paper":
        return "yes" in text
    words: list[str] = _WORD.findall(text)
    if words and words[0] in ("yes", "no"):
        return words[0] == "yes"
    said = {word for word in words if word in ("yes", "no")}
    return "yes" in said if len(said) == 1 else None


def read_primitives(reply: str | None) -> list[str]:
    """Return every whole word that names a primitive, in order; [] if there is none.

    A cut word ("TRAN") is none. Both profiles read lists alike.

    >>> read_primitives("REACH, TRANSPORT, TRAN")
    ['reach', 'transport']
    """
    return [word.lower() for word in _PRIMITIVE.findall(reply or "")]


@dataclass(frozen=True)
class OneWord:
    """The primitive in a reply that should hold one.

    Attributes:
        primitives: what counts: at most one under ``fixed``, all under ``paper``.
        several: whether the reply names more than one.
    """

    primitives: tuple[str, ...]
    several: bool


def read_one_primitive(reply: str | None, profile: Profile = "fixed") -> OneWord:
    """Return the primitive of a reply; of several the first, as published all of them."""
    words = read_primitives(reply)
    several = len(words) > 1
    return OneWord(tuple(words if profile == "paper" else words[:1]), several)


def read_activity(reply: str | None, classes: Sequence[str], profile: Profile = "fixed") -> str | None:
    """Return the activity in the line ``FINAL_ANSWER: <activity>``, in lower case; None if it names none of them.

    ``fixed`` reads the last such line, since a model may repeat the instruction, ``paper`` the first.

    >>> read_activity("FINAL_ANSWER: <activity>. FINAL_ANSWER: Face wash.", ["face wash"])
    'face wash'
    """
    # A reply may hold two final answers on one line.
    lines = [part for part in re.split(r"(?i)(?=FINAL[_ ]ANSWER)", reply or "") if part]
    answers = [
        found[1].splitlines()[0] if found[1] else "" for part in lines if (found := _FINAL_ANSWER.match(part))
    ]
    if not answers:
        return None
    chosen = answers[0] if profile == "paper" else answers[-1]
    name = " ".join(chosen.strip(_EDGES).lower().split())
    return name if name in classes else None


def read_score(reply: str | None, profile: Profile = "fixed") -> int | None:
    """Return the item score 0, 1 or 2 in a reply; None if there is none.

    ``fixed``: the last ``FINAL_SCORE: <n>``, or a reply that is one number and nothing else; out of 0 to 2 is None.
    ``paper``: the first ``FINAL_SCORE`` of 0 to 2, else the first lone digit 0, 1 or 2 anywhere.

    >>> read_score("FINAL_SCORE: 3"), read_score("0 degrees"), read_score("0 degrees", "paper"), read_score("2.")
    (None, None, 0, 2)
    """
    text = reply or ""
    if profile == "paper":
        found = _PAPER_SCORE.search(text) or _LONE_DIGIT.search(text)
        return int(found[1]) if found else None
    number = _last_number(text)
    return int(number) if number in (0.0, 1.0, 2.0) else None


def read_count(reply: str | None, profile: Profile = "fixed") -> int | None:
    """Return a count of touches in a reply; None if there is none.

    ``fixed``: any whole number of at least 0 in the last ``FINAL_SCORE``, or alone. ``paper``: as a score, so that
    counts above 2 after ``FINAL_SCORE`` vanish.
    """
    if profile == "paper":
        return read_score(reply, profile)
    number = _last_number(reply or "")
    return int(number) if number is not None and number >= 0 and number == int(number) else None


def _last_number(text: str) -> float | None:
    finals = _FINAL_SCORE.findall(text)
    if finals:
        return float(finals[-1])
    alone = _ONLY_NUMBER.fullmatch(text)
    return float(alone[1]) if alone else None


def state_machine_reply(primitives: Sequence[str]) -> str:
    """Return the reply of a wrapper that finds primitives itself: ``PRIMITIVES: idle, reach``."""
    return _PRIMITIVES + ", ".join(primitives)


def read_state_machine(reply: str | None) -> list[str] | None:
    """Return the primitives of a wrapper's reply; None for a reply of a plain model."""
    text = reply or ""
    return read_primitives(text.removeprefix(_PRIMITIVES)) if text.startswith(_PRIMITIVES) else None
