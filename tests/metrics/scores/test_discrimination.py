"""AUROC, average precision, Brier score, calibration and thresholds against scikit-learn and by hand."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import t
from sklearn.calibration import calibration_curve
from sklearn.metrics import average_precision_score, brier_score_loss, f1_score, roc_auc_score

from semiology.metrics.scores.discrimination import best_threshold, probability_scores


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
    assert found.average_precision == pytest.approx(average_precision_score(truth, score))
    assert found.brier.value == pytest.approx(brier_score_loss(truth, score))
    assert found.any_yes_f1.value == pytest.approx(f1_score(truth, score > 0.5))
    names = np.array(patients)
    without = np.array(
        [roc_auc_score(truth[names != one], score[names != one]) for one in sorted(set(patients))]
    )
    error = np.sqrt(39 / 40 * ((without - without.mean()) ** 2).sum())
    sizes = [np.unique(names[truth == c], return_counts=True)[1] for c in (True, False)]
    freedom = min(size.sum() ** 2 / (size**2).sum() for size in sizes) - 1
    value = found.auroc.value
    reach = t.ppf(0.975, freedom) * error / (value * (1 - value))
    logit = np.log(value / (1 - value))
    assert (found.auroc.low, found.auroc.high) == pytest.approx(
        (1 / (1 + np.exp(reach - logit)), 1 / (1 + np.exp(-reach - logit)))
    )


def test_calibration_is_scikit_learns() -> None:
    truth, score, patients = example(4)
    found = probability_scores(truth, score, patients).calibration
    share, mean = calibration_curve(truth, np.minimum(score, 0.999) - 1e-12 + 2e-12, n_bins=10)
    np.testing.assert_allclose([each[0] for each in found], mean, atol=1e-3)
    np.testing.assert_allclose([each[1] for each in found], share)
    assert sum(each[2] for each in found) == len(truth)


def test_a_threshold_is_chosen_on_other_patients_and_a_lucky_one_gains_nothing() -> None:
    truth, score, patients = example(1)
    found = probability_scores(truth, score, patients)
    codes = np.unique(patients, return_inverse=True)[1]
    said = np.zeros(len(truth), dtype=bool)
    for group in range(5):
        own = codes % 5 == group
        cuts = np.r_[np.arange(0, 1, 0.001) + 0.0005]
        values = [f1_score(truth[~own], score[~own] > cut) for cut in cuts]
        assert f1_score(truth[~own], score[~own] > found.thresholds[group]) == pytest.approx(max(values))
        said[own] = score[own] > found.thresholds[group]
    assert found.own_threshold_f1.value == pytest.approx(f1_score(truth, said))
    assert found.gain == pytest.approx(f1_score(truth, said) - f1_score(truth, score > 0.5))
    noise = probability_scores(truth, np.random.default_rng(0).random(len(truth)), patients)
    always = 2 * truth.mean() / (1 + truth.mean())
    assert noise.own_threshold_f1.value < always + 0.03
    assert best_threshold(np.array([False, False]), np.array([0.1, 0.9])) == 0.5
    assert best_threshold(np.array([True, False]), np.array([0.8, 0.2])) == pytest.approx(0.5)


def test_few_patients_and_missing_scores_are_told() -> None:
    truth, score, patients = example(2, patients=9)
    found = probability_scores(truth, score, patients)
    assert "fewer than 10" in (found.auroc.reason or "")
    assert not found.own_threshold_f1.estimable
    with pytest.raises(ValueError, match="outside 0 to 1"):
        probability_scores(truth, np.where(truth, np.nan, score), patients)
    with pytest.raises(ValueError, match="one of each"):
        probability_scores(truth, score[1:], patients)
    one = probability_scores(np.zeros(len(truth), dtype=bool), score, patients)
    assert np.isnan(one.auroc.value)
