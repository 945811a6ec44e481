"""Patient-clustered 95 % intervals.

Recordings of one patient resemble each other (median intra-patient correlation of correctness 0.28 in the
published S3 answers, design effect 2.65), so intervals that treat recordings as independent cover 75-80 %
instead of 95 %. Proportions and F1 are ratios of patient sums: they get a logit interval with a cluster-robust
variance. Other scores of counting tables are computed without each patient in turn (`jackknife`). Student's t has
Kish's effective number of patients minus 1 degrees of freedom, for patients who hold most recordings decide alone:
30 patients of whom one has 200 of 229 recordings weigh like 1.3. What is neither gets a bootstrap over patients, and
`patient_weights` is the only place where patients are drawn. `benchmarks/error_rates/interval_coverage.py` measures
all of them.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy.special import expit, logit, ndtr, stdtrit

from semiology.metrics.arrays import Floats
from semiology.render.text import counted

MIN_POSITIVE_PATIENTS = 10
MIN_EFFECTIVE_PATIENTS = 5
"""A score that needs recordings with (or without) a feature has no interval if they weigh like fewer patients."""
FEWEST_EFFECTIVE = 2.0
"""Whatever weighs like fewer patients of equal size has no interval: one patient then decides alone."""
RESAMPLES = 2000
# 90th percentile of the intra-patient correlations measured on the published S3 answers: used only where the
# data cannot tell, that is at 0 % and 100 %.
ASSUMED_CORRELATION = 0.45

LOGIT_T = "logit cluster t"
WILSON = "patient-level Wilson"
BOOTSTRAP = "patient bootstrap"


@dataclass(frozen=True)
class Estimate:
    """A score with its interval, or with the reason why it has none.

    Attributes:
        value: the point estimate; NaN if undefined.
        low, high: limits of the 95 % interval, None if not estimable.
        method: how the interval was made.
        n, n_patients: recordings and patients behind the value.
        reason: why there is no interval.
        caution: what to keep in mind where there is one.
        undefined_share: share of bootstrap resamples in which the score was undefined.
    """

    value: float
    low: float | None
    high: float | None
    method: str
    n: int
    n_patients: int
    reason: str | None = None
    caution: str | None = None
    undefined_share: float = 0.0

    @property
    def estimable(self) -> bool:
        """Whether there is an interval."""
        return self.low is not None


def not_estimable(value: float, method: str, n: int, n_patients: int, reason: str) -> Estimate:
    """Return an estimate that keeps its value and says why it has no interval."""
    return Estimate(value, None, None, method, n, n_patients, reason)


def few_patients(n_patients: int) -> str | None:
    """Return a caution if a score rests on fewer than `MIN_POSITIVE_PATIENTS` patients."""
    return f"only {n_patients} patients" if n_patients < MIN_POSITIVE_PATIENTS else None


def effective_patients(weights: Floats) -> float:
    """Return Kish's effective number of patients, (sum w)^2 / sum w^2; 0 without any weight.

    Source: Kish, Survey Sampling (1965), section 11.7.

    >>> effective_patients(np.ones(30)), round(effective_patients(np.array([200.0, *[1] * 29])), 2)
    (30.0, 1.31)
    """
    squares = float((weights**2).sum())
    return float(weights.sum() ** 2 / squares) if squares else 0.0


def uneven(effective: float, what: str = "the recordings") -> str | None:
    """Return why a score has no interval if its patients weigh like fewer than `MIN_EFFECTIVE_PATIENTS`."""
    few = effective < MIN_EFFECTIVE_PATIENTS
    return (
        f"{what} weigh like {effective:.1f} patients of equal size, fewer than {MIN_EFFECTIVE_PATIENTS}"
        if few
        else None
    )


def few_showing(n_patients: int) -> str | None:
    """Return a caution if fewer patients than `MIN_POSITIVE_PATIENTS` show any of the features of a macro mean."""
    few = n_patients < MIN_POSITIVE_PATIENTS
    return f"patients who show any of the features: only {n_patients}" if few else None


def too_few(with_feature: int | None, without: int | None) -> str | None:
    """Return why a score has no interval, by the patients with and without the feature; None if it has one.

    A number is None where the score does not need such patients.

    >>> too_few(1, 30)
    'recordings with the feature come from 1 patient, fewer than 10'
    """
    for patients, which in ((with_feature, "with"), (without, "without")):
        if patients is not None and patients < MIN_POSITIVE_PATIENTS:
            come_from = f"recordings {which} the feature come from {counted(patients, 'patient')}"
            return f"{come_from}, fewer than {MIN_POSITIVE_PATIENTS}"
    return None


def proportion_estimate(part: Floats, whole: Floats, *, level: float = 0.95) -> Estimate:
    """Return a proportion with its patient-clustered interval.

    Args:
        part, whole: successes and trials per patient, shape (P,); patients with no trial are ignored.
        level: coverage aimed at.

    The variance is that of a ratio of patient totals with the factor C/(C-1), never below the binomial one (a
    design effect under 1 is noise with few patients); the interval is built on the logit scale with t of Kish's
    effective number of patients minus 1 degrees of freedom. At 0 % and 100 % it is Wilson's, with n divided by
    the design effect 1 + (m - 1) * 0.45, where m is the size of the patient that a random recording belongs to.

    >>> found = proportion_estimate(np.array([2.0, 0, 1, 3]), np.array([3.0, 1, 2, 3]))
    >>> round(found.value, 3), round(found.low, 3), round(found.high, 3)
    (0.667, 0.134, 0.963)
    """
    part, whole = np.asarray(part, dtype=np.float64), np.asarray(whole, dtype=np.float64)
    n, patients = int(whole.sum()), int((whole > 0).sum())
    if patients == 0:
        return not_estimable(float("nan"), LOGIT_T, 0, 0, "no recording to count")
    return _ratio_estimate(part, whole, 1.0, n=n, n_patients=patients, level=level)


def f1_estimate(
    tp: Floats,
    fp: Floats,
    fn: Floats,
    *,
    n: int,
    n_patients: int,
    level: float = 0.95,
    withheld: str | None = None,
) -> Estimate:
    """Return F1 with the interval of `proportion_estimate`, of which it is the case 2 TP of 2 TP + FP + FN.

    Args:
        tp, fp, fn: counts of each patient, shape (P,).
        n, n_patients: recordings and patients behind the score, those of true negatives among them.
        level: coverage aimed at. withheld: why the interval must not be given.

    NaN if the feature is never present. An F1 of 1 gets Wilson's interval over the true positives.

    >>> one = f1_estimate(np.ones(20), np.zeros(20), np.zeros(20), n=40, n_patients=20)
    >>> one.value, round(one.low, 2), one.high
    (1.0, 0.82, 1.0)
    """
    if not (tp + fn).sum():
        return not_estimable(
            float("nan"), LOGIT_T, n, n_patients, withheld or "undefined: no recording shows the feature"
        )
    return _ratio_estimate(
        2 * tp, 2 * tp + fp + fn, 2.0, n=n, n_patients=n_patients, level=level, withheld=withheld
    )


def _ratio_estimate(
    part: Floats,
    whole: Floats,
    hit: float,
    *,
    n: int,
    n_patients: int,
    level: float,
    withheld: str | None = None,
) -> Estimate:
    """Return ``sum(part) / sum(whole)``; a recording that hits counts ``hit`` in both, another 1 in ``whole``."""
    part, whole = part[whole > 0], whole[whole > 0]
    value, effective = float(part.sum() / whole.sum()), effective_patients(whole)
    reason = withheld or _too_uneven(len(whole), effective)
    if reason is not None:
        return not_estimable(value, LOGIT_T, n, n_patients, reason)
    quantile, caution = t_quantile(level, effective), uneven(effective)
    if value in (0.0, 1.0):
        recordings = whole / hit
        own_size = (recordings**2).sum() / recordings.sum()
        count = recordings.sum() / (1 + (own_size - 1) * ASSUMED_CORRELATION)
        # Wilson's limits have a short form at 0 % and 100 %.
        reach = float(quantile**2 / (count + quantile**2))
        low, high = (0.0, reach) if value == 0 else (1 - reach, 1.0)
        return Estimate(value, low, high, WILSON, n, n_patients, caution=caution)
    error = np.sqrt(cluster_variance(part, whole, hit)) / (value * (1 - value))
    low, high = expit(logit(value) + np.array([-1.0, 1.0]) * quantile * error)
    return Estimate(value, float(low), float(high), LOGIT_T, n, n_patients, caution=caution)


def cluster_variance(part: Floats, whole: Floats, hit: float = 1.0) -> float:
    """Return the cluster-robust variance of ``sum(part) / sum(whole)``, at least that of independent recordings.

    A recording that hits counts ``hit`` in both sums, another 1 in ``whole``; for proportions ``hit`` is 1.
    """
    total, clusters = whole.sum(), len(whole)
    value = part.sum() / total
    between = clusters / (clusters - 1) * ((part - value * whole) ** 2).sum()
    independent = hit * part.sum() * (1 - value) ** 2 + (whole - part).sum() * value**2
    return float(max(between, independent) / total**2)


def _too_uneven(patients: int, effective: float) -> str | None:
    if patients == 1:
        return "all recordings come from one patient"
    if effective < FEWEST_EFFECTIVE:
        return f"the recordings weigh like {effective:.1f} patients of equal size: one patient holds most of them"
    return None


def t_quantile(level: float, patients: float) -> float:
    """Return the two-sided quantile of Student's t with ``patients`` (effective ones as a rule) minus 1 degrees."""
    return float(stdtrit(patients - 1, (1 + level) / 2))


