from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from semiology.metrics.scores.aggregation import any_yes, recording_answers

ANSWERS = ["yes", "no", "na", "unparsed"]


def segments(answers: list[str], feature: str = "tonic", truth: str = "yes", first: int = 0) -> pd.DataFrame:
    n = len(answers)
    return pd.DataFrame(
        {
            "video_id": ["v1"] * n,
            "patient_id": ["p1"] * n,
            "feature": [feature] * n,
            "segment": range(first, first + n),
            "answer": answers,
            "truth": [truth] * n,
        }
    )


@pytest.mark.parametrize(
    ("answers", "expected"),
    [
        (["no", "yes", "no"], "yes"),
        (["unparsed", "yes"], "yes"),
        (["no", "unparsed"], "unparsed"),
        (["na", "unparsed"], "unparsed"),
        (["no", "na"], "no"),
        (["na", "na"], "na"),
        (["no"], "no"),
    ],
)
def test_a_recording_answer_follows_the_documented_table(answers: list[str], expected: str) -> None:
    assert any_yes(answers) == expected
    assert recording_answers(segments(answers))["answer"].tolist() == [expected]


@pytest.mark.parametrize("answer", ["na", "unparsed"])
def test_neither_na_nor_unparsed_alone_ever_becomes_no(answer: str) -> None:
    assert any_yes([answer] * 3) == answer
    assert any_yes([answer] * 3, rule="published") == "no"


@given(st.lists(st.sampled_from(ANSWERS), min_size=1, max_size=8))
def test_the_frame_and_the_plain_rule_agree_and_count_alike(answers: list[str]) -> None:
    row = recording_answers(segments(answers)).iloc[0]
    assert row["answer"] == any_yes(answers)
    assert (row["n_segments"], row["n_unparsed"], row["n_na"]) == (
        len(answers),
        answers.count("unparsed"),
        answers.count("na"),
    )


def test_sleep_looks_at_the_first_window_only() -> None:
    row = recording_answers(segments(["no", "yes", "yes"], "occur_during_sleep")).iloc[0]
    assert (row["answer"], row["n_segments"]) == ("no", 1)
    published = recording_answers(segments(["no", "yes"], "occur_during_sleep"), rule="published")
    assert published["answer"].tolist() == ["yes"]


def test_sleep_without_an_answer_on_the_first_window_is_unparsed_and_not_lost() -> None:
    later = segments(["yes", "yes", "no"], "occur_during_sleep", first=1)
    other = segments(["yes"], "tonic")
    result = recording_answers(pd.concat([later, other])).set_index("feature")
    assert result.loc["occur_during_sleep", ["answer", "n_unparsed"]].tolist() == ["unparsed", 1]


def test_a_missing_answer_counts_as_unparsed_and_a_missing_truth_stays_visible() -> None:
    frame = segments(["no", "no"])
    frame["answer"] = ["no", None]
    frame["truth"] = [None, None]
    row = recording_answers(frame).iloc[0]
    assert (row["answer"], row["truth"], row["n_unparsed"]) == ("unparsed", "", 1)


def test_the_order_of_rows_does_not_matter_and_runs_stay_apart() -> None:
    rng = np.random.default_rng(0)
    parts = []
    for model in ("a", "b"):
        for video in range(6):
            part = segments(rng.choice(ANSWERS, 4).tolist())
            parts.append(part.assign(model=model, video_id=f"v{video}", patient_id=f"p{video // 2}"))
    frame = pd.concat(parts, ignore_index=True)
    expected = recording_answers(frame)
    assert len(expected) == 12
    pd.testing.assert_frame_equal(expected, recording_answers(frame.sample(frac=1, random_state=1)))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda f: f.assign(answer="maybe"), "unknown answer 'maybe'"),
        (lambda f: f.assign(truth="present"), "unknown truth 'present'"),
        (lambda f: f.assign(truth=["yes", "no"]), "two truths"),
        (lambda f: f.assign(patient_id=["p1", "p2"]), "two patients"),
        (lambda f: f.assign(segment=0), "answered twice"),
        (lambda f: f.assign(segment=[1, 2]), "number segments from 0"),
        (lambda f: f.drop(columns="truth"), "no column 'truth'"),
    ],
)
def test_inconsistent_rows_are_refused_with_a_sentence(change: object, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        recording_answers(change(segments(["yes", "no"])))  # type: ignore[operator]


def test_no_segment_at_all_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one segment"):
        any_yes([])


def test_a_recording_of_two_patients_is_refused_whatever_the_feature() -> None:
    columns = ["video_id", "patient_id", "feature", "segment", "answer", "truth"]
    rows = [("v1", "p1", "tonic", 0, "yes", "yes"), ("v1", "p2", "clonic", 0, "no", "no")]
    with pytest.raises(ValueError, match="two patients"):
        recording_answers(pd.DataFrame(rows, columns=columns))
    other_truth = [("v1", "p1", "tonic", 0, "yes", "yes"), ("v1", "p1", "clonic", 0, "no", "no")]
    assert len(recording_answers(pd.DataFrame(other_truth, columns=columns))) == 2
