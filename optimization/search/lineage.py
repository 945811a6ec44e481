"""What a search did and how far it is: its record step by step, as JSON, and now and then a line of progress."""

from __future__ import annotations

import math
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, TextIO

from semiology.optimization.proposers.guarded import PREDICTOR
from semiology.optimization.search.gepa import Trial
from semiology.render.progress import clock, is_quiet
from semiology.render.text import counted

VERSION = 1
LINE_EVERY_S = 15.0


@dataclass
class Recorder:
    """A GEPA callback that writes down the search.

    Args:
        told: called after every development evaluation and every use of budget.

    Attributes:
        candidates: wordings asked on all development recordings, in order of discovery, 0 the one begun with: their
            numbers, instructions, numbers of the wordings they were made from, origins (``library:<id>`` or
            ``proposed``), development scores by name, GEPA's iterations, and the budget used when they were found.
        fronts: Pareto front after each change: step, metric calls, numbers of the wordings on it.
        metric_calls: budget used so far. steps: iterations so far.
    """

    origin_of: Callable[[str], str]
    scores: Callable[[str], Mapping[str, float]]
    told: Callable[[Recorder], None] = lambda recorder: None
    candidates: list[dict[str, Any]] = field(default_factory=list)
    fronts: list[dict[str, Any]] = field(default_factory=list)
    metric_calls: int = 0
    steps: int = 0

    def on_valset_evaluated(self, event: Mapping[str, Any]) -> None:
        """Note a wording that was asked on the development recordings."""
        wording = event["candidate"][PREDICTOR]
        parents = tuple(int(number) for number in event["parent_ids"] if number is not None)
        if not self.candidates:  # GEPA counts the first evaluation without telling
            self.metric_calls += int(event["num_examples_evaluated"])
            self.fronts.append({"step": 0, "metric_calls": self.metric_calls, "front": [0]})
        self.candidates.append(
            {
                "number": int(event["candidate_idx"]),
                "wording": wording,
                "parents": parents,
                "origin": self.origin_of(wording),
                "development": dict(self.scores(wording)),
                "step": int(event["iteration"]),
                "metric_calls": self.metric_calls,
            }
        )
        self.told(self)

    def on_pareto_front_updated(self, event: Mapping[str, Any]) -> None:
        """Note which wordings are best on some development recording."""
        front = {"step": int(event["iteration"]), "metric_calls": self.metric_calls}
        self.fronts.append(front | {"front": [int(number) for number in event["new_front"]]})

    def on_budget_updated(self, event: Mapping[str, Any]) -> None:
        """Note the budget used."""
        self.metric_calls = int(event["metric_calls_used"])
        self.told(self)

    def on_iteration_end(self, event: Mapping[str, Any]) -> None:
        """Count a step."""
        self.steps = int(event["iteration"])


def lineage(
    recorder: Recorder, trials: Sequence[Trial], chosen: str, facts: Mapping[str, Any]
) -> dict[str, Any]:
    """Return the whole search as plain data.

    Args:
        facts: what the search was: feature, objective, seed, budget, proposer, data, model.
    """
    numbers = {each["wording"]: each["number"] for each in reversed(recorder.candidates)}
    return {
        "version": VERSION,
        **facts,
        "metric_calls": recorder.metric_calls,
        "steps": recorder.steps,
        "chosen": numbers[chosen],
        "candidates": recorder.candidates,
        "pareto_front": recorder.fronts,
        "trials": [asdict(each) for each in trials],
    }


class SearchProgress:
    """Prints the progress of several searches, one plain line each now and then.

    Args:
        budget: metric calls of each search; None where minutes decide.
    """

    def __init__(
        self,
        budget: int | None,
        objective: str,
        *,
        stream: TextIO | None = None,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._budget, self._objective, self._stream = budget, objective, stream or sys.stderr
        self._now, self._began = now, now()
        self._told: dict[str, float] = {}
        self._candidates: dict[str, int] = {}
        self._lock = threading.Lock()

    def told(self, feature: str, recorder: Recorder) -> None:
        """Print a line about a search when a wording was added or enough time has passed."""
        with self._lock:
            fresh = self._candidates.get(feature) != len(recorder.candidates)
            waited = self._now() - self._told.get(feature, -LINE_EVERY_S)
            if is_quiet() or not (fresh or waited >= LINE_EVERY_S):
                return
            self._candidates[feature], self._told[feature] = len(recorder.candidates), self._now()
            print(self.line(feature, recorder), file=self._stream, flush=True)

    def line(self, feature: str, recorder: Recorder) -> str:
        """Return one search's progress in plain text."""
        scores = [each["development"].get(self._objective, math.nan) for each in recorder.candidates]
        best = max((score for score in scores if score == score), default=math.nan)
        begun = scores[0] if scores else math.nan
        limit = f" of {self._budget:,}" if self._budget else ""
        calls = counted(recorder.metric_calls, "metric call") + limit
        return (
            f"{feature}: {calls}, {counted(len(scores), 'wording')} on development, best {self._objective} "
            f"{best:.2f} (began with {begun:.2f}), {clock(self._now() - self._began)} elapsed"
        )
