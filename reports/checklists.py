"""Reporting checklists, filled as far as the record of the runs can fill them.

MI-CLEAR-LLM: Park et al., Korean J Radiol 2024, 25(10):865 (six items). TRIPOD-LLM: Gallifant et al., Nature
Medicine 2025, 31:60; its items are grouped by subject here. What only the authors of a study know is left to
them, and said.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

Status = Literal["filled", "partly", "for the authors"]
MI_CLEAR = "MI-CLEAR-LLM"
TRIPOD = "TRIPOD-LLM"
AUTHORS: Status = "for the authors"


@dataclass(frozen=True)
class ChecklistItem:
    """One item.

    Attributes:
        checklist: `MI_CLEAR` or `TRIPOD`.
        item: number and subject, or subject.
        status: whether the record of the runs answers it.
        text: the answer, or what the authors must add.
    """

    checklist: str
    item: str
    status: Status
    text: str


def checklist_items(runs: Sequence[Mapping[str, Any]], facts: Mapping[str, Any]) -> tuple[ChecklistItem, ...]:
    """Return all items.

    Args:
        runs: of `semiology.reports.run_provenance.run_provenances`.
        facts: ``recordings``, ``patients``, ``wordings`` (how many texts), ``provenances`` (of the wordings),
            ``published`` (whether published answers stand beside), ``software`` (version), ``resamples``,
            ``seed``, ``unparsed`` (answers), ``answers``.
    """
    return (*_mi_clear(runs, facts), *_tripod(runs, facts))


def _mi_clear(runs: Sequence[Mapping[str, Any]], facts: Mapping[str, Any]) -> list[ChecklistItem]:
    models = _each(runs, "model")
    revised = _each(runs, "revision")
    identity = (
        f"Models: {_list(models)}. Revision: {_list(revised) or 'not named in the run'}. "
        f"Asked on: {_list(_dates(runs))}. Manufacturer, end of the training data and date of release "
        "are not in the record: add them."
    )
    makers = ", ".join(sorted(facts["provenances"])) or "not known"
    return [
        ChecklistItem(MI_CLEAR, "1 identification of the model", _known(models, "partly"), identity),
        ChecklistItem(MI_CLEAR, "2 handling of stochasticity", *_stochasticity(runs)),
        ChecklistItem(
            MI_CLEAR,
            "3 wording of the prompts",
            "filled" if facts["wordings"] else AUTHORS,
            f"{facts['wordings']} texts, with their hashes: section on prompts, provenance.json.",
        ),
        ChecklistItem(
            MI_CLEAR,
            "4 structure of the prompts",
            "filled" if runs else AUTHORS,
            "Every question about every window is a request of its own, without memory of other questions."
            if runs
            else "The runs behind published answers are described in their publications.",
        ),
        ChecklistItem(
            MI_CLEAR,
            "5 testing and optimisation of prompts",
            "partly",
            f"Wordings asked, by origin: {makers}. Say on which recordings wordings were tried beforehand.",
        ),
        ChecklistItem(
            MI_CLEAR,
            "6 independence of the test data",
            AUTHORS,
            (
                "Whether the models, or the choice of wordings, have seen these recordings cannot be read "
                "from a run. Recordings of one patient belong on one side of every split."
            ),
        ),
    ]


def _tripod(runs: Sequence[Mapping[str, Any]], facts: Mapping[str, Any]) -> list[ChecklistItem]:
    sets = _list(_each(runs, "data")) or "named in the publication"
    seconds = sum(float(run.get("seconds") or 0) for run in runs)
    answers = facts["answers"]
    rows: list[tuple[str, Status, str]] = [
        ("title, abstract, aims, intended use", AUTHORS, "Not in the record of a run."),
        (
            "data",
            "partly",
            (
                f"Recording set: {sets}; {facts['recordings']} recordings of {facts['patients']} patients "
                "were asked about. Add source, period, setting and eligibility."
            ),
        ),
        ("outcome and annotation", AUTHORS, "Who annotated, with which training and agreement."),
        ("model and its settings", _known(_each(runs, "model"), "partly"), _settings(runs)),
        ("prompting", "filled" if facts["wordings"] else AUTHORS, "See MI-CLEAR-LLM 3 to 5."),
        (
            "handling of outputs",
            "filled",
            (
                "Replies are read by fixed rules; what is not clearly yes, no or NA is unparsed and counted: "
                f"{facts['unparsed']} of {answers} answers to recordings."
            ),
        ),
        (
            "performance and its uncertainty",
            "filled",
            (
                f"F1, balanced accuracy and more, with 95 % intervals that resample patients "
                f"({facts['resamples']} draws, seed {facts['seed']}), beside always answering yes."
            ),
        ),
        (
            "computing",
            "partly" if seconds else AUTHORS,
            f"{seconds:,.0f} s of evaluation. Add the hardware." if seconds else "Not in the record.",
        ),
        (
            "open science",
            "partly",
            (
                f"Semiology {facts['software']}; versions, hashes and a fingerprint of the data in "
                "provenance.json. Say where data and code can be had."
            ),
        ),
        ("ethics, patient involvement, funding", AUTHORS, "Not in the record of a run."),
        ("limitations", "partly", "The caveats above; add those of the recordings and of the setting."),
    ]
    return [ChecklistItem(TRIPOD, item, status, text) for item, status, text in rows]


def _stochasticity(runs: Sequence[Mapping[str, Any]]) -> tuple[Status, str]:
    found: dict[str, list[str]] = {}
    for run in runs:
        for key, values in run.get("generation", {}).items():
            found.setdefault(key, [])
            found[key] += [str(v) for v in values if str(v) not in found[key]]
    if not found:
        return AUTHORS, "No record of how answers were drawn."
    drawn = "; ".join(f"{key} {' or '.join(values)}" for key, values in found.items())
    return "filled", f"{drawn}. Each question was asked once; seeds are in provenance.json."


def _settings(runs: Sequence[Mapping[str, Any]]) -> str:
    windows = _list(_each(runs, "window"))
    classes = _list(_each(runs, "model_class"))
    return f"lmms-eval class: {classes or 'not recorded'}; windows: {windows or 'not recorded'}."


def _each(runs: Sequence[Mapping[str, Any]], key: str) -> list[str]:
    return list(dict.fromkeys(str(run[key]) for run in runs if run.get(key)))


def _dates(runs: Sequence[Mapping[str, Any]]) -> list[str]:
    stamps = [str(run["date"])[:8] for run in runs if str(run.get("date", ""))[:8].isdigit()]
    return sorted({f"{stamp[:4]}-{stamp[4:6]}-{stamp[6:8]}" for stamp in stamps})


def _list(values: Sequence[str]) -> str:
    return ", ".join(values)


def _known(values: Sequence[str], status: Status) -> Status:
    return status if values else AUTHORS
