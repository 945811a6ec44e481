from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from statsmodels.stats.inter_rater import fleiss_kappa as statsmodels_fleiss
from wording_examples import any_answers

from semiology.metrics.agreement import coefficients as agreement
from semiology.metrics.robustness.answers import WordingAnswers


def totals(counts: np.ndarray) -> dict[str, np.ndarray]:
    return {name: part.sum(0) for name, part in agreement.agreement_sums(counts.astype(float)).items()}


def counts_of(answers: WordingAnswers) -> np.ndarray:
    return agreement.rating_counts(answers.answers, answers.usable)


def slow_alpha(counts: np.ndarray) -> float:
    """Krippendorff's alpha from the matrix of coincidences, pair by pair."""
    classes = counts.shape[1]
    coincidences = np.zeros((classes, classes))
    for unit in counts:
        values = np.repeat(np.arange(classes), unit.astype(int))
        for i in range(len(values)):
            for j in range(len(values)):
                if i != j:
                    coincidences[values[i], values[j]] += 1 / (len(values) - 1)
    n_c = coincidences.sum(1)
    n = n_c.sum()
    disagreement = n - np.trace(coincidences)
    expected = (n * n - (n_c**2).sum()) / (n - 1) if n > 1 else 0
    return float(1 - disagreement / expected) if expected > 0 else float("nan")


def test_alpha_of_the_published_binary_example() -> None:
    # Krippendorff, "Computing Krippendorff's Alpha-Reliability" (2011), A: two observers, ten units, binary:
    # A 0 1 0 0 0 0 0 0 1 0 / B 1 1 1 0 0 1 0 0 0 0. Four mismatches, so the coincidences 0-1 sum to 4;
    # n = 20, n_0 = 14, n_1 = 6: alpha = 1 - (20 - 1) * 4 / (14 * 6) = 0.095.
    a, b = [0, 1, 0, 0, 0, 0, 0, 0, 1, 0], [1, 1, 1, 0, 0, 1, 0, 0, 0, 0]
    ones = np.add(a, b)
    found = agreement.alpha_of_sums(totals(np.stack([2 - ones, ones], axis=1)))
    assert found == pytest.approx(1 - 19 * 4 / 84)
    assert round(float(found), 3) == 0.095


def test_alpha_with_missing_ratings_worked_by_hand() -> None:
    # units (yes, no): (2,0), (1,1), (0,3), (1,0); the last one has no pair.
    # N = 7, N_yes = 3, N_no = 4. Disagreeing ordered pairs over (m - 1): only unit 2: 2 / 1 = 2, D_o = 2/7.
    # D_e = (49 - 9 - 16) / (7 * 6) = 24/42. alpha = 1 - (2/7) / (24/42) = 0.5.
    found = agreement.alpha_of_sums(totals(np.array([[2, 0], [1, 1], [0, 3], [1, 0]])))
    assert found == pytest.approx(0.5)


@given(any_answers())
def test_alpha_equals_the_sum_over_all_pairs(answers: WordingAnswers) -> None:
    counts = counts_of(answers)
    found = float(agreement.alpha_of_sums(totals(counts)))
    assert found == pytest.approx(slow_alpha(counts), nan_ok=True)
    assert np.isnan(found) or -1 - 1e-9 <= found <= 1 + 1e-9


