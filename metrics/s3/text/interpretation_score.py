"""Is the feature explained as the expert sees it: the Semiology Interpretation Score (S3 task 2).

A justification is read into answers to the feature's list of questions, the core manifestation first, by any
judge (`semiology.metrics.s3.text.justification_rules` does it by rules). The score compares them with the
answers read from the expert's justification.

Most features are absent from most recordings, and "absent, and said to be absent" scores 1: on the published
recordings always answering "no" scores 0.79 on average over the 18 visual features, above every model. And where
the expert's text does not say what is asked, saying nothing agrees with it: a bare "yes" earns from 0 to 1 by feature.
The means over the recordings that show the feature therefore rest on `explained_score`, where neither earns anything.
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


def explained_score(
    answer: str, truth: str, extracted: Sequence[str | None], reference: Sequence[str | None]
) -> float:
    """Return the share of what the expert states that a justification states too, 0 to 1.

    As `interpretation_score`, over the questions that the reference answers and with their weights only: what the
    expert does not say cannot be said rightly, and an answer without a reason scores 0. NaN if the reference answers
    none, as where a feature has no question.

    Source: ours.

    >>> explained_score("yes", "yes", [None, "left", None], [None, "left", "sustained"])
    0.5
    >>> explained_score("yes", "yes", [None, None], ["yes", None]), explained_score("yes", "yes", [None], [None])
    (0.0, nan)
    """
    details = len(reference) - 1
    weights = [CORE_WEIGHT, *[DETAIL_WEIGHT / max(details, 1)] * details]
    stated = [i for i, known in enumerate(reference) if known is not None]
    if not stated:
        return float("nan")
    right = [i for i in stated if extracted[i] == reference[i]]
    if answer != truth or (0 in stated and 0 not in right):
        return 0.0
    return sum(weights[i] for i in right) / sum(weights[i] for i in stated)


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


def interpretation_parts(
    replied: pd.DataFrame, scores: Floats, name: str, explained: Floats | None = None
) -> dict[str, Floats]:
    """Return scores by the name of the mean that they make; NaN where an answer is not part of it.

    Args:
        replied: columns truth, answer. scores: from 0 to 1; their mean is called ``name``.
        explained: those of `explained_score` (None: ``scores``, where no text is at hand). Where the feature is present
            (``<name>_where_present``) a miss scores 0; where it was seen (``<name>_where_seen``) the text alone counts.
    """
    told = scores if explained is None else explained
    present = (replied["truth"] == "yes").to_numpy(dtype=bool)
    seen = present & (replied["answer"] == "yes").to_numpy(dtype=bool)
    return {
        name: np.asarray(scores, dtype=np.float64),
        f"{name}_where_present": np.where(present, told, np.nan),
        f"{name}_where_seen": np.where(seen, told, np.nan),
    }


def interpretation_estimates(
    replied: pd.DataFrame,
    scores: Floats,
    name: str,
    *,
    explained: Floats | None = None,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> dict[str, Estimate]:
    """Return the means of `interpretation_parts`; ``replied`` also has the column patient_id."""
    patients = replied["patient_id"].tolist()
    return {
        part: mean_estimate(values, patients, resamples=resamples, seed=seed)
        for part, values in interpretation_parts(replied, scores, name, explained).items()
    }
