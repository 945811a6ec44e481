"""A proposer without a language model: a seeded walk over a grammar, nudged by what went wrong.

It is not reflection. It counts how many recordings of the minibatch were missed, falsely called or answered
in no usable way, and then draws a change: mostly another question; after misses rather fewer restrictions,
after false calls rather more, after unusable answers rather another format. What a feedback *says* it cannot
read. Its strength is that it costs nothing, never leaves the machine, and draws the same way from one seed.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from semiology.optimization.proposers.grammar import RESTRICTIVE, Construction, feature_grammar
from semiology.optimization.proposers.rules import CandidateRules

QUESTION_WEIGHT = 4.0
NUDGE = 2.0


class OfflineProposer:
    """Proposes variants of a wording by changing one slot of its construction.

    Args:
        rules: of the feature.
        seed: of all draws.
    """

    attempts = 80

    def __init__(self, rules: CandidateRules, seed: int = 0) -> None:
        self._grammar = feature_grammar(rules)
        self._rng = random.Random(f"{seed}/{rules.feature}")  # noqa: S311 - a search, not a secret
        self._known: dict[str, Construction] = {}

    def propose(self, wording: str, records: Sequence[Mapping[str, Any]]) -> str:
        """Return a variant of a wording.

        Args:
            wording: instruction of the parent.
            records: what the search told about its minibatch; only ``Verdict`` is read.
        """
        parent = self._known.get(wording) or self._grammar.construction(wording)
        wrong = Counter(str(record.get("Verdict")) for record in records)
        slot, value = self._change(parent, wrong)
        child = replace(parent, **{slot: value})
        self._known[child.instruction] = child
        return child.instruction

    def _change(self, parent: Construction, wrong: Mapping[str, int]) -> tuple[str, str]:
        missed, false, unusable = (wrong.get(name, 0) for name in ("missed", "falsely called", "unusable"))
        changes: dict[tuple[str, str], float] = {}
        for slot, values in self._grammar.slots.items():
            fresh = [value for value in values if value != getattr(parent, slot)]
            weight = QUESTION_WEIGHT if slot == "question" else 1.0
            weight += NUDGE * (slot in RESTRICTIVE and false > missed)
            weight += NUDGE * (slot == "format" and unusable > 0)
            changes |= {(slot, value): weight / len(fresh) for value in fresh}
        for slot in parent.filled:
            changes[slot, ""] = 1.0 + NUDGE * (slot in RESTRICTIVE and missed > false)
        return self._rng.choices(list(changes), weights=list(changes.values()))[0]
