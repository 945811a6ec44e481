"""What P(yes) is worth: does it rank, is it honest, and what does a threshold of one's own gain over any-yes?

AUROC: the chance that a recording with the feature has the higher score than one without (ties count half; Hanley and
McNeil, Radiology 143 (1982) 29-36). Average precision: scikit-learn's. Brier score: mean squared distance of score and
truth, 0 is best. A threshold is chosen by F1 on some patients and scored on the others, so its gain is no luck.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from sklearn.metrics import average_precision_score

from semiology.metrics.arrays import Bools, Codes, Floats, ratio
from semiology.metrics.statistics.bootstrap import patient_codes
from semiology.metrics.statistics.intervals import Estimate, effective_patients, f1_estimate, too_few, uneven
from semiology.metrics.statistics.jackknife import jackknife_estimate

GROUPS = 5
"""Groups of patients; each is scored with the threshold that the others chose."""
BINS = 10


@dataclass(frozen=True)
class ProbabilityScores:
    """Scores of one feature's P(yes) over recordings.

    Attributes:
        auroc, brier: with the interval of leaving out each patient. average_precision: a value.
        prevalence: share of recordings with the feature: the average precision of chance.
        any_yes_f1: F1 of a threshold of one half. own_threshold_f1: F1 of thresholds chosen on other patients.
        thresholds: those chosen, one for each group of patients.
        calibration: (mean score, share with the feature, recordings) of equally wide bins that hold any.
        n, n_patients: recordings and patients.
    """

    auroc: Estimate
    average_precision: float
    brier: Estimate
    prevalence: float
    any_yes_f1: Estimate
    own_threshold_f1: Estimate
    thresholds: tuple[float, ...]
    calibration: tuple[tuple[float, float, int], ...]
    n: int
    n_patients: int

    @property
    def gain(self) -> float:
        """F1 of thresholds chosen on other patients minus that of any-yes."""
        return self.own_threshold_f1.value - self.any_yes_f1.value


def probability_scores(truth: Bools, score: Floats, patients: Sequence[str]) -> ProbabilityScores:
    """Return the scores of P(yes) of recordings.

    Args:
        truth: whether the feature is there, shape (n,). score: P(yes) of the recording, shape (n,), without NaN.
        patients: patient of each recording.

    Raises:
        ValueError: lengths differ, or a score lies outside 0 to 1.

    >>> truth = np.arange(60) % 3 == 0
    >>> found = probability_scores(truth, np.where(truth, 0.4, 0.1), [f"p{i // 2}" for i in range(60)])
    >>> found.auroc.value, found.any_yes_f1.value, found.own_threshold_f1.value
    (1.0, 0.0, 1.0)
    """
    if not len(truth) == len(score) == len(patients):
        raise ValueError(
            f"{len(truth)} truths, {len(score)} scores and {len(patients)} patients → give one of each"
        )
    if len(score) and not (np.min(score) >= 0 and np.max(score) <= 1):
        raise ValueError("a score lies outside 0 to 1, or is missing → give probabilities")
    codes, count = patient_codes(patients)
    positive, negative = (
        np.bincount(codes[truth == c], minlength=count).astype(float) for c in (True, False)
    )
    few = (
        too_few(int((positive > 0).sum()), int((negative > 0).sum()))
        or uneven(effective_patients(positive), "recordings with the feature")
        or uneven(effective_patients(negative), "recordings without the feature")
    )
    n = len(truth)
    value, left_out = _auroc(truth, score, codes, count)
    auroc = jackknife_estimate(
        value, left_out, effective=min(map(effective_patients, (positive, negative))), scale="share",
        undefined="the truth holds one class only", withheld=few, n=n, n_patients=count,
    )  # fmt: skip
    sums = np.bincount(codes, weights=(score - truth) ** 2, minlength=count)
    whole = positive + negative
    brier = jackknife_estimate(
        float(ratio(sums.sum(), whole.sum())), ratio(sums.sum() - sums, whole.sum() - whole),
        effective=effective_patients(whole), scale="share", undefined="no recording", n=n, n_patients=count,
    )  # fmt: skip
    thresholds, chosen = _on_other_patients(truth, score, codes)
    return ProbabilityScores(
        auroc,
        float(average_precision_score(truth, score)) if truth.any() else float("nan"),
        brier,
        float(truth.mean()) if len(truth) else float("nan"),
        _f1(truth, score > 0.5, codes, count, few),
        _f1(truth, chosen, codes, count, few),
        thresholds,
        calibration(truth, score),
        n,
        count,
    )


def calibration(truth: Bools, score: Floats) -> tuple[tuple[float, float, int], ...]:
    """Return mean score, share with the feature and recordings of `BINS` equally wide bins, empty ones left out."""
    place = np.minimum((score * BINS).astype(int), BINS - 1)
    inside = [place == each for each in range(BINS)]
    return tuple(
        (float(score[own].mean()), float(truth[own].mean()), int(own.sum())) for own in inside if own.any()
    )


def best_threshold(truth: Bools, score: Floats) -> float:
    """Return the middle between two neighbouring scores above which "yes" has the highest F1; one half if none has any.

    Of equal ones the nearest to one half.
    """
    if not truth.any():
        return 0.5
    values = np.unique(score)
    cuts = np.concatenate([[0.5], (values[1:] + values[:-1]) / 2, [values[0] / 2]])
    said = score[:, None] > cuts
    f1 = 2 * (said & truth[:, None]).sum(0) / (said.sum(0) + truth.sum())
    return float(min(cuts[f1 == f1.max()], key=lambda cut: abs(cut - 0.5)))


def _on_other_patients(truth: Bools, score: Floats, codes: Codes) -> tuple[tuple[float, ...], Bools]:
    """Return the thresholds by group, and each recording's answer with the one that other patients chose."""
    said: Bools = np.zeros(len(truth), dtype=bool)
    thresholds = []
    for group in range(GROUPS):
        own = codes % GROUPS == group
        thresholds.append(best_threshold(truth[~own], score[~own]))
        said[own] = score[own] > thresholds[-1]
    return tuple(thresholds), said


def _f1(truth: Bools, said: Bools, codes: Codes, count: int, few: str | None) -> Estimate:
    parts = (truth & said, ~truth & said, truth & ~said)
    tp, fp, fn = (np.bincount(codes[part], minlength=count).astype(np.float64) for part in parts)
    return f1_estimate(tp, fp, fn, n=len(truth), n_patients=count, withheld=few)


def _auroc(truth: Bools, score: Floats, codes: Codes, count: int) -> tuple[float, Floats]:
    """Return AUROC and, for each patient, AUROC without it, from counts of pairs by patient."""
    over = score[truth][:, None] - score[~truth]
    wins = (over > 0) + 0.5 * (over == 0)
    member = np.eye(count)
    rows, columns = member[codes[truth]].T, member[codes[~truth]]
    won, pairs = rows @ wins @ columns, np.outer(rows.sum(1), columns.sum(0))

    def without(table: Floats) -> Floats:
        return np.asarray(table.sum() - table.sum(0) - table.sum(1) + np.diagonal(table))

    return float(ratio(won.sum(), pairs.sum())), ratio(without(won), without(pairs))
