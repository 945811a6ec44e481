"""Which runs a report puts first, what it calls them, and what must be said beside their numbers.

A run is one model, wording and enhancement. Each model has one *main* run: unenhanced, in the reference
wording where that was asked. Headline and heatmap show these; sweeps and enhancements have their own tables.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from semiology.reports.read.asked import NO_ENHANCEMENT, PREFIX, REFERENCE, Asked, is_reference
from semiology.reports.summary.features import RunSummary

PUBLISHED = "published answers"
MARKS: Mapping[str, str] = {
    "simulated": "simulated recordings",
    "embedded_model": "embedded model",
    "deaf": "asked without sound",
    "limit": "first questions only",
    "human": "human reader",
}
"""What must be said beside every number of a run, by the fact that asks for it."""


@dataclass(frozen=True)
class ShownRun:
    """One run as the report shows it.

    Attributes:
        key: ``r0``, ``r1``, … in the order shown; names the run within one report.
        summary: its scores.
        label: for people; wording and enhancement only where they are not those of a main run.
        main: whether it stands for its model.
        marks: what its numbers are, of `MARKS` or `PUBLISHED`.
    """

    key: str
    summary: RunSummary
    label: str
    main: bool
    marks: tuple[str, ...]


def shown_runs(runs: Sequence[RunSummary], records: Mapping[str, Mapping[str, Any]]) -> tuple[ShownRun, ...]:
    """Return all runs, main ones first, each group in the order of the summary.

    Args:
        runs: of a summary.
        records: facts of the runs by model, as in `semiology.reports.read.feature_answers.Results`.
    """
    models = list(dict.fromkeys(run.model for run in runs))

    def rank(run: RunSummary) -> tuple[bool, bool, bool, int]:
        plain = run.enhancement == NO_ENHANCEMENT
        return plain, run.prompt == REFERENCE, is_reference(run.prompt), len(run.scores.features)

    # Of equals the first.
    main = {model: max((run for run in runs if run.model == model), key=rank) for model in models}
    ordered = [run for run in runs if main[run.model] is run]
    ordered += [run for run in runs if main[run.model] is not run]
    return tuple(
        ShownRun(
            f"r{i}",
            run,
            Asked(run.model, run.prompt, run.enhancement).label,
            main[run.model] is run,
            marks_of(run.model, records),
        )
        for i, run in enumerate(ordered)
    )


def marks_of(model: str, records: Mapping[str, Mapping[str, Any]]) -> tuple[str, ...]:
    """Return what must be said beside every number of a model."""
    if model.startswith(PREFIX):
        return (PUBLISHED,)
    record = records.get(model, {})
    return tuple(text for name, text in MARKS.items() if record.get(name))
