"""Headline and heatmap: what each main run scores, whether it clears chance, and how much it was asked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from semiology.features import FEATURES, group_of
from semiology.metrics.scores.aggregation import THREE_CLASSES
from semiology.metrics.scores.run_scores import FeatureScores, clears
from semiology.metrics.statistics.intervals import Estimate
from semiology.render.text import counted, rounded
from semiology.reports.summary.features import AGAINST_ALWAYS_YES, GROUPS
from semiology.reports.summary.run_labels import ShownRun

METRICS: Mapping[str, str] = {
    "f1": "F1",
    "f1_minus_always_yes": "F1 minus always-yes",
    "balanced_accuracy": "balanced accuracy",
}
"""What the heatmap can show; the first is shown at once."""
STEPS = 9
GROUP_TITLES = {"limb_body": "limb and body", "facial": "face", "audio": "sound"}


number = partial(rounded, decimals=4)
"""A value rounded for the page, None if it is undefined."""


def interval(estimate: Estimate) -> dict[str, Any]:
    """Return an estimate as plain values: value, low, high, and why there is no interval, or a caution."""
    limits = {name: number(getattr(estimate, name)) for name in ("value", "low", "high")}
    return {**limits, "reason": estimate.reason or estimate.caution}


def headline_rows(
    runs: Sequence[ShownRun],
    asked: Mapping[tuple[str, str], int],
    provenance: Sequence[Mapping[str, Any]] = (),
) -> list[dict[str, Any]]:
    """Return one row per main run and the first group of features it was asked about, the highest score first.

    Args:
        runs: all runs; those that are not main are left out.
        asked: recordings that could have been asked about, by key of a run and feature.
        provenance: of the runs, for time and tokens where a model has one run alone.
    """
    rows = []
    for run in runs:
        if not run.main or not run.summary.scores.macros:
            continue
        macro = run.summary.scores.macros[0]
        members = {*macro.features, *macro.left_out}
        scores = [each for each in run.summary.scores.features if each.feature in members]
        given = sum(run.summary.n_recordings[each.feature] for each in scores)
        own = {each.feature for each in scores}
        lacking = [f for f in GROUPS[macro.group] if f not in own and (run.key, f) in asked]
        possible = sum(asked.get((run.key, feature), 0) for feature in (*own, *lacking))
        unparsed = sum(each.n_unparsed for each in scores)
        difference = macro.estimates["f1_minus_always_yes"]
        rows.append(
            {
                "key": run.key,
                "label": run.label,
                "marks": run.marks,
                "group": macro.group,
                "n_features": len(macro.features),
                "left_out": list(macro.left_out),
                "lacking": lacking,
                "three_classes": [name for name in macro.features if name in THREE_CLASSES],
                "f1": interval(macro.estimates["f1"]),
                "always_yes": number(macro.estimates["always_yes_f1"].value),
                "difference": interval(difference),
                "clears": macro.clears_chance,
                "verdict": AGAINST_ALWAYS_YES[macro.against_always_yes["f1"]],
                "recordings": run.summary.n_recordings[f"group:{macro.group}"],
                "patients": run.summary.n_patients[f"group:{macro.group}"],
                "coverage": given / possible if possible else None,
                "answers": given,
                "unparsed": unparsed,
                "unparsed_share": unparsed / given if given else None,
                "cost": _cost(run, provenance),
            }
        )
    return sorted(
        rows, key=lambda row: -1.0 if row["f1"]["value"] is None else row["f1"]["value"], reverse=True
    )


def _cost(run: ShownRun, provenance: Sequence[Mapping[str, Any]]) -> dict[str, Any] | None:
    """Return seconds and tokens of a model's run; None where it has several runs, or the record is silent."""
    own = [each for each in provenance if each.get("model") == run.summary.model]
    if len(own) != 1 or not own[0].get("seconds"):
        return None
    recordings = max(run.summary.n_recordings.values(), default=0)
    per_recording = own[0]["seconds"] / recordings if recordings else None
    return {
        "seconds": own[0]["seconds"],
        "per_recording": per_recording,
        "tokens": own[0].get("output_tokens_per_question"),
    }


def heatmap_rows(runs: Sequence[ShownRun], asked: Mapping[tuple[str, str], int]) -> list[dict[str, Any]]:
    """Return one row per feature asked about: group, name, always-yes, and a cell per run (None: not asked).

    A cell holds each of `METRICS` with its interval and style; counts; whether coverage is partial.
    """
    by_run = [{scores.feature: scores for scores in run.summary.scores.features} for run in runs]
    rows: list[dict[str, Any]] = []
    for feature in FEATURES:
        if not any(feature in scores for scores in by_run):
            continue
        cells = [
            _cell(run, scores[feature], asked.get((run.key, feature), 0)) if feature in scores else None
            for run, scores in zip(runs, by_run, strict=True)
        ]
        rows.append(
            {
                "feature": feature,
                "group": GROUP_TITLES[group_of(feature)],
                "always_yes": next(cell["always_yes"] for cell in cells if cell is not None),
                "cells": cells,
            }
        )
    return rows


def tested_cells(heatmap: Sequence[Mapping[str, Any]], runs: Sequence[ShownRun]) -> int:
    """Return how many cells of main runs were tested against always-yes."""
    main = [run.main for run in runs]
    cells = [cell for row in heatmap for cell, shown in zip(row["cells"], main, strict=True) if shown]
    return sum(cell is not None and cell["clears"] is not None for cell in cells)


def _cell(run: ShownRun, scores: FeatureScores, asked: int) -> dict[str, Any]:
    count = run.summary.n_recordings[scores.feature]
    metrics = {name: interval(scores.estimates[name]) for name in METRICS}
    for name, values in metrics.items():
        values["style"] = _style(name, values, scores)
    return {
        "run": run.key,
        "metrics": metrics,
        "always_yes": number(scores.always_yes_f1),
        "clears": scores.clears_chance,
        "verdict": AGAINST_ALWAYS_YES[scores.against_always_yes["f1"]],
        "n": count,
        "asked": asked,
        "partial": count < asked,
        "patients": scores.n_patients,
        "positive": scores.n_positive,
        "unparsed": scores.n_unparsed,
        "told": _told(scores, count, asked, metrics["f1"]["reason"]),
    }


def _told(scores: FeatureScores, count: int, asked: int, reason: str | None) -> str:
    """Return what a cell's numbers rest on, in words."""
    patients, positive = counted(scores.n_patients, "patient"), counted(scores.n_positive_patients, "patient")
    text = (
        f"{counted(count, 'recording')} of {patients}; {scores.n_positive} with the feature (of {positive}); "
        f"{scores.n_unparsed} unparsed."
    )
    if count < asked:
        text += f" Asked about only {count} of {counted(asked, 'recording')}."
    return f"{text} {reason[0].upper()}{reason[1:]}." if reason else text


def _style(metric: str, values: Mapping[str, Any], scores: FeatureScores) -> str:
    """Return ``h0`` to ``h8`` for a score that clears chance, ``dim`` if it does not, ``open`` if it was not tested."""
    if values["value"] is None:
        return "none"
    # The balanced accuracy of always-yes is that of chance: one over the number of classes.
    passed = clears(scores.against_always_yes["balanced_accuracy" if metric == "balanced_accuracy" else "f1"])
    if passed is None:
        return "open"
    if not passed:
        return "dim"
    return f"h{min(STEPS - 1, max(0, int(values['value'] * STEPS)))}"
