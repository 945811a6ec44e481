"""The mean relative change of several measures, held against scikit-learn and against leaving patients out by hand."""

from __future__ import annotations

import numpy as np
import pytest
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
