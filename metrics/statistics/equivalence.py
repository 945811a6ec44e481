"""Is a paraphrase harmless? Two one-sided tests, with a margin that was fixed before looking.

A difference that is not significant shows nothing: the data may just be few. "Harmless" is claimed only if
the whole 90 % interval of the difference lies within the margin (Schuirmann 1987). Patients, not recordings,
are the independent units, and the claim must survive one more of them who contradicts it wholly: where few patients
differ, those not yet seen decide. Without that patient the error on the margin was up to 35 % instead of 5 % on
redrawn patients of the published S3 answers (`benchmarks/error_rates/equivalence_error.py`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from scipy.stats import t as student

from semiology.metrics.arrays import Bools, Codes, Floats
from semiology.metrics.scores.counts import TRUTHS
from semiology.metrics.statistics.intervals import FEWEST_EFFECTIVE, effective_patients, few_patients, uneven
from semiology.metrics.statistics.jackknife import jackknife_error

DEFAULT_MARGIN = 0.05
"""Largest harmless difference unless another is fixed beforehand: five points."""
NAN = float("nan")
RATES = {"yes": "recall", "no": "specificity", "na": "recall of NA"}
"""What the share of right answers is called among the recordings of a true class."""
Verdict = Literal["equivalent", "not equivalent", "undecided"]
# recordings, patients, discordant recordings
Counts = tuple[int, int, int]


@dataclass(frozen=True)
class Equivalence:
    """Result of two one-sided tests on a paired difference (variant minus reference).

    Attributes:
        difference: the difference. low, high: the limits that the two tests leave (1 - 2 alpha: 90 % for alpha
            0.05); NaN if it cannot be estimated.
        margin: largest difference that counts as harmless, fixed beforehand. alpha: level of each test.
        p_value: the larger of the two one-sided p-values; equivalence is claimed below alpha. NaN if none.
        verdict: ``equivalent`` if the interval lies within the margin, ``not equivalent`` if wholly outside,
            else ``undecided``.
        n, n_patients: recordings and patients. n_discordant: recordings about which the wordings differ.
        reason: why nothing can be said, else None.
        p_beyond: p-value of "beyond the margin", the opposite claim.
        rate: what the figures are about: the rate that is farthest from equivalence, if several were tested.
        p_adjusted: ``p_value`` adjusted for all wordings and features tested together (`adjust_for_family`).
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
    p_beyond: float = NAN
    rate: str = ""
    p_adjusted: float = NAN


def share_equivalence(
    variant: Bools, reference: Bools, patient: Codes, *, margin: float, alpha: float = 0.05
) -> Equivalence:
    """Test whether the share of right answers is equivalent under two wordings, on the same recordings.

    Args:
        variant, reference, patient: whether each answer is right, and its patient's position, shape (n,).
        margin: largest harmless difference, as a share (0.05 = five points); fix it before the run.
        alpha: level of each one-sided test.

    Each test adds one patient about whom the two differ in every recording, in the direction that it must exclude, of
    the size of the patient that a random recording belongs to. The difference of shares then has the variance of the
    patient jackknife, never below that of independent recordings with one more recording discordant either way
    (Bonett and Price, Journal of Educational and Behavioral Statistics 37 (2012) 479-488), and t with Kish's effective
    number of patients minus 1 degrees of freedom.

    Raises:
        ValueError: lengths differ, or margin or alpha is out of range.

    >>> same = np.ones(150, dtype=bool)
    >>> share_equivalence(same, same, np.arange(150), margin=0.05).verdict
    'equivalent'
    >>> share_equivalence(same[:3], same[:3], np.arange(3), margin=0.05).verdict
    'undecided'
    """
    _check(margin, alpha)
    if not len(variant) == len(reference) == len(patient):
        raise ValueError("variant, reference and patient differ in length → give one value per recording")
    d = variant.astype(np.float64) - reference.astype(np.float64)
    sizes = np.bincount(patient).astype(np.float64)
    sums, sizes = np.bincount(patient, weights=d)[sizes > 0], sizes[sizes > 0]
    n, counts = len(d), (len(d), len(sizes), int(np.count_nonzero(d)))
    value = float(d.mean()) if n else NAN
    if len(sizes) < 2:
        few = "the recordings come from fewer than two patients"
        return _decided(value, (NAN, NAN), (NAN, NAN), NAN, margin, alpha, counts, few)
    # That of independent recordings, with one more difference of -1 and one of 1.
    least = float((np.abs(d).sum() + 2) / (n + 2) - (d.sum() / (n + 2)) ** 2) / (n + 2)
    more = float((sizes**2).sum() / n)
    ends, errors, freedom = [], [], NAN
    for sign in (-1.0, 1.0):
        total, whole = np.append(sums, sign * more), np.append(sizes, more)
        left_out = (total.sum() - total) / (whole.sum() - whole)
        errors.append(max(jackknife_error(left_out), float(np.sqrt(least))))
        ends.append(float(total.sum() / whole.sum()))
        freedom = effective_patients(whole) - 1
    return _decided(value, (ends[0], ends[1]), (errors[0], errors[1]), freedom, margin, alpha, counts)


