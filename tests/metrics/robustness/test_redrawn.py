"""Permutations and redrawn wordings written out, and the last digits of shares, means and choices."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from semiology.metrics.robustness.best_wording import best_position
from semiology.metrics.robustness.variance import (
    two_way_bootstrap,
    variance_shares,
    wording_permutation_test,
)
from semiology.metrics.statistics.intervals import patient_weights


def test_names_of_two_wordings_are_exchanged_within_patients_of_unequal_size() -> None:
    """Of all ways to exchange them: how many spread at least as far, and how far they spread on average."""
    sizes = (1, 2, 5, 3)
    patient = np.repeat(np.arange(4), sizes)
    right = np.array([[1, 1, 0, 1, 1, 1, 0, 1, 1, 0, 1], [0, 1, 0, 1, 0, 0, 0, 1, 0, 0, 1]], dtype=bool)
    gaps = [int(right[0, patient == p].sum()) - int(right[1, patient == p].sum()) for p in range(4)]
    spreads = [abs(np.dot(signs, gaps)) for signs in itertools.product((1, -1), repeat=4)]
    p, spread = wording_permutation_test(right, patient, permutations=4000, seed=1)
    assert p == pytest.approx(np.mean(np.array(spreads) >= abs(sum(gaps))), abs=0.03)
    assert spread == pytest.approx(np.mean(spreads) / 11, abs=0.01)


def test_wordings_of_one_patient_differ_as_much_however_they_are_named() -> None:
    right = np.array([[1, 1, 0], [0, 1, 0], [1, 0, 0]], dtype=bool)
    p, spread = wording_permutation_test(right, np.zeros(3, dtype=int), permutations=300)
    assert (p, spread) == (1.0, pytest.approx(1 / 3))


@pytest.mark.parametrize("seed", range(3))
def test_redrawn_wordings_weigh_as_often_as_they_are_drawn(seed: int) -> None:
    rng = np.random.default_rng(seed)
    scores = rng.random((30, 4))
    scores[rng.random((30, 4)) < 0.3] = np.nan
    draws = patient_weights(4, 30, np.random.default_rng(seed))
    for found, row, times in zip(two_way_bootstrap(scores, seed), scores, draws, strict=True):
        every = [value for value, n in zip(row, times.astype(int), strict=True) for _ in range(n)]
        known = [value for value in every if not np.isnan(value)]
        assert found == pytest.approx(np.mean(known) if known else np.nan, nan_ok=True)


def test_where_nothing_varies_no_family_has_a_share() -> None:
    found = variance_shares(np.ones((3, 4), dtype=bool), ["a", "b", "b"], np.arange(4))
    assert found.shares == {}
    assert [(each.family, each.wordings, each.accuracy, each.share) for each in found.families] == [
        ("a", 1, 1.0, 0.0),
        ("b", 2, 1.0, 0.0),
    ]


def test_without_any_score_the_reference_stays() -> None:
    assert best_position(np.array([np.nan, np.nan]), reference=1) == 1
    assert best_position(np.array([np.nan, np.nan]), reference=None) == 0
    assert best_position(np.array([0.2, 0.1, np.nan]), reference=2) == 0


@pytest.mark.parametrize("seed", range(4))
def test_names_of_three_wordings_are_permuted_within_each_patient(seed: int) -> None:
    """All ways: six orders of the wordings in each of three patients."""
    rng = np.random.default_rng(seed)
    patient = np.array([2, 2, 2, 5, 5, 9])
    right = rng.random((3, 6)) < np.array([[0.2], [0.5], [0.9]])
    counts = [right[:, patient == p].sum(1) for p in (2, 5, 9)]
    sums = [
        np.sum([own[list(order)] for own, order in zip(counts, orders, strict=True)], axis=0)
        for orders in itertools.product(itertools.permutations(range(3)), repeat=3)
    ]
    extreme = [each.var() >= sum(counts).var() - 1e-9 for each in sums]  # type: ignore[attr-defined]
    p, spread = wording_permutation_test(right, patient, permutations=1500, seed=seed)
    assert p == pytest.approx(np.mean(extreme), abs=0.04)
    assert spread == pytest.approx(np.mean([np.ptp(each) for each in sums]) / 6, abs=0.02)
