"""lmms-eval's hooks for the S3 tasks: which measures its table shows for each kind of answer.

A task YAML names ``metric_list: !function semiology.tasks.s3.scores.metrics_of_<kind>``. The measures come
from ``semiology.metrics`` over recordings, after the segments were merged; ``<measure>_low`` and ``_high`` are
the limits of its 95 % interval, by patients.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, get_args

from semiology.backends.text.served import TextModelError, chosen_text_model
from semiology.metrics.coverage import UNPARSED
from semiology.metrics.s3.recording_answers import AnswerKind, Record, recording_answers
from semiology.tasks.run_hooks import RunHooks
from semiology.tasks.s3.merging import instructed
from semiology.tasks.s3.records import RECORD, identity, with_hearing
from semiology.tasks.s3.task_list import MEASURES, TASKS

if TYPE_CHECKING:
    import pandas as pd

    from semiology.metrics.s3.part_scores import PartScores

PREFIX = "metrics_of_"
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
    return _HOOKS.metric_list(MEASURES[kind])


def _of_task(records: Sequence[Record]) -> Mapping[str, float]:
    """Return every measure of a task's records, texts merged as chosen."""
    task = records[0]["task"]
    kind = TASKS[task].answer
    heard = with_hearing(records)
    merge = instructed(chosen_text_model())
    named = {"merged_by_model": float(merge is not None)}
    try:
        return measures(kind, recording_answers(kind, heard, merge)) | named
    except TextModelError as error:
        # A server that stops must not cost the answers of a whole run, nor give half of each merging.
        from loguru import logger

        logger.warning(f"{task}: {error}; all of its texts were merged extractively instead")
        return measures(kind, recording_answers(kind, heard)) | {"merged_by_model": 0.0}


_HOOKS = RunHooks(RECORD, identity, _of_task)


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
