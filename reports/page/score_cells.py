"""Headline and heatmap: what each main run scores, whether it clears chance, and how much it was asked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from semiology.features import FEATURES, group_of
from semiology.metrics.scores.aggregation import THREE_CLASSES
from semiology.metrics.scores.run_scores import FeatureScores
from semiology.metrics.statistics.intervals import Estimate
from semiology.render.text import rounded
from semiology.reports.summary.features import GROUPS
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


def headline_rows(runs: Sequence[ShownRun], asked: Mapping[tuple[str, str], int]) -> list[dict[str, Any]]:
    """Return one row per main run and the first group of features it was asked about.

    Args:
        runs: all runs; those that are not main are left out.
        asked: recordings that could have been asked about, by key of a run and feature.
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
                "verdict": verdict(macro.clears_chance, difference),
                "recordings": run.summary.n_recordings[f"group:{macro.group}"],
                "patients": run.summary.n_patients[f"group:{macro.group}"],
                "coverage": given / possible if possible else None,
                "answers": given,
                "unparsed": unparsed,
                "unparsed_share": unparsed / given if given else None,
            }
        )
    return rows


def verdict(clears: bool | None, difference: Estimate) -> str:
    """Return in words how a score stands to always answering yes; no claim where ``clears`` is None."""
    if clears is None:
        few = difference.low is not None
        return "too few patients to tell" if few else "cannot be told from always-yes: no interval"
    if clears:
        return "above always-yes"
    if difference.high is not None and difference.high < 0:
        return "below always-yes"
    return "not distinguishable from always-yes"


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
    """Return how many cells of main runs have an interval: as many comparisons are shown."""
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
        "verdict": verdict(scores.clears_chance, scores.estimates["f1_minus_always_yes"]),
        "n": count,
        "asked": asked,
        "partial": count < asked,
        "patients": scores.n_patients,
        "positive": scores.n_positive,
        "positive_patients": scores.n_positive_patients,
        "unparsed": scores.n_unparsed,
    }


def _style(metric: str, values: Mapping[str, Any], scores: FeatureScores) -> str:
    """Return ``h0`` to ``h8`` for a score that clears chance, ``dim`` if it does not, ``open`` if unknown."""
    if values["value"] is None:
        return "none"
    clears = scores.clears_chance
    if metric == "balanced_accuracy":
        # With three classes one over the number of those that occur, which is what `random_f1` then is.
        chance = scores.random_f1 if scores.three_classes else 0.5
        low = values["low"]
        clears = None if low is None else low > chance
    if clears is None:
        return "open"
    if not clears:
        return "dim"
    return f"h{min(STEPS - 1, max(0, int(values['value'] * STEPS)))}"
