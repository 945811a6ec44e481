"""Where a hand is in the frames of a window, from keypoints, and how it moves: rules of the published state machine."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from semiology.enhancements.pose.keypoints import JOINT, Array, Detections

Movement = Literal["still", "moving", "fast", "unknown"]
Box = tuple[float, float, float, float]
BEYOND_WRIST = 1.75
"""The hand lies at the elbow plus so many times the way from elbow to wrist."""
LEAST_CONFIDENCE = 0.90
FAST_PX, MOVING_PX = 15.0, 3.0
"""Shift a frame from which a hand is fast, and from which it moves at all, px."""
FAST_FRAMES = 4
"""Windows of fewer frames are never called fast."""
CROP_PX = 224


@dataclass(frozen=True)
class HandTrack:
    """A hand through a film.

    Attributes:
        frames: numbers of the frames that were looked at, ascending.
        places: x and y of the hand in px, shape (K, 2); NaN where nobody was found.
        confidence: the lower of elbow's and wrist's, shape (K,); 0 where nobody was found.
    """

    frames: NDArray[np.int64]
    places: Array
    confidence: Array

    def at(self, numbers: Sequence[int]) -> tuple[Array, Array]:
        """Return places and confidence at frames: those of the nearest frame that was looked at."""
        wanted = np.asarray(numbers)
        if not len(self.frames):
            return np.full((len(wanted), 2), np.nan), np.zeros(len(wanted))
        right = np.clip(np.searchsorted(self.frames, wanted), 1, max(1, len(self.frames) - 1))
        left = right - 1
        right = np.minimum(right, len(self.frames) - 1)
        nearer = np.abs(self.frames[left] - wanted) <= np.abs(self.frames[right] - wanted)
        chosen = np.where(nearer, left, right)
        return self.places[chosen], self.confidence[chosen]


def hand_track(found: Detections, hand: str, box: Box | None = None) -> HandTrack:
    """Return the track of the left or right hand of one person.

    Args:
        found: everybody, frame by frame.
        hand: ``left`` or ``right``, the person's own.
        box: where the person is (x1, y1, x2, y2 in px); None: the largest person.
    """
    side = hand[0].upper()
    places, confidence = [], []
    for people in found.people:
        person = _chosen(people, box)
        if person is None:
            places.append((np.nan, np.nan))
            confidence.append(0.0)
            continue
        elbow, wrist = person[JOINT[f"{side}Elbow"]], person[JOINT[f"{side}Wrist"]]
        place = elbow[:2] + BEYOND_WRIST * (wrist[:2] - elbow[:2])
        places.append((float(place[0]), float(place[1])))
        confidence.append(float(min(elbow[2], wrist[2])))
    return HandTrack(found.frames, np.asarray(places, dtype=float).reshape(-1, 2), np.asarray(confidence))


def _chosen(people: Array, box: Box | None) -> Array | None:
    """Return the person most of whose joints lie in the box; the largest one without a box or with nobody in it."""
    best, most = None, -1.0
    for person in people:
        seen = person[person[:, 2] > 0, :2]
        if not len(seen):
            continue
        extent = float(np.prod(np.ptp(seen, axis=0)))
        inside = 0.0
        if box is not None:
            low, high = np.array(box[:2]), np.array(box[2:])
            inside = float(((seen >= low) & (seen <= high)).all(1).mean()) * 1e12
        if extent + inside > most:
            best, most = person, extent + inside
    return best


def movement(places: Array, confidence: Array, *, least: float = LEAST_CONFIDENCE) -> Movement:
    """Return how a hand moves from the first to the last frame of a window.

    ``unknown`` where either of these is less sure than ``least``.
    """
    if min(confidence[0], confidence[-1]) < least or not np.isfinite(places[[0, -1]]).all():
        return "unknown"
    steps = len(places) - 1
    shift = float(np.abs(places[-1] - places[0]).max())
    if len(places) >= FAST_FRAMES and shift >= FAST_PX * steps:
        return "fast"
    return "moving" if steps and shift >= MOVING_PX * steps else "still"


def crops(
    places: Array, how: Movement, size: tuple[int, int], side: int = CROP_PX
) -> list[tuple[int, int, int]]:
    """Return left, top and side of the square to show of each frame, within the picture.

    A fast hand is followed, from the first to the last place; otherwise the square stays at their mean.

    Args:
        places: of the hand, shape (T, 2). how: its movement.
        size: width and height of the picture, px. side: of the square.
    """
    side = min(side, *size)
    if how == "fast":
        centres = np.linspace(places[0], places[-1], len(places))
    else:
        centres = np.repeat([(places[0] + places[-1]) / 2], len(places), axis=0)
    low = np.clip(centres - side / 2, 0, np.asarray(size) - side).round().astype(int)
    return [(int(x), int(y), side) for x, y in low]


def largest_box(reply: str) -> Box | None:
    """Return the largest box of a reply that lists ``bbox_2d`` of four numbers; None if it cannot be read."""
    import json
    import re

    boxes: list[Box] = []
    for text in re.findall(r"\[[^\[\]]*\]", reply):
        try:
            numbers = json.loads(text)
        except ValueError:
            continue
        if len(numbers) == 4 and all(isinstance(number, int | float) for number in numbers):
            x1, y1, x2, y2 = map(float, numbers)
            if x2 > x1 and y2 > y1:
                boxes.append((x1, y1, x2, y2))
    return max(boxes, key=lambda box: (box[2] - box[0]) * (box[3] - box[1]), default=None)


def in_words(moves: Mapping[str, int]) -> str:
    """Return how many windows moved how, for a log."""
    return ", ".join(f"{name} {count}" for name, count in sorted(moves.items()))