def patient_weights(n_patients: int, resamples: int, rng: np.random.Generator) -> Floats:
    """Return how often each patient is drawn, shape (resamples, n_patients); rows sum to n_patients."""
    if n_patients == 0:
        return np.zeros((resamples, 0))
    drawn = rng.multinomial(n_patients, np.full(n_patients, 1 / n_patients), size=resamples)
    return np.asarray(drawn, dtype=np.float64)


def resampled_tables(counts: Floats, weights: Floats) -> Floats:
    """Return the tables of each resample: counts (P, ...) and weights (B, P) give (B, ...)."""
    # Not -1: a model without a single answer has no table.
    flat = counts.reshape(len(counts), math.prod(counts.shape[1:]))
    return (weights @ flat).reshape(len(weights), *counts.shape[1:])


def bootstrap_estimate(
    value: float,
    resampled: Floats,
    *,
    n: int,
    n_patients: int,
    level: float = 0.95,
    caution: str | None = None,
    undefined: str = "no recording shows the feature",
    withheld: str | None = None,
) -> Estimate:
    """Return a score with the percentile interval of its patient resamples.

    The percentiles are widened for few patients (Hesterberg 2015, expanded percentile interval): instead of
    2.5 % the level is Phi(-t * sqrt(C / (C - 1))) with t of C-1 degrees of freedom. Resamples in which the
    score is undefined (NaN) are left out and their share is reported.

    Args:
        value, resampled: score on the data themselves, and of each resample, shape (B,).
        n, n_patients: recordings and patients behind the score.
        level: coverage aimed at.
        caution: remark to carry along.
        undefined, withheld: why there is no score where there is none; why the interval must not be given.
    """
    defined = resampled[~np.isnan(resampled)]
    share = 1 - len(defined) / len(resampled) if len(resampled) else 0.0
    reason = withheld
    if reason is None and np.isnan(value):
        reason = f"undefined: {undefined}"
    elif reason is None and n_patients < 2:
        reason = "all recordings come from one patient"
    elif reason is None and len(defined) == 0:
        reason = "undefined in every resample"
    elif reason is None and np.ptp(defined) == 0:
        reason = "the same in every resample, as for constant answers"
    if reason is not None:
        return not_estimable(value, BOOTSTRAP, n, n_patients, reason)
    tail = ndtr(-np.sqrt(n_patients / (n_patients - 1)) * t_quantile(level, n_patients))
    low, high = np.quantile(defined, [tail, 1 - tail])
    return Estimate(value, float(low), float(high), BOOTSTRAP, n, n_patients, None, caution, share)
