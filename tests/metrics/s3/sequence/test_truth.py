"""The order that a sequence is compared with follows from whether the model was played the sound."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

from semiology.metrics.s3.recording_answers import recording_answers
from semiology.metrics.s3.scores import score_task
from semiology.metrics.s3.sequence.scores import as_perceived, truth_counts
from semiology.tasks.s3 import records as s3_records

VISUAL = ["tonic", "clonic"]
BOTH = ["ictal_vocalization", "tonic", "clonic"]


def one(video: int, answer: list[str] | None, *, heard: bool, known: bool = True) -> dict[str, Any]:
    return {
        "video_id": f"v{video}", "patient_id": f"p{video}", "feature": "sequence", "clip_form": None,
        "segment": 0, "truth": VISUAL, "onsets_s": [5.0, 9.0], "answer": answer, "heard": heard,
        "truth_audiovisual": BOTH if known else None,
        "onsets_audiovisual_s": [1.0, 5.0, 9.0] if known else None,
    }  # fmt: skip


def value(records: list[dict[str, Any]], figure: str) -> float:
    (part,) = score_task("sequence", recording_answers("sequence", records), resamples=100)
    return part.scores.estimates[figure].value


def test_a_model_that_hears_has_to_name_what_is_heard_and_another_must_not() -> None:
    for answer, deaf, hearing_one in ((VISUAL, 1.0, 0.8), (BOTH, 0.8, 1.0)):
        assert value([one(0, answer, heard=False)], "lcs_f1") == pytest.approx(deaf)
        assert value([one(0, answer, heard=True)], "lcs_f1") == pytest.approx(hearing_one)
    assert value([one(0, BOTH, heard=True)], "relation_f1") == 1
    assert value([one(0, BOTH, heard=False)], "relation_precision") == pytest.approx(1 / 3)


def test_an_unknown_onset_of_a_sound_leaves_the_visual_order_and_is_counted() -> None:
    records = [one(0, VISUAL, heard=True), one(1, VISUAL, heard=True, known=False), one(2, None, heard=False)]
    frame = recording_answers("sequence", records)
    assert truth_counts(frame) == (1, 1, 1)
    assert as_perceived(frame)["truth"].tolist() == [BOTH, VISUAL, VISUAL]
    assert frame["truth"].tolist() == [VISUAL] * 3


def test_answers_of_earlier_versions_are_compared_with_the_visual_order() -> None:
    old = one(0, VISUAL, heard=False)
    for name in ("heard", "truth_audiovisual", "onsets_audiovisual_s"):
        del old[name]
    assert value([old], "lcs_f1") == 1
    frame = recording_answers("sequence", [old])
    for name in ("heard", "onsets_audiovisual"):
        earlier = frame.drop(columns=[name])
        assert as_perceived(earlier).equals(earlier)
        assert truth_counts(earlier) == (1, 0, 0)


def test_lmms_eval_hooks_know_whether_the_model_of_the_run_is_played_sound(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(s3_records, "_chosen", {})
    monkeypatch.delenv("SEMIOLOGY_SOUND", raising=False)
    records = [{"hear": True}, {"hear": False}]
    assert [row["heard"] for row in s3_records.with_hearing(records)] == [False, False]
    for model, form in (("qwen2_5_omni", "array"), ("qwen2_5_vl", "none")):
        s3_records.set_model(model)
        assert s3_records.sound_form(model) == form
        assert [row["heard"] for row in s3_records.with_hearing(records)] == [form == "array", False]
    monkeypatch.setenv("SEMIOLOGY_SOUND", "data_url")
    assert [row["heard"] for row in s3_records.with_hearing(records)] == [True, False]


def test_a_truth_without_onsets_stays_as_it_is() -> None:
    rows = [(VISUAL, None, None, False), (VISUAL, {"tonic": 1.0}, {"clonic": 2.0}, True)]
    columns = ["truth", "onsets", "onsets_audiovisual", "heard"]
    found = as_perceived(pd.DataFrame(rows, columns=columns).astype(object))
    assert found["truth"].tolist() == [VISUAL, ["clonic"]]
    assert found["onsets"].tolist() == [None, {"clonic": 2.0}]
