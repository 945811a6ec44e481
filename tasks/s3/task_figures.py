"""The figures of each kind of answer in lmms-eval's table, from one frame of recording answers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from semiology.metrics.coverage import UNPARSED
from semiology.metrics.s3.part_scores import PartScores
from semiology.metrics.s3.recording_answers import AnswerKind
from semiology.metrics.s3.scores import score_task
from semiology.tasks.s3.figure_names import FIGURES

if TYPE_CHECKING:
    import pandas as pd

NAN = float("nan")


def figures(kind: AnswerKind, frame: pd.DataFrame) -> dict[str, float]:
    """Return every figure of a kind of answer; NaN where it is undefined or has no interval.

    Args:
        kind: Kind of answer.
        frame: Rows of :func:`semiology.metrics.s3.recording_answers.recording_answers`.
    """
    found: dict[str, float] = {}
    for part in score_task(kind, frame):
        if not part.part:
            found |= _named(part)
    unparsed = [isinstance(value, str) and value == UNPARSED for value in frame.get("answer", ())]
    found["unparsed_rate"] = float(np.mean(unparsed)) if unparsed else NAN
    if kind == "justification" and len(frame):
        told = [isinstance(text, str) and bool(text) for text in frame["reference"]]
        found["references"] = float(sum(told))
    return {name: float(found.get(name, NAN)) for name in FIGURES[kind]}


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
