"""The layouts of the published tables, filled with the scores of a report.

S3: Tables 1, 2 and 13 to 24 of arXiv 2605.21852. EMBC: Tables II to IV of Zhang et al., EMBC 2025. The layout
is theirs; the numbers are those of this report, and every table says by which rule.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from semiology.features import FEATURES, FEATURES_BY_GROUP, Group
from semiology.metrics.intervals import Estimate
from semiology.metrics.scores import FeatureScores
from semiology.reports.paper_table import EMPTY, Block, PaperTable
from semiology.reports.run_labels import NO_ENHANCEMENT, PUBLISHED, marks_of, run_label
from semiology.reports.s3_run import S3Run
from semiology.reports.s3_summary import S3Summary
from semiology.reports.summary import RunSummary, Summary
from semiology.reports.tables import POLICIES

PER_BLOCK = 4
EMBC_PER_BLOCK = 3
SCORES = {"P": "precision", "R": "recall", "F1": "f1", "A": "accuracy"}
PUBLISHED_CLASSES = {key: f"published_{name}" for key, name in SCORES.items()}
EMBC_SCORES = {"Accuracy": "accuracy", "Precision": "precision", "Recall": "recall", "F1 Score": "f1"}
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
EMBC_TABLES: Mapping[str, Group] = {"II": "facial", "III": "limb_body", "IV": "audio"}
PUBLISHED_RULE = "Published rules: what was not understood is left out."


@dataclass(frozen=True)
class Scope:
    """Which recordings a set of tables is about: numbers of the S3 tables, and words for the caption."""

    numbers: Mapping[str, int]
    words: str


@dataclass(frozen=True)
class RunNames:
    """Names runs in a table, with what must be said beside their numbers.

    Attributes:
        records: facts of the runs by model.
    """

    records: Mapping[str, Mapping[str, Any]]

    def __call__(self, run: RunSummary | S3Run) -> str:
        """Return the name of a run."""
        label = run_label(run.model, run.prompt, run.enhancement)
        marks = [mark for mark in marks_of(run.model, self.records) if mark != PUBLISHED]
        return f"{label} ({', '.join(marks)})" if marks else label


WHOLE = Scope({"1": 13, "2": 14, "3": 15, "4": 16, "5": 17, "6": 18}, "all recordings")
TEST = Scope({"1": 19, "2": 20, "3": 21, "4": 22, "5": 23, "6": 24}, "the test split")


def feature_tables(summary: Summary, scope: Scope, name_of: RunNames) -> list[PaperTable]:
    """Return the layout of S3 Table 13 or 19: precision, recall, F1 and accuracy of every feature."""
    runs = [run for run in summary.runs if run.enhancement == NO_ENHANCEMENT]
    if not runs:
        return []
    asked = [f for f in FEATURES if any(f in _features(run) for run in runs)]
    names = [*map(name_of, runs), "always yes"]
    blocks = []
    for features in _chunks(asked, PER_BLOCK):
        rows = [
            tuple(_score(run, feature, name) for feature in features for name in SCORES.values())
            for run in runs
        ]
        rows.append(tuple(cell for feature in features for cell in _always_yes(runs, feature)))
        blocks.append(Block(tuple((_words(f), key) for f in features for key in SCORES), tuple(rows)))
    number = scope.numbers["1"]
    where = f"{scope.words}, in the layout of S3 Table {number}"
    caption = f"Recognition of signs on {where}. {POLICIES[summary.policy]}"
    return [PaperTable(f"s3_table_{number:02d}_recognition", caption, "Model", tuple(names), tuple(blocks))]


def embc_tables(summary: Summary, name_of: RunNames) -> list[PaperTable]:
    """Return the layouts of EMBC Tables II (face), III (limb and body) and IV (sound), as far as asked."""
    tables = []
    for number, group in EMBC_TABLES.items():
        members = FEATURES_BY_GROUP[group]
        features = [f for f in members if any(f in _features(run) for run in summary.runs)]
        runs = [run for run in summary.runs if any(f in _features(run) for f in features)]
        if not features:
            continue
        rows = {name_of(run): run for run in runs}
        blocks = []
        for chunk in _chunks(features, EMBC_PER_BLOCK):
            columns = tuple((_words(f), label) for f in chunk for label in rows)
            cells = tuple(
                tuple(_score(run, f, name, 3) for f in chunk for run in rows.values())
                for name in EMBC_SCORES.values()
            )
            blocks.append(Block(columns, cells))
        caption = (
            f"Performance on {_words(group)} features, in the layout of EMBC Table {number}. "
            f"{POLICIES[summary.policy]}"
        )
        stem = f"embc_table_{number.lower()}_{group}"
        tables.append(PaperTable(stem, caption, "", tuple(EMBC_SCORES), tuple(blocks)))
    return tables


def s3_tables(summary: S3Summary, scope: Scope, name_of: RunNames) -> list[PaperTable]:
    """Return the layouts of the S3 tables of tasks 2 to 6, as far as asked, and of Tables 1 and 2."""
    by_task: dict[str, dict[str, S3Run]] = {}
    for run in summary.runs:
        by_task.setdefault(run.task, {})[name_of(run)] = run
    tables: list[PaperTable | None] = [
        _by_sign(by_task.get("s3_justification", {}), JUSTIFICATION, scope, "2", "Justification of signs"),
        _flat("3", "Side and region", _sides(), by_task, scope),
        _by_sign(by_task.get("s3_onset_time", {}), {"MAE, s": "mae"}, scope, "4", "Onset of signs"),
        _flat("5", "Order of signs", _columns("s3_sequence", SEQUENCE), by_task, scope),
        _flat("6", "Reports", _columns("s3_report", REPORT), by_task, scope),
        _overview(1, "Tasks 3 to 5", {**_sides(), **_middle()}, by_task, scope),
        _overview(2, "Tasks 6 and 7", _last(), by_task, scope),
    ]
    return [table for table in tables if table is not None]


Column = tuple[str, str]
"""Task and name of the figure."""


def _sides() -> dict[tuple[str, str], Column]:
    return {
        (title, key): (task, name) for title, task in SIDES.items() for key, name in PUBLISHED_CLASSES.items()
    }


def _columns(task: str, figures: Mapping[str, str]) -> dict[tuple[str, str], Column]:
    return {("", key): (task, name) for key, name in figures.items()}


def _middle() -> dict[tuple[str, str], Column]:
    found = {("Start", "MAE"): ("s3_seizure_start", "mae"), ("End", "MAE"): ("s3_seizure_end", "mae")}
    return {**found, **{("Order", key): ("s3_sequence", name) for key, name in SEQUENCE.items()}}


def _last() -> dict[tuple[str, str], Column]:
    names = {"Precision": "precision", "Recall": "recall", "F1": "f1", "Accuracy": "accuracy"}
    found: dict[tuple[str, str], Column] = {("Task 6", "RQI"): ("s3_report", "rqi")}
    for title, name in names.items():
        found[title, "w/o rpt"] = ("s3_diagnosis", f"published_{name}")
        found[title, "w/ rpt"] = ("s3_diagnosis_with_report", f"published_{name}")
    return found


def _flat(
    task: str,
    title: str,
    columns: Mapping[tuple[str, str], Column],
    by_task: Mapping[str, Mapping[str, S3Run]],
    scope: Scope,
) -> PaperTable | None:
    number = scope.numbers[task]
    caption = f"{title} on {scope.words}, in the layout of S3 Table {number}. {PUBLISHED_RULE}"
    return _filled(f"s3_table_{number:02d}_task_{task}", caption, columns, by_task)


def _overview(
    number: int,
    title: str,
    columns: Mapping[tuple[str, str], Column],
    by_task: Mapping[str, Mapping[str, S3Run]],
    scope: Scope,
) -> PaperTable | None:
    """Return a table of several tasks; the published ones are about the test split."""
    caption = f"{title} on {scope.words}, in the layout of S3 Table {number}. {PUBLISHED_RULE}"
    where = "" if scope is TEST else "_all_recordings"
    return _filled(f"s3_table_{number:02d}_overview{where}", caption, columns, by_task)


def _filled(
    stem: str,
    caption: str,
    columns: Mapping[tuple[str, str], Column],
    by_task: Mapping[str, Mapping[str, S3Run]],
) -> PaperTable | None:
    tasks = {task for task, _ in columns.values()}
    labels = list(dict.fromkeys(label for task in by_task if task in tasks for label in by_task[task]))
    if not labels:
        return None
    rows = tuple(
        tuple(_figure(by_task.get(task, {}).get(label), "", name, 2) for task, name in columns.values())
        for label in labels
    )
    return PaperTable(stem, caption, "Model", tuple(labels), (Block(tuple(columns), rows),))


def _by_sign(
    runs: Mapping[str, S3Run], figures: Mapping[str, str], scope: Scope, task: str, title: str
) -> PaperTable | None:
    """Return a table with a group of columns per sign, four signs under each other."""
    signs = [f for f in FEATURES if any(part.part == f for run in runs.values() for part in run.parts)]
    if not signs:
        return None
    blocks = [
        Block(
            tuple((_words(sign), key) for sign in chunk for key in figures),
            tuple(
                tuple(_figure(run, sign, name, 2) for sign in chunk for name in figures.values())
                for run in runs.values()
            ),
        )
        for chunk in _chunks(signs, PER_BLOCK)
    ]
    number = scope.numbers[task]
    caption = f"{title} on {scope.words}, in the layout of S3 Table {number}. {PUBLISHED_RULE}"
    return PaperTable(f"s3_table_{number:02d}_task_{task}", caption, "Model", tuple(runs), tuple(blocks))


def _figure(run: S3Run | None, part: str, name: str, decimals: int) -> str:
    """Return a figure of a part of a run; of times that of centred clips, as published."""
    if run is None:
        return EMPTY
    for each in run.parts:
        if each.part == part and each.clip_form in ("", "centred") and name in each.scores.estimates:
            return _number(each.scores.estimates[name], decimals)
    return EMPTY


def _score(run: RunSummary, feature: str, name: str, decimals: int = 2) -> str:
    scores = _features(run).get(feature)
    return EMPTY if scores is None else _number(scores.estimates[name], decimals)


def _always_yes(runs: Sequence[RunSummary], feature: str) -> tuple[str, ...]:
    """Return what always yes scores: precision is the prevalence, recall 1."""
    scores = next(_features(run)[feature] for run in runs if feature in _features(run))
    share, f1 = scores.prevalence, scores.always_yes_f1
    values = {"precision": share, "recall": 1.0 if share > 0 else math.nan, "f1": f1, "accuracy": share}
    return tuple(EMPTY if math.isnan(values[n]) else f"{values[n]:.2f}" for n in SCORES.values())


def _features(run: RunSummary) -> Mapping[str, FeatureScores]:
    return {scores.feature: scores for scores in run.scores.features}


def _number(estimate: Estimate, decimals: int) -> str:
    return EMPTY if math.isnan(estimate.value) else f"{estimate.value:.{decimals}f}"


def _words(name: str) -> str:
    return name.replace("_", " ")


def _chunks(names: Sequence[str], size: int) -> Iterable[Sequence[str]]:
    return (names[i : i + size] for i in range(0, len(names), size))
