"""Section of the S3 tasks: figures of every run, by task, as plain values."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from semiology.reports.page.score_cells import interval, number
from semiology.reports.summary.run_labels import marks_of
from semiology.reports.summary.s3 import S3Run, S3Summary, baseline_value, shown_figures
from semiology.reports.summary.s3_measures import baseline_title
from semiology.reports.tables.s3 import by_task, coverage, run_title, task_title


def s3_sections(summary: S3Summary, records: Mapping[str, Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return one section per task; within it one row per run, part and figure."""
    return [
        {
            "task": task,
            "title": task_title(task),
            "runs": [
                {
                    "title": run_title(run),
                    "marks": marks_of(run.model, records),
                    "coverage": coverage(run),
                    "partial": bool(run.counts.partial),
                    "remarks": run.remarks,
                }
                for run in runs
            ],
            "rows": [row for run in runs for row in _rows(run)],
        }
        for task, runs in by_task(summary)
    ]


def _rows(run: S3Run) -> list[dict[str, Any]]:
    rows = []
    for part in run.parts:
        for figure, estimate in shown_figures(run, part):
            name = "chance" if figure.chance is not None else baseline_title(figure.baseline or "")
            baseline = baseline_value(figure, part)
            rows.append(
                {
                    "run": run_title(run),
                    "part": part.part,
                    "clip": part.clip_form,
                    "figure": figure.title,
                    "rule": figure.rule,
                    "less": figure.less_is_better,
                    **interval(estimate),
                    "baseline": number(baseline),
                    "baseline_name": name if baseline is not None else "",
                }
            )
    return rows
