"""From replies to the numbers of lmms-eval's table."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
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


def compact(patients: int = 40, seed: int = 0) -> list[list[Any]]:
    """Return items as `scores.process_results` makes them, of two recordings a patient in three segments."""
    rng = np.random.default_rng(seed)
    made: list[list[Any]] = []
    for patient in range(patients):
        for video in range(2):
            truth = "yes" if rng.random() < 0.4 else "no"
            for segment in range(3):
                answer = truth if rng.random() < 0.8 else str(rng.choice(["yes", "no", "unparsed"]))
                made.append(["tonic", f"p{patient}v{video}", f"p{patient}", segment, answer, truth])
    return made


def test_every_metric_is_that_of_recordings() -> None:
    import pandas as pd

    from semiology.metrics.scores.aggregation import recording_answers
    from semiology.metrics.scores.classification import binary_scores

    made = compact()
    rows = recording_answers(pd.DataFrame(made, columns=list(scores.COMPACT_FIELDS)))
    slow = binary_scores(rows["truth"].tolist(), rows["answer"].tolist())
    for name in set(scores.TABLE_METRICS) - {"f1_low", "f1_high"}:
        assert getattr(scores, name)(made) == pytest.approx(slow[name]), name
    assert scores.f1_low(made) < scores.f1(made) < scores.f1_high(made)
    with pytest.raises(AttributeError, match="f2"):
        _ = scores.f2


def test_metrics_share_one_computation_and_ignore_the_order_of_samples() -> None:
    made = compact(seed=5)
    scores._scores.cache_clear()
    first = scores.f1(made)
    random.Random(0).shuffle(made)
    assert scores.f1(made) == first
    scores.f1_low(made)
    assert scores._scores.cache_info().misses == 1
