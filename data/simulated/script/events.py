"""What happens in a simulated recording: events with their times and sides."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Side = Literal["left", "right", "both"]


@dataclass(frozen=True)
class Event:
    """One thing that happens between ``onset_s`` and ``offset_s`` (seconds from the start of the recording).

    Attributes:
        feature: a feature's name, or a behaviour's (``scratch``, ``talk``, ``caregiver``, ``postictal``, ...).
        side: the patient's own side; ``both`` or None where the question does not arise.
        frequency_hz: of a repeated movement, else 0.
        amplitude: relative size, 1 is typical.
        seed: drives what the fields above leave open (the frequency of each limb, the phase).
    """

    feature: str
    onset_s: float
    offset_s: float
    side: Side | None = None
    frequency_hz: float = 0.0
    amplitude: float = 1.0
    seed: int = 0


ARM_FEATURES = frozenset({
    "arm_flexion", "arm_straightening", "arms_raised", "asynchronous_movement", "clonic", "full_body_shaking",
    "limb_automatisms",
})  # fmt: skip
"""Events that set an arm in motion as part of the seizure."""


def overlap_s(event: Event, start_s: float, end_s: float) -> float:
    """Return how much of an event falls between two times, in seconds."""
    return max(0.0, min(event.offset_s, end_s) - max(event.onset_s, start_s))
