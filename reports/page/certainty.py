"""How sure models were: P(yes) of each run and feature, with reliability diagrams and risk-coverage curves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from semiology.metrics.scores.discrimination import BINS
from semiology.reports.page.score_cells import interval, number
from semiology.reports.summary.probabilities import Choice, FeatureProbabilities, chosen_on
from semiology.reports.summary.run_labels import ShownRun

SHOWN = "max"
"""The pooling of segments that goes with any-yes; the other stands in the tables alone."""
MOST_FIGURES = 400
"""Rows with figures on one page; beyond them only main runs have some."""


def certainty_content(
    scores: Sequence[FeatureProbabilities], runs: Sequence[ShownRun], choice: Choice
) -> dict[str, Any]:
    """Return the section's values: one part per run, one row per feature; empty where no P(yes) was recorded.

    Args:
        scores: of all runs. runs: those shown, in their order. choice: what thresholds were to keep.
    """
    by_run: dict[tuple[str, str, str], list[FeatureProbabilities]] = {}
    for each in scores:
        if each.pooling == SHOWN:
            by_run.setdefault((each.model, each.prompt, each.enhancement), []).append(each)
    drawn = sum(map(len, by_run.values())) <= MOST_FIGURES
    parts = []
    for run in runs:
        own = by_run.get(_key(run), [])
        if own:
            rows = [_row(each) for each in own]
            parts.append(
                {
                    "title": run.label,
                    "marks": run.marks,
                    "main": run.main,
                    "rows": rows,
                    "pooled": _pooled([each for row in rows for each in row["bins"]]),
                    "drawn": drawn or run.main,
                }
            )
    if not parts:
        return {}
    return {
        "parts": parts,
        "chosen_on": chosen_on([each for own in by_run.values() for each in own]),
        "specificity": choice.specificity,
        "error": choice.error,
        "all_drawn": drawn,
        "without": [run.label for run in runs if run.main and _key(run) not in by_run],
    }


def _pooled(bins: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return the bins of all features of a run together."""
    places: dict[int, list[Mapping[str, Any]]] = {}
    for each in bins:
        places.setdefault(min(int(each["mean"] * BINS), BINS - 1), []).append(each)
    made = []
    for _, own in sorted(places.items()):
        n = sum(each["n"] for each in own)
        means = {name: sum(each[name] * each["n"] for each in own) / n for name in ("mean", "value")}
        made.append({**means, "n": n})
    return made


def _key(run: ShownRun) -> tuple[str, str, str]:
    return run.summary.model, run.summary.prompt, run.summary.enhancement


def _row(each: FeatureProbabilities) -> dict[str, Any]:
    found, points = each.scores, each.scores.points
    return {
        "feature": each.feature,
        "auroc": interval(found.auroc),
        "average_precision": interval(found.average_precision),
        "prevalence": number(found.prevalence),
        "brier": interval(found.brier),
        "any_yes": interval(points.any_yes_f1),
        "own": interval(points.own_threshold_f1),
        "gain": interval(points.gain),
        "sensitivity": interval(points.sensitivity),
        "specificity": interval(points.specificity),
        "referred": interval(points.referred),
        "kept_error": interval(points.kept_error),
        "all_error": number(points.all_error.value),
        "n": found.n,
        "patients": found.n_patients,
        "left_out": each.n_left_out,
        "scored_patients": points.n_patients,
        "bins": [{"mean": number(b.mean), "n": b.n, **interval(b.share)} for b in found.calibration],
        "curve": [(number(coverage), number(wrong)) for coverage, wrong, _ in found.risk_coverage],
    }
