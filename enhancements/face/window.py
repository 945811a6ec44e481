"""The square that is shown of each frame: round the face, slow enough not to hide its movements.

The middle follows the face at the pace of about a second and its size at that of several seconds. A crop that
was nailed to the nose would hide that a head turns or jerks.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from scipy.ndimage import median_filter

from semiology.enhancements.face.boxes import FacePath
from semiology.enhancements.pose.keypoint_smoothing import Array, smoothed
from semiology.enhancements.video.writing import Plane, Planes

_MIDDLE_S, _SIZE_S = 0.5, 2.0
_GREY = 128


@dataclass(frozen=True, eq=False)
class Windows:
    """What is shown of every frame.

    Attributes:
        squares: (N, 3) left, top and side in px, inside the picture; NaN where the whole frame is shown.
        faces: (N, 4) x, y, width, height in px of the smoothed path of the face that they are laid around.
    """

    squares: Array
    faces: Array

    def at(self, number: int) -> tuple[float, float, float] | None:
        """Return the square of a frame, or None for the whole."""
        left, top, side = self.squares[number].tolist()
        return None if np.isnan(left) else (left, top, side)


def crop_windows(path: FacePath, size: tuple[int, int], margin: float) -> Windows:
    """Lay squares around a face.

    Args:
        path: the face in every frame.
        size: width and height of the picture, px.
        margin: added on each side, as a share of the height of the face. A square that would leave the
            picture is moved back into it, so that nothing has to be filled.
    """
    squares, faces = np.full((len(path.boxes), 3), np.nan), np.full((len(path.boxes), 4), np.nan)
    edges = np.flatnonzero(np.diff(np.concatenate([[0], path.visible.astype(np.int8), [0]])))
    for first, last in zip(edges[::2], edges[1::2], strict=True):  # the runs of frames with a face
        stretch = slice(int(first), int(last))
        boxes, times = path.boxes[stretch], path.times_s[stretch]
        faces[stretch] = _slow(boxes, times)
    middle, extent = faces[:, :2] + faces[:, 2:] / 2, faces[:, 2:].max(axis=1)
    side = np.minimum(extent * (1 + 2 * margin), min(size))
    corner = middle - side[:, None] / 2
    corner = np.clip(corner, 0, np.maximum(np.asarray(size) - side[:, None], 0))
    squares[:, :2], squares[:, 2] = corner, side
    return Windows(squares, faces)


def _slow(boxes: Array, times_s: Array) -> Array:
    """Return boxes, (n, 4), whose middle and size change slowly."""
    interval = float(np.median(np.diff(times_s))) if len(times_s) > 1 else 1.0
    length = max(1, min(len(times_s), 2 * round(_SIZE_S / max(interval, 1e-3)) + 1))
    extent = median_filter(boxes[:, 2:], size=(length, 1), mode="nearest")
    sure = np.ones((len(boxes), 1))
    extent = smoothed(extent[:, None], sure, times_s, _SIZE_S)[:, 0]
    middle = smoothed((boxes[:, :2] + boxes[:, 2:] / 2)[:, None], sure, times_s, _MIDDLE_S)[:, 0]
    return np.concatenate([middle - extent / 2, extent], axis=1)


def cropped(planes: Planes, square: tuple[float, float, float], size: int) -> Planes:
    """Return a square of a picture, (left, top, side) px, as a picture of ``size`` x ``size`` px."""
    left, top, side = square
    return Planes(
        _resampled(planes.y, left, top, side, size),
        _resampled(planes.u, left / 2, top / 2, side / 2, size // 2),
        _resampled(planes.v, left / 2, top / 2, side / 2, size // 2),
    )


def _resampled(plane: Plane, left: float, top: float, side: float, size: int) -> Plane:
    if side > 1.5 * size:  # averages; an interpolation would pick single px and shimmer
        rows = slice(round(top), max(round(top) + 1, round(top + side)))
        columns = slice(round(left), max(round(left) + 1, round(left + side)))
        return np.asarray(
            cv2.resize(plane[rows, columns], (size, size), interpolation=cv2.INTER_AREA), np.uint8
        )
    step = side / size
    # Pixel centres: the middle of the first target px lies half a step inside the square.
    across = np.array([[step, 0.0, left + step / 2 - 0.5], [0.0, step, top + step / 2 - 0.5]])
    how = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    return np.asarray(
        cv2.warpAffine(plane, across, (size, size), flags=how, borderMode=cv2.BORDER_REPLICATE), np.uint8
    )


def whole(planes: Planes, size: int) -> Planes:
    """Return the whole picture at its own aspect, as large as fits, on grey of ``size`` x ``size`` px."""
    height, width = planes.y.shape
    factor = size / max(height, width)
    half = (max(1, round(width * factor / 2)), max(1, round(height * factor / 2)))
    return Planes(
        _fitted(planes.y, (2 * half[0], 2 * half[1]), size),
        _fitted(planes.u, half, size // 2),
        _fitted(planes.v, half, size // 2),
    )


def _fitted(plane: Plane, extent: tuple[int, int], size: int) -> Plane:
    how = cv2.INTER_AREA if extent[0] < plane.shape[1] else cv2.INTER_LINEAR
    canvas = np.full((size, size), _GREY, np.uint8)
    left, top = (size - extent[0]) // 2, (size - extent[1]) // 2
    canvas[top : top + extent[1], left : left + extent[0]] = cv2.resize(plane, extent, interpolation=how)
    return canvas
