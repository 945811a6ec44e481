"""Tables of subgroups: scores in each, and whether they differ; S3 tasks in each."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from semiology.metrics.scores.subgroups import MACRO, Interaction, Subgroup
from semiology.metrics.statistics.intervals import MIN_POSITIVE_PATIENTS
from semiology.render.table import Cell, Column, Document, Noted, Number, Row, Table
from semiology.render.text import counted
from semiology.reports.summary.s3 import baseline_of, shown_measures
from semiology.reports.summary.s3_subgroups import S3Subgroup
from semiology.reports.summary.subgroups import Grouping, RunSubgroups
from semiology.reports.tables.estimates import number_of

EXPLORATORY = (
    "Exploratory: subgroups are many and were not fixed before looking. A difference here is a question for a study "
    "that names it beforehand, not a finding."
)
_COMPARED = (
    "Intervals are clustered by patient. Balanced accuracy is compared, since F1 moves with how common a feature is in "
    "a subgroup; always yes has 0.5 in each."
)
_TESTED = (
    "p: patient sign-flip test of no difference; adjusted by max-T over all features and subgroups of a run and "
    f"column. Tested where a feature has {MIN_POSITIVE_PATIENTS} patients with and without it in both."
)
_NOT_TESTED = (
    "Intervals are clustered by patient. floor: the best that an answer without looking earns on the same recordings. "
    "Nothing is tested: intervals that overlap do not show that subgroups are alike."
)
_SHOWN = ("balanced_accuracy", "recall", "specificity", "f1")
SCORES = (
    Column("run", left=True),
    Column("by"),
    Column("subgroup", left=True),
    Column("feature", left=True),
    Column("bal. acc. [95 %]"),
    Column("recall", rank=1),
    Column("specificity", rank=1),
    Column("F1", rank=2),
    Column("prevalence", rank=2),
    Column("recordings", rank=3),
    Column("patients"),
)
S3_MEASURES: Mapping[str, tuple[str, ...]] = {
    "justification": ("interpretation_where_present",),
    "side": ("balanced_accuracy",),
    "region": ("macro_f1",),
    "time": ("charged_mae", "hit_5s"),
    "sequence": ("lcs_f1", "relation_f1"),
    "report": ("rqi", "stated_findings"),
    "diagnosis": ("recall", "balanced_accuracy"),
}
"""What is shown of each kind of answer: of the sound measures those that docs/suites/s3_metrics.md recommends, and RQI.
Within ES or NES balanced accuracy of the diagnosis is not defined; the recall of ES tells who was found."""
S3_SCORES = (
    Column("run", left=True),
    Column("by"),
    Column("subgroup", left=True),
    Column("task", left=True),
    Column("measure", left=True),
    Column("value [95 %]"),
    Column("floor", layout="{} ({})", rank=1),
    Column("recordings", rank=2),
    Column("patients"),
)
DIFFERENCES = (
    Column("run", left=True),
    Column("by"),
    Column("feature", left=True),
    Column("bal. acc. of", left=True),
    Column("less that of", left=True),
    Column("first", rank=2),
    Column("second", rank=2),
    Column("difference [95 %]", "+.2f"),
    Column("p", "p", rank=1),
    Column("p, adjusted", "p"),
)


def subgroup_document(runs: Sequence[RunSubgroups], groupings: Sequence[Grouping]) -> Document:
    """Return both tables; what cannot be grouped or scored is a sentence each."""
    notes = [each.refused for each in groupings if each.refused]
    for each in runs:
        small = [one for one in each.scores.subgroups if one.reason]
        notes += [f"{each.run.label}, by {each.column}, {one.name}: {one.reason}" for one in small]
        if each.scores.n_without:
            told = counted(each.scores.n_without, "recording")
            notes.append(f"{each.run.label}, by {each.column}: {told} without a value left out")
        if not each.scores.interactions:
            notes.append(
                f"{each.run.label}, by {each.column}: fewer than two subgroups are large enough to compare"
            )
    scores = [row for each in runs for one in each.scores.subgroups for row in _score_rows(each, one)]
    differences = [_difference_row(each, one) for each in runs for one in each.scores.interactions]
    tables = (
        Table("Scores by subgroup (exploratory)", SCORES, tuple(scores), stem="subgroups"),
        Table(
            "Differences between subgroups (exploratory)", DIFFERENCES, tuple(differences),
            stem="subgroup_differences",
        ),
    )  # fmt: skip
    return Document(
        "Subgroups",
        tuple(table for table in tables if table.rows),
        (EXPLORATORY,),
        (
            _COMPARED,
            _TESTED,
        ),
        tuple(dict.fromkeys(notes)),
    )


def s3_subgroup_document(found: Sequence[S3Subgroup], groupings: Sequence[Grouping]) -> Document:
    """Return the table of S3 tasks by subgroup; what cannot be grouped or scored is a sentence each."""
    notes = [each.refused for each in groupings if each.refused]
    notes += [f"S3 tasks by {each.column}, {each.name}: {each.reason}" for each in found if each.reason]
    rows = [
        Row(
            (
                f"{run.model} · {run.prompt}",
                group.column,
                group.name,
                run.task,
                f"{measure.title}{f' ({part.clip_form})' if part.clip_form == 'random' else ''}",
                number_of(estimate),
                "" if (floor := baseline_of(measure, part))[0] is None else floor,
                run.n_recordings,
                run.n_patients,
            )
        )
        for group in found
        for run in group.runs
        for part in run.parts
        if not part.part
        for measure, estimate in shown_measures(run, part)
        if measure.name in S3_MEASURES[run.kind]
    ]
    rows.sort(key=lambda row: tuple(map(str, (row.cells[0], row.cells[1], row.cells[3], row.cells[4]))))
    table = Table("S3 tasks by subgroup (exploratory)", S3_SCORES, tuple(rows), stem="s3_subgroups")
    return Document(
        "Subgroups of S3 tasks",
        (table,) if rows else (),
        (EXPLORATORY,),
        (_NOT_TESTED,),
        tuple(dict.fromkeys(notes)),
    )


def _score_rows(run: RunSubgroups, group: Subgroup) -> list[Row]:
    if group.scores is None:
        return []
    head = (run.run.label, run.column, group.name)
    rows = [
        Row(
            (
                *head,
                each.feature,
                *(number_of(each.estimates[name]) for name in _SHOWN),
                each.prevalence,
                each.n,
                each.n_patients,
            )
        )
        for each in group.scores.features
    ]
    for macro in group.scores.macros:
        left = f"without {', '.join(macro.left_out)}: no recording shows it" if macro.left_out else None
        name = f"mean of {counted(len(macro.features), 'feature')}"
        cells: tuple[Cell, ...] = (
            *head,
            Noted(name, left),
            *(number_of(macro.estimates[name]) for name in _SHOWN),
            macro.estimates["prevalence"].value,
            group.n_recordings,
            group.n_patients,
        )
        rows.append(Row(cells, style="bold", ends=True))
    return rows


def _difference_row(run: RunSubgroups, each: Interaction) -> Row:
    cells: tuple[Cell, ...] = (
        run.run.label,
        run.column,
        each.feature,
        each.first,
        each.second,
        *each.values,
        Number(each.difference.value, note=f"not tested: {each.reason}")
        if each.reason and not math.isnan(each.difference.value)
        else number_of(each.difference),
        each.p_plain,
        each.p_adjusted,
    )
    macro = each.feature == MACRO
    return Row(cells, style="bold" if macro else "", ends=macro)
