"""Fugl-Meyer rules and baselines without vision: values worked out by hand."""

from __future__ import annotations

import pytest

from semiology.metrics.strokerehab.baselines import (
    LabelledVideo,
    constant,
    dose_errors,
    mean_dose,
    mean_rate,
    omniscient,
    other_subjects_mean,
    other_subjects_mode,
    transition_scores,
)
from semiology.metrics.strokerehab.fugl_meyer_rules import (
    TouchWindow,
    item_score,
    movement_time,
    reflex_score,
    time_score,
    touch_windows,
    touched_again,
    windowed_score,
)
from semiology.metrics.strokerehab.primitives import sequence_scores
from semiology.strokerehab import Run


@pytest.mark.parametrize(
    ("answers", "fixed", "paper"),
    [
        ([("gate", "No."), ("closing", "yes")], 0, 0),
        ([("gate", "yes"), ("deviation", "Yes"), ("closing", "yes")], 1, 1),
        ([("gate", "yes"), ("stays", "no"), ("closing", "yes")], 1, 1),
        ([("gate", "yes"), ("deviation", "no"), ("closing", "no")], 1, 1),
        ([("gate", "yes"), ("deviation", "no"), ("closing", "yes")], 2, 2),
        ([("fault", "yes"), ("closing", "yes")], 0, 2),  # item 27: the thumb bends at the tug
        ([("fault", "no"), ("closing", "yes")], 2, 0),
        ([("gate", "I do not know"), ("closing", "yes")], 2, 0),
        ([("gate", "yes")], None, None),
        ([("rating", "FINAL_SCORE: 3")], None, None),
        ([("rating", "1")], 1, 1),
        ([], None, None),
    ],
)
def test_the_first_question_that_yields_a_score_decides(
    answers: list[tuple[str, str | None]], fixed: int | None, paper: int | None
) -> None:
    assert item_score(answers) == fixed
    assert item_score(answers, "paper") == paper


def test_ratings_of_windows_are_averaged() -> None:
    assert windowed_score(["2", "2", "0"]) == 1
    assert windowed_score(["2", "1"]) == 2
    assert windowed_score(["", "unclear"]) is None


def test_five_movements_are_timed_from_touches() -> None:
    ends = [1.0, 2.0, 3.0, 4.0, 5.0]
    windows = touch_windows(ends, ["1", "1", "0", "2", "1"], ["1"] * 5)
    assert movement_time(windows) == 4.0
    assert movement_time(windows, nose_only=True) == 5.0
    assert movement_time(windows[:3]) is None
    # Counts above 2 after FINAL_SCORE vanish in the published reading.
    many = (["FINAL_SCORE: 3", "FINAL_SCORE: 1"], ["0", "0"])
    assert movement_time(touch_windows([1.0, 2.0], *many)) == 2.0
    assert movement_time(touch_windows([1.0, 2.0], *many, "paper")) is None
    assert (time_score(8.0, 5.0), time_score(1.9 + 5, 5.0), time_score(6.0 + 5, 5.0)) == (1, 2, 0)
    assert time_score(4.0, None) is None


def test_item_18_needs_all_three() -> None:
    assert reflex_score({15: 2, 16: 2, 17: 2}) == 2
    assert reflex_score({15: 2, 16: 2, 17: 1}) == 0
    assert reflex_score({15: 2, 16: None, 17: 2}) is None


def video(subject: str, activity: str, *words: str, seconds: float = 1.0) -> LabelledVideo:
    runs = tuple(Run(word, place * seconds, (place + 1) * seconds) for place, word in enumerate(words))
    return LabelledVideo(f"{subject}_{activity}", subject, activity, runs)


VIDEOS = [
    video("a", "feeding", "idle", "reach", "transport"),
    video("b", "feeding", "reach", "transport", seconds=2.0),
    video("c", "feeding", "idle", "reach", "transport", "reach", "transport", "idle"),
    video("c", "combing", "idle"),
]


