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

import numpy as np

from semiology.metrics.arrays import Codes, Floats

FLIPS = 10_000
_TIES = 1e-9
"""Differences closer than this are one and the same: they come from counts."""


@dataclass(frozen=True)
class Flips:
    """Signs, +1 or -1, for the contributions of patients, shape (B, P); ``exact``: each possibility once."""

    signs: Floats
    exact: bool

    def p_value(self, as_large: Floats) -> Floats:
        """Return p-values from the numbers of draws that are as large as the data, any shape.

        Random draws count the data as one more; among all possibilities the data and their mirror image
        are always as large.
        """
        if self.exact:
            return np.asarray(np.maximum(as_large, min(2, len(self.signs))) / len(self.signs))
        return np.asarray((as_large + 1) / (len(self.signs) + 1))


def draw_flips(n_patients: int, flips: int, seed: int) -> Flips:
    """Return the signs for patients: all of them if that takes no more than ``flips``, else random ones.

    Raises:
        ValueError: fewer than 100 draws.
    """
    if flips < 100:
        raise ValueError(f"{flips} sign flips are too few for a p-value → use 100 or more")
    if n_patients < 64 and 2**n_patients <= flips:
        codes = np.arange(2**n_patients)[:, None]
        signs = 1 - 2 * ((codes >> np.arange(n_patients)) & 1)
        return Flips(signs.astype(np.float64), exact=True)
    drawn = np.random.default_rng(seed).integers(0, 2, size=(flips, n_patients), dtype=np.int8)
    return Flips(drawn.astype(np.float64) * 2 - 1, exact=False)


def smallest_p(n_deciding: Codes | int) -> Floats:
    """Return the smallest p-value that patients about whom two conditions differ can give: 2^(1 - n)."""
    return np.asarray(np.minimum(1.0, 2.0 ** (1.0 - np.asarray(n_deciding, dtype=np.float64))))


def flip_p_value(observed: Floats, flipped: Floats, flips: Flips) -> Floats:
    """Return two-sided p-values, each for itself; NaN where a difference is undefined.

    ``observed`` are the differences seen, shape (F,), ``flipped`` the sums under each draw, shape (B, F).
    """
    as_large = (np.abs(flipped) >= np.abs(observed) - _TIES).sum(0).astype(np.float64)
    return np.where(np.isnan(observed), np.nan, flips.p_value(as_large))


def max_t_p_value(observed: Floats, flipped: Floats, flips: Flips) -> Floats:
    """Return p-values adjusted for all features together, by step-down max-T.

    Each difference is divided by its own spread under the draws, so that rare features, whose scores jump, do
    not decide for all. Never below `flip_p_value`; NaN where undefined, and 1 where nothing differs.
    """
    result: Floats = np.full(observed.shape, np.nan)
    at = np.flatnonzero(~np.isnan(observed))
    if not len(at):
        return result
    spread = np.sqrt((flipped[:, at] ** 2).mean(0))
    scale = np.where(spread > _TIES, spread, 1.0)
    seen, drawn = np.abs(observed[at]) / scale, np.abs(flipped[:, at]) / scale
    order = np.argsort(-seen, kind="stable")
    # The j-th largest is held against the largest of itself and all smaller ones.
    largest = np.maximum.accumulate(drawn[:, order][:, ::-1], axis=1)[:, ::-1]
    as_large = (largest >= seen[order] - _TIES).sum(0).astype(np.float64)
    result[at[order]] = np.maximum.accumulate(flips.p_value(as_large))
    return result
