"""Body, bed and caregiver as anti-aliased capsules, from far to near."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from semiology.data.simulated.picture.face import (
    SHIFT,
    Canvas,
    FacePaint,
    Head,
    draw_head,
    face_paint,
    face_points,
)
from semiology.data.simulated.picture.figure import project, skeleton
from semiology.data.simulated.picture.motion import Array, Pose, pose_at
from semiology.data.simulated.script.look import Colour, toned
from semiology.data.simulated.script.script import Script

_CARER: tuple[tuple[tuple[str, str], float, str], ...] = (
    (("chest", "foot"), 1.15, "scrubs"),
    (("head", "head"), 0.86, "carer_hair"),
    (("chest", "hand"), 0.26, "carer"),
)


@dataclass(frozen=True)
class Picture:
    """A script laid out in pixels at N instants, ready to draw one after the other."""

    unit: float
    spots: dict[str, NDArray[np.int32]]
    heads: list[Head]
    cares: NDArray[np.float64]
    face: FacePaint
    paint: dict[str, Colour]
    level: float

    def travel(self, first: int, last: int) -> float:
        """Return how far any point moves between two instants, in px; a lid's way counts too."""
        way = max(float(np.abs(spot[last] - spot[first]).max()) for spot in self.spots.values())
        lids = float(np.abs(self.heads[last].eyes - self.heads[first].eyes).max())
        jaw = abs(self.heads[last].mouth - self.heads[first].mouth)
        return max(way / (1 << SHIFT), lids * 0.16 * self.unit, jaw * 0.2 * self.unit)


def prepare(script: Script, times_s: Array, size: tuple[int, int]) -> Picture:
    """Lay a script out at the given instants for a picture of ``size`` (width, height)."""
    height = size[1]
    pose = pose_at(script, times_s)
    points = skeleton(pose, script)
    flat = {k: _pixels(project(v, script.scene), size) for k, v in points.items()}
    unit = script.scene.zoom * height
    fixed = {k: np.round(v * (1 << SHIFT)).astype(np.int32) for k, v in flat.items()}
    return Picture(
        unit=unit,
        spots=fixed,
        heads=_heads(pose, script, flat["head"], unit),
        cares=caregiver_at(script, times_s),
        face=face_paint(script),
        paint=_paint(script),
        level=script.scene.blanket_level,
    )


def _pixels(flat: Array, size: tuple[int, int]) -> Array:
    width, height = size
    return np.asarray(flat * height + np.array([width / 2, height / 2]))


def _heads(pose: Pose, script: Script, centres: Array, unit: float) -> list[Head]:
    points = face_points(pose, script)
    return [
        Head(
            centre=(float(centres[i, 0]), float(centres[i, 1])),
            size=unit,
            points={k: v[i] for k, v in points.items()},
            eyes=pose.eyes[i],
            gaze=pose.gaze[i],
            mouth=float(pose.mouth[i]),
            pull=pose.pull[i],
            hair_length=script.look.hair_length,
        )
        for i in range(len(centres))
    ]


def _paint(script: Script) -> dict[str, Colour]:
    look, scene = script.look, script.scene
    colours = {"shirt": look.shirt, "trousers": look.trousers, "blanket": scene.blanket, "skin": look.skin,
               "scrubs": (70, 130, 150), "carer": (214, 168, 136), "carer_hair": (64, 44, 34)}  # fmt: skip
    plain = {name: toned(colour, scene) for name, colour in colours.items()}
    edges = {f"{name}_edge": toned(colour, scene, 0.62) for name, colour in colours.items()}
    return plain | edges | {"blanket_fold": toned(scene.blanket, scene, 0.86)}


