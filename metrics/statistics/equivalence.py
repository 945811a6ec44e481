"""Is a paraphrase harmless? Two one-sided tests, with a margin that was fixed before looking.

A difference that is not significant shows nothing: the data may just be few. "Harmless" is claimed only if
the whole 90 % interval of the difference lies within the margin (Schuirmann 1987). Patients, not recordings,
are the independent units.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy.stats import t as student

from semiology.metrics.arrays import Bools, Codes, Floats
from semiology.metrics.statistics.intervals import bootstrap_estimate

DEFAULT_MARGIN = 0.05
"""Largest harmless difference of accuracy unless another is fixed beforehand: five points."""
NAN = float("nan")
Verdict = Literal["equivalent", "not equivalent", "undecided"]
# recordings, patients, discordant recordings
Counts = tuple[int, int, int]


@dataclass(frozen=True)
class Equivalence:
    """Result of two one-sided tests on a paired difference (variant minus reference).

    Attributes:
        difference: the difference. low, high: limits of its 1 - 2 alpha interval (90 % for alpha 0.05); NaN
            if it cannot be estimated.
        margin: largest difference that counts as harmless, fixed beforehand. alpha: level of each test.
        p_value: the larger of the two one-sided p-values; equivalence is claimed below alpha. NaN if none.
        verdict: ``equivalent`` if the interval lies within the margin, ``not equivalent`` if wholly outside,
            else ``undecided``.
        n, n_patients: recordings and patients. n_discordant: recordings about which the wordings differ.
        reason: why nothing can be said, else None.
    """

    difference: float
    low: float
    high: float
    margin: float
    alpha: float
    p_value: float
    verdict: Verdict
    n: int
    n_patients: int
    n_discordant: int
    reason: str | None = None


def accuracy_equivalence(
    variant: Bools, reference: Bools, patient: Codes, *, margin: float, alpha: float = 0.05
) -> Equivalence:
    """Test whether a wording's accuracy is equivalent to the reference's, on the same recordings.

    Args:
        variant, reference, patient: whether each answer is right, and its patient's position, shape (n,).
        margin: largest harmless difference, as a share (0.05 = five points); fix it before the run.
        alpha: level of each one-sided test.

    The difference of shares has the cluster-robust variance of a ratio of patient sums with C/(C-1), and t
    with C-1 degrees of freedom. The variance is never below that of independent recordings with one
    more recording discordant either way (Bonett and Price, Journal of Educational and Behavioral Statistics
    37 (2012) 479-488), because a handful of discordant recordings hides its own variance. Where no recording is
    discordant there is no variance to estimate; then the largest share of discordant patients that C of them
    still allow (the exact binomial bound 1 - alpha^(1/C), with Kish's effective C) is the half-width of the
    interval: 3 patients who agree prove little.

    Raises:
        ValueError: lengths differ, or margin or alpha is out of range.

    >>> same = np.ones(60, dtype=bool)
    >>> accuracy_equivalence(same, same, np.arange(60), margin=0.05).verdict
    'equivalent'
    >>> accuracy_equivalence(same[:3], same[:3], np.arange(3), margin=0.05).verdict
    'undecided'
    """
    _check(margin, alpha)
    if not len(variant) == len(reference) == len(patient):
        raise ValueError("variant, reference and patient differ in length → give one value per recording")
    d = variant.astype(np.float64) - reference.astype(np.float64)
    n, discordant = len(d), int(np.count_nonzero(d))
    sizes = np.bincount(patient).astype(np.float64)
    sums, sizes = np.bincount(patient, weights=d)[sizes > 0], sizes[sizes > 0]
    clusters = len(sizes)
    counts = (n, clusters, discordant)
    value = float(d.mean()) if n else NAN
    if clusters < 2:
        few = "the recordings come from fewer than two patients"
        return _decided(value, NAN, NAN, margin, alpha, NAN, counts, few)
    if discordant == 0:
        effective = n**2 / float((sizes**2).sum())
        reach = 1 - alpha ** (1 / effective)
        return _decided(0.0, -reach, reach, margin, alpha, (1 - margin) ** effective, counts)
    between = clusters / (clusters - 1) * float(((sums - value * sizes) ** 2).sum()) / n**2
    # That of independent recordings, with one more difference of -1 and one of 1.
    independent = float((np.abs(d).sum() + 2) / (n + 2) - (d.sum() / (n + 2)) ** 2) / (n + 2)
    error = float(np.sqrt(max(between, independent)))
    freedom = clusters - 1
    reach = float(student.ppf(1 - alpha, freedom)) * error
    above = float(student.sf((value + margin) / error, freedom))
    below = float(student.cdf((value - margin) / error, freedom))
    return _decided(value, value - reach, value + reach, margin, alpha, max(above, below), counts)


def score_equivalence(
    value: float,
    resampled: Floats,
    *,
    margin: float,
    n: int,
    n_patients: int,
    n_discordant: int,
    alpha: float = 0.05,
) -> Equivalence:
    """Test the equivalence of a score that is no mean (F1, balanced accuracy) by the patient bootstrap.

    Args:
        value: difference of the scores on the data. resampled: the difference in each resample, shape (B,),
            drawn with `intervals.patient_weights`; undefined resamples (NaN) are left out.
        margin, alpha: as in `accuracy_equivalence`.
        n, n_patients, n_discordant: recordings, patients, recordings about which the wordings differ.

    The interval is that of `intervals.bootstrap_estimate` at 1 - 2 alpha; the p-value is the larger share of
    resamples beyond either end of the margin, at least 1 / (B + 1). Without a discordant recording the
    bootstrap sees no variance, and nothing is claimed.

    Raises:
        ValueError: margin or alpha is out of range.
    """
    _check(margin, alpha)
    counts = (n, n_patients, n_discordant)
    estimate = bootstrap_estimate(value, resampled, n=n, n_patients=n_patients, level=1 - 2 * alpha)
    if estimate.low is None or estimate.high is None:
        reason = estimate.reason or "not estimable"
        return _decided(value, NAN, NAN, margin, alpha, NAN, counts, reason)
    defined = resampled[~np.isnan(resampled)]
    beyond = max(int((defined <= -margin).sum()), int((defined >= margin).sum()))
    p_value = (beyond + 1) / (len(defined) + 1)
    return _decided(value, estimate.low, estimate.high, margin, alpha, p_value, counts)


def _check(margin: float, alpha: float) -> None:
    if not 0 < margin < 1:
        raise ValueError(f"the margin must lie between 0 and 1 (0.05 is five points), not {margin}")
    if not 0 < alpha < 0.5:
        raise ValueError(f"alpha must lie between 0 and 0.5, not {alpha}")


def _decided(
    value: float,
    low: float,
    high: float,
    margin: float,
    alpha: float,
    p_value: float,
    counts: Counts,
    reason: str | None = None,
) -> Equivalence:
    verdict: Verdict = "undecided"
    if -margin < low and high < margin:
        verdict = "equivalent"
    elif low >= margin or high <= -margin:
        verdict = "not equivalent"
    return Equivalence(value, low, high, margin, alpha, p_value, verdict, *counts, reason)
