"""Where right and wrong come from: wordings, their families, patients, recordings, or their interplay."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from semiology.metrics.arrays import Bools, Codes, Floats, ratio
from semiology.metrics.statistics.intervals import patient_weights

SHARES = (
    "family",
    "wording_in_family",
    "patient",
    "recording_in_patient",
    "family_by_recording",
    "wording_by_recording",
)


# Permutations held in memory at a time.
_CHUNK = 200


@dataclass(frozen=True)
class FamilyShare:
    """One family of wordings: how many, their mean accuracy, and their part of the family share (0 to 1)."""

    family: str
    wordings: int
    accuracy: float
    share: float


@dataclass(frozen=True)
class VarianceShares:
    """Shares of the variance of right and wrong.

    Attributes:
        shares: by name of `SHARES`; they sum to 1. Empty if nothing varies.
        families: each family's own part of ``shares["family"]``.
    """

    shares: dict[str, float]
    families: tuple[FamilyShare, ...]


def variance_shares(right: Bools, families: Sequence[str], patient: Codes) -> VarianceShares:
    """Split the variance of right (1) and wrong (0) over wordings × recordings, shape (K, n), every cell filled.

    Families are those of the wordings, length K, ``patient`` is each recording's, shape (n,). The sums of squares of a
    full two-way table, wordings nested in families and recordings in patients, are orthogonal and are given as shares
    of the total. "family" and "wording_in_family" are differences of accuracy; the two "by_recording" shares are
    answers that turn with the wording on single recordings without a gain overall, and hold the noise. Shares describe
    these wordings and recordings; they are biased upwards for sources with many levels.

    Raises:
        ValueError: shapes do not agree, or there is no cell.
    """
    y = np.asarray(right, dtype=np.float64)
    if y.ndim != 2 or y.size == 0 or len(families) != y.shape[0] or len(patient) != y.shape[1]:
        raise ValueError(
            f"right has the shape {y.shape}; give a family per wording and a patient per recording"
        )
    names, family = np.unique(np.asarray(families, dtype=str), return_inverse=True)
    grand, by_wording, by_recording = y.mean(), y.mean(1), y.mean(0)
    by_family, in_family = _means(y, family)
    family_mean = by_family.mean(1)
    by_patient, in_patient = _means(by_recording[:, None], patient)
    parts = in_family * (family_mean - grand) ** 2 * y.shape[1]
    interplay = by_family - family_mean[:, None] - by_recording + grand
    crossed = float((in_family[:, None] * interplay**2).sum())
    residual = float(((y - by_wording[:, None] - by_recording + grand) ** 2).sum())
    recordings = y.shape[0] * float(((by_recording - grand) ** 2).sum())
    patients = y.shape[0] * float((in_patient * (by_patient[:, 0] - grand) ** 2).sum())
    wordings = y.shape[1] * float(((by_wording - grand) ** 2).sum())
    sums = (
        float(parts.sum()),
        wordings - float(parts.sum()),
        patients,
        recordings - patients,
        crossed,
        residual - crossed,
    )
    total = float(((y - grand) ** 2).sum())
    # Rounding can leave a difference a hair below 0.
    shares = {name: max(s / total, 0.0) for name, s in zip(SHARES, sums, strict=True)} if total > 0 else {}
    found = tuple(
        FamilyShare(str(name), int(size), float(mean), float(part / total) if total > 0 else 0.0)
        for name, size, mean, part in zip(names, in_family, family_mean, parts, strict=True)
    )
    return VarianceShares(shares, found)


def two_way_bootstrap(per_wording: Floats, seed: int) -> Floats:
    """Return mean scores over wordings when the wordings are drawn anew too, shape (B,).

    ``per_wording`` has the score of each wording in each resample of patients, shape (B, K). Each patient
    resample meets its own draw of K wordings with replacement (Owen, Annals of Applied Statistics 1 (2007)
    386-411: the pigeonhole bootstrap, on the safe side). The interval is wider than over patients alone, and right
    where the wordings stand for all that might have been written. Only for means over wordings (AvgP, mean F1): a
    wording drawn twice agrees with itself, so agreement and Worst@m would come out too high.
    """
    draws = patient_weights(per_wording.shape[1], per_wording.shape[0], np.random.default_rng(seed))
    defined = ~np.isnan(per_wording)
    weight = np.where(defined, draws, 0.0)
    return ratio((weight * np.nan_to_num(per_wording)).sum(1), weight.sum(1))


def wording_permutation_test(
    right: Bools, patient: Codes, *, permutations: int = 2000, seed: int = 0
) -> tuple[float, float]:
    """Return (p-value, expected spread) if the wordings were interchangeable.

    The names of the wordings in ``right`` (K, n) are permuted within each ``patient`` (n,), all recordings of a
    patient together; the statistic is the variance of the wordings' accuracies. The p-value is (1 + draws at least
    as extreme) / (1 + draws): is any wording different? It takes the place of Cochran's Q, which holds recordings
    for independent. The second number is the mean best-minus-worst accuracy over the draws: the spread that noise
    alone makes, to be read beside the spread observed. (1, 0) for one wording.
    """
    counts, _ = _means(np.asarray(right, dtype=np.float64).T, patient)
    sizes = np.bincount(np.unique(patient, return_inverse=True)[1])
    sums = counts * sizes[:, None]
    rng = np.random.default_rng(seed)
    observed = sums.sum(0).var()
    extreme, spreads = 0, 0.0
    for start in range(0, permutations, _CHUNK):
        size = min(_CHUNK, permutations - start)
        drawn = rng.permuted(np.broadcast_to(sums, (size, *sums.shape)), axis=2).sum(1)
        extreme += int((drawn.var(-1) >= observed * (1 - 1e-9)).sum())
        spreads += float(np.ptp(drawn, axis=1).sum())
    return (1 + extreme) / (1 + permutations), spreads / permutations / right.shape[1]


def _means(y: Floats, groups: npt.NDArray[np.intp] | Codes) -> tuple[Floats, Floats]:
    """Return the means of the rows of each group, and the group sizes."""
    _, place = np.unique(groups, return_inverse=True)
    sizes = np.bincount(place).astype(np.float64)
    sums = np.zeros((len(sizes), y.shape[1]))
    np.add.at(sums, place, y)
    return sums / sizes[:, None], sizes
