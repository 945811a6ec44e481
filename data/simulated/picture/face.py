"""The face: points on an ellipsoid that turns, drawn as a few anti-aliased shapes."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from semiology.data.simulated.picture.motion import Array, Pose
from semiology.data.simulated.script.look import Colour, toned
from semiology.data.simulated.script.script import Script

SHIFT = 4
"""Fractional bits of the coordinates given to OpenCV: a sixteenth of a pixel."""
Canvas = np.ndarray[tuple[int, ...], np.dtype[np.uint8]]

_EYE_X, _EYE_Y = 0.185, -0.03
_MOUTH_Y = 0.27
_MOUTH_HALF = 0.15


@dataclass(frozen=True)
class FacePaint:
    """Colours of the face as the camera sees them."""

    skin: Colour
    shade: Colour
    hair: Colour
    white: Colour
    iris: Colour
    dark: Colour
    lip: Colour
    teeth: Colour


def face_paint(script: Script) -> FacePaint:
    """Return the colours of this patient's face under this light."""
    look, scene = script.look, script.scene
    red, green, blue = look.skin
    # Redder than the skin around them, on any skin; under infrared light they are merely darker.
    lip = (int(0.75 * red + 62), int(0.5 * green + 10), int(0.5 * blue + 16))
    return FacePaint(
        skin=toned(look.skin, scene),
        shade=toned(look.skin, scene, 0.66 if scene.infrared else 0.74),
        hair=toned(look.hair, scene),
        white=toned((250, 250, 250), scene),
        iris=toned((235, 235, 235) if scene.infrared else look.iris, scene, 0.5 if scene.infrared else 1.0),
        dark=toned((30, 16, 18), scene, 0.6),
        lip=toned(lip, scene, 0.55 if scene.infrared else 0.9),
        teeth=toned((240, 236, 226), scene),
    )


def face_points(pose: Pose, script: Script) -> dict[str, Array]:
    """Return the face's moving points (T, n, 3), in heads from the middle of the head: right, down, near."""
    yaw = pose.yaw - 0.5 * np.deg2rad(script.scene.azimuth)
    pitch = pose.pitch
    roll = pose.tip + np.deg2rad(script.scene.roll)

    def place(spots: Array) -> Array:
        return _turned(np.broadcast_to(spots, (len(yaw), *spots.shape[-2:])), yaw, pitch, roll)

    eyes = np.array([[_EYE_X, _EYE_Y, 0.36], [-_EYE_X, _EYE_Y, 0.36]])
    brows = np.array([[0.30, -0.18, 0.30], [0.08, -0.19, 0.39], [-0.08, -0.19, 0.39], [-0.30, -0.18, 0.30]])
    nose = np.array([[0.0, -0.04, 0.42], [0.0, 0.13, 0.56], [0.07, 0.15, 0.42], [-0.07, 0.15, 0.42]])
    skull = np.array(
        [[0.0, 0.02, 0.10], [0.0, -0.05, -0.10], [0.0, 0.20, 0.12], [0.40, 0.04, 0.0], [-0.40, 0.04, 0.0]]
    )
    spots = {"eyes": eyes, "brows": brows, "nose": nose, "skull": skull, "mouth": _mouth(pose)}
    angles = {"facing": np.cos(yaw), "roll": roll, "yaw": yaw}
    return {name: place(spot) for name, spot in spots.items()} | {
        name: angle[:, None, None] for name, angle in angles.items()
    }


def _mouth(pose: Pose) -> Array:
    """Return the outline of the mouth (T, 14, 3): upper lip from the patient's left, then lower lip back."""
    along = np.linspace(1, -1, 8)
    opening = np.clip(pose.mouth, 0, 1.1)[:, None]
    half = _MOUTH_HALF * pose.wide[:, None]
    pulled = np.clip(pose.pull, 0, 1.05)
    left, right = np.clip(along, 0, 1) ** 1.5, np.clip(-along, 0, 1) ** 1.5
    drawn = left * pulled[:, :1] - right * pulled[:, 1:]
    x = along * half + 0.15 * drawn + 0.05 * (pulled[:, :1] - pulled[:, 1:])
    rise = -0.17 * np.abs(drawn)
    bow = 1 - along**2
    upper = _MOUTH_Y + rise - bow * (0.022 + 0.07 * opening)
    lower = _MOUTH_Y + rise + bow * (0.028 + 0.19 * opening)
    depth = 0.40 - 0.5 * x**2
    top = np.stack([x, upper, depth], axis=-1)
    bottom = np.stack([x, lower, depth], axis=-1)[:, ::-1][:, 1:-1]
    return np.concatenate([top, bottom], axis=1)


def _turned(spots: Array, yaw: Array, pitch: Array, roll: Array) -> Array:
    x, y, z = spots[..., 0], spots[..., 1], spots[..., 2]
    yaw, pitch, roll = yaw[:, None], pitch[:, None], roll[:, None]
    x, z = x * np.cos(yaw) + z * np.sin(yaw), z * np.cos(yaw) - x * np.sin(yaw)
    y, z = y * np.cos(pitch) - z * np.sin(pitch), z * np.cos(pitch) + y * np.sin(pitch)
    x, y = x * np.cos(roll) - y * np.sin(roll), y * np.cos(roll) + x * np.sin(roll)
    return np.stack([x, y, z], axis=-1)


