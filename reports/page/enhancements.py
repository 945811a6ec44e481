"""Enhancement section: paired changes of F1 as plain values, by model and group of features."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from semiology.reports.compare.enhancement_effects import EnhancementEffect, effects_by_enhancement
from semiology.reports.compare.sentences import Verdict, p_text
from semiology.reports.page.score_cells import GROUP_TITLES, interval, number
from semiology.reports.summary.run_labels import marks_of, run_label

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
