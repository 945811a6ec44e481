"""The summary of the features for people and machines: tables, sentences around them, and the writer of files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from rich.console import Console

from semiology.data.cache import write_texts
from semiology.features import FIRST_SEGMENT_ONLY
from semiology.metrics.paired.feature_counts import count_features
from semiology.metrics.scores.run_scores import FeatureScores, MacroScores
from semiology.render.table import (
    Cell,
    Column,
    Document,
    Lines,
    Noted,
    Row,
    Table,
    csv_of,
    markdown,
    print_document,
)
from semiology.render.text import counted, json_text
from semiology.reports.summary.features import RunSummary, Summary, headline, summary_rows
from semiology.reports.tables.estimates import number_of
from semiology.reports.tables.feature_counts import count_sentence

COLUMNS = (
    Column("feature"),
    Column("F1 [95 %]"),
    Column("always-yes"),
    Column("precision", rank=2),
    Column("recall", rank=2),
    Column("accuracy", rank=3),
    Column("specificity", rank=3),
    Column("bal. acc.", rank=1),
    Column("MCC", rank=3),
    Column("prevalence", rank=3),
    Column("unparsed", ".0%", "{} ({})"),
    Column("recordings", rank=3),
    Column("patients", rank=3),
    Column("with feature", layout="{} ({})", rank=1),
)
_SHOWN = ("precision", "recall", "accuracy", "specificity", "balanced_accuracy", "mcc")
POLICIES = {
    "wrong": "Recordings without a yes or no answer count as wrong.",
    "drop": "Recordings without a yes or no answer are left out of the scores.",
}


def document(summary: Summary) -> Document:
    """Return the tables of all runs, with what a reader must know of them."""
    first = ", ".join(sorted(FIRST_SEGMENT_ONLY))
    parts: list[Table | Lines] = []
    for run in summary.runs:
        parts += [_table(run), *_counts(run)]
    return Document(
        "Scores per recording",
        tuple(parts),
        summary.caveats,
        (
            f"A recording is positive if any of its segments is answered yes ({first}: the first segment).",
            POLICIES[summary.policy],
            "always-yes: F1 of answering yes to every recording. with feature: recordings that show it (patients).",
            "Intervals are clustered by patient; nothing is drawn for them. Method per row in summary.csv.",
            (
                "Above or below always-yes: patient sign-flip test "
                f"(seed {summary.seed}), adjusted for the features of the run; of a mean over features, for F1 and "
                "balanced accuracy."
            ),
        ),
        summary.notes,
        "Files and rows",
        tuple(headline(summary).splitlines()),
    )


def _counts(run: RunSummary) -> list[Lines]:
    """Return in how many features F1 is above that of always yes; nothing of a single feature."""
    found = count_features([each.estimates["f1_minus_always_yes"].value for each in run.scores.features])
    return [Lines((count_sentence(found, "F1", "this run", "always yes"),))] if found.features > 1 else []


def content(summary: Summary) -> dict[str, Any]:
    """Return the machine table, caveats and notes, ready for JSON."""
    return {
        "headline": headline(summary).splitlines(),
        "caveats": list(summary.caveats),
        "notes": list(summary.notes),
        "policy": summary.policy,
        "resamples": summary.resamples,
        "seed": summary.seed,
        "rows": summary_rows(summary),
    }


def write_files(summary: Summary, folder: Path) -> list[Path]:
    """Write summary.csv, summary.md and summary.json; return their paths."""
    contents = {
        "summary.csv": csv_of(summary_rows(summary)),
        "summary.md": markdown(document(summary)),
        "summary.json": json_text(content(summary)) + "\n",
    }
    return write_texts(contents, folder)


def print_summary(summary: Summary, console: Console) -> None:
    """Print caveats, one table per run, footnotes, notes and the headline."""
    print_document(document(summary), console)


def _table(run: RunSummary) -> Table:
    features = [_feature_cells(run, scores) for scores in run.scores.features]
    macros = [_macro_cells(run, macro) for macro in run.scores.macros]
    rows = [Row(cells, ends=number == len(features)) for number, cells in enumerate(features, start=1)]
    rows += [Row(cells, style="bold") for cells in macros]
    title = f"{run.model} · wording {run.prompt} · enhancement {run.enhancement}"
    return Table(title, COLUMNS, tuple(rows))


def _feature_cells(run: RunSummary, scores: FeatureScores) -> tuple[Cell, ...]:
    three = "mean over the three classes yes, no and na (always-yes and prevalence refer to yes)"
    asked = max(run.n_recordings[scores.feature] - scores.n_na_truth - scores.n_without_truth, 1)
    excluded = scores.n_na_truth + scores.n_without_truth + scores.n_dropped
    kinds = (
        (scores.n_na_truth, "annotated as not applicable"),
        (scores.n_without_truth, "not annotated"),
        (scores.n_dropped, "without a yes or no answer"),
    )
    reasons = ", ".join(f"{count} {what}" for count, what in kinds if count)
    return (
        Noted(scores.feature, three if scores.three_classes else None),
        number_of(scores.estimates["f1"]),
        scores.always_yes_f1,
        *(scores.estimates[name].value for name in _SHOWN),
        scores.prevalence,
        (scores.n_unparsed, scores.n_unparsed / asked),
        Noted(scores.n, f"{counted(excluded, 'recording')} not scored ({reasons})" if excluded else None),
        scores.n_patients,
        (scores.n_positive, scores.n_positive_patients),
    )


def _macro_cells(run: RunSummary, macro: MacroScores) -> tuple[Cell, ...]:
    left_out = f"without {', '.join(macro.left_out)}: no recording shows it" if macro.left_out else None
    return (
        Noted(f"macro {macro.group}, {counted(len(macro.features), 'feature')}", left_out),
        number_of(macro.estimates["f1"]),
        macro.estimates["always_yes_f1"].value,
        *(macro.estimates[name].value for name in _SHOWN),
        macro.estimates["prevalence"].value,
        macro.estimates["unparsed_rate"].value if macro.features else None,
        run.n_recordings[f"group:{macro.group}"],
        run.n_patients[f"group:{macro.group}"],
        "",
    )