@lru_cache(maxsize=4)
def background(script: Script, size: tuple[int, int]) -> NDArray[np.uint8]:
    """Draw what stands still: wall, headboard, mattress, pillow. The result is cached: copy it to draw on."""
    width, height = size
    scene = script.scene
    fall = np.linspace(1.06, 0.86, height)[:, None, None]
    wall = np.array(toned(scene.wall, scene, 0.82)) * np.broadcast_to(fall, (height, width, 1))
    canvas = np.ascontiguousarray(np.clip(wall, 0, 255).astype(np.uint8))
    back = np.deg2rad(scene.backrest)
    spine = np.array([0.0, -np.cos(back), np.sin(back)])
    sheet, frame = toned((226, 228, 226), scene, 0.86), toned((140, 120, 100), scene, 0.8)
    _panel(canvas, script, [[-1.5, -0.1, -0.2], [1.5, -0.1, -0.2], [1.5, 5, -0.2], [-1.5, 5, -0.2]], sheet)
    top, low, high = spine * 2.9 - [0, 0, 0.2], spine * 1.65, spine * 2.75
    pillow, rail = toned((244, 244, 240), scene, 0.98), _across(spine * 2.9 + np.array([0, 0, 0.1]), 1.7)
    _panel(canvas, script, [*rail, [1.7, 0, -0.3], [-1.7, 0, -0.3]], frame)
    _panel(canvas, script, [*_across(top, 1.5), [1.5, 0, -0.2], [-1.5, 0, -0.2]], sheet)
    _panel(canvas, script, [*_across(low, 1.0), *_across(high, 0.95)[::-1]], pillow)
    return canvas


def _across(middle: Array, half: float) -> list[list[float]]:
    """Return the left and right end of a bar across the bed."""
    return [[-half, float(middle[1]), float(middle[2])], [half, float(middle[1]), float(middle[2])]]


def _panel(canvas: Canvas, script: Script, corners: list[list[float]], colour: Colour) -> None:
    height, width = canvas.shape[:2]
    flat = _pixels(project(np.asarray(corners, dtype=np.float64), script.scene), (width, height))
    cv2.fillConvexPoly(canvas, np.round(flat * (1 << SHIFT)).astype(np.int32), colour, cv2.LINE_AA, SHIFT)


def draw_frame(picture: Picture, canvas: NDArray[np.uint8], index: int) -> NDArray[np.uint8]:
    """Draw everything that can move at one instant onto ``canvas`` (changed in place) and return it."""
    _draw_caregiver(canvas, picture, index)
    for side in ("l", "r"):
        _limb(canvas, picture, index, (f"{side}_hip", f"{side}_knee", f"{side}_ankle"), 0.44, "trousers")
    _draw_trunk(canvas, picture, index)
    _draw_blanket(canvas, picture, index)
    _limb(canvas, picture, index, ("neck", "head"), 0.30, "skin")
    draw_head(canvas, picture.heads[index], picture.face)
    for side in ("l", "r"):
        _limb(canvas, picture, index, (f"{side}_elbow", f"{side}_wrist"), 0.22, "skin")
        _limb(canvas, picture, index, (f"{side}_shoulder", f"{side}_elbow"), 0.32, "shirt")
        _limb(canvas, picture, index, (f"{side}_wrist", f"{side}_hand"), 0.29, "skin")
    return canvas


def _limb(
    canvas: Canvas, picture: Picture, index: int, names: tuple[str, ...], width: float, colour: str
) -> None:
    """Draw a chain of capsules with a darker rim."""
    chain = np.stack([picture.spots[name][index] for name in names])
    thick = max(1, round(width * picture.unit))
    rim = max(1, round(0.03 * picture.unit))
    cv2.polylines(
        canvas, [chain], False, picture.paint[f"{colour}_edge"], thick + 2 * rim, cv2.LINE_AA, SHIFT
    )
    _stroke(canvas, picture, chain, colour, width)


def _stroke(
    canvas: Canvas,
    picture: Picture,
    chain: NDArray[np.int32],
    colour: str,
    width: float,
    closed: bool = False,
) -> None:
    """Draw a line of a width in heads, at least 1 px."""
    thick = max(1, round(width * picture.unit))
    cv2.polylines(canvas, [chain], closed, picture.paint[colour], thick, cv2.LINE_AA, SHIFT)


def _draw_trunk(canvas: Canvas, picture: Picture, index: int) -> None:
    spots = picture.spots
    hips = np.stack([spots["l_hip"][index], spots["r_hip"][index]])
    _stroke(canvas, picture, hips, "trousers_edge", 0.62)
    _stroke(canvas, picture, hips, "trousers", 0.56)
    left, right = spots["l_shoulder"][index], spots["r_shoulder"][index]
    waist_l = spots["l_hip"][index] * 0.8 + left * 0.2
    waist_r = spots["r_hip"][index] * 0.8 + right * 0.2
    outline = np.round(np.stack([left, right, waist_r, waist_l])).astype(np.int32)
    _stroke(canvas, picture, outline, "shirt_edge", 0.42, closed=True)
    _stroke(canvas, picture, outline, "shirt", 0.36, closed=True)
    cv2.fillConvexPoly(canvas, outline, picture.paint["shirt"], cv2.LINE_AA, SHIFT)


