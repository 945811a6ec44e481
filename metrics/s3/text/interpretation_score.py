"""Is the feature explained as the expert sees it: the Semiology Interpretation Score (S3 task 2).

A justification is read into answers to the feature's list of questions, the core manifestation first, by any
judge (`semiology.metrics.s3.text.justification_rules` does it by rules). The score compares them with the
answers read from the expert's justification.

Most features are absent from most recordings, and "absent, and said to be absent" scores 1: on the published
recordings always answering "no" scores 0.79 on average over the 18 visual features, above every model.
`interpretation_estimates` therefore gives the mean over the recordings that show the feature as well, where that
answer scores 0.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from semiology.metrics.arrays import Floats
from semiology.metrics.statistics.bootstrap import mean_estimate
from semiology.metrics.statistics.intervals import RESAMPLES, Estimate

if TYPE_CHECKING:
    import pandas as pd

CORE_WEIGHT = 0.7
DETAIL_WEIGHT = 0.3


def interpretation_score(
    answer: str, truth: str, extracted: Sequence[str | None], reference: Sequence[str | None]
) -> float:
    """Return the score of one justification, 0 to 1.

    0 if the answer (yes, no, na) differs from the truth or the core question is answered differently; else
    0.7 and 0.3 shared equally by the other questions answered as in the reference, or 1 if there is no
    other question. Answers are compared as they are; None (not stated) equals None.

    Args:
        answer, truth: whether the feature is said, and known, to be present.
        extracted: answers to the questions as read from the model's justification, core first.
        reference: the same from the expert's justification.

    An empty list of questions scores 1 if the answer is right.

    Source: arXiv 2605.21852, appendix C; that a sole question weighs 1 is seen in its published scores.

    Raises:
        ValueError: the two lists of answers differ in length.

    >>> interpretation_score("yes", "yes", ["yes", "left", None], ["yes", "left", "sustained"])
    0.85
    """
    if len(extracted) != len(reference):
        raise ValueError(
            f"{len(extracted)} extracted and {len(reference)} reference answers → answer each in both"
        )
    if answer != truth:
        return 0.0
    if not reference:
        return 1.0
    if extracted[0] != reference[0]:
        return 0.0
    details = len(reference) - 1
    if not details:
        return 1.0
    agreeing = sum(a == b for a, b in zip(extracted[1:], reference[1:], strict=True))
    return CORE_WEIGHT + DETAIL_WEIGHT * agreeing / details


def possible_scores(questions: int) -> tuple[float, ...]:
    """Return the values that the score can take for a number of questions, ascending."""
    if questions < 2:
        return (0.0, 1.0)
    details = questions - 1
    return (0.0, *(CORE_WEIGHT + DETAIL_WEIGHT * n / details for n in range(details + 1)))


def published_interpretation_mean(scores: Mapping[str, float]) -> float:
    """Return the mean of the per-recording scores (by recording) as published; NaN without any.

    Source: arXiv 2605.21852, Tables 14 and 20.
    """
    return float(np.mean(list(scores.values()))) if scores else float("nan")


def interpretation_estimates(
    replied: pd.DataFrame, scores: Floats, name: str, *, resamples: int = RESAMPLES, seed: int = 0
) -> dict[str, Estimate]:
    """Return the mean score over all answers, over those where the feature is present, and those it was seen in.

    ``replied`` has columns patient_id, truth, answer; ``scores`` go from 0 to 1. Where the feature is present a
    miss scores 0; where it was seen the justification alone counts. The names are ``<name>``,
    ``<name>_where_present`` and ``<name>_where_seen``.
    """
    present = (replied["truth"] == "yes").to_numpy(dtype=bool)
    seen = present & (replied["answer"] == "yes").to_numpy(dtype=bool)
    kept = {name: present | True, f"{name}_where_present": present, f"{name}_where_seen": seen}
    patients = replied["patient_id"].tolist()
    return {
        part: mean_estimate(np.where(rows, scores, np.nan), patients, resamples=resamples, seed=seed)
        for part, rows in kept.items()
    }
