from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import cohen_kappa_score
from statsmodels.stats.inter_rater import fleiss_kappa as reference_fleiss

from semiology.metrics.agreement.coefficients import (
    agreement_estimates,
    cohen_kappa,
    distribution_similarity,
    fleiss_kappa,
    krippendorff_alpha,
)
from semiology.metrics.agreement.expert_ranking import pairwise_accuracy, ranking_agreement, ranking_estimates
from semiology.metrics.coverage import AnswerCounts, count_answers
from semiology.metrics.statistics.bootstrap import mean_estimate, share_estimate

words = st.sampled_from(["yes", "no", "na"])
pairs = st.lists(st.tuples(words, words), min_size=2, max_size=30)
tables = st.lists(st.tuples(words, words, words), min_size=2, max_size=20)
shares = st.lists(st.tuples(st.floats(0, 10), st.floats(0, 10)), min_size=2, max_size=20)


@given(pairs)
def test_cohen_equals_scikit_learn_and_is_symmetric(ratings: list[tuple[str, str]]) -> None:
    first, second = [a for a, _ in ratings], [b for _, b in ratings]
    ours = cohen_kappa(first, second)
    if len({*first, *second}) > 1:
        assert ours == pytest.approx(cohen_kappa_score(first, second))
        assert ours == pytest.approx(cohen_kappa(second, first))
    else:
        assert math.isnan(ours)


@given(tables)
def test_fleiss_equals_statsmodels(ratings: list[tuple[str, str, str]]) -> None:
    if len({value for row in ratings for value in row}) > 1:
        counts = np.array([[row.count(word) for word in ("yes", "no", "na")] for row in ratings])
        assert fleiss_kappa(ratings) == pytest.approx(float(reference_fleiss(counts)))
    else:
        assert math.isnan(fleiss_kappa(ratings))


@given(tables)
def test_neither_the_order_of_raters_nor_of_items_matters(ratings: list[tuple[str, str, str]]) -> None:
    mixed = [row[::-1] for row in ratings[::-1]]
    for measure in (fleiss_kappa, krippendorff_alpha):
        assert measure(mixed) == pytest.approx(measure(ratings), nan_ok=True)


def test_alpha_of_the_example_of_krippendorff() -> None:
    # Nominal data of four observers and twelve units in Krippendorff (2011), example C; alpha 0.743.
    observers = [
        "1 2 3 3 2 1 4 1 2 . . .",
        "1 2 3 3 2 2 4 1 2 5 . 3",
        ". 3 3 3 2 3 4 2 2 5 1 .",
        "1 2 3 3 2 4 4 1 2 5 1 .",
    ]
    columns = zip(*(line.split() for line in observers), strict=True)
    units = [[None if value == "." else value for value in column] for column in columns]
    assert krippendorff_alpha(units) == pytest.approx(0.743, abs=5e-4)


@given(tables)
def test_full_agreement_is_one(ratings: list[tuple[str, str, str]]) -> None:
    same = [(row[0],) * 3 for row in ratings]
    expected = 1.0 if len({row[0] for row in ratings}) > 1 else float("nan")
    for measure in (fleiss_kappa, krippendorff_alpha):
        assert measure(same) == pytest.approx(expected, nan_ok=True)


def test_unequal_numbers_of_ratings_are_for_alpha() -> None:
    with pytest.raises(ValueError, match="krippendorff_alpha"):
        fleiss_kappa([["yes", "no"], ["yes"]])
    assert math.isnan(krippendorff_alpha([["yes"], []]))
    # One rating of many is missing: nobody counts it as a category of its own.
    with pytest.raises(ValueError, match="krippendorff_alpha"):
        fleiss_kappa([["yes", "no"], ["yes", None], ["no", "no"]])


