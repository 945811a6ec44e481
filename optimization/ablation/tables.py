"""Tables of ablations in the layouts of the S3 study (Tables 25, 27, 29 and 30), with intervals by patient."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from semiology.metrics.paired.s3_difference import PairedMeasure
from semiology.metrics.paired.verdict import verdict
from semiology.render.table import Cell, Column, Document, Row, Table
from semiology.render.text import counted
from semiology.reports.compare.comparison import Comparison
from semiology.reports.tables.estimates import number_of

MEASURE_NAMES = {
    "mae": "MAE, s",
    "charged_mae": "MAE, s, unread answers charged",
    "f1": "F1",
    "accuracy": "accuracy",
    "balanced_accuracy": "balanced accuracy",
    "interpretation": "interpretation score (task 2)",
    "rqi": "Seizure-RQI (task 6)",
}


@dataclass(frozen=True)
class FeatureDifferences:
    """Conditions by their labels, and the comparison of each but the first with the first."""

    labels: list[str]
    made: list[Comparison]


@dataclass(frozen=True)
class MeasureDifferences:
    """Two conditions on an S3 task.

    Attributes:
        labels: of both. found: measures. n, n_patients: questions that both answered, and their patients.
        unpaired: questions that only the first, or only the second, answered.
        caveats, notes: what a reader must know.
    """

    labels: list[str]
    found: list[PairedMeasure]
    n: int
    n_patients: int
    unpaired: tuple[int, int]
    caveats: tuple[str, ...]
    notes: tuple[str, ...]


def feature_document(title: str, differences: FeatureDifferences) -> Document:
    """Return the table of features (as S3's Table 29): F1 of each condition, gains beside the base."""
    base, *others = differences.labels
    columns = [Column("feature"), Column(f"{base} F1"), Column("always-yes", rank=2)]
    for label in others:
        columns += [
            Column(f"{label} F1"),
            Column("minus base [95 %]", "+.2f", group=label),
            Column("test", group=label, left=True),
        ]
    made = differences.made
    features = made[0].result.features
    by_name = [{each.feature: each for each in comparison.result.features} for comparison in made]
    rows = []
    for number, each in enumerate(features):
        cells: list[Cell] = [each.feature, each.scores["f1"].first, each.always_yes_f1]
        for comparison, known in zip(made, by_name, strict=True):
            if each.feature not in known:
                cells += [None, None, "not asked"]
                continue
            score = known[each.feature].scores["f1"]
            told = verdict(score, comparison.result.alpha)
            shown = told if math.isnan(score.p_max_t) else f"{told} (p = {score.p_max_t:.3g})"
            cells += [score.second, number_of(score.difference), shown]
        rows.append(Row(tuple(cells), ends=number == len(features) - 1))
    if all("f1" in comparison.result.macro for comparison in made):
        macro = made[0].result
        means: list[Cell] = [f"mean of {counted(len(macro.macro_features['f1']), 'feature')}"]
        means += [macro.macro["f1"].first, None]
        for comparison in made:
            score = comparison.result.macro["f1"]
            means += [score.second, number_of(score.difference), f"p = {score.p_max_t:.3g}"]
        rows.append(Row(tuple(means), style="bold"))
    caveats = dict.fromkeys(text for each in made for text in each.caveats)
    notes = dict.fromkeys(text for each in made for text in each.notes)
    unpaired = sum(len(each.unpaired) for each in made)
    left_out = (
        [f"{counted(unpaired, 'recording')} answered in one condition only: left out"] if unpaired else []
    )
    result = made[0].result
    return Document(
        title,
        (Table("F1 by feature", tuple(columns), tuple(rows), stem="ablation"),),
        tuple(caveats),
        (
            f"Differences are condition minus {base}, on the recordings that both answered.",
            f"Intervals are of the patient jackknife ({counted(result.n_patients, 'patient')}).",
            "test: patient sign-flip test, adjusted for the features of one comparison, not for several levels.",
        ),
        (*notes, *left_out),
    )


def measure_document(title: str, differences: Sequence[MeasureDifferences]) -> Document:
    """Return the tables of S3 tasks (as S3's Tables 25 and 30): both conditions and their difference."""
    tables = tuple(
        _measures(each, f"ablation_{i}" if i else "ablation") for i, each in enumerate(differences)
    )
    caveats = dict.fromkeys(text for each in differences for text in each.caveats)
    notes = dict.fromkeys(text for each in differences for text in each.notes)
    return Document(
        title,
        tables,
        tuple(caveats),
        (
            "Differences are second minus first, on the questions that both answered.",
            "Intervals are of the patient jackknife.",
        ),
        tuple(notes),
    )


def _measures(found: MeasureDifferences, stem: str) -> Table:
    first, second = found.labels
    columns = (
        Column("feature"),
        Column("measure", left=True),
        Column(first),
        Column(second),
        Column("difference [95 %]", "+.2f"),
    )
    rows = tuple(
        Row(
            (
                each.part or "all",
                MEASURE_NAMES.get(each.measure, each.measure),
                each.first,
                each.second,
                number_of(each.difference),
            )
        )
        for each in sorted(found.found, key=lambda each: (each.part == "", each.part))
    )
    only = [
        f"{counted(number, 'question')} answered by {label} only: left out"
        for number, label in zip(found.unpaired, found.labels, strict=True)
        if number
    ]
    told = f"{counted(found.n, 'question')} of {counted(found.n_patients, 'patient')}"
    return Table(f"{first} and {second}", columns, rows, above=(told,), below=tuple(only), stem=stem)
