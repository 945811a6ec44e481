"""Two wordings of one feature on the same recordings, by the suite's own paired comparison."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd

from semiology.metrics.paired.comparison import compare_pairs
from semiology.metrics.scores.aggregation import THREE_CLASSES
from semiology.metrics.scores.classification import table_scores
from semiology.metrics.scores.counts import patient_tables
from semiology.metrics.statistics.intervals import (
    BOOTSTRAP,
    MIN_POSITIVE_PATIENTS,
    RESAMPLES,
    Estimate,
    bootstrap_estimate,
    not_estimable,
    patient_weights,
)
from semiology.optimization.search.examples import Example
from semiology.optimization.search.objective import Answers
from semiology.render.noun_counts import counted

SCORES = ("f1", "balanced_accuracy")


@dataclass(frozen=True)
class WordingComparison:
    """Two wordings on the same recordings.

    Attributes:
        before, after: scores of the two wordings by name, with patient-bootstrap intervals.
        difference: after minus before by name, with the interval of the same resamples.
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
        examples: the recordings.
        before, after: recording answers by video id.
        seed: of resamples and flips.

    Raises:
        ValueError: there is no recording to compare.
    """
    rows = [
        {
            "video_id": each.video_id,
            "patient_id": each.patient_id,
            "feature": each.feature,
            "truth": each.truth,
            "first": before[each.video_id],
            "second": after[each.video_id],
        }
        for each in examples
    ]
    if not rows:
        raise ValueError(
            "there is no recording to compare wordings on → add recordings or choose other folds"
        )
    pairs = pd.DataFrame(rows)
    found = compare_pairs(pairs, [examples[0].feature], seed=seed).features[0]
    return WordingComparison(
        before=_estimates(pairs, "first", found.n_positive_patients, seed),
        after=_estimates(pairs, "second", found.n_positive_patients, seed),
        difference={name: found.scores[name].difference for name in SCORES},
        p_value={name: found.scores[name].p_value for name in SCORES},
        always_yes_f1=found.always_yes_f1,
        n=found.n,
        patients=found.n_patients,
        positives=found.n_positive,
        positive_patients=found.n_positive_patients,
    )


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


def _estimates(pairs: pd.DataFrame, answers: str, positive_patients: int, seed: int) -> dict[str, Estimate]:
    feature = str(pairs["feature"].iloc[0])
    tables = patient_tables(pairs.rename(columns={answers: "answer"}), [feature])
    counts = tables.counts[:, 0]
    three = feature in THREE_CLASSES
    weights = patient_weights(len(counts), RESAMPLES, np.random.default_rng(seed))
    drawn = table_scores(np.einsum("bp,pij->bij", weights, counts), "wrong", three_classes=three)
    point = table_scores(counts.sum(0), "wrong", three_classes=three)
    n = int(counts[:, :2].sum())
    few = f"positives come from {counted(positive_patients, 'patient')}, fewer than {MIN_POSITIVE_PATIENTS}"
    return {
        name: not_estimable(float(point[name]), BOOTSTRAP, n, len(counts), few)
        if positive_patients < MIN_POSITIVE_PATIENTS
        else bootstrap_estimate(float(point[name]), drawn[name], n=n, n_patients=len(counts))
        for name in SCORES
    }
