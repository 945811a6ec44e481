"""Bridge short gaps in the path of a keypoint, drop jumps of one frame, and take the jitter out.

The filter is that of Savitzky and Golay (Anal. Chem. 36 (1964) 1627), a parabola fitted to the neighbouring
points, written so that it holds for frames at uneven distances and weighs each point by its confidence:
`scipy.signal.savgol_filter` can do neither. Where frames are even and all points sure, both are the same.
"""

from __future__ import annotations

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

Array = NDArray[np.float64]

_BLOCK = 2048
"""Frames fitted at once: an hour's would need hundreds of megabytes."""


def without_jumps(points: Array, found: NDArray[np.bool_], limit_px: float) -> NDArray[np.bool_]:
    """Return ``found`` less the points that jump away for one frame.

    Args:
        points: (N, J, 2) px.
        found: (N, J).
        limit_px: a point farther than this from both neighbours, while these are nearer to each other than
            half of it, is an error of the estimator (sides swapped, another person's hand).
    """
    if len(points) < 3:
        return found.copy()
    before, here, after = points[:-2], points[1:-1], points[2:]
    known = found[:-2] & found[1:-1] & found[2:]
    away = np.minimum(np.linalg.norm(here - before, axis=-1), np.linalg.norm(here - after, axis=-1))
    jump = known & (away > limit_px) & (np.linalg.norm(after - before, axis=-1) < limit_px / 2)
    kept = found.copy()
    kept[1:-1] &= ~jump
    return kept


def bridged(
    points: Array, found: NDArray[np.bool_], times_s: Array, longest_s: float
) -> tuple[Array, NDArray[np.bool_]]:
    """Fill gaps of at most ``longest_s`` s between two points found, along a straight line in time.

    Args:
        points: (N, J, 2) px.
        found: (N, J).
        times_s: (N,) s.
        longest_s: time between the last point before and the first one after a gap.

    Returns:
        The points, filled, and where there is a point now, (N, J).
    """
    filled, known = points.copy(), found.copy()
    for joint in range(points.shape[1]):
        at = np.flatnonzero(found[:, joint])
        if at.size < 2:
            continue
        after = np.searchsorted(at, np.arange(len(times_s)))
        inner = (after > 0) & (after < at.size)
        left, right = at[np.maximum(after - 1, 0)], at[np.minimum(after, at.size - 1)]
        gap = inner & ~found[:, joint] & (times_s[right] - times_s[left] <= longest_s + 1e-9)
        for axis in range(points.shape[2]):
            line = np.interp(times_s[gap], times_s[at], points[at, joint, axis])
            filled[gap, joint, axis] = line
        known[gap, joint] = True
    return filled, known


def smoothed(points: Array, weights: Array, times_s: Array, half_window_s: float) -> Array:
    """Return the values at each time of parabolas fitted to the points at most ``half_window_s`` away.

    Args:
        points: (N, J, D); D values of J points, such as x and y in px.
        weights: (N, J), 0 for a point that is not there.
        times_s: (N,) s, ascending.
        half_window_s: half the width of the window, s. With 0.085 s, five frames at 25 or 30 per s, movements
            at 3 Hz keep 97 % of their extent and those at 5 Hz 85 %.

    Returns:
        (N, J, D). Points without weight are returned as they are; where fewer than four points lie in the
        window there is nothing to smooth, and the point stays.
    """
    earliest = np.searchsorted(times_s, times_s - half_window_s - 1e-6)
    # how many frames before or after one can lie in its window
    reach = int((np.arange(len(times_s)) - earliest).max(initial=0))
    result = points.copy()
    for first in range(0, len(points) if reach else 0, _BLOCK):
        last = first + _BLOCK
        begin = max(0, first - reach)
        part = slice(begin, last + reach)
        block = _smoothed_block(points[part], weights[part], times_s[part], half_window_s, reach)
        result[first:last] = block[first - begin : last - begin]
    return result


def _smoothed_block(points: Array, weights: Array, times_s: Array, half_window_s: float, reach: int) -> Array:
    """Return what `smoothed` does, all at once; ``reach`` frames on each side suffice for any window."""
    shape = points.shape
    flat = np.concatenate([points, weights[..., None]], axis=2).reshape(len(points), -1)
    padded = np.pad(flat, ((reach, reach), (0, 0)))
    near = sliding_window_view(padded, 2 * reach + 1, axis=0).reshape(shape[0], shape[1], -1, 2 * reach + 1)
    clock = np.pad(times_s, reach, constant_values=np.inf)
    lag = sliding_window_view(clock, 2 * reach + 1) - times_s[:, None]
    inside = np.abs(lag) <= half_window_s + 1e-6
    lag = np.where(inside, lag, 0.0) / half_window_s
    result = points.copy()
    powers = np.stack([np.ones_like(lag), lag, lag**2], axis=1)
    for joint in range(shape[1]):
        weight = near[:, joint, -1] * inside
        enough = ((weight > 0).sum(axis=1) >= 4) & (weights[:, joint] > 0)
        if enough.any():
            result[enough, joint] = _fit(powers[enough], weight[enough], near[enough, joint, :-1])
    return result


def _fit(powers: Array, weight: Array, values: Array) -> Array:
    """Return the constant, (n, D), of parabolas: powers of lags (n, 3, W), weight (n, W), values (n, D, W)."""
    weighted = powers * weight[:, None]
    normal = weighted @ powers.transpose(0, 2, 1)
    normal += 1e-9 * np.trace(normal, axis1=1, axis2=2)[:, None, None] * np.eye(3)
    right = weighted @ values.transpose(0, 2, 1)
    return np.asarray(np.linalg.solve(normal, right)[:, 0])
