"""The difference between two conditions in any measure of an S3 task, with the interval of its patients.

Any measure that `semiology.metrics.s3.scores.score_task` gives is computed for both conditions on the questions that
both answered, on all patients and without each of them: the jackknife of the difference.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from semiology.metrics.arrays import Floats
from semiology.metrics.statistics.intervals import Estimate, effective_patients, few_patients
from semiology.metrics.statistics.jackknife import jackknife_estimate

if TYPE_CHECKING:
    import pandas as pd

QUESTION = ("video_id", "feature")
Scores = Callable[["pd.DataFrame"], Mapping[tuple[str, str], float]]
"""From answers (rows of `semiology.metrics.s3.recording_answers`) to values by part (a feature, or "" for all) and
measure."""


@dataclass(frozen=True)
class PairedMeasure:
    """One measure of two conditions; ``difference`` is second minus first."""

    part: str
    measure: str
    first: float
    second: float
    difference: Estimate


@dataclass(frozen=True)
class PairedAnswers:
    """Answers of two conditions to the same questions, and how many only one of them answered."""

    first: pd.DataFrame
    second: pd.DataFrame
    only_first: int
    only_second: int


def paired_answers(first: pd.DataFrame, second: pd.DataFrame) -> PairedAnswers:
    """Return the answers to the questions (recording and feature) that both conditions answered, in one order.

    Raises:
        ValueError: they share none, or a condition answers a question twice.
    """
    keys = list(QUESTION)
    for frame in (first, second):
        if frame.duplicated(keys).any():
            row = frame[frame.duplicated(keys)].iloc[0]
            raise ValueError(
                f"{row['video_id']} is answered twice for {row['feature']} → give one run and one form of clip"
            )
    both = first[keys].merge(second[keys], on=keys)
    if both.empty:
        raise ValueError("the two conditions share no recording → give runs about the same recordings")
    kept = [both.merge(frame, on=keys, how="left", validate="one_to_one") for frame in (first, second)]
    return PairedAnswers(kept[0], kept[1], len(first) - len(both), len(second) - len(both))


def paired_measures(
    answers: PairedAnswers, measures: Sequence[str], first_scores: Scores, second_scores: Scores
) -> list[PairedMeasure]:
    """Return measures of both conditions and their differences.

    Args:
        measures: names; those that are not computed are left out.
        first_scores, second_scores: how either condition is scored; they differ only where judges do.
    """
    patients = answers.first["patient_id"].astype(str).to_numpy()
    every = sorted(set(patients))
    whole = first_scores(answers.first), second_scores(answers.second)
    without = [
        (
            first_scores(answers.first[patients != patient]),
            second_scores(answers.second[patients != patient]),
        )
        for patient in every
    ]
    found = []
    for part, measure in whole[0]:
        key = (part, measure)
        if measure not in measures or key not in whole[1]:
            continue
        rows = answers.first["feature"].to_numpy() == part if part else np.ones(len(patients), dtype=bool)
        weights = np.array([float((rows & (patients == patient)).sum()) for patient in every])
        asked = np.flatnonzero(weights > 0)
        left_out: Floats = np.array(
            [without[i][1].get(key, np.nan) - without[i][0].get(key, np.nan) for i in asked], dtype=np.float64
        )
        difference = jackknife_estimate(
            whole[1][key] - whole[0][key],
            left_out,
            effective=effective_patients(weights[asked]),
            n=int(rows.sum()),
            n_patients=len(asked),
            caution=few_patients(len(asked)),
            undefined="the measure is not defined for both conditions",
        )
        found.append(PairedMeasure(part, measure, whole[0][key], whole[1][key], difference))
    return found
