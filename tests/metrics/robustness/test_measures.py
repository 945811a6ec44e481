from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from wording_examples import answers_of, any_answers

from semiology.metrics.agreement.coefficients import agreement_sums, rating_counts
from semiology.metrics.arrays import mean_defined
from semiology.metrics.robustness import measures as robustness
from semiology.metrics.robustness.answers import WordingAnswers

scores = st.lists(st.floats(0, 1), min_size=1, max_size=9).map(lambda values: np.array(values))


def right_counts(answers: WordingAnswers) -> tuple[np.ndarray, np.ndarray]:
    counted = answers.counted("wrong")
    return answers.right.sum(0).astype(float), counted.sum(0).astype(float)


def test_worst_at_m_of_a_hand_computed_example() -> None:
    # K = 4 wordings; 4, 3, 1 and 0 are right. m = 2: C(4,2) = 6, and C(k,2) = 6, 3, 0, 0.
    found = robustness.worst_at(np.array([4.0, 3, 1, 0]), np.full(4, 4.0), 2)
    np.testing.assert_allclose(found, [1, 0.5, 0, 0])
    # m = 1 is the share right
    np.testing.assert_allclose(robustness.worst_at(np.array([3.0]), np.array([4.0]), 1), [0.75])
    # more than K cannot be drawn
    assert np.isnan(robustness.worst_at(np.array([4.0]), np.array([4.0]), 5)).all()


@given(any_answers())
def test_worst_at_m_never_rises_with_m_and_ends_at_always_right(answers: WordingAnswers) -> None:
    k, of = right_counts(answers)
    series = np.stack([robustness.worst_at(k, of, m) for m in range(1, len(answers.wordings) + 1)])
    assert (np.diff(series, axis=0) <= 1e-12).all()
    np.testing.assert_allclose(series[-1], robustness.flips(k, of)[0])
    np.testing.assert_allclose(series[0], answers.right.mean(0))


@given(any_answers(), st.integers(1, 4))
def test_worst_at_m_is_the_share_of_subsets_that_are_all_right(answers: WordingAnswers, m: int) -> None:
    k, of = right_counts(answers)
    subsets = list(combinations(answers.right, min(m, len(answers.wordings))))
    slow = np.mean([np.all(subset, axis=0) for subset in subsets], axis=0)
    if m <= len(answers.wordings):
        np.testing.assert_allclose(robustness.worst_at(k, of, m), slow)


def test_flips_of_a_hand_computed_example() -> None:
    # recordings: all right, all wrong, mixed, mixed
    answers = answers_of(["ynyn", "ynny"], "yyyy")
    always_right, always_wrong, flips = robustness.flips(*right_counts(answers))
    assert always_right.tolist() == [1, 0, 0, 0]
    assert always_wrong.tolist() == [0, 1, 0, 0]
    assert flips.tolist() == [0, 0, 1, 1]


@given(any_answers())
def test_the_three_shares_sum_to_one_and_are_worst_and_best_case(answers: WordingAnswers) -> None:
    always_right, always_wrong, flips = robustness.flips(*right_counts(answers))
    np.testing.assert_allclose(always_right + always_wrong + flips, 1)
    np.testing.assert_allclose(always_right, answers.right.min(0))
    np.testing.assert_allclose(1 - always_wrong, answers.right.max(0))


def test_pss_of_a_hand_computed_example() -> None:
    # K = 4, k = 1: 3 of 6 pairs differ; k = 2: 4 of 6; k = 0 and 4: none
    found = robustness.prompt_sensitivity(np.array([1.0, 2, 0, 4]), np.full(4, 4.0))
    np.testing.assert_allclose(found, [0.5, 2 / 3, 0, 0])


def test_the_maximum_of_pss_is_not_one() -> None:
    # even K: K / (2 (K - 1)); odd K: (K + 1) / (2 K)
    found = robustness.prompt_sensitivity_maximum(np.array([1.0, 2, 3, 12, 20]))
    np.testing.assert_allclose(found, [np.nan, 1, 4 / 6, 12 / 22, 20 / 38])
    assert found[3:].round(3).tolist() == [0.545, 0.526]


@given(any_answers("yn", min_wordings=2))
def test_pss_is_one_minus_the_observed_agreement_of_fleiss(answers: WordingAnswers) -> None:
    sums = agreement_sums(rating_counts(answers.answers, answers.usable))
    pss = robustness.prompt_sensitivity(*right_counts(answers))
    np.testing.assert_allclose(pss, 1 - sums["agreement"], atol=1e-12)
    assert (pss <= robustness.prompt_sensitivity_maximum(right_counts(answers)[1]) + 1e-12).all()


