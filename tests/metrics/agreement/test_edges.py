"""Agreement where little is rated: two raters, one item, what one left out, all alike; and rankings redrawn."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import kendalltau, pearsonr, spearmanr, wasserstein_distance
from sklearn.metrics import cohen_kappa_score
from sklearn.metrics.pairwise import cosine_similarity
from statsmodels.stats.inter_rater import aggregate_raters
from statsmodels.stats.inter_rater import fleiss_kappa as reference_fleiss

from semiology.metrics.agreement.coefficients import (
    agreement_estimates,
    cohen_kappa,
    distribution_similarity,
    fleiss_kappa,
    mean_jensen_shannon,
)
from semiology.metrics.agreement.expert_ranking import ranking_estimates
from semiology.metrics.agreement.ratings import rater_agreement
from semiology.metrics.statistics.intervals import bootstrap_estimate, patient_weights


def test_two_ratings_of_an_item_are_enough_and_one_is_not() -> None:
    rows = [["yes", "yes"], ["yes", "no"], ["no", "no"], ["no", "no"]]
    assert fleiss_kappa(rows) == pytest.approx(reference_fleiss(aggregate_raters(np.array(rows))[0]))
    with pytest.raises(ValueError, match="two or more"):
        fleiss_kappa([["yes"], ["no"]])


def test_what_one_of_two_left_out_is_dropped() -> None:
    first, second = ["yes", "no", "yes", None, ""], ["yes", "no", "no", "yes", "no"]
    assert cohen_kappa(first, second) == pytest.approx(cohen_kappa_score(first[:3], second[:3]))
    assert cohen_kappa(second, first) == pytest.approx(cohen_kappa_score(first[:3], second[:3]))


def test_one_item_has_its_agreement() -> None:
    found = agreement_estimates([["yes", "no"]], ["p0"])
    assert found["raw_agreement"].value == 0.0
    assert set(found) == {"raw_agreement", "cohen_kappa", "fleiss_kappa", "krippendorff_alpha"}


@pytest.mark.parametrize("seed", range(4))
def test_distributions_are_compared_by_scipy_and_scikit_learn(seed: int) -> None:
    x, y = np.random.default_rng(seed).uniform(0, 40, (2, 6))
    found = distribution_similarity(x, y)
    p, q = x / x.sum(), y / y.sum()
    assert found["pearson"] == pytest.approx(pearsonr(x, y).statistic)
    assert found["cosine"] == pytest.approx(cosine_similarity([x], [y])[0, 0])
    assert found["emd"] == pytest.approx(wasserstein_distance(p, q))
    assert found["total_variation"] == pytest.approx(np.abs(p - q).sum() / 2)


def test_a_distribution_of_nothing_is_like_none() -> None:
    found = distribution_similarity([0, 0], [1, 2])
    assert all(np.isnan(value) for value in found.values())
    one = distribution_similarity([3], [4])
    assert np.isnan(one["pearson"])
    assert (one["cosine"], one["emd"], one["total_variation"]) == (pytest.approx(1), 0, 0)


def test_raters_who_never_differ_leave_the_mean_kappa_to_the_others() -> None:
    ratings = {
        "a": {"i": 3, "j": 3, "k": 3, "l": 5},
        "b": {"i": 3, "j": 3, "k": 3},
        "c": {"i": 1, "j": 3, "k": 5, "l": 4},
    }
    found = rater_agreement(ratings)
    own = [
        cohen_kappa_score([3, 3, 3, 5], [1, 3, 5, 4], weights="quadratic"),
        cohen_kappa_score([3, 3, 3], [1, 3, 5], weights="quadratic"),
    ]
    assert found.weighted_kappa == pytest.approx(np.mean(own))
    # Pairs of items i, j and k: 0, 2, 2; 0, 0, 0; 0, 2, 2; of l: 1.
    assert (found.exact, found.within_one) == (pytest.approx(5 / 10), pytest.approx(6 / 10))
    assert (found.n_items, found.raters) == (4, ("a", "b", "c"))


def test_what_is_too_small_to_be_halved_is_nothing() -> None:
    tiny = float(np.finfo(np.float64).tiny)
    assert mean_jensen_shannon(np.array([[2 * tiny], [0.0]])).tolist() == [0.0]
    assert mean_jensen_shannon(np.array([[8 * tiny], [0.0]]))[0] > 0


def test_rankings_are_redrawn_with_all_reports_of_a_patient() -> None:
    rng = np.random.default_rng(3)
    metric, expert = rng.integers(0, 6, 14).astype(float), rng.integers(1, 6, 14).astype(float)
    patients = [f"p{i // 2}" for i in range(14)]
    found = ranking_estimates(metric.tolist(), expert.tolist(), patients, resamples=60, seed=5)
    draws = patient_weights(7, 60, np.random.default_rng(5)).astype(int)
    rows = [np.concatenate([[2 * p, 2 * p + 1] * n for p, n in enumerate(draw) if n]) for draw in draws]
    for name, test in (("pearson", pearsonr), ("spearman", spearmanr), ("kendall", kendalltau)):
        values = np.array([test(metric[at], expert[at]).statistic for at in rows])
        same = bootstrap_estimate(test(metric, expert).statistic, values, n=14, n_patients=7)
        assert found[name].value == pytest.approx(same.value)
        assert (found[name].low, found[name].high) == pytest.approx((same.low, same.high))
        assert (found[name].n, found[name].n_patients, found[name].caution) == (14, 7, "only 7 patients")
