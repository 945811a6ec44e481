"""Draw a script: pictures at any times and sizes, and the positions behind them.

Both functions are pure: the same script, times and size give the same bytes on one machine.
"""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from semiology.data.simulated.picture.body import Picture, background, draw_frame, prepare
from semiology.data.simulated.picture.figure import project, skeleton
from semiology.data.simulated.picture.motion import Array, pose_at
from semiology.data.simulated.script.script import Script

KEYPOINTS = (
    "head", "neck", "l_shoulder", "l_elbow", "l_wrist", "r_shoulder", "r_elbow", "r_wrist",
    "pelvis", "l_hip", "l_knee", "l_ankle", "r_hip", "r_knee", "r_ankle",
)  # fmt: skip
"""Rows of :func:`keypoints` that are positions; ``l_`` and ``r_`` are the patient's own sides."""
FACE_STATE = ("eye_opening", "mouth_opening", "yaw", "gaze", "pull")
"""Rows of :func:`keypoints` after the positions."""
_PIXELS_PER_STEP = 2.5


def render(
    script: Script, times_s: Array, size: tuple[int, int] = (640, 480), blur_subframes: int = 5
) -> NDArray[np.uint8]:
    """Draw the frames at (n,) times: RGB, uint8, (n, height, width, 3).

    Args:
        script, times_s: what happens, and seconds from the start; any order, any spacing.
        size: width and height in px. The height sets the scale, the width only what is seen at the sides
            (draw 4:3 and resize for a square crop that keeps stretched arms in view).
        blur_subframes: at most this many instants are averaged over the shutter time of a moving frame.
    """
    times = np.asarray(times_s, dtype=np.float64)
    width, height = size
    steps = max(1, blur_subframes)
    lags = (np.arange(steps) - (steps - 1) / 2) / steps * script.scene.exposure_s
    picture = prepare(script, (times[:, None] + lags).ravel(), size)
    still = background(script, size)
    grain = _grain(script, size)
    frames = np.empty((len(times), height, width, 3), np.uint8)
    for index, time in enumerate(times):
        first = index * steps
        frame = _exposed(picture, still, range(first, first + steps))
        frames[index] = _grainy(frame, grain, script, float(time))
    return frames


def keypoints(script: Script, times_s: Array, aspect: float = 4 / 3) -> NDArray[np.float32]:
    """Return where the figure is at (n,) times, in s: targets for a model that learns to look.

    Returns:
        (n, K, 2) float32. The first ``len(KEYPOINTS)`` rows are positions, fractions of width and height of
        a picture of that ``aspect`` (they may lie outside 0..1). The rest are the pairs named in
        ``FACE_STATE``: eye opening left and right (0 shut, 1 open), mouth opening and width, yaw and pitch of
        the head in radians (positive: to the patient's left, up), gaze right and down (-1..1), pull of the
        left and right corner of the mouth.
    """
    pose = pose_at(script, np.asarray(times_s, dtype=np.float64))
    points = skeleton(pose, script)
    flat = np.stack([project(points[name], script.scene) for name in KEYPOINTS], axis=1)
    flat = flat / np.array([aspect, 1.0]) + 0.5
    face = np.stack(
        [
            pose.eyes,
            np.stack([pose.mouth, pose.wide], 1),
            np.stack([pose.yaw, pose.pitch], 1),
            pose.gaze,
            pose.pull,
        ],
        axis=1,
    )
    return np.concatenate([flat, face], axis=1).astype(np.float32)


def _exposed(picture: Picture, still: NDArray[np.uint8], instants: range) -> NDArray[np.uint8]:
    """Average as many instants of one exposure as its motion asks for."""
    moved = picture.travel(instants.start, instants.stop - 1)
    count = int(np.clip(np.ceil(moved / _PIXELS_PER_STEP), 1, len(instants)))
    if count == 1:
        return draw_frame(picture, still.copy(), instants.start + len(instants) // 2)
    between = np.linspace(instants.start, instants.stop - 1, count + 2)[1:-1]
    chosen = instants if count == len(instants) else between
    total = np.zeros(still.shape, np.float32)
    for instant in chosen:
        cv2.accumulate(draw_frame(picture, still.copy(), round(float(instant))), total)
    return np.asarray(cv2.convertScaleAbs(total, alpha=1.0 / count), dtype=np.uint8)


@lru_cache(maxsize=4)
def _grain(script: Script, size: tuple[int, int]) -> NDArray[np.uint8]:
    """Return a noise tile centred on 128, larger than the frame by 64 px in both directions."""
    rng = np.random.default_rng(script.seed + 7)
    width, height = size
    noise = script.scene.noise
    tile = rng.standard_normal((height + 64, width + 64, 1), dtype=np.float32) * noise
    if not script.scene.infrared:
        tile = tile + rng.standard_normal((height + 64, width + 64, 3), dtype=np.float32) * noise * 0.4
    wide = np.broadcast_to(tile, (height + 64, width + 64, 3)) + 128
    return np.asarray(np.clip(wide, 0, 255), dtype=np.uint8)


def _grainy(
    frame: NDArray[np.uint8], grain: NDArray[np.uint8], script: Script, time: float
) -> NDArray[np.uint8]:
    """Add the noise of one frame: a shifted view of the tile, chosen by script and time alone."""
    code = (script.seed * 2654435761 + round(time * 1000) * 40503) % 4093
    down, right = code % 64, (code // 64) % 64
    height, width = frame.shape[:2]
    tile = grain[down : down + height, right : right + width]
    return np.asarray(cv2.addWeighted(frame, 1.0, tile, 1.0, -128.0), dtype=np.uint8)
