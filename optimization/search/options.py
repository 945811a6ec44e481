"""The options of ``semiology optimize``: one object from the command to the search."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from semiology.optimization.proposers.guarded import SearchError
from semiology.optimization.search.scores import OBJECTIVES

DEFAULT_BUDGET = 600
OFFLINE = "offline"
PRESETS = ("published",)


@dataclass(frozen=True)
class SearchOptions:
    """What to optimize, and how to search.

    Attributes:
        model, model_args: name in lmms-eval and arguments of the model that answers.
        data, out: folders of the recording set and of the run.
        features: names.
        budget: recordings asked under a wording, per feature; None for `DEFAULT_BUDGET`, or for no such limit
            where ``minutes`` is given.
        minutes: time limit; None for none.
        objective: one of `semiology.optimization.search.scores.OBJECTIVES`.
        begin_with: id of the library wording to begin with.
        seeds: ids of library wordings that are tried first; ``all`` for all.
        proposer: ``offline``, or the language model that writes wordings as ``NAME@ADDRESS``.
        answer_format: format of every wording that names none.
        other_formats: formats that the proposer may choose besides.
        minibatch: training recordings on which a new wording must first beat its parent.
        siblings: wordings tried in each step; the best of them goes on to the development recordings.
        max_characters: longest wording.
        test_fold: fold kept for the test; None for the first.
        seed: of all draws.
        window: ``standard`` or ``qwen3``; None for the model's.
        preset: a named experiment of `PRESETS` instead of a search.
        proposer_timeout: longest wait for a proposal, s.
        allow_remote_proposer: whether the proposer may be on another machine.
    """

    model: str = "embedded"
    data: Path = Path()
    out: Path = Path("optimized")
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
