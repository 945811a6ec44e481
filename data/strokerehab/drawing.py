"""Draw a person at a table: two arms with square hands, an object, and what an activity needs. No person is filmed.

Places are shares of the picture's width and height. The person faces the camera, so the right hand is on the left of
the picture. Colours are fixed (RGB): a rule that looks for them can read the films without any model.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from semiology.data.cache import written_whole

Point = tuple[float, float]
RIGHT_HAND, LEFT_HAND, OBJECT = (220, 40, 40), (230, 160, 30), (40, 70, 220)
"""Colours of the hands and of the object."""
SHOULDERS: Mapping[str, Point] = {"right": (0.38, 0.42), "left": (0.62, 0.42)}
HEAD, MOUTH, HAIR, FACE, ARMPIT = (0.5, 0.2), (0.5, 0.25), (0.5, 0.1), (0.5, 0.2), (0.6, 0.5)
TABLE_TOP = 0.72
HALF_HAND, OBJECT_RADIUS = 0.035, 0.07
"""In shares of the picture's height."""
PROPS: Mapping[str, tuple[tuple[str, Point, Point, tuple[int, int, int]], ...]] = {
    "brushing": (("box", (0.78, 0.6), (0.95, 0.74), (230, 230, 235)),),
    "combing": (("box", (0.8, 0.35), (0.95, 0.6), (180, 210, 225)),),
    "deodorant": (("box", (0.84, 0.6), (0.9, 0.74), (120, 200, 120)),),
    "drinking": (("box", (0.8, 0.52), (0.86, 0.74), (90, 190, 220)),),
    "face wash": (("box", (0.74, 0.66), (0.98, 0.76), (200, 220, 240)),),
    "feeding": (("disc", (0.82, 0.76), (0.08, 0.0), (245, 245, 245)),),
    "glasses": (("box", (0.78, 0.72), (0.9, 0.75), (60, 60, 60)),),
    "rtt exercise": tuple(
        ("disc", (0.5 + 0.33 * np.cos(angle), 0.84 + 0.1 * np.sin(angle)), (0.03, 0.0), (250, 210, 60))
        for angle in np.linspace(0, np.pi, 5)
    ),
    "shelf exercise": tuple(
        ("box", (0.72, level), (0.98, level + 0.02), (150, 110, 70)) for level in (0.3, 0.45, 0.6)
    ),
}
"""What stands in the picture, by activity: boxes by two corners, discs by centre and radius."""
_H264 = {"preset": "ultrafast", "crf": "18", "bf": "0", "g": "30", "rc-lookahead": "0", "threads": "1"}


@dataclass(frozen=True)
class Moment:
    """What one frame shows: where both hands are, and the object (None: there is none)."""

    right: Point
    left: Point
    object: Point | None


def picture(moment: Moment, activity: str | None, size: tuple[int, int]) -> NDArray[np.uint8]:
    """Return one frame, RGB, uint8, shape (height, width, 3).

    Args:
        moment: where things are. activity: whose props stand there; None for none.
        size: width and height in px.
    """
    width, height = size
    canvas = np.full((height, width, 3), (205, 205, 200), np.uint8)

    def at(point: Point) -> tuple[int, int]:
        return round(point[0] * width), round(point[1] * height)

    thick = max(1, round(0.045 * height))
    cv2.rectangle(canvas, at((0.39, 0.34)), at((0.61, 0.75)), (95, 110, 125), -1)
    cv2.circle(canvas, at(HEAD), round(0.11 * height), (224, 190, 165), -1)
    cv2.circle(canvas, at(MOUTH), max(1, round(0.015 * height)), (150, 80, 80), -1)
    cv2.rectangle(canvas, at((0.0, TABLE_TOP)), at((1.0, 1.0)), (168, 140, 110), -1)
    for kind, first, second, colour in PROPS.get(activity or "", ()):
        if kind == "box":
            cv2.rectangle(canvas, at(first), at(second), colour, -1)
        else:
            cv2.circle(canvas, at(first), max(1, round(second[0] * height)), colour, -1)
    for side, hand in (("right", moment.right), ("left", moment.left)):
        elbow = elbow_of(side, hand)
        cv2.line(canvas, at(SHOULDERS[side]), at(elbow), (110, 125, 140), thick, cv2.LINE_AA)
        cv2.line(canvas, at(elbow), at(hand), (224, 190, 165), thick, cv2.LINE_AA)
    if moment.object is not None:
        cv2.circle(canvas, at(moment.object), max(2, round(OBJECT_RADIUS * height)), OBJECT, -1)
    half = max(1, round(HALF_HAND * height))
    for hand, colour in ((moment.right, RIGHT_HAND), (moment.left, LEFT_HAND)):
        x, y = at(hand)
        cv2.rectangle(canvas, (x - half, y - half), (x + half, y + half), colour, -1)
    return canvas


def elbow_of(side: str, hand: Point) -> Point:
    """Return where the elbow of an arm is drawn: outside the middle between shoulder and hand."""
    shoulder = SHOULDERS[side]
    outward = -0.06 if side == "right" else 0.06
    return (shoulder[0] + hand[0]) / 2 + outward, (shoulder[1] + hand[1]) / 2 + 0.04


def write_film(
    path: Path, moments: Iterable[Moment], activity: str | None, size: tuple[int, int], fps: float
) -> None:
    """Encode frames as a film; the container follows the suffix (``.mp4``, ``.mkv``, ``.avi``)."""
    path.parent.mkdir(parents=True, exist_ok=True)
    rate = Fraction(fps).limit_denominator(1001)
    kind = {".mp4": "mp4", ".mkv": "matroska", ".avi": "avi"}[path.suffix]
    codec, options = ("mpeg4", {"bf": "0", "q:v": "2"}) if kind == "avi" else ("libx264", _H264)
    with (
        written_whole(path, private=False) as unfinished,
        av.open(str(unfinished), "w", format=kind) as container,
    ):
        stream = container.add_stream(codec, rate=rate, options=options)
        stream.width, stream.height, stream.pix_fmt = *size, "yuv420p"
        for number, moment in enumerate(moments):
            frame = av.VideoFrame.from_ndarray(picture(moment, activity, size), format="rgb24")
            frame.pts, frame.time_base = number, 1 / rate
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
