"""Sides and the region of onset of a simulated seizure, in the columns of an imported ``laterality.csv``."""

from __future__ import annotations

from typing import Literal

from semiology.data.simulated.script.events import ARM_FEATURES, Event
from semiology.data.simulated.script.script import SIMULTANEOUS_S, Script

_ONE_ARM = {"left": "left arm", "right": "right arm"}


# The region in which each feature of a seizure shows, in the words of the published S3 tables. Of the features of
# ``_IN_ONE_ARM`` it is that arm where they are one-sided (a clonic movement shows mostly in the arm).
_REGION = {
    "head_turning": "head", "blank_stare": "eyes", "close_eyes": "eyes", "eye_blinking": "eyes",
    "oral_automatisms": "mouth", "face_pulling": "face", "face_twitching": "face",
    "arm_flexion": "arms", "arm_straightening": "arms", "arms_raised": "arms", "limb_automatisms": "arms",
    "clonic": "full body", "asynchronous_movement": "full body", "tonic": "full body",
    "full_body_shaking": "full body", "pelvic_thrusting": "full body",
}  # fmt: skip
_IN_ONE_ARM = ARM_FEATURES - {"full_body_shaking"}
_WIDEST_FIRST = ("full body", "arms", "left arm", "right arm", "head", "face", "mouth", "eyes")


def laterality_row(video_id: str, script: Script) -> dict[str, str]:
    """Return one row of ``laterality.csv``: sides are the patient's own, times in seconds, empty = none.

    The side of arm movement is that of the arm which moves first as part of the seizure, from its first to
    its last feature; none if both arms begin within ``SIMULTANEOUS_S``. The onset region is where the first feature
    shows; of features that begin in the same tenth of a second the most extended one counts.
    """
    turn, arm, moves = script.interval("head_turning"), leading_arm(script), None
    if arm:
        events = [e for e in script.events if e.feature in ARM_FEATURES and e.side in (arm, "both", None)]
        moves = min(e.onset_s for e in events), max(e.offset_s for e in events)
    return {
        "video_id": video_id,
        "head_turning_side": script.side("head_turning") or "" if turn else "",
        **_times("head_turning", turn),
        "arm_movement_side": arm or "",
        **_times("arm_movement", moves),
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
    shown = [event for event in script.events if event.feature in _REGION]
    if not shown:
        return None
    first = min(event.onset_s for event in shown)
    regions = {_region(event) for event in shown if round(event.onset_s - first, 3) < 0.1}
    return min(regions, key=_WIDEST_FIRST.index)


def _region(event: Event) -> str:
    if event.feature in _IN_ONE_ARM and event.side in _ONE_ARM:
        return _ONE_ARM[event.side]
    return _REGION[event.feature]


def _times(name: str, interval: tuple[float, float] | None) -> dict[str, str]:
    start, end = (f"{seconds:g}" for seconds in interval) if interval else ("", "")
    return {f"{name}_start_s": start, f"{name}_end_s": end}