def test_majority_of_a_hand_computed_example() -> None:
    # v0: y y n -> yes, true. v1: y n u -> tie of yes and no, half. v2: n n y -> no, false. v3: no vote.
    answers = answers_of(["yynu", "ynnu", "nuyu"], "yyyy")
    found = robustness.majority_credit(answers.answers, answers.truth, answers.usable)
    assert found.tolist() == [1, 0.5, 0, 0]
    # three classes: yes, no and na tie, na is true
    three = answers_of(["y", "n", "a"], "a", three_classes=True)
    found = robustness.majority_credit(three.answers, three.truth, three.usable, 3)
    np.testing.assert_allclose(found, [1 / 3])


def test_the_majority_can_be_better_or_worse_than_the_mean() -> None:
    # two of three right about every recording: majority 1, mean 2/3
    good = answers_of(["yyn", "yny", "nyy"], "yyy")
    assert robustness.majority_credit(good.answers, good.truth, good.usable).mean() == 1
    # one of three right: majority 0, mean 1/3
    bad = answers_of(["ynn", "nyn", "nny"], "yyy")
    assert robustness.majority_credit(bad.answers, bad.truth, bad.usable).mean() == 0


def test_measures_of_scores_of_a_hand_computed_example() -> None:
    # accuracies of four wordings, the first one the reference
    each = np.array([0.8, 0.6, 0.9, 0.5])
    assert mean_defined(each) == pytest.approx(0.7)
    assert robustness.best(each) == 0.9
    assert robustness.worst(each) == 0.5
    assert robustness.spread(each) == pytest.approx(0.4)
    # Sat = 1 - (0.9 - 0.7); CPS = 0.8 * 0.9
    assert robustness.saturation(each) == pytest.approx(0.8)
    assert robustness.combined_performance(each) == pytest.approx(0.72)
    # others: mean 2/3; PDR = 1 - (2/3) / 0.8
    assert robustness.performance_drop(each, 0) == pytest.approx(1 - (2 / 3) / 0.8)
    assert robustness.absolute_drop(each, 0) == pytest.approx(0.8 - 2 / 3)


def test_a_reference_that_scores_nothing_has_no_relative_drop() -> None:
    each = np.array([0.0, 0.5])
    assert np.isnan(robustness.performance_drop(each, 0))
    assert robustness.absolute_drop(each, 0) == -0.5
    assert np.isnan(robustness.absolute_drop(np.array([0.5]), 0))


@given(scores, st.integers(1, 9))
def test_the_spread_at_m_is_the_mean_over_all_subsets(each: np.ndarray, m: int) -> None:
    found = robustness.spread_at(each, m)
    if m > len(each):
        assert np.isnan(found)
        return
    slow = np.mean([max(subset) - min(subset) for subset in combinations(each.tolist(), m)])
    assert found == pytest.approx(slow, abs=1e-9)
    if m == len(each):
        assert found == pytest.approx(robustness.spread(each), abs=1e-12)


@given(scores)
def test_saturation_is_one_only_without_differences(each: np.ndarray) -> None:
    sat = float(robustness.saturation(each))
    assert 0 <= sat <= 1 + 1e-12
    assert (sat >= 1 - 1e-12) == (np.ptp(each) <= 1e-11 * len(each) or np.ptp(each) < 1e-9)
    assert robustness.combined_performance(each) <= robustness.best(each) + 1e-12


@given(scores, st.randoms(use_true_random=False))
def test_the_order_of_the_wordings_does_not_matter(each: np.ndarray, random: object) -> None:
    shuffled = np.array(random.sample(each.tolist(), len(each)))  # type: ignore[attr-defined]
    for measure in (
        mean_defined,
        robustness.best,
        robustness.worst,
        robustness.saturation,
        robustness.combined_performance,
    ):
        assert measure(each) == pytest.approx(measure(shuffled))


def test_an_undefined_score_is_left_out_of_means_and_extremes() -> None:
    each = np.array([[0.2, np.nan, 0.6], [np.nan, np.nan, np.nan]])
    np.testing.assert_allclose(mean_defined(each), [0.4, np.nan])
    np.testing.assert_allclose(robustness.best(each), [0.6, np.nan])
    np.testing.assert_allclose(robustness.worst(each), [0.2, np.nan])
    assert np.isnan(robustness.spread_at(each, 2)).all()


def test_senseless_sizes_are_refused() -> None:
    with pytest.raises(ValueError, match="1 or more, not 0"):
        robustness.worst_at(np.array([1.0]), np.array([1.0]), 0)
    with pytest.raises(ValueError, match="1 or more, not 0"):
        robustness.spread_at(np.array([1.0]), 0)