def _draw_blanket(canvas: Canvas, picture: Picture, index: int) -> None:
    """Draw the blanket over the legs; its upper edge lies on the body and moves with hips and knees."""
    spots = picture.spots
    level = picture.level
    unit = picture.unit * (1 << SHIFT)
    rows = []
    for side, sign in (("r", -1.0), ("l", 1.0)):
        hip, knee = spots[f"{side}_hip"][index], spots[f"{side}_knee"][index]
        ankle, shoulder = spots[f"{side}_ankle"][index], spots[f"{side}_shoulder"][index]
        edge = hip + (knee - hip) * (0.7 - level) if level < 0.7 else hip + (shoulder - hip) * (level - 0.7)
        beside = np.array([[0.62 * sign, 0], [0.8 * sign, 0], [0.9 * sign, 1.0]]) * unit
        rows.append(list(np.stack([edge, knee, ankle]) + beside))
    outline = np.round(np.array(rows[0] + rows[1][::-1])).astype(np.int32)
    cv2.fillPoly(canvas, [outline], picture.paint["blanket"], cv2.LINE_AA, SHIFT)
    _stroke(canvas, picture, outline, "blanket_edge", 0.03, closed=True)
    for side in ("l", "r"):
        chain = np.stack([spots[f"{side}_{name}"][index] for name in ("knee", "ankle")])
        _stroke(canvas, picture, chain, "blanket_fold", 0.5)


def caregiver_at(script: Script, times_s: Array) -> NDArray[np.float64]:
    """Return (N, 3): side of the picture (-1, 1 or 0 for nobody), how far in view (0..1), sway of the arm."""
    rows = np.zeros((len(times_s), 3))
    for event in script.of("caregiver"):
        inside = np.clip(np.minimum(times_s - event.onset_s, event.offset_s - times_s) / 1.2, 0, 1)
        sway = np.sin(2 * np.pi * event.frequency_hz * times_s)
        here = inside > 0
        rows[here] = np.stack(
            [np.full(here.sum(), 1.0 if event.side == "left" else -1.0), inside[here], sway[here]], 1
        )
    return rows


def caregiver_spots(care: Array, unit: float, size: tuple[int, int]) -> dict[str, Array]:
    """Return where head, chest, hand and foot of the caregiver are, in px; ``care`` as of `caregiver_at`."""
    side, inside, sway = care
    width, height = size
    x, top = width / 2 + side * width / 2 + side * unit * (0.9 - 1.0 * inside), 0.34 * height
    return {
        "head": np.array([x, top - 0.75 * unit]),
        "chest": np.array([x, top + 0.5 * unit]),
        "foot": np.array([x + side * 0.1 * unit, top + 4 * unit]),
        "hand": np.array([x - side * (0.75 + 0.16 * sway) * unit, top + (0.95 + 0.2 * sway) * unit]),
    }


def _draw_caregiver(canvas: Canvas, picture: Picture, index: int) -> None:
    side, inside, _ = picture.cares[index]
    if inside <= 0:
        return
    height, width = canvas.shape[:2]
    unit = picture.unit * (1 << SHIFT)
    spot = caregiver_spots(picture.cares[index], picture.unit, (width, height))
    at = {name: np.round(place * (1 << SHIFT)).astype(np.int32) for name, place in spot.items()}
    for names, thick, colour in _CARER:
        chain = np.stack([at[name] for name in names])
        _stroke(canvas, picture, chain, f"{colour}_edge", thick + 0.06)
        _stroke(canvas, picture, chain, colour, thick)
    x, y = (int(place) for place in at["head"] - [round(side * 0.14 * unit), round(-0.08 * unit)])
    cv2.circle(canvas, (x, y), round(0.34 * unit), picture.paint["carer"], -1, cv2.LINE_AA, SHIFT)
