"""Tell the patient from everybody else, and say frame by frame how sure that is.

The patient is who stays at one place (the bed) longest, is of continuous size and place, and is rather not
standing; see `consistent_path` for how the path is found.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from semiology.data.media.probe import Timeline
from semiology.enhancements.pose.consistent_path import (
    NOBODY,
    followed,
    usual_place,
)
from semiology.enhancements.pose.keypoints import JOINT, JOINTS, Array, Detections

Region: TypeAlias = tuple[float, float, float, float]
SURE, UNSURE, ABSENT, UNSEEN = range(4)
"""The patient is found; perhaps another person, or too few joints; nobody who could be the patient; the frame was
not looked at."""

FOUND = 0.2
"""Confidence from which on a point counts as found."""
_TRUNK = [JOINT[name] for name in ("Neck", "RShoulder", "LShoulder")]
_FEWEST_JOINTS = 4
_STANDING_COST = 0.5
_DOUBTFUL_COST = 1.8
_CLOSE_RIVAL = 0.4


@dataclass(frozen=True, eq=False)
class PatientTrack:
    """The patient in every frame of a recording.

    Attributes:
        times_s: (N,) times of the frames, s from the first.
        points: (N, 19, 3) x and y in px and confidence 0 to 1; all 0 where the patient was not found.
        quality: (N,) int8: `SURE`, `UNSURE`, `ABSENT` or `UNSEEN`.
        chosen: (N,) which of the frame's people it is, -1 for nobody.
        scale: usual size of the patient, about the width of the shoulders, px; 0 if never found.
    """

    times_s: Array
    points: Array
    quality: NDArray[np.int8]
    chosen: NDArray[np.int64]
    scale: float


def track_patient(detections: Detections, line: Timeline, region: Region | None = None) -> PatientTrack:
    """Follow the patient through a recording.

    Args:
        region: the bed, if it is known: left, top, width, height as shares of the picture.
    """
    frames = detections.frames
    # Who shows at least two points, by number.
    named = [np.flatnonzero((found[..., 2] >= FOUND).sum(axis=1) >= 2) for found in detections.people]
    people = [found[numbers] for found, numbers in zip(detections.people, named, strict=True)]
    total = len(line.times_s)
    points = np.zeros((total, len(JOINTS), 3))
    quality = np.full(total, UNSEEN, np.int8)
    chosen = np.full(total, NOBODY, np.int64)
    quality[frames] = ABSENT
    path, costs, scale = _path(people, line.times_s[frames], (line.info.width, line.info.height), region)
    for place, who in enumerate(path):
        if who == NOBODY:
            continue
        frame, persons = int(frames[place]), people[place]
        points[frame], chosen[frame] = persons[who], named[place][who]
        quality[frame] = UNSURE if _doubtful(persons, costs[place], int(who), scale) else SURE
    return PatientTrack(line.times_s, points, quality, chosen, scale)


def _path(
    people: list[Array], times_s: Array, size: tuple[int, int], region: Region | None
) -> tuple[NDArray[np.int64], list[Array], float]:
    """Return who the patient is (K,), the cost of every candidate, and the usual size."""
    # Everybody of all frames at once, then apart again: most frames hold one or two people.
    flat = np.concatenate([np.zeros((0, len(JOINTS), 3)), *people])
    sizes = _scales(flat)
    upright = _standing(flat, sizes)
    sure = flat[..., 2].mean(axis=1) * (1 - 0.5 * upright)
    edges = np.cumsum([len(found) for found in people])[:-1]
    places, scales, standing, weights = (
        np.split(part, edges) for part in (_places(flat), sizes, upright, sure)
    )
    usual = usual_place(places, scales, weights, size, region) if people else None
    if usual is None:
        return np.full(len(people), NOBODY, np.int64), [np.zeros(len(found)) for found in people], 0.0
    passed = np.diff(times_s)
    pairs = zip(people, people[1:], passed, strict=False)
    changes = [_change(before, now, usual.scale, seconds) for before, now, seconds in pairs]
    path, costs = followed(
        places, scales, times_s, usual, changes, [_STANDING_COST * stands for stands in standing]
    )
    return path, costs, usual.scale


def _places(people: Array) -> Array:
    """Return the middle of neck and shoulders, (P, 2), or of all points where these are not found."""
    seen = people[..., 2] >= FOUND
    trunk = seen & np.isin(np.arange(len(JOINTS)), _TRUNK)
    use = np.where(trunk.any(axis=1, keepdims=True), trunk, seen)
    count = np.maximum(use.sum(axis=1), 1)[:, None]
    return np.asarray((people[..., :2] * use[..., None]).sum(axis=1) / count)


def _scales(people: Array) -> Array:
    """Return the size of each person in px: about the shoulders' width, also where they are foreshortened.

    Rough lengths of an adult in shoulder widths: neck to hips 1.4, neck to nose 0.6, upper arm 0.8. The
    largest found counts, as foreshortening only shortens.
    """
    lengths = [
        _length(people, "RShoulder", "LShoulder"),
        _length(people, "Neck", "MidHip") / 1.4,
        _length(people, "Neck", "Nose") / 0.6,
        _length(people, "RShoulder", "RElbow") / 0.8,
        _length(people, "LShoulder", "LElbow") / 0.8,
    ]
    spots = np.where(people[..., 2:] >= FOUND, people[..., :2], np.nan)
    with np.errstate(all="ignore"):
        extent = (np.nanmax(spots, axis=1) - np.nanmin(spots, axis=1)).max(axis=1, initial=0.0)
    largest = np.max(lengths, axis=0)
    return np.asarray(np.where(largest > 0, largest, np.maximum(extent / 2, 1.0)))


def _length(people: Array, first: str, second: str) -> Array:
    ends = people[:, [JOINT[first], JOINT[second]]]
    seen = (ends[..., 2] >= FOUND).all(axis=1)
    return np.asarray(np.linalg.norm(ends[:, 0, :2] - ends[:, 1, :2], axis=1) * seen)


def _standing(people: Array, scales: Array) -> Array:
    """Return 1 for each person whose leg hangs straight down, as of somebody standing, else 0."""
    result = np.zeros(len(people))
    for side in "RL":
        hip, ankle = people[:, JOINT[f"{side}Hip"]], people[:, JOINT[f"{side}Ankle"]]
        seen = (hip[:, 2] >= FOUND) & (ankle[:, 2] >= FOUND)
        drop, aside = ankle[:, 1] - hip[:, 1], np.abs(ankle[:, 0] - hip[:, 0])
        result[seen & (drop > 1.5 * scales) & (drop > 3 * aside)] = 1.0
    return result


def _change(before: Array, now: Array, scale: float, passed_s: float) -> Array:
    """Return the cost (Pa, Pb) of being the same person: the mean way of the joints seen both times."""
    shared = (before[:, None, :, 2] >= FOUND) & (now[None, :, :, 2] >= FOUND)
    way = np.linalg.norm(before[:, None, :, :2] - now[None, :, :, :2], axis=-1)
    count = shared.sum(axis=-1)
    mean = (way * shared).sum(axis=-1) / np.maximum(count, 1)
    # A joint of a shaking patient moves about half a shoulder width between two frames at 10 Hz.
    cost = np.minimum(mean / scale / (0.3 + 2.0 * passed_s), 3.0)
    return np.asarray(np.where(count > 0, cost, 1.0))


def _doubtful(people: Array, costs: Array, who: int, scale: float) -> bool:
    """Return whether the chosen one may be somebody else, or shows too little."""
    if costs[who] > _DOUBTFUL_COST or (people[who, :, 2] >= FOUND).sum() < _FEWEST_JOINTS:
        return True
    others = np.delete(np.arange(len(people)), who)
    if not others.size:
        return False
    apart = np.linalg.norm(_places(people[others]) - _places(people[who : who + 1]), axis=1)
    return bool(((costs[others] - costs[who] < _CLOSE_RIVAL) & (apart < scale)).any())
