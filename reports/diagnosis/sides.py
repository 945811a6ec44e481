"""Sides of signs, beside the answers to the features: of models by S3 task 3, of experts by their tables."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pandas as pd

from semiology.features import BY_NAME
from semiology.metrics.diagnosis.rules import SIDE
from semiology.reports.protected import ScoredSet
from semiology.reports.read.asked import NO_ENHANCEMENT, is_reference
from semiology.reports.read.s3_answers import S3Results
from semiology.reports.summary.s3 import frames_by_run

ASKED: Mapping[str, str] = {
    "s3_head_turning_side": f"head_turning{SIDE}",
    "s3_arm_movement_side": f"arm_movement{SIDE}",
}
"""Columns of sides by the task that asks about them."""
CODES: Mapping[str, float] = {"right": 1.0, "left": 0.0}
_ARM_FEATURES = tuple(name for name, record in BY_NAME.items() if record.region in ("arm", "arm or body"))


def sides_of_models(results: S3Results | None) -> dict[str, pd.DataFrame]:
    """Return the answers to the questions about sides, by model: a row per recording, 1 right, 0 left, else NaN.

    Of several wordings the published one counts, else the first by name.
    """
    if results is None:
        return {}
    asked = replace(results, records=tuple(each for each in results.records if each["task"] in ASKED))
    found: dict[str, dict[str, pd.Series]] = {}
    runs = sorted(frames_by_run(asked), key=lambda run: (not is_reference(run[0][2]), run[0][2]))
    for (task, model, _, enhancement), _, frame, _ in runs:
        if enhancement == NO_ENHANCEMENT:
            once = frame.drop_duplicates("video_id").set_index("video_id")["answer"]
            found.setdefault(model, {}).setdefault(ASKED[task], once.map(CODES).astype(float))
    return {model: pd.DataFrame(columns) for model, columns in found.items()}


def sides_of_experts(scored: ScoredSet) -> pd.DataFrame:
    """Return the sides that experts gave, in laterality.csv and with annotations: those of models and further ones."""
    rows: dict[str, dict[str, float]] = {}
    for (video, feature), side in scored.sides.items():
        rows.setdefault(video, {})[feature + SIDE] = CODES.get(side, np.nan)
    for video, known in scored.laterality.items():
        for name, event in (("head_turning", known.head_turning), ("arm_movement", known.arm_movement)):
            if event is not None:
                rows.setdefault(video, {})[name + SIDE] = CODES[event.side]
    return pd.DataFrame.from_dict(rows, orient="index", dtype=float)


def with_sides(vectors: pd.DataFrame, sides: pd.DataFrame | None) -> pd.DataFrame:
    """Return vectors with the columns of sides that models are asked about.

    Task 3 asks only about recordings in which the experts saw the sign, so that a side alone would tell that they did.
    It therefore counts only where the same source says that the sign is there: head turning, or a sign of an arm.
    """
    columns = list(ASKED.values())
    known = pd.DataFrame(index=vectors.index, columns=columns, dtype=float)
    if sides is not None:
        known.update(sides.reindex(index=vectors.index, columns=columns))
    turns = vectors.get("head_turning", pd.Series(np.nan, index=vectors.index)) >= 0.5
    arms = (vectors[[name for name in _ARM_FEATURES if name in vectors]] >= 0.5).any(axis=1)
    known[columns[0]] = known[columns[0]].where(turns)
    known[columns[1]] = known[columns[1]].where(arms)
    return pd.concat([vectors, known], axis=1)


def further_sides(sides: pd.DataFrame, index: pd.Index) -> pd.DataFrame:
    """Return the columns of sides that no model is asked about."""
    return sides.reindex(index).drop(columns=list(ASKED.values()), errors="ignore")