@dataclass(frozen=True)
class Head:
    """One head ready to draw: middle and size in pixels, points as of :func:`face_points` at one time."""

    centre: tuple[float, float]
    size: float
    points: dict[str, Array]
    eyes: Array
    gaze: Array
    mouth: float
    pull: Array
    hair_length: float


def draw_head(canvas: Canvas, head: Head, paint: FacePaint) -> None:
    """Draw hair, skull, ears, eyes, brows, nose and mouth onto an RGB canvas."""
    roll = float(np.rad2deg(head.points["roll"].item()))
    skull = head.points["skull"]
    _blob(canvas, head, skull[1], (0.47, 0.53 + 0.06 * head.hair_length), roll, paint.hair)
    if head.hair_length > 0.55:
        _blob(canvas, head, skull[1] + np.array([0, 0.2, 0]), (0.50, 0.50), roll, paint.hair)
    for ear in (skull[3], skull[4]):
        if ear[2] > -0.25:
            _blob(canvas, head, ear, (0.07, 0.11), roll, paint.shade)
    _blob(canvas, head, skull[0], (0.39, 0.47), roll, paint.skin)
    _blob(canvas, head, skull[2], (0.31, 0.31 + 0.05 * head.mouth), roll, paint.skin)
    for side in range(2):
        _draw_eye(canvas, head, side, roll, paint)
    for side, ends in enumerate(((0, 1), (3, 2))):
        pair = head.points["brows"][[*ends]]
        if pair[:, 2].min() > 0.02:
            lift = np.array([0, -0.10 * max(0.0, head.eyes[side] - 1.0) + 0.04 * head.pull[side], 0])
            _stroke(canvas, head, pair + lift, 0.035, paint.hair)
    bridge, tip, left, right = head.points["nose"]
    _stroke(canvas, head, np.stack([bridge, tip]), 0.04, paint.shade)
    _stroke(canvas, head, np.stack([left, tip, right]), 0.03, paint.shade)
    _draw_mouth(canvas, head, paint)


def _draw_eye(canvas: Canvas, head: Head, side: int, roll: float, paint: FacePaint) -> None:
    spot = head.points["eyes"][side]
    if spot[2] < 0.06:
        return
    narrow = float(np.clip(spot[2] / 0.36, 0.25, 1.0))
    opening = float(np.clip(head.eyes[side], 0, 1.35))
    half = (0.125 * narrow, 0.078 * opening)
    _blob(canvas, head, spot, (0.14 * narrow, 0.085), roll, paint.shade)
    if opening > 0.12:
        _blob(canvas, head, spot, half, roll, paint.white)
        shift = np.array([0.055 * narrow * head.gaze[0], 0.03 * opening * head.gaze[1], 0])
        _blob(canvas, head, spot + shift, (0.062 * narrow, min(0.066, half[1])), roll, paint.iris)
        _blob(canvas, head, spot + shift, (0.03 * narrow, min(0.032, half[1])), roll, paint.dark)
    else:
        # Shut lids: skin with a dark line of lashes at their lower edge.
        _blob(canvas, head, spot, (0.13 * narrow, 0.07), roll, paint.skin)
        ends = np.array([[-0.125 * narrow, 0.02, 0], [0, 0.06, 0], [0.125 * narrow, 0.02, 0]])
        _stroke(canvas, head, spot + ends, 0.028, paint.dark)


def _draw_mouth(canvas: Canvas, head: Head, paint: FacePaint) -> None:
    outline = head.points["mouth"]
    if outline[:, 2].max() < 0.1:
        return
    shape = _fixed(head, outline)
    inside = paint.dark if head.mouth > 0.12 else paint.lip
    cv2.fillPoly(canvas, [shape], inside, cv2.LINE_AA, SHIFT)
    if head.mouth > 0.12:
        upper = outline[1:7] + np.array([0, 0.018, 0])
        _stroke(canvas, head, upper, 0.022, paint.teeth)
    cv2.polylines(canvas, [shape], True, paint.lip, max(1, round(0.03 * head.size)), cv2.LINE_AA, SHIFT)
    for side, (corner, out) in enumerate(((0, 1.0), (7, -1.0))):
        if head.pull[side] > 0.3:
            fold = np.array([[0.05 * out, 0.03, 0], [0.06 * out, -0.05, 0], [0.0, -0.13, 0]])
            _stroke(canvas, head, outline[corner] + fold, 0.022, paint.shade)


def _fixed(head: Head, spots: Array) -> np.ndarray[tuple[int, ...], np.dtype[np.int32]]:
    flat = np.asarray(spots)[..., :2] * head.size + np.asarray(head.centre)
    return np.asarray(np.round(flat * (1 << SHIFT)), dtype=np.int32)


def _blob(
    canvas: Canvas, head: Head, spot: Array, half: tuple[float, float], roll: float, colour: Colour
) -> None:
    unit = head.size * (1 << SHIFT)
    x, y = (round((spot[i] * head.size + head.centre[i]) * (1 << SHIFT)) for i in (0, 1))
    axes = (max(4, round(half[0] * unit)), max(4, round(half[1] * unit)))
    cv2.ellipse(canvas, (x, y), axes, roll, 0, 360, colour, -1, cv2.LINE_AA, SHIFT)


def _stroke(canvas: Canvas, head: Head, spots: Array, width: float, colour: Colour) -> None:
    thickness = max(1, round(width * head.size))
    cv2.polylines(canvas, [_fixed(head, spots)], False, colour, thickness, cv2.LINE_AA, SHIFT)
