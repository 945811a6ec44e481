"""One item of a reporting checklist, and what of a run's record goes into its text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

Status = Literal["filled", "partly", "for the authors"]
AUTHORS: Status = "for the authors"


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


def listed(runs: Sequence[Mapping[str, Any]], key: str) -> str:
    """Return the values that runs have under a key, each once; empty if there are none."""
    return ", ".join(dict.fromkeys(str(run[key]) for run in runs if run.get(key)))


def models_with_revisions(runs: Sequence[Mapping[str, Any]]) -> str:
    """Return every model with its revisions, so that one's is not taken for another's; empty without runs."""
    told = []
    for model in dict.fromkeys(str(run["model"]) for run in runs if run.get("model")):
        own = [run for run in runs if str(run.get("model")) == model]
        revisions = [str(run.get("revision") or "not named in the run") for run in own]
        told.append(f"{model} (revision: {', '.join(dict.fromkeys(revisions))})")
    return "; ".join(told)


def either(known: str, status: Status) -> Status:
    """Return a status where something is known, and `AUTHORS` where nothing is."""
    return status if known else AUTHORS
