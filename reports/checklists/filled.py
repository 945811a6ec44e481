"""Reporting checklists, filled in as far as the record of the runs can fill them; the items are in items.yaml."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import Any, Literal

import yaml

from semiology.render.text import counted

MI_CLEAR, TRIPOD = "MI-CLEAR-LLM", "TRIPOD-LLM"
Status = Literal["filled", "partly", "for the authors"]
Runs = Sequence[Mapping[str, Any]]


@dataclass(frozen=True)
class ChecklistItem:
    """One item.

    Attributes:
        checklist: its name.
        item: number and letter in the checklist, then the subject.
        status: whether the record of the runs answers it.
        text: the answer, or what the authors must add.
    """

    checklist: str
    item: str
    status: Status
    text: str


def checklist_items(runs: Runs, facts: Mapping[str, Any]) -> tuple[ChecklistItem, ...]:
    """Return all items, in the order of the checklists.

    Args:
        runs: of `semiology.reports.read.run_provenance.run_provenances`.
        facts: ``recordings``, ``patients``, ``wordings`` (how many texts), ``provenances`` (of the wordings),
            ``software`` (version), ``resamples``, ``seed``, ``unparsed`` (answers), ``answers``, ``s3_tasks`` (how
            many); of ``recordings``, ``patients``, ``wordings``, ``unparsed`` and ``answers`` those of questions
            on features.
    """
    known = _known(runs, facts)
    words = {name: value or "not recorded" for name, value in known.items()}
    found = []
    content = (files(__package__) / "items.yaml").read_text(encoding="utf-8")
    for checklist, items in yaml.safe_load(content).items():
        for item in items:
            status, text = item["status"], item["text"]
            if "needs" in item and not known[item["needs"]]:
                status, text = "for the authors", item.get("otherwise", text)
            elif "filled_with" in item and known[item["filled_with"]]:
                status = "filled"
            found.append(ChecklistItem(checklist, item["item"], status, text.format_map(words)))
    return tuple(found)


def _known(runs: Runs, facts: Mapping[str, Any]) -> dict[str, str]:
    """Return what the record tells, in words; empty text for what it does not."""
    stamps = [str(run["date"])[:8] for run in runs if str(run.get("date", ""))[:8].isdigit()]
    seconds = sum(float(run.get("seconds") or 0) for run in runs)
    generation: dict[str, list[str]] = {}
    for run in runs:
        for key, values in run.get("generation", {}).items():
            told = generation.setdefault(key, [])
            told += [str(value) for value in values if str(value) not in told]
    asked, reading = [], []
    if facts["recordings"]:
        asked.append(
            f"Features were asked about in {counted(facts['recordings'], 'recording')} of "
            f"{counted(facts['patients'], 'patient')}; how many show each stands beside its score."
        )
    if facts["answers"]:
        reading.append(
            "A reply in words is read by fixed rules as yes, no or NA; what is not clearly one of them is "
            f"unparsed and counted: {facts['unparsed']:,} of {counted(facts['answers'], 'answer')} on features "
            "in recordings."
        )
    if facts["s3_tasks"]:
        asked.append("How many recordings each S3 task was asked about stands beside its scores.")
        reading.append(
            "Who read the texts of S3 tasks, and how many replies were unparsed, stands beside each task."
        )
    return {
        "runs": "recorded" if runs else "",
        "models": _models_with_revisions(runs),
        "dates": ", ".join(sorted({f"{day[:4]}-{day[4:6]}-{day[6:8]}" for day in stamps})),
        "classes": _listed(runs, "model_class"),
        "windows": _listed(runs, "window"),
        "sets": _listed(runs, "data"),
        "wordings": counted(facts["wordings"], "text") if facts["wordings"] else "",
        "makers": ", ".join(sorted(facts["provenances"])) or "not known",
        "drawn": "; ".join(f"{key} {' or '.join(values)}" for key, values in generation.items()),
        "asked": " ".join(asked),
        "reading": " ".join(reading),
        "answers": str(facts["answers"] or ""),
        "seconds": f"{seconds:,.0f}" if seconds else "",
        "software": str(facts["software"]),
        "resamples": str(facts["resamples"]),
        "seed": str(facts["seed"]),
    }


def _listed(runs: Runs, key: str) -> str:
    return ", ".join(dict.fromkeys(str(run[key]) for run in runs if run.get(key)))


def _models_with_revisions(runs: Runs) -> str:
    """Return every model with its revisions, so that one's is not taken for another's."""
    told = []
    for model in dict.fromkeys(str(run["model"]) for run in runs if run.get("model")):
        own = [run for run in runs if str(run.get("model")) == model]
        revisions = [str(run.get("revision") or "not named in the run") for run in own]
        told.append(f"{model} (revision: {', '.join(dict.fromkeys(revisions))})")
    return "; ".join(told)
