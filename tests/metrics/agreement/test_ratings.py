"""Ratings of justifications: hand counts, and agreement against a published example and scikit-learn."""

from __future__ import annotations

import math

import pytest

from semiology.metrics.agreement.ratings import interval_alpha, rater_agreement, summarise_ratings


def test_summary_equals_hand_counts() -> None:
    found = summarise_ratings([[5, 3], [1], [3], [], [2, 3]], ["a", "a", "b", "c", "c"])
    assert (found.n_items, found.n_ratings, found.n_patients) == (4, 6, 3)
    assert found.distribution == {1: 1 / 6, 2: 1 / 6, 3: 3 / 6, 4: 0, 5: 1 / 6}
    assert found.passed.value == 0.5
    assert found.mean.value == pytest.approx((80 + 20 + 60 + 50) / 4)
    assert found.median == 2.75


def test_nothing_rated_is_undefined() -> None:
    found = summarise_ratings([[], []], ["a", "b"])
    assert found.n_items == 0
    assert math.isnan(found.median)
    assert math.isnan(found.passed.value)


def test_faults_are_named() -> None:
    with pytest.raises(ValueError, match="no rating"):
        summarise_ratings([[6]], ["a"])
    with pytest.raises(ValueError, match="one patient per item"):
        summarise_ratings([[5]], [])


def test_interval_alpha_of_krippendorffs_example() -> None:
    """Reliability data of "Computing Krippendorff's alpha-reliability" (2011), section C: 0.849."""
    rows = [
        [1, 1, 1],
        [2, 2, 3, 2],
        [3, 3, 3, 3],
        [3, 3, 3, 3],
        [2, 2, 2, 2],
        [1, 2, 3, 4],
        [4, 4, 4, 4],
        [1, 1, 2, 1],
        [2, 2, 2, 2],
        [5, 5, 5],
        [1, 1],
        [3],
    ]
    assert interval_alpha(rows) == pytest.approx(0.849, abs=5e-4)


def test_agreement_is_perfect_only_where_it_is() -> None:
    same = rater_agreement({"a": {"x": 1, "y": 5, "z": 3}, "b": {"x": 1, "y": 5, "w": 2}})
    assert (same.n_items, same.exact, same.alpha, same.weighted_kappa) == (2, 1, 1, 1)
    apart = rater_agreement({"a": {"x": 1, "y": 5}, "b": {"x": 5, "y": 1}})
    assert apart.exact == 0
    assert apart.alpha < 0
    alone = rater_agreement({"a": {"x": 1}})
    assert alone.n_items == 0
    assert math.isnan(alone.alpha)
