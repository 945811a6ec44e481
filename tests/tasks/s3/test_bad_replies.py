"""The bad replies that a run meets go the whole road, from reply to figure, and never end in an exception."""

from __future__ import annotations

from typing import Any, get_args

import pytest

from semiology.metrics.s3.recording_answers import AnswerKind, recording_answers
from semiology.metrics.s3.scores import score_task
from semiology.tasks.s3.records import process_results
from semiology.tasks.s3.task_list import TASKS

LOOP = "tonic, clonic, " * 2500
REPLIES = {
    "empty": "",
    "none": None,
    "blank": " \n\t ",
    "looping": LOOP,
    "one word": "jerking " * 1000,
    "chinese": "患者头部向左转，随后出现强直。",
    "spanish": "El paciente gira la cabeza hacia la izquierda y luego presenta rigidez.",
    "arabic": "المريض يدير رأسه",
    "broken json": '{"answer": "yes", "justification": "the arm is stiff',
    "nested json": "[" * 3000 + '{"timestamp": {"a": [1, 2',
    "100,000 characters": "The head turns to the left. " * 3600,
    "100,000 characters without a blank": "a" * 100_000,
    "clock beyond its range": "1:75",
    "hours": "00:12:00",
    "seconds": "12s",
    "negative": "-3",
    "unknown features": "dancing, singing, flying",
    "known and unknown features": "tonic, dancing, clonic",
    "not characters": "\x00\ud800\ufffe",
}
TRUTHS: dict[AnswerKind, list[Any]] = {
    "justification": ["yes", "no"],
    "side": ["left", "right"],
    "region": ["head", "arms"],
    "time": [30.0, 12.0],
    "sequence": [["tonic", "clonic"], ["head_turning"]],
    "report": ["The head turns to the left.", "Clonic jerks of both arms."],
    "diagnosis": ["ES", "NES"],
}
EXTRA: dict[AnswerKind, dict[str, Any]] = {
    "justification": {"reference": "The right arm is held stiff.", "polarity": "positive"},
    "report": {"shown": ["head_turning"]},
}


def document(task: str, kind: AnswerKind, video: int) -> dict[str, Any]:
    truth = TRUTHS[kind][video % 2]
    onsets = [float(i) for i in range(len(truth))] if kind == "sequence" else None
    return {
        "task": task, "feature": "tonic", "enhancement": "none", "prompt_id": "s3", "prompt_hash": "ab",
        "video_id": f"v{video}", "patient_id": f"p{video}", "segment": 0, "start_s": 0.0, "end_s": 30.0,
        "clip_form": "centred" if kind == "time" else None, "truth": truth, "onsets_s": onsets, "hear": False,
        "truth_audiovisual": None, "onsets_audiovisual_s": None, **EXTRA.get(kind, {}),
    }  # fmt: skip


@pytest.mark.parametrize("kind", get_args(AnswerKind))
def test_every_bad_reply_is_scored_or_counted_as_unparsed(kind: AnswerKind) -> None:
    task = next(name for name, one in TASKS.items() if one.answer == kind)
    replies = [reply for reply in REPLIES.values() for _ in range(2)]
    records = [
        process_results(document(task, kind, video), [reply])["s3"] for video, reply in enumerate(replies)
    ]
    records.append(process_results(document(task, kind, len(replies)), [])["s3"])
    unparsed = sum(record["unparsed"] for record in records)
    frame = recording_answers(kind, records)
    parts = score_task(kind, frame, resamples=100)
    counts = parts[0].scores.counts
    assert (counts.asked, counts.missing) == (len(replies) + 1, 0)
    assert counts.unparsed == unparsed
    # Nothing at all is never an answer.
    names = [name for name in REPLIES for _ in range(2)]
    for name, record in zip(names, records, strict=False):
        if name in ("empty", "none", "blank"):
            assert record["unparsed"], name


@pytest.mark.parametrize(
    ("reply", "seconds"),
    [("1:75", None), ("00:12:00", 720.0), ("12s", 12.0), ("-3", None), ("00:12", 12.0)],
)
def test_times_are_read_or_refused(reply: str, seconds: float | None) -> None:
    assert process_results(document("s3_seizure_start", "time", 0), [reply])["s3"]["answer"] == seconds


def test_an_unread_time_is_charged_and_a_far_one_keeps_its_error() -> None:
    records = [
        process_results(document("s3_seizure_start", "time", video * 2), [reply])["s3"]
        for video, reply in enumerate(("1:75", "00:30", "00:12:00"))
    ]
    (part,) = score_task("time", recording_answers("time", records), resamples=100)
    values = {name: one.value for name, one in part.scores.estimates.items()}
    assert values["mae"] == pytest.approx((0 + 690) / 2)
    assert values["charged_mae"] == pytest.approx((30 + 0 + 690) / 3)
    assert part.scores.counts.unparsed == 1


def test_unknown_signs_cost_what_wrong_signs_cost() -> None:
    def scored(reply: str) -> dict[str, float]:
        records = [process_results(document("s3_sequence", "sequence", 0), [reply])["s3"]]
        (part,) = score_task("sequence", recording_answers("sequence", records), resamples=100)
        return {name: one.value for name, one in part.scores.estimates.items()}

    known, unknown = scored("tonic, head turning, clonic"), scored("tonic, dancing, clonic")
    assert known == unknown
    assert unknown["edit_distance"] == 1


def test_a_report_that_repeats_one_word_earns_nothing_that_is_stated() -> None:
    records = [process_results(document("s3_report", "report", 0), ["tonic " * 300])["s3"]]
    (part,) = score_task("report", recording_answers("report", records), resamples=100)
    values = {name: one.value for name, one in part.scores.estimates.items()}
    assert values["rqi_length"] == pytest.approx(0.2)  # 300 words: four steps of 50 beyond 100
    assert values["rqi"] < 10
    assert values["stated_findings"] < 30
    assert values["rouge_l"] < 0.05
