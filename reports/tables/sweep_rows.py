"""The tables of a sweep for machines: flat rows with the same keys in every row of a table."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from semiology.metrics.robustness.scores import MACRO
from semiology.metrics.robustness.sums import SPREAD_AT, WORST_AT
from semiology.metrics.robustness.variance import SHARES, VarianceShares
from semiology.metrics.statistics.intervals import Estimate
from semiology.reports.summary.sweep import SweepSummary, SweptFeature, SweptModel

HEADLINE = ("avg_p", *(f"worst_at_{m}" for m in WORST_AT))
BESIDE = (
    "balanced_accuracy", "yes_rate", "prevalence", "unparsed_rate", "alpha", "f1", "always_yes_f1",
)  # fmt: skip
PRIMARY = (*HEADLINE, *BESIDE)
"""Never one without the other: a model that always says yes is perfectly stable."""
_OF_SCORE = (
    "reference",
    "worst",
    "spread",
    f"spread_at_{SPREAD_AT}",
    "saturation",
    "cps",
    "drop",
    "absolute_drop",
)
SECONDARY = (
    *(f"f1_{name}" for name in _OF_SCORE),
    *(f"accuracy_{name}" for name in _OF_SCORE),
    *("pss", "pss_raw", "always_right", "always_wrong", "flips"),
    *(f"balanced_worst_at_{m}" for m in WORST_AT),
    *("ensemble_accuracy", "ensemble_gain", "agreement", "fleiss_kappa", "gwet_ac1"),
    *("consistent", "yes_to_both", "no_to_both", "yes_bias", "js_distance", "auroc"),
    *("avg_p_two_way", "f1_two_way", "balanced_accuracy_two_way"),
)  # fmt: skip

Row = dict[str, Any]


def robustness_rows(summary: SweepSummary) -> list[Row]:
    """Return the headline table: one row per model and feature, then the means over features."""
    rows = []
    for model in summary.models:
        for each in model.features:
            found = each.robustness
            head = _head(model, "feature", found.feature) | _counts(each)
            rows.append(head | _estimates(found.estimates, PRIMARY))
        empty = dict.fromkeys(("wordings", "recordings", "patients", "patients_with_sign", "left_out"))
        rows.append(_head(model, "macro", "mean") | empty | _estimates(model.macro, PRIMARY))
    return rows


def more_rows(summary: SweepSummary) -> list[Row]:
    """Return the secondary table, with the best wording as chosen on other patients and variance shares."""
    rows = []
    for model in summary.models:
        for each in model.features:
            rows.append(
                _head(model, "feature", each.robustness.feature)
                | {"wordings": len(each.answers.wordings)}
                | _best(each)
                | _estimates(each.robustness.estimates, SECONDARY)
                | {
                    "p_any_wording_differs": number(each.p_value),
                    "accuracy_noise_spread": number(each.noise_spread),
                }
                | {f"share_{name}": number(_share(each.robustness.variance, name)) for name in SHARES}
                | {"share_answer_format": number(_share(each.by_format, "family"))}
            )
        blank = dict.fromkeys(rows[-1])
        known = {name: model.macro[name] for name in SECONDARY if name in MACRO}
        rows.append(blank | _head(model, "macro", "mean") | _estimates(known, tuple(known)))
    return rows


def wording_rows(summary: SweepSummary) -> list[Row]:
    """Return one row per model, feature and wording: id, hash, provenance, family, n, scores, equivalence."""
    return [
        _wording_row(model, each, place)
        for model in summary.models
        for each in model.features
        for place in each.order
    ]


def family_rows(summary: SweepSummary) -> list[Row]:
    """Return one row per model, feature and family (then answer format) of wordings: accuracy and share."""
    return [
        _head(model, kind, each.robustness.feature)
        | {
            "family": family.family,
            "wordings": family.wordings,
            "accuracy": number(family.accuracy),
            "share_of_variance": number(family.share),
        }
        for model in summary.models
        for each in model.features
        for kind, found in (("family", each.robustness.variance), ("answer_format", each.by_format))
        if found is not None
        for family in found.families
    ]


def number(value: float | None) -> float | None:
    """Return a number rounded for a table; None where it is undefined."""
    return None if value is None or math.isnan(value) else round(float(value), 6)


def _head(model: SweptModel, level: str, name: str) -> Row:
    return {"model": model.model, "enhancement": model.enhancement, "level": level, "name": name}


def _counts(each: SweptFeature) -> Row:
    found = each.robustness
    return {
        "wordings": len(found.wordings),
        "recordings": found.n,
        "patients": found.n_patients,
        "patients_with_sign": found.n_positive_patients,
        "left_out": found.n_left_out,
    }


def _estimates(estimates: Mapping[str, Estimate], names: Sequence[str]) -> Row:
    row: Row = {}
    for name in names:
        found = estimates.get(name)
        row |= _cells(name, found)
    return row


def _cells(name: str, found: Estimate | None) -> Row:
    if found is None:
        reason = "the reference wording was not asked"
        return {name: None, f"{name}_low": None, f"{name}_high": None, f"{name}_remark": reason}
    return {
        name: number(found.value),
        f"{name}_low": number(found.low),
        f"{name}_high": number(found.high),
        f"{name}_remark": found.reason or found.caution,
    }


def _best(each: SweptFeature) -> Row:
    best = each.best
    return {
        **_cells("best_on_other_patients_f1", best.held_out if best else None),
        "best_on_other_patients_f1_remark": each.no_best if best is None else best.held_out.reason,
        "best_chosen_among": len(each.answers.wordings),
        "best_chosen": None if best is None else " ".join(best.chosen),
        "best_optimism": None if best is None else number(best.optimism),
    }


def _share(found: VarianceShares | None, name: str) -> float:
    return math.nan if found is None else found.shares.get(name, math.nan)


def _wording_row(model: SweptModel, each: SweptFeature, place: int) -> Row:
    answers, found, test = each.answers, each.robustness, each.equivalence[place]
    scores = {name: number(values[place]) for name, values in found.per_wording.items()}
    return (
        {"model": model.model, "enhancement": model.enhancement, "feature": found.feature}
        | {
            "prompt_id": answers.wordings[place],
            "prompt_hash": _told(answers.hashes, place),
            "provenance": _told(answers.provenances, place),
            "family": answers.families[place],
            "polarity": answers.polarities[place],
            "answer_format": _told(answers.formats, place),
            "reference": place == answers.reference,
            "n": found.n,
            "n_patients": found.n_patients,
        }
        | _cells("f1", found.f1_by_wording[place])
        | {name: scores[name] for name in ("accuracy", "balanced_accuracy", "yes_rate", "prevalence")}
        | {"unparsed_rate": scores["unparsed_rate"], "auroc": scores.get("auroc")}
        | {
            "accuracy_minus_reference": None if test is None else number(test.difference),
            "accuracy_minus_reference_low_90": None if test is None else number(test.low),
            "accuracy_minus_reference_high_90": None if test is None else number(test.high),
            "equivalence_p": None if test is None else number(test.p_value),
            "equivalence": None if test is None else test.verdict,
            "equivalence_remark": None if test is None else test.reason,
        }
    )


def _told(values: Sequence[str], place: int) -> str | None:
    return values[place] if values else None