def test_mean_doses_come_from_other_subjects_with_the_same_activity() -> None:
    doses = mean_dose(VIDEOS)
    assert doses["a_feeding"] == {"idle": 1, "reach": 1.5, "reposition": 0, "transport": 1.5, "stabilize": 0}
    # Nobody else combs: the mean over the others' two videos of feeding.
    assert doses["c_combing"]["reach"] == 1
    rates = mean_rate(VIDEOS)
    # b: 1/4 a second, c: 2/6; three seconds of a.
    assert rates["a_feeding"]["reach"] == pytest.approx(3 * (1 / 4 + 2 / 6) / 2)
    errors = dose_errors(VIDEOS, doses)
    assert errors["a_feeding"] == pytest.approx((0.5 + 0.5) / 3)
    assert mean_dose(VIDEOS[:1]) == {"a_feeding": {}}
    assert dose_errors(VIDEOS[:1], mean_dose(VIDEOS[:1])) == {}


def test_constants_and_the_upper_bound() -> None:
    assert constant(VIDEOS)["a_feeding"] == ["transport"]
    bound = omniscient(VIDEOS[:1])["a_feeding"]
    assert sequence_scores(bound, ["idle", "reach", "transport"]).edit_score == 100


def test_chains_are_fitted_on_others_and_drawn_from_a_seed() -> None:
    for two_axes in (True, False):
        found = transition_scores(VIDEOS, two_axes=two_axes, draws=20)
        assert found is not None
        assert 0 < found.edit_score < 100
        assert found.edit_score_sd > 0
        assert found == transition_scores(VIDEOS, two_axes=two_axes, draws=20)
    assert transition_scores(VIDEOS[2:], two_axes=True) is None


def test_a_chain_fitted_on_its_own_subject_would_be_another() -> None:
    # Of two subjects each is drawn from the other's only movement, so nothing of its own can be found but idle.
    pair = [video("a", "x", "idle", "reach"), video("b", "x", "idle", "stabilize")]
    found = transition_scores(pair, two_axes=False, draws=5, window_s=1.0)
    assert found is not None
    assert found.relative_counting_error > 0


@pytest.mark.parametrize(
    ("words", "two_axes"),
    [
        (("idle", "reach", "transport", "stabilize"), False),
        (("idle", "transport", "idle", "transport"), True),
    ],
)
def test_a_chain_that_leaves_no_choice_begins_at_rest_and_draws_what_the_others_did(
    words: tuple[str, ...], two_axes: bool
) -> None:
    # Every state of the other subject has one successor, so each of the draws is the labelled sequence itself.
    pair = [video(subject, "x", *words) for subject in "ab"]
    found = transition_scores(pair, two_axes=two_axes, draws=3, window_s=1.0)
    assert found is not None
    assert (found.edit_score, found.action_error_rate, found.relative_counting_error) == (100, 0, 0)
    assert found.edit_score_sd == 0


def test_item_scores_of_other_subjects() -> None:
    truth = {"a": {3: 2}, "b": {3: 1}, "c": {3: 0, 4: 2}}
    assert other_subjects_mode(truth) == {"a": {3: 1}, "b": {3: 2}, "c": {3: 2, 4: None}}
    assert other_subjects_mean(truth) == {"a": {3: 1}, "b": {3: 1}, "c": {3: 2, 4: None}}


def test_a_hand_that_stays_is_one_touch_where_contact_is_asked() -> None:
    ends = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]
    # From the knee to the nose, where it is over a border of two windows, and back to the knee, where it stays.
    knee, nose = ["Yes", "no", "no", "no", "yes", "yes"], ["no", "yes", "yes", "I do not know", "no", "no"]
    windows = touch_windows(ends, knee, nose, contact=True)
    assert [window.knee for window in windows] == [0, 0, 0, 0, 1, 0]
    assert [window.nose for window in windows] == [0, 1, 0, None, 0, 0]
    counted = touch_windows(ends, ["1", "0", "0", "0", "1", "1"], ["0", "1", "1", "", "0", "0"])
    assert touched_again(counted) == (2, 5)
    assert touched_again(windows) == (0, 2)


def test_five_touches_of_the_nose_or_four_of_the_knee_end_the_movements() -> None:
    def windows(place: str, counts: list[int | None]) -> list[TouchWindow]:
        parts = [(None, count) if place == "nose" else (count, None) for count in counts]
        return [TouchWindow(float(i + 1), *pair) for i, pair in enumerate(parts)]

    assert movement_time(windows("nose", [1, 1, None, 1, 1, 0, 1, 1])) == 7.0
    assert movement_time(windows("knee", [1, 1, None, 1, 1, 1])) == 5.0
    assert movement_time(windows("knee", [1, 1, 1, 1]), nose_only=True) is None
    assert movement_time(windows("nose", [2, 2]), nose_only=True) is None
