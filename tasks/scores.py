"""From a reply to lmms-eval's result table: one record per segment, one number per recording-level metric."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

from semiology.metrics.scores.lmms_eval_hooks import score_of
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
    if reply.why is not None:
        record["unparsed_because"] = reply.why
    if reply.language is not None:
        record["answer_language"] = reply.language
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


def _hook(name: str, part: Literal["value", "low", "high"] = "value") -> Callable[[Sequence[Any]], Score]:
    """Return lmms-eval's aggregation hook for a score over recordings, or a limit of its interval."""

    def aggregate(items: Sequence[Any]) -> Score:
        value = score_of([dict(zip(COMPACT_FIELDS, item, strict=True)) for item in items], name, part)
        if math.isnan(value):
            return UNDEFINED if part == "value" else NOT_ESTIMABLE
        return value

    return aggregate


f1 = _hook("f1")
f1_low = _hook("f1", "low")
f1_high = _hook("f1", "high")
always_yes_f1 = _hook("always_yes_f1")
precision = _hook("precision")
recall = _hook("recall")
specificity = _hook("specificity")
accuracy = _hook("accuracy")
balanced_accuracy = _hook("balanced_accuracy")
mcc = _hook("mcc")
prevalence = _hook("prevalence")
unparsed_rate = _hook("unparsed_rate")

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
