"""From replies to the figures of lmms-eval's table."""

from __future__ import annotations

from typing import Any

import pytest

from semiology.tasks import scores

DOCUMENT = {
    "feature": "tonic",
    "enhancement": "none",
    "prompt_id": "s3",
    "prompt_hash": "0" * 64,
    "polarity": "positive",
    "video_id": "A1",
    "patient_id": "A",
    "segment": 0,
    "start_s": 0.0,
    "end_s": 30.0,
    "truth": "yes",
}


def processed(reply: str | None, **changes: Any) -> dict[str, Any]:
    return scores.process_results({**DOCUMENT, **changes}, [reply])


def test_the_record_holds_what_a_report_needs() -> None:
    record = processed('{"answer": "yes", "justification": "both arms stiffen"}')["semiology"]
    assert record["answer"] == "yes"
    assert record["justification"] == "both arms stiffen"
    assert record["raw"] == '{"answer": "yes", "justification": "both arms stiffen"}'
    assert {name: record[name] for name in scores.RECORD_FIELDS} == {
        name: DOCUMENT[name] for name in scores.RECORD_FIELDS
    }


@pytest.mark.parametrize(
    ("reply", "answer"), [("Yes.", "no"), ("No.", "yes"), ("NA", "na"), ("", "unparsed")]
)
def test_a_question_asked_the_other_way_round_is_turned_back(reply: str, answer: str) -> None:
    assert processed(reply, polarity="negative")["semiology"]["answer"] == answer


def test_an_empty_reply_is_unparsed_not_no() -> None:
    assert processed("")["semiology"]["answer"] == "unparsed"
    assert processed(None)["semiology"]["answer"] == "unparsed"


def test_the_figures_are_those_of_recordings_not_of_windows() -> None:
    replies = [("A1", 0, "no", "yes"), ("A1", 1, "yes", "yes"), ("B1", 0, "no", "no"), ("C1", 0, "yes", "no")]
    items = [
        processed(reply, video_id=video, patient_id=video[0], segment=segment, truth=truth)["f1"]
        for video, segment, reply, truth in replies
    ]
    assert scores.precision(items) == pytest.approx(1 / 2)
    assert scores.recall(items) == pytest.approx(1.0)
    assert scores.f1(items) == pytest.approx(2 / 3)
    assert scores.always_yes_f1(items) == pytest.approx(1 / 2)
    assert scores.questions(items) == 4.0


def test_few_positive_patients_give_no_interval() -> None:
    items = [processed("yes")["f1"]]
    assert scores.f1_low(items) == scores.NOT_ESTIMABLE
    assert scores.f1_high(items) == scores.NOT_ESTIMABLE


def test_the_macro_figure_leaves_out_what_is_undefined() -> None:
    assert scores.macro([0.5, scores.UNDEFINED, 1.0], [1, 1, 1], False) == pytest.approx(0.75)
    assert scores.macro([scores.UNDEFINED], [1], False) == scores.UNDEFINED
