"""From a reply to lmms-eval's result table: one record per segment, one number per recording-level metric."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from semiology.tasks.answers.parse import Answer, parse_reply

if TYPE_CHECKING:
    from semiology.metrics.scores.run_scores import FeatureScores

Score = float | str

RECORD_FIELDS = (
    "feature",
    "enhancement",
    "prompt_id",
    "prompt_hash",
    "polarity",
    "video_id",
    "patient_id",
    "segment",
    "start_s",
    "end_s",
    "truth",
)
"""Without its polarity nobody could tell of which answer the log-probability of "yes" speaks."""
FURTHER_FIELDS = ("enhancement_key", "transcript_hash", "answer_format")
"""What the media of an enhanced question were made from, and a chosen answer format; other questions have no such
columns."""
COMPACT_FIELDS = ("feature", "video_id", "patient_id", "segment", "answer", "truth")
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
OPPOSITE: dict[str, Answer] = {"yes": "no", "no": "yes"}
NOT_ESTIMABLE = "not estimable"
UNDEFINED = "undefined"


def process_results(document: Mapping[str, Any], results: Sequence[str | None]) -> dict[str, Any]:
    """Turn the reply to a row of the question table into the metrics of lmms-eval.

    ``semiology`` is the full record, which every report reads. Every other metric gets the six fields that scoring
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
    record |= {name: document[name] for name in FURTHER_FIELDS if document.get(name) is not None}
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


def estimate_of(name: str) -> tuple[str, str]:
    """Return the estimate that a metric shows, and what of it: its ``value``, or the limit ``low`` or ``high``."""
    head, _, part = name.rpartition("_")
    return (head, part) if part in ("low", "high") else (name, "value")


def _hook(name: str) -> Callable[[Sequence[Any]], Score]:
    """Make lmms-eval's aggregation hook for a score over recordings."""
    estimate, part = estimate_of(name)

    def aggregate(items: Sequence[Any]) -> Score:
        # Sorted, so that ranks of a parallel run finishing in another order share one result.
        scores = _scores(tuple(sorted(map(tuple, items), key=repr)))
        found = scores.estimates.get(estimate)
        value = getattr(scores, estimate) if found is None else getattr(found, part)
        if value is None or math.isnan(value):
            return UNDEFINED if part == "value" else NOT_ESTIMABLE
        return float(value)

    return aggregate


@lru_cache(maxsize=64)
def _scores(rows: tuple[tuple[Any, ...], ...]) -> FeatureScores:
    """Return all scores of a feature, computed once for all of its hooks."""
    import pandas as pd

    from semiology.metrics.scores.aggregation import recording_answers
    from semiology.metrics.scores.run_scores import score_run

    return score_run(recording_answers(pd.DataFrame(list(rows), columns=list(COMPACT_FIELDS)))).features[0]


# The task YAMLs name one function for each.
globals().update({name: _hook(name) for name in TABLE_METRICS})
