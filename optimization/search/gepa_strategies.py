"""GEPA's decisions, each taken by the stated objective: what is tried on what, kept, best, and when to stop.

GEPA adds up scores of single recordings; F1 is no such sum. So acceptance and selection look the answers up
and score them together. GEPA's Pareto front over single recordings stays as it is: it decides which wording
is varied next.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gepa.strategies.eval_policy import FullEvaluationPolicy
from gepa.strategies.proposal_sampling import ProposalTask

from semiology.optimization.proposers.guarded import PREDICTOR
from semiology.optimization.search.asking import AnswerBook
from semiology.optimization.search.examples import Example
from semiology.optimization.search.scores import Objective, rank

Standing = Callable[[str, Sequence[Example]], tuple[float, float]]
"""Objective and mean score of a wording on examples."""


def standing(book: AnswerBook, value: Objective) -> Standing:
    """Return the function that scores wordings by the answers in a book; each is scored once."""
    known: dict[tuple[str, tuple[Example, ...]], tuple[float, float]] = {}

    def scored(wording: str, examples: Sequence[Example]) -> tuple[float, float]:
        key = wording, tuple(examples)
        if key not in known:
            known[key] = rank(value, examples, book.answers(wording, examples))
        return known[key]

    return scored


@dataclass(frozen=True)
class Trial:
    """A wording tried on a minibatch beside its parent: the objective of both, and whether it went on."""

    wording: str
    parent: str
    before: float
    after: float
    accepted: bool


class Decisions(FullEvaluationPolicy[int, Any]):
    """What GEPA tries on what, accepts, sends on and calls best; all by the objective, the mean score breaks ties.

    Each step varies one wording several times on one minibatch, so that the variants share its video. Of those
    that beat their parent only the best goes on to the development recordings, all of which are then asked: they
    cost most of a budget, and more of it goes into trying wordings so.

    Args:
        scored: objective and mean score of a wording.
        train, development: examples, in GEPA's order.

    Attributes:
        trials: every verdict on a minibatch, in order.
    """

    def __init__(
        self, scored: Standing, train: Sequence[Example], development: Sequence[Example], siblings: int
    ) -> None:
        self._scored, self._train, self._development = scored, train, development
        self._siblings = siblings
        self.trials: list[Trial] = []

    def sample_tasks(
        self, state: Any, candidate_selector: Any, batch_sampler: Any, trainset: Any
    ) -> list[ProposalTask[int, Any]]:
        """Return one task for each variant, all with the same parent and minibatch."""
        parent = candidate_selector.select_candidate_idx(state)
        numbers = batch_sampler.next_minibatch_ids(trainset, state)
        wording = state.program_candidates[parent]
        return [
            ProposalTask(parent, wording, list(numbers), trainset.fetch(numbers))
            for _ in range(self._siblings)
        ]

    def should_accept(self, proposal: Any, state: Any) -> bool:
        """Return whether a proposal beats its parent on the minibatch."""
        parent = state.program_candidates[proposal.parent_program_ids[0]][PREDICTOR]
        before, after = self._on_minibatch(proposal, parent), self._on_minibatch(proposal)
        self.trials.append(Trial(proposal.candidate[PREDICTOR], parent, before[0], after[0], after > before))
        return after > before

    def _on_minibatch(self, proposal: Any, wording: str | None = None) -> tuple[float, float]:
        asked = [self._train[number] for number in proposal.subsample_indices]
        return self._scored(wording or proposal.candidate[PREDICTOR], asked)

    def reject_reason(self, proposal: Any, state: Any) -> str:
        """Return why a proposal is not kept."""
        del proposal, state
        return "not better than its parent on the minibatch"

    def select(self, proposals: list[Any], state: Any, acceptance_criterion: Any) -> list[Any]:
        """Return the best accepted proposal, the first of equals; none if none was accepted."""
        better = [each for each in proposals if acceptance_criterion.should_accept(each, state)]
        return [max(better, key=self._on_minibatch)] if better else []

    def get_best_program(self, state: Any) -> int:
        """Return the number of the best wording on development so far."""
        return self.best_of(state.program_candidates)

    def best_of(self, candidates: Sequence[Mapping[str, str]]) -> int:
        """Return the number of the candidate that is best on development, the first of equals."""
        found = [self._scored(each[PREDICTOR], self._development) for each in candidates]
        return max(range(len(found)), key=lambda number: (found[number], -number))

    def get_valset_score(self, program_idx: int, state: Any) -> float:
        """Return the objective of one wording on the development recordings."""
        return self._scored(state.program_candidates[program_idx][PREDICTOR], self._development)[0]


class BalancedMinibatches:
    """Draws minibatches with as many recordings with the feature as without, each class in shuffled turns."""

    def __init__(self, truths: Sequence[str], size: int, rng: random.Random) -> None:
        self._rng, self._size = rng, min(size, len(truths))
        positive = [number for number, truth in enumerate(truths) if truth == "yes"]
        others = [number for number, truth in enumerate(truths) if truth != "yes"]
        self._classes = [positive, others]
        self._turns: list[list[int]] = [[], []]

    def next_minibatch_ids(self, loader: Any, state: Any) -> list[int]:
        """Return the numbers of the next minibatch's examples."""
        del loader, state
        halves = (self._size // 2, self._size - self._size // 2)
        sizes = [min(half, len(members)) for half, members in zip(halves, self._classes, strict=True)]
        for place in (0, 1):  # what one class cannot fill the other does
            room = self._size - sizes[1 - place]
            sizes[place] = min(len(self._classes[place]), max(sizes[place], room))
        return [number for place in (0, 1) for number in self._draw(place, sizes[place])]

    def _draw(self, place: int, size: int) -> list[int]:
        drawn: list[int] = []
        while len(drawn) < size:
            if not self._turns[place]:
                self._turns[place] = self._rng.sample(self._classes[place], len(self._classes[place]))
            number = self._turns[place].pop(0)
            if number not in drawn:
                drawn.append(number)
        return drawn


class MinutesUsed:
    """Stops a search after so many minutes, those of earlier, killed runs of the same search included."""

    def __init__(
        self, minutes: float, before_s: float = 0.0, now: Callable[[], float] = time.monotonic
    ) -> None:
        self._limit_s, self._before_s, self._now = minutes * 60, before_s, now
        self._began = now()

    def __call__(self, state: Any) -> bool:
        """Return whether the time is used up."""
        del state
        return self.used_s >= self._limit_s

    @property
    def used_s(self) -> float:
        """Seconds used in all."""
        return self._before_s + self._now() - self._began
