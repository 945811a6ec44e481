from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import statsmodels.formula.api as smf
from hypothesis import given
from statsmodels.stats.anova import anova_lm
from wording_examples import any_answers

from semiology.metrics.robustness.answers import WordingAnswers
from semiology.metrics.robustness.variance import (
    SHARES,
    two_way_bootstrap,
    variance_shares,
    wording_permutation_test,
)


def test_shares_of_hand_computed_examples() -> None:
    # Wordings alone decide: a is always right, b never. Two families: all variance is between families.
    right = np.array([[1, 1, 1], [0, 0, 0]], dtype=bool)
    apart = variance_shares(right, ["a", "b"], np.arange(3))
    assert apart.shares["family"] == pytest.approx(1)
    assert [(f.family, f.wordings, f.accuracy, f.share) for f in apart.families] == [
        ("a", 1, 1, 0.5),
        ("b", 1, 0, 0.5),
    ]
    # the same answers within one family
    assert variance_shares(right, ["a", "a"], np.arange(3)).shares["wording_in_family"] == pytest.approx(1)
    # Recordings alone decide, and each patient is all right or all wrong
    right = np.array([[1, 1, 0, 0], [1, 1, 0, 0]], dtype=bool)
    assert variance_shares(right, ["a", "b"], np.array([0, 0, 1, 1])).shares["patient"] == pytest.approx(1)
    found = variance_shares(right, ["a", "b"], np.array([0, 1, 0, 1]))
    assert found.shares["recording_in_patient"] == pytest.approx(1)
    # Each wording is right where the other is wrong: only interplay
    right = np.array([[1, 0], [0, 1]], dtype=bool)
    assert variance_shares(right, ["a", "b"], np.arange(2)).shares["family_by_recording"] == pytest.approx(1)
    assert variance_shares(right, ["a", "a"], np.arange(2)).shares["wording_by_recording"] == pytest.approx(1)


@given(any_answers())
def test_the_shares_sum_to_one(answers: WordingAnswers) -> None:
    found = variance_shares(answers.right, answers.polarities, answers.patient)
    if answers.right.min() == answers.right.max():
        assert found.shares == {}
    else:
        assert tuple(found.shares) == SHARES
        assert sum(found.shares.values()) == pytest.approx(1)
        assert sum(f.share for f in found.families) == pytest.approx(found.shares["family"])


def test_the_sums_of_squares_are_those_of_statsmodels() -> None:
    rng = np.random.default_rng(3)
    right = rng.random((5, 24)) < np.linspace(0.3, 0.8, 5)[:, None]
    families, patient = ["a", "a", "b", "b", "b"], np.sort(rng.integers(0, 7, 24))
    wording, recording = np.meshgrid(np.arange(5), np.arange(24), indexing="ij")
    table = pd.DataFrame(
        {
            "y": right.ravel().astype(float),
            "wording": wording.ravel().astype(str),
            "recording": recording.ravel().astype(str),
            "family": np.array(families)[wording.ravel()],
            "patient": patient[recording.ravel()].astype(str),
        }
    )
    fit = smf.ols("y ~ C(wording) + C(recording)", table).fit()
    anova = anova_lm(fit)["sum_sq"]
    total = anova.sum()
    found = variance_shares(right, families, patient).shares
    assert found["family"] + found["wording_in_family"] == pytest.approx(anova["C(wording)"] / total)
    assert found["patient"] + found["recording_in_patient"] == pytest.approx(anova["C(recording)"] / total)
    alone = anova_lm(smf.ols("y ~ C(family)", table).fit())["sum_sq"]
    assert found["family"] == pytest.approx(alone["C(family)"] / total)
    alone = anova_lm(smf.ols("y ~ C(patient)", table).fit())["sum_sq"]
    assert found["patient"] == pytest.approx(alone["C(patient)"] / total)


def test_shapes_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ValueError, match="a family per wording"):
        variance_shares(np.ones((2, 3), bool), ["a"], np.arange(3))


def test_drawing_wordings_too_widens_the_interval_of_a_mean_and_keeps_its_centre() -> None:
    # 10 wordings with scores 0.50, 0.52, ... 0.68, no patient noise: the variance of a mean of 10 drawn with
    # replacement is the population variance 0.0033 over 10.
    each = np.broadcast_to(0.5 + 0.02 * np.arange(10), (20_000, 10))
    drawn = two_way_bootstrap(each, seed=0)
    assert drawn.mean() == pytest.approx(0.59, abs=0.001)
    assert drawn.var() == pytest.approx(0.0033 / 10, rel=0.05)


def test_one_wording_or_equal_wordings_add_no_spread() -> None:
    assert np.ptp(two_way_bootstrap(np.full((50, 6), 0.4), seed=1)) < 1e-12
    rows = np.random.default_rng(0).random((50, 1))
    np.testing.assert_allclose(two_way_bootstrap(rows, seed=1), rows[:, 0])


def test_an_undefined_score_is_left_out_of_the_draw() -> None:
    drawn = two_way_bootstrap(np.tile([0.5, np.nan], (200, 1)), seed=0)
    # with two wordings, both draws fall on the undefined one in a quarter of the resamples
    assert set(drawn[~np.isnan(drawn)]) == {0.5}
    assert 0.15 < np.isnan(drawn).mean() < 0.35


def test_interchangeable_wordings_are_rarely_called_different() -> None:
    rng = np.random.default_rng(0)
    patient = np.repeat(np.arange(20), 3)
    p_values = []
    for _ in range(200):
        # patients differ in how easy they are, and wordings may suit a patient: exchangeable, dependent
        level = rng.beta(2, 2, (6, 20))[:, patient]
        right = rng.random(level.shape) < level
        p_values.append(wording_permutation_test(right, patient, permutations=200)[0])
    # nominal 5 %, standard error 1.5 points
    assert np.mean(np.array(p_values) <= 0.05) <= 0.10
    assert np.mean(p_values) == pytest.approx(0.5, abs=0.08)


def test_a_wording_that_is_worse_is_found_and_equal_ones_are_not() -> None:
    patient = np.repeat(np.arange(20), 3)
    right = np.ones((5, 60), dtype=bool)
    assert wording_permutation_test(right, patient, permutations=100) == (1.0, 0.0)
    right[0] = False
    p_value, noise = wording_permutation_test(right, patient, permutations=400)
    assert p_value == pytest.approx(1 / 401)
    assert 0 < noise < 1
