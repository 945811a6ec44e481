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
from semiology.metrics.scores.run_scores import FeatureScores
from semiology.metrics.statistics.intervals import Estimate
from semiology.render.text import counted
from semiology.reports.published.baselines import PREFIX
from semiology.reports.summary.features import RunSummary, Summary
from semiology.reports.summary.run_labels import NO_ENHANCEMENT, PUBLISHED, marks_of, run_label
from semiology.reports.summary.s3_run import S3Run
from semiology.reports.tables.features import POLICIES
from semiology.reports.tables.paper.best_cells import best_of_columns, best_of_groups
from semiology.reports.tables.paper.table import EMPTY, Block, PaperTable, PrintedName

PER_BLOCK = 4
EMBC_PER_BLOCK = 3
SCORES = {"P": "precision", "R": "recall", "F1": "f1", "A": "accuracy"}
EMBC_SCORES = {"Accuracy": "accuracy", "Precision": "precision", "Recall": "recall", "F1 Score": "f1"}
GROUP_WORDS: Mapping[Group, str] = {"facial": "facial", "limb_body": "limb and body", "audio": "audio"}
EMBC_TABLES: Mapping[str, Group] = {"II": "facial", "III": "limb_body", "IV": "audio"}
NOTES = {PUBLISHED: "published answers, scored here"}
BEST_F1 = "Bold: the best F1, always yes included where it is shown."
BEST_OF_SIGN = "Bold: the best F1 of each feature."
OF_SEVERAL = "The best of several wordings, found on the recordings that it is scored on, is scored too high."
PARTIAL = "Runs that answered different recordings cannot be ranked by these figures."
ALWAYS_YES = "always yes"
ALWAYS_YES_MOST = "Always yes: on the recordings of the run that answered most of them."


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
        """Return the name of a run in full, which no other run has."""
        label = run_label(run.model, run.prompt, run.enhancement)
        marks = [mark for mark in marks_of(run.model, self.records) if mark != PUBLISHED]
        return f"{label} ({', '.join(marks)})" if marks else label

    def printed(self, run: RunSummary | S3Run, asked: str = "") -> PrintedName:
        """Return the name of a run in print: short, with notes.

        Args:
            run: the run.
            asked: how much was answered, where that is not everything.
        """
        label = run_label(run.model.removeprefix(PREFIX), run.prompt, run.enhancement)
        notes = [NOTES.get(mark, mark) for mark in marks_of(run.model, self.records)]
        return PrintedName(label, tuple(filter(None, [*notes, asked])), asked)


WHOLE = Scope({"1": 13, "2": 14, "3": 15, "4": 16, "5": 17, "6": 18}, "all recordings")
TEST = Scope({"1": 19, "2": 20, "3": 21, "4": 22, "5": 23, "6": 24}, "the test split")


def feature_tables(summary: Summary, scope: Scope, name_of: RunNames) -> list[PaperTable]:
    """Return the layout of S3 Table 13 or 19: precision, recall, F1 and accuracy of every feature."""
    runs = [run for run in summary.runs if run.enhancement == NO_ENHANCEMENT]
    if not runs:
        return []
    asked = [f for f in FEATURES if any(f in _features(run) for run in runs)]
    names = [*map(name_of, runs), ALWAYS_YES]
    blocks = []
    for features in chunks(asked, PER_BLOCK):
        rows = [
            tuple(_score(run, feature, name) for feature in features for name in SCORES.values())
            for run in runs
        ]
        rows.append(tuple(cell for feature in features for cell in _always_yes(runs, feature)))
        columns = tuple((words(f), key) for f in features for key in SCORES)
        blocks.append(
            Block(
                columns,
                tuple(rows),
                best_of_columns(rows, ["more" if key == "F1" else "" for _, key in columns]),
            )
        )
    number = scope.numbers["1"]
    printed = _printed(runs, asked, name_of)
    return [
        PaperTable(
            f"s3_table_{number:02d}_recognition",
            f"Recognition of features on {scope.words}, in the layout of S3 Table {number}. "
            f"{POLICIES[summary.policy]}",
            "Model",
            tuple(names),
            tuple(blocks),
            printed,
            frozenset([ALWAYS_YES]),
            (*_notes(runs, BEST_F1, printed), *([ALWAYS_YES_MOST] if _differ(printed) else [])),
        )
    ]


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
        for chunk in chunks(features, EMBC_PER_BLOCK):
            columns = tuple((words(f), label) for f in chunk for label in rows)
            cells = tuple(
                tuple(_score(run, f, name, 3) for f in chunk for run in rows.values())
                for name in EMBC_SCORES.values()
            )
            blocks.append(
                Block(columns, cells, best_of_groups(cells, list(EMBC_SCORES).index("F1 Score"), len(rows)))
            )
        caption = (
            f"Performance on {GROUP_WORDS[group]} features, in the layout of EMBC Table {number}. "
            f"{POLICIES[summary.policy]}"
        )
        stem = f"embc_table_{number.lower()}_{group}"
        printed = _printed(runs, features, name_of)
        tables.append(
            PaperTable(
                stem,
                caption,
                "",
                tuple(EMBC_SCORES),
                tuple(blocks),
                printed,
                notes=(*_notes(runs, BEST_OF_SIGN, printed), _always_yes_note(runs, features)),
            )
        )
    return tables


