"""What stands between GEPA and whoever writes wordings: library seeds first, rules kept, nothing twice."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

PREDICTOR = "ask"
"""Name of the program's one predictor, whose instruction is the wording."""


class ReflectionError(RuntimeError):
    """The language model that writes wordings gave no reply; the message says why."""


class Proposer(Protocol):
    """Writes wordings.

    Attributes:
        attempts: how often it is asked in one step before the step is given up.
    """

    attempts: int

    def propose(self, wording: str, records: Sequence[Mapping[str, Any]]) -> str:
        """Return a variant of a wording; empty text if there is none.

        Raises:
            ReflectionError: no reply.
        """
        ...


class Rules(Protocol):
    """What a wording must keep to."""

    def broken(self, instruction: str) -> list[str]:
        """Return why a wording cannot be used; empty if it can."""
        ...


class GuardedProposer:
    """GEPA's ``ProposalFn``: hands out wordings that keep the rules and were not handed out before.

    Args:
        seeds: wordings of the library, handed out first, as they are.

    Attributes:
        proposed: how many wordings were handed out.
        turned_away: how many others were not. refused: why, by reason; one wording may have several.
        barren: how many steps in a row brought nothing. failures: how many replies in a row never came.
        last_failure: why the last of them did not.
    """

    def __init__(
        self, proposer: Proposer, rules: Rules, *, seeds: Sequence[str] = (), begun_with: str
    ) -> None:
        self._proposer, self._rules = proposer, rules
        self._seeds = [seed for seed in seeds if seed != begun_with]
        self._seen = {_folded(begun_with)}
        self.proposed = self.turned_away = self.barren = self.failures = 0
        self.refused: Counter[str] = Counter()
        self.last_failure = ""

    def __call__(
        self,
        candidate: Mapping[str, str],
        reflective_dataset: Mapping[str, Sequence[Mapping[str, Any]]],
        components_to_update: Sequence[str],
    ) -> dict[str, str]:
        """Return a new wording for the program's predictor; an empty mapping if there is none."""
        if PREDICTOR not in components_to_update:
            return {}
        found = self._next(candidate[PREDICTOR], reflective_dataset.get(PREDICTOR, ()))
        if found is None:
            self.barren += 1
            return {}
        self.barren, self.proposed = 0, self.proposed + 1
        self._seen.add(_folded(found))
        return {PREDICTOR: found}

    def _next(self, wording: str, records: Sequence[Mapping[str, Any]]) -> str | None:
        while self._seeds:
            seed = self._seeds.pop(0)
            if _folded(seed) not in self._seen:
                return seed
        for _ in range(self._proposer.attempts):
            try:
                proposed = self._proposer.propose(wording, records).strip()
            except ReflectionError as error:
                self.failures, self.last_failure = self.failures + 1, str(error)
                return None
            self.failures = 0
            reasons = self._rules.broken(proposed)
            if not reasons and _folded(proposed) not in self._seen:
                return proposed
            self.turned_away += 1
            self.refused.update(reasons or ["it was tried before"])
        return None


def _folded(text: str) -> str:
    """Return a text without case and spacing: two such wordings would be one stimulus."""
    return " ".join(text.lower().split())
