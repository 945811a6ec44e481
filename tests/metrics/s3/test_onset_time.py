from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from semiology.metrics.s3.onset_time import (
    charged_errors,
    constant_time_baselines,
    hits_within,
    published_mae,
    published_seconds,
    score_onset_times,
)
from semiology.tasks.s3.answers.times import seconds_of

times = st.floats(0, 60)
answers = st.one_of(st.none(), st.floats(0, 60))


@pytest.mark.parametrize(
    ("text", "published", "strict"),
    [
        ("00:30", 30, 30),
        ("1:05", 65, 65),
        ("00:12:00", 720, 720),
        ("17", 17, 17),
        ("12s", None, 12),
        ("12.5 sec", None, 12.5),
        ("1:75", 135, None),
        ("1:75:00", 8100, None),
        ("-3", None, None),
        ("", None, None),
        ("N/A", None, None),
        ("between 00:10 and 00:20", None, None),
        ("٣٠", None, None),
        ("00:30 " * 20000, None, None),
    ],
)
def test_times_are_read_by_both_rules(text: str, published: float | None, strict: float | None) -> None:
    assert published_seconds(text) == published
    assert seconds_of(text) == strict


@given(st.text(max_size=60))
def test_no_text_breaks_the_readers(text: str) -> None:
    for read in (published_seconds, seconds_of):
        value = read(text)
        assert value is None or value >= 0


@given(st.integers(0, 99), st.integers(0, 59))
def test_a_clock_time_is_read_back(minutes: int, seconds: int) -> None:
    text = f"{minutes:02d}:{seconds:02d}"
    assert published_seconds(text) == seconds_of(text) == 60 * minutes + seconds


@given(st.lists(st.tuples(times, answers), min_size=1, max_size=20))
def test_charging_never_helps_not_to_answer(pairs: list[tuple[float, float | None]]) -> None:
    target, answer = [t for t, _ in pairs], [a for _, a in pairs]
    charged = charged_errors(target, answer)
    assert ((charged >= 0) & (charged <= 60)).all()
    silent = charged_errors(target, [None] * len(target))
    assert (silent >= charged).all()
    assert (silent >= 30).all()


@given(st.lists(st.tuples(times, answers), min_size=1, max_size=20))
def test_hits_grow_with_the_tolerance_and_miss_where_not_understood(
    pairs: list[tuple[float, float | None]],
) -> None:
    target, answer = [t for t, _ in pairs], [a for _, a in pairs]
    narrow, wide = (hits_within(target, answer, tolerance) for tolerance in (1.0, 5.0))
    assert (narrow <= wide).all()
    assert all(hit == 0 for hit, (_, a) in zip(wide, pairs, strict=True) if a is None)


@given(st.lists(times, min_size=1, max_size=20))
def test_a_perfect_answer_has_no_error(target: list[float]) -> None:
    assert published_mae(target, target) == 0
    assert hits_within(target, target, 1.0).all()


@given(st.lists(times, min_size=1, max_size=20), times)
def test_no_constant_beats_the_best_constant(target: list[float], constant: float) -> None:
    best = constant_time_baselines(target)["best_constant_mae"]
    assert best <= published_mae(target, [constant] * len(target)) + 1e-9


def test_the_published_error_forgives_silence_and_ours_does_not() -> None:
    target: list[float] = [30.0, 30.0]
    assert published_mae(target, [29.0, None]) == 1.0
    assert charged_errors(target, [29.0, None]).mean() == 15.5
    assert np.isnan(published_mae(target, [None, None]))


def test_the_random_baseline_is_the_mean_error_of_even_draws() -> None:
    drawn = np.linspace(0, 60, 60_001)
    expected = np.abs(drawn - 10).mean()
    assert constant_time_baselines([10.0])["random_mae"] == pytest.approx(expected, abs=1e-3)


def test_onset_times_are_scored_with_counts_and_baselines() -> None:
    frame = pd.DataFrame(
        {
            "video_id": [f"v{i}" for i in range(30)],
            "patient_id": [f"p{i % 12}" for i in range(30)],
            "target_s": [30.0] * 30,
            "answer_s": [30.0] * 10 + [36.0] * 15 + [float("nan")] * 5,
            "answered": [True] * 28 + [False] * 2,
        }
    )
    scores = score_onset_times(frame, resamples=200)
    c = scores.counts
    assert (c.asked, c.answered, c.unparsed, c.missing) == (30, 25, 3, 2)
    assert scores.estimates["mae"].value == pytest.approx(6 * 15 / 25)
    assert scores.estimates["charged_mae"].value == pytest.approx((6 * 15 + 3 * 30) / 28)
    assert scores.estimates["hit_5s"].value == pytest.approx(10 / 28)
    assert scores.estimates["mae"].low is not None
    assert scores.baselines["middle_mae"] == 0
    assert scores.baselines["middle_hit_1s"] == 1


def test_a_target_outside_its_clip_is_refused() -> None:
    with pytest.raises(ValueError, match="outside its clip"):
        charged_errors([70.0], [30.0])


def test_no_targets_have_no_baseline() -> None:
    assert all(np.isnan(value) for value in constant_time_baselines([]).values())


def test_the_middle_of_the_clip_hits_what_is_as_far_as_the_tolerance_and_scores_charge_silence() -> None:
    # |target - 30| = 2, 5, 30; 2 s and 5 s tolerances include their ends
    found = constant_time_baselines([28.0, 35.0, 0.0])
    assert (found["middle_hit_2s"], found["middle_hit_5s"]) == (pytest.approx(1 / 3), pytest.approx(2 / 3))
    assert hits_within([10.0, 10.0, 10.0], [12.0, 12.4, None], 2.0).tolist() == [1, 0, 0]


def test_shares_of_hits_count_errors_up_to_the_tolerance_and_none_above() -> None:
    errors = [0.0, 1.0, 1.25, 2.0, 2.25, 5.0, 5.25, 9.0]
    frame = pd.DataFrame(
        {
            "video_id": [f"v{i}" for i in range(8)],
            "patient_id": [f"p{i}" for i in range(8)],
            "target_s": 30.0,
            "answer_s": [30 + (error if i % 2 else -error) for i, error in enumerate(errors)],
            "answered": True,
        }
    )
    found = score_onset_times(frame, resamples=100).estimates
    assert [found[f"hit_{t}s"].value for t in (1, 2, 5)] == [2 / 8, 4 / 8, 6 / 8]


def test_lengths_that_differ_are_told_in_their_order() -> None:
    with pytest.raises(ValueError, match="3 targets and 2 answers"):
        charged_errors([1.0, 2.0, 3.0], [1.0, 2.0])
    with pytest.raises(ValueError, match="3 targets and 2 answers"):
        published_mae([1.0, 2.0, 3.0], [1.0, 2.0])
    with pytest.raises(ValueError, match="3 targets and 2 answers"):
        hits_within([1.0, 2.0, 3.0], [1.0, 2.0], 1.0)
