"""Simulated answers of two models to the recordings of a real set of patients.

Patients are drawn, with all their recordings, from those of a recording set: the sizes of patients and how
features gather in them are the set's own. Answers are drawn from a model with two numbers beside the rates: how
alike the answers about one patient's recordings are, and how often the two models differ.

Whether an answer is right is decided by a normal variable that has a part of its own for each patient
(share tau) and is correlated between the models (r), both for patients and for recordings. tau is set so that
right and wrong have the intra-patient correlation wanted, r so that the share of recordings about which
exactly one model is right is the discordance wanted.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.optimize import brentq
from scipy.stats import multivariate_normal, norm

from semiology.metrics.arrays import Codes, Floats
from semiology.metrics.paired.tables import PairedTables
from semiology.metrics.scores.counts import NO, YES

CORRELATION = 0.28
DISCORDANCE = 0.23
"""Medians over the published S3 models and features: what is assumed where no pilot tells."""
_CLOSEST = 0.999


@dataclass(frozen=True)
class Patients:
    """Recordings of each patient with and without a feature, two arrays of shape (P,)."""

    positive: Codes
    negative: Codes

    @property
    def prevalence(self) -> float:
        """Share of recordings that show the feature."""
        return float(self.positive.sum() / (self.positive.sum() + self.negative.sum()))

    @property
    def recordings_per_patient(self) -> float:
        """Mean number of recordings of a patient."""
        return float((self.positive + self.negative).mean())


@dataclass(frozen=True)
class AnswerModel:
    """How two models answer.

    Attributes:
        first, second: sensitivity and specificity of each.
        correlation: intra-patient correlation of right and wrong. discordance: share of recordings about
            which exactly one model is right, as near to the wanted one as the rates allow.
        tau, r: of the module text.
    """

    first: tuple[float, float]
    second: tuple[float, float]
    correlation: float
    discordance: float
    tau: float
    r: float


def f1_of_rates(sensitivity: float, specificity: float, prevalence: float) -> float:
    """Return the F1 that these rates give at a prevalence."""
    hit, false_alarm = prevalence * sensitivity, (1 - prevalence) * (1 - specificity)
    return 2 * hit / (hit + false_alarm + prevalence)


def answer_model(
    rates: tuple[float, float],
    delta: float,
    prevalence: float,
    *,
    correlation: float = CORRELATION,
    discordance: float = DISCORDANCE,
) -> AnswerModel:
    """Return a pair of models that differ by ``delta`` in F1.

    Args:
        rates: sensitivity and specificity of the first model.
        delta: F1 of the second minus the first, 0 or more; the second makes fewer errors of both kinds, by
            the same factor.
        prevalence: share of recordings with the feature.
        correlation, discordance: as in `AnswerModel`.

    Raises:
        ValueError: a number is out of range, or the first model leaves no room for ``delta``.
    """
    named = {"sensitivity": rates[0], "specificity": rates[1], "prevalence": prevalence}
    for name, value in named.items():
        if not 0 < value < 1:
            raise ValueError(f"{name} is {value:.3g} → it must lie between 0 and 1, both excluded")
    if not 0 <= correlation < 1 or not 0 <= discordance < 1:
        raise ValueError("correlation and discordance must be at least 0 and below 1")
    base = f1_of_rates(*rates, prevalence)
    if not 0 <= delta < 1 - base:
        raise ValueError(
            f"a difference of {delta:g} cannot be: the first model has an F1 of {base:.3f} → use less than "
            f"{1 - base:.3f}"
        )

    def improved(k: float) -> tuple[float, float]:
        return rates[0] + k * (1 - rates[0]), rates[1] + k * (1 - rates[1])

    k = 0.0
    if delta > 0:
        k = float(brentq(lambda k: f1_of_rates(*improved(k), prevalence) - base - delta, 0.0, 1.0))
    second = improved(k)
    right = prevalence * rates[0] + (1 - prevalence) * rates[1]
    tau = 0.0
    if correlation > 0:
        # The share of variance between patients that gives a 0/1 variable of this mean the correlation.
        both_right = right * right + correlation * right * (1 - right)
        tau = _correlation_for(lambda share: _both(right, right, share), both_right)
    r = _correlation_for(lambda shared: _discordance(rates, second, prevalence, shared), discordance)
    reached = _discordance(rates, second, prevalence, r)
    return AnswerModel(rates, second, correlation, reached, tau, r)


def simulate_tables(
    patients: Patients, n_patients: int, model: AnswerModel, rng: np.random.Generator, feature: str
) -> PairedTables:
    """Draw patients with replacement and answers of both models to their recordings."""
    drawn = rng.integers(0, len(patients.positive), size=n_patients)
    counts = np.stack([patients.positive[drawn], patients.negative[drawn]], axis=1)
    patient = np.repeat(np.arange(n_patients), counts.sum(1))
    truth = np.concatenate([np.repeat([YES, NO], pair) for pair in counts]) if len(patient) else patient
    common = [rng.normal(size=size) for size in (n_patients, len(patient))]
    tables, right = [], []
    for rates in (model.first, model.second):
        own = [rng.normal(size=len(part)) for part in common]
        mixed = [np.sqrt(model.r) * a + np.sqrt(1 - model.r) * b for a, b in zip(common, own, strict=True)]
        z = np.sqrt(model.tau) * mixed[0][patient] + np.sqrt(1 - model.tau) * mixed[1]
        hit = z < norm.ppf(np.where(truth == YES, *rates))
        answer = np.where(hit, truth, 1 - truth)
        flat = (patient * 3 + truth) * 4 + answer
        tables.append(np.bincount(flat, minlength=n_patients * 12).reshape(n_patients, 1, 3, 4).astype(float))
        right.append(hit)
    changed = np.bincount(patient[right[0] != right[1]], minlength=n_patients)[:, None].astype(np.float64)
    only = [np.array([int((a & ~b).sum())], dtype=np.int64) for a, b in (right, right[::-1])]
    names = tuple(f"p{i}" for i in range(n_patients))
    return PairedTables(names, (feature,), tables[0], tables[1], changed, only[0], only[1])


def correctness_correlation(right: Floats, whole: Floats) -> float:
    """Return the intra-patient correlation of right answers, the mean over pairs of a patient's recordings.

    ``right`` and ``whole`` are a patient's right answers and recordings, shape (P,). Between 0 (also where no
    patient has two recordings, or all answers are right or wrong) and 1.
    """
    mean = float(right.sum() / whole.sum())
    pairs = float((whole * (whole - 1)).sum())
    if pairs == 0 or mean in (0.0, 1.0):
        return 0.0
    # Sum over pairs of (a - mean)(b - mean), from the sums of each patient.
    squares = right * (1 - mean) ** 2 + (whole - right) * mean**2
    products = ((right - mean * whole) ** 2 - squares).sum()
    return float(np.clip(products / pairs / (mean * (1 - mean)), 0.0, 1.0))


def _both(p: float, q: float, correlation: float) -> float:
    """Return the chance that two correlated normal variables lie below the quantiles of p and q."""
    limits = [float(norm.ppf(p)), float(norm.ppf(q))]
    return float(multivariate_normal.cdf(limits, cov=[[1.0, correlation], [correlation, 1.0]]))


def _discordance(a: tuple[float, float], b: tuple[float, float], prevalence: float, r: float) -> float:
    shares = (prevalence, 1 - prevalence)
    return sum(s * (p + q - 2 * _both(p, q, r)) for s, p, q in zip(shares, a, b, strict=True))


def _correlation_for(value: Callable[[float], float], wanted: float) -> float:
    """Return the correlation, from 0 to almost 1, at which a monotone function is nearest to what is wanted."""
    at_none, at_most = value(0.0) - wanted, value(_CLOSEST) - wanted
    if at_none * at_most >= 0:
        return 0.0 if abs(at_none) <= abs(at_most) else _CLOSEST
    return float(brentq(lambda correlation: value(correlation) - wanted, 0.0, _CLOSEST, xtol=1e-4))
