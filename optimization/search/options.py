"""The options of ``semiology optimize``: one object from the command to the search."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from semiology.harness.options import Data, Model, ModelArgs, Window

DEFAULT_BUDGET = 600
OFFLINE = "offline"
PRESETS = ("published",)
OBJECTIVES = ("f1", "balanced_accuracy", "worst_fold")
"""``worst_fold``: the lowest F1 of groups of patients, so that a gain must hold in all of them."""


class SearchError(ValueError):
    """A search cannot start or go on; the message says why and what to change."""


@dataclass(frozen=True)
class SearchOptions:
    """What to optimize, and how to search; each field is told by its help."""

    model: Model = "embedded"
    data: Data = Path()
    out: Annotated[Path, typer.Option(help="Folder of the run; the same command again goes on.")] = Path(
        "optimized"
    )
    features: Annotated[
        tuple[str, ...],
        typer.Option(help="Features, comma-separated; they share the video work. Needed without --preset."),
    ] = ()
    tasks: Annotated[
        tuple[str, ...],
        typer.Option(
            help="Stroke-rehabilitation tasks of a study in --data, instead of features: names or globs."
        ),
    ] = ()
    model_args: ModelArgs = ""
    budget: Annotated[
        int | None,
        typer.Option(
            help="Metric calls per feature: one recording asked in one wording (default: 600; none where "
            "--minutes is given).",
            min=1,
        ),
    ] = None
    minutes: Annotated[float | None, typer.Option(help="Minutes, instead of or besides --budget.")] = None
    objective: Annotated[str, typer.Option(help="f1, balanced_accuracy or worst_fold.")] = "f1"
    begin_with: Annotated[str, typer.Option(help="Library wording to begin with, by id.")] = "s3"
    seeds: Annotated[
        tuple[str, ...],
        typer.Option(help="Library wordings tried first: ids, comma-separated, 'all' or 'none'."),
    ] = ("all",)
    proposer: Annotated[
        str,
        typer.Option(
            help="Who writes wordings: 'offline' (a grammar, no language model) or NAME@ADDRESS, a model on an "
            "OpenAI-compatible server of this machine."
        ),
    ] = OFFLINE
    answer_format: Annotated[str, typer.Option(help="Answer format of every wording.")] = "yes_no"
    other_formats: Annotated[
        tuple[str, ...],
        typer.Option(help="Further answer formats that the offline proposer may choose, comma-separated."),
    ] = ()
    minibatch: Annotated[int, typer.Option(help="Training recordings a new wording is tried on first.")] = 8
    siblings: Annotated[
        int, typer.Option(help="Wordings tried in each step; they share the video, the best goes on.")
    ] = 5
    max_characters: Annotated[int, typer.Option(help="Longest wording, in characters.")] = 700
    test_fold: Annotated[str | None, typer.Option(help="Fold kept for the test (default: the first).")] = None
    seed: Annotated[int, typer.Option(help="Same seed, same search (with the offline proposer).")] = 0
    window: Window = None
    preset: Annotated[str | None, typer.Option(help="A named experiment: published.")] = None
    proposer_timeout: Annotated[float, typer.Option(help="Longest wait for a proposal, s.", min=0.1)] = 600.0
    allow_remote_proposer: Annotated[
        bool,
        typer.Option("--allow-remote-proposer", help="Let the proposer be on another machine: text only."),
    ] = False

    distinct_patients: Annotated[
        bool,
        typer.Option(
            "--distinct-patients", help="Patients with look-alike ids, or in one film, are different people."
        ),
    ] = False

    @property
    def metric_calls(self) -> int | None:
        """Budget in recordings asked under a wording; None for no such limit."""
        return DEFAULT_BUDGET if self.budget is None and self.minutes is None else self.budget

    def checked(self) -> SearchOptions:
        """Return itself.

        Raises:
            SearchError: a value makes no sense.
        """
        if self.objective not in OBJECTIVES:
            known = ", ".join(OBJECTIVES)
            raise SearchError(
                f"--objective {self.objective}: there is no such objective → use one of {known}"
            )
        least = {"budget": self.budget, "minutes": self.minutes, "minibatch": self.minibatch,
                 "siblings": self.siblings, "max_characters": self.max_characters}  # fmt: skip
        for name, value in least.items():
            if value is not None and value <= 0:
                raise SearchError(f"{name.replace('_', ' ')} must be above 0, not {value}")
        return self

    def settings(self) -> dict[str, Any]:
        """Return what decides the way of a search, under the names of ``search.json``."""
        names = ("objective", "metric_calls", "minutes", "minibatch", "siblings", "begin_with", "seeds",
                 "answer_format", "other_formats", "max_characters", "seed")  # fmt: skip
        return {name: getattr(self, name) for name in names}
