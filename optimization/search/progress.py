"""How far searches are: one plain line each now and then, on standard error."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable
from typing import TextIO

from semiology.optimization.search.lineage import Recorder
from semiology.render.noun_counts import counted
from semiology.render.progress import clock, is_quiet

LINE_EVERY_S = 15.0


class SearchProgress:
    """Tells the progress of several searches.

    Args:
        budget: metric calls of each search; None where minutes decide.
        objective: name of the score shown.
        stream: where to; standard error by default.
        now: gives the time, s.
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
        """Take note of a search; prints a line when a wording was added or enough time has passed."""
        with self._lock:
            fresh = self._candidates.get(feature) != len(recorder.candidates)
            waited = self._now() - self._told.get(feature, -LINE_EVERY_S)
            if is_quiet() or not (fresh or waited >= LINE_EVERY_S):
                return
            self._candidates[feature], self._told[feature] = len(recorder.candidates), self._now()
            print(self.line(feature, recorder), file=self._stream, flush=True)

    def line(self, feature: str, recorder: Recorder) -> str:
        """Return one search's progress in plain text."""
        scores = [each.development.get(self._objective, float("nan")) for each in recorder.candidates]
        best = max((score for score in scores if score == score), default=float("nan"))
        begun = scores[0] if scores else float("nan")
        calls = counted(recorder.metric_calls, "metric call") + (
            f" of {self._budget:,}" if self._budget else ""
        )
        return (
            f"{feature}: {calls}, {counted(len(scores), 'wording')} on development, best {self._objective} "
            f"{best:.2f} (began with {begun:.2f}), {clock(self._now() - self._began)} elapsed"
        )
