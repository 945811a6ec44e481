"""From a reply to lmms-eval's result table: one record per segment, one number per recording-level metric."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from semiology.metrics.scores import lmms_eval_hooks as recording_level
from semiology.tasks.answers.parse import Answer, parse_reply

Score = float | str

RECORD_FIELDS = (
    "feature",
    "enhancement",
    "prompt_id",
    "prompt_hash",
    "video_id",
    "patient_id",
    "segment",
    "start_s",
    "end_s",
    "truth",
)
ENHANCEMENT_FIELDS = ("enhancement_key", "transcript_hash")
"""What the media of an enhanced question were made from; other questions have no such columns."""
COMPACT_FIELDS = ("feature", "video_id", "patient_id", "segment", "answer", "truth")
OPPOSITE: dict[str, Answer] = {"yes": "no", "no": "yes"}
NOT_ESTIMABLE = "not estimable"
UNDEFINED = "undefined"


def process_results(document: Mapping[str, Any], results: Sequence[str | None]) -> dict[str, Any]:
    """Turn one reply into the record that every report reads, and the same in short for each metric.

    Args:
        document: A row of the question table.
        results: The model's reply, as lmms-eval hands it over (a list of one).

    Returns:
        ``semiology``: the full record of DESIGN section 7. Every other metric: the six fields that scoring
        needs, as a list, because lmms-eval logs each metric of each sample.
    """
    raw = results[0] if results else None
    reply = parse_reply(raw)
    answer: Answer = reply.answer
    if document["polarity"] == "negative":
        answer = OPPOSITE.get(answer, answer)
    record = {name: document[name] for name in RECORD_FIELDS}
    record |= {"answer": answer, "raw": raw, "justification": reply.justification}
    record |= {name: document[name] for name in ENHANCEMENT_FIELDS if document.get(name) is not None}
    compact = [record[name] for name in COMPACT_FIELDS]
    return {"semiology": record, **dict.fromkeys(TABLE_METRICS, compact)}


def questions(items: Sequence[Any]) -> float:
    """Return how many questions were asked."""
    return float(len(items))


def macro(values: Sequence[Score], sizes: Sequence[int], weight_by_size: bool) -> Score:
    """Return the plain mean over features, for the group; undefined values are left out."""
    del sizes, weight_by_size
    numbers = [float(value) for value in values if isinstance(value, int | float)]
    return sum(numbers) / len(numbers) if numbers else UNDEFINED


def _from_compact(score: Callable[[Any], float], undefined: str) -> Callable[[Sequence[Any]], Score]:
    """Make lmms-eval's aggregation hook from a recording-level score."""

    def aggregate(items: Sequence[Any]) -> Score:
        value = score([dict(zip(COMPACT_FIELDS, item, strict=True)) for item in items])
        return undefined if math.isnan(value) else value

    return aggregate


f1 = _from_compact(recording_level.recording_f1, UNDEFINED)
f1_low = _from_compact(recording_level.f1_low, NOT_ESTIMABLE)
f1_high = _from_compact(recording_level.f1_high, NOT_ESTIMABLE)
always_yes_f1 = _from_compact(recording_level.always_yes_f1, UNDEFINED)
precision = _from_compact(recording_level.recording_precision, UNDEFINED)
recall = _from_compact(recording_level.recording_recall, UNDEFINED)
specificity = _from_compact(recording_level.recording_specificity, UNDEFINED)
accuracy = _from_compact(recording_level.recording_accuracy, UNDEFINED)
balanced_accuracy = _from_compact(recording_level.recording_balanced_accuracy, UNDEFINED)
mcc = _from_compact(recording_level.recording_mcc, UNDEFINED)
prevalence = _from_compact(recording_level.prevalence, UNDEFINED)
unparsed_rate = _from_compact(recording_level.unparsed_rate, UNDEFINED)

TABLE_METRICS = (
    "f1",
    "f1_low",
    "f1_high",
    "always_yes_f1",
    "precision",
    "recall",
    "specificity",
    "accuracy",
    "balanced_accuracy",
    "mcc",
    "prevalence",
    "unparsed_rate",
)
