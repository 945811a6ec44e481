"""The layouts of the published tables, filled with the scores of a report.

S3: Tables 1, 2 and 13 to 24 of arXiv 2605.21852. EMBC: Tables II to IV of Zhang et al., EMBC 2025. The layout
is theirs; the numbers are those of this report, and every table says by which rule.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from semiology.features import FEATURES, FEATURES_BY_GROUP, Group, label_of
from semiology.metrics.scores.run_scores import FeatureScores
from semiology.render.table import Column, Name, Row, Table
from semiology.render.text import counted
from semiology.reports.read.asked import NO_ENHANCEMENT, PREFIX, Asked
from semiology.reports.summary.features import RunSummary, Summary
from semiology.reports.summary.improvement import Variant
from semiology.reports.summary.run_labels import PUBLISHED, marks_of
from semiology.reports.summary.s3 import S3Run
from semiology.reports.tables.features import POLICIES

PER_BLOCK = 4
EMBC_PER_BLOCK = 3
SCORES = {"P": "precision", "R": "recall", "F1": "f1", "A": "accuracy"}
EMBC_SCORES = {"Accuracy": "accuracy", "Precision": "precision", "Recall": "recall", "F1 Score": "f1"}
GROUP_WORDS: Mapping[Group, str] = {"facial": "facial", "limb_body": "limb and body", "audio": "audio"}
EMBC_TABLES: Mapping[str, Group] = {"II": "facial", "III": "limb_body", "IV": "audio"}
NOTES = {PUBLISHED: "published answers, scored here"}
BEST_F1 = "Bold: the best F1, always yes included where it is shown."
BEST_OF_FEATURE = "Bold: the best F1 of each feature."
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

    def __call__(self, run: RunSummary | S3Run | Variant, asked: str = "") -> Name:
        """Return the name of a run: in full, which no other run has, and short with notes for print.

        Args:
            run: the run.
            asked: how much was answered, where that is not everything.
        """
        found = marks_of(run.model, self.records)
        full = Asked(run.model, run.prompt, run.enhancement).label
        marks = [mark for mark in found if mark != PUBLISHED]
        short = Asked(run.model.removeprefix(PREFIX), run.prompt, run.enhancement).label
        notes = tuple(NOTES.get(mark, mark) for mark in found)
        return Name(f"{full} ({', '.join(marks)})" if marks else full, short, notes, asked)


WHOLE = Scope({"1": 13, "2": 14, "3": 15, "4": 16, "5": 17, "6": 18}, "all recordings")
TEST = Scope({"1": 19, "2": 20, "3": 21, "4": 22, "5": 23, "6": 24}, "the test split")


def feature_tables(summary: Summary, scope: Scope, name_of: RunNames) -> list[Table]:
    """Return the layout of S3 Table 13 or 19: precision, recall, F1 and accuracy of every feature."""
    runs = [run for run in summary.runs if run.enhancement == NO_ENHANCEMENT]
    if not runs:
        return []
    asked = [f for f in FEATURES if any(f in _features(run) for run in runs)]
    columns = [
        Column(key, group=label_of(f), better="more" if key == "F1" else "") for f in asked for key in SCORES
    ]
    names = _names(runs, asked, name_of)
    rows = [
        Row((name, *(_score(run, feature, score) for feature in asked for score in SCORES.values())))
        for name, run in zip(names, runs, strict=True)
    ]
    always = [value for feature in asked for value in _always_yes(runs, feature)]
    number = scope.numbers["1"]
    return [
        Table(
            f"Recognition of features on {scope.words}, in the layout of S3 Table {number}. "
            f"{POLICIES[summary.policy]}",
            (Column("Model"), *columns),
            (*rows, Row((ALWAYS_YES, *always), baseline=True)),
            below=(*_notes(runs, BEST_F1, names), *([ALWAYS_YES_MOST] if _differ(names) else [])),
            fold=PER_BLOCK * len(SCORES),
            stem=f"s3_table_{number:02d}_recognition",
        )
    ]


def embc_tables(summary: Summary, name_of: RunNames) -> list[Table]:
    """Return the layouts of EMBC Tables II (face), III (limb and body) and IV (sound), as far as asked."""
    tables = []
    for number, group in EMBC_TABLES.items():
        features = [f for f in FEATURES_BY_GROUP[group] if any(f in _features(run) for run in summary.runs)]
        if not features:
            continue
        runs = [run for run in summary.runs if any(f in _features(run) for f in features)]
        names = _names(runs, features, name_of)
        columns = [Column(name, ".3f", group=label_of(f)) for f in features for name in names]
        rows = [
            Row((title, *(_score(run, f, score) for f in features for run in runs)), best=score == "f1")
            for title, score in EMBC_SCORES.items()
        ]
        tables.append(
            Table(
                f"Performance on {GROUP_WORDS[group]} features, in the layout of EMBC Table {number}. "
                f"{POLICIES[summary.policy]}",
                (Column(""), *columns),
                tuple(rows),
                below=(
                    *_notes(runs, BEST_OF_FEATURE, names),
                    _always_yes_note(runs, features),
                    *_published_notes(runs, features, names),
                ),
                fold=EMBC_PER_BLOCK * len(runs),
                stem=f"embc_table_{number.lower()}_{group}",
            )
        )
    return tables


def _published_notes(runs: Sequence[RunSummary], features: Sequence[str], names: Sequence[Name]) -> list[str]:
    """Return, for features with three answers, the figures of the published rule, which are others."""
    told = []
    for feature in features:
        figures = [
            f"{name.short}: " + ", ".join(f"{title} {own[score]:.3f}" for title, score in EMBC_SCORES.items())
            for run, name in zip(runs, names, strict=True)
            if (own := run.published.get(feature)) and own["n"]
        ]
        if figures:
            told.append(
                f"{label_of(feature).capitalize()} by the published rule (recordings whose truth is yes or no; unread "
                "answers dropped; precision, recall and F1 are means over every answer that occurs, NA among them): "
                f"{'; '.join(figures)}."
            )
    return told


def _notes(runs: Sequence[RunSummary], best: str, names: Sequence[Name]) -> tuple[str, ...]:
    """Return what stands below a table: what bold means, and where it does not tell the better run."""
    asked = {(run.model, run.enhancement, run.prompt) for run in runs}
    several = len({(model, enhancement) for model, enhancement, _ in asked}) < len(asked)
    return (best, *([OF_SEVERAL] if several else []), *([PARTIAL] if _differ(names) else []))


def _differ(names: Sequence[Name]) -> bool:
    """Whether some run answered fewer recordings than another."""
    return any(name.remark for name in names)


def _names(runs: Sequence[RunSummary], features: Sequence[str], name_of: RunNames) -> list[Name]:
    """Return the names of runs; those asked about fewer recordings than others say so."""
    most = {feature: max(run.n_recordings[feature] for run in runs) for feature in features}
    return [name_of(run, _fewer(run, most)) for run in runs]


def _fewer(run: RunSummary, most: Mapping[str, int]) -> str:
    """Return how many recordings of a feature a run has where others have more (``most``); empty if none have."""
    own = {feature: run.n_recordings[feature] for feature in most if feature in _features(run)}
    if all(count == most[feature] for feature, count in own.items()):
        return ""
    worst = min(own, key=lambda feature: own[feature] / most[feature])
    every = len({(count, most[feature]) for feature, count in own.items()}) == 1
    fewest = "" if every else "as few as "
    return f"{fewest}{counted(own[worst], 'recording')} of a feature, others up to {most[worst]:,}"


def _score(run: RunSummary, feature: str, name: str) -> float | None:
    scores = _features(run).get(feature)
    return None if scores is None else scores.estimates[name].value


def _always_yes(runs: Sequence[RunSummary], feature: str) -> tuple[float, ...]:
    """Return what always yes scores under `SCORES`: precision is the prevalence, recall 1.

    Of a feature with three classes both are means over the classes, of which always yes hits one.
    """
    scores = _of_most(runs, feature)
    share, f1 = scores.prevalence, scores.always_yes_f1
    recall = 1.0 if share > 0 else math.nan
    if scores.three_classes:
        # F1 is that of yes over the number of classes; so are precision and recall.
        recall = f1 * (1 + share) / (2 * share) if share > 0 else 0.0
    return share * recall if share > 0 else 0.0, recall, f1, share


def _always_yes_note(runs: Sequence[RunSummary], features: Sequence[str]) -> str:
    """Return the F1 of always yes for each feature, for a layout that has no place for it."""
    values = {label_of(feature): _of_most(runs, feature).always_yes_f1 for feature in features}
    told = ", ".join(
        f"{name} {'not defined' if math.isnan(f1) else f'{f1:.3f}'}" for name, f1 in values.items()
    )
    return f"F1 of always yes: {told}."


def _of_most(runs: Sequence[RunSummary], feature: str) -> FeatureScores:
    """Return the scores of a feature by the run in which most recordings were scored."""
    return max((_features(run)[feature] for run in runs if feature in _features(run)), key=lambda s: s.n)


def _features(run: RunSummary) -> Mapping[str, FeatureScores]:
    return {scores.feature: scores for scores in run.scores.features}