def test_fleiss_gwet_and_agreement_worked_by_hand() -> None:
    # three wordings, four recordings, counts (yes, no): (3,0), (2,1), (1,2), (0,3)
    # P_i = 1, 1/3, 1/3, 1 -> P = 2/3; shares 1/2, 1/2 -> Fleiss P_e = 1/2, kappa = 1/3
    # Gwet P_e = 2 * 1/2 * 1/2 / 1 = 1/2, AC1 = 1/3 as well
    sums = totals(np.array([[3, 0], [2, 1], [1, 2], [0, 3]]))
    assert agreement.observed_agreement(sums) == pytest.approx(2 / 3)
    assert agreement.fleiss_of_sums(sums) == pytest.approx(1 / 3)
    assert agreement.ac1_of_sums(sums) == pytest.approx(1 / 3)
    # (3,0) nine times and one (2,1): P = (9 + 1/3) / 10 = 14/15, share of no 1/30
    # Fleiss P_e = 1 - 2 * 29/900 -> kappa = 1 - (1/15) / (58/900) = -0.0345; AC1 = 1 - (1/15) / (1 - 58/900)
    rare = totals(np.array([[3, 0]] * 9 + [[2, 1]]))
    assert agreement.fleiss_of_sums(rare) == pytest.approx(1 - (1 / 15) / (58 / 900))
    assert agreement.ac1_of_sums(rare) == pytest.approx(1 - (1 / 15) / (1 - 58 / 900))


@given(any_answers("yn", min_wordings=2))
def test_fleiss_kappa_equals_that_of_statsmodels(answers: WordingAnswers) -> None:
    counts = counts_of(answers)
    if len(set(answers.answers.ravel().tolist())) < 2:
        assert np.isnan(agreement.fleiss_of_sums(totals(counts)))
        return
    assert agreement.fleiss_of_sums(totals(counts)) == pytest.approx(statsmodels_fleiss(counts))


def test_constant_answers_are_not_called_reliable_by_alpha() -> None:
    sums = totals(np.array([[5, 0]] * 8))
    assert np.isnan(agreement.alpha_of_sums(sums))
    assert np.isnan(agreement.fleiss_of_sums(sums))
    assert agreement.ac1_of_sums(sums) == 1
    assert agreement.observed_agreement(sums) == 1


@given(any_answers(), st.randoms(use_true_random=False))
def test_agreement_does_not_depend_on_the_order_of_wordings(answers: WordingAnswers, random: object) -> None:
    order = random.sample(range(len(answers.wordings)), len(answers.wordings))  # type: ignore[attr-defined]
    shuffled = agreement.rating_counts(answers.answers[order], answers.usable[order])
    np.testing.assert_array_equal(counts_of(answers), shuffled)


def test_jensen_shannon_distance_of_known_distributions() -> None:
    # certain and opposite: divergence 1 bit, distance 1; equal: 0
    np.testing.assert_allclose(agreement.mean_jensen_shannon(np.array([[1.0, 0.3], [0.0, 0.3]])), [1, 0])
    # P = (1, 0), Q = (1/2, 1/2), M = (3/4, 1/4): JS = H(M) - H(Q)/2 = 0.811278 - 0.5; distance its root
    found = agreement.mean_jensen_shannon(np.array([[1.0], [0.5]]))
    assert found[0] == pytest.approx(np.sqrt(0.8112781244591328 - 0.5))
    # three wordings: pairs (1,0), (1,1), (0,1) -> 2/3
    assert agreement.mean_jensen_shannon(np.array([[1.0], [0.0], [1.0]]))[0] == pytest.approx(2 / 3)


def test_jensen_shannon_distance_leaves_unknown_probabilities_out() -> None:
    found = agreement.mean_jensen_shannon(np.array([[1.0, np.nan], [0.0, 0.2], [np.nan, np.nan]]))
    np.testing.assert_allclose(found, [1, np.nan])
    assert np.isnan(agreement.mean_jensen_shannon(np.array([[0.4]]))).all()


@given(st.lists(st.floats(0, 1), min_size=2, max_size=6), st.randoms(use_true_random=False))
def test_jensen_shannon_distance_is_symmetric_and_bounded(values: list[float], random: object) -> None:
    shuffled = random.sample(values, len(values))  # type: ignore[attr-defined]
    found = agreement.mean_jensen_shannon(np.array(values)[:, None])[0]
    assert 0 <= found <= 1 + 1e-12
    assert found == pytest.approx(agreement.mean_jensen_shannon(np.array(shuffled)[:, None])[0], abs=1e-7)
    same = agreement.mean_jensen_shannon(np.array([values[0], values[0]])[:, None])[0]
    assert same == pytest.approx(0, abs=1e-7)
