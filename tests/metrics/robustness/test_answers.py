from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from wording_examples import answers_of

from semiology.metrics.robustness.answers import (
    IncompleteSweepError,
    wording_answers,
    wording_answers_of_segments,
)
from semiology.metrics.scores.counts import NA, NO, UNPARSED, YES


def frame(rows: list[tuple[str, str, str, str | None, str | None]], **columns: object) -> pd.DataFrame:
    names = ["prompt_id", "video_id", "patient_id", "answer", "truth"]
    return pd.DataFrame(rows, columns=names).assign(feature="tonic", **columns)


FULL = [
    ("s3", "v1", "A", "yes", "yes"),
    ("s3", "v2", "B", "no", "yes"),
    ("minimal", "v1", "A", "unparsed", "yes"),
    ("minimal", "v2", "B", None, "yes"),
]


def test_a_frame_becomes_wordings_by_recordings() -> None:
    found = wording_answers(frame(FULL))
    assert found.wordings == ("s3", "minimal")
    assert found.recordings == ("v1", "v2")
    assert found.answers.tolist() == [[YES, NO], [UNPARSED, UNPARSED]]
    assert found.truth.tolist() == [YES, YES]
    assert found.patients == ("A", "B")
    assert found.reference == 0
    assert found.left_out == 0


def test_only_recordings_that_every_wording_was_asked_about_are_compared() -> None:
    rows = [
        *FULL,
        ("s3", "v3", "B", "yes", "yes"),
        ("s3", "v4", "C", "no", "na"),
        ("minimal", "v4", "C", "no", "na"),
    ]
    found = wording_answers(frame(rows))
    assert found.recordings == ("v1", "v2")
    assert found.left_out == 2  # v3 has one wording, v4 no yes/no truth


def test_na_is_a_truth_of_verbal_responsiveness_alone() -> None:
    rows = [("s3", "v1", "A", "na", "na"), ("s3", "v2", "A", "na", "no")]
    found = wording_answers(frame(rows).assign(feature="verbal_responsiveness"))
    assert found.three_classes
    assert found.right.tolist() == [[True, False]]
    assert found.usable.all()


def test_forms_of_one_wording_are_wordings_of_their_own() -> None:
    rows = [
        ("s3", "v1", "A", "yes", "yes"),
        ("s3", "v1", "A", "no", "yes"),
        ("minimal", "v1", "A", "no", "yes"),
    ]
    found = wording_answers(frame(rows, answer_format=["yes_no", "yes_no_json", "yes_no"]))
    assert found.wordings == ("s3+yes_no", "s3+yes_no_json", "minimal")
    by_hash = wording_answers(frame(rows, prompt_hash=["a" * 64, "b" * 64, "c" * 64]))
    assert by_hash.wordings == ("s3+aaaaaaaa", "s3+bbbbbbbb", "minimal")
    assert by_hash.reference == 0


def test_the_order_of_the_rows_does_not_matter_for_recordings() -> None:
    forth, back = wording_answers(frame(FULL)), wording_answers(frame(FULL[::-1]))
    assert forth.recordings == back.recordings
    assert forth.answers[0].tolist() == back.answers[back.wordings.index("s3")].tolist()


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([], "is empty"),
        ([*FULL, FULL[0]], "recording v1 twice"),
        ([*FULL[:3], ("minimal", "v2", "B", "no", "no")], "v2 has two values of truth"),
        ([*FULL[:3], ("minimal", "v2", "X", "no", "yes")], "v2 has two values of patient_id"),
        ([FULL[0], FULL[3]], "finish the sweep"),
        ([("s3", "v1", "A", "maybe", "yes")], "unknown answer 'maybe'"),
    ],
)
def test_a_frame_that_cannot_be_compared_is_refused(rows: list[tuple[str, ...]], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        wording_answers(frame(rows))  # type: ignore[arg-type]


def test_missing_columns_and_several_features_are_refused() -> None:
    with pytest.raises(ValueError, match="no column 'truth'"):
        wording_answers(frame(FULL).drop(columns="truth"))
    with pytest.raises(ValueError, match="several values of 'feature'"):
        wording_answers(frame(FULL).assign(feature=["tonic", "tonic", "clonic", "clonic"]))


def test_probabilities_are_arranged_like_answers_and_checked() -> None:
    found = wording_answers(frame(FULL, p_yes=[0.9, 0.1, 0.4, np.nan]))
    assert found.p_yes is not None
    np.testing.assert_allclose(found.p_yes, [[0.9, 0.1], [0.4, np.nan]])
    with pytest.raises(ValueError, match="outside 0 to 1"):
        wording_answers(frame(FULL, p_yes=[0.9, 0.1, 0.4, 1.2]))


def test_what_counts_under_each_policy() -> None:
    found = answers_of(["ynau"], "yyyy")
    assert found.counted("wrong").tolist() == [[True, True, True, True]]
    assert found.counted("drop").tolist() == [[True, True, False, False]]
    assert answers_of(["ynau"], "yyya", three_classes=True).counted("drop").tolist() == [[True] * 3 + [False]]
    assert NA == 2


def test_arrays_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ValueError, match="one family and one polarity"):
        answers_of(["y"], "y", families=["a", "b"])


def segments(rows: list[tuple[str, str, int, str]]) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=["prompt_id", "video_id", "segment", "answer"])
    negative = frame["prompt_id"] == "negated"
    return frame.assign(
        prompt_hash=frame["prompt_id"] + "-hash",
        patient_id=frame["video_id"].str[0],
        truth="yes",
        feature="tonic",
        family=np.where(negative, "negated", "minimal"),
        polarity=np.where(negative, "negative", "positive"),
    )


def test_segments_are_merged_and_wordings_described() -> None:
    rows = [
        ("s3", "A1", 0, "no"),
        ("s3", "A1", 1, "yes"),
        ("negated", "A1", 0, "no"),
        ("negated", "A1", 1, "no"),
    ]
    found = wording_answers_of_segments(segments(rows))
    described = dict(zip(found.wordings, zip(found.families, found.polarities, strict=True), strict=True))
    assert described == {"s3": ("minimal", "positive"), "negated": ("negated", "negative")}
    assert found.answers[found.wordings.index("s3")].tolist() == [YES]
    assert found.answers[found.wordings.index("negated")].tolist() == [NO]


def test_a_recording_that_a_stopped_run_left_half_asked_is_left_out() -> None:
    whole = [(name, "A1", i, "no") for i in (0, 1) for name in ("s3", "negated")]
    half = [("s3", "B1", 0, "no"), ("negated", "B1", 0, "no"), ("s3", "B1", 1, "yes")]
    found = wording_answers_of_segments(segments([*whole, *half]))
    assert found.recordings == ("A1",)
    assert found.left_out == 1
    with pytest.raises(IncompleteSweepError, match="same segments under every wording"):
        wording_answers_of_segments(segments(half))


def test_probabilities_of_just_0_and_1_are_kept_and_others_refused() -> None:
    found = wording_answers(frame(FULL, p_yes=[0.0, 1.0, 0.5, None]))
    assert found.p_yes is not None
    np.testing.assert_array_equal(found.p_yes, [[0.0, 1.0], [0.5, np.nan]])
    for strange in (-0.01, 1.01):
        with pytest.raises(ValueError, match="outside 0 to 1"):
            wording_answers(frame(FULL, p_yes=[0.0, strange, 0.5, None]))
