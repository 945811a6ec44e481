from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import t, ttest_1samp

from semiology.metrics.statistics.equivalence import (
    Equivalence,
    adjust_for_family,
    score_equivalence,
    share_equivalence,
    wording_equivalence,
)


def test_each_limit_is_the_paired_t_test_with_one_more_patient_who_contradicts() -> None:
    # With one recording a patient the added patient is one more recording of -1, or of 1.
    rng = np.random.default_rng(1)
    variant, reference = rng.random(80) < 0.7, rng.random(80) < 0.7
    d = variant.astype(float) - reference
    found = share_equivalence(variant, reference, np.arange(80), margin=0.1)
    low, high = (ttest_1samp(np.append(d, more), 0).confidence_interval(0.9) for more in (-1, 1))
    np.testing.assert_allclose([found.low, found.high], [low.low, high.high])
    p = max(
        ttest_1samp(np.append(d, -1), -0.1, alternative="greater").pvalue,
        ttest_1samp(np.append(d, 1), 0.1, alternative="less").pvalue,
    )
    assert found.p_value == pytest.approx(p)
    assert found.difference == pytest.approx(d.mean())


def test_a_hand_computed_example_with_clusters() -> None:
    # Three patients of 4 recordings; the variant loses 2 in A, wins 1 in B, nothing in C: difference -1/12.
    # The lower test adds a patient of size 4 with -4: sums -2, 1, 0, -4 of 16, mean -5/16. Without each patient
    # -3/12, -6/12, -5/12, -1/12; mean -15/48; squared deviations (3, -9, -5, 11)/48: 236/2304, times 3/4.
    reference = np.array([1, 1, 1, 1, 0, 1, 1, 1, 1, 1, 1, 1], dtype=bool)
    variant = np.array([0, 0, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1], dtype=bool)
    found = share_equivalence(variant, reference, np.repeat([0, 1, 2], 4), margin=0.3)
    assert found.difference == pytest.approx(-1 / 12)
    assert found.low == pytest.approx(-5 / 16 - t.ppf(0.95, 3) * np.sqrt(0.75 * 236 / 2304))
    assert (found.n, found.n_patients, found.n_discordant) == (12, 3, 3)
    assert found.verdict == "undecided"


def test_agreement_of_few_patients_proves_little_and_of_many_enough() -> None:
    few = share_equivalence(np.ones(3, bool), np.ones(3, bool), np.arange(3), margin=0.05)
    assert few.high > 0.5
    assert few.verdict == "undecided"
    many = share_equivalence(np.ones(90, bool), np.ones(90, bool), np.arange(90), margin=0.05)
    assert many.verdict == "equivalent"
    # The same recordings of one large patient and 29 others weigh like few.
    patient = np.repeat(np.arange(31), [60, *[1] * 30])
    assert (
        share_equivalence(np.ones(90, bool), np.ones(90, bool), patient, margin=0.05).verdict == "undecided"
    )


def wordings(recall: float, specificity: float, patients: int = 400) -> tuple[np.ndarray, ...]:
    """Reference that is always right, a variant with these rates, truth (one in four shows it), patients."""
    truth = (np.arange(patients * 4) % 4 > 0).astype(np.int64)  # 0 is yes
    variant = np.ones(len(truth), dtype=bool)
    for code, rate in ((0, recall), (1, specificity)):
        own = np.flatnonzero(truth == code)
        variant[own[: round((1 - rate) * len(own))]] = False
    return variant, np.ones(len(truth), dtype=bool), truth, np.arange(len(truth)) // 4


def test_always_no_is_not_equivalent_to_a_wording_that_finds_a_rare_feature() -> None:
    rng = np.random.default_rng(0)
    truth = (rng.random(1500) > 0.05).astype(np.int64)
    reference = np.where(truth == 0, rng.random(1500) < 0.36, True)
    always_no = truth == 1
    patient = np.arange(1500) // 2
    assert abs(always_no.mean() - reference.mean()) < 0.05  # accuracy hardly tells them apart
    found = wording_equivalence(always_no, reference, truth, patient, margin=0.05)
    assert (found.verdict, found.rate) == ("not equivalent", "recall")
    assert found.difference == pytest.approx(-reference[truth == 0].mean())


