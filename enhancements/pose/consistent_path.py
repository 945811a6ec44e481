"""Follow one person through frames that show several: the cheapest path through the candidates.

Two things speak for a candidate: being where the patient usually is (the bed), and continuing what was
followed before. Both are costs, and the path with the least sum is found exactly (Viterbi, IEEE Trans. Inf.
Theory 13 (1967) 260), so that a later certainty fixes an earlier doubt and two people who meet are told apart
by the whole recording. "Nobody" is a candidate in every frame: a caregiver alone in view is not taken for the
patient.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter, median_filter

Array = NDArray[np.float64]
Changes = Sequence[Array]
"""For each frame but the last (Pa, Pb): the cost of going from each candidate to each of the next frame."""

NOBODY = -1
NOBODY_COST = 2.2
"""Cost of a frame without the patient: one and a half shoulder widths away nobody is the patient."""
_LEAVE = 1.0
"""Cost of going from somebody to nobody, and back."""
_LINK = 0.5
_FEWEST_BESIDE, _OTHER_COST = 3, 3.0
_GRID = 48
_CENTRE_SIGMA = 0.35
_LOCAL_S = 30.0


@dataclass(frozen=True)
class Usual:
    """Where and how large the patient usually is.

    Attributes:
        places: (K, 2) x and y in px, frame by frame.
        scale: usual size in px.
    """

    places: Array
    scale: float


def usual_place(
    places: Sequence[Array],
    scales: Sequence[Array],
    weights: Sequence[Array],
    size: tuple[int, int],
    region: tuple[float, float, float, float] | None = None,
) -> Usual | None:
    """Return where somebody stays longest, a place near the middle of the picture preferred.

    Args:
        places: for each frame (P, 2), x and y in px.
        scales: for each frame (P,), sizes in px.
        weights: for each frame (P,), how sure and how patient-like each is, 0 to 1.
        size: width and height of the picture, px.
        region: the bed, if it is known: left, top, width and height as shares of the picture. Others then do
            not count at all.

    Returns:
        The same place for every frame, or None if nobody is found.
    """
    spots, sizes, worth = (np.concatenate(list(parts)) for parts in (places, scales, weights))
    share = spots / np.asarray(size)
    if region:
        corner, extent = np.array(region[:2]), np.array(region[2:])
        worth = worth * ((share >= corner) & (share <= corner + extent)).all(axis=1)
    else:
        worth = worth * np.exp(-(((share - 0.5) / _CENTRE_SIGMA) ** 2).sum(axis=1) / 2)
    known = (worth > 0) & (sizes > 0)
    if not known.any():
        return None
    spots, sizes, worth, share = spots[known], sizes[known], worth[known], share[known]
    cells = np.clip((share * _GRID).astype(int), 0, _GRID - 1)
    density = np.zeros((_GRID, _GRID))
    np.add.at(density, (cells[:, 0], cells[:, 1]), worth)
    spread = _GRID * float(np.median(sizes)) / max(size)
    density = gaussian_filter(density, max(1.0, 0.25 * spread), mode="constant")
    peak = (np.array(np.unravel_index(density.argmax(), density.shape)) + 0.5) / _GRID * size
    near = np.linalg.norm(spots - peak, axis=1) < 0.75 * sizes
    near = near if near.any() else np.ones(len(spots), bool)
    middle = np.median(spots[near], axis=0)
    return Usual(np.tile(middle, (len(places), 1)), float(np.median(sizes[near])))


def place_cost(places: Sequence[Array], scales: Sequence[Array], usual: Usual) -> list[Array]:
    """Return for each frame the cost (P,) of being away from the usual place or of another size.

    A distance costs its square in usual sizes (widths of the shoulders), as who lies in a bed shifts by less
    than one of them and who stands beside it is farther away; half as large again, or a third smaller,
    is 0.7.
    """
    result = []
    for spots, sizes, place in zip(places, scales, usual.places, strict=True):
        distance = np.linalg.norm(spots - place, axis=1) / usual.scale
        ratio = np.abs(np.log(np.maximum(sizes, 1e-6) / usual.scale)) / np.log(1.5)
        result.append(np.minimum(distance**2, 5.0) + 0.7 * np.minimum(ratio, 2.0))
    return result


def followed(
    places: Sequence[Array],
    scales: Sequence[Array],
    times_s: Array,
    usual: Usual,
    changes: Changes,
    further: Sequence[Array] | None = None,
) -> tuple[NDArray[np.int64], list[Array]]:
    """Return who the patient is in every frame, (K,), and for each frame the cost (P,) of every candidate.

    Args:
        places: for each frame (P, 2), x and y in px.
        scales: for each frame (P,), sizes in px.
        times_s: (K,) s.
        further: for each frame a further cost (P,) of each candidate.
    """
    path, costs = np.full(len(places), NOBODY, np.int64), [np.zeros(len(spots)) for spots in places]
    others = costs
    for _ in range(2):  # again, knowing who else is there, and the place as it moves with the camera
        costs = place_cost(places, scales, usual)
        if further is not None:
            costs = [cost + more for cost, more in zip(costs, further, strict=True)]
        path = cheapest_path([cost + other for cost, other in zip(costs, others, strict=True)], changes)
        others = cost_of_others(path, costs, changes)
        usual = local_usual(path, places, times_s, usual)
    return path, costs


def cheapest_path(costs: Sequence[Array], changes: Changes) -> NDArray[np.int64]:
    """Return which candidate is the patient in every frame, (K,); `NOBODY` where none is.

    Args:
        costs: for each frame (P,), the cost of each candidate.
    """
    if not costs:
        return np.zeros(0, np.int64)
    total = np.append(costs[0], NOBODY_COST)
    came: list[NDArray[np.intp]] = []
    for frame in range(1, len(costs)):
        before, now = len(costs[frame - 1]), len(costs[frame])
        step = np.full((before + 1, now + 1), _LEAVE)
        step[before, now] = 0.0
        if before and now:
            step[:before, :now] = changes[frame - 1]
        ways = total[:, None] + step
        came.append(ways.argmin(axis=0))
        total = ways.min(axis=0) + np.append(costs[frame], NOBODY_COST)
    path = np.empty(len(costs), np.int64)
    state = int(total.argmin())
    for frame in range(len(costs) - 1, -1, -1):
        path[frame] = state if state < len(costs[frame]) else NOBODY
        state = int(came[frame - 1][state]) if frame else state
    return path


def cost_of_others(path: NDArray[np.int64], costs: Sequence[Array], changes: Changes) -> list[Array]:
    """Return for each frame a further cost (P,) for who was mostly seen beside the one who was followed.

    Nobody is at two places at once: a candidate who can be linked without a doubt, from frame to frame, to
    others that stood beside the patient is somebody else, also while the patient is lost.

    Args:
        path: who was followed, (K,).
        costs: for each frame (P,).
    """
    names = [np.arange(len(costs[0]))] if costs else []
    count = len(names[0]) if names else 0
    for step, cost in zip(changes, costs[1:], strict=True):
        now = np.arange(count, count + len(cost))
        count += len(cost)
        if step.size:
            best = step.argmin(axis=0)
            linked = (step[best, np.arange(len(now))] < _LINK) & (
                step.argmin(axis=1)[best] == np.arange(len(now))
            )
            now[linked] = names[-1][best[linked]]
        names.append(now)
    beside, followed = np.zeros(count), np.zeros(count)
    for who, named in zip(path, names, strict=True):
        if who != NOBODY:
            beside[np.delete(named, who)] += 1
            followed[named[who]] += 1
    others = (beside > followed) & (beside >= _FEWEST_BESIDE)
    return [np.asarray(_OTHER_COST * others[named], np.float64) for named in names]


def local_usual(path: NDArray[np.int64], places: Sequence[Array], times_s: Array, usual: Usual) -> Usual:
    """Return the usual place as it moves with camera or bed: the median over half a minute of the path."""
    followed = np.array(
        [spots[who] if who != NOBODY else (np.nan, np.nan) for spots, who in zip(places, path, strict=True)]
    )
    known = np.flatnonzero(~np.isnan(followed[:, 0]))
    if known.size < 2:
        return usual
    interval = float(np.median(np.diff(times_s))) if len(times_s) > 1 else 1.0
    length = max(1, min(len(path), round(_LOCAL_S / max(interval, 1e-3))))
    filled = np.stack(
        [np.interp(np.arange(len(path)), known, followed[known, axis]) for axis in (0, 1)], axis=1
    )
    # About a hundred points of each window are enough for its median.
    stride = max(1, length // 100)
    coarse = median_filter(filled[::stride], size=(max(1, length // stride), 1), mode="nearest")
    at = np.arange(0, len(filled), stride)
    places_now = [np.interp(np.arange(len(filled)), at, coarse[:, axis]) for axis in (0, 1)]
    return Usual(np.stack(places_now, axis=1), usual.scale)
