"""Counts of features: the sign test as scipy has it, and a test by patients that alike features do not fool."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binomtest

from semiology.metrics.paired.comparison import compare_pairs
from semiology.metrics.paired.contributions import contributions
from semiology.metrics.paired.feature_counts import count_features, paired_feature_count
from semiology.metrics.paired.tables import measures_of, paired_tables
from semiology.metrics.statistics.sign_flip import draw_flips

FEATURES = ["tonic", "clonic", "head_turning", "blank_stare", "close_eyes", "figure4"]


def pairs(seed: int, *, better: float, alike: bool = False, patients: int = 30) -> pd.DataFrame:
    """Two conditions that are right in 60 % of answers; the second is righted in a further share.

    With ``alike`` the features of a recording share their truth and answers, so that six of them tell as much as one.
    """
    rng = np.random.default_rng(seed)
    rows = []
    for patient in range(patients):
        for video in range(4):
            draws = rng.random((1 if alike else len(FEATURES), 4))
            for at, feature in enumerate(FEATURES):
                truth, one, two, righted = draws[0 if alike else at]
                true = "yes" if truth < 0.5 else "no"
                other = {"yes": "no", "no": "yes"}[true]
                first = true if one < 0.6 else other
                second = true if two < 0.6 or righted < better else other
                rows.append((f"v{patient}_{video}", f"p{patient}", feature, true, first, second))
    return pd.DataFrame(rows, columns=["video_id", "patient_id", "feature", "truth", "first", "second"])


def test_differences_without_value_are_in_no_count_and_ties_in_no_test() -> None:
    found = count_features([0.2, -0.1, 0.0, math.nan, 1e-12, 0.3, 0.4])
    assert (found.better, found.worse, found.equal, found.features) == (3, 1, 2, 6)
    assert found.sign_p == pytest.approx(2 * (1 + 4) / 16)
    none = count_features([0.0, math.nan])
    assert (none.features, none.equal) == (1, 1)
    assert math.isnan(none.sign_p)


def test_a_real_difference_is_found_by_both_tests() -> None:
    count = compare_pairs(pairs(1, better=0.6), FEATURES, flips=2000).counts["f1"]
    assert (count.better, count.worse) == (6, 0)
    assert count.sign_p == pytest.approx(2 / 64)
    assert count.patient_p < 0.05


def test_six_features_that_are_one_do_not_count_six_times() -> None:
    """Without a difference the sign test claims one in every study; the test by patients in about 5 % or fewer."""
    made = [
        compare_pairs(pairs(seed, better=0.0, alike=True), FEATURES, flips=400).counts for seed in range(40)
    ]
    assert sum(each["f1"].sign_p < 0.05 for each in made) >= 35
    assert sum(each["f1"].patient_p < 0.05 for each in made) == 0


def test_patients_signs_keep_their_level_where_features_are_independent() -> None:
    made = [compare_pairs(pairs(seed, better=0.0), FEATURES, flips=400).counts["f1"] for seed in range(60)]
    assert sum(each.patient_p < 0.05 for each in made) <= 7


@pytest.mark.parametrize("seed", range(4))
def test_the_test_by_patients_counts_signs_of_features_under_every_sign_of_patients(seed: int) -> None:
    """Contributions centred on their mean and enlarged for it; a feature without any is neither better nor worse."""
    rows = pairs(seed, better=0.3, patients=7)
    same = rows["feature"] == "figure4"
    rows.loc[same, "second"] = rows.loc[same, "first"]
    rows.loc[rows["feature"] == "blank_stare", "truth"] = "no"
    tables = paired_tables(rows, FEATURES)
    scores = [measures_of(side.sum(0), FEATURES)["f1"] for side in (tables.first, tables.second)]
    seen = scores[1] - scores[0]
    known = ~np.isnan(seen)
    assert known.sum() == 5
    own = contributions(tables, "f1", seen)[:, known]
    own = (own - own.mean(0)) * np.sqrt(7 / 6)
    sums = np.array([np.array(signs) @ own for signs in itertools.product((1, -1), repeat=7)])
    more = [abs(sum(np.sign(x) if abs(x) > 1e-9 else 0 for x in row)) for row in sums]
    observed = abs(sum(np.sign(x) for x in seen[known]))
    found = paired_feature_count(tables, "f1", seen, draw_flips(7, 1000, 0))
    assert found.patient_p == pytest.approx(max(np.mean(np.array(more) >= observed), 2 / 128))
    assert found.equal == 1
    assert found.features == 5
    assert found.better == (seen[known] > 0).sum()
    nothing = paired_feature_count(tables, "f1", np.full(6, np.nan), draw_flips(7, 1000, 0))
    assert (nothing.features, nothing.better, nothing.worse, nothing.equal) == (0, 0, 0, 0)
    assert math.isnan(nothing.patient_p)


def test_a_difference_of_just_a_thousand_millionth_is_a_tie_and_the_share_is_of_those_that_differ() -> None:
    tie = 1e-9
    found = count_features([tie, -tie, 2 * tie, -2 * tie, 0.5, 0.1, float("nan")])
    assert (found.better, found.worse, found.equal, found.features) == (3, 1, 2, 6)
    interval = binomtest(3, 4).proportion_ci(method="wilson")
    assert (found.share, found.low, found.high) == pytest.approx((0.75, interval.low, interval.high))
    assert found.sign_p == pytest.approx(binomtest(3, 4).pvalue)