@pytest.mark.parametrize(
    ("recall", "specificity", "verdict", "rate"),
    [
        (1.0, 1.0, "equivalent", "recall"),
        (1.0, 0.85, "not equivalent", "specificity"),
        (0.97, 1.0, "equivalent", "recall"),
        (0.95, 1.0, "undecided", "recall"),
    ],
)
def test_every_class_must_be_within_the_margin(
    recall: float, specificity: float, verdict: str, rate: str
) -> None:
    found = wording_equivalence(*wordings(recall, specificity), margin=0.05)
    assert (found.verdict, found.rate) == (verdict, rate)


def test_a_class_of_nine_patients_decides_nothing() -> None:
    variant, reference, truth, patient = wordings(1.0, 1.0)
    few = np.where(patient < 9, truth, 1)
    found = wording_equivalence(variant, reference, few, patient, margin=0.05)
    assert (found.verdict, found.reason) == ("undecided", "recall: only 9 patients")
    one = wording_equivalence(variant, reference, np.ones_like(truth), patient, margin=0.05)
    assert one.verdict == "undecided"
    assert "one class only" in (one.reason or "")


def test_a_family_of_wordings_is_adjusted_by_holm_in_both_directions() -> None:
    same = wording_equivalence(*wordings(1.0, 1.0, patients=90), margin=0.05)
    assert same.verdict == "equivalent"
    worse = wording_equivalence(*wordings(0.8, 1.0), margin=0.05)
    family = adjust_for_family([None, same, worse])
    assert family[0] is None
    one, other = family[1:]
    assert one is not None
    assert other is not None
    assert (one.p_adjusted, one.verdict) == (pytest.approx(2 * same.p_value), "equivalent")
    assert (other.verdict, other.p_value) == ("not equivalent", worse.p_value)
    crowd = adjust_for_family([same] * 200)
    assert same.p_value * 200 > 0.05
    assert {each.verdict for each in crowd if each} == {"undecided"}


def test_a_large_difference_is_not_equivalent() -> None:
    variant = np.tile([True, True, True, False], 30)
    found = share_equivalence(variant, np.zeros(120, bool), np.repeat(np.arange(30), 4), margin=0.05)
    assert found.verdict == "not equivalent"
    assert found.p_value > 0.99


def test_one_patient_says_nothing_and_one_direction_is_judged() -> None:
    one = share_equivalence(np.ones(5, bool), np.zeros(5, bool), np.zeros(5, int), margin=0.1)
    assert one.reason == "the recordings come from fewer than two patients"
    assert np.isnan(one.p_value)
    same = share_equivalence(np.ones(5, bool), np.zeros(5, bool), np.arange(5), margin=0.1)
    # all five better; the upper test sees six ones: its variance is (5 + 2) / 7 - (5 / 7)^2, over 7; t(5) at 95 %
    assert same.high == pytest.approx(1 + t.ppf(0.95, 5) * np.sqrt((1 - 25 / 49) / 7))
    many = share_equivalence(np.ones(50, bool), np.zeros(50, bool), np.arange(50), margin=0.1)
    assert many.verdict == "not equivalent"


def test_a_missing_significance_is_not_equivalence() -> None:
    # Ten recordings, difference 0 with much discordance: far from significant, far from equivalent.
    variant = np.array([1, 0] * 5, dtype=bool)
    found = share_equivalence(variant, ~variant, np.arange(10), margin=0.05)
    assert found.difference == 0
    assert found.verdict == "undecided"


