from __future__ import annotations

import numpy as np
import pytest
import statsmodels.api as sm
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import expit
from scipy.stats import norm
from scipy.stats import t as student
from statsmodels.stats.proportion import proportion_confint

from semiology.metrics.statistics import intervals
from semiology.metrics.statistics.intervals import (
    bootstrap_estimate,
    cluster_variance,
    effective_patients,
    f1_estimate,
    patient_weights,
    proportion_estimate,
    resampled_tables,
)


def correlated(sizes: np.ndarray, share: float, correlation: float, rng: np.random.Generator) -> np.ndarray:
    """Beta-binomial successes per patient: mean `share`, intra-patient correlation `correlation`."""
    strength = 1 / correlation - 1
    return rng.binomial(sizes, rng.beta(share * strength, (1 - share) * strength, len(sizes)))


def coverage(sizes: np.ndarray, share: float, runs: int, seed: int = 0) -> float:
    rng = np.random.default_rng(seed)
    hits = 0
    for _ in range(runs):
        e = proportion_estimate(correlated(sizes, share, 0.28, rng), sizes)
        assert e.low is not None
        assert e.high is not None
        hits += e.low <= share <= e.high
    return hits / runs


@pytest.mark.parametrize("seed", range(5))
def test_the_logit_interval_equals_a_clustered_logistic_regression(seed: int) -> None:
    rng = np.random.default_rng(seed)
    sizes = rng.integers(1, 9, 25)
    part = correlated(sizes, 0.6, 0.4, rng)
    y = np.concatenate([np.r_[np.ones(k), np.zeros(n - k)] for k, n in zip(part, sizes, strict=True)])
    groups = np.repeat(np.arange(25), sizes)
    fit = sm.GLM(y, np.ones((len(y), 1)), family=sm.families.Binomial()).fit(
        cov_type="cluster", cov_kwds={"groups": groups}, use_t=True
    )
    ours = proportion_estimate(part, sizes)
    assert ours.method == "logit cluster t"
    # The oracle takes C-1 degrees of freedom for clustered covariances; ours are those of Kish's effective number.
    reach = student.ppf(0.975, sizes.sum() ** 2 / (sizes**2).sum() - 1) * fit.bse[0]
    np.testing.assert_allclose([ours.low, ours.high], expit(fit.params[0] + [-reach, reach]), rtol=1e-6)


def test_the_cluster_variance_equals_the_sum_over_pairs_of_one_patient() -> None:
    rng = np.random.default_rng(3)
    groups = np.repeat(np.arange(12), rng.integers(1, 8, 12))
    y = (rng.random(len(groups)) < rng.random(12)[groups]).astype(float)
    residual = y - y.mean()
    same = groups[:, None] == groups[None, :]
    slow = sum(np.outer(residual, residual)[same])
    ours = cluster_variance(np.bincount(groups, y), np.bincount(groups).astype(float))
    assert ours == pytest.approx(12 / 11 * slow / len(y) ** 2)


def test_the_variance_never_falls_below_the_binomial_one() -> None:
    # Each patient has one of two right: the between-patient variance is 0, which is luck, not certainty.
    assert cluster_variance(np.ones(5), np.full(5, 2.0)) == pytest.approx(0.25 / 10)


def test_an_extreme_share_gets_wilson_with_an_effective_number_of_recordings() -> None:
    single = proportion_estimate(np.zeros(400), np.ones(400))
    low, high = proportion_confint(0, 400, method="wilson")
    assert single.method == "patient-level Wilson"
    assert (single.low, single.high) == (pytest.approx(low, abs=1e-9), pytest.approx(high, rel=0.01))
    clustered = proportion_estimate(np.zeros(50), np.full(50, 8.0))
    full = proportion_estimate(np.full(50, 8.0), np.full(50, 8.0))
    assert clustered.high is not None
    assert clustered.high > 3 * high
    assert full.low == pytest.approx(1 - clustered.high)
    assert full.high == 1.0


def test_one_patient_or_none_gives_a_reason_instead_of_an_interval() -> None:
    one = proportion_estimate(np.array([3.0, 0.0]), np.array([4.0, 0.0]))
    none = proportion_estimate(np.zeros(2), np.zeros(2))
    assert (one.value, one.low, one.estimable, one.reason) == (
        0.75,
        None,
        False,
        "all recordings come from one patient",
    )
    assert np.isnan(none.value)
    assert none.reason == "no recording to count"


