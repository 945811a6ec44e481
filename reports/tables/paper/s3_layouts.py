"""The layouts of the S3 tables of tasks 2 to 7, filled with the scores of a report.

S3: Tables 1, 2, 14 to 18 and 20 to 24 of arXiv 2605.21852. A last row, which the paper has not, tells what
trivial baselines score on the same recordings.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence

from semiology.features import FEATURES, label_of
from semiology.metrics.s3.part_scores import PartScores
from semiology.render.table import Better, Column, Row, Table
from semiology.reports.summary.s3 import S3Run, S3Summary, baseline_of
from semiology.reports.summary.s3_measures import MEASURES, TWO_STAGE_TASK, Measure
from semiology.reports.tables.paper.feature_layouts import (
    PARTIAL,
    PER_BLOCK,
    SCORES,
    TEST,
    RunNames,
    Scope,
)

PUBLISHED_CLASSES = {key: f"published_{name}" for key, name in SCORES.items()}
SIDES = {
    "Head turning": "s3_head_turning_side",
    "Arm movement": "s3_arm_movement_side",
    "Onset body part": "s3_onset_region",
}
JUSTIFICATION = {"R": "rouge_l", "B": "bleu", "BS": "bertscore", "S": "interpretation"}
SEQUENCE = {"EditDist": "edit_distance", "TempF1": "position_share", "LCS": "lcs_ratio"}
REPORT = {
    "BLEU": "bleu",
    "ROUGE-1": "rouge1",
    "ROUGE-L": "rouge_l",
    "BERTScore": "bertscore",
    "RQI": "rqi",
}
PUBLISHED_RULE = "Published rules: what was not understood is left out."
BEST = (
    "Bold: the best of its column, trivial baselines included; of precision, recall, F1 and accuracy only F1."
)
WITHOUT_SKILL = "without skill"
SKILL_NOTE = (
    "Without skill: always one answer, mid-clip, the usual list of features, or another patient's report; of "
    "each task on the recordings of the model that answered most of them."
)
OTHER_NOTE = (
    "ROUGE-L and BERTScore without skill: a model's own reports held against those of other patients, the "
    "highest of the models."
)
OWN_TEXTS = ("other_rouge_l", "other_bertscore")
"""Baselines made of a model's own texts: every model has another."""
UNMARKED = ("published_precision", "published_recall", "published_accuracy")
"""Measures in which no cell is bold: any of them can be raised by saying little or much."""

Place = tuple[str, str, str, str, str]
"""Of a column: group and name in its heading; task, feature (or empty) and measure behind it."""


def s3_tables(summary: S3Summary, scope: Scope, name_of: RunNames) -> list[Table]:
    """Return the layouts of the S3 tables of tasks 2 to 6, as far as asked, and of Tables 1 and 2."""
    runs: dict[str, list[S3Run]] = {}
    for run in summary.runs:
        runs.setdefault(run.task, []).append(run)
    sides = [
        (title, key, task, "", name)
        for title, task in SIDES.items()
        for key, name in PUBLISHED_CLASSES.items()
    ]
    sequence = [(key, "s3_sequence", name) for key, name in SEQUENCE.items()]
    middle = [("Start", "MAE", "s3_seizure_start", "", "mae"), ("End", "MAE", "s3_seizure_end", "", "mae")]
    middle += [("Order", key, task, "", name) for key, task, name in sequence]
    classes = {"Precision": "precision", "Recall": "recall", "F1": "f1", "Accuracy": "accuracy"}
    ways = {"w/o rpt": "s3_diagnosis", "w/ rpt": "s3_diagnosis_with_report", "2-stages": TWO_STAGE_TASK}
    last = [("Task 6", "RQI", "s3_report", "", "rqi")]
    last += [
        (title, way, task, "", f"published_{name}")
        for title, name in classes.items()
        for way, task in ways.items()
    ]
    ordered = [("", key, task, "", name) for key, task, name in sequence]
    reports = [("", key, "s3_report", "", name) for key, name in REPORT.items()]

    def by_feature(task: str, measures: Mapping[str, str]) -> list[Place]:
        """Return the columns of a task that has measures of each feature."""
        asked = {part.part for run in runs.get(task, ()) for part in run.parts}
        return [
            (label_of(feature), key, task, feature, name)
            for feature in FEATURES
            if feature in asked
            for key, name in measures.items()
        ]

    # The published overviews are about the test split.
    where = "" if scope is TEST else "_all_recordings"
    justifications = by_feature("s3_justification", JUSTIFICATION)
    onsets = by_feature("s3_onset_time", {"MAE, s": "mae"})
    numbers = scope.numbers
    layouts: list[tuple[int, str, str, Sequence[Place], int]] = [
        (numbers["2"], "task_2", "Justification of features", justifications, PER_BLOCK * len(JUSTIFICATION)),
        (numbers["3"], "task_3", "Side and region", sides, 0),
        (numbers["4"], "task_4", "Onset of features", onsets, PER_BLOCK),
        (numbers["5"], "task_5", "Order of features", ordered, 0),
        (numbers["6"], "task_6", "Reports", reports, 0),
        (1, f"overview{where}", "Tasks 3 to 5", [*sides, *middle], 0),
        (2, f"overview{where}", "Tasks 6 and 7", last, 0),
    ]
    tables = []
    for number, what, title, places, fold in layouts:
        caption = f"{title} on {scope.words}, in the layout of S3 Table {number}. {PUBLISHED_RULE}"
        table = _filled(f"s3_table_{number:02d}_{what}", caption, places, runs, name_of, fold)
        tables += [table] if table is not None else []
    return tables


