"""Resampled means and table scores against their definitions."""

from __future__ import annotations

import numpy as np
import pytest

from semiology.metrics.scores.classification import class_table_scores
from semiology.metrics.statistics.bootstrap import mean_estimate, share_estimate, table_estimates
from semiology.metrics.statistics.intervals import bootstrap_estimate, patient_weights, proportion_estimate


def test_a_resampled_mean_is_over_recordings_and_not_over_patients() -> None:
    rng = np.random.default_rng(0)
    patient = np.repeat(np.arange(12), [1] * 8 + [9, 9, 9, 9])
    values = rng.random(len(patient)) + (patient >= 8)
    found = mean_estimate(values, patient.tolist(), resamples=400, seed=3)
    weights = patient_weights(12, 400, np.random.default_rng(3))
    # Names sort as texts: 0, 1, 10, 11, 2 …
    order = sorted(range(12), key=str)
    drawn = [
        np.average(values, weights=np.array([row[order.index(p)] for p in patient]))
        for row in weights
        if any(row[order.index(p)] for p in patient)
    ]
    slow = bootstrap_estimate(float(values.mean()), np.array(drawn), n=len(values), n_patients=12)
    assert (found.low, found.high) == pytest.approx((slow.low, slow.high))


def test_few_patients_of_a_class_withdraw_intervals_however_many_recordings_they_have() -> None:
    tables = np.zeros((40, 2, 3))
    tables[:9, 0] = [20, 10, 0]  # nine patients with 270 recordings of the first class
    tables[9:, 1] = [1, 4, 1]
    tables[20:, 1] = [3, 1, 0]
    found = table_estimates(tables, class_table_scores, resamples=100)
    assert not found["balanced_accuracy"].estimable
    assert "seen in 9 patients" in (found["balanced_accuracy"].reason or "")
    assert found["accuracy"].estimable
    tables[9, 0] = [1, 0, 0]
    assert table_estimates(tables, class_table_scores, resamples=100)["balanced_accuracy"].estimable


def test_a_share_is_of_the_recordings_that_hit_and_nothing_to_score_is_told() -> None:
    found = share_estimate([1, 0, 0, 0, np.nan, 1], ["a", "a", "b", "b", "b", "c"])
    assert (found.value, found.n, found.n_patients) == (0.4, 5, 3)
    assert found == proportion_estimate(np.array([1.0, 0, 1]), np.array([2.0, 2, 1]))
    none = mean_estimate([np.nan, np.nan], ["a", "b"])
    assert np.isnan(none.value)
    assert (none.method, none.n, none.reason) == ("patient bootstrap", 0, "no recording to score")


def test_patients_without_a_recording_are_not_counted() -> None:
    tables = np.zeros((14, 2, 3))
    tables[:12] = [[2, 1, 0], [1, 1, 1]]
    tables[5, 0] = [0, 3, 0]
    found = table_estimates(tables, class_table_scores, resamples=50)["accuracy"]
    assert (found.n, found.n_patients) == (72, 12)
