"""Similarity of two sources' distributions, held against scipy, and the p-values against what they are about."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.stats import pearsonr, wasserstein_distance

from semiology.metrics.agreement.distributions import compare_distributions


def drawn(rates: np.ndarray, seed: int, patients: int = 40) -> np.ndarray:
    return np.random.default_rng(seed).binomial(4, rates, size=(patients, len(rates))).astype(float)


RATES = np.linspace(0.1, 0.8, 12)


def test_measures_are_those_of_scipy() -> None:
    yes = np.stack([drawn(RATES, 1), drawn(RATES[::-1] ** 2, 2)])
    found = compare_distributions(yes, np.full(yes.shape, 4.0), draws=200)
    x, y = yes[0].mean(0) / 4, yes[1].mean(0) / 4
    assert (found.pearson, found.pearson_p) == pytest.approx(tuple(pearsonr(x, y)))
    assert found.cosine == pytest.approx(x @ y / math.sqrt((x @ x) * (y @ y)))
    assert found.emd == pytest.approx(wasserstein_distance(x / x.sum(), y / y.sum()))


def test_the_printed_p_values_of_table_5_are_those_of_pearson_over_features() -> None:
    """r of 0.893 and 0.782 over 20 features, 0.836 over 40, with their printed p (to the rounding of r)."""
    from scipy.stats import t

    for r, n, printed in ((0.893, 20, 1.16e-7), (0.782, 20, 4.70e-5), (0.836, 40, 1.99e-11)):
        low, high = (
            2 * t.sf(value * math.sqrt((n - 2) / (1 - value**2)), n - 2) for value in (r + 0.0005, r - 0.0005)
        )
        assert low <= printed <= high


def test_alike_sources_do_not_differ_and_other_ones_do_whoever_was_labelled() -> None:
    full = np.full((40, 12), 4.0)
    other = drawn(np.where(np.arange(12) < 6, RATES + 0.25, RATES), 6)
    same = [
        compare_distributions(
            np.stack([drawn(RATES, 2 * seed), drawn(RATES, 2 * seed + 1)]), np.stack([full, full]), draws=200
        )
        for seed in range(30)
    ]
    assert sum(each.total_variation_p < 0.05 for each in same) <= 4
    assert all(each.pearson_p < 0.001 and each.cosine_p < 0.01 for each in same)
    differ = compare_distributions(np.stack([drawn(RATES, 4), other]), np.stack([full, full]), draws=400)
    assert differ.total_variation_p < 0.01
    # Each source has patients of its own.
    first, second = (np.concatenate(parts) for parts in ((drawn(RATES, 7), 0 * full), (0 * full, other)))
    rated = np.stack([np.concatenate([full, 0 * full]), np.concatenate([0 * full, full])])
    assert compare_distributions(np.stack([first, second]), rated, draws=400).total_variation_p < 0.01


def test_features_that_one_source_did_not_label_and_single_patients() -> None:
    rated = np.full((2, 1, 3), 4.0)
    rated[1, 0, 2] = 0
    found = compare_distributions(np.array([[[1.0, 2, 3]], [[2.0, 1, 0]]]), rated, draws=100)
    assert found.n_features == 2
    assert math.isnan(found.emd_p)
    assert math.isnan(found.pearson_p)
