"""False alarms per hour, against SciPy's exact Poisson intervals, counts by hand, and studies drawn anew."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.stats import chi2

from semiology.metrics.scores.false_alarms import ANY, NO_ALARM, false_alarms, rate_estimate


def test_alike_patients_have_the_exact_poisson_interval() -> None:
    events, hours = np.array([2.0, 2, 1, 3] * 5), np.full(20, 0.5)
    found = rate_estimate(events, hours, n=40)
    assert found.value == pytest.approx(4.0)
    assert found.low == pytest.approx(chi2.ppf(0.025, 2 * 40) / 2 / 10)
    assert found.high == pytest.approx(chi2.ppf(0.975, 2 * 41) / 2 / 10)
    assert found.caution is None


def test_no_alarm_has_an_upper_limit_and_a_caution() -> None:
    found = rate_estimate(np.zeros(12), np.full(12, 2.0), n=12)
    assert (found.value, found.low) == (0.0, 0.0)
    assert found.high == pytest.approx(-np.log(0.025) / 24)
    assert found.caution == NO_ALARM
    assert not rate_estimate(np.array([1.0]), np.array([1.0]), n=1).estimable
    assert np.isnan(rate_estimate(np.zeros(0), np.zeros(0), n=0).value)


def test_patients_who_differ_widen_the_interval_as_much_as_is_needed() -> None:
    rng = np.random.default_rng(0)
    covered = []
    for _ in range(600):
        hours = rng.uniform(0.5, 2.0, 40)
        events = rng.poisson(hours * rng.gamma(1.0, 3.0, 40)).astype(float)  # mean 3 per hour
        found = rate_estimate(events, hours, n=40)
        covered.append(found.low <= 3.0 <= found.high)
    assert 0.92 <= np.mean(covered) <= 0.98


def test_windows_that_touch_are_one_alarm_and_sleep_is_none() -> None:
    rows = [
        # patient, video, feature, start, end, answer, truth
        ("p1", "c1", "tonic", 0, 30, "yes", "no"),
        ("p1", "c1", "tonic", 25, 55, "yes", "no"),
        ("p1", "c1", "tonic", 50, 80, "no", "no"),
        ("p1", "c1", "tonic", 75, 105, "yes", "no"),
        ("p2", "c2", "tonic", 0, 30, "unparsed", "no"),
        ("p2", "c2", "tonic", 25, 55, "no", "no"),
        ("p1", "c1", "clonic", 60, 90, "yes", "no"),
        ("p2", "c2", "close_eyes", 0, 30, "yes", "yes"),
    ]
    names = ["patient_id", "video_id", "feature", "start_s", "end_s", "answer", "truth"]
    found = {one.feature: one for one in false_alarms(pd.DataFrame(rows, columns=names), ["clonic", "tonic"])}
    assert set(found) == {"clonic", "tonic", ANY}
    tonic = found["tonic"]
    assert (tonic.alarms, tonic.n_recordings, tonic.n_patients) == (2, 2, 2)
    assert tonic.hours == pytest.approx((105 + 55) / 3600)
    assert tonic.rate.value == pytest.approx(2 / (160 / 3600))
    assert (tonic.unparsed, tonic.windows) == (1, 6)
    assert found[ANY].alarms == 2  # 0-55, and 60-105 of two features
