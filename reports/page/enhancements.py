"""Enhancement section: paired changes of F1 as plain values, by model and group of features."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from semiology.reports.enhancement_effects import EnhancementEffect, effects_by_enhancement
from semiology.reports.page.score_cells import GROUP_TITLES, interval, number
from semiology.reports.run_labels import marks_of, run_label


def enhancement_sections(
    effects: Sequence[EnhancementEffect], records: Mapping[str, Mapping[str, Any]]
) -> list[dict[str, Any]]:
    """Return one section per model, wording and enhancement."""
    return [
        {
            "title": run_label(model, prompt, enhancement),
            "marks": marks_of(model, records),
            "rows": [_row(each) for each in rows],
        }
        for (model, prompt, enhancement), rows in effects_by_enhancement(effects).items()
    ]


def _row(effect: EnhancementEffect) -> dict[str, Any]:
    difference = interval(effect.difference)
    mean = effect.name == "mean"
    return {
        "name": f"mean of {effect.n_features}" if mean else effect.name,
        "mean": mean,
        "group": GROUP_TITLES[effect.group],
        "plain": number(effect.plain),
        "enhanced": number(effect.enhanced),
        "difference": difference,
        "verdict": _verdict(difference, effect.n_patients),
        "n": effect.n,
        "patients": effect.n_patients,
    }


LEAST_PATIENTS = 6
"""With fewer the patient sign-flip test of ``semiology compare`` cannot reach 5 %: 2 ** (1 - 5) > 0.05."""


def _verdict(difference: Mapping[str, Any], patients: int) -> str:
    if patients < LEAST_PATIENTS:
        return "too few patients"
    if difference["low"] is None:
        return "no interval"
    if difference["low"] > 0:
        return "better"
    return "worse" if difference["high"] < 0 else "no clear difference"
