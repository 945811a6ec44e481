from __future__ import annotations

import math

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from semiology.metrics.s3.sequence.measures import (
    edit_distance,
    first_mentions,
    lcs_f1,
    lcs_ratio,
    normalised_edit_distance,
    position_share,
    published_tokens,
    sign_f1,
    temporal_relation_scores,
)
from semiology.metrics.s3.sequence.scores import score_sequences, sequence_scores, typical_sequence

SIGNS = ["tonic", "clonic", "blank_stare", "head_turning", "eye_blinking", "figure4"]
lists = st.lists(st.sampled_from(SIGNS), max_size=12)
orders = st.lists(st.sampled_from(SIGNS), max_size=6, unique=True)
onsets = st.dictionaries(st.sampled_from(SIGNS), st.integers(0, 4).map(float), max_size=6)


@given(lists, lists)
def test_every_score_stays_in_its_range(answer: list[str], truth: list[str]) -> None:
    assert 0 <= edit_distance(answer, truth) <= max(len(answer), len(truth))
    for score in (normalised_edit_distance, lcs_ratio, lcs_f1, position_share, sign_f1):
        assert 0 <= score(answer, truth) <= 1


@given(lists)
def test_the_truth_itself_scores_the_maximum(truth: list[str]) -> None:
    assert edit_distance(truth, truth) == 0
    assert position_share(truth, truth) == lcs_f1(truth, truth) == sign_f1(truth, truth) == 1
    assert lcs_ratio(truth, truth) == (1 if truth else 0)


@given(lists, lists)
def test_distances_and_f1s_are_symmetric(answer: list[str], truth: list[str]) -> None:
    for score in (edit_distance, normalised_edit_distance, lcs_f1, sign_f1):
        assert score(answer, truth) == pytest.approx(score(truth, answer))


@given(lists, lists, lists)
def test_the_edit_distance_keeps_the_triangle(a: list[str], b: list[str], c: list[str]) -> None:
    assert edit_distance(a, c) <= edit_distance(a, b) + edit_distance(b, c)


@given(lists, lists, st.permutations(SIGNS))
def test_renaming_the_signs_changes_nothing(answer: list[str], truth: list[str], names: list[str]) -> None:
    new = dict(zip(SIGNS, names, strict=True))
    renamed = sequence_scores([new[s] for s in answer], [new[s] for s in truth])
    assert renamed == pytest.approx(sequence_scores(answer, truth), nan_ok=True)


def brute_force_lcs(a: list[str], b: list[str]) -> int:
    best = [[0] * (len(b) + 1) for _ in range(len(a) + 1)]
    for i, x in enumerate(a):
        for j, y in enumerate(b):
            best[i + 1][j + 1] = best[i][j] + 1 if x == y else max(best[i][j + 1], best[i + 1][j])
    return best[-1][-1]


@given(lists, lists)
def test_the_subsequence_is_the_longest(answer: list[str], truth: list[str]) -> None:
    if answer:
        assert lcs_ratio(answer, truth) == pytest.approx(brute_force_lcs(answer, truth) / len(answer))


@pytest.mark.parametrize(
    ("answer", "truth", "share"),
    [
        ([], [], 1.0),
        ([], ["a"], 0.0),
        (["a", "b"], [], 1.0),
        (["a"], ["a", "b"], 0.5),
        (["x", "a"], ["a"], 0.5),
        (["a", "x", "y"], ["a"], 1.0),
        (["b"], ["a"], 0.0),
    ],
)
def test_the_position_share_follows_its_published_rule(
    answer: list[str], truth: list[str], share: float
) -> None:
    assert position_share(answer, truth) == share


def test_the_position_share_rewards_an_endless_answer_and_the_sound_scores_do_not() -> None:
    endless = ["tonic", "clonic"] + ["face_twitching", "eye_blinking"] * 5000
    truth = ["tonic", "clonic"]
    assert position_share(endless, truth) == 1.0
    assert lcs_f1(endless, truth) < 0.001
    assert normalised_edit_distance(endless, truth) > 0.99


def test_one_lucky_word_scores_full_by_the_published_ratio_only() -> None:
    truth = ["tonic", "clonic", "blank_stare", "head_turning"]
    assert lcs_ratio(["clonic"], truth) == 1.0
    assert lcs_f1(["clonic"], truth) == 0.4


@given(onsets)
def test_relations_of_the_truth_itself_are_all_right(truth: dict[str, float]) -> None:
    scores = temporal_relation_scores(truth, truth)
    if len(truth) > 1:
        assert scores.precision == scores.recall == scores.f1 == 1
    else:
        assert math.isnan(scores.f1)


@given(orders, orders)
def test_without_ties_swapping_truth_and_answer_swaps_precision_and_recall(
    a: list[str], b: list[str]
) -> None:
    one = temporal_relation_scores(first_mentions(a), first_mentions(b))
    other = temporal_relation_scores(first_mentions(b), first_mentions(a))
    expected = (other.recall, other.precision, other.f1, other.order_accuracy)
    assert (one.precision, one.recall, one.f1, one.order_accuracy) == pytest.approx(expected, nan_ok=True)


