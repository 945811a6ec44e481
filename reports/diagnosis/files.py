"""The files of the second stage: tables in print, rows for machines, the conclusion about every recording, figures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from semiology.metrics.diagnosis.rules import UNDECIDED
from semiology.metrics.diagnosis.targets import Target
from semiology.render.latex import table_latex
from semiology.render.table import Table, csv_of, markdown, paper_markdown, table_csv
from semiology.render.text import rounded
from semiology.reports.diagnosis.figures import diagnosis_figures
from semiology.reports.diagnosis.literature import CitedRule
from semiology.reports.diagnosis.scoring import ScoredDiagnoses, ScoredStage
from semiology.reports.diagnosis.tables import confusion_counts, diagnosis_document, mean_auroc, not_validated
from semiology.reports.summary.features import limit_cells

_ES_MEASURES = ("f1", "precision", "recall", "accuracy", "balanced_accuracy", "mcc")
_CLASS_MEASURES = ("balanced_accuracy", "macro_f1", "macro_precision", "accuracy", "mcc")


def diagnosis_files(
    found: ScoredDiagnoses, *, settings: str, rules: Sequence[CitedRule] = ()
) -> dict[str, str | bytes]:
    """Return every file by name: diagnosis.md, tables in print, rows for machines, curves and figures.

    ``conclusions.csv`` has each recording with the probability of each class: it stays on the machine.
    """
    document = diagnosis_document(found, settings=settings, rules=rules)
    files: dict[str, str | bytes] = {
        "diagnosis.md": markdown(document),
        "diagnosis.csv": csv_of([_flat(row, found.target) for row in found.rows]),
        "conclusions.csv": csv_of([each for row in found.rows for each in _conclusions(row, found.target)]),
        "calibration.csv": csv_of([each for row in found.rows for each in _bins(row, found.target)]),
        "confusion.csv": csv_of([each for row in found.rows for each in _confusion(row, found.target)]),
    }
    for part in document.parts:
        if isinstance(part, Table) and part.stem:
            files[f"{part.stem}.csv"] = table_csv(part)
            files[f"{part.stem}.md"] = paper_markdown(part)
            files[f"{part.stem}.tex"] = table_latex(part)
    if found.target.positive:
        files["decision_curve.csv"] = csv_of(
            [
                _head(row)
                | {
                    "threshold": p.threshold,
                    "net_benefit": p.net_benefit,
                    "treat_all": p.treat_all,
                    "treat_none": 0.0,
                }
                for row in found.rows
                for p in row.curve
            ]
        )
    return files | diagnosis_figures(found)


def diagnosis_content(found: ScoredDiagnoses) -> Mapping[str, Any]:
    """Return the rows and notes for ``--json``."""
    caveats = (*found.caveats, not_validated(found.target))
    rows = [_flat(row, found.target) for row in found.rows]
    return {"target": found.target.column, "rows": rows, "caveats": caveats, "notes": found.notes}


def _head(row: ScoredStage) -> dict[str, Any]:
    return {"features_from": row.stage, "classifier": row.classifier, "scope": row.scope}


def _conclusions(row: ScoredStage, target: Target) -> list[dict[str, Any]]:
    return [
        {"video_id": video}
        | _head(row)
        | {
            "target": target.column,
            "truth": row.truth[video],
            "answer": "undecided" if answer == UNDECIDED else answer,
        }
        | {f"p_{name}": rounded(p) for name, p in zip(target.classes, row.probability[video], strict=True)}
        | {"rules": "; ".join(row.reasons[video])}
        for video, answer in sorted(row.answers.items())
    ]


def _bins(row: ScoredStage, target: Target) -> list[dict[str, Any]]:
    found = []
    for name, sure in row.sure.items():
        for each in sure.calibration:
            if target.positive:
                cells = {"mean_p_es": each.mean} | limit_cells("share_es", each.share)
            else:
                cells = {"class": name, "mean_p": each.mean} | limit_cells("share", each.share)
            found.append(_head(row) | cells | {"recordings": each.n})
    return found


def _confusion(row: ScoredStage, target: Target) -> list[dict[str, Any]]:
    return [
        _head(row) | {"truth": true, "answer": answer, "recordings": count}
        for true, counts in confusion_counts(row, target).items()
        for answer, count in zip((*target.classes, "undecided"), counts, strict=True)
    ]


def _flat(row: ScoredStage, target: Target) -> dict[str, Any]:
    measure = target.measure
    constant = "always_es" if target.positive else "most_frequent"
    cells = _head(row)
    for name in _ES_MEASURES if target.positive else _CLASS_MEASURES:
        cells |= limit_cells(name, row.scores.estimates[name])
    cells |= {
        f"{constant}_{measure}": rounded(row.constant_scores[measure]),
        f"ceiling_{measure}": rounded(row.ceiling),
    }
    cells |= limit_cells(f"{measure}_minus_{constant}", row.above_constant)
    cells |= limit_cells(f"{measure}_minus_ceiling", row.below_ceiling)
    cells |= limit_cells("kappa", row.kappa)
    if target.positive:
        cells |= limit_cells("auroc", row.sure[target.positive].auroc if row.sure else None)
    else:
        auroc = mean_auroc(row)
        cells |= {
            "most_frequent": row.constant,
            "most_frequent_macro_f1": rounded(row.constant_scores["macro_f1"]),
            "most_frequent_accuracy": rounded(row.constant_scores["accuracy"]),
            "mean_auroc": None if auroc is None else rounded(auroc),
        }
    cells |= limit_cells("brier", row.brier)
    folds = " ".join(f"{fold}={value:.4f}" for fold, value in row.by_fold.items())
    shown = row.scores.estimates[measure]
    return cells | {
        "fold_mean": rounded(row.fold_mean),
        "fold_variance": rounded(row.fold_variance),
        "by_fold": folds,
        "undecided": row.undecided,
        "recordings": shown.n,
        "patients": shown.n_patients,
    }