def _filled(
    stem: str,
    title: str,
    places: Sequence[Place],
    runs: Mapping[str, Sequence[S3Run]],
    name_of: RunNames,
    fold: int,
) -> Table | None:
    """Return a table of the runs of some tasks, the last row trivial baselines; None without runs."""
    tasks = {task for _, _, task, _, _ in places}
    by_name: dict[str, dict[str, S3Run]] = {}
    for task, of_task in runs.items():
        for run in of_task if task in tasks else ():
            by_name.setdefault(name_of(run).text, {})[task] = run
    if not by_name:
        return None
    names = []
    for own in by_name.values():
        asked, missing = (
            sum(getattr(run.counts, key) for run in own.values()) for key in ("asked", "missing")
        )
        remark = f"answered {asked - missing:,} of {asked:,} questions" if missing else ""
        names.append(name_of(next(iter(own.values())), remark))
    rows = [
        Row((name, *(_measure(own.get(task), part, measure) for _, _, task, part, measure in places)))
        for name, own in zip(names, by_name.values(), strict=True)
    ]
    notes = [BEST]
    baselines = [_baseline(runs.get(task, ()), part, measure) for _, _, task, part, measure in places]
    if any(value is not None for value in baselines):
        rows.append(Row((WITHOUT_SKILL, *baselines), baseline=True))
        notes.append(SKILL_NOTE)
        if any(place[:2] == ("", "ROUGE-L") for place in places):
            notes.append(OTHER_NOTE)
    if any(name.remark for name in names):
        notes.append(PARTIAL)
    columns = [
        Column(key, group=group, better=_better(runs.get(task, ()), measure))
        for group, key, task, _, measure in places
    ]
    return Table(title, (Column("Model"), *columns), tuple(rows), below=tuple(notes), fold=fold, stem=stem)


def _measure(run: S3Run | None, part: str, name: str) -> float | None:
    for each in _parts(run, part) if run is not None else ():
        if name in each.scores.estimates:
            return each.scores.estimates[name].value
    return None


def _baseline(runs: Sequence[S3Run], part: str, name: str) -> float | None:
    """Return what a trivial baseline scores on the recordings of the run that answered most of them."""
    measure = _measure_of(runs, name)
    parts = [each for run in runs for each in _parts(run, part)]
    if measure is None or not parts:
        return None
    if measure.baseline not in OWN_TEXTS:
        parts = [max(parts, key=lambda each: each.scores.counts.asked - each.scores.counts.missing)]
    values = [value for each in parts if (value := baseline_of(measure, each)[0]) is not None]
    return max((value for value in values if not math.isnan(value)), default=None)


def _better(runs: Sequence[S3Run], name: str) -> Better:
    measure = _measure_of(runs, name)
    if measure is None or name in UNMARKED:
        return ""
    return "less" if measure.less_is_better else "more"


def _measure_of(runs: Sequence[S3Run], name: str) -> Measure | None:
    kinds = dict.fromkeys(run.kind for run in runs)
    return next((measure for kind in kinds for measure in MEASURES[kind] if measure.name == name), None)


def _parts(run: S3Run, part: str) -> Iterable[PartScores]:
    """Return a part of a run; of times that of centred clips, as published."""
    return (each for each in run.parts if each.part == part and each.clip_form in ("", "centred"))
