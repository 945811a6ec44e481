"""Labels of windows, axes at the middle and over the window, activities by group."""

from __future__ import annotations

import math

import pytest
from scipy.stats import fisher_exact
from sklearn.metrics import classification_report

from semiology.metrics.strokerehab.identification import (
    accuracy,
    class_scores,
    confusion,
    control_against_stroke,
    group_p_value,
    macro_f1,
    majority_accuracy,
)
from semiology.metrics.strokerehab.window_labels import (
    axis_comparison,
    axis_counts,
    axis_over_window,
    confusion_pairs,
    even_windows,
    middle_labels,
    seconds_right,
    window_confusion,
    window_label,
)
from semiology.strokerehab import Run, Window

RUNS = [Run("idle", 1.0, 2.0), Run("reach", 2.0, 2.4), Run("transport", 2.4, 4.0)]


def test_label_at_the_middle_is_clamped_and_the_last_goes_on() -> None:
    windows = [Window(0, 0.5), Window(1.8, 2.4), Window(2.2, 2.8), Window(5, 6)]
    assert middle_labels(RUNS, windows) == ["idle", "reach", "transport", "transport"]
    assert middle_labels(RUNS, windows, first="stabilize")[0] == "stabilize"


def test_axes_over_a_window() -> None:
    assert axis_over_window(RUNS, Window(2.1, 3.0), "motion") is True  # reach and transport both move
    assert axis_over_window(RUNS, Window(2.1, 3.0), "grasp") is None
    assert axis_over_window(RUNS, Window(0, 1.0), "grasp") is None  # touches the first run without overlap
    assert axis_over_window(RUNS, Window(4.5, 5.0), "grasp") is None


def test_of_several_labels_the_lower_median_of_their_middles() -> None:
    assert window_label(RUNS, Window(1.5, 3.0)) == "reach"
    assert window_label(RUNS, Window(1.5, 2.4)) == "idle"
    assert window_label(RUNS, Window(8, 9)) is None


def test_mixed_windows_are_left_out_or_counted_for_or_against_the_answer() -> None:
    answers, truths = [True, True, False, False], [True, None, None, False]
    masked = axis_counts(answers, truths)
    assert (masked.tp, masked.fp, masked.fn, masked.tn, masked.f1) == (1, 0, 0, 1, 1.0)
    assert axis_counts(answers, truths, "optimistic").tp == 2
    worst = axis_counts(answers, truths, "pessimistic")
    assert (worst.fp, worst.fn, worst.judged) == (1, 1, 4)
    assert math.isnan(axis_counts([], []).f1)


def test_windows_of_even_length() -> None:
    assert len(even_windows(1.5, 0.5)) == 3
    assert even_windows(1.6, 0.5)[-1] == Window(1.5, 1.6)


def test_window_confusion_keeps_classes_without_a_window() -> None:
    table = window_confusion([("idle", "reach"), ("idle", "idle")])
    assert table["idle"]["reach"] == 1
    assert table["stabilize"].total() == 0


TRUTH = ["brushing", "brushing", "combing", "glasses"]
ANSWER = ["brushing", "combing", "none", "glasses"]


def test_class_scores_are_those_of_scikit_learn() -> None:
    report = classification_report(TRUTH, ANSWER, output_dict=True, zero_division=0)
    found = class_scores(TRUTH, ANSWER)
    for name, row in found.items():
        for metric in ("precision", "recall", "f1", "support"):
            assert row[metric] == pytest.approx(report[name][metric.replace("f1", "f1-score")])
    assert accuracy(TRUTH, ANSWER) == majority_accuracy(TRUTH) == 0.5
    # 2/3, 0 and 1 over three true activities, not over the four labels.
    assert macro_f1(TRUTH, ANSWER) == pytest.approx(5 / 9)


def test_confusion_has_a_column_for_none() -> None:
    table = confusion(TRUTH, ANSWER)
    assert len(table) == 9 * 10
    assert table["combing", "none"] == 1
    with pytest.raises(ValueError, match="walking"):
        confusion(["walking"], ["none"])


def test_groups_are_compared_by_activity_with_holm() -> None:
    truth = ["brushing"] * 20 + ["combing"] * 20
    answer = ["brushing"] * 10 + ["none"] * 10 + ["combing"] * 20
    control = ([True] * 10 + [False] * 10) * 2
    tests = control_against_stroke(truth, answer, control)
    p = fisher_exact([[10, 0], [0, 10]]).pvalue
    assert tests["brushing"].p == pytest.approx(p)
    assert tests["brushing"].p_holm == pytest.approx(2 * p)
    assert tests["combing"].p == tests["combing"].p_holm == 1
    assert math.isnan(tests["overall"].p_holm)
    assert "drinking" not in tests


def test_chi_square_without_correction_where_no_cell_is_small() -> None:
    # 2 x 2 table 10 10 / 5 15: chi-square 40 (150 - 50)^2 / (20 20 15 25) = 8/3.
    assert group_p_value([[10, 10], [5, 15]]) == pytest.approx(math.erfc(math.sqrt(8 / 3 / 2)))


def test_both_axes_of_a_video_at_once() -> None:
    windows = [Window(1.0, 2.0), Window(2.0, 3.0)]  # idle; reach, then transport
    found = axis_comparison(RUNS, windows, {"motion": [True, True], "grasp": [False, True]})
    middle = found["motion", "middle", "masked"]
    assert (middle.tp, middle.fp) == (1, 1)
    assert found["grasp", "window", "masked"].judged == 1  # the second is mixed
    assert found["grasp", "window", "optimistic"].tp == 1
    assert found["grasp", "window", "pessimistic"].fp == 1
    # Grasp is labelled from 2.4 to 3 of the second window, answered for all of it: 1 + 0.6 of 2 s.
    right, whole = seconds_right(RUNS, windows, [False, True], "grasp")
    assert (right, whole) == (pytest.approx(1.6), pytest.approx(2.0))


def test_windows_after_the_labels_are_dropped_and_before_them_is_rest() -> None:
    windows = [Window(0.0, 0.5), Window(2.0, 2.2), Window(4.0, 4.5)]
    assert confusion_pairs(RUNS, windows, ["reach", "reach", "idle"]) == [
        ("idle", "reach"),
        ("reach", "reach"),
    ]
