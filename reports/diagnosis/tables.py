"""The second stage as tables: S3 Table 32, the "2-stages" of Table 2, Table 33, and its files."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from semiology.features import label_of
from semiology.metrics.diagnosis.classifiers import CLASSIFIERS
from semiology.metrics.diagnosis.importances import Importance
from semiology.render.latex import table_latex
from semiology.render.table import (
    Cell,
    Column,
    Document,
    Row,
    Table,
    csv_of,
    markdown,
    paper_markdown,
    table_csv,
)
from semiology.render.text import rounded
from semiology.reports.diagnosis.figures import diagnosis_figures
from semiology.reports.diagnosis.inputs import EXPERTS
from semiology.reports.diagnosis.scoring import ALWAYS_ES, CROSS_VALIDATION, ScoredDiagnoses, ScoredStage
from semiology.reports.summary.features import limit_cells
from semiology.reports.tables.estimates import number_of

MEASURES = ("f1", "precision", "recall", "accuracy", "balanced_accuracy", "mcc")
REMARKS = (
    (
        "F1, precision and recall are those of ES. Every recording is diagnosed by a classifier that learned from "
        "other patients; patients of the splits test and confirm are never learned from."
    ),
    (
        "Ceiling: the same classifier on the experts' annotations of the same recordings, which is what a model that "
        "answers every question as the experts did would give to the second stage."
    ),
    "Mean and variance of folds have no interval: folds share what they learn from.",
)
NOT_VALIDATED = "For research: no diagnosis here is validated for patients."


def diagnosis_document(found: ScoredDiagnoses, *, settings: str, importances: bool = True) -> Document:
    """Return folds and pooled scores of each scope and, if wanted, what every classifier looks at."""
    scopes = list(dict.fromkeys(row.scope for row in found.rows))
    parts = [part for scope in scopes for part in (folds_table(found, scope), scores_table(found, scope))]
    title = f"ES or NES in two stages, {settings} settings"
    return Document(
        title,
        (*(part for part in parts if part), *(importance_tables(found) if importances else ())),
        (*found.caveats, NOT_VALIDATED),
        REMARKS,
        found.notes,
    )


def folds_table(found: ScoredDiagnoses, scope: str) -> Table | None:
    """Return the layout of S3 Table 32: F1 by fold, mean and variance; None for a scope that is no cross-validation."""
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
        name = CLASSIFIERS[row.classifier].label
        rows.append(Row((name, row.stage, *cells, row.fold_mean, row.fold_variance)))
    for stage in dict.fromkeys(row.stage for row in own):
        first = next(row for row in own if row.stage == stage)
        values = [first.always_by_fold.get(fold, math.nan) for fold in folds]
        defined = [value for value in values if not math.isnan(value)]
        mean = sum(defined) / len(defined) if defined else math.nan
        variance = sum((value - mean) ** 2 for value in defined) / len(defined) if defined else math.nan
        rows.append(Row((ALWAYS_ES, stage, *values, mean, variance), style="dim", baseline=True))
    title = "F1 of ES by fold, in the layout of S3 Table 32"
    return Table(title, columns, tuple(rows), stem="s3_table_32_two_stages")


def scores_table(found: ScoredDiagnoses, scope: str) -> Table:
    """Return the "2-stages" of S3 Table 2 for every classifier, with always ES and the ceiling beside."""
    columns = (
        Column("features from"),
        Column("classifier", left=True),
        Column("F1 [95 %]"),
        Column("always ES"),
        Column("F1 − always ES [95 %]"),
        Column("ceiling"),
        Column("F1 − ceiling [95 %]"),
        *(Column(name, rank=1) for name in ("precision", "recall", "accuracy")),
        Column("balanced accuracy [95 %]"),
        Column("MCC", rank=1),
        Column("AUROC", rank=2),
        Column("Brier", ".3f", rank=2),
        Column("recordings (patients)", layout="{} ({})"),
    )
    rows = []
    for row in (each for each in found.rows if each.scope == scope):
        value = row.scores.estimates
        below = row.below_ceiling
        sure = row.sure
        rows.append(
            Row(
                (
                    row.stage,
                    CLASSIFIERS[row.classifier].label,
                    number_of(value["f1"]),
                    row.scores.baselines["always_ES_f1"],
                    number_of(row.above_always),
                    row.ceiling,
                    "is the ceiling" if below is None else number_of(below),
                    *(value[name].value for name in ("precision", "recall", "accuracy")),
                    number_of(value["balanced_accuracy"]),
                    value["mcc"].value,
                    None if sure is None else sure.auroc.value,
                    None if sure is None else sure.brier.value,
                    (value["f1"].n, value["f1"].n_patients),
                ),
                style="bold" if row.stage == EXPERTS else "",
            )
        )
    title = f'Two stages, {scope}: the "2-stages" of S3 Table 2, beside always ES and the ceiling'
    return Table(title, columns, tuple(rows), stem=f"s3_table_02_two_stages_{scope.replace(' ', '_')}")


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
            *(Column("Importance Score", ".3f", group=CLASSIFIERS[n].label) for n in impure),
            *(Column("permuted [95 %]", ".3f", group=CLASSIFIERS[n].label) for n in own),
            Column("recordings with it"),
        )
        rows = []
        for feature, found_by in by_feature.items():
            lost = [number_of(found_by[name].permutation) for name in own]
            score = [found_by[name].impurity for name in impure]
            rows.append(Row((label_of(feature), *score, *lost, next(iter(found_by.values())).positives)))
        title = (
            f"What classifiers look at, {stage}, in the layout of S3 Table 33. Importance Score: mean decrease in "
            "impurity, as published; permuted: balanced accuracy lost when a feature is shuffled"
        )
        tables.append(Table(title, columns, tuple(rows), stem=f"s3_table_33_importances_{number}"))
    return tables


def diagnosis_files(found: ScoredDiagnoses, *, settings: str) -> dict[str, str | bytes]:
    """Return every file by name: diagnosis.md, tables in print, rows for machines, curves and figures."""
    document = diagnosis_document(found, settings=settings)
    files: dict[str, str | bytes] = {
        "diagnosis.md": markdown(document),
        "diagnosis.csv": csv_of([_flat(row) for row in found.rows]),
    }
    for part in document.parts:
        if isinstance(part, Table) and part.stem:
            files[f"{part.stem}.csv"] = table_csv(part)
            files[f"{part.stem}.md"] = paper_markdown(part)
            files[f"{part.stem}.tex"] = table_latex(part)
    heads = [
        (row, {"features_from": row.stage, "classifier": row.classifier, "scope": row.scope})
        for row in found.rows
    ]
    bins = [
        head | {"mean_p_es": each.mean} | limit_cells("share_es", each.share) | {"recordings": each.n}
        for row, head in heads
        for each in (row.sure.calibration if row.sure else ())
    ]
    points = [
        head
        | {
            "threshold": p.threshold,
            "net_benefit": p.net_benefit,
            "treat_all": p.treat_all,
            "treat_none": 0.0,
        }
        for row, head in heads
        for p in row.curve
    ]
    files["calibration.csv"], files["decision_curve.csv"] = csv_of(bins), csv_of(points)
    return files | diagnosis_figures(found)


def diagnosis_content(found: ScoredDiagnoses) -> Mapping[str, Any]:
    """Return the rows and notes for ``--json``."""
    return {"rows": [_flat(row) for row in found.rows], "caveats": found.caveats, "notes": found.notes}


def _flat(row: ScoredStage) -> dict[str, Any]:
    cells: dict[str, Any] = {"features_from": row.stage, "classifier": row.classifier, "scope": row.scope}
    for name in MEASURES:
        cells |= limit_cells(name, row.scores.estimates[name])
    cells |= {
        "always_es_f1": rounded(row.scores.baselines["always_ES_f1"]),
        "ceiling_f1": rounded(row.ceiling),
    }
    cells |= limit_cells("f1_minus_always_es", row.above_always)
    cells |= limit_cells("f1_minus_ceiling", row.below_ceiling)
    cells |= limit_cells("auroc", row.sure.auroc if row.sure else None)
    cells |= limit_cells("brier", row.sure.brier if row.sure else None)
    folds = " ".join(f"{fold}={value:.4f}" for fold, value in row.by_fold.items())
    f1 = row.scores.estimates["f1"]
    return cells | {
        "fold_mean": rounded(row.fold_mean),
        "fold_variance": rounded(row.fold_variance),
        "by_fold": folds,
        "recordings": f1.n,
        "patients": f1.n_patients,
    }
