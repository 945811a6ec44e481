"""From replies to lmms-eval's result table: one record per question, and the measures of each part of the suite.

A task YAML names ``metric_list: !function semiology.tasks.strokerehab.scores.metrics_of_<part>``. Intervals are by
subject; a video of which windows are missing (``--limit``) is left out and counted.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from semiology.metrics.statistics.intervals import Estimate
from semiology.metrics.strokerehab.run_scores import Record
from semiology.render.text import counted
from semiology.settings import rehab_nose_only
from semiology.tasks.run_hooks import RunHooks
from semiology.tasks.strokerehab.reading import said
from semiology.tasks.strokerehab.settings import partial_allowed, reading_profile
from semiology.tasks.strokerehab.task_list import MEASURES

PREFIX = "metrics_of_"
RECORD = "strokerehab"
"""Name of the metric that carries the whole record into the sample file."""
RECORD_FIELDS = (
    "task", "part", "question_id", "kind", "prompt_id", "prompt_hash", "video_id", "subject", "group", "severity",
    "activity", "hand", "window", "windows", "questions", "subject_questions", "start_s", "end_s", "frames", "fps",
    "item", "laterality", "order", "rated", "truth", "truth_runs",
)  # fmt: skip


def __getattr__(name: str) -> Any:
    """Resolve ``metrics_of_<part>``, the list of metrics of a part as a task YAML holds it.

    Raises:
        AttributeError: any other name.
    """
    part = name.removeprefix(PREFIX)
    if name.startswith(PREFIX) and part in MEASURES:
        return metric_list(part)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def metric_list(part: str) -> list[dict[str, Any]]:
    """Return lmms-eval's ``metric_list``: the record, counted, and every measure of the part."""
    return _HOOKS.metric_list(MEASURES[part])  # type: ignore[index]


def process_results(document: Mapping[str, Any], results: Sequence[str | None]) -> dict[str, Any]:
    """Turn one reply into its record; every other metric gets the name of the run's records alone.

    Args:
        document: a row of the question table.
        results: the model's reply, as lmms-eval hands it over (a list of one).
    """
    record = {name: document[name] for name in RECORD_FIELDS}
    raw = results[0] if results else None
    record |= {"raw": raw, "said": said(raw, document["kind"]), "profile": reading_profile()}
    return {RECORD: record, **dict.fromkeys(MEASURES[document["part"]], _identity(record))}


def _identity(record: Mapping[str, Any]) -> str:
    names = ("task", "video_id", "window", "question_id", "laterality", "prompt_id")
    return "/".join(str(record[name]) for name in names)


def _of_first_wording(records: Sequence[Record]) -> Mapping[str, float]:
    """Return the measures of the first wording; sweeps over wordings are told apart by `semiology report`."""
    first = records[0]["prompt_id"]
    return measures([record for record in records if record["prompt_id"] == first])


_HOOKS = RunHooks(RECORD, _identity, _of_first_wording)


def measures(records: Sequence[Record]) -> dict[str, float]:
    """Return every measure of a part by name, with the limits of intervals; NaN where it is undefined.

    Args:
        records: of one task and one wording.
    """
    # Here, so that listing tasks does not import every metric and its libraries.
    from semiology.metrics.strokerehab import run_scores

    profile, part = reading_profile(), records[0]["part"]
    found: Mapping[str, Estimate | float]
    if part == "identification":
        found = run_scores.identification_measures(run_scores.score_identification(records, profile))
    elif part == "impairment":
        scored = run_scores.score_impairment(
            records, profile, nose_only=rehab_nose_only(), partial=partial_allowed()
        )
        if scored.left_out:
            _tell_left_out(records[0]["task"], "subject", scored.left_out)
        found = run_scores.impairment_measures(scored)
    else:
        run = run_scores.score_primitives(records, profile, partial=partial_allowed())
        if run.left_out:
            _tell_left_out(records[0]["task"], "video", run.left_out)
        found = run_scores.primitive_measures(run)
    values: dict[str, float] = {}
    for name, estimate in found.items():
        if isinstance(estimate, Estimate):
            low, high = estimate.low, estimate.high
            values[name] = estimate.value
            values |= {f"{name}_low": math.nan if low is None else low}
            values |= {f"{name}_high": math.nan if high is None else high}
        else:
            values[name] = float(estimate)
    return values


def _tell_left_out(task: str, what: str, names: Sequence[str]) -> None:
    from loguru import logger

    logger.warning(
        f"{task}: {counted(len(names), what)} not scored, because windows are missing (first: {names[0]}) → run "
        "without --limit, or set SEMIOLOGY_REHAB_PARTIAL=1 to score what is there"
    )
