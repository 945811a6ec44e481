"""The mean relative change of several measures, held against scikit-learn and against leaving patients out by hand."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import t as student
from sklearn.metrics import f1_score

from semiology.metrics.paired.relative_improvement import (
    LeftOut,
    class_f1,
    mean_change,
    mean_of_items,
    mean_value,
    relative_change,
)

RNG = np.random.default_rng(3)
PATIENTS = [f"p{i // 4}" for i in range(60)]
EVERY = sorted(set(PATIENTS))


@pytest.mark.parametrize("positive", ["right", None])
def test_f1_is_that_of_scikit_learn_with_and_without_each_patient(positive: str | None) -> None:
    truth, answer = (
        RNG.choice(["left", "right", "head"][: 2 + (positive is None)], 60).tolist() for _ in range(2)
    )
    found = class_f1(truth, answer, PATIENTS, EVERY, positive)

    def expected(kept: list[int]) -> float:
        t, a = [truth[i] for i in kept], [answer[i] for i in kept]
        if positive is None:
            return float(f1_score(t, a, average="macro", zero_division=0))
        return float(f1_score(t, a, pos_label=positive, zero_division=0))

    assert found.value == pytest.approx(expected(list(range(60))))
    for at, patient in enumerate(EVERY):
        kept = [i for i in range(60) if PATIENTS[i] != patient]
        assert found.without[at] == pytest.approx(expected(kept))


def test_means_leave_undefined_values_and_each_patient_out() -> None:
    values = RNG.normal(size=60)
    values[[3, 17]] = np.nan
    found = mean_value(values.tolist(), PATIENTS, EVERY)
    assert found.value == pytest.approx(np.nanmean(values))
    owners = np.array(PATIENTS)
    assert found.without == pytest.approx([np.nanmean(values[owners != name]) for name in EVERY])
    both = mean_of_items(
        [found, LeftOut(2.0, np.full(len(EVERY), 2.0)), LeftOut(np.nan, np.full(len(EVERY), np.nan))]
    )
    assert both.value == pytest.approx((np.nanmean(values) + 2) / 2)


def test_errors_count_the_other_way_round_and_a_base_of_0_has_no_change() -> None:
    one, two, none = (LeftOut(v, np.full(3, v)) for v in (4.0, 3.0, 0.0))
    assert relative_change(one, two).value == -0.25
    assert relative_change(one, two, less_is_better=True).value == 0.25
    assert np.isnan(relative_change(none, two).value)


def test_the_mean_of_table_3_is_that_of_its_rounded_measures() -> None:
    """Tasks 1, 2, 4, 5, 6 and 7 as printed, the published mean to its two decimals."""
    printed = {
        0.12: [(0.38, 0.47), (0.42, 0.42), (25.50, 23.02), (0.12, 0.18), (35.91, 31.69), (0.82, 0.82)],
        0.15: [(0.38, 0.43), (0.42, 0.43), (25.50, 20.02), (0.12, 0.18), (35.91, 36.44), (0.82, 0.83)],
    }
    for mean, pairs in printed.items():
        made = [
            relative_change(*(LeftOut(v, np.full(12, v)) for v in pair), less_is_better=at == 2)
            for at, pair in enumerate(pairs)
        ]
        found = mean_change(made, np.ones(12))
        assert round(found.value, 2) == mean
        assert found.reason == "the same whichever patient is left out, as for constant answers"


@pytest.mark.parametrize("less_is_better", [False, True])
def test_changes_without_each_patient_are_those_of_the_scores_without_it(less_is_better: bool) -> None:
    base, other = LeftOut(4.0, np.array([5.0, 2.0, 0.0])), LeftOut(3.0, np.array([4.0, 3.0, 1.0]))
    found = relative_change(base, other, less_is_better=less_is_better)
    sign = -1 if less_is_better else 1
    assert found.value == -0.25 * sign
    assert found.without == pytest.approx([-0.2 * sign, 0.5 * sign, np.nan], nan_ok=True)


def test_the_mean_change_has_the_interval_of_leaving_out_each_patient_who_was_asked() -> None:
    rng = np.random.default_rng(4)
    changes = [LeftOut(0.1, 0.1 + 0.01 * rng.normal(size=7)), LeftOut(0.3, 0.3 + 0.02 * rng.normal(size=7))]
    changes[1].without[2] = np.nan
    weights = np.array([3.0, 1.0, 2.0, 0.0, 4.0, 2.0, 3.0])
    found = mean_change(changes, weights)
    without = np.nanmean([each.without for each in changes], axis=0)[weights > 0]
    error = np.sqrt(5 / 6 * ((without - without.mean()) ** 2).sum())
    reach = student.ppf(0.975, weights.sum() ** 2 / (weights**2).sum() - 1) * error
    assert (found.value, found.low, found.high) == pytest.approx((0.2, 0.2 - reach, 0.2 + reach))
    assert (found.n, found.n_patients, found.caution) == (15, 6, "only 6 patients")


def test_without_any_row_or_value_nothing_is_defined() -> None:
    for found in (class_f1([], [], [], EVERY, None), mean_value([np.nan], ["p0"], EVERY)):
        assert np.isnan(found.value)
        assert found.without == pytest.approx(np.full(len(EVERY), np.nan), nan_ok=True)
    undefined = mean_change([LeftOut(np.nan, np.full(3, np.nan))], np.ones(3))
    assert undefined.reason == "undefined: no task has a measure of both that is not 0 for the base"
