"""Sides and the region of onset of a simulated seizure, in the columns of an imported ``laterality.csv``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from semiology.data.simulated.script.events import Event
from semiology.data.simulated.script.script import ARM_SIGNS, SIMULTANEOUS_S, Script

_ONE_ARM = {"left": "left arm", "right": "right arm"}


def _arms(event: Event) -> str:
    return _ONE_ARM.get(str(event.side), "arms")


def _arm_or_body(event: Event) -> str:
    return _ONE_ARM.get(str(event.side), "full body")


# The region in which each feature of a seizure shows, in the words of the published S3 tables; a one-sided
# clonic or asynchronous movement shows mostly in the arm.
_REGION: dict[str, Callable[[Event], str]] = {
    "head_turning": lambda _: "head",
    "blank_stare": lambda _: "eyes",
    "close_eyes": lambda _: "eyes",
    "eye_blinking": lambda _: "eyes",
    "oral_automatisms": lambda _: "mouth",
    "face_pulling": lambda _: "face",
    "face_twitching": lambda _: "face",
    "arm_flexion": _arms,
    "arm_straightening": _arms,
    "arms_raised": _arms,
    "limb_automatisms": _arms,
    "clonic": _arm_or_body,
    "asynchronous_movement": _arm_or_body,
    "tonic": lambda _: "full body",
    "full_body_shaking": lambda _: "full body",
    "pelvic_thrusting": lambda _: "full body",
}
_WIDEST_FIRST = ("full body", "arms", "left arm", "right arm", "head", "face", "mouth", "eyes")


def laterality_row(video_id: str, script: Script) -> dict[str, str]:
    """Return one row of ``laterality.csv``: sides are the patient's own, times in seconds, empty = none.

    The side of arm movement is that of the arm which moves first as part of the seizure, from its first to
    its last feature; none if both arms begin within ``SIMULTANEOUS_S``. The onset region is where the first feature
    shows; of features that begin in the same tenth of a second the most extended one counts.
    """
    turn, arm = script.interval("head_turning"), leading_arm(script)
    return {
        "video_id": video_id,
        "head_turning_side": script.side("head_turning") or "" if turn else "",
        **_times("head_turning", turn),
        "arm_movement_side": arm or "",
        **_times("arm_movement", _arm_interval(script, arm) if arm else None),
        "onset_region": onset_region(script) or "",
    }


def leading_arm(script: Script) -> Literal["left", "right"] | None:
    """Return the arm that begins alone, or None (neither moves, or both begin together)."""
    left, right = script.arm_onset("left"), script.arm_onset("right")
    if left is None or right is None:
        return "left" if left is not None else "right" if right is not None else None
    if abs(left - right) <= SIMULTANEOUS_S:
        return None
    return "left" if left < right else "right"


def onset_region(script: Script) -> str | None:
    """Return the region of the first feature in the S3 vocabulary, or None if no feature is seen."""
    signs = [event for event in script.events if event.feature in _REGION]
    if not signs:
        return None
    first = min(event.onset_s for event in signs)
    regions = {_REGION[e.feature](e) for e in signs if round(e.onset_s - first, 3) < 0.1}
    return min(regions, key=_WIDEST_FIRST.index)


def _arm_interval(script: Script, arm: Literal["left", "right"]) -> tuple[float, float]:
    events = [e for e in script.events if e.feature in ARM_SIGNS and e.side in (arm, "both", None)]
    return min(e.onset_s for e in events), max(e.offset_s for e in events)


def _times(name: str, interval: tuple[float, float] | None) -> dict[str, str]:
    start, end = (f"{seconds:g}" for seconds in interval) if interval else ("", "")
    return {f"{name}_start_s": start, f"{name}_end_s": end}
