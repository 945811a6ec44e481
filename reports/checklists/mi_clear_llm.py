"""Reporting checklists, filled as far as the record of the runs can fill them.

MI-CLEAR-LLM, update of 2025: Park et al., Korean J Radiol 2025, 26(12):1123 (eight items; the six of the
first version, 2024, 25(10):865, are named beside them). TRIPOD-LLM: `tripod_llm`. Numbers
are those of the checklists, subjects are in our words. What only the authors of a study know is left to them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from semiology.render.text import counted
from semiology.reports.checklists.item import (
    AUTHORS,
    ChecklistItem,
    Status,
    either,
    listed,
    models_with_revisions,
)
from semiology.reports.checklists.tripod_llm import tripod_items

MI_CLEAR = "MI-CLEAR-LLM"


def checklist_items(runs: Sequence[Mapping[str, Any]], facts: Mapping[str, Any]) -> tuple[ChecklistItem, ...]:
    """Return all items.

    Args:
        runs: of `semiology.reports.read.run_provenance.run_provenances`.
        facts: ``recordings``, ``patients``, ``wordings`` (how many texts), ``provenances`` (of the wordings),
            ``published`` (whether published answers stand beside), ``software`` (version), ``resamples``,
            ``seed``, ``unparsed`` (answers), ``answers``, ``s3_tasks`` (how many); of ``recordings``,
            ``patients``, ``wordings``, ``unparsed`` and ``answers`` those of questions on features.
    """
    return (*_mi_clear(runs, facts), *tripod_items(runs, facts))


PUBLISHED = "The runs behind published answers are described in their publications."


def _mi_clear(runs: Sequence[Mapping[str, Any]], facts: Mapping[str, Any]) -> list[ChecklistItem]:
    rows = [
        *_model(runs),
        *_prompts(runs, facts),
        ("7 randomness (2024: 2)", *_stochasticity(runs)),
        (
            "8 independence of the test data (2024: 6)",
            AUTHORS,
            (
                "Whether the models, or the choice of wordings, have seen these recordings cannot be read "
                "from a run. Recordings of one patient belong on one side of every split."
            ),
        ),
    ]
    return [ChecklistItem(MI_CLEAR, *row) for row in rows]


def _model(runs: Sequence[Mapping[str, Any]]) -> list[tuple[str, Status, str]]:
    models = models_with_revisions(runs)
    classes, windows = (listed(runs, key) for key in ("model_class", "window"))
    return [
        (
            "1 model (2024: 1)",
            either(models, "partly"),
            f"Models: {models}. Asked on: {_dates(runs)}. Add the developer, the licence and the end of the "
            "training data."
            if models
            else PUBLISHED,
        ),
        (
            "2 way of access (2024: part of 1)",
            either(classes, "partly"),
            f"By program, through lmms-eval: {classes}. Say where the weights or the server stood, with the "
            "hardware, and whether it adds a system prompt."
            if classes
            else "Not in the record.",
        ),
        (
            "3 kind of input",
            either(windows, "partly"),
            f"Windows of recordings, with a question in words: {windows}. Add resolution and sound."
            if windows
            else "Not in the record.",
        ),
        (
            "4 adaptation",
            AUTHORS,
            (
                "Whether a checkpoint was trained further on seizures cannot be read from a run. Beside the "
                "question, and what an enhancement adds, nothing was put to the model."
            ),
        ),
    ]


def _prompts(runs: Sequence[Mapping[str, Any]], facts: Mapping[str, Any]) -> list[tuple[str, Status, str]]:
    makers = ", ".join(sorted(facts["provenances"])) or "not known"
    return [
        (
            "5 making of the prompts (2024: 3, 5)",
            "partly" if facts["wordings"] else AUTHORS,
            (
                f"{counted(facts['wordings'], 'text')} in full, with their hashes: section on prompts, "
                f"provenance.json. By origin: {makers}. Say on which recordings wordings were tried "
                "beforehand, failures included."
            )
            if facts["wordings"]
            else "The report holds no text of a question.",
        ),
        (
            "6 putting of the prompts (2024: 4)",
            "filled" if runs else AUTHORS,
            "Every question about every window is a request of its own, without memory of other questions. "
            "The commands are in provenance.json."
            if runs
            else PUBLISHED,
        ),
    ]


def _stochasticity(runs: Sequence[Mapping[str, Any]]) -> tuple[Status, str]:
    found: dict[str, list[str]] = {}
    for run in runs:
        for key, values in run.get("generation", {}).items():
            found.setdefault(key, [])
            found[key] += [str(v) for v in values if str(v) not in found[key]]
    if not found:
        return AUTHORS, "No record of how answers were drawn."
    drawn = "; ".join(f"{key} {' or '.join(values)}" for key, values in found.items())
    # A single attempt says nothing about how much answers vary.
    return "partly", (
        f"{drawn}. Each question was asked once, so that nothing is known of answers to the same question "
        "asked again; seeds are in provenance.json."
    )


def _dates(runs: Sequence[Mapping[str, Any]]) -> str:
    stamps = [str(run["date"])[:8] for run in runs if str(run.get("date", ""))[:8].isdigit()]
    return ", ".join(sorted({f"{stamp[:4]}-{stamp[4:6]}-{stamp[6:8]}" for stamp in stamps})) or "not recorded"