@given(shares)
def test_distributions_are_compared_symmetrically_and_in_range(rows: list[tuple[float, float]]) -> None:
    x, y = [a for a, _ in rows], [b for _, b in rows]
    one, other = distribution_similarity(x, y), distribution_similarity(y, x)
    assert one == pytest.approx(other, nan_ok=True, abs=1e-9)
    if not math.isnan(one["emd"]):
        assert -1e-9 <= one["total_variation"] <= 1 + 1e-9
        assert one["emd"] >= 0
    if sum(x):
        assert distribution_similarity(x, x)["total_variation"] == 0


def test_the_published_distance_does_not_see_a_permutation() -> None:
    found = distribution_similarity([0.7, 0.2, 0.1], [0.1, 0.2, 0.7])
    assert found["emd"] == pytest.approx(0)
    assert found["total_variation"] == pytest.approx(0.6)
    for first, second in (([-1, 2], [1, 1]), ([1, 1], [2, -1])):
        with pytest.raises(ValueError, match="negative"):
            distribution_similarity(first, second)


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(1, 5)), min_size=2, max_size=20))
def test_ranking_is_turned_around_with_the_metric(rows: list[tuple[int, int]]) -> None:
    metric, expert = [float(a) for a, _ in rows], [float(b) for _, b in rows]
    one, other = ranking_agreement(metric, expert), ranking_agreement([-value for value in metric], expert)
    for name in ("pearson", "spearman", "kendall"):
        assert one[name] == pytest.approx(-other[name], nan_ok=True, abs=1e-9)
    if not math.isnan(one["pairwise_accuracy"]):
        assert one["pairwise_accuracy"] + other["pairwise_accuracy"] <= 1 + 1e-9


def test_a_tie_of_the_metric_is_wrong_and_equal_ratings_are_no_pair() -> None:
    assert pairwise_accuracy([1, 1, 2], [1, 2, 2]) == 0.5
    assert math.isnan(pairwise_accuracy([1, 2], [3, 3]))
    assert math.isnan(ranking_agreement([1, 1], [1, 2])["pearson"])


def test_rankings_have_patient_intervals() -> None:
    rng = np.random.default_rng(0)
    expert = rng.integers(1, 6, 40).astype(float)
    metric = expert + rng.normal(0, 1, 40)
    found = ranking_estimates(metric.tolist(), expert.tolist(), [i // 2 for i in range(40)], resamples=100)
    for name in ("pearson", "spearman", "kendall", "pairwise_accuracy"):
        low, high = found[name].low, found[name].high
        assert low is not None
        assert high is not None
        assert low < found[name].value < high


def test_an_undefined_coefficient_says_why() -> None:
    alike = agreement_estimates([("yes", "yes")] * 4, ["a", "b", "c", "d"], resamples=100)
    assert alike["cohen_kappa"].reason == "undefined: all ratings are of one category"
    flat = ranking_estimates([1.0] * 4, [1.0, 2, 3, 4], ["a", "b", "c", "d"], resamples=100)
    assert flat["pearson"].reason == "undefined: all values of the metric or all ratings are equal"
    ranked = ranking_estimates([1.0, 2, 4, 3], [1.0, 2, 3, 4], ["a", "b", "c", "d"], resamples=100)
    assert ranked["spearman"].caution == "only 4 patients"


def test_patient_means_leave_the_undefined_out_and_do_not_depend_on_the_order() -> None:
    rng = np.random.default_rng(2)
    values = rng.random(60)
    values[:5] = np.nan
    patients = [f"p{i % 15}" for i in range(60)]
    order = rng.permutation(60)
    one = mean_estimate(values, patients)
    assert one.value == pytest.approx(np.nanmean(values))
    assert (one.n, one.n_patients) == (55, 15)
    assert one == mean_estimate(values[order], [patients[i] for i in order])
    few = mean_estimate(values[:40:5], patients[:40:5])
    assert "only" in (few.caution or few.reason or "")
    assert share_estimate((values > 0.5).astype(float), patients).low is not None


def test_answers_are_counted_by_kind() -> None:
    counts = count_answers(["yes", "", None, float("nan"), "unparsed", ["tonic"]])
    assert counts == AnswerCounts(asked=6, answered=2, unparsed=1, missing=3)
