"""What P(yes) is worth: does it rank, is it honest, and what does a rule of one's own make of it?

AUROC: the chance that a recording with the feature has the higher score than one without (ties count half; Hanley and
McNeil, Radiology 143 (1982) 29-36). Average precision: scikit-learn's definition. Brier score: mean squared distance
of score and truth, 0 is best. Rules (thresholds, referral) are those of `operating_points`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from semiology.metrics.arrays import Bools, Codes, Floats, ratio
from semiology.metrics.scores.operating_points import (
    ERROR,
    SPECIFICITY,
    OperatingPoints,
    operating_points,
    risk_coverage,
)
from semiology.metrics.statistics.bootstrap import patient_codes
from semiology.metrics.statistics.intervals import (
    Estimate,
    effective_patients,
    proportion_estimate,
    too_few,
    uneven,
)
from semiology.metrics.statistics.jackknife import jackknife_estimate

BINS = 10
CURVE_STEPS = 50
"""Points of a risk-coverage curve that are kept: one for each two per cent of the recordings."""
AP_GROUPS = 200
"""Average precision leaves out patients one by one up to this number, and more patients in as many groups (Kott,
Journal of Official Statistics 17 (2001) 521)."""
_BLOCK = 2_000_000
"""Weights of recordings that are held at a time."""


@dataclass(frozen=True)
class Bin:
    """Recordings of like P(yes): its mean, the share that shows the feature, and how many they are."""

    mean: float
    share: Estimate
    n: int


@dataclass(frozen=True)
class ProbabilityScores:
    """Scores of one feature's P(yes) over recordings.

    Attributes:
        auroc, average_precision, brier: with the interval of leaving out each patient.
        prevalence: share of recordings with the feature: the average precision of chance.
        points: rules, chosen on some patients and scored on others.
        calibration: equally wide bins that hold any recording: the reliability diagram.
        risk_coverage: coverage, share wrong of the recordings covered and confidence passed, surest answers first.
        n, n_patients: recordings and patients.
    """

    auroc: Estimate
    average_precision: Estimate
    brier: Estimate
    prevalence: float
    points: OperatingPoints
    calibration: tuple[Bin, ...]
    risk_coverage: tuple[tuple[float, float, float], ...]
    n: int
    n_patients: int


def probability_scores(
    truth: Bools,
    score: Floats,
    patients: Sequence[str],
    *,
    shown: Bools | None = None,
    any_yes: Bools | None = None,
    choosing: Bools | None = None,
    tested: Bools | None = None,
    specificity: float = SPECIFICITY,
    error: float = ERROR,
) -> ProbabilityScores:
    """Return the scores of P(yes) of recordings.

    Args:
        truth: whether the feature is there, shape (n,). score: P(yes) of the recording, shape (n,), without NaN.
        patients: patient of each recording.
        shown: recordings that AUROC, average precision, Brier score, bins and curve are about, where nothing is chosen;
            all of them by default.
        any_yes, choosing, tested, specificity, error: as in `operating_points.operating_points`.

    Raises:
        ValueError: lengths differ, a score lies outside 0 to 1, or those of `operating_points`.

    >>> truth = np.arange(60) % 3 == 0
    >>> found = probability_scores(truth, np.where(truth, 0.4, 0.1), [f"p{i // 2}" for i in range(60)])
    >>> found.auroc.value, found.points.any_yes_f1.value, found.points.own_threshold_f1.value
    (1.0, 0.0, 1.0)
    """
    if not len(truth) == len(score) == len(patients):
        raise ValueError(
            f"{len(truth)} truths, {len(score)} scores and {len(patients)} patients → give one of each"
        )
    if len(score) and not (np.min(score) >= 0 and np.max(score) <= 1):
        raise ValueError("a score lies outside 0 to 1, or is missing → give probabilities")
    codes, _ = patient_codes(patients)
    points = operating_points(
        truth, score, codes, any_yes=any_yes, choosing=choosing, tested=tested, specificity=specificity,
        error=error,
    )  # fmt: skip
    if shown is not None:
        truth, score, codes = truth[shown], score[shown], np.unique(codes[shown], return_inverse=True)[1]
    count = int(codes.max()) + 1 if len(codes) else 0
    positive, negative = (
        np.bincount(codes[truth == c], minlength=count).astype(float) for c in (True, False)
    )
    few = few_to_rank(positive, negative)
    n, whole = len(truth), positive + negative
    value, left_out = auroc_without_each(truth, score, codes, count)
    effective = min(map(effective_patients, (positive, negative)))

    def ranked(value: float, left_out: Floats) -> Estimate:
        return jackknife_estimate(
            value, left_out, effective=effective, scale="share", undefined=ONE_CLASS, withheld=few, n=n,
            n_patients=count,
        )  # fmt: skip

    sums = np.bincount(codes, weights=(score - truth) ** 2, minlength=count)
    brier = jackknife_estimate(
        float(ratio(sums.sum(), whole.sum())), ratio(sums.sum() - sums, whole.sum() - whole),
        effective=effective_patients(whole), scale="share", undefined="no recording", n=n, n_patients=count,
    )  # fmt: skip
    return ProbabilityScores(
        ranked(value, left_out),
        ranked(*_average_precision(truth, score, codes, count)),
        brier,
        float(truth.mean()) if len(truth) else float("nan"),
        points,
        calibration(truth, score, codes, count),
        _curve(truth, score),
        n,
        count,
    )


ONE_CLASS = "the truth holds one class only"


def few_to_rank(positive: Floats, negative: Floats) -> str | None:
    """Return why a score that ranks has no interval, by patients' recordings with and without the feature, (P,)."""
    return (
        too_few(int((positive > 0).sum()), int((negative > 0).sum()))
        or uneven(effective_patients(positive), "recordings with the feature")
        or uneven(effective_patients(negative), "recordings without the feature")
    )


