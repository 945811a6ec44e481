"""The partial skeleton: limb joints and the lines between them, drawn on a picture in YUV 4:2:0.

The EMBC study superimposed the "key limb joints" (section II-C) and lists none; these are shoulder, elbow,
wrist, hip, knee and ankle of both sides, with a thin line for the trunk. Face, hands and feet are not drawn:
what their features ask about must not be hidden.
"""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from semiology.enhancements.pose.keypoints import JOINT, Array
from semiology.enhancements.video.writing import Planes

LIMB_JOINTS = tuple(
    f"{side}{part}" for part in ("Shoulder", "Elbow", "Wrist", "Hip", "Knee", "Ankle") for side in "RL"
)
RIGHT, LEFT, TRUNK = (255, 140, 30), (60, 170, 255), (235, 235, 235)
"""RGB of the patient's right (orange), left (blue) and of the trunk (white)."""
BONES = (
    ("Neck", "MidHip", TRUNK), ("RShoulder", "LShoulder", TRUNK), ("RHip", "LHip", TRUNK),
    ("RHip", "RKnee", RIGHT), ("RKnee", "RAnkle", RIGHT), ("LHip", "LKnee", LEFT), ("LKnee", "LAnkle", LEFT),
    ("RShoulder", "RElbow", RIGHT), ("RElbow", "RWrist", RIGHT),
    ("LShoulder", "LElbow", LEFT), ("LElbow", "LWrist", LEFT),
)  # fmt: skip

_SHIFT = 4
_EDGE_LUMA = 16


def draw_skeleton(planes: Planes, points: Array, shown: NDArray[np.bool_]) -> None:
    """Draw bones and joints onto a picture, in place; widths follow the picture's height.

    Args:
        planes: the picture.
        points: (19, 2) x and y in px.
        shown: (19,) which joints may be drawn; a bone needs both its ends.
    """
    height = planes.y.shape[0]
    thick = max(2, round(height / 160))
    for first, second, colour in BONES:
        ends = [JOINT[first], JOINT[second]]
        if shown[ends].all():
            _line(planes, points[ends], colour, thick if colour is not TRUNK else max(1, thick // 2))
    for name in LIMB_JOINTS:
        if shown[JOINT[name]]:
            _dot(planes, points[JOINT[name]], RIGHT if name[0] == "R" else LEFT, thick)


def _line(planes: Planes, ends: Array, colour: tuple[int, int, int], thick: int) -> None:
    luma, blue, red = _yuv(colour)
    (x0, y0), (x1, y1) = _fixed(ends)
    start, stop = (x0, y0), (x1, y1)
    cv2.line(planes.y, start, stop, _EDGE_LUMA, thick + 2, cv2.LINE_AA, _SHIFT)
    cv2.line(planes.y, start, stop, luma, thick, cv2.LINE_AA, _SHIFT)
    # Colours have half the resolution, their pixels half-way between those of brightness.
    start, stop = (x0 // 2, y0 // 2), (x1 // 2, y1 // 2)
    for plane, value in ((planes.u, blue), (planes.v, red)):
        cv2.line(plane, start, stop, value, max(1, thick // 2 + 1), cv2.LINE_AA, _SHIFT)


def _dot(planes: Planes, spot: Array, colour: tuple[int, int, int], thick: int) -> None:
    luma, blue, red = _yuv(colour)
    ((x, y),) = _fixed(spot[None])
    radius = round((0.9 * thick + 1) * (1 << _SHIFT))
    cv2.circle(planes.y, (x, y), radius + (1 << _SHIFT), _EDGE_LUMA, -1, cv2.LINE_AA, _SHIFT)
    cv2.circle(planes.y, (x, y), radius, luma, -1, cv2.LINE_AA, _SHIFT)
    for plane, value in ((planes.u, blue), (planes.v, red)):
        cv2.circle(plane, (x // 2, y // 2), radius // 2, value, -1, cv2.LINE_AA, _SHIFT)


def _fixed(points: Array) -> list[tuple[int, int]]:
    """Return points in sixteenths of a px."""
    return [(int(x), int(y)) for x, y in np.round(points * (1 << _SHIFT))]


@lru_cache(maxsize=8)
def _yuv(colour: tuple[int, int, int]) -> tuple[int, int, int]:
    """Return a colour in limited-range BT.709; 601 and full range differ too little to matter in a mark."""
    red, green, blue = colour
    light = 0.2126 * red + 0.7152 * green + 0.0722 * blue
    return (
        round(16 + 219 / 255 * light),
        round(128 + 224 / 255 * (blue - light) / 1.8556),
        round(128 + 224 / 255 * (red - light) / 1.5748),
    )