@settings(max_examples=60)
@given(st.lists(st.tuples(st.integers(0, 6), st.integers(1, 6)), min_size=2, max_size=30), st.randoms())
def test_limits_enclose_the_value_in_any_order_of_patients(
    pairs: list[tuple[int, int]], random: object
) -> None:
    pairs = [(min(k, n), n) for k, n in pairs]
    e = proportion_estimate(*np.array(pairs, dtype=float).T)
    random.shuffle(pairs)  # type: ignore[attr-defined]
    again = proportion_estimate(*np.array(pairs, dtype=float).T)
    if e.low is None or e.high is None:  # one patient holds most recordings
        assert "one patient holds most" in (e.reason or "")
        assert effective_patients(np.array(pairs, dtype=float)[:, 1]) < 2
        return
    assert 0 <= e.low <= e.value <= e.high <= 1
    assert (e.low, e.high) == (pytest.approx(again.low), pytest.approx(again.high))


def test_duplicating_every_recording_of_every_patient_adds_no_certainty() -> None:
    rng = np.random.default_rng(1)
    sizes = rng.integers(1, 9, 30)
    part = correlated(sizes, 0.5, 0.5, rng)
    once, twice = proportion_estimate(part, sizes), proportion_estimate(2 * part, 2 * sizes)
    assert (once.low, once.high) == (pytest.approx(twice.low), pytest.approx(twice.high))


def test_patient_weights_draw_as_many_patients_as_there_are() -> None:
    weights = patient_weights(7, 4000, np.random.default_rng(0))
    assert weights.shape == (4000, 7)
    assert (weights.sum(1) == 7).all()
    np.testing.assert_allclose(weights.mean(0), 1, atol=0.06)
    assert patient_weights(0, 5, np.random.default_rng(0)).shape == (5, 0)


def test_resampled_tables_equal_adding_up_the_drawn_patients() -> None:
    counts = np.random.default_rng(0).integers(0, 5, (6, 2, 3, 4)).astype(float)
    weights = patient_weights(6, 10, np.random.default_rng(1))
    slow = np.stack([sum(w * counts[p] for p, w in enumerate(row)) for row in weights])  # type: ignore[misc]
    np.testing.assert_array_equal(resampled_tables(counts, weights), slow)


def test_the_bootstrap_of_a_mean_matches_students_t_with_few_patients() -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=12)
    draws = patient_weights(12, 200_000, rng) @ x / 12
    e = bootstrap_estimate(float(x.mean()), draws, n=12, n_patients=12)
    half = intervals.t_quantile(0.95, 12) * x.std(ddof=1) / np.sqrt(12)
    # The expanded percentile interval is made to equal this one for a normal mean.
    assert e.low == pytest.approx(x.mean() - half, abs=0.06)
    assert e.high == pytest.approx(x.mean() + half, abs=0.06)


def test_undefined_resamples_are_left_out_and_their_share_is_told() -> None:
    draws = np.r_[np.linspace(0, 1, 75), np.full(25, np.nan)]
    e = bootstrap_estimate(0.5, draws, n=40, n_patients=20)
    assert e.undefined_share == 0.25
    assert e.estimable


@pytest.mark.parametrize(
    ("value", "draws", "patients", "reason"),
    [
        (float("nan"), [0.1, 0.2], 12, "undefined"),
        (0.5, [0.5, 0.6], 1, "one patient"),
        (0.5, [np.nan, np.nan], 12, "undefined in every resample"),
        (0.0, [0.0, 0.0], 12, "the same in every resample"),
    ],
)
def test_a_bootstrap_without_information_gives_a_reason(
    value: float, draws: list[float], patients: int, reason: str
) -> None:
    e = bootstrap_estimate(value, np.array(draws), n=20, n_patients=patients)
    assert not e.estimable
    assert reason in (e.reason or "")


@pytest.mark.parametrize("share", [0.7, 0.9])
def test_the_interval_keeps_its_promise_with_few_unequal_patients(share: float) -> None:
    sizes = np.array([1] * 12 + [2] * 6 + [4] * 5 + [7] * 4 + [10, 12])
    assert len(sizes) == 29
    assert coverage(sizes, share, 600) >= 0.91


