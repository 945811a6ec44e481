"""Where the patient's face is in every frame, from the head's keypoints or from a face detector's boxes.

A box is the skin of the face, forehead to chin, without hair and ears: (x, y, width, height) in px, NaN where
no face is visible.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import percentile_filter

from semiology.enhancements.pose.consistent_path import NOBODY, followed, usual_place
from semiology.enhancements.pose.keypoint_smoothing import bridged, smoothed
from semiology.enhancements.pose.keypoints import JOINT, Array
from semiology.enhancements.pose.patient_track import SURE, PatientTrack, Region

EYES, EARS = 63.0, 145.0
"""Usual distances of an adult, mm: between the pupils, and between the front edges of the ears."""
WIDTH, HEIGHT = 137.0, 185.0
"""Usual size of an adult's face across the cheekbones, and from hairline to chin, mm."""
BELOW_EYES, ABOVE_NOSE = 26.0, 18.0
"""The middle of the box lies so far below the line of the eyes, and above the tip of the nose, mm."""

_CALM_S = 0.2
_SCALE_S = 30.0
_SCALE_PERCENTILE = 80
_FRONT = ("Nose", "REye", "LEye")


@dataclass(frozen=True, eq=False)
class FacePath:
    """The face of one person through a recording.

    Attributes:
        times_s: (N,) times of the frames, s from the first.
        boxes: (N, 4) x, y, width, height in px; NaN where no face is visible.
    """

    times_s: Array
    boxes: Array

    @property
    def visible(self) -> NDArray[np.bool_]:
        """(N,) whether there is a face."""
        return ~np.isnan(self.boxes[:, 0])


def faces_of_track(track: PatientTrack, confidence: float = 0.3, longest_gap_s: float = 0.5) -> FacePath:
    """Return the patient's face from nose, eyes and ears.

    Two of nose and eyes must be found; ears alone are a head seen from behind. The distance of the eyes
    shrinks as the head turns, so the size is a high percentile over half a minute, not that of one frame.

    Args:
        confidence: points less sure than this do not count.
        longest_gap_s: gaps up to this long are bridged, s.
    """
    usable = (track.quality == SURE)[:, None] & (track.points[..., 2] >= confidence)
    spots = np.where(usable[..., None], track.points[..., :2], np.nan)
    # Jitter makes distances longer, so they are taken from calmer points than the places.
    calm = smoothed(track.points[..., :2], track.points[..., 2] * usable, track.times_s, _CALM_S)
    front = np.stack([usable[:, JOINT[name]] for name in _FRONT], axis=1).sum(axis=1)
    unit = _px_per_mm(np.where(usable[..., None], calm, np.nan), track.times_s)
    middle = _middles(spots, unit)
    middle[(front < 2) | np.isnan(unit)] = np.nan
    unit = np.where(np.isnan(unit), 1.0, unit)
    boxes = np.concatenate(
        [middle - np.outer(unit, (WIDTH / 2, HEIGHT / 2)), np.outer(unit, (WIDTH, HEIGHT))], axis=1
    )
    boxes[np.isnan(boxes).any(axis=1)] = np.nan
    return FacePath(track.times_s, _bridged(boxes, track.times_s, longest_gap_s))


def _px_per_mm(spots: Array, times_s: Array) -> Array:
    """Return the scale of the face, (N,), from points (N, 19, 2) px of eyes and ears; NaN if never known."""
    eyes = np.linalg.norm(spots[:, JOINT["REye"]] - spots[:, JOINT["LEye"]], axis=1) / EYES
    ears = np.linalg.norm(spots[:, JOINT["REar"]] - spots[:, JOINT["LEar"]], axis=1) / EARS
    single = np.fmax(eyes, ears)
    known = np.flatnonzero(~np.isnan(single) & (single > 0))
    if not known.size:
        return np.full(len(times_s), np.nan)
    filled = np.interp(times_s, times_s[known], single[known])
    interval = float(np.median(np.diff(times_s))) if len(times_s) > 1 else 1.0
    length = max(1, min(len(times_s), round(_SCALE_S / max(interval, 1e-3))))
    return np.asarray(percentile_filter(filled, _SCALE_PERCENTILE, size=length, mode="nearest"))


