"""What the page says of a feature follows the test and the intervals, and its rates are of the counts beside them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from report_examples import rows_of, write_run

from semiology.metrics.scores.run_scores import FeatureScores
from semiology.metrics.statistics.intervals import Estimate
from semiology.reports.page.verdicts import asked_wording, patients_missing, verdict
from semiology.reports.read.feature_answers import read_results
from semiology.reports.summary.features import summarise
from semiology.reports.summary.run_labels import shown_runs


@pytest.fixture(scope="module")
def scores(tmp_path_factory: pytest.TempPathFactory) -> FeatureScores:
    """Scores of a feature that is answered well."""
    root = write_run(tmp_path_factory.mktemp("runs"), rows_of("tonic", skill=0.97, seed=0), "lab/first")
    return summarise(read_results([root])).runs[0].scores.features[0]


def rate(low: float | None) -> Estimate:
    return Estimate(0.9, low, None if low is None else 0.99, "", 48, 24)


@pytest.mark.parametrize(
    ("sensitivity", "ppv", "kind", "said"),
    [
        (0.85, 0.85, "good", "most of what is there is found"),
        (0.5, 0.85, "good", "A yes can be relied on"),
        (0.85, 0.5, "good", "a yes needs checking"),
        (0.5, 0.5, "part", "neither"),
        (None, None, "part", "neither"),
    ],
)
def test_what_is_above_always_yes_is_told_by_lower_limits(
    scores: FeatureScores, sensitivity: float | None, ppv: float | None, kind: str, said: str
) -> None:
    told = {**scores.estimates, "recall": rate(sensitivity), "precision": rate(ppv)}
    made = replace(scores, estimates=told, against_always_yes={**scores.against_always_yes, "f1": "higher"})
    assert verdict(made)[0] == kind
    assert said in verdict(made)[1]


@pytest.mark.parametrize(
    ("test", "change", "kind", "said"),
    [
        ("lower", {}, "bad", "Worse"),
        ("same answers", {}, "flat", "yes throughout"),
        ("equivalent", {}, "flat", "no better"),
        ("not shown", {"n_positive_patients": 7}, "open", "3 more patients"),
        ("too few", {"n_positive_patients": 9}, "open", "1 more patient "),
        ("undefined", {}, "open", "No recording shows"),
    ],
)
def test_nothing_is_claimed_without_the_test(
    scores: FeatureScores, test: Any, change: dict[str, Any], kind: str, said: str
) -> None:
    made = replace(scores, against_always_yes={**scores.against_always_yes, "f1": test}, **change)
    found, sentence = verdict(made)
    assert found == kind
    assert said in sentence


def test_patients_that_are_missing() -> None:
    # SE 0.3 / 3.92 = 0.0765; 30 (2.8 * 0.0765 / 0.1)^2 = 137.8, 107.8 more, two digits upwards: 110.
    assert patients_missing(Estimate(0.1, -0.05, 0.25, "", 90, 30)) == 110
    assert patients_missing(Estimate(-0.1, -0.25, 0.05, "", 90, 30)) is None
    assert patients_missing(Estimate(0.1, None, None, "", 90, 30)) is None


def test_a_wording_without_a_text_is_named(tmp_path: Path) -> None:
    root = write_run(tmp_path / "runs", rows_of("tonic", skill=0.9, seed=0), "lab/first")
    results = read_results([root])
    run = shown_runs(summarise(results).runs, results.records)[0]
    assert asked_wording(run, "tonic", (), []) == {
        "name": "s3",
        "text": None,
        "sure": "the only wording asked",
    }
