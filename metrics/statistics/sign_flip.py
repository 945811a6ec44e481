"""The patient sign-flip test, for one difference and for a family of them.

If there is no difference, the sign of what a patient contributes to it (`paired.contributions`) is a matter
of chance. The test draws the signs anew, one for all recordings and features of a patient, and asks how often
the sum becomes as large as the one seen. Nothing is assumed about recordings of one patient, and features
keep their correlation, which max-T needs.

Source: Westfall and Young, Resampling-Based Multiple Testing (1993), algorithm 2.8 (step-down max-T);
Phipson and Smyth, Statistical Applications in Genetics and Molecular Biology 9 (2010) 39, for the p-value of
random draws.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt
from scipy.special import ndtri, stdtr

from semiology.metrics.arrays import Codes, Floats, ratio

FLIPS = 10_000
_ROWS = 64
"""Draws made at a time."""
_BLOCK = 4_000_000
"""Signs that are unpacked at a time."""
_RAREST = 1e-300
TAIL_FACTOR = 2.0
_TIES = 1e-9
"""Differences closer than this are one and the same: they come from counts."""


@dataclass(frozen=True)
class Flips:
    """Signs, +1 or -1, for the contributions of patients; ``exact``: each possibility once.

    ``packed`` holds a bit for each draw and patient, shape (B, P / 8 rounded up), so that the signs of 100,000
    patients fit into 125 MB; ``n_patients`` is P.
    """

    packed: npt.NDArray[np.uint8]
    n_patients: int
    exact: bool

    def __len__(self) -> int:
        """Return the number of draws."""
        return len(self.packed)

    def sums(self, own: Floats) -> Floats:
        """Return the sums of contributions (P, F) under each draw, shape (B, F)."""
        own = np.asarray(own, dtype=np.float64)
        result = np.empty((len(self), own.shape[1]))
        for start in range(0, len(self), rows := max(1, _BLOCK // max(self.n_patients, 1))):
            result[start : start + rows] = self.signs(slice(start, start + rows)) @ own
        return result

    def signs(self, rows: slice = slice(None)) -> Floats:
        """Return the signs of some draws, shape (b, P)."""
        bits = np.unpackbits(self.packed[rows], axis=1, count=self.n_patients)
        return bits.astype(np.float64) * 2 - 1

    def p_value(self, as_large: Floats) -> Floats:
        """Return p-values from the numbers of draws that are as large as the data, any shape.

        Random draws count the data as one more; among all possibilities the data and their mirror image
        are always as large.
        """
        if self.exact:
            return np.asarray(np.maximum(as_large, min(2, len(self))) / len(self))
        return np.asarray((as_large + 1) / (len(self) + 1))


@lru_cache(maxsize=4)
def draw_flips(n_patients: int, flips: int, seed: int) -> Flips:
    """Return the signs for patients: all of them if that takes no more than ``flips``, else random ones.

    Raises:
        ValueError: fewer than 100 draws.
    """
    if flips < 100:
        raise ValueError(f"{flips} sign flips are too few for a p-value → use 100 or more")
    if n_patients < 64 and 2**n_patients <= flips:
        codes = np.arange(2**n_patients)[:, None]
        bits = ((codes >> np.arange(n_patients)) & 1).astype(np.uint8)
        return Flips(np.packbits(1 - bits, axis=1), n_patients, exact=True)
    rng = np.random.default_rng(seed)
    packed = np.empty((flips, -(-n_patients // 8)), dtype=np.uint8)
    for start in range(0, flips, _ROWS):
        size = (min(_ROWS, flips - start), n_patients)
        packed[start : start + _ROWS] = np.packbits(rng.integers(0, 2, size=size, dtype=np.uint8), axis=1)
    return Flips(packed, n_patients, exact=False)


def smallest_p(n_deciding: Codes | int) -> Floats:
    """Return the smallest p-value that patients about whom two conditions differ can give: 2^(1 - n)."""
    return np.asarray(np.minimum(1.0, 2.0 ** (1.0 - np.asarray(n_deciding, dtype=np.float64))))


def flip_p_value(observed: Floats, flipped: Floats, flips: Flips) -> Floats:
    """Return two-sided p-values, each for itself; NaN where a difference is undefined.

    ``observed`` are the differences seen, shape (F,), ``flipped`` the sums under each draw, shape (B, F).
    """
    as_large = (np.abs(flipped) >= np.abs(observed) - _TIES).sum(0).astype(np.float64)
    return np.where(np.isnan(observed), np.nan, flips.p_value(as_large))


def max_t_p_value(observed: Floats, flipped: Floats, flips: Flips, freedom: Floats | None = None) -> Floats:
    """Return p-values adjusted for all features together, by step-down max-T.

    Each difference is divided by its own spread under the draws, so that rare features, whose scores jump, do
    not decide for all. Never below `flip_p_value`; NaN where undefined, and 1 where nothing differs.

    ``freedom``, shape (F,), are degrees of freedom of Student's t: a quotient seen counts as the normal one that is
    as rare. Signs alone make the tails of few or unequal patients too short, which does not matter at 5 % but does
    at the level that one of twenty features has: without it 6 to 8 % of studies claimed something
    (`benchmarks/error_rates/family_error.py`).
    """
    result: Floats = np.full(observed.shape, np.nan)
    at = np.flatnonzero(~np.isnan(observed))
    if not len(at):
        return result
    spread = np.sqrt((flipped[:, at] ** 2).mean(0))
    scale = np.where(spread > _TIES, spread, 1.0)
    seen, drawn = np.abs(observed[at]) / scale, np.abs(flipped[:, at]) / scale
    if freedom is not None and len(at) > 1:
        seen = np.where(spread > _TIES, -ndtri(np.maximum(stdtr(freedom[at], -seen), _RAREST)), 0.0)
    order = np.argsort(-seen, kind="stable")
    # The j-th largest is held against the largest of itself and all smaller ones.
    largest = np.maximum.accumulate(drawn[:, order][:, ::-1], axis=1)[:, ::-1]
    as_large = (largest >= seen[order] - _TIES).sum(0).astype(np.float64)
    result[at[order]] = np.maximum.accumulate(flips.p_value(as_large))
    return np.fmax(result, flip_p_value(observed, flipped, flips))


def tail_freedom(own: Floats) -> Floats:
    """Return degrees of freedom for the sums of contributions (P, F), shape (F,): 2 (sum c^2)^2 / sum c^4.

    The quotient is the number of patients divided by the kurtosis: fewer where a few patients contribute most. The
    factor 2, `TAIL_FACTOR`, was chosen on half of the patients and three models of the published S3 answers and judged
    on the others and on simulated answers (`benchmarks/error_rates/family_error.py`; table in docs/results/compare.md).
    """
    squares, fourths = (own**2).sum(0), (own**4).sum(0)
    return np.asarray(np.maximum(TAIL_FACTOR * ratio(squares**2, fourths), 1.0))
