from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import t, ttest_1samp

from semiology.metrics.statistics.equivalence import Equivalence, accuracy_equivalence, score_equivalence


def test_one_recording_a_patient_is_the_paired_t_test() -> None:
    # With one recording a patient the cluster variance is the usual variance of the mean difference.
    rng = np.random.default_rng(1)
    variant, reference = rng.random(80) < 0.7, rng.random(80) < 0.7
    d = variant.astype(float) - reference
    found = accuracy_equivalence(variant, reference, np.arange(80), margin=0.1)
    low, high = ttest_1samp(d, 0).confidence_interval(0.9)
    np.testing.assert_allclose([found.low, found.high], [low, high])
    p = max(
        ttest_1samp(d, -0.1, alternative="greater").pvalue, ttest_1samp(d, 0.1, alternative="less").pvalue
    )
    assert found.p_value == pytest.approx(p)


def test_a_hand_computed_example_with_clusters() -> None:
    # Three patients of 4 recordings; the variant loses 2 in A, wins 1 in B, nothing in C: difference -1/12.
    # Patient sums minus expected (-1/3 each): -5/3, 4/3, 1/3; squares 25/9 + 16/9 + 1/9 = 42/9.
    # Variance 3/2 * 42/9 / 144 = 7/144. t(2) at 95 %: 2.91999.
    reference = np.array([1, 1, 1, 1, 0, 1, 1, 1, 1, 1, 1, 1], dtype=bool)
    variant = np.array([0, 0, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1], dtype=bool)
    found = accuracy_equivalence(variant, reference, np.repeat([0, 1, 2], 4), margin=0.3)
    reach = t.ppf(0.95, 2) * np.sqrt(7) / 12
    assert found.difference == pytest.approx(-1 / 12)
    assert (found.low, found.high) == pytest.approx((-1 / 12 - reach, -1 / 12 + reach))
    assert (found.n, found.n_patients, found.n_discordant) == (12, 3, 3)
    assert found.verdict == "undecided"


def test_agreement_of_few_patients_proves_little_and_of_many_enough() -> None:
    # No discordance among C single-recording patients: bound 1 - 0.05^(1/C); p = (1 - margin)^C.
    few = accuracy_equivalence(np.ones(3, bool), np.ones(3, bool), np.arange(3), margin=0.05)
    assert few.high == pytest.approx(1 - 0.05 ** (1 / 3))
    assert few.verdict == "undecided"
    many = accuracy_equivalence(np.ones(90, bool), np.ones(90, bool), np.arange(90), margin=0.05)
    assert many.verdict == "equivalent"
    assert many.p_value == pytest.approx(0.95**90)


def test_a_large_difference_is_not_equivalent() -> None:
    variant = np.tile([True, True, True, False], 30)
    found = accuracy_equivalence(variant, np.zeros(120, bool), np.repeat(np.arange(30), 4), margin=0.05)
    assert found.verdict == "not equivalent"
    assert found.p_value > 0.99


def test_one_patient_says_nothing_and_one_direction_is_judged() -> None:
    one = accuracy_equivalence(np.ones(5, bool), np.zeros(5, bool), np.zeros(5, int), margin=0.1)
    assert one.reason == "the recordings come from fewer than two patients"
    assert np.isnan(one.p_value)
    same = accuracy_equivalence(np.ones(5, bool), np.zeros(5, bool), np.arange(5), margin=0.1)
    # all five better: variance (5 + 2) / 7 - (5 / 7)^2, over 7; t(4) at 95 %: 2.1318
    assert same.low == pytest.approx(1 - t.ppf(0.95, 4) * np.sqrt((1 - 25 / 49) / 7))
    assert same.verdict == "not equivalent"


def test_a_missing_significance_is_not_equivalence() -> None:
    # Ten recordings, difference 0 with much discordance: far from significant, far from equivalent.
    variant = np.array([1, 0] * 5, dtype=bool)
    found = accuracy_equivalence(variant, ~variant, np.arange(10), margin=0.05)
    assert found.difference == 0
    assert found.verdict == "undecided"


@given(st.lists(st.tuples(st.booleans(), st.booleans(), st.integers(0, 5)), min_size=2, max_size=40))
def test_p_and_interval_agree_and_swapping_mirrors(rows: list[tuple[bool, bool, int]]) -> None:
    a, b, patient = (np.array(column) for column in zip(*rows, strict=True))
    forth = accuracy_equivalence(a, b, patient, margin=0.2)
    back = accuracy_equivalence(b, a, patient, margin=0.2)
    assert forth.verdict == back.verdict
    if forth.reason is None:
        assert (forth.verdict == "equivalent") == (forth.p_value < 0.05) or abs(forth.p_value - 0.05) < 1e-9
        np.testing.assert_allclose([forth.low, forth.high], [-back.high, -back.low], atol=1e-12)
        assert forth.p_value == pytest.approx(back.p_value)


def false_claims(share: float, sizes: np.ndarray, runs: int) -> float:
    """Share of runs that claim equivalence at a true difference that lies exactly on the margin."""
    rng, claimed = np.random.default_rng(0), 0
    patient = np.repeat(np.arange(len(sizes)), sizes)
    margin = 0.05
    for _ in range(runs):
        # discordance clustered by patient, with mean win minus mean loss equal to the margin
        level = rng.beta(0.5, 0.5, len(sizes))[patient] * 2
        u = rng.random(len(patient))
        loss = u < (share - margin) / 2 * level
        win = ~loss & (u < share * level)
        claimed += accuracy_equivalence(~loss, ~win, patient, margin=margin).verdict == "equivalent"
    return claimed / runs


@pytest.mark.parametrize(("patients", "share"), [(100, 0.15), (29, 0.15), (29, 0.06)])
def test_equivalence_is_rarely_claimed_at_the_margin(patients: int, share: float) -> None:
    # nominal 5 %; 1,000 runs have a standard error of 0.7 points. A share of 0.06 on 29 patients is hard:
    # some five discordant recordings, nearly all in one direction.
    sizes = np.random.default_rng(4).integers(1, 6, patients)
    assert false_claims(share, sizes, 1000) <= 0.075


def decided(resampled: np.ndarray, value: float) -> Equivalence:
    return score_equivalence(value, resampled, margin=0.05, n=90, n_patients=40, n_discordant=7)


def test_a_score_is_equivalent_if_its_bootstrap_lies_within_the_margin() -> None:
    rng = np.random.default_rng(0)
    narrow = decided(rng.normal(0.0, 0.01, 2000), 0.0)
    assert narrow.verdict == "equivalent"
    assert narrow.p_value == pytest.approx(1 / 2001)
    assert decided(rng.normal(0.0, 0.05, 2000), 0.0).verdict == "undecided"
    assert decided(rng.normal(0.2, 0.01, 2000), 0.2).verdict == "not equivalent"
    unchanged = decided(np.zeros(2000), 0.0)
    assert unchanged.verdict == "undecided"
    assert unchanged.reason is not None


@pytest.mark.parametrize(("margin", "alpha"), [(0.0, 0.05), (1.0, 0.05), (0.05, 0.0), (0.05, 0.5)])
def test_a_senseless_margin_or_level_is_refused(margin: float, alpha: float) -> None:
    with pytest.raises(ValueError, match="must lie between 0"):
        accuracy_equivalence(np.ones(2, bool), np.ones(2, bool), np.arange(2), margin=margin, alpha=alpha)


def test_unequal_lengths_are_refused() -> None:
    with pytest.raises(ValueError, match="differ in length"):
        accuracy_equivalence(np.ones(2, bool), np.ones(3, bool), np.arange(2), margin=0.1)
