"""The patient jackknife: Student's interval of a mean, its scales, and why there is none."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import t as student
from scipy.stats import ttest_1samp

from semiology.metrics.statistics.jackknife import JACKKNIFE, jackknife_error, jackknife_estimate


def left_out(x: np.ndarray) -> np.ndarray:
    return np.asarray((x.sum() - x) / (len(x) - 1))


def test_a_mean_has_students_interval() -> None:
    x = np.random.default_rng(0).normal(size=15)
    found = jackknife_estimate(float(x.mean()), left_out(x), effective=15, n=30, n_patients=15)
    assert (found.low, found.high) == pytest.approx(tuple(ttest_1samp(x, 0).confidence_interval(0.95)))
    assert (found.method, found.n, found.n_patients, found.caution) == (JACKKNIFE, 30, 15, None)
    assert jackknife_error(left_out(x)) == pytest.approx(x.std(ddof=1) / np.sqrt(15))
    assert jackknife_error(np.append(left_out(x), np.nan)) == pytest.approx(jackknife_error(left_out(x)))
    assert np.isnan(jackknife_error(np.array([0.5])))


@pytest.mark.parametrize(("scale", "value"), [("share", 0.97), ("correlation", 0.97), ("correlation", -0.97)])
def test_shares_and_correlations_stay_within_their_range(scale: str, value: float) -> None:
    draws = value + np.random.default_rng(1).normal(size=12) * 0.03
    found = jackknife_estimate(value, draws, effective=12, n=12, n_patients=12, scale=scale)  # type: ignore[arg-type]
    assert found.low is not None
    assert found.high is not None
    assert (0 if scale == "share" else -1) < found.low < value < found.high < 1


@pytest.mark.parametrize(
    ("value", "values", "effective", "patients", "reason"),
    [
        (float("nan"), [0.1, 0.2], 9, 9, "undefined"),
        (0.5, [0.1, 0.2], 1, 1, "one patient"),
        (0.5, [0.1, np.nan], 9, 9, "undefined without any one patient"),
        (0.5, [0.5, 0.5], 9, 9, "the same whichever patient"),
        (0.5, [0.1, 0.2], 1.9, 9, "weigh like 1.9 patients"),
    ],
)
def test_a_score_without_an_interval_keeps_its_value_and_says_why(
    value: float, values: list[float], effective: float, patients: int, reason: str
) -> None:
    found = jackknife_estimate(value, np.array(values), effective=effective, n=20, n_patients=patients)
    assert reason in (found.reason or "")
    assert (found.low, found.high, found.method, found.n) == (None, None, JACKKNIFE, 20)
    assert found.value == pytest.approx(value, nan_ok=True)
    uneven = jackknife_estimate(0.5, np.array([0.1, 0.2, 0.3]), effective=4.0, n=20, n_patients=9)
    assert "4.0 patients" in (uneven.caution or "")


@pytest.mark.parametrize("scale", ["share", "correlation", "plain"])
@pytest.mark.parametrize("seed", range(4))
def test_the_interval_is_symmetric_on_its_scale(seed: int, scale: str) -> None:
    """By the delta method: the standard error times the slope of the scale, with t of the effective patients less 1."""
    rng = np.random.default_rng(seed)
    value, level = float(rng.uniform(0.2, 0.8)), float(rng.choice([0.9, 0.95]))
    draws = value + rng.normal(size=9) * 0.02
    draws[rng.integers(0, 9)] = np.nan
    known = draws[~np.isnan(draws)]
    error = np.sqrt(sum((known - known.mean()) ** 2) * (len(known) - 1) / len(known))
    effective = float(rng.uniform(2, 9))
    found = jackknife_estimate(value, draws, effective=effective, n=9, n_patients=9, scale=scale, level=level)  # type: ignore[arg-type]
    there, slope, back = {
        "share": (np.log(value / (1 - value)), 1 / (value * (1 - value)), lambda z: 1 / (1 + np.exp(-z))),
        "correlation": (np.arctanh(value), 1 / (1 - value**2), np.tanh),
        "plain": (value, 1.0, float),
    }[scale]
    reach = student.ppf((1 + level) / 2, effective - 1) * error * slope
    assert (found.low, found.high) == pytest.approx((back(there - reach), back(there + reach)))


@pytest.mark.parametrize(
    ("scale", "value"), [("share", 0.0), ("share", 1.0), ("correlation", -1.0), ("correlation", 1.0)]
)
def test_at_the_end_of_its_range_a_score_has_a_plain_interval(scale: str, value: float) -> None:
    draws = np.array([value, value, abs(value) - 0.1, value])
    found = jackknife_estimate(value, draws, effective=4, n=4, n_patients=4, scale=scale)  # type: ignore[arg-type]
    reach = student.ppf(0.975, 3) * jackknife_error(draws)
    assert (found.low, found.high) == pytest.approx((value - reach, value + reach))


def test_two_patients_are_enough_for_an_interval() -> None:
    found = jackknife_estimate(0.5, np.array([0.4, 0.6]), effective=2.0, n=9, n_patients=2)
    reach = student.ppf(0.975, 1) * 0.1
    assert (found.low, found.high) == pytest.approx((0.5 - reach, 0.5 + reach))
