"""The folder ``tables/``: what the page shows as CSV and Markdown, and layouts of the published tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from semiology.render.latex import table_latex
from semiology.render.table import Footnotes, Table, csv_of, markdown_table, paper_markdown, table_csv
from semiology.reports.summary.features import Summary
from semiology.reports.summary.s3 import S3Summary
from semiology.reports.tables.paper.feature_layouts import (
    TEST,
    WHOLE,
    RunNames,
    embc_tables,
    feature_tables,
)
from semiology.reports.tables.paper.s3_layouts import s3_tables

Row = Mapping[str, Any]


def content_tables(content: Mapping[str, Any]) -> dict[str, str]:
    """Return the tables of the page by file name: heatmap, headline, wordings, enhancements, certainty, counts.

    Args:
        content: of `semiology.reports.page.content.page_content`.
    """
    tables: dict[str, list[Row]] = {
        "headline": [_headline(row) for row in content["headline"]],
        "heatmap": _heatmap(content),
        "wordings": [row for model in content["wordings"] for row in _wordings(model)],
        "enhancements": [row for part in content["enhancements"] for row in _enhancements(part)],
        "certainty": [
            _certainty(part, row) for part in content["certainty"].get("parts", ()) for row in part["rows"]
        ],
        "counts": [_counts(row) for row in content["confusions"]],
    }
    files: dict[str, str] = {}
    for name, rows in tables.items():
        if rows:
            files |= {
                f"{name}.csv": csv_of(rows),
                f"{name}.md": "\n".join(markdown_table(Table.of_rows(rows), Footnotes())),
            }
    return files


def published_layouts(
    features: Summary | None,
    s3: S3Summary | None,
    test: tuple[Summary | None, S3Summary | None] | None,
    records: Mapping[str, Mapping[str, Any]],
    more: Sequence[Table] = (),
) -> dict[str, str]:
    """Return the layouts of the published tables by file name, as far as there are answers.

    Args:
        features, s3: scores on all recordings.
        test: scores on the recordings of the split ``test``, or None if the set names none.
        records: facts of the runs by model: simulated recordings and embedded models are named.
        more: further layouts.
    """
    name = RunNames(records)
    tables: list[Table] = list(more)
    for scope, (own, own_s3) in ((WHOLE, (features, s3)), (TEST, test or (None, None))):
        tables += feature_tables(own, scope, name) if own else []
        tables += s3_tables(own_s3, scope, name) if own_s3 else []
    tables += embc_tables(features, name) if features else []
    files = {}
    for table in tables:
        files[f"{table.stem}.csv"] = table_csv(table, printed=True)
        files[f"{table.stem}.md"] = paper_markdown(table)
        files[f"{table.stem}.tex"] = table_latex(table)
    return files


def _headline(row: Row) -> Row:
    kept = ("label", "group", "n_features", "always_yes", "verdict", "recordings", "patients")
    counts = ("coverage", "unparsed", "unparsed_share")
    return {
        **{name: row[name] for name in kept},
        "marks": "; ".join(row["marks"]),
        **_limits("f1", row["f1"]),
        **_limits("difference", row["difference"]),
        **{name: row[name] for name in counts},
    }


def _heatmap(content: Mapping[str, Any]) -> list[Row]:
    """Return one row per feature and run: the numbers of the heatmap."""
    return [
        {
            "feature": row["feature"],
            "run": run.label,
            "marks": "; ".join(run.marks),
            **{
                key: value
                for name in cell["metrics"]
                for key, value in _limits(name, cell["metrics"][name]).items()
            },
            "always_yes": cell["always_yes"],
            "clears_always_yes": cell["clears"],
            **{name: cell[name] for name in ("n", "asked", "patients", "positive", "unparsed")},
        }
        for row in content["heatmap"]
        for run, cell in zip(content["runs"], row["cells"], strict=True)
        if cell is not None
    ]


def _wordings(model: Row) -> list[Row]:
    return [
        {
            "model": model["model"],
            "marks": "; ".join(model["marks"]),
            "feature": strip["feature"],
            "wording": point["name"],
            **{name: point[name] for name in ("family", "role", "f1")},
            "always_yes": strip["always_yes"],
            "recordings": strip["n"],
            "patients": strip["patients"],
            **_limits("flips", strip["flips"]),
            **_limits("selected", strip["chosen"] or {"value": None, "low": None, "high": None}),
        }
        for strip in model["strips"]
        for point in strip["points"]
    ]


def _enhancements(part: Row) -> list[Row]:
    kept = ("name", "group", "plain", "enhanced", "p", "verdict", "n", "patients")
    marks = "; ".join(part["marks"])
    return [
        {
            "run": part["title"],
            "marks": marks,
            **{name: row[name] for name in kept},
            **_limits("change", row["difference"]),
        }
        for row in part["rows"]
    ]


def _certainty(part: Row, row: Row) -> Row:
    with_limits = (
        "auroc",
        "average_precision",
        "brier",
        "gain",
        "sensitivity",
        "specificity",
        "referred",
        "kept_error",
    )
    cells: dict[str, Any] = {
        "run": part["title"],
        "marks": "; ".join(part["marks"]),
        "feature": row["feature"],
    }
    for name in (*with_limits, "referred", "kept_error"):
        cells |= _limits(name, row[name])
    return cells | {
        "prevalence": row["prevalence"],
        "any_yes_f1": row["any_yes"]["value"],
        "own_threshold_f1": row["own"]["value"],
        **{name: row[name] for name in ("all_error", "n", "patients", "scored_patients", "left_out")},
    }


def _counts(row: Row) -> Row:
    run = row["run"]
    rest = {key: value for key, value in row.items() if key not in ("run", "feature")}
    return {"run": run.label, "marks": "; ".join(run.marks), "feature": row["feature"], **rest}


def _limits(name: str, estimate: Mapping[str, Any]) -> dict[str, Any]:
    return {name: estimate["value"], f"{name}_low": estimate["low"], f"{name}_high": estimate["high"]}
