"""A synthetic model whose answers depend on the wording in a known way, and recordings for it."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Callable, Sequence

from semiology.optimization.proposers.rules import CandidateRules
from semiology.optimization.search.asking import WindowQuestion
from semiology.optimization.search.examples import Example

FEATURE = "tonic"
IDS = frozenset({"P0007", "P0007_V1"})


def rules(feature: str = FEATURE, **more: object) -> CandidateRules:
    return CandidateRules(feature, IDS, **more)  # type: ignore[arg-type]


def share(*parts: object) -> float:
    """Return a number in [0, 1) that depends on the parts alone."""
    return int(hashlib.sha256("|".join(map(str, parts)).encode()).hexdigest()[:8], 16) / 2**32


def quality(text: str) -> float:
    """Return how often the synthetic model is right under a wording: the effects are known."""
    effects = {"Look at": 0.15, "stiff": 0.1, "rigid": 0.05, "few seconds": 0.1, "epileptologist": -0.15}
    return 0.55 + sum(effect for words, effect in effects.items() if words in text)


class SyntheticModel:
    """Right with the probability that its wording gives, by a hash and so always in the same way."""

    def __init__(self, truths: dict[str, str], of: Callable[[str], float] = quality) -> None:
        self.truths, self._quality = truths, of
        self.calls: list[list[WindowQuestion]] = []

    def answer(self, questions: Sequence[WindowQuestion]) -> list[str]:
        self.calls.append(list(questions))
        return [self._reply(question) for question in questions]

    def _reply(self, question: WindowQuestion) -> str:
        right = share(question.video_id, question.text) < self._quality(question.text)
        return "Yes." if (self.truths[question.video_id] == "yes") == right else "No."


def examples(
    count: int, name: str, *, feature: str = FEATURE, prevalence: float = 0.4
) -> tuple[Example, ...]:
    """Return recordings of patients with two each."""
    rng = random.Random(name)
    return tuple(
        Example(
            feature, f"{name}{i:03}", f"P{name}{i // 2:03}",
            "yes" if rng.random() < prevalence else "no", (0,), "stiffened at once",
        )
        for i in range(count)
    )  # fmt: skip


def truths(*parts: Sequence[Example]) -> dict[str, str]:
    return {each.video_id: each.truth for part in parts for each in part}
