"""Intervals that leave out each patient, and rates, bins and counts at their ends."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.stats import chi2, t
from sklearn.metrics import brier_score_loss, f1_score

from semiology.metrics.coverage import AnswerCounts
from semiology.metrics.scores.discrimination import calibration, probability_scores
from semiology.metrics.scores.false_alarms import false_alarms, rate_estimate
from semiology.metrics.scores.operating_points import risk_coverage
from semiology.metrics.scores.run_scores import score_run


def logit_t(value: float, without: np.ndarray, effective: float) -> tuple[float, float]:
    n = len(without)
    error = np.sqrt((n - 1) / n * ((without - without.mean()) ** 2).sum())
    reach = t.ppf(0.975, effective - 1) * error / (value * (1 - value))
    odds = np.exp(np.log(value / (1 - value)) + np.array([-reach, reach]))
    low, high = odds / (1 + odds)
    return float(low), float(high)


@pytest.mark.parametrize("seed", range(3))
def test_the_brier_score_and_the_gain_leave_out_each_patient(seed: int) -> None:
    rng = np.random.default_rng(seed)
    codes = np.repeat(np.arange(30), rng.integers(1, 5, 30))
    truth = rng.random(len(codes)) < 0.45
    score = np.clip(0.3 * truth + rng.random(len(codes)) * 0.6, 0, 1).round(2)
    found = probability_scores(truth, score, [f"p{c:02d}" for c in codes])
    rest = [codes != c for c in range(30)]
    without = np.array([brier_score_loss(truth[rows], score[rows]) for rows in rest])
    sizes = np.bincount(codes)
    limits = logit_t(brier_score_loss(truth, score), without, sizes.sum() ** 2 / (sizes**2).sum())
    assert (found.brier.low, found.brier.high) == pytest.approx(limits)
    assert (found.n, found.n_patients, found.prevalence) == (len(codes), 30, pytest.approx(truth.mean()))
    cuts = np.array(found.points.thresholds)
    own = score > cuts[codes % 5]
    any_yes = score > 0.5
    gain = f1_score(truth, own) - f1_score(truth, any_yes)
    gains = np.array(
        [f1_score(truth[rows], own[rows]) - f1_score(truth[rows], any_yes[rows]) for rows in rest]
    )
    error = np.sqrt(29 / 30 * ((gains - gains.mean()) ** 2).sum())
    positive = np.bincount(codes[truth], minlength=30)
    reach = t.ppf(0.975, positive.sum() ** 2 / (positive**2).sum() - 1) * error
    assert found.points.gain.value == pytest.approx(gain)
    assert (found.points.gain.low, found.points.gain.high) == pytest.approx((gain - reach, gain + reach))


def test_a_probability_of_one_is_in_the_last_bin() -> None:
    truth, score = np.array([True, False, True]), np.array([1.0, 0.95, 0.0])
    found = calibration(truth, score, np.arange(3), 3)
    assert [(each.mean, each.share.value, each.n) for each in found] == [(0.0, 1.0, 1), (0.975, 0.5, 2)]


def test_patients_who_differ_more_than_chance_have_a_poisson_interval_of_fewer_events() -> None:
    events, hours = np.array([9.0, 0, 0, 7, 1, 0, 0, 3, 0, 0]), np.array([1.0, 2, 1, 3, 1, 2, 1, 1, 2, 1])
    value = 20 / 15
    spread = 10 / 9 * ((events - value * hours) ** 2).sum()
    factor = spread / 20
    assert factor > 1
    found = rate_estimate(events, hours, n=30)
    # Garwood's limits of 20 / factor events.
    low, high = chi2.ppf(0.025, 2 * 20 / factor) / 2, chi2.ppf(0.975, 2 * 20 / factor + 2) / 2
    assert found.value == pytest.approx(value)
    assert (found.low, found.high) == pytest.approx((low * factor / 15, high * factor / 15))
    assert (found.n, found.n_patients, found.caution) == (30, 10, None)
    idle = rate_estimate(np.append(events, 0), np.append(hours, 0), n=30)
    assert idle == found


def test_answers_are_partial_where_any_is_missing() -> None:
    assert not AnswerCounts(3, 2, 1, 0).partial
    assert AnswerCounts(3, 2, 0, 1).partial


@pytest.mark.parametrize(("showing", "lacking", "which"), [(9, 30, "with"), (30, 9, "without")])
def test_the_kind_of_recordings_that_is_too_rare_to_rank_is_named(
    showing: int, lacking: int, which: str
) -> None:
    truth = np.repeat([True, False], [showing, lacking])
    score = np.linspace(0.1, 0.9, len(truth))
    patients = [f"p{i:02d}" for i in [*range(showing), *range(lacking)]]
    found = probability_scores(truth, score, patients)
    for each in (found.auroc, found.average_precision):
        assert each.reason == f"recordings {which} the feature come from 9 patients, fewer than 10"


def test_only_windows_answered_yes_are_alarms() -> None:
    rows = pd.DataFrame(
        [
            # Two alarms, as "no" stands between them; one of the other patient, of two windows that touch.
            ("p1", "a", 0.0, 10.0, "yes"),
            ("p1", "a", 10.0, 20.0, "no"),
            ("p1", "a", 20.0, 30.0, "yes"),
            ("p1", "a", 30.0, 50.0, "unparsed"),
            ("p2", "b", 0.0, 10.0, "no"),
            ("p2", "b", 10.0, 20.0, "yes"),
            ("p2", "b", 20.0, 30.0, "yes"),
            ("p3", "c", 0.0, 3600.0, "no"),
        ],
        columns=["patient_id", "video_id", "start_s", "end_s", "answer"],
    ).assign(feature="tonic", truth="no")
    (found,) = false_alarms(rows, ["tonic"])
    assert (found.alarms, found.n_recordings, found.n_patients, found.windows, found.unparsed) == (
        3,
        3,
        3,
        8,
        1,
    )
    assert found.hours == pytest.approx((50 + 30 + 3600) / 3600)
    assert found.rate == rate_estimate(np.array([2.0, 1, 0]), np.array([50.0, 30, 3600]) / 3600, n=3)


def test_a_group_has_the_patients_who_were_asked_about_it() -> None:
    rng = np.random.default_rng(4)
    rows = pd.DataFrame(
        [
            (f"p{i // 2:02d}", f"v{i}", name, *rng.choice(["yes", "no"], 2))
            for i in range(80)
            for name in ("tonic", "clonic", "figure4")
            if name == "figure4" or i >= 20
        ],
        columns=["patient_id", "video_id", "feature", "answer", "truth"],
    )
    group = {"two": ["tonic", "clonic"]}
    whole = score_run(rows, groups=group)
    alone = score_run(rows[rows["feature"] != "figure4"], groups=group)
    one, two = (next(each for each in run.macros if each.group == "two") for run in (whole, alone))
    assert one.estimates == two.estimates
    assert one.estimates["f1"].n_patients == 30


def test_confidences_to_pass_lie_between_neighbours_and_at_half_the_lowest() -> None:
    sure, wrong = np.array([0.9, 0.6, 0.6, 0.75, 0.5]), np.array([False, True, False, True, False])
    coverage, risk, cuts = risk_coverage(wrong, sure)
    assert coverage.tolist() == pytest.approx([0.2, 0.4, 0.8, 1.0])
    assert risk.tolist() == pytest.approx([0, 1 / 2, 2 / 4, 2 / 5])
    assert cuts.tolist() == pytest.approx([0.825, 0.675, 0.55, 0.25])