@given(st.lists(st.tuples(st.booleans(), st.booleans(), st.integers(0, 5)), min_size=2, max_size=40))
def test_p_and_interval_agree_and_swapping_mirrors(rows: list[tuple[bool, bool, int]]) -> None:
    a, b, patient = (np.array(column) for column in zip(*rows, strict=True))
    forth = share_equivalence(a, b, patient, margin=0.2)
    back = share_equivalence(b, a, patient, margin=0.2)
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
        claimed += share_equivalence(~loss, ~win, patient, margin=margin).verdict == "equivalent"
    return claimed / runs


@pytest.mark.parametrize(("patients", "share"), [(100, 0.15), (29, 0.15), (29, 0.06)])
def test_equivalence_is_rarely_claimed_at_the_margin(patients: int, share: float) -> None:
    # nominal 5 %, and the added patient makes it less. A share of 0.06 on 29 patients is hard:
    # some five discordant recordings, nearly all in one direction.
    sizes = np.random.default_rng(4).integers(1, 6, patients)
    assert false_claims(share, sizes, 1000) <= 0.05


def decided(left_out: np.ndarray, value: float, *, one_more: bool = False) -> Equivalence:
    return score_equivalence(
        value, left_out, margin=0.05, effective=40, n=90, n_patients=40, n_discordant=7, one_more=one_more
    )


def jackknife_of(error: float, value: float) -> np.ndarray:
    """Scores without each of 40 patients that have this standard error."""
    z = np.random.default_rng(0).normal(size=40)
    z = (z - z.mean()) / np.sqrt(39 / 40 * ((z - z.mean()) ** 2).sum())
    return value + error * z


def test_a_score_is_equivalent_if_its_t_interval_lies_within_the_margin() -> None:
    narrow = decided(jackknife_of(0.01, 0.0), 0.0)
    assert narrow.verdict == "equivalent"
    assert narrow.p_value == pytest.approx(t.sf(5, 39))
    assert narrow.high == pytest.approx(t.ppf(0.95, 39) * 0.01)
    assert decided(jackknife_of(0.05, 0.0), 0.0).verdict == "undecided"
    assert decided(jackknife_of(0.01, 0.2), 0.2).verdict == "not equivalent"
    unchanged = decided(np.zeros(40), 0.0)
    assert (unchanged.verdict, unchanged.reason) == ("undecided", "the same whichever patient is left out")
    # One more of 41 patients moves the score by 2.4 points, which leaves no room within the margin.
    assert decided(jackknife_of(0.01, 0.0), 0.0, one_more=True).verdict == "undecided"


@pytest.mark.parametrize(("margin", "alpha"), [(0.0, 0.05), (1.0, 0.05), (0.05, 0.0), (0.05, 0.5)])
def test_a_senseless_margin_or_level_is_refused(margin: float, alpha: float) -> None:
    with pytest.raises(ValueError, match="must lie between 0"):
        share_equivalence(np.ones(2, bool), np.ones(2, bool), np.arange(2), margin=margin, alpha=alpha)


def test_unequal_lengths_are_refused() -> None:
    with pytest.raises(ValueError, match="differ in length"):
        share_equivalence(np.ones(2, bool), np.ones(3, bool), np.arange(2), margin=0.1)


def test_one_more_patient_moves_a_score_by_an_average_patients_share() -> None:
    # 40 effective patients and one more: 0.02 becomes (40 * 0.02 - 1) / 41, or (40 * 0.02 + 1) / 41.
    found = decided(jackknife_of(0.01, 0.02), 0.02, one_more=True)
    ends = ((0.8 - 1) / 41, (0.8 + 1) / 41)
    errors = [np.hypot(0.01 * 40 / 41, 40 / 41**2 * (1 + sign * 0.02)) for sign in (1, -1)]
    reach = t.ppf(0.95, 40)
    assert (found.low, found.high) == pytest.approx(
        (ends[0] - reach * errors[0], ends[1] + reach * errors[1])
    )
