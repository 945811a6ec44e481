"""lmms-eval's hooks for the S3 tasks: which measures its table shows for each kind of answer.

A task YAML names ``metric_list: !function semiology.tasks.s3.scores.metrics_of_<kind>``. The measures come
from ``semiology.metrics`` over recordings, after the segments were merged; ``<measure>_low`` and ``_high`` are
the limits of its 95 % interval, by patients.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, get_args

from semiology.backends.text.served import TextModelError, chosen_text_model
from semiology.metrics.coverage import UNPARSED
from semiology.metrics.s3.recording_answers import AnswerKind, Record, recording_answers
from semiology.tasks.s3.merging import instructed
from semiology.tasks.s3.records import RECORD, identity, with_hearing
from semiology.tasks.s3.task_list import MEASURES, TASKS

if TYPE_CHECKING:
    import pandas as pd

    from semiology.metrics.s3.part_scores import PartScores

PREFIX = "metrics_of_"
UNDEFINED = "undefined"
NAN = float("nan")


def __getattr__(name: str) -> Any:
    """Resolve ``metrics_of_<kind>``, the list of metrics of a kind of answer as a task YAML holds it.

    Raises:
        AttributeError: Any other name.
    """
    kind = name.removeprefix(PREFIX)
    if name.startswith(PREFIX) and kind in get_args(AnswerKind):
        return metric_list(kind)  # type: ignore[arg-type]
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def metric_list(kind: AnswerKind) -> list[dict[str, Any]]:
    """Return lmms-eval's ``metric_list``: the record, counted, and every measure of the kind."""
    record = {"metric": RECORD, "aggregation": questions, "higher_is_better": None}
    return [
        record,
        *(
            {"metric": name, "aggregation": _hook(name), "higher_is_better": better}
            for name, better in MEASURES[kind].items()
        ),
    ]


def questions(items: Sequence[Record]) -> float:
    """Return how many questions were asked, and keep their records for the hooks of the measures.

    lmms-eval aggregates the metrics of a task in the order of the sample, in which the record is the first.
    """
    if items:
        _latest[items[0]["task"]] = _Run(tuple(items))
    return float(len(items))


class _Run:
    """The records of a task in the run that is being aggregated, and their measures once asked for."""

    def __init__(self, records: Sequence[Record]) -> None:
        self.records = records
        self.names = sorted(map(identity, records))

    @cached_property
    def measures(self) -> Mapping[str, float]:
        task = self.records[0]["task"]
        kind = TASKS[task].answer
        records = with_hearing(self.records)
        merge = instructed(chosen_text_model())
        named = {"merged_by_model": float(merge is not None)}
        try:
            return measures(kind, recording_answers(kind, records, merge)) | named
        except TextModelError as error:
            # A server that stops must not cost the answers of a whole run, nor give half of each merging.
            from loguru import logger

            logger.warning(f"{task}: {error}; all of its texts were merged extractively instead")
            return measures(kind, recording_answers(kind, records)) | {"merged_by_model": 0.0}


_latest: dict[str, _Run] = {}


def _hook(name: str) -> Callable[[Sequence[str]], float | str]:
    """Return the function that lmms-eval calls with the identities of a task's records.

    It raises RuntimeError where they are not those of the records that were aggregated last.
    """

    def aggregate(items: Sequence[str]) -> float | str:
        run = _latest.get(items[0].split("/")[0])
        if run is None or run.names != sorted(items):
            raise RuntimeError(f"{name}: the records of {items[0]} were not aggregated before it")
        value = run.measures[name]
        return UNDEFINED if math.isnan(value) else value

    aggregate.__name__ = name
    return aggregate


def measures(kind: AnswerKind, frame: pd.DataFrame) -> dict[str, float]:
    """Return every measure of a kind of answer; NaN where it is undefined or has no interval.

    Args:
        kind: Kind of answer.
        frame: Rows of :func:`semiology.metrics.s3.recording_answers.recording_answers`.
    """
    # Here, so that listing tasks does not import every metric and its libraries.
    from semiology.metrics.s3.scores import score_task

    found: dict[str, float] = {}
    for part in score_task(kind, frame):
        if not part.part:
            found |= _named(part)
    unparsed = [isinstance(value, str) and value == UNPARSED for value in frame.get("answer", ())]
    found["unparsed_rate"] = sum(unparsed) / len(unparsed) if unparsed else NAN
    if kind == "justification" and len(frame):
        told = [isinstance(text, str) and bool(text) for text in frame["reference"]]
        found["references"] = float(sum(told))
    return {name: float(found.get(name, NAN)) for name in MEASURES[kind]}


def _named(part: PartScores) -> dict[str, float]:
    """Return baselines, estimates and the limits of their intervals by the names in lmms-eval's table."""
    suffix = f"_{part.clip_form}" if part.clip_form else ""
    values = {f"{name}{suffix}": value for name, value in part.scores.baselines.items()}
    values |= {f"always_{name}": values[name] for name in (f"middle_mae{suffix}",) if name in values}
    for name, estimate in part.scores.estimates.items():
        values[f"{name}{suffix}"] = estimate.value
        values[f"{name}{suffix}_low"] = NAN if estimate.low is None else estimate.low
        values[f"{name}{suffix}_high"] = NAN if estimate.high is None else estimate.high
    if "f1" in part.scores.estimates:
        values["right_f1"] = values["f1"]
    return values
