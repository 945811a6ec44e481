from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from semiology.features import FEATURES
from semiology.metrics.s3.text.interpretation_score import (
    interpretation_estimates,
    interpretation_score,
    possible_scores,
    published_interpretation_mean,
)
from semiology.metrics.s3.text.justification_rules import READERS, extract_answers
from semiology.prompts.library import load_library

answers = st.sampled_from([None, "yes", "no", "left", "right"])
questions = st.integers(0, 5).flatmap(
    lambda n: st.tuples(st.lists(answers, min_size=n, max_size=n), st.lists(answers, min_size=n, max_size=n))
)


@given(questions)
def test_the_score_is_one_of_few_values_and_symmetric(
    pair: tuple[list[str | None], list[str | None]],
) -> None:
    given_answers, reference = pair
    score = interpretation_score("yes", "yes", given_answers, reference)
    grid = possible_scores(len(reference)) if reference else (1.0,)
    assert min(abs(score - value) for value in grid) < 1e-9
    assert score == interpretation_score("yes", "yes", reference, given_answers)


@given(questions)
def test_a_wrong_answer_scores_nothing_and_the_reference_itself_everything(
    pair: tuple[list[str | None], list[str | None]],
) -> None:
    assert interpretation_score("yes", "no", *pair) == 0
    assert interpretation_score("no", "no", pair[1], pair[1]) == pytest.approx(1)


def test_the_core_question_decides_and_the_others_share_the_rest() -> None:
    reference = ["yes", "left", "sustained"]
    assert interpretation_score("yes", "yes", ["no", "left", "sustained"], reference) == 0
    assert interpretation_score("yes", "yes", ["yes", "right", "brief"], reference) == pytest.approx(0.7)
    assert interpretation_score("yes", "yes", ["yes", "left", "brief"], reference) == pytest.approx(0.85)
    assert interpretation_score("yes", "yes", ["yes"], ["yes"]) == 1


def test_a_question_left_out_is_refused() -> None:
    with pytest.raises(ValueError, match="1 extracted and 2 reference"):
        interpretation_score("yes", "yes", ["yes"], ["yes", "left"])


def test_never_seeing_the_feature_scores_well_as_published_and_nothing_where_it_is_present() -> None:
    rows = [("yes", "no"), ("no", "no"), ("no", "no")] * 6
    frame = pd.DataFrame(rows, columns=["truth", "answer"]).assign(
        patient_id=[f"p{i // 2}" for i in range(18)]
    )
    found = interpretation_estimates(frame, np.array([0.0, 1.0, 1.0] * 6), "score", resamples=200)
    assert found["score"].value == pytest.approx(2 / 3)
    assert found["score_where_present"].value == 0
    assert found["score_where_seen"].reason == "no recording to score"
    assert published_interpretation_mean({"a": 0.5, "b": 1.0}) == 0.75
    assert np.isnan(published_interpretation_mean({}))


def test_every_sign_has_one_reader_per_published_question() -> None:
    assert set(READERS) == set(FEATURES)
    questions = {own.feature: len(own.questions) for own in load_library().features}
    assert {feature: len(readers) for feature, readers in READERS.items()} == questions


@pytest.mark.parametrize(
    ("feature", "text", "expected"),
    [
        ("tonic", "The left arm becomes stiff and stays so.", ("yes", "arm", "left arm")),
        ("tonic", "There is no stiffness of the body.", ("no", None, None)),
        ("clonic", "Both arms jerk rhythmically for several seconds.", ("arm", "bilateral", "sustained")),
        ("head_turning", "The head turns forcefully to the patient’s right.", ("yes", "right")),
        ("blank_stare", "Eyes are open with a fixed gaze.", ("yes", "yes")),
        ("arm_flexion", "The right arm is flexed while the left arm extends.", ("yes", "right")),
        ("figure4", "Sustained posture.", (None, None, "yes")),
        ("pelvic_thrusting", "Repeated pelvic thrusting is seen.", ("yes",)),
        ("eye_blinking", "Rapid blinking, brief.", ("yes", "no")),
        ("verbal_responsiveness", "A nurse asks a question; there is no response.", ("yes", "no")),
        (
            "asynchronous_movement",
            "The legs shake at variable frequency and amplitude.",
            ("leg", "both", "yes", None),
        ),
        ("occur_during_sleep", "The patient is asleep.", ()),
    ],
)
def test_justifications_are_read_by_rules(feature: str, text: str, expected: tuple[str | None, ...]) -> None:
    assert extract_answers(feature, text) == expected


@given(st.sampled_from(FEATURES), st.text(max_size=300))
def test_no_text_breaks_a_reader(feature: str, text: str) -> None:
    found = extract_answers(feature, text)
    assert len(found) == len(READERS[feature])
    assert interpretation_score("yes", "yes", found, found) == pytest.approx(1)


@pytest.mark.parametrize("text", ["", "left " * 25_000, '{"answer": "yes', "患者头部向左转", "arm" * 30_000])
def test_empty_looping_broken_and_foreign_texts_are_read(text: str) -> None:
    for feature in FEATURES:
        assert len(extract_answers(feature, text)) == len(READERS[feature])


def test_an_unknown_sign_is_named() -> None:
    with pytest.raises(KeyError, match="hiccups"):
        extract_answers("hiccups", "")
