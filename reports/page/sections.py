"""Sections on wordings, enhancements and S3 tasks: what was scored, as plain values for the templates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from semiology.metrics.paired.verdict import Verdict
from semiology.reports.compare.enhancements import EnhancementEffect, effects_by_enhancement
from semiology.reports.compare.sentences import p_text
from semiology.reports.page.score_cells import GROUP_TITLES, interval, number
from semiology.reports.read.asked import Asked
from semiology.reports.summary.run_labels import marks_of
from semiology.reports.summary.s3 import S3Summary, baseline_of, shown_measures
from semiology.reports.summary.wordings import ModelWordings, WordingStrip
from semiology.reports.tables.s3 import by_task, coverage, run_title, task_title

MACRO_SHOWN: Mapping[str, str] = {
    "avg_p": "AvgP: accuracy of an average wording",
    "worst_at_5": "Worst@5: five random wordings all right",
    "balanced_accuracy": "balanced accuracy",
    "yes_rate": "share answered yes",
    "prevalence": "share with the feature",
    "unparsed_rate": "share unparsed",
    "alpha": "agreement of wordings (alpha)",
    "flips": "recordings whose answer flips",
    "yes_bias": "yes-bias in polarity pairs",
}
VERDICTS: Mapping[Verdict, str] = {
    "higher": "better",
    "lower": "worse",
    "equivalent": "equivalent",
    "not shown": "no clear difference",
    "same answers": "same answers",
    "too few": "too few patients",
    "undefined": "undefined",
}
"""What the verdicts of ``semiology compare --base … --enhanced …`` are called on the page."""


def wording_sections(
    models: Sequence[ModelWordings], records: Mapping[str, Mapping[str, Any]]
) -> list[dict[str, Any]]:
    """Return one section per model with its strips and macro measures."""
    return [
        {
            "model": each.model,
            "marks": marks_of(each.model, records),
            "strips": [_strip(strip) for strip in each.strips],
            "macro": [
                {"title": title, **interval(each.macro[name])}
                for name, title in MACRO_SHOWN.items()
                if name in each.macro
            ],
            "notes": each.notes,
        }
        for each in models
    ]


def _strip(strip: WordingStrip) -> dict[str, Any]:
    answers, robustness, f1 = strip.answers, strip.robustness, strip.f1
    places = {"reference": answers.reference, "best": strip.best, "worst": strip.worst}
    for role in (
        "best",
        "worst",
    ):  # of wordings of equal F1 the reference stands for all, if it is one of them
        place, reference = places[role], answers.reference
        if place is not None and reference is not None and f1[reference] == f1[place]:
            places[role] = reference
    points = [
        {
            "name": name,
            "family": family,
            "f1": number(value),
            "role": "; ".join(role for role, place in places.items() if place == i) or "other",
            "equals": f1.count(value) - 1,
        }
        for i, (name, family, value) in enumerate(zip(answers.wordings, answers.families, f1, strict=True))
    ]
    chosen = strip.chosen
    return {
        "feature": answers.feature,
        "points": points,
        "always_yes": number(strip.always_yes),
        **{role: None if place is None else points[place] for role, place in places.items()},
        "chosen": chosen and {"names": list(dict.fromkeys(chosen.chosen)), **interval(chosen.held_out)},
        "flips": interval(robustness.estimates["flips"]),
        "spread": interval(robustness.estimates["accuracy_spread"]),
        "noise_spread": number(strip.noise_spread),
        "p_value": number(strip.p_value),
        "n": robustness.n,
        "patients": robustness.n_patients,
        "left_out": robustness.n_left_out,
        "k": len(points),
    }


def enhancement_sections(
    effects: Sequence[EnhancementEffect], records: Mapping[str, Mapping[str, Any]]
) -> list[dict[str, Any]]:
    """Return one section per model, wording and enhancement."""
    return [
        {
            "title": Asked(model, prompt, enhancement).label,
            "marks": marks_of(model, records),
            "rows": [
                {
                    "name": f"mean of {each.n_features}" if each.name == "mean" else each.name,
                    "mean": each.name == "mean",
                    "group": GROUP_TITLES[each.group],
                    "plain": number(each.plain),
                    "enhanced": number(each.enhanced),
                    "difference": interval(each.difference),
                    "p": number(each.p_value),
                    "p_text": p_text(each.p_value),
                    "verdict": VERDICTS[each.verdict],
                    "n": each.n,
                    "patients": each.n_patients,
                }
                for each in rows
            ],
        }
        for (model, prompt, enhancement), rows in effects_by_enhancement(effects).items()
    ]


MOST_CASES = 500
"""Rows of a task that the page shows case by case."""
NOT_ON_PAGE = frozenset(
    {"model", "prompt", "enhancement", "video_id", "patient_id", "segments", "unparsed_segments"}
    | {"expert_report", "report", "expert_justification", "justification"}
)
"""Columns of cases that stand in the label, and texts: those of experts are never on the page."""


def case_sections(
    cases: Mapping[str, Sequence[Mapping[str, Any]]], names: Mapping[str, str]
) -> dict[str, Any]:
    """Return the tables of cases by task: heads, rows of (run, recording, cells), and how many rows are left out.

    Args:
        cases: of `semiology.reports.summary.s3_cases.case_tables`. names: what each recording is called on the page.
    """
    found = {}
    for task, rows in cases.items():
        heads = [name for name in rows[0] if name not in NOT_ON_PAGE] if rows else []
        shown = [
            {
                "run": Asked(row["model"], row["prompt"], row["enhancement"]).label,
                "recording": names[row["video_id"]],
                "cells": [
                    round(row[name], 3) if isinstance(row[name], float) else row[name] for name in heads
                ],
            }
            for row in rows[:MOST_CASES]
        ]
        found[task] = {"heads": heads, "rows": shown, "left_out": len(rows) - len(shown)}
    return found


def s3_sections(summary: S3Summary, records: Mapping[str, Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return one section per task; within it one row per run, part and measure."""
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
            "rows": [
                {
                    "run": run_title(run),
                    "part": part.part,
                    "clip": part.clip_form,
                    "figure": measure.title,
                    "rule": measure.rule,
                    "less": measure.less_is_better,
                    **interval(estimate),
                    "baseline": number(value),
                    "baseline_name": name,
                }
                for run in runs
                for part in run.parts
                for measure, estimate in shown_measures(run, part)
                for value, name in (baseline_of(measure, part),)
            ],
        }
        for task, runs in by_task(summary)
    ]
