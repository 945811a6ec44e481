"""The options of a search for wordings, as one object."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

DEFAULT_BUDGET = 600

OFFLINE = "offline"


@dataclass(frozen=True)
class RunChoices:
    """The options of the command, by name; see its help."""

    model: str
    data: Path
    out: Path
    features: tuple[str, ...] = ()
    model_args: str = ""
    budget: int | None = None
    minutes: float | None = None
    objective: str = "f1"
    begin_with: str = "s3"
    seeds: tuple[str, ...] = ("all",)
    proposer: str = OFFLINE
    answer_format: str = "yes_no"
    other_formats: tuple[str, ...] = ()
    minibatch: int = 8
    siblings: int = 5
    max_characters: int = 700
    test_fold: str | None = None
    seed: int = 0
    window: str | None = None
    preset: str | None = None
    proposer_timeout: float = 300.0
    allow_remote_proposer: bool = False
