"""AUROC, average precision, Brier score, calibration and rules against scikit-learn and by hand."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from scipy.stats import t
from sklearn.calibration import calibration_curve
from sklearn.metrics import (
    average_precision_score,
    brier_score_loss,
    f1_score,
    recall_score,
    roc_auc_score,
    roc_curve,
)

from semiology.metrics.scores import discrimination
from semiology.metrics.scores.discrimination import auroc_without_each, probability_scores
from semiology.metrics.scores.operating_points import (
    best_threshold,
    confidence_at_error,
    operating_points,
    risk_coverage,
    threshold_at_specificity,
)


def example(seed: int = 0, patients: int = 40) -> tuple[np.ndarray, np.ndarray, list[str]]:
    rng = np.random.default_rng(seed)
    patient = np.repeat(np.arange(patients), rng.integers(1, 6, patients))
    truth = rng.random(len(patient)) < 0.35
    score = np.clip(0.25 * truth + rng.random(len(patient)) * 0.5, 0, 1).round(2)
    return truth, score, [f"p{i:02d}" for i in patient]


@pytest.mark.parametrize("seed", range(3))
def test_scores_are_scikit_learns_and_intervals_leave_out_each_patient(seed: int) -> None:
    truth, score, patients = example(seed)
    found = probability_scores(truth, score, patients)
    assert found.auroc.value == pytest.approx(roc_auc_score(truth, score))
    assert found.average_precision.value == pytest.approx(average_precision_score(truth, score))
    assert found.brier.value == pytest.approx(brier_score_loss(truth, score))
    assert found.points.any_yes_f1.value == pytest.approx(f1_score(truth, score > 0.5))
    names = np.array(patients)
    sizes = [np.unique(names[truth == c], return_counts=True)[1] for c in (True, False)]
    freedom = min(size.sum() ** 2 / (size**2).sum() for size in sizes) - 1
    for estimate, score_of in (
        (found.auroc, roc_auc_score),
        (found.average_precision, average_precision_score),
    ):
        without = np.array(
            [score_of(truth[names != one], score[names != one]) for one in sorted(set(patients))]
        )
        error = np.sqrt(39 / 40 * ((without - without.mean()) ** 2).sum())
        value = estimate.value
        reach = t.ppf(0.975, freedom) * error / (value * (1 - value))
        logit = np.log(value / (1 - value))
        assert (estimate.low, estimate.high) == pytest.approx(
            (1 / (1 + np.exp(reach - logit)), 1 / (1 + np.exp(-reach - logit)))
        )


def test_one_patient_with_most_recordings_and_ties_within_it_is_left_out_as_any_other() -> None:
    rng = np.random.default_rng(7)
    patients = np.array(["big"] * 60 + [f"p{i // 2}" for i in range(40)])
    truth, score = rng.random(100) < 0.4, rng.integers(0, 5, 100) / 4
    codes = np.unique(patients, return_inverse=True)[1]
    value, without = auroc_without_each(truth, score, codes, 21)
    assert value == pytest.approx(roc_auc_score(truth, score))
    for one in range(21):
        assert without[one] == pytest.approx(roc_auc_score(truth[codes != one], score[codes != one]))


def test_many_patients_leave_average_precision_in_groups(monkeypatch: pytest.MonkeyPatch) -> None:
    truth, score, patients = example(3, patients=60)
    each = probability_scores(truth, score, patients).average_precision
    monkeypatch.setattr(discrimination, "AP_GROUPS", 30)
    grouped = probability_scores(truth, score, patients).average_precision
    assert grouped.value == each.value
    assert grouped.low is not None
    assert each.low is not None
    assert abs(grouped.low - each.low) < 0.05
    assert grouped.low != each.low


def test_calibration_is_scikit_learns() -> None:
    truth, score, patients = example(4)
    found = probability_scores(truth, score, patients).calibration
    share, mean = calibration_curve(truth, np.minimum(score, 0.999) - 1e-12 + 2e-12, n_bins=10)
    np.testing.assert_allclose([each.mean for each in found], mean, atol=1e-3)
    np.testing.assert_allclose([each.share.value for each in found], share)
    assert sum(each.n for each in found) == len(truth)
    widest = max(found, key=lambda each: each.n)
    assert widest.share.low is not None
    assert widest.share.low < widest.share.value < widest.share.high  # type: ignore[operator]


def test_a_threshold_is_chosen_on_other_patients_and_a_lucky_one_gains_nothing() -> None:
    truth, score, patients = example(1)
    found = probability_scores(truth, score, patients).points
    codes = np.unique(patients, return_inverse=True)[1]
    assert found.cross_fitted
    said = np.zeros(len(truth), dtype=bool)
    for group in range(5):
        own = codes % 5 == group
        cuts = np.arange(0, 1, 0.01) + 0.005  # between all scores, which have two decimals
        values = [f1_score(truth[~own], score[~own] > cut) for cut in cuts]
        assert f1_score(truth[~own], score[~own] > found.thresholds[group]) == pytest.approx(max(values))
        said[own] = score[own] > found.thresholds[group]
    assert found.own_threshold_f1.value == pytest.approx(f1_score(truth, said))
    assert found.gain.value == pytest.approx(f1_score(truth, said) - f1_score(truth, score > 0.5))
    assert found.gain.low is not None
    assert found.gain.low < found.gain.value
    noise = probability_scores(truth, np.random.default_rng(0).random(len(truth)), patients).points
    always = 2 * truth.mean() / (1 + truth.mean())
    assert noise.own_threshold_f1.value < always + 0.03
    assert best_threshold(np.array([False, False]), np.array([0.1, 0.9])) == 0.5
    assert best_threshold(np.array([True, False]), np.array([0.8, 0.2])) == pytest.approx(0.5)
    assert best_threshold(np.array([True, False]), np.array([0.9, 0.2])) == 0.5  # as good as 0.55


def test_few_patients_and_missing_scores_are_told() -> None:
    truth, score, patients = example(2, patients=9)
    found = probability_scores(truth, score, patients)
    assert "fewer than 10" in (found.auroc.reason or "")
    assert not found.points.own_threshold_f1.estimable
    assert not found.points.sensitivity.estimable
    with pytest.raises(ValueError, match="outside 0 to 1"):
        probability_scores(truth, np.where(truth, np.nan, score), patients)
    with pytest.raises(ValueError, match="one of each"):
        probability_scores(truth, score[1:], patients)
    one = probability_scores(np.zeros(len(truth), dtype=bool), score, patients)
    assert np.isnan(one.auroc.value)


def test_development_patients_choose_and_test_patients_are_scored() -> None:
    truth, score, patients = example(5, patients=60)
    codes = np.unique(patients, return_inverse=True)[1]
    develop, tested = codes < 30, codes >= 36
    found = operating_points(truth, score, codes, choosing=develop, tested=tested)
    assert not found.cross_fitted
    assert (found.n_choosing_patients, found.n_patients, found.n) == (30, 24, int(tested.sum()))
    (cut,) = found.thresholds
    assert cut == best_threshold(truth[develop], score[develop])
    assert found.own_threshold_f1.value == pytest.approx(f1_score(truth[tested], score[tested] > cut))
    assert found.any_yes_f1.value == pytest.approx(f1_score(truth[tested], score[tested] > 0.5))
    # the lowest threshold on the ROC curve of the development patients that keeps 90 % specificity
    false_alarms, hits, _ = roc_curve(truth[develop], score[develop], drop_intermediate=False)
    best = hits[1 - false_alarms >= 0.9].max()
    (at,) = found.specificity_thresholds
    assert ((score > at) & truth & develop).sum() / (truth & develop).sum() == pytest.approx(best)
    assert ((score <= at) & ~truth & develop).sum() / (~truth & develop).sum() >= 0.9
    assert found.sensitivity.value == pytest.approx(recall_score(truth[tested], score[tested] > at))
    assert found.specificity.value == pytest.approx(recall_score(~truth[tested], score[tested] <= at))
    # referral: as few as possible, so that those kept err in no more than 10 % of the development recordings
    wrong, sure = (score > 0.5) != truth, np.maximum(score, 1 - score)
    (least,) = found.confidences
    good = [c for c in np.unique(sure) if wrong[develop & (sure >= c)].mean() <= 0.1]
    np.testing.assert_array_equal(sure > least, sure >= min(good))
    kept = tested & (sure > least)
    assert found.referred.value == pytest.approx(1 - kept.sum() / tested.sum())
    assert found.kept_error.value == pytest.approx(wrong[kept].mean())
    assert found.all_error.value == pytest.approx(wrong[tested].mean())
    # nothing that test patients say moves a choice
    flipped = np.where(tested, ~truth, truth)
    other = operating_points(flipped, score, codes, choosing=develop, tested=tested)
    assert other.thresholds == found.thresholds
    assert other.specificity_thresholds == found.specificity_thresholds
    assert other.confidences == found.confidences


def test_who_chooses_is_never_scored_and_impossible_wishes_are_told() -> None:
    truth, score, patients = example(6)
    codes = np.unique(patients, return_inverse=True)[1]
    with pytest.raises(ValueError, match="both chooses and is scored"):
        operating_points(truth, score, codes, choosing=codes < 20, tested=codes >= 19)
    with pytest.raises(ValueError, match="specificity 1 "):
        operating_points(truth, score, codes, specificity=1)
    # nobody to learn a specificity from; nobody is sure enough
    develop = (codes < 20) & truth
    found = operating_points(truth, np.full(len(truth), 0.4), codes, choosing=develop, tested=codes >= 20)
    assert np.isnan(found.sensitivity.value)
    assert "no specificity to keep" in (found.sensitivity.reason or "")
    assert found.confidences == (float("inf"),)
    assert found.referred.value == 1
    assert np.isnan(found.kept_error.value)
    empty = operating_points(truth, score, codes, choosing=codes < 0, tested=codes >= 0)
    assert empty.cross_fitted


def test_a_specificity_that_some_of_the_groups_cannot_learn_is_told() -> None:
    # Only patients of one fifth lack the feature, so those who choose for this fifth have no specificity to keep.
    codes = np.repeat(np.arange(60), 2)
    truth = codes % 5 != 2
    score = np.linspace(0.1, 0.9, len(codes))
    found = operating_points(truth, score, codes)
    assert np.isnan(found.specificity_thresholds).tolist() == [False, False, True, False, False]
    for share in (found.sensitivity, found.specificity):
        assert np.isnan(share.value)
        assert "no specificity to keep" in (share.reason or "")
    assert found.any_yes_f1.value == pytest.approx(f1_score(truth, score > 0.5))


def test_the_curve_of_risk_and_coverage_is_that_of_ranked_answers() -> None:
    truth, score, _ = example(8)
    wrong, sure = (score > 0.5) != truth, np.maximum(score, 1 - score)
    coverage, risk, cuts = risk_coverage(wrong, sure)
    for share, error, cut in zip(coverage, risk, cuts, strict=True):
        kept = sure > cut
        assert share == pytest.approx(kept.mean())
        assert error == pytest.approx(wrong[kept].mean())
    assert coverage[-1] == 1
    assert np.isinf(confidence_at_error(np.array([True, True]), np.array([0.9, 0.8]), 0.1))
    assert np.isnan(threshold_at_specificity(np.array([True]), np.array([0.5]), 0.9))
    # no threshold between scores is specific enough: one above all, even where all are certain
    top = threshold_at_specificity(np.array([True, False]), np.array([1.0, 1.0]), 0.9)
    assert top == 1.0
    found = probability_scores(truth, score, [f"p{i}" for i in range(len(truth))])
    assert [point[0] for point in found.risk_coverage][-1] == 1
    assert len(found.risk_coverage) <= 50


def test_a_hundred_thousand_recordings_take_seconds() -> None:
    rng = np.random.default_rng(0)
    truth = rng.random(100_000) < 0.3
    score = np.clip(0.6 * rng.random(100_000) + 0.2 * truth, 0, 1)
    codes = np.repeat(np.arange(25_000), 4)
    value, _ = auroc_without_each(truth, score, codes, 25_000)
    assert value == pytest.approx(roc_auc_score(truth, score))


@pytest.mark.parametrize("seed", range(8))
def test_the_best_threshold_is_that_of_trying_every_cut(seed: int) -> None:
    rng = np.random.default_rng(seed)
    truth, score = rng.random(15) < 0.4, np.round(rng.random(15), 1)
    truth[0] = True
    values = sorted(set(score))
    cuts = [0.5, values[0] / 2, *((a + b) / 2 for a, b in pairwise(values))]
    best = max(f1_score(truth, score > cut, zero_division=0) for cut in cuts)
    equal = [cut for cut in cuts if f1_score(truth, score > cut, zero_division=0) == pytest.approx(best)]
    assert best_threshold(truth, score) == min(equal, key=lambda cut: abs(cut - 0.5))


def test_the_curve_of_a_score_is_that_of_its_surest_answers() -> None:
    # Answers yes, yes, no, yes; the second is wrong.
    truth, score = np.array([True, False, False, True]), np.array([0.9, 0.8, 0.3, 0.6])
    found = probability_scores(truth, score, list("abcd")).risk_coverage
    assert [point[:2] for point in found] == [(0.25, 0), (0.5, 0.5), (0.75, pytest.approx(1 / 3)), (1, 0.25)]