def calibration(truth: Bools, score: Floats, codes: Codes, count: int) -> tuple[Bin, ...]:
    """Return the `BINS` equally wide bins of P(yes), empty ones left out.

    ``codes``, shape (n,), are the patients of the recordings, from 0 to ``count`` - 1.
    """
    place = np.minimum((score * BINS).astype(int), BINS - 1)
    made = []
    for each in np.unique(place):
        own = place == each
        hits, whole = (np.bincount(codes[rows], minlength=count) for rows in (own & truth, own))
        share = proportion_estimate(hits.astype(np.float64), whole.astype(np.float64))
        made.append(Bin(float(score[own].mean()), share, int(own.sum())))
    return tuple(made)


def auroc_without_each(truth: Bools, score: Floats, codes: Codes, count: int) -> tuple[float, Floats]:
    """Return AUROC and, for each patient, AUROC without it, shape (count,); NaN where the truth holds one class only.

    A patient takes away its recordings' pairs with all others and, counted once, the pairs among its own.
    """
    values, ranks = np.unique(score, return_inverse=True)
    up, down = ranks[truth].astype(np.int64), ranks[~truth].astype(np.int64)
    of_up, of_down = codes[truth], codes[~truth]

    def wins(own: Codes, other: Codes) -> Floats:
        """Return how many of the others each one of its own exceeds, ties counted half."""
        ordered = np.sort(other)
        below, up_to = (np.searchsorted(ordered, own, side=side) for side in ("left", "right"))
        return np.asarray((below + up_to) / 2)

    def sums(of: Codes, weights: Floats | None = None) -> Floats:
        return np.bincount(of, weights=weights, minlength=count).astype(np.float64)

    by_up, by_down = wins(up, down), len(up) - wins(down, up)
    # Among a patient's own: ranks moved apart by patient; what all lower patients hold is taken off again.
    step, many, few = len(values), sums(of_up), sums(of_down)
    before = np.concatenate([[0.0], np.cumsum(few)])[:-1]
    inside = wins(up + of_up * step, down + of_down * step) - before[of_up]
    won = by_up.sum() - sums(of_up, by_up) - sums(of_down, by_down) + sums(of_up, inside)
    pairs = (len(up) - many) * (len(down) - few)
    return float(ratio(by_up.sum(), len(up) * len(down))), ratio(won, pairs)


def _average_precision(truth: Bools, score: Floats, codes: Codes, count: int) -> tuple[float, Floats]:
    """Return average precision, and without each patient (or group of patients, beyond `AP_GROUPS`)."""
    groups = min(count, AP_GROUPS)
    order = np.argsort(-score, kind="stable")
    shown, of = truth[order], codes[order] % groups
    ends = (
        np.flatnonzero(np.append(np.diff(score[order]) != 0, True)) if len(score) else np.zeros(0, dtype=int)
    )

    def precision(weights: Floats) -> Floats:
        hits = np.cumsum(weights * shown, axis=1)[:, ends]
        said = np.cumsum(weights, axis=1)[:, ends]
        gained = np.diff(hits, axis=1, prepend=0.0)
        sums = np.where(gained > 0, gained * ratio(hits, said), 0.0).sum(1)
        return ratio(sums, hits[:, -1] if len(ends) else np.zeros(len(weights)))

    left_out = np.empty(groups)
    for start in range(0, groups, rows := max(1, _BLOCK // max(len(truth), 1))):
        some = np.arange(start, min(start + rows, groups))
        left_out[some] = precision((of[None, :] != some[:, None]).astype(np.float64))
    return float(precision(np.ones((1, len(truth))))[0]), left_out


def _curve(truth: Bools, score: Floats) -> tuple[tuple[float, float, float], ...]:
    """Return the risk-coverage curve of any-yes, at most `CURVE_STEPS` points of it."""
    coverage, risk, cut = risk_coverage((score > 0.5) != truth, np.maximum(score, 1 - score))
    at = np.unique(np.searchsorted(coverage, np.linspace(1 / CURVE_STEPS, 1, CURVE_STEPS) - 1e-9))
    return tuple((float(coverage[i]), float(risk[i]), float(cut[i])) for i in at[at < len(coverage)])
