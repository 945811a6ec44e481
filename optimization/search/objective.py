"""What a search maximises: a score of recording answers, stated by name.

Invalid answers count as wrong whatever the truth: unparsed on a recording with the feature is a miss, without it
a false alarm. So "I cannot tell" never pays.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from semiology.metrics.scores.aggregation import THREE_CLASSES
from semiology.metrics.scores.classification import table_scores
from semiology.metrics.scores.counts import confusion_table
from semiology.optimization.search.examples import Example

OBJECTIVES = ("f1", "balanced_accuracy", "worst_fold")
"""``worst_fold``: the lowest F1 of `GROUPS` groups of patients, so that a gain must hold in all of them."""

GROUPS = 3

RIGHT, WRONG, INVALID = 1.0, 0.25, 0.0
"""Score of one recording, by which GEPA keeps its Pareto front; invalid is worse than wrong."""

Answers = Mapping[str, str]
"""Recording answer by video id."""

Objective = Callable[[Sequence[Example], Answers], float]


def example_score(truth: str, answer: str, *, three_classes: bool = False) -> float:
    """Return the score of one recording's answer; NA is an answer to questions with three classes only."""
    if answer == truth:
        return RIGHT
    return WRONG if answer in ("yes", "no") or (answer == "na" and three_classes) else INVALID


def score_of(example: Example, answer: str) -> float:
    """Return the score of an answer about one example."""
    return example_score(example.truth, answer, three_classes=example.feature in THREE_CLASSES)


def scores_of(examples: Sequence[Example], answers: Answers) -> dict[str, float]:
    """Return F1, balanced accuracy and other scores of the answers; NaN where undefined."""
    truths = [each.truth for each in examples]
    table = confusion_table(truths, [answers[each.video_id] for each in examples]).astype(np.float64)
    three = bool(examples) and examples[0].feature in THREE_CLASSES
    found = table_scores(table, "wrong", three_classes=three)
    return {name: float(value) for name, value in found.items()}


def objective(name: str) -> Objective:
    """Return an objective of `OBJECTIVES`.

    Raises:
        ValueError: an unknown name.
    """
    if name not in OBJECTIVES:
        raise ValueError(f"unknown objective {name!r}; use one of {', '.join(OBJECTIVES)}")
    return _worst_fold if name == "worst_fold" else lambda asked, answers: scores_of(asked, answers)[name]


def rank(value: Objective, examples: Sequence[Example], answers: Answers) -> tuple[float, float]:
    """Return what two wordings are compared by: the objective, then the mean score of a recording.

    Where the objective is undefined (F1 of recordings that nobody called positive and that none is) the mean
    score stands in.
    """
    mean = float(np.mean([score_of(each, answers[each.video_id]) for each in examples]))
    found = value(examples, answers)
    return (mean if math.isnan(found) else found), mean


def patient_groups(examples: Sequence[Example], groups: int = GROUPS) -> list[list[Example]]:
    """Return the examples in groups of whole patients, those with the feature dealt out first."""
    by_patient: dict[str, list[Example]] = {}
    for each in examples:
        by_patient.setdefault(each.patient_id, []).append(each)
    order = sorted(
        by_patient, key=lambda name: (-sum(each.truth == "yes" for each in by_patient[name]), name)
    )
    dealt: list[list[Example]] = [[] for _ in range(groups)]
    for place, patient in enumerate(order):
        dealt[place % groups] += by_patient[patient]
    return [group for group in dealt if group]


def _worst_fold(examples: Sequence[Example], answers: Answers) -> float:
    values = [scores_of(group, answers)["f1"] for group in patient_groups(examples)]
    defined = [value for value in values if not math.isnan(value)]
    return min(defined) if defined else math.nan
