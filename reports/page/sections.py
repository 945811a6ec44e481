"""Sections on wordings, enhancements and S3 tasks: what was scored, as plain values for the templates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from semiology.reports.compare.enhancements import EnhancementEffect, effects_by_enhancement
from semiology.reports.compare.sentences import Verdict, p_text
from semiology.reports.page.score_cells import GROUP_TITLES, interval, number
from semiology.reports.read.asked import Asked
from semiology.reports.summary.run_labels import marks_of
from semiology.reports.summary.s3 import S3Run, S3Summary, baseline_value, shown_figures
from semiology.reports.summary.s3_measures import baseline_title
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

    def first_of_equals(place: int | None) -> int | None:
        """Return the place that stands for wordings of equal F1: the reference's if it is one of them."""
        reference = strip.reference
        same = place is not None and reference is not None and strip.f1[reference] == strip.f1[place]
        return reference if same else place

    def at(place: int | None) -> dict[str, Any] | None:
        return None if place is None else points[place]

    best, worst = first_of_equals(strip.best), first_of_equals(strip.worst)
    places = {"reference": strip.reference, "best": best, "worst": worst}
    points = [
        {
            "name": name,
            "family": family,
            "f1": number(value),
            "role": "; ".join(role for role, place in places.items() if place == i) or "other",
            "equals": strip.f1.count(value) - 1,
        }
        for i, (name, family, value) in enumerate(zip(strip.wordings, strip.families, strip.f1, strict=True))
    ]
    chosen = strip.chosen
    return {
        "feature": strip.feature,
        "points": points,
        "always_yes": number(strip.always_yes),
        "reference": at(strip.reference),
        "best": at(best),
        "worst": at(worst),
        "chosen": None
        if chosen is None
        else {"names": list(dict.fromkeys(chosen.chosen)), **interval(chosen.held_out)},
        "flips": interval(strip.estimates["flips"]),
        "spread": interval(strip.estimates["accuracy_spread"]),
        "noise_spread": number(strip.noise_spread),
        "p_value": number(strip.p_value),
        "n": strip.n,
        "patients": strip.n_patients,
        "left_out": strip.n_left_out,
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
            "rows": [_effect(each) for each in rows],
        }
        for (model, prompt, enhancement), rows in effects_by_enhancement(effects).items()
    ]


def _effect(effect: EnhancementEffect) -> dict[str, Any]:
    mean = effect.name == "mean"
    return {
        "name": f"mean of {effect.n_features}" if mean else effect.name,
        "mean": mean,
        "group": GROUP_TITLES[effect.group],
        "plain": number(effect.plain),
        "enhanced": number(effect.enhanced),
        "difference": interval(effect.difference),
        "p": number(effect.p_value),
        "p_text": p_text(effect.p_value),
        "verdict": VERDICTS[effect.verdict],
        "n": effect.n,
        "patients": effect.n_patients,
    }


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
            "rows": [row for run in runs for row in _s3_rows(run)],
        }
        for task, runs in by_task(summary)
    ]


def _s3_rows(run: S3Run) -> list[dict[str, Any]]:
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
