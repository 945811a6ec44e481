"""The second stage as tables: S3 Table 32, the "2-stages" of Table 2, Table 33, and their like for other targets."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from semiology.features import label_of
from semiology.metrics.diagnosis.importances import Importance
from semiology.metrics.diagnosis.rules import UNDECIDED
from semiology.metrics.diagnosis.targets import Target
from semiology.render.table import Cell, Column, Document, Row, Table
from semiology.reports.diagnosis.inputs import EXPERTS
from semiology.reports.diagnosis.literature import CitedRule
from semiology.reports.diagnosis.scoring import CROSS_VALIDATION, LABELS, RULES, ScoredDiagnoses, ScoredStage
from semiology.reports.tables.estimates import number_of

NOT_VALIDATED = "For research: no diagnosis here is validated for patients."
_ES_REMARKS = (
    (
        "F1, precision and recall are those of ES. Every recording is diagnosed by a classifier that learned from "
        "other patients; patients of the splits test and confirm are never learned from."
    ),
)
_CLASS_REMARKS = (
    (
        "Every recording is judged by a classifier that learned from other patients; patients of the splits test and "
        "confirm are never learned from. All classes count alike: balanced accuracy, of which the most frequent class "
        "and every other blind guess has one over the number of classes, and macro F1, which has no such floor."
    ),
    (
        "Sides are answers to S3 task 3, which is asked only where the experts saw the sign; they count where the same "
        "source says that the sign is there. Other sides of the experts, such as the extended arm's, feed rules alone."
    ),
)
_CEILING = (
    "Ceiling: the same classifier on the experts' annotations of the same recordings, which is what a model that "
    "answers every question as the experts did would give to the second stage."
)
_RULES = (
    "Literature rules learn nothing: from equal odds of all classes, the odds of each rule that applies are multiplied "
    "(naive Bayes). Their probabilities are those of the rules, not calibrated; undecided counts as wrong. The rules, "
    "and what in them is a rule of thumb, are in rules.csv."
)
_FOLDS = "Mean and variance of folds have no interval: folds share what they learn from."
_NAMES: Mapping[str, str] = {"f1": "F1", "balanced_accuracy": "balanced accuracy"}


def not_validated(target: Target) -> str:
    """Return the sentence that every output carries."""
    if target.positive:
        return NOT_VALIDATED
    return f"For research: no {target.column.replace('_', ' ')} concluded here is validated for patients."


def diagnosis_document(
    found: ScoredDiagnoses, *, settings: str, importances: bool = True, rules: Sequence[CitedRule] = ()
) -> Document:
    """Return folds and pooled scores of each scope; with ``importances`` also confusions, rules, what was looked at."""
    scopes = list(dict.fromkeys(row.scope for row in found.rows))
    parts = [part for scope in scopes for part in (folds_table(found, scope), scores_table(found, scope))]
    if importances:
        parts += [confusion_table(found, scope) for scope in scopes]
    target = found.target
    title = "ES or NES in two stages" if target.positive else f"{target.column} from the signs of seizures"
    ruled = any(row.classifier == RULES for row in found.rows)
    remarks = (*(_ES_REMARKS if target.positive else _CLASS_REMARKS), _CEILING, *([_RULES] * ruled), _FOLDS)
    extra = (*importance_tables(found), *([rules_table(rules)] if ruled and rules else [])) * importances
    return Document(
        f"{title}, {settings} settings",
        (*(part for part in parts if part), *extra),
        (*found.caveats, not_validated(target)),
        remarks,
        found.notes,
    )


def folds_table(found: ScoredDiagnoses, scope: str) -> Table | None:
    """Return the layout of S3 Table 32: the score by fold, mean and variance; None if it is no cross-validation."""
    own = [row for row in found.rows if row.scope == scope]
    folds = list(dict.fromkeys(fold for row in own for fold in row.by_fold))
    if scope != CROSS_VALIDATION or len(folds) < 2:
        return None
    columns = (
        Column("Model"),
        Column("features from", left=True),
        *(Column(f"Fold {fold}", ".3f") for fold in folds),
        Column("Mean", ".4f"),
        Column("Variance", ".6f"),
    )
    rows = []
    for row in own:
        cells: tuple[Cell, ...] = tuple(row.by_fold.get(fold) for fold in folds)
        rows.append(Row((LABELS[row.classifier], row.stage, *cells, row.fold_mean, row.fold_variance)))
    for stage in dict.fromkeys(row.stage for row in own):
        first = next(row for row in own if row.stage == stage)
        values = [first.constant_by_fold.get(fold, math.nan) for fold in folds]
        defined = [value for value in values if not math.isnan(value)]
        mean = sum(defined) / len(defined) if defined else math.nan
        variance = sum((value - mean) ** 2 for value in defined) / len(defined) if defined else math.nan
        name = f"always {first.constant}"
        rows.append(Row((name, stage, *values, mean, variance), style="dim", baseline=True))
    if found.target.positive:
        return Table(
            "F1 of ES by fold, in the layout of S3 Table 32",
            columns,
            tuple(rows),
            stem="s3_table_32_two_stages",
        )
    title = f"Balanced accuracy of {found.target.column} by fold"
    return Table(title, columns, tuple(rows), stem=f"{found.target.column}_folds")


def scores_table(found: ScoredDiagnoses, scope: str) -> Table:
    """Return every classifier's scores, with the constant answer and the ceiling beside.

    For ES or NES it is the "2-stages" of S3 Table 2.
    """
    target = found.target
    name, constant = _NAMES[target.measure], "always ES" if target.positive else "most frequent class"
    columns = (
        Column("features from"),
        Column("classifier", left=True),
        Column(f"{name} [95 %]"),
        Column(constant),
        Column(f"{name} − {constant} [95 %]"),
        Column("ceiling"),
        Column(f"{name} − ceiling [95 %]"),
        *(_ES_COLUMNS if target.positive else _CLASS_COLUMNS),
        Column("kappa [95 %]", rank=1),
        Column("AUROC", rank=2),
        Column("Brier", ".3f", rank=2),
        Column("recordings (patients)", layout="{} ({})"),
    )
    rows = []
    for row in (each for each in found.rows if each.scope == scope):
        value, below = row.scores.estimates, row.below_ceiling
        shown = value[target.measure]
        rows.append(
            Row(
                (
                    row.stage,
                    LABELS[row.classifier],
                    number_of(shown),
                    row.constant_scores[target.measure],
                    number_of(row.above_constant),
                    row.ceiling,
                    "is the ceiling" if below is None else number_of(below),
                    *(_es_cells(row) if target.positive else _class_cells(row)),
                    number_of(row.kappa),
                    mean_auroc(row),
                    None if row.brier is None else row.brier.value,
                    (shown.n, shown.n_patients),
                ),
                style="bold" if row.stage == EXPERTS else "",
            )
        )
    place = scope.replace(" ", "_")
    if target.positive:
        title = f'Two stages, {scope}: the "2-stages" of S3 Table 2, beside always ES and the ceiling'
        return Table(title, columns, tuple(rows), stem=f"s3_table_02_two_stages_{place}")
    title = f"{target.column}, {scope}: beside the most frequent class and the ceiling"
    return Table(title, columns, tuple(rows), stem=f"{target.column}_{place}")


_ES_COLUMNS = (
    *(Column(name, rank=1) for name in ("precision", "recall", "accuracy")),
    Column("balanced accuracy [95 %]"),
    Column("MCC", rank=1),
)
_CLASS_COLUMNS = (
    Column("macro F1 [95 %]"),
    Column("macro F1 of most frequent", rank=1),
    Column("accuracy [95 %]", rank=1),
    Column("accuracy of most frequent", rank=1),
)


def _es_cells(row: ScoredStage) -> tuple[Cell, ...]:
    value = row.scores.estimates
    plain = (value[name].value for name in ("precision", "recall", "accuracy"))
    return (*plain, number_of(value["balanced_accuracy"]), value["mcc"].value)


def _class_cells(row: ScoredStage) -> tuple[Cell, ...]:
    value, constant = row.scores.estimates, row.constant_scores
    return (
        number_of(value["macro_f1"]), constant["macro_f1"], number_of(value["accuracy"]), constant["accuracy"],
    )  # fmt: skip


def mean_auroc(row: ScoredStage) -> float | None:
    """Return AUROC of the positive class, or the mean of each class against the rest; None without probabilities."""
    values = [each.auroc.value for each in row.sure.values() if not math.isnan(each.auroc.value)]
    return sum(values) / len(values) if values else None


def confusion_table(found: ScoredDiagnoses, scope: str) -> Table:
    """Return how many recordings of each true class were given which answer, for every row of the scores."""
    answers = (*found.target.classes, UNDECIDED)
    undecided = any(row.undecided for row in found.rows if row.scope == scope)
    shown = answers if undecided else answers[:-1]
    columns = (
        Column("features from"),
        Column("classifier", left=True),
        Column("true class", left=True),
        *(Column(name if name != UNDECIDED else "undecided", group="answer") for name in shown),
    )
    rows = [
        Row((row.stage, LABELS[row.classifier], true, *counts[: len(shown)]))
        for row in found.rows
        if row.scope == scope
        for true, counts in confusion_counts(row, found.target).items()
    ]
    stem = f"{found.target.column}_confusion_{scope.replace(' ', '_')}"
    return Table(f"Confusion matrices, {scope}", columns, tuple(rows), stem=stem)


def confusion_counts(row: ScoredStage, target: Target) -> dict[str, list[int]]:
    """Return the number of recordings by true class and answer; the last number of each is of undecided ones."""
    answers = (*target.classes, UNDECIDED)
    return {
        true: [
            sum(row.truth[v] == true and a == answer for v, a in row.answers.items()) for answer in answers
        ]
        for true in target.classes
    }


def rules_table(rules: Sequence[CitedRule]) -> Table:
    """Return the rules with what they rest on."""
    columns = tuple(
        Column(name, left=True)
        for name in ("rule", "applies where", "says", "basis", "numbers", "source", "against")
    )
    rows = []
    for each in rules:
        rule = each.rule
        where = " and ".join(f"{label_of(name)} {answer}" for name, answer in rule.when.items())
        if rule.side_of:
            where += f", side of {label_of(rule.side_of)} known"
            says = f"{rule.points} side × {rule.times:g}"
        else:
            says = ", ".join(f"{name} × {times:g}" for name, times in rule.odds.items())
        rows.append(Row((rule.name, where, says, each.basis, each.numbers, each.source, each.against)))
    return Table("Literature rules: odds of signs", columns, tuple(rows), stem="rules")


def importance_tables(found: ScoredDiagnoses) -> list[Table]:
    """Return for each first stage what its classifiers look at, in the layout of S3 Table 33."""
    tables = []
    for number, stage in enumerate(dict.fromkeys(stage for stage, _ in found.importances)):
        own = {name: looked for (each, name), looked in found.importances.items() if each == stage}
        by_feature: dict[str, dict[str, Importance]] = {}
        for name, looked in own.items():
            for one in looked:
                by_feature.setdefault(one.feature, {})[name] = one
        impure = [name for name, looked in own.items() if any(one.impurity is not None for one in looked)]
        columns = (
            Column("Feature"),
            *(Column("Importance Score", ".3f", group=LABELS[n]) for n in impure),
            *(Column("permuted [95 %]", ".3f", group=LABELS[n]) for n in own),
            Column("recordings with it"),
        )
        rows = []
        for feature, found_by in by_feature.items():
            lost = [number_of(found_by[name].permutation) for name in own]
            score = [found_by[name].impurity for name in impure]
            rows.append(Row((label_of(feature), *score, *lost, next(iter(found_by.values())).positives)))
        published = ", in the layout of S3 Table 33" if found.target.positive else ""
        title = (
            f"What classifiers look at, {stage}{published}. Importance Score: mean decrease in "
            "impurity, as published; permuted: balanced accuracy lost when a feature is shuffled"
        )
        stem = "s3_table_33_importances" if found.target.positive else f"{found.target.column}_importances"
        tables.append(Table(title, columns, tuple(rows), stem=f"{stem}_{number}"))
    return tables
