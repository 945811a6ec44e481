"""Operating points on P(yes): rules that some patients choose, and what the rules do on other patients.

Three rules. A *threshold of one's own* is the one of highest F1. *Sensitivity at a fixed specificity* takes the lowest
threshold that keeps the specificity wanted. *Referral to a human* keeps the surest answers (yes above one half), as
many as err no more often than stated, and hands the rest to a reader (selective classification: El-Yaniv and Wiener,
JMLR 11 (2010) 1605; Geifman and El-Yaniv, NeurIPS 2017). Each is chosen on development patients and scored on the
patients kept for tests. Where no split names them, each fifth of the patients is scored by what the other four fifths
choose (cross-fitting), so that no rule is ever scored on those who chose it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from semiology.metrics.arrays import Bools, Codes, Floats, ratio
from semiology.metrics.statistics.intervals import (
    LOGIT_T,
    Estimate,
    effective_patients,
    f1_estimate,
    not_estimable,
    proportion_estimate,
    too_few,
    uneven,
)
from semiology.metrics.statistics.jackknife import jackknife_estimate

GROUPS = 5
"""Groups of patients in cross-fitting; each is scored with what the others chose."""
SPECIFICITY = 0.9
"""At which the sensitivity is told, unless another is asked for."""
ERROR = 0.1
"""Largest share of wrong answers among those that are not referred, unless another is stated."""
_EXACT = 1e-12


@dataclass(frozen=True)
class OperatingPoints:
    """What the three rules do on patients who did not choose them.

    Attributes:
        cross_fitted: whether no split named those who choose, and each fifth was scored by the others' choice.
        n_choosing, n_choosing_patients: recordings and patients that chose (in cross-fitting all, in turn).
        n, n_patients: those scored.
        thresholds: of highest F1; one, or in cross-fitting one for each group.
        any_yes_f1, own_threshold_f1: F1 of any-yes and with them. gain: second minus first.
        specificity_thresholds: those that keep the specificity wanted. sensitivity, specificity: reached with them.
        confidences: of an answer (P(yes), or one minus it) above which it is kept; infinite where none is sure enough.
        referred: share of recordings handed to a human. kept_error, all_error: share wrong of those kept, and of all.
    """

    cross_fitted: bool
    n_choosing: int
    n_choosing_patients: int
    n: int
    n_patients: int
    thresholds: tuple[float, ...]
    any_yes_f1: Estimate
    own_threshold_f1: Estimate
    gain: Estimate
    specificity_thresholds: tuple[float, ...]
    sensitivity: Estimate
    specificity: Estimate
    confidences: tuple[float, ...]
    referred: Estimate
    kept_error: Estimate
    all_error: Estimate


def operating_points(
    truth: Bools,
    score: Floats,
    codes: Codes,
    *,
    any_yes: Bools | None = None,
    choosing: Bools | None = None,
    tested: Bools | None = None,
    specificity: float = SPECIFICITY,
    error: float = ERROR,
) -> OperatingPoints:
    """Choose the rules on some recordings and score them on others.

    Args:
        truth, score: whether the feature is there, and P(yes), of each recording, shape (n,).
        codes: patient of each recording, from 0.
        any_yes: what any-yes says (by default: P(yes) above one half).
        choosing, tested: recordings of the patients who choose and of those scored, which share no patient;
            cross-fitting over all where either is None or empty.
        specificity, error: wanted of the second and the third rule.

    Raises:
        ValueError: a patient both chooses and is scored, or a share is out of range.
    """
    for name, value in (("specificity", specificity), ("error", error)):
        if not 0 < value < 1:
            raise ValueError(f"{name} {value:g} → it must lie between 0 and 1, both excluded")
    cross = choosing is None or tested is None or not choosing.any() or not tested.any()
    if cross:
        scored: Bools = np.ones(len(truth), dtype=bool)
        parts = [(codes % GROUPS != group, codes % GROUPS == group) for group in range(GROUPS)]
        parts = [(others, own) for others, own in parts if own.any()]
        chose = scored
    else:
        assert choosing is not None
        assert tested is not None
        if set(codes[choosing].tolist()) & set(codes[tested].tolist()):
            raise ValueError(
                "a patient both chooses and is scored → put all recordings of a patient into one split"
            )
        parts, scored, chose = [(choosing, tested)], tested, choosing
    yes = score > 0.5 if any_yes is None else any_yes
    sure, wrong = np.maximum(score, 1 - score), (score > 0.5) != truth

    def applied(choose: Callable[[Bools], float], values: Floats) -> tuple[tuple[float, ...], Bools]:
        said: Bools = np.zeros(len(truth), dtype=bool)
        cuts = tuple(choose(others) for others, _ in parts)
        for (_, own), cut in zip(parts, cuts, strict=True):
            said[own] = values[own] > cut
        return cuts, said

    thresholds, own_yes = applied(lambda rows: best_threshold(truth[rows], score[rows]), score)
    at, specific_yes = applied(
        lambda rows: threshold_at_specificity(truth[rows], score[rows], specificity), score
    )
    confidences, kept = applied(lambda rows: confidence_at_error(wrong[rows], sure[rows], error), sure)
    who = _Scored(truth[scored], np.unique(codes[scored], return_inverse=True)[1].astype(np.int64))
    none = "no patient who chooses lacks the feature: there is no specificity to keep"
    none_of = none if np.isnan(at).any() else None
    own_yes, specific_yes, kept, yes, wrong = (
        each[scored] for each in (own_yes, specific_yes, kept, yes, wrong)
    )
    one = np.ones(len(own_yes), dtype=bool)
    return OperatingPoints(
        cross, int(chose.sum()), len(set(codes[chose].tolist())), len(who.truth), who.count,
        thresholds, who.f1(yes), who.f1(own_yes), who.f1_gain(yes, own_yes),
        at, who.share(specific_yes, who.truth, needs=(True, False), none=none_of),
        who.share(~specific_yes, ~who.truth, needs=(False, True), none=none_of),
        confidences, who.share(~kept, one), who.share(wrong, kept), who.share(wrong, one),
    )  # fmt: skip


def best_threshold(truth: Bools, score: Floats) -> float:
    """Return the middle between two neighbouring scores above which "yes" has the highest F1; one half if none has any.

    Of equal ones the nearest to one half.
    """
    if not truth.any():
        return 0.5
    values = np.unique(score)
    cuts = np.concatenate([[0.5], (values[1:] + values[:-1]) / 2, [values[0] / 2]])
    said = len(score) - np.searchsorted(np.sort(score), cuts, side="right")
    hits = truth.sum() - np.searchsorted(np.sort(score[truth]), cuts, side="right")
    f1 = 2 * hits / (said + truth.sum())
    return float(min(cuts[f1 == f1.max()], key=lambda cut: abs(cut - 0.5)))


def threshold_at_specificity(truth: Bools, score: Floats, specificity: float) -> float:
    """Return the lowest threshold, between two neighbouring scores or above all, that keeps a specificity.

    NaN where no recording lacks the feature.

    >>> round(threshold_at_specificity(np.array([True, False, False]), np.array([0.8, 0.6, 0.2]), 0.5), 2)
    0.4
    """
    negatives = np.sort(score[~truth])
    if not len(negatives):
        return float("nan")
    values = np.unique(score)
    cuts = np.append((values[1:] + values[:-1]) / 2, (values[-1] + 1) / 2)
    kept = np.searchsorted(negatives, cuts, side="right") / len(negatives)
    return float(cuts[np.argmax(kept >= specificity - _EXACT)])


def confidence_at_error(wrong: Bools, sure: Floats, error: float) -> float:
    """Return the lowest confidence above which answers are wrong no more often than stated; infinite where none is.

    Args:
        wrong, sure: whether an answer is wrong, and its confidence, shape (n,). error: share stated.

    >>> round(confidence_at_error(np.array([False, False, True]), np.array([0.9, 0.8, 0.6]), 0.1), 2)
    0.7
    """
    coverage, risk, cuts = risk_coverage(wrong, sure)
    good = np.flatnonzero(risk <= error + _EXACT)
    return float(cuts[good[np.argmax(coverage[good])]]) if len(good) else float("inf")


def risk_coverage(wrong: Bools, sure: Floats) -> tuple[Floats, Floats, Floats]:
    """Return coverage, share wrong and confidence to be passed of the risk-coverage curve, surest answers first, (k,).

    Answers of one confidence come together, as nothing tells them apart.

    >>> [each.round(2).tolist() for each in risk_coverage(np.array([False, True]), np.array([0.9, 0.6]))]
    [[0.5, 1.0], [0.0, 0.5], [0.75, 0.3]]
    """
    sure = np.round(sure, 12)  # 1 - 0.3 and 0.7 differ by a rounding error
    values, counts = np.unique(sure, return_counts=True)
    errors = np.bincount(np.searchsorted(values, sure), weights=wrong, minlength=len(values))
    number, failed = np.cumsum(counts[::-1]), np.cumsum(errors[::-1])
    below = np.append((values[1:] + values[:-1])[::-1] / 2, values[:1] / 2)
    return number / len(sure), ratio(failed, number), below


@dataclass(frozen=True)
class _Scored:
    """The recordings that the rules are scored on: truth, shape (n,), and patient, from 0 without a gap."""

    truth: Bools
    codes: Codes

    @property
    def count(self) -> int:
        return int(self.codes.max()) + 1 if len(self.codes) else 0

    def sums(self, rows: Bools) -> Floats:
        return np.bincount(self.codes[rows], minlength=self.count).astype(np.float64)

    def few(self, needs: tuple[bool, bool]) -> str | None:
        """Return why a score that needs recordings with, or without, the feature has no interval."""
        kinds = [self.sums(self.truth), self.sums(~self.truth)]
        patients = [int((kind > 0).sum()) if need else None for kind, need in zip(kinds, needs, strict=True)]
        reason = too_few(*patients)
        for kind, need, name in zip(kinds, needs, ("with", "without"), strict=True):
            if need and reason is None:
                reason = uneven(effective_patients(kind), f"recordings {name} the feature")
        return reason

    def share(
        self, part: Bools, whole: Bools, *, needs: tuple[bool, bool] = (False, False), none: str | None = None
    ) -> Estimate:
        """Return the share of some recordings, with the interval of proportions."""
        hits, sizes = self.sums(part & whole), self.sums(whole)
        n, patients = int(sizes.sum()), int((sizes > 0).sum())
        if none is not None:
            return not_estimable(float("nan"), LOGIT_T, n, patients, none)
        few = self.few(needs)
        if few is not None:
            return not_estimable(float(ratio(hits.sum(), sizes.sum())), LOGIT_T, n, patients, few)
        return proportion_estimate(hits, sizes)

    def f1(self, said: Bools) -> Estimate:
        tp, fp, fn = (self.sums(part) for part in self._parts(said))
        return f1_estimate(
            tp, fp, fn, n=len(self.truth), n_patients=self.count, withheld=self.few((True, False))
        )

    def f1_gain(self, first: Bools, second: Bools) -> Estimate:
        """Return F1 of the second answers minus that of the first, with the interval of leaving out each patient."""
        whole, without = [], []
        for said in (first, second):
            tp, fp, fn = (self.sums(part) for part in self._parts(said))
            top, bottom = 2 * tp, 2 * tp + fp + fn
            whole.append(float(ratio(top.sum(), bottom.sum())) if (tp + fn).any() else float("nan"))
            without.append(ratio(top.sum() - top, bottom.sum() - bottom))
        return jackknife_estimate(
            whole[1] - whole[0], without[1] - without[0], effective=effective_patients(self.sums(self.truth)),
            n=len(self.truth), n_patients=self.count, withheld=self.few((True, False)),
        )  # fmt: skip

    def _parts(self, said: Bools) -> tuple[Bools, Bools, Bools]:
        return self.truth & said, ~self.truth & said, self.truth & ~said
