"""How loud sound is, piece by piece, and how much of it an enhancement took away.

Levels are mean squares of pieces of 0.4 s, in dB below full scale (dBFS). A recording's loud
pieces are found by the two gates of ITU-R BS.1770-4 (not those below -70 dBFS, then not those more than
10 dB below the mean of the others), without that standard's ear weighting and overlap, so that sound can be
measured while it streams by.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

PIECE_S = 0.4
SILENCE_DBFS = -60.0
"""A recording whose loudest piece lies below this is silent."""
MOST_GAIN_DB = 6.0
"""An enhanced recording is made louder or softer by no more than this."""
_ABSOLUTE_GATE_DBFS, _RELATIVE_GATE_DB = -70.0, -10.0
_FLOOR = 1e-15
_LOUD_DB, _ERASED_DB = 15.0, 12.0

Levels = NDArray[np.float64]


class LevelMeter:
    """Measures the level of consecutive pieces of sound that comes in blocks of any length."""

    def __init__(self, rate: int) -> None:
        self._size = round(PIECE_S * rate)
        self._rest = np.zeros(0, np.float32)
        self._squares: list[NDArray[np.float64]] = []
        self.peak = 0.0

    def add(self, samples: NDArray[np.float32]) -> None:
        """Hear the next samples, shape (samples,)."""
        if samples.size:
            self.peak = max(self.peak, float(np.abs(samples).max()))
        sound = np.concatenate([self._rest, samples])
        whole = sound.size // self._size * self._size
        pieces = sound[:whole].reshape(-1, self._size)
        self._squares.append(np.mean(np.square(pieces, dtype=np.float64), axis=1))
        self._rest = sound[whole:]

    def through(self, sound: Iterable[NDArray[np.float32]]) -> Iterable[NDArray[np.float32]]:
        """Hand blocks through, measuring them."""
        for samples in sound:
            self.add(samples)
            yield samples

    def levels(self) -> Levels:
        """Return the level of every piece in dBFS, shape (pieces,); a last short one counts too."""
        rest = [np.array([np.mean(np.square(self._rest, dtype=np.float64))])] if self._rest.size else []
        return 10 * np.log10(np.concatenate([np.zeros(0), *self._squares, *rest]) + _FLOOR)


def loud_pieces(levels: Levels) -> NDArray[np.bool_]:
    """Return which pieces pass both gates, shape (pieces,); none of a silent recording does."""
    heard = levels > _ABSOLUTE_GATE_DBFS
    if not heard.any():
        return heard
    return np.asarray(heard & (levels > mean_level(levels[heard]) + _RELATIVE_GATE_DB))


def mean_level(levels: Levels) -> float:
    """Return the level of some pieces together, dBFS; there must be at least one."""
    return float(10 * np.log10(np.mean(10 ** (levels / 10))))


def is_silent(levels: Levels) -> bool:
    """Return whether not even the loudest piece can be called sound."""
    return not levels.size or float(levels.max()) < SILENCE_DBFS


def matching_gain_db(before: Levels, after: Levels) -> float:
    """Return the gain that makes enhanced sound as loud as it was, dB, within ``MOST_GAIN_DB`` both ways.

    Compared are the pieces that are loud afterwards, so that noise which was rightly removed elsewhere is not
    brought back; 0 where nothing is left.
    """
    loud = loud_pieces(after)
    if not loud.any():
        return 0.0
    return float(np.clip(mean_level(before[loud]) - mean_level(after[loud]), -MOST_GAIN_DB, MOST_GAIN_DB))


def loud_and_erased(before: Levels, after: Levels) -> tuple[int, int]:
    """Count pieces that stood out from the background, and those of them that were almost taken away.

    A piece stands out if it is 15 dB louder than the quiet fifth of the recording and not silent; it counts
    as erased if it fell by more than 12 dB. An alarm should be erased, a groan should not; only a listener
    can tell.
    """
    background = float(np.quantile(before, 0.2)) if before.size else 0.0
    loud = (before > background + _LOUD_DB) & (before > SILENCE_DBFS)
    return int(loud.sum()), int((loud & (after < before - _ERASED_DB)).sum())