def test_the_design_effect_of_an_extreme_share_counts_the_size_of_a_random_recordings_patient() -> None:
    # Sizes 1, 1, 8: a random recording's patient has (1 + 1 + 64) / 10 = 6.6. Design effect 1 + 5.6 * 0.45 = 3.52.
    sizes = np.array([1.0, 1, 8] * 12)
    found = proportion_estimate(np.zeros(36), sizes)
    quantile = student.ppf(0.975, 120**2 / (66 * 12) - 1)
    assert found.high == pytest.approx(quantile**2 / (120 / 3.52 + quantile**2))


def test_percentiles_are_those_of_the_expanded_interval() -> None:
    draws = np.linspace(0, 1, 100_001)
    found = bootstrap_estimate(0.5, draws, n=20, n_patients=8)
    tail = norm.cdf(-student.ppf(0.975, 7) * np.sqrt(8 / 7))
    assert (found.low, found.high) == (pytest.approx(tail, abs=1e-4), pytest.approx(1 - tail, abs=1e-4))


@pytest.mark.parametrize("seed", range(3))
def test_f1_is_the_logit_delta_interval_of_its_linearised_patients(seed: int) -> None:
    rng = np.random.default_rng(seed)
    tp, fp, fn = rng.integers(0, 6, (3, 40)).astype(float)
    found = f1_estimate(tp, fp, fn, n=400, n_patients=40)
    weights = 2 * tp + fp + fn
    value = 2 * tp.sum() / weights.sum()
    variance = 40 / 39 * ((2 * tp - value * weights) ** 2).sum() / weights.sum() ** 2
    freedom = weights.sum() ** 2 / (weights**2).sum() - 1
    reach = student.ppf(0.975, freedom) * np.sqrt(variance) / (value * (1 - value))
    logit = np.log(value / (1 - value))
    assert (weights > 0).all()
    assert (found.value, found.method) == (pytest.approx(value), "logit cluster t")
    assert (found.low, found.high) == pytest.approx((expit(logit - reach), expit(logit + reach)))


def test_f1_of_one_and_of_zero_have_intervals_that_recordings_of_one_patient_widen() -> None:
    ones, none = np.ones(20), np.zeros(20)
    best, worst = (
        f1_estimate(*counts, n=40, n_patients=20) for counts in ((ones, none, none), (none, ones, ones))
    )
    quantile = student.ppf(0.975, 19)
    assert (best.low, best.high) == (pytest.approx(20 / (20 + quantile**2)), 1.0)
    assert (worst.low, worst.high) == (0.0, pytest.approx(quantile**2 / (20 + quantile**2)))
    clustered = f1_estimate(5 * ones[:4], none[:4], none[:4], n=20, n_patients=4)
    assert clustered.low is not None
    assert clustered.low < best.low  # type: ignore[operator]
    never = f1_estimate(none, ones, none, n=20, n_patients=20)
    assert (never.estimable, never.reason) == (False, "undefined: no recording shows the feature")


def test_one_patient_with_most_recordings_leaves_no_interval_and_is_told() -> None:
    sizes = np.array([200.0, *[1] * 29])
    found = proportion_estimate(0.7 * sizes, sizes)
    assert not found.estimable
    assert "weigh like 1.3 patients" in (found.reason or "")
    some = np.array([20.0, 20, *[1] * 20])
    assert "weigh like 4.4 patients" in (proportion_estimate(0.5 * some, some).caution or "")


def test_what_cannot_be_estimated_counts_nothing_and_leaves_no_resample_out() -> None:
    none = proportion_estimate(np.zeros(3), np.zeros(3))
    some = proportion_estimate(np.array([1.0, 2, 0]), np.array([2.0, 3, 2]))
    assert (none.n, none.n_patients) == (0, 0)
    assert (some.n, some.n_patients, some.undefined_share) == (7, 3, 0.0)


@pytest.mark.parametrize("level", [0.8, 0.95, 0.99])
def test_the_level_is_that_of_students_t(level: float) -> None:
    part, whole = np.arange(20.0) % 3, np.full(20, 2.0)
    found, error = proportion_estimate(part, whole, level=level), np.sqrt(cluster_variance(part, whole))
    value = part.sum() / 40
    reach = student.ppf((1 + level) / 2, 19) * error / (value * (1 - value))
    assert found.high == pytest.approx(expit(np.log(value / (1 - value)) + reach))


def test_nothing_weighs_like_no_patient_and_equal_patients_like_themselves() -> None:
    assert effective_patients(np.zeros(3)) == 0.0
    assert effective_patients(np.array([])) == 0.0
    assert effective_patients(np.array([2.0, 2.0, 0.0])) == 2.0
