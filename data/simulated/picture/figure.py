"""From joint angles to points in the room, and from there to the picture; lengths are in heads."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from semiology.data.simulated.picture.motion import Array, Pose
from semiology.data.simulated.script.look import Scene
from semiology.data.simulated.script.script import Script

SPINE, SHOULDER, UPPER_ARM, FOREARM, HAND = 1.55, 0.74, 0.86, 0.80, 0.2
HIP, THIGH, SHANK = 0.36, 1.2, 1.15
_DISTANCE = 13.0
"""From camera to bed, in heads: near parts look a little larger."""

Points = Mapping[str, Array]


def skeleton(pose: Pose, script: Script) -> dict[str, Array]:
    """Return named points (T, 3): picture right, towards the foot end, up; ``l_`` is the patient's left."""
    back = np.deg2rad(script.scene.backrest)
    up = np.array([0.0, -np.cos(back), np.sin(back)])
    out = np.array([0.0, np.sin(back), np.cos(back)])
    across = np.array([1.0, 0.0, 0.0])
    points: dict[str, Array] = {"pelvis": pose.pelvis.copy()}
    neck = pose.pelvis * 0.3 + up * SPINE + pose.chest
    points["neck"] = neck
    points["head"] = neck + up * 0.60 + out * 0.12
    for side, (name, sign) in enumerate((("l", 1.0), ("r", -1.0))):
        shoulder = neck - up * 0.12 + across * sign * SHOULDER * script.look.build
        arm = _arm(pose, side, sign, (across, up, out))
        points[f"{name}_shoulder"] = shoulder
        points[f"{name}_elbow"] = shoulder + arm[0] * UPPER_ARM
        points[f"{name}_wrist"] = points[f"{name}_elbow"] + arm[1] * FOREARM
        points[f"{name}_hand"] = points[f"{name}_wrist"] + arm[1] * HAND
        hip = pose.pelvis + across * sign * HIP
        spread, rise = pose.spread[:, side], pose.hip[:, side]
        fall = rise - pose.knee[:, side]
        points[f"{name}_hip"] = hip
        points[f"{name}_knee"] = hip + THIGH * _ray(sign * np.sin(spread), np.cos(rise), np.sin(rise))
        points[f"{name}_ankle"] = points[f"{name}_knee"] + SHANK * _ray(
            0.4 * sign * np.sin(spread), np.cos(fall), np.sin(fall)
        )
    return points


def _arm(pose: Pose, side: int, sign: float, frame: tuple[Array, Array, Array]) -> tuple[Array, Array]:
    across, up, out = frame
    raised, forward = pose.raised[:, side, None], pose.forward[:, side, None]
    upper = np.cos(forward) * (-np.cos(raised) * up + np.sin(raised) * sign * across) + np.sin(forward) * out
    weights = pose.bend[:, side]
    fold = -sign * weights[:, :1] * across + weights[:, 1:2] * up + weights[:, 2:] * out
    fold = fold - (fold * upper).sum(axis=1, keepdims=True) * upper
    fold /= np.maximum(np.linalg.norm(fold, axis=1, keepdims=True), 1e-6)
    elbow = pose.elbow[:, side, None]
    return upper, np.cos(elbow) * upper + np.sin(elbow) * fold


def _ray(x: Array, y: Array, z: Array) -> Array:
    return np.stack([x, y, z], axis=1)


def project(points: Array, scene: Scene) -> Array:
    """Project (..., 3) points to (..., 2): right and down from the middle of the frame, in frame heights."""
    turn, back = np.deg2rad(scene.roll), np.deg2rad(scene.backrest)
    resting_head = np.array([0.0, -np.cos(back), np.sin(back)]) * (SPINE + 0.6)
    flat, head = _flat(points, scene), _flat(resting_head, scene)
    moved = (flat - head) * scene.zoom
    right = moved[..., 0] * np.cos(turn) - moved[..., 1] * np.sin(turn)
    down = moved[..., 0] * np.sin(turn) + moved[..., 1] * np.cos(turn)
    return np.stack([right + scene.shift_x, down - 0.235 + scene.shift_y], axis=-1)


def _flat(points: Array, scene: Scene) -> Array:
    azimuth, tilt = np.deg2rad(scene.azimuth), np.deg2rad(scene.tilt)
    x, y, z = points[..., 0], points[..., 1], points[..., 2]
    right = x * np.cos(azimuth) + y * np.sin(azimuth)
    away = -x * np.sin(azimuth) + y * np.cos(azimuth)
    down = away * np.sin(tilt) - z * np.cos(tilt)
    near = away * np.cos(tilt) + z * np.sin(tilt)
    scale = _DISTANCE / (_DISTANCE - near)
    return np.stack([right * scale, down * scale], axis=-1)
