"""The patient sign-flip test: are two conditions exchangeable within each patient?

If two conditions do not differ, it is a matter of chance which of a patient's two sets of answers carries
which name. The test gives the names anew, patient by patient and for all recordings and features of a patient
at once, and asks how often the difference becomes as large as the one seen. Nothing is assumed about
recordings of one patient, and features keep their correlation, which max-T needs.

Source: Westfall and Young, Resampling-Based Multiple Testing (1993), algorithm 2.8 (step-down max-T);
Phipson and Smyth, Statistical Applications in Genetics and Molecular Biology 9 (2010) 39, for the p-value of
random draws.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from semiology.metrics.confusion import Floats

FLIPS = 10_000
_TIES = 1e-9
"""Differences closer than this are one and the same: they come from counts."""


@dataclass(frozen=True)
class Flips:
    """Signs that give the names anew.

    Attributes:
        signs: +1 (as it was) or -1 (exchanged), shape (B, P).
        exact: whether all possibilities are enumerated, each once.
        n_deciding: patients about whom the conditions differ at all; the others cannot speak.
    """

    signs: Floats
    exact: bool
    n_deciding: int

    @property
    def smallest_p(self) -> float:
        """Smallest p-value that the test can give."""
        least = 2.0 ** (1 - self.n_deciding) if self.n_deciding else 1.0
        return least if self.exact else max(least, 1 / (len(self.signs) + 1))


def draw_flips(differs: np.ndarray[tuple[int, ...], np.dtype[np.bool_]], flips: int, seed: int) -> Flips:
    """Return the signs for patients: all of them if that takes no more than ``flips``, else random ones.

    Args:
        differs: whether the conditions differ about a patient, shape (P,).
        flips: number of draws.
        seed: of the draws.

    Raises:
        ValueError: fewer than 100 draws.
    """
    if flips < 100:
        raise ValueError(f"{flips} sign flips are too few for a p-value → use 100 or more")
    deciding = np.flatnonzero(differs)
    k = len(deciding)
    if 2**k <= flips:
        codes = np.arange(2**k)[:, None]
        drawn = 1.0 - 2.0 * ((codes >> np.arange(k)) & 1)
    else:
        drawn = np.random.default_rng(seed).integers(0, 2, size=(flips, k)) * 2.0 - 1.0
    signs = np.ones((len(drawn), len(differs)))
    signs[:, deciding] = drawn
    return Flips(signs, 2**k <= flips, k)


def exchanged(first: Floats, second: Floats, flips: Flips) -> tuple[Floats, Floats]:
    """Return the tables of both conditions under each draw, summed over patients.

    Args:
        first, second: tables per patient, shape (P, ...).

    Returns:
        Two arrays of shape (B, ...). The truth is the same in all of them.
    """
    shape = first.shape[1:]
    total = (first + second).sum(0).reshape(1, -1)
    turned = flips.signs @ (second - first).reshape(len(first), -1)
    return (
        ((total - turned) / 2).reshape(-1, *shape),
        ((total + turned) / 2).reshape(-1, *shape),
    )


def flip_p_value(observed: Floats, flipped: Floats, *, exact: bool) -> Floats:
    """Return two-sided p-values.

    Args:
        observed: differences seen, shape (F,). flipped: differences under each draw, shape (B, F).
        exact: whether the draws are all possibilities; otherwise the data count as one more draw.

    NaN where a difference is undefined.
    """
    as_large = (np.abs(flipped) >= np.abs(observed) - _TIES).sum(0).astype(np.float64)
    p = as_large / len(flipped) if exact else (as_large + 1) / (len(flipped) + 1)
    return np.where(np.isnan(observed), np.nan, p)


def max_t_p_value(observed: Floats, flipped: Floats, *, exact: bool) -> Floats:
    """Return p-values adjusted for all features together, by step-down max-T.

    Each difference is divided by its own spread under the draws, so that rare signs, whose scores jump, do
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
    p = as_large / len(drawn) if exact else (as_large + 1) / (len(drawn) + 1)
    adjusted = np.maximum.accumulate(p)
    result[at[order]] = adjusted
    return result