@given(orders)
def test_reversing_a_strict_order_leaves_no_relation_right(truth: list[str]) -> None:
    scores = temporal_relation_scores(first_mentions(truth), first_mentions(truth[::-1]))
    if len(truth) > 1:
        assert scores.f1 == scores.order_accuracy == 0
        assert scores.random_order_f1 == 0.5


@given(onsets, orders)
def test_the_chance_level_is_the_mean_of_an_order_and_its_reverse(
    truth: dict[str, float], answer: list[str]
) -> None:
    one = temporal_relation_scores(truth, first_mentions(answer))
    other = temporal_relation_scores(truth, first_mentions(answer[::-1]))
    assert one.random_order_f1 == pytest.approx((one.f1 + other.f1) / 2, nan_ok=True)


def test_a_tie_of_the_truth_accepts_any_order_and_an_order_refuses_a_tie() -> None:
    tied, strict = {"tonic": 3.0, "clonic": 3.0}, {"tonic": 3.0, "clonic": 5.0}
    for answer in (["tonic", "clonic"], ["clonic", "tonic"]):
        assert temporal_relation_scores(tied, first_mentions(answer)).f1 == 1
    assert temporal_relation_scores(strict, tied).f1 == 0


def test_a_pair_with_a_sign_that_was_not_there_is_wrong() -> None:
    truth = {"tonic": 0.0, "clonic": 1.0}
    scores = temporal_relation_scores(truth, first_mentions(["tonic", "figure4", "clonic"]))
    assert scores.precision == pytest.approx(1 / 3)
    assert scores.recall == 1


def test_answers_are_split_as_published() -> None:
    text = " Head turning, 'tonic', clonic.,,\"arm flexion\", pelvic thrusting ; ,.;"
    assert published_tokens(text) == ["Head_turning", "tonic", "clonic", "arm_flexion", "pelvic_thrusting"]


@given(st.text(max_size=300))
def test_no_text_breaks_the_splitting(text: str) -> None:
    for token in published_tokens(text):
        assert token
        assert "," not in token


def recordings(answers: list[object]) -> pd.DataFrame:
    truths = [["tonic", "clonic"], ["blank_stare", "tonic", "clonic"]] * 12
    return pd.DataFrame(
        {
            "video_id": [f"v{i}" for i in range(24)],
            "patient_id": [f"p{i // 2}" for i in range(24)],
            "truth": truths,
            "answer": answers,
        }
    )


def test_sequences_are_scored_with_counts_baselines_and_intervals() -> None:
    answers: list[object] = [["tonic", "clonic"]] * 20 + [[], "unparsed", None, None]
    scores = score_sequences(recordings(answers), resamples=200)
    c = scores.counts
    assert (c.asked, c.answered, c.unparsed, c.missing) == (24, 21, 1, 2)
    assert scores.estimates["relation_f1"].low is not None
    assert scores.estimates["order_accuracy"].value == 1
    assert scores.baselines["empty_edit_distance"] == 2.5
    assert scores.baselines["typical_order_accuracy"] == 1
    assert scores.baselines["random_order_relation_f1"] < scores.estimates["relation_f1"].value


def test_ties_come_from_the_onsets_where_given() -> None:
    frame = recordings([["clonic", "tonic"]] * 24)
    strict = score_sequences(frame, resamples=10).estimates["relation_f1"].value
    frame["onsets"] = [dict.fromkeys(truth, 4.0) for truth in frame["truth"]]
    assert score_sequences(frame, resamples=10).estimates["relation_f1"].value > strict


def test_duplicate_recordings_are_refused() -> None:
    frame = recordings([["tonic"]] * 24)
    with pytest.raises(ValueError, match="24 recordings are answered twice"):
        score_sequences(pd.concat([frame, frame]))


def test_the_typical_sequence_is_ordered_by_mean_place() -> None:
    truths = [["blank_stare", "tonic", "clonic"], ["tonic", "clonic"], ["head_turning", "tonic", "clonic"]]
    assert typical_sequence(truths) == ["tonic", "clonic"]
    assert typical_sequence(truths, at_least=0)[0] in {"blank_stare", "head_turning"}
    assert typical_sequence([["a"], ["b"], ["c"]]) == ["a"]
    assert typical_sequence([]) == []


def test_a_feature_named_twice_begins_where_it_is_first_named() -> None:
    assert first_mentions(["tonic", "clonic", "tonic", "figure4"]) == {"tonic": 0, "clonic": 1, "figure4": 3}


def test_the_typical_sequence_goes_by_places_relative_to_the_length() -> None:
    # "clonic" is last of two, at 1; "tonic" second of five, at 1/4.
    truths = [["blank_stare", "clonic"], ["head_turning", "tonic", "figure4", "arm_flexion", "eye_blinking"]]
    found = typical_sequence(truths, at_least=0)
    assert found.index("tonic") < found.index("figure4") < found.index("arm_flexion") < found.index("clonic")