def wording_equivalence(
    variant: Bools, reference: Bools, truth: Codes, patient: Codes, *, margin: float, alpha: float = 0.05
) -> Equivalence:
    """Test whether each true class is recognised as often under two wordings: recall and specificity.

    Args:
        variant, reference: whether each answer is right, shape (n,).
        truth, patient: each recording's true class (position in `scores.counts.TRUTHS`) and patient, shape (n,).
        margin, alpha: as in `share_equivalence`.

    Every class must be shown equivalent at ``alpha`` (intersection-union test, Berger 1982), so the error is at most
    ``alpha`` without further adjustment. Balanced accuracy, the mean of these rates, is then within the margin too;
    accuracy is not the question, as of a rare feature it hardly falls when "no" is answered throughout. The figures
    are those of the class that is farthest from equivalence. A truth of one class only decides nothing.

    >>> truth, rare = np.arange(400) % 2, np.arange(400) % 20 == 0
    >>> wording_equivalence(~rare, ~rare, truth, np.arange(400), margin=0.05).verdict
    'equivalent'
    """
    _check(margin, alpha)
    found = []
    for code in sorted(set(truth.tolist())):
        own = truth == code
        sizes = np.bincount(patient[own]).astype(np.float64)
        few = few_patients(int((sizes > 0).sum())) or uneven(effective_patients(sizes))
        tested = share_equivalence(variant[own], reference[own], patient[own], margin=margin, alpha=alpha)
        if few is not None:
            told = f"{RATES[TRUTHS[code]]}: {few}"
            tested = replace(tested, p_value=NAN, p_beyond=NAN, verdict="undecided", reason=told)
        found.append(replace(tested, rate=RATES[TRUTHS[code]]))
    n, patients = len(truth), len(set(patient.tolist()))
    discordant = int((variant != reference).sum())
    if len(found) < 2:
        missing = "the truth holds one class only, so recall and specificity are not both defined"
        every = (n, patients, discordant)
        return _decided(NAN, (NAN, NAN), (NAN, NAN), NAN, margin, alpha, every, missing)
    unknown = [each for each in found if each.reason is not None]
    worst = unknown[0] if unknown else max(found, key=lambda each: (each.p_value, abs(each.difference)))
    # Any class beyond the margin is enough for the opposite claim: Bonferroni over the classes.
    beyond = min(1.0, len(found) * min((each.p_beyond for each in found if each.reason is None), default=NAN))
    verdict: Verdict = "undecided"
    if beyond < alpha:
        verdict = "not equivalent"
    elif not unknown and worst.p_value < alpha:
        verdict = "equivalent"
    return replace(worst, verdict=verdict, p_beyond=beyond, n=n, n_patients=patients, n_discordant=discordant)