def _middles(spots: Array, unit: Array) -> Array:
    """Return the middle of the face, (N, 2) px, from what is found of nose and eyes."""
    right, left, nose = (spots[:, JOINT[name]] for name in ("REye", "LEye", "Nose"))
    down = _down(spots, unit)
    both = (right + left) / 2
    single = np.where(np.isnan(right), left, right)
    eyes = np.where(np.isnan(both), single, both) + down * (BELOW_EYES * unit)[:, None]
    tip = nose - down * (ABOVE_NOSE * unit)[:, None]
    middle = np.where(np.isnan(eyes), tip, np.where(np.isnan(tip), eyes, (eyes + tip) / 2))
    ears = (spots[:, JOINT["REar"]] + spots[:, JOINT["LEar"]]) / 2
    # Nose and eyes run ahead of the rest of a turning head; the ears stay behind.
    across = np.stack([-down[:, 1], down[:, 0]], axis=1)
    lag = ((ears - middle) * across).sum(axis=1, keepdims=True) * across / 3
    return np.asarray(np.where(np.isnan(lag), middle, middle + lag))


def _down(spots: Array, unit: Array) -> Array:
    """Return the direction from forehead to chin, (N, 2), of length 1.

    It is square to the lines of the eyes and of the ears, and points to the neck. A head that turns away
    shortens these lines until they say nothing about its tilt, so each counts by the square of its length.
    """
    total = np.zeros((len(spots), 2))
    head = np.stack([spots[:, JOINT[name]] for name in ("REye", "LEye", "Nose")])
    seen = ~np.isnan(head[..., :1])
    middle = np.where(seen, head, 0.0).sum(axis=0) / np.maximum(seen.sum(axis=0), 1)
    neck = spots[:, JOINT["Neck"]] - middle
    neck = np.where(np.isnan(neck), np.array([0.0, 1.0]), neck)
    neck = neck / np.maximum(np.linalg.norm(neck, axis=1, keepdims=True), 1e-6)
    for first, second, usual in (("REye", "LEye", EYES), ("REar", "LEar", EARS)):
        line = spots[:, JOINT[second]] - spots[:, JOINT[first]]
        square = np.stack([-line[:, 1], line[:, 0]], axis=1) / (usual * unit)[:, None]
        # A person upside down to the camera is not one whose head is turned: the neck tells the side.
        square = square * np.where((square * neck).sum(axis=1) < 0, -1.0, 1.0)[:, None]
        total += np.nan_to_num(square * np.minimum(np.linalg.norm(square, axis=1, keepdims=True), 1.0))
    total += neck / 2
    return np.asarray(total / np.maximum(np.linalg.norm(total, axis=1, keepdims=True), 1e-6))


def faces_of_detections(
    frames: NDArray[np.int64],
    found: Sequence[Array],
    times_s: Array,
    size: tuple[int, int],
    region: Region | None = None,
    longest_gap_s: float = 0.5,
) -> FacePath:
    """Follow the patient's face through the boxes of a face detector.

    Args:
        frames: (K,) numbers of the frames looked at.
        found: for each the faces: (P, 5) x, y, width, height in px, and a score of 0 to 1.
        times_s: (N,) times of all frames, s.
        region: the bed, if it is known, as shares of the picture.
        longest_gap_s: gaps up to this long are bridged, s.
    """
    boxes = np.full((len(times_s), 4), np.nan)
    places = [faces[:, :2] + faces[:, 2:4] / 2 for faces in found]
    # A face is about a third as wide as the shoulders, the unit of the costs.
    scales = [2.7 * faces[:, 2] for faces in found]
    usual = usual_place(places, scales, [faces[:, 4] for faces in found], size, region) if found else None
    if usual is None:
        return FacePath(times_s, boxes)
    changes = _changes(places, scales, times_s[frames])
    path, _ = followed(places, scales, times_s[frames], usual, changes)
    for place, who in enumerate(path):
        if who != NOBODY:
            boxes[frames[place]] = found[place][who, :4]
    return FacePath(times_s, _bridged(boxes, times_s, longest_gap_s))


def _changes(places: Sequence[Array], scales: Sequence[Array], times_s: Array) -> list[Array]:
    """Return the costs (Pa, Pb) of being the same face in one frame and the next."""
    result = []
    for number, passed in enumerate(np.diff(times_s)):
        way = np.linalg.norm(places[number][:, None] - places[number + 1][None], axis=2)
        product = scales[number][:, None] * scales[number + 1][None]
        ratio = np.abs(np.log(scales[number][:, None] / scales[number + 1][None]))
        result.append(np.minimum(way / np.sqrt(product) / (0.3 + 2.0 * passed) + ratio, 3.0))
    return result


def _bridged(boxes: Array, times_s: Array, longest_gap_s: float) -> Array:
    visible = ~np.isnan(boxes[:, :1])
    filled, known = bridged(np.nan_to_num(boxes)[:, None], visible, times_s, longest_gap_s)
    return np.where(known, filled[:, 0], np.nan)
