"""Sides and the region of onset of a simulated seizure, in the columns of an imported ``laterality.csv``."""

from __future__ import annotations

from typing import Literal

from semiology.data.simulated.script.events import ARM_FEATURES, Event
from semiology.data.simulated.script.script import SIMULTANEOUS_S, Script
from semiology.features import BY_NAME

_ONE_ARM = {"left": "left arm", "right": "right arm"}


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
    shown = [(event.onset_s, region) for event in script.events if (region := _region(event))]
    if not shown:
        return None
    first = min(onset for onset, _ in shown)
    return min((region for onset, region in shown if round(onset - first, 3) < 0.1), key=_WIDEST_FIRST.index)


def _region(event: Event) -> str | None:
    """Return where an event of a seizure shows, in the words of the published S3 tables.

    A one-sided clonic or asynchronous movement shows mostly in the arm.
    """
    record = BY_NAME.get(event.feature)
    region = "arm" if event.feature == "arms_raised" else record.region if record else None
    if region in ("arm", "arm or body"):
        return _ONE_ARM.get(str(event.side), "arms" if region == "arm" else "full body")
    return region


def _times(name: str, interval: tuple[float, float] | None) -> dict[str, str]:
    start, end = (f"{seconds:g}" for seconds in interval) if interval else ("", "")
    return {f"{name}_start_s": start, f"{name}_end_s": end}