def adjust_for_family(tests: Sequence[Equivalence | None]) -> list[Equivalence | None]:
    """Return the tests with their p-values adjusted by Holm for all of them together, and verdicts to match.

    Over twenty wordings of eighteen features "equivalent" would otherwise be claimed wrongly somewhere as a rule.
    The opposite claim, "not equivalent", is adjusted as a family of its own.
    """
    from semiology.metrics.statistics.adjust import adjusted

    inside = adjusted(np.array([NAN if each is None else each.p_value for each in tests]), "holm")
    beyond = adjusted(np.array([NAN if each is None else each.p_beyond for each in tests]), "holm")
    result: list[Equivalence | None] = []
    for each, p, opposite in zip(tests, inside.tolist(), beyond.tolist(), strict=True):
        if each is None:
            result.append(None)
            continue
        verdict: Verdict = "equivalent" if p < each.alpha else "undecided"
        verdict = "not equivalent" if opposite < each.alpha else verdict
        result.append(replace(each, p_adjusted=p, p_beyond=opposite, verdict=verdict))
    return result


def score_equivalence(
    value: float,
    left_out: Floats,
    *,
    margin: float,
    effective: float,
    n: int,
    n_patients: int,
    n_discordant: int,
    alpha: float = 0.05,
    one_more: bool = False,
    withheld: str | None = None,
) -> Equivalence:
    """Test the equivalence of a score that is no share (F1, balanced accuracy) by the patient jackknife.

    Args:
        value: difference of the scores on the data. left_out: the difference without each patient, shape (P,).
        margin, alpha: as in `share_equivalence`.
        effective: Kish's effective number of patients, of which t has one degree of freedom less.
        n, n_patients, n_discordant: recordings, patients, recordings about which the wordings differ.
        one_more: whether each test adds one patient who contradicts it, who moves a score of one feature by as much
            as the share of an average patient. A mean over features is not moved so by one patient.
        withheld: why nothing may be claimed.

    Without a discordant recording the jackknife sees no variance, and nothing is claimed.

    Raises:
        ValueError: margin or alpha is out of range.
    """
    _check(margin, alpha)
    counts = (n, n_patients, n_discordant)
    error = jackknife_error(left_out)
    reason = withheld
    if reason is None and np.isnan(value):
        reason = "undefined"
    elif reason is None and not error > 0:
        reason = "the same whichever patient is left out"
    elif reason is None and effective < FEWEST_EFFECTIVE:
        reason = f"the recordings weigh like {effective:.1f} patients of equal size"
    if reason is not None:
        return _decided(value, (NAN, NAN), (NAN, NAN), NAN, margin, alpha, counts, reason)
    more = 1 / (effective + 1) if one_more else 0.0
    ends = (value * (1 - more) - more, value * (1 - more) + more)
    spread = [float(np.hypot(error * (1 - more), more * (1 - more) * (1 + sign * value))) for sign in (1, -1)]
    errors = (spread[0], spread[1]) if one_more else (error, error)
    return _decided(value, ends, errors, effective + one_more - 1, margin, alpha, counts)


def _check(margin: float, alpha: float) -> None:
    if not 0 < margin < 1:
        raise ValueError(f"the margin must lie between 0 and 1 (0.05 is five points), not {margin}")
    if not 0 < alpha < 0.5:
        raise ValueError(f"alpha must lie between 0 and 0.5, not {alpha}")


def _decided(
    value: float,
    ends: tuple[float, float],
    errors: tuple[float, float],
    freedom: float,
    margin: float,
    alpha: float,
    counts: Counts,
    reason: str | None = None,
) -> Equivalence:
    """Decide from the differences that the lower and the upper test look at, and their standard errors."""
    if reason is not None:
        return Equivalence(value, NAN, NAN, margin, alpha, NAN, "undecided", *counts, reason)
    reach = float(student.ppf(1 - alpha, freedom))
    low, high = ends[0] - reach * errors[0], ends[1] + reach * errors[1]
    above = float(student.sf((ends[0] + margin) / errors[0], freedom))
    below = float(student.cdf((ends[1] - margin) / errors[1], freedom))
    # The opposite claim is held against the same limits, those of the test on its side.
    beyond = min(float(student.sf((ends[0] - margin) / errors[0], freedom)),
                 float(student.cdf((ends[1] + margin) / errors[1], freedom)))  # fmt: skip
    verdict: Verdict = "undecided"
    if -margin < low and high < margin:
        verdict = "equivalent"
    elif low >= margin or high <= -margin:
        verdict = "not equivalent"
    return Equivalence(value, low, high, margin, alpha, max(above, below), verdict, *counts, None, beyond)
