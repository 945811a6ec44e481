"""The layouts of the S3 tables of tasks 2 to 7, filled with the scores of a report.

S3: Tables 1, 2, 14 to 18 and 20 to 24 of arXiv 2605.21852. A last row, which the paper has not, tells what
trivial baselines score on the same recordings.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence

from semiology.features import FEATURES
from semiology.metrics.s3.part_scores import PartScores
from semiology.reports.summary.s3_measures import FIGURES, TWO_STAGE_TASK, Figure
from semiology.reports.summary.s3_run import S3Run
from semiology.reports.summary.s3_summary import S3Summary, baseline_value
from semiology.reports.tables.paper.best_cells import Better, best_of_columns
from semiology.reports.tables.paper.feature_layouts import (
    PARTIAL,
    PER_BLOCK,
    SCORES,
    TEST,
    RunNames,
    Scope,
    chunks,
    number_text,
    words,
)
from semiology.reports.tables.paper.table import EMPTY, Block, PaperTable, PrintedName

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
"""Figures in which no cell is bold: any of them can be had by saying little or much."""

Column = tuple[str, str]
"""Task and name of the figure."""


def s3_tables(summary: S3Summary, scope: Scope, name_of: RunNames) -> list[PaperTable]:
    """Return the layouts of the S3 tables of tasks 2 to 6, as far as asked, and of Tables 1 and 2."""
    runs = _Runs(summary.runs, name_of)
    tables: list[PaperTable | None] = [
        _by_sign(runs, "s3_justification", JUSTIFICATION, scope, "2", "Justification of features"),
        _flat("3", "Side and region", _sides(), runs, scope),
        _by_sign(runs, "s3_onset_time", {"MAE, s": "mae"}, scope, "4", "Onset of features"),
        _flat("5", "Order of features", _columns("s3_sequence", SEQUENCE), runs, scope),
        _flat("6", "Reports", _columns("s3_report", REPORT), runs, scope),
        _overview(1, "Tasks 3 to 5", {**_sides(), **_middle()}, runs, scope),
        _overview(2, "Tasks 6 and 7", _last(), runs, scope),
    ]
    return [table for table in tables if table is not None]


class _Runs:
    """The runs of a summary by task and name."""

    def __init__(self, runs: Sequence[S3Run], name_of: RunNames) -> None:
        self._name_of = name_of
        self._by_task: dict[str, dict[str, S3Run]] = {}
        for run in runs:
            self._by_task.setdefault(run.task, {})[name_of(run)] = run

    def of(self, task: str) -> Mapping[str, S3Run]:
        """Return the runs of a task by name."""
        return self._by_task.get(task, {})

    def names(self, tasks: Iterable[str]) -> list[str]:
        """Return the names of the runs of some tasks, once each."""
        wanted = set(tasks)
        return list(dict.fromkeys(name for task in self._by_task if task in wanted for name in self.of(task)))

    def printed(self, name: str, tasks: Iterable[str]) -> PrintedName:
        """Return a name in print, with how many questions of some tasks were answered if not all were."""
        runs = [run for task in tasks if (run := self.of(task).get(name)) is not None]
        asked, missing = (sum(getattr(run.counts, key) for run in runs) for key in ("asked", "missing"))
        told = f"answered {asked - missing:,} of {asked:,} questions" if missing else ""
        return self._name_of.printed(runs[0], told)


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
        found[title, "2-stages"] = (TWO_STAGE_TASK, f"published_{name}")
    return found


def _flat(
    task: str, title: str, columns: Mapping[tuple[str, str], Column], runs: _Runs, scope: Scope
) -> PaperTable | None:
    number = scope.numbers[task]
    caption = f"{title} on {scope.words}, in the layout of S3 Table {number}. {PUBLISHED_RULE}"
    return _filled(f"s3_table_{number:02d}_task_{task}", caption, columns, runs)


def _overview(
    number: int, title: str, columns: Mapping[tuple[str, str], Column], runs: _Runs, scope: Scope
) -> PaperTable | None:
    """Return a table of several tasks; the published ones are about the test split."""
    caption = f"{title} on {scope.words}, in the layout of S3 Table {number}. {PUBLISHED_RULE}"
    where = "" if scope is TEST else "_all_recordings"
    return _filled(f"s3_table_{number:02d}_overview{where}", caption, columns, runs)


def _filled(
    stem: str, caption: str, columns: Mapping[tuple[str, str], Column], runs: _Runs
) -> PaperTable | None:
    tasks = list(dict.fromkeys(task for task, _ in columns.values()))
    names = runs.names(tasks)
    if not names:
        return None
    places = [(task, "", figure) for task, figure in columns.values()]
    block = _block(tuple(columns), places, runs, names)
    return _with_baseline(stem, caption, runs, names, tasks, [block])


def _by_sign(
    runs: _Runs, task: str, figures: Mapping[str, str], scope: Scope, number: str, title: str
) -> PaperTable | None:
    """Return a table with a group of columns per feature, as many under each other as are needed."""
    asked = runs.of(task)
    signs = [f for f in FEATURES if any(part.part == f for run in asked.values() for part in run.parts)]
    if not signs:
        return None
    blocks = [
        _block(
            tuple((words(sign), key) for sign in chunk for key in figures),
            [(task, sign, figure) for sign in chunk for figure in figures.values()],
            runs,
            list(asked),
        )
        for chunk in chunks(signs, PER_BLOCK)
    ]
    table = scope.numbers[number]
    caption = f"{title} on {scope.words}, in the layout of S3 Table {table}. {PUBLISHED_RULE}"
    stem = f"s3_table_{table:02d}_task_{number}"
    return _with_baseline(stem, caption, runs, list(asked), [task], blocks)


def _block(
    columns: tuple[tuple[str, str], ...],
    places: Sequence[tuple[str, str, str]],
    runs: _Runs,
    names: Sequence[str],
) -> Block:
    """Return the figures of runs, the last row what an answer without skill scores.

    Args:
        columns: headings.
        places: task, feature (or empty) and figure of each column.
        runs: by task and name.
        names: of the rows.
    """
    rows = [
        tuple(_figure(runs.of(task).get(name), part, figure) for task, part, figure in places)
        for name in names
    ]
    rows.append(tuple(_baseline(runs.of(task), part, figure) for task, part, figure in places))
    better = [_better(runs.of(task), figure) for task, _, figure in places]
    return Block(columns, tuple(rows), best_of_columns(rows, better))


def _with_baseline(
    stem: str,
    caption: str,
    runs: _Runs,
    names: Sequence[str],
    tasks: Sequence[str],
    blocks: Sequence[Block],
) -> PaperTable:
    """Return a table whose blocks end with a row without skill; without that row if it is empty."""
    rows, baselines = (*names, WITHOUT_SKILL), frozenset([WITHOUT_SKILL])
    if all(cell == EMPTY for block in blocks for cell in block.rows[-1]):
        rows, baselines = tuple(names), frozenset()
        blocks = [Block(block.columns, block.rows[:-1], block.best) for block in blocks]
    printed = {name: runs.printed(name, tasks) for name in names}
    notes = [BEST, *([SKILL_NOTE] if baselines else [])]
    if baselines and any(column == ("", "ROUGE-L") for block in blocks for column in block.columns):
        notes.append(OTHER_NOTE)
    if any(each.coverage for each in printed.values()):
        notes.append(PARTIAL)
    return PaperTable(stem, caption, "Model", rows, tuple(blocks), printed, baselines, tuple(notes))


def _figure(run: S3Run | None, part: str, name: str) -> str:
    for each in _parts(run, part) if run is not None else ():
        if name in each.scores.estimates:
            return number_text(each.scores.estimates[name], 2)
    return EMPTY


def _baseline(runs: Mapping[str, S3Run], part: str, name: str) -> str:
    """Return what an answer without skill scores on the recordings of the run that answered most of them."""
    figure = _figure_of(runs, name)
    parts = [each for run in runs.values() for each in _parts(run, part)]
    if figure is None or not parts:
        return EMPTY
    if figure.baseline not in OWN_TEXTS:
        parts = [max(parts, key=lambda each: each.scores.counts.asked - each.scores.counts.missing)]
    values = [value for each in parts if (value := baseline_value(figure, each)) is not None]
    return f"{max(values):.2f}" if (values := [v for v in values if not math.isnan(v)]) else EMPTY


def _better(runs: Mapping[str, S3Run], name: str) -> Better:
    figure = _figure_of(runs, name)
    if figure is None or name in UNMARKED:
        return ""
    return "less" if figure.less_is_better else "more"


def _figure_of(runs: Mapping[str, S3Run], name: str) -> Figure | None:
    kinds = dict.fromkeys(run.kind for run in runs.values())
    return next((figure for kind in kinds for figure in FIGURES[kind] if figure.name == name), None)


def _parts(run: S3Run, part: str) -> Iterable[PartScores]:
    """Return a part of a run; of times that of centred clips, as published."""
    return (each for each in run.parts if each.part == part and each.clip_form in ("", "centred"))
