"""Rules on P(yes), curves and average precision, recomputed on many small drawings by trying every cut."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from sklearn.metrics import average_precision_score

from semiology.metrics.scores import discrimination
from semiology.metrics.scores.discrimination import auroc_without_each, few_to_rank, probability_scores
from semiology.metrics.scores.operating_points import (
    best_threshold,
    confidence_at_error,
    operating_points,
    risk_coverage,
    threshold_at_specificity,
)
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

Drawing = tuple[np.ndarray, np.ndarray, np.ndarray]


def drawing(seed: int, *, patients: int, share: float, steps: int = 10) -> Drawing:
    """Truth, P(yes) in ``steps`` steps from 0 to 1, and patient of each recording; one patient may hold many."""
    rng = np.random.default_rng(seed)
    sizes = rng.integers(1, 4, patients)
    sizes[0] = int(rng.choice([1, 2, 25]))
    codes = np.repeat(np.arange(patients), sizes)
    truth = rng.random(len(codes)) < share
    score = np.clip(np.round(rng.random(len(codes)) * 0.8 + 0.25 * truth, 3), 0, 1)
    return truth, np.round(score * steps) / steps, codes


def f1_of(truth: np.ndarray, said: np.ndarray) -> float:
    return float(2 * (truth & said).sum() / (truth.sum() + said.sum())) if truth.any() else math.nan


def same(found: Estimate, wanted: Estimate) -> None:
    for name in ("value", "low", "high"):
        ours, theirs = getattr(found, name), getattr(wanted, name)
        assert (ours is None) == (theirs is None), (name, found, wanted)
        assert ours is None or ours == pytest.approx(theirs, abs=1e-9, nan_ok=True), (name, found, wanted)
    assert (found.method, found.n, found.n_patients, found.reason, found.caution) == (
        wanted.method, wanted.n, wanted.n_patients, wanted.reason, wanted.caution,
    )  # fmt: skip


def cuts_between(values: np.ndarray) -> list[float]:
    """Return the middles between neighbouring values."""
    every = sorted(set(values.tolist()))
    return [(low + high) / 2 for low, high in pairwise(every)]


def slow_best(truth: np.ndarray, score: np.ndarray) -> float:
    if not truth.any():
        return 0.5
    cuts = [0.5, *cuts_between(score), score.min() / 2]
    value = [round(f1_of(truth, score > cut), 12) for cut in cuts]
    return float(
        min((cut for cut, v in zip(cuts, value, strict=True) if v == max(value)), key=lambda c: abs(c - 0.5))
    )


def slow_at(truth: np.ndarray, score: np.ndarray, wanted: float) -> float:
    if truth.all():
        return math.nan
    cuts = [*cuts_between(score), (score.max() + 1) / 2]
    return min(cut for cut in cuts if (score[~truth] <= cut).mean() >= wanted - 1e-9)


def slow_sure(wrong: np.ndarray, sure: np.ndarray, error: float) -> float:
    cuts = [*cuts_between(np.round(sure, 12)), sure.min() / 2] if len(sure) else []
    return min((cut for cut in cuts if wrong[sure > cut].mean() <= error + 1e-9), default=math.inf)


class Scored:
    """Shares and F1 of some recordings by patient, written out."""

    def __init__(self, truth: np.ndarray, codes: np.ndarray) -> None:
        self.truth, self.codes, self.patients = truth, codes, sorted(set(codes.tolist()))

    def sums(self, rows: np.ndarray) -> np.ndarray:
        return np.array([float((rows & (self.codes == one)).sum()) for one in self.patients])

    def few(self, *, with_it: bool, without: bool) -> str | None:
        kinds = [self.sums(self.truth), self.sums(~self.truth)]
        shown, lacking = (int((kind > 0).sum()) for kind in kinds)
        if reason := too_few(shown if with_it else None, lacking if without else None):
            return reason
        if with_it and (reason := uneven(effective_patients(kinds[0]), "recordings with the feature")):
            return reason
        return uneven(effective_patients(kinds[1]), "recordings without the feature") if without else None

    def share(self, part: np.ndarray, whole: np.ndarray, why: str | None) -> Estimate:
        made = proportion_estimate(self.sums(part & whole), self.sums(whole))
        return not_estimable(made.value, LOGIT_T, made.n, made.n_patients, why) if why else made

    def f1(self, said: np.ndarray) -> Estimate:
        t = self.truth
        return f1_estimate(
            self.sums(t & said), self.sums(~t & said), self.sums(t & ~said), n=len(t), n_patients=len(self.patients),
            withheld=self.few(with_it=True, without=False),
        )  # fmt: skip

    def gain(self, first: np.ndarray, second: np.ndarray) -> Estimate:
        rest = [self.codes != one for one in self.patients]
        left = [f1_of(self.truth[r], second[r]) - f1_of(self.truth[r], first[r]) for r in rest]
        return jackknife_estimate(
            f1_of(self.truth, second) - f1_of(self.truth, first), np.round(left, 12),
            effective=effective_patients(self.sums(self.truth)), n=len(self.truth), n_patients=len(self.patients),
            withheld=self.few(with_it=True, without=False),
        )  # fmt: skip


@pytest.mark.parametrize("seed", range(60))
def test_the_rules_are_those_of_trying_every_cut_and_their_scores_those_of_the_recordings(seed: int) -> None:
    rng = np.random.default_rng(seed + 1000)
    patients, share = int(rng.choice([3, 9, 10, 11, 14, 22])), float(rng.choice([0.0, 0.3, 0.5, 0.9, 1.0]))
    truth, score, codes = drawing(seed, patients=patients, share=share)
    options: dict[str, Any] = {
        "specificity": float(rng.choice([0.5, 0.8, 0.9])),
        "error": float(rng.choice([0.1, 0.25, 0.5])),
    }
    half = patients // 2
    split = seed % 3 == 0
    if split:
        parts = [(codes < half, codes >= half)]
        options |= {"choosing": codes < half, "tested": codes >= half}
    else:
        parts = [(codes % 5 != group, codes % 5 == group) for group in range(5) if (codes % 5 == group).any()]
    any_yes = rng.random(len(truth)) < 0.5 if seed % 2 else score > 0.5
    if seed % 2:
        options["any_yes"] = any_yes
    found = operating_points(truth, score, codes, **options)
    sure, wrong = np.where(score > 0.5, score, 1 - score), (score > 0.5) != truth
    scored = parts[0][1] if split else np.ones(len(truth), dtype=bool)
    chose = parts[0][0] if split else scored
    cuts: dict[str, list[float]] = {"best": [], "at": [], "sure": []}
    said = {name: np.zeros(len(truth), dtype=bool) for name in cuts}
    for others, own in parts:
        for name, cut, values in (
            ("best", slow_best(truth[others], score[others]), score),
            ("at", slow_at(truth[others], score[others], options["specificity"]), score),
            ("sure", slow_sure(wrong[others], sure[others], options["error"]), sure),
        ):
            cuts[name].append(cut)
            said[name][own] = values[own] > cut
    assert found.thresholds == pytest.approx(cuts["best"])
    assert found.specificity_thresholds == pytest.approx(cuts["at"], nan_ok=True)
    assert found.confidences == pytest.approx(cuts["sure"])
    assert (found.cross_fitted, found.n_choosing, found.n) == (not split, int(chose.sum()), int(scored.sum()))
    assert found.n_choosing_patients == len(set(codes[chose].tolist()))
    assert found.n_patients == len(set(codes[scored].tolist()))
    who = Scored(truth[scored], codes[scored])
    t = who.truth
    same(found.any_yes_f1, who.f1(any_yes[scored]))
    same(found.own_threshold_f1, who.f1(said["best"][scored]))
    same(found.gain, who.gain(any_yes[scored], said["best"][scored]))
    if np.isnan(cuts["at"]).any():
        for each, rows in ((found.sensitivity, t), (found.specificity, ~t)):
            assert math.isnan(each.value)
            assert (each.n, each.n_patients) == (int(rows.sum()), len(set(who.codes[rows].tolist())))
            assert each.reason == "no patient who chooses lacks the feature: there is no specificity to keep"
    else:
        yes = said["at"][scored]
        same(found.sensitivity, who.share(yes, t, who.few(with_it=True, without=False)))
        same(found.specificity, who.share(~yes, ~t, who.few(with_it=False, without=True)))
    kept, every = said["sure"][scored], np.ones(len(t), dtype=bool)
    same(found.referred, who.share(~kept, every, None))
    same(found.kept_error, who.share(wrong[scored], kept, None))
    same(found.all_error, who.share(wrong[scored], every, None))


@pytest.mark.parametrize("seed", range(40))
def test_one_cut_at_a_time(seed: int) -> None:
    rng = np.random.default_rng(seed)
    n = int(rng.integers(1, 9))
    truth, score = rng.random(n) < rng.choice([0.0, 0.4, 1.0]), rng.integers(0, 5, n) / 4
    wanted = float(rng.choice([0.25, 0.5, 0.75, 0.9]))
    assert best_threshold(truth, score) == pytest.approx(slow_best(truth, score))
    assert threshold_at_specificity(truth, score, wanted) == pytest.approx(
        slow_at(truth, score, wanted), nan_ok=True
    )
    wrong, sure = truth, 0.5 + score / 2
    assert confidence_at_error(wrong, sure, wanted) == pytest.approx(slow_sure(wrong, sure, wanted))
    coverage, risk, cuts = risk_coverage(wrong, sure)
    assert cuts.tolist() == pytest.approx([*cuts_between(sure)[::-1], sure.min() / 2])
    assert coverage.tolist() == pytest.approx([(sure > cut).mean() for cut in cuts])
    assert risk.tolist() == pytest.approx([wrong[sure > cut].mean() for cut in cuts])


def test_nothing_to_cut() -> None:
    none = np.zeros(0)
    assert [each.tolist() for each in risk_coverage(none.astype(bool), none)] == [[], [], []]
    assert confidence_at_error(none.astype(bool), none, 0.1) == math.inf
    empty = probability_scores(none.astype(bool), none, [])
    assert (empty.n, empty.n_patients, empty.calibration, empty.risk_coverage) == (0, 0, (), ())
    assert math.isnan(empty.auroc.value)
    assert math.isnan(empty.average_precision.value)
    assert math.isnan(empty.brier.value)
    assert math.isnan(empty.prevalence)
    assert empty.brier.reason == "undefined: no recording"
    assert (empty.points.n, empty.points.n_patients) == (0, 0)
    # What differs by less than half of the twelfth decimal is one confidence.
    alike = risk_coverage(np.array([False, True]), np.array([0.7, 0.7 + 4e-13]))
    assert [each.tolist() for each in alike] == [[1.0], [0.5], [0.35]]
    found = operating_points(np.array([True, False]), np.array([1.0, 0.0]), np.array([0, 1]))
    assert (found.n_patients, found.n_choosing_patients) == (2, 2)


@pytest.mark.parametrize("block", [1, 40, 2_000_000])
@pytest.mark.parametrize("groups", [4, 200])
@pytest.mark.parametrize("seed", range(6))
def test_average_precision_without_patients_is_scikit_learns(
    monkeypatch: pytest.MonkeyPatch, seed: int, groups: int, block: int
) -> None:
    """However many are left out at a time; beyond a number of patients groups of them are."""
    truth, score, codes = drawing(seed, patients=7, share=(0.2, 0.5)[seed % 2], steps=(4, 20)[seed % 2])
    truth[0] = True
    monkeypatch.setattr(discrimination, "AP_GROUPS", groups)
    monkeypatch.setattr(discrimination, "_BLOCK", block)
    value, left = discrimination._average_precision(truth, score, codes, 7)
    group = codes % min(groups, 7)

    def slow(rows: np.ndarray) -> float:
        return float(average_precision_score(truth[rows], score[rows])) if truth[rows].any() else math.nan

    assert value == pytest.approx(slow(codes >= 0))
    assert left.tolist() == pytest.approx([slow(group != one) for one in range(min(groups, 7))], nan_ok=True)


@pytest.mark.parametrize("seed", range(20))
def test_auroc_without_each_patient_is_that_of_all_pairs(seed: int) -> None:
    truth, score, codes = drawing(seed, patients=5, share=(0.1, 0.5, 0.9, 1.0)[seed % 4], steps=4)

    def slow(rows: np.ndarray) -> float:
        pairs = [float(a > b) + (a == b) / 2 for a in score[rows & truth] for b in score[rows & ~truth]]
        return sum(pairs) / len(pairs) if pairs else math.nan

    value, left = auroc_without_each(truth, score, codes, 5)
    assert value == pytest.approx(slow(codes >= 0), nan_ok=True)
    assert left.tolist() == pytest.approx([slow(codes != one) for one in range(5)], nan_ok=True)


@pytest.mark.parametrize("seed", range(12))
def test_scores_of_shown_recordings_are_those_of_these_alone(seed: int) -> None:
    """Rules are about other recordings than AUROC, bins and the curve, whose patients may be fewer."""
    truth, score, codes = drawing(seed, patients=24, share=0.5, steps=1000)
    shown = (codes % 2 == 0) & (score != score.max())
    names = [f"p{code:02d}" for code in codes]
    found = probability_scores(truth, score, names, shown=shown)
    alone = probability_scores(
        truth[shown], score[shown], [name for name, s in zip(names, shown, strict=True) if s]
    )
    for name in ("auroc", "average_precision", "brier"):
        same(getattr(found, name), getattr(alone, name))
    assert (found.n, found.n_patients, found.prevalence) == (alone.n, alone.n_patients, alone.prevalence)
    assert found.calibration == alone.calibration
    assert found.risk_coverage == alone.risk_coverage
    assert found.points == probability_scores(truth, score, names).points
    t, s, own = truth[shown], score[shown], np.unique(codes[shown], return_inverse=True)[1]
    # Of a curve of more steps the points nearest above each fiftieth are kept.
    coverage, risk, cut = risk_coverage((s > 0.5) != t, np.maximum(s, 1 - s))
    places = sorted({int(np.flatnonzero(coverage >= step / 50 - 1e-9)[0]) for step in range(1, 51)})
    assert found.risk_coverage == tuple((coverage[i], risk[i], cut[i]) for i in places)
    sizes = [np.bincount(own[t == kind], minlength=own.max() + 1).astype(float) for kind in (True, False)]
    assert found.auroc.reason == few_to_rank(*sizes)
    # Equally wide bins, the upper end of each in the next.
    bins = {k: [i for i, p in enumerate(s) if min(int(p * 10), 9) == k] for k in range(10)}
    for each, rows in zip(found.calibration, filter(None, bins.values()), strict=True):
        assert (each.n, each.mean) == (len(rows), pytest.approx(s[rows].mean()))
        part, whole = ([float(sum(own[i] == p for i in of)) for p in range(own.max() + 1)]
                       for of in ([i for i in rows if t[i]], rows))  # fmt: skip
        same(each.share, proportion_estimate(np.array(part), np.array(whole)))


@pytest.mark.parametrize(
    ("positive", "negative", "reason"),
    [
        ([1] * 10, [1] * 10, None),
        ([1] * 9 + [0], [1] * 10, "recordings with the feature come from 9 patients, fewer than 10"),
        ([1] * 10, [1] * 9 + [0], "recordings without the feature come from 9 patients, fewer than 10"),
        ([40] + [1] * 9, [1] * 10, "recordings with the feature weigh like"),
        ([1] * 10, [40] + [1] * 9, "recordings without the feature weigh like"),
    ],
)
def test_too_few_to_rank(positive: list[float], negative: list[float], reason: str | None) -> None:
    found = few_to_rank(np.array(positive, dtype=float), np.array(negative, dtype=float))
    assert found is None if reason is None else str(found).startswith(reason)


def test_shares_are_kept_up_to_a_rounding_error_and_no_further() -> None:
    # Of a hundred recordings without the feature 90 lie below 0.5, and one more below 0.505.
    score = np.array([0.1] * 90 + [0.5] + [0.51] * 9)
    lacking = np.zeros(100, dtype=bool)
    low, high = 0.3, 0.505
    for wanted, cut in ((0.9, low), (0.9 + 1e-12, low), (0.9 + 1e-9, high), (0.902, high), (0.91, high)):
        assert threshold_at_specificity(lacking, score, wanted) == pytest.approx(cut)
    wrong, sure = np.array([False] * 9 + [True, True]), np.array([0.9] * 9 + [0.8, 0.7])
    for error, cut in ((0.1, 0.75), (0.1 - 1e-12, 0.75), (0.1 - 1e-9, 0.85), (0.095, 0.85), (0.0, 0.85)):
        assert confidence_at_error(wrong, sure, error) == pytest.approx(cut)


def test_probabilities_lie_between_0_and_1_both_included() -> None:
    names = list("abc")
    truth = np.array([True, False, True])
    assert probability_scores(truth, np.array([1.0, 0.0, 0.5]), names).auroc.value == 1
    for strange in (-0.01, 1.01, math.nan):
        with pytest.raises(ValueError, match="outside 0 to 1"):
            probability_scores(truth, np.array([0.5, strange, 0.5]), names)
    for name in ("specificity", "error"):
        for strange in (0.0, 1.0, -0.5):
            with pytest.raises(ValueError, match=f"{name} {strange:g} "):
                operating_points(truth, np.full(3, 0.5), np.arange(3), **{name: strange})  # type: ignore[arg-type]
        operating_points(truth, np.full(3, 0.5), np.arange(3), **{name: 0.999})  # type: ignore[arg-type]
    # One half is no "yes".
    curve = probability_scores(np.array([True, False]), np.array([0.5, 0.25]), ["a", "b"]).risk_coverage
    assert [point[:2] for point in curve] == [(0.5, 0.0), (1.0, 0.5)]


def test_an_f1_of_which_every_patient_has_a_hit_and_a_miss_is_none_the_less_there() -> None:
    codes = np.repeat(np.arange(12), 3)
    truth, said = np.tile([True, True, False], 12), np.tile([True, False, False], 12)
    found = operating_points(truth, np.where(truth, 0.6, 0.4), codes, any_yes=said)
    assert found.any_yes_f1.value == pytest.approx(2 / 3)
    assert found.gain.value == pytest.approx(1 / 3)
    assert found.own_threshold_f1.value == 1
