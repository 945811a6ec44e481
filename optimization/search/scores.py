"""The score that a search maximizes, and two wordings compared on the same recordings.

Invalid answers count as wrong whatever the truth: unparsed on a recording with the feature is a miss, without it
a false alarm. So "I cannot tell" never pays.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd

from semiology.metrics.paired.comparison import compare_pairs
from semiology.metrics.scores.aggregation import THREE_CLASSES
from semiology.metrics.scores.classification import table_scores
from semiology.metrics.scores.counts import confusion_table
from semiology.metrics.scores.run_scores import score_run
from semiology.metrics.statistics.intervals import Estimate
from semiology.optimization.search.examples import Example
from semiology.optimization.search.options import OBJECTIVES

GROUPS = 3
"""Groups of patients of the objective ``worst_fold``."""

RIGHT, WRONG, INVALID = 1.0, 0.25, 0.0
"""Score of one recording, by which GEPA keeps its Pareto front; invalid is worse than wrong."""

COMPARED = ("f1", "balanced_accuracy")

Answers = Mapping[str, str]
"""Recording answer by video id."""

Objective = Callable[[Sequence[Example], Answers], float]


def score_of(example: Example, answer: str) -> float:
    """Return the score of one recording's answer; NA is an answer to questions with three classes only."""
    if answer == example.truth:
        return RIGHT
    valid = ("yes", "no", "na") if example.feature in THREE_CLASSES else ("yes", "no")
    return WRONG if answer in valid else INVALID


def scores_of(examples: Sequence[Example], answers: Answers) -> dict[str, float]:
    """Return F1, balanced accuracy and other scores of the answers; NaN where undefined."""
    truths = [each.truth for each in examples]
    table = confusion_table(truths, [answers[each.video_id] for each in examples]).astype(np.float64)
    three = bool(examples) and examples[0].feature in THREE_CLASSES
    return {name: float(value) for name, value in table_scores(table, "wrong", three_classes=three).items()}


def objective(name: str) -> Objective:
    """Return an objective of `OBJECTIVES`.

    Raises:
        ValueError: an unknown name.
    """
    if name not in OBJECTIVES:
        raise ValueError(f"unknown objective {name!r}; use one of {', '.join(OBJECTIVES)}")
    return _worst_fold if name == "worst_fold" else lambda asked, answers: scores_of(asked, answers)[name]


def _worst_fold(examples: Sequence[Example], answers: Answers) -> float:
    """Return the lowest F1 of groups of whole patients; patients with the feature are dealt out first."""
    by_patient: dict[str, list[Example]] = {}
    for each in examples:
        by_patient.setdefault(each.patient_id, []).append(each)
    order = sorted(
        by_patient, key=lambda name: (-sum(each.truth == "yes" for each in by_patient[name]), name)
    )
    dealt = [[each for name in order[place::GROUPS] for each in by_patient[name]] for place in range(GROUPS)]
    values = [scores_of(group, answers)["f1"] for group in dealt if group]
    return min((value for value in values if not math.isnan(value)), default=math.nan)


def rank(value: Objective, examples: Sequence[Example], answers: Answers) -> tuple[float, float]:
    """Return what two wordings are compared by: the objective, then the mean score of a recording.

    Where the objective is undefined (F1 without any positive answer or truth) the mean score stands in.
    """
    mean = float(np.mean([score_of(each, answers[each.video_id]) for each in examples]))
    found = value(examples, answers)
    return (mean if math.isnan(found) else found), mean


@dataclass(frozen=True)
class WordingComparison:
    """Two wordings on the same recordings.

    Attributes:
        before, after: scores of the two wordings by name, with intervals by patient.
        difference: after minus before by name, with the interval of leaving out each patient.
        p_value: of the two-sided patient sign-flip test, by name.
        always_yes_f1: F1 of always answering yes to these recordings.
        n, patients, positives, positive_patients: recordings, patients, and those with the feature.
    """

    before: dict[str, Estimate]
    after: dict[str, Estimate]
    difference: dict[str, Estimate]
    p_value: dict[str, float]
    always_yes_f1: float
    n: int
    patients: int
    positives: int
    positive_patients: int


def compare_wordings(
    examples: Sequence[Example], before: Answers, after: Answers, *, seed: int = 0
) -> WordingComparison:
    """Compare two wordings' answers about the same recordings of one feature.

    Args:
        before, after: recording answers by video id.

    Raises:
        ValueError: there is no recording to compare.
    """
    if not examples:
        raise ValueError(
            "there is no recording to compare wordings on → add recordings or choose other folds"
        )
    columns = ("video_id", "patient_id", "feature", "truth")
    pairs = pd.DataFrame([{name: getattr(each, name) for name in columns} for each in examples])
    pairs["first"], pairs["second"] = pairs["video_id"].map(before), pairs["video_id"].map(after)
    found = compare_pairs(pairs, [examples[0].feature], seed=seed).features[0]
    return WordingComparison(
        before=_estimates(pairs, "first"),
        after=_estimates(pairs, "second"),
        difference={name: found.scores[name].difference for name in COMPARED},
        p_value={name: found.scores[name].p_value for name in COMPARED},
        always_yes_f1=found.always_yes_f1,
        n=found.n,
        patients=found.n_patients,
        positives=found.n_positive,
        positive_patients=found.n_positive_patients,
    )


def _estimates(pairs: pd.DataFrame, answers: str) -> dict[str, Estimate]:
    found = score_run(pairs.rename(columns={answers: "answer"})).features[0].estimates
    return {name: found[name] for name in COMPARED}


def plain(value: Any) -> Any:
    """Return a comparison as plain data for JSON; what is not a number becomes None."""
    if isinstance(value, WordingComparison):
        value = asdict(value)
    if isinstance(value, dict):
        return {name: plain(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [plain(each) for each in value]
    return None if isinstance(value, float) and math.isnan(value) else value


def with_interval(estimate: Estimate) -> str:
    """Return a score with its interval, or why it has none, for people."""
    if math.isnan(estimate.value):
        return "undefined"
    if estimate.low is None or estimate.high is None:
        return f"{estimate.value:.2f} (no interval: {estimate.reason})"
    return f"{estimate.value:.2f} [{estimate.low:.2f}, {estimate.high:.2f}]"
