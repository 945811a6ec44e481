"""A proposer without a language model: a seeded walk over a grammar, nudged by what went wrong.

Nothing here understands language, and nothing reflects. A wording is a choice for each slot of a construction;
slots hold what the library's families and ``grammar.yaml`` vary: role, body part, definition, context note,
negative criteria, the question itself, duration and format. The proposer counts how many recordings of the
minibatch were missed, falsely called or answered in no usable way, and draws a change: mostly another question;
after misses rather fewer restrictions, after false calls rather more, after unusable answers rather another
format. It costs nothing, never leaves the machine, and draws the same way from one seed.
"""

from __future__ import annotations

import functools
import random
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

from semiology.optimization.proposers.rules import (
    CandidateRules,
    last_sentence,
    lead_sentences,
    split_format,
    with_format,
)
from semiology.prompts.library import load_library
from semiology.render.strict_yaml import read_yaml

GRAMMAR = Path(__file__).parent / "grammar.yaml"
SENTENCES = ("role", "body", "definition", "context", "exclusion")
_POINTS_BACK = re.compile(r"\b(?:any|one|both|either) of (?:them|these)\b|\bthis sign\b", re.IGNORECASE)
"""A question that points back at a sentence before it means nothing without that sentence."""
RESTRICTIVE = ("definition", "context", "exclusion")
"""Slots that say what does not count or what is meant exactly: they tend to make yes rarer."""
QUESTION_WEIGHT = 4.0
NUDGE = 2.0


@dataclass(frozen=True)
class Construction:
    """One wording as a choice for each slot; an empty text leaves a slot out.

    Attributes:
        role, body, definition, context, exclusion: sentences before the question.
        question: the yes/no question.
        duration: phrase before the question mark.
        format: answer format, empty for the search's default.
    """

    question: str
    role: str = ""
    body: str = ""
    definition: str = ""
    context: str = ""
    exclusion: str = ""
    duration: str = ""
    format: str = ""

    @property
    def instruction(self) -> str:
        """The wording as one text."""
        question = self.question
        if self.duration and self.duration not in question:
            question = f"{question.rstrip('?').rstrip()} {self.duration}?"
        text = " ".join([*(getattr(self, slot) for slot in SENTENCES if getattr(self, slot)), question])
        return with_format(text, self.format or None)

    @property
    def filled(self) -> tuple[str, ...]:
        """Slots that may be emptied."""
        return tuple(
            each.name for each in fields(self) if each.name != "question" and getattr(self, each.name)
        )


@dataclass(frozen=True)
class FeatureGrammar:
    """What each slot may hold for one feature."""

    feature: str
    slots: Mapping[str, tuple[str, ...]]

    def construction(self, instruction: str) -> Construction:
        """Return a text as a construction: known sentences in their slots, others as the definition."""
        text, named = split_format(instruction)
        found = Construction(last_sentence(text), format=named or "")
        lead = lead_sentences(text)
        for slot in SENTENCES:
            for sentence in self.slots[slot]:
                if sentence in lead and not getattr(found, slot):
                    found = replace(found, **{slot: sentence})
                    lead = lead.replace(sentence, "").strip()
        joined = " ".join(part for part in (found.definition, lead) if part)
        return replace(found, definition=joined)


_grammar = functools.lru_cache(maxsize=1)(read_yaml)


def feature_grammar(rules: CandidateRules) -> FeatureGrammar:
    """Return the slots of a feature; questions that break a rule by themselves are left out.

    Args:
        rules: of the feature; its answer formats fill the slot ``format``.
    """
    entry, raw = load_library().feature(rules.feature), _grammar(GRAMMAR)
    own = raw["features"][rules.feature]
    templates = [each.replace("{noun}", noun) for noun in own["nouns"] for each in raw["question"]]
    wordings = [prompt for prompt in entry.prompts if prompt.polarity == "positive" and prompt.tail != ""]
    own_questions = [last_sentence(prompt.text) for prompt in wordings]
    questions = [each for each in own_questions if not _POINTS_BACK.search(each)] + templates

    def leads(family: str) -> list[str]:
        found = [lead_sentences(prompt.text) for prompt in entry.prompts if prompt.family == family]
        return [lead for lead in found if lead]

    slots = {
        "question": [each for each in questions if not rules.broken(each)],
        "role": raw["role"],
        "body": [*own["body"], *leads("step_by_step_look")],
        "definition": [*leads("definition"), *leads("observable_behaviour")],
        "context": [f"Note: {entry.context.rstrip('.')}."] if entry.context else [],
        "exclusion": raw["exclusion"][entry.group],
        "duration": raw["duration"],
        "format": sorted(rules.answer_formats),
    }
    return FeatureGrammar(
        rules.feature, {slot: tuple(dict.fromkeys(values)) for slot, values in slots.items()}
    )


class OfflineProposer:
    """Proposes variants of a wording by changing one slot of its construction."""

    attempts = 80

    def __init__(self, rules: CandidateRules, seed: int = 0) -> None:
        self._grammar = feature_grammar(rules)
        self._rng = random.Random(f"{seed}/{rules.feature}")  # noqa: S311 - a search, not a secret
        self._known: dict[str, Construction] = {}

    def propose(self, wording: str, records: Sequence[Mapping[str, Any]]) -> str:
        """Return a variant of a wording.

        Args:
            records: what the search recorded about its minibatch; only ``Verdict`` is read.
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