def _notes(runs: Sequence[RunSummary], best: str, printed: Mapping[str, PrintedName]) -> tuple[str, ...]:
    """Return what stands below a table: what bold means, and where it does not tell the better run."""
    asked = {(run.model, run.enhancement, run.prompt) for run in runs}
    several = len({(model, enhancement) for model, enhancement, _ in asked}) < len(asked)
    return (best, *([OF_SEVERAL] if several else []), *([PARTIAL] if _differ(printed) else []))


def _differ(printed: Mapping[str, PrintedName]) -> bool:
    """Whether some run answered fewer recordings than another."""
    return any(name.coverage for name in printed.values())


def _printed(
    runs: Sequence[RunSummary], features: Sequence[str], name_of: RunNames
) -> dict[str, PrintedName]:
    """Return the names of runs in print; those asked about fewer recordings than others say so."""
    most = {feature: max(run.n_recordings[feature] for run in runs) for feature in features}
    return {name_of(run): name_of.printed(run, _fewer(run, most)) for run in runs}


def _fewer(run: RunSummary, most: Mapping[str, int]) -> str:
    """Return how many recordings of a feature a run has where others have more; empty if none have.

    Args:
        run: the run.
        most: recordings of the run that has most of them, by feature of the table.
    """
    own = {feature: run.n_recordings[feature] for feature in most if feature in _features(run)}
    if all(count == most[feature] for feature, count in own.items()):
        return ""
    worst = min(own, key=lambda feature: own[feature] / most[feature])
    every = len({(count, most[feature]) for feature, count in own.items()}) == 1
    fewest = "" if every else "as few as "
    return f"{fewest}{counted(own[worst], 'recording')} of a feature, others up to {most[worst]:,}"


def _score(run: RunSummary, feature: str, name: str, decimals: int = 2) -> str:
    scores = _features(run).get(feature)
    return EMPTY if scores is None else number_text(scores.estimates[name], decimals)


def _always_yes(runs: Sequence[RunSummary], feature: str) -> tuple[str, ...]:
    """Return what always yes scores: precision is the prevalence, recall 1.

    Of a feature with three classes both are means over the classes, of which always yes hits one.
    """
    scores = _of_most(runs, feature)
    share, f1 = scores.prevalence, scores.always_yes_f1
    recall = 1.0 if share > 0 else math.nan
    if scores.three_classes:
        # F1 is that of yes over the number of classes; so are precision and recall.
        recall = f1 * (1 + share) / (2 * share) if share > 0 else 0.0
    precision = share * recall if share > 0 else 0.0
    values = {"precision": precision, "recall": recall, "f1": f1, "accuracy": share}
    return tuple(EMPTY if math.isnan(values[n]) else f"{values[n]:.2f}" for n in SCORES.values())


def _always_yes_note(runs: Sequence[RunSummary], features: Sequence[str]) -> str:
    """Return the F1 of always yes for each feature, for a layout that has no place for it."""
    values = {words(feature): _of_most(runs, feature).always_yes_f1 for feature in features}
    told = ", ".join(
        f"{name} {'not defined' if math.isnan(f1) else f'{f1:.3f}'}" for name, f1 in values.items()
    )
    return f"F1 of always yes: {told}."


def _of_most(runs: Sequence[RunSummary], feature: str) -> FeatureScores:
    """Return the scores of a feature by the run in which most recordings were scored."""
    return max((_features(run)[feature] for run in runs if feature in _features(run)), key=lambda s: s.n)


def _features(run: RunSummary) -> Mapping[str, FeatureScores]:
    return {scores.feature: scores for scores in run.scores.features}


def number_text(estimate: Estimate, decimals: int) -> str:
    """Return a figure as printed, `EMPTY` where it is undefined."""
    return EMPTY if math.isnan(estimate.value) else f"{estimate.value:.{decimals}f}"


def words(name: str) -> str:
    """Return the name of a feature for people."""
    return name.replace("_", " ").replace("figure4", "figure 4")


def chunks(names: Sequence[str], size: int) -> Iterable[Sequence[str]]:
    """Return names in groups of a size, the last with what is left."""
    return (names[i : i + size] for i in range(0, len(names), size))
