"""Primitives of windows, and how an answered sequence compares with the labelled one: values worked out by hand."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from semiology.metrics.strokerehab.primitives import (
    axes_of_primitive,
    counting_error,
    mean_and_error,
    merged,
    primitives_of_axes,
    sequence_scores,
    share_within,
)
from semiology.strokerehab import PRIMITIVES

FIXTURE = [
    "idle",
    "reach",
    "transport",
    "transport",
    "stabilize",
    "reposition",
    "idle",
    "reach",
    "transport",
    "reposition",
]
"""Ten windows of 16 frames at 30 frames a second: nine runs."""
STARTS = [16 / 30 * number for number in range(10)]
words = st.lists(st.sampled_from(PRIMITIVES), max_size=12)


def test_labels_as_answers_are_perfect() -> None:
    scores = sequence_scores(FIXTURE, FIXTURE)
    assert scores.count_truth == len(merged(FIXTURE)) == 9
    assert (scores.edit_score, scores.action_error_rate, scores.relative_counting_error) == (100, 0, 0)


def test_true_axes_turn_one_reposition_into_a_reach() -> None:
    motion, grasp = zip(*(axes_of_primitive(word) for word in FIXTURE), strict=True)
    found = primitives_of_axes(STARTS, motion, grasp)
    # The sixth window: a grasp begins three windows, 1.6 s, later. The last has no grasp after it.
    assert [number for number, pair in enumerate(zip(found, FIXTURE, strict=True)) if len(set(pair)) > 1] == [
        5
    ]
    assert found[5] == "reach"
    scores = sequence_scores(found, FIXTURE)
    assert scores.edit_score == pytest.approx(88.889, abs=5e-4)
    assert scores.action_error_rate == pytest.approx(1 / 9)
    assert scores.relative_counting_error == pytest.approx(2 / 9)


def test_transport_everywhere() -> None:
    scores = sequence_scores(["transport"] * 10, FIXTURE)
    assert scores.edit_score == pytest.approx(100 / 9)
    assert scores.action_error_rate == scores.relative_counting_error == pytest.approx(8 / 9)
    # Of seven runs that are no idle one is found, and two more are transports.
    assert scores.relative_counting_error_without_idle == pytest.approx(6 / 7)
    assert scores.mae_avg == pytest.approx((2 + 2 + 2 + 1 + 1) / 5)


@pytest.mark.parametrize(("later_s", "primitive"), [(1.6, "reach"), (2.0, "reach"), (32 / 15, "reposition")])
def test_a_grasp_within_two_seconds_makes_a_reach(later_s: float, primitive: str) -> None:
    assert primitives_of_axes([0, later_s], [True, False], [False, True])[0] == primitive


def test_the_window_itself_and_earlier_ones_do_not_count_as_the_grasp() -> None:
    assert primitives_of_axes([0, 0.5], [True, True], [True, False]) == ["transport", "reposition"]


def test_empty_sequences() -> None:
    both = sequence_scores([], [])
    assert (both.edit_score, both.action_error_rate, both.relative_counting_error) == (100, 0, 0)
    silent = sequence_scores([], ["reach"])
    assert (silent.edit_score, silent.action_error_rate, silent.relative_counting_error) == (0, 1, 1)
    assert sequence_scores(["REACH"], ["reach"]).edit_score == 100


@given(words, words)
def test_scores_are_bounded_and_only_equal_sequences_are_perfect(answer: list[str], truth: list[str]) -> None:
    scores = sequence_scores(answer, truth)
    assert 0 <= scores.edit_score <= 100
    assert (scores.edit_score == 100) == (merged(answer) == merged(truth))
    assert scores.count_answer == len(merged(answer))
    # Counts never tell more than the order does.
    assert scores.relative_counting_error <= 2 * scores.action_error_rate + 1e-12


def test_doses_given_as_numbers() -> None:
    truth = {"idle": 2, "reach": 2}
    assert counting_error({"reach": 1.5}, truth) == pytest.approx((2 + 0.5) / 4)
    assert counting_error({"reach": 1.5}, truth, idle=False) == pytest.approx(0.25)
    assert counting_error({"reach": 1}, {}) == 0
    assert share_within([0.1, 0.25, 0.26]) == pytest.approx(2 / 3)


def test_mean_and_its_standard_error() -> None:
    assert mean_and_error([1, 2, 3]) == (2, pytest.approx(1 / 3**0.5))
    assert mean_and_error([4])[0] == 4
    assert all(value != value for value in mean_and_error([]))
