"""lmms-eval's hooks for the S3 tasks: which figures its table shows for each kind of answer.

A task YAML names ``metric_list: !function semiology.tasks.s3.scores.metrics_of_<kind>``. The figures come
from ``semiology.metrics`` over recordings, after the windows were merged; ``<figure>_low`` and ``_high`` are
the limits of its 95 % interval, by patients.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any, get_args

from semiology.tasks.s3.recording_answers import recording_answers
from semiology.tasks.s3.records import RECORD
from semiology.tasks.s3.task_figures import FIGURES, figures
from semiology.tasks.s3.task_list import AnswerKind
from semiology.tasks.s3.text_model import chosen_text_model

PREFIX = "metrics_of_"
UNDEFINED = "undefined"


def __getattr__(name: str) -> Any:
    """Resolve ``metrics_of_<kind>``, the list of metrics of a kind of answer as a task YAML holds it.

    Raises:
        AttributeError: Any other name.
    """
    kind = name.removeprefix(PREFIX)
    if name.startswith(PREFIX) and kind in get_args(AnswerKind):
        return metric_list(kind)  # type: ignore[arg-type]
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def figures_of(kind: AnswerKind) -> tuple[str, ...]:
    """Return the names of the figures of a kind of answer, in the order of the table."""
    return tuple(FIGURES[kind])


def metric_list(kind: AnswerKind) -> list[dict[str, Any]]:
    """Return lmms-eval's ``metric_list``: the record, counted, and every figure of the kind."""
    record = {"metric": RECORD, "aggregation": questions, "higher_is_better": None}
    return [
        record,
        *(
            {"metric": name, "aggregation": _hook(kind, name), "higher_is_better": better}
            for name, better in FIGURES[kind].items()
        ),
    ]


def questions(items: Sequence[Any]) -> float:
    """Return how many questions were asked."""
    return float(len(items))


def _hook(kind: AnswerKind, name: str) -> Callable[[Sequence[Any]], float | str]:
    """Return the function that lmms-eval calls with the records of a task."""

    def aggregate(items: Sequence[Mapping[str, Any]]) -> float | str:
        # Sorted, so that ranks of a parallel run finishing in another order share one result.
        value = _figures(kind, tuple(sorted(json.dumps(item, sort_keys=True) for item in items)))[name]
        return UNDEFINED if math.isnan(value) else value

    aggregate.__name__ = name
    return aggregate


@lru_cache(maxsize=32)
def _figures(kind: AnswerKind, items: tuple[str, ...]) -> Mapping[str, float]:
    """Return all figures of a kind, computed once for the same records."""
    return figures(kind, recording_answers(kind, map(json.loads, items), chosen_text_model()))
