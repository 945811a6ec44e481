"""Robustness section: strips of wordings as plain values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from semiology.reports.page.score_cells import interval, number
from semiology.reports.summary.run_labels import marks_of
from semiology.reports.summary.wordings import ModelWordings, WordingStrip

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
    best, worst = (_first_of_equals(strip, place) for place in (strip.best, strip.worst))
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
        "reference": _at(points, strip.reference),
        "best": _at(points, best),
        "worst": _at(points, worst),
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


def _first_of_equals(strip: WordingStrip, place: int | None) -> int | None:
    """Return the place that stands for wordings of equal F1: the reference's if it is one of them."""
    if place is None or strip.reference is None:
        return place
    return strip.reference if strip.f1[strip.reference] == strip.f1[place] else place


def _at(points: Sequence[dict[str, Any]], place: int | None) -> dict[str, Any] | None:
    return None if place is None else points[place]
