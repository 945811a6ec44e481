"""The parts that wordings are put together from: the library's own, and those of ``grammar.yaml``.

Nothing here understands language. A wording is a choice for each slot; slots hold what the library's families
vary: role, body part, definition, context note, negative criteria, the question itself, duration and format.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

from semiology.optimization.proposers.rules import CandidateRules, last_sentence, lead_sentences
from semiology.optimization.proposers.wording_text import split_format, with_format
from semiology.prompts.library import FeaturePrompts, load_library
from semiology.prompts.strict_yaml import read_yaml

GRAMMAR = Path(__file__).parent / "grammar.yaml"
SENTENCES = ("role", "body", "definition", "context", "exclusion")
_POINTS_BACK = re.compile(r"\b(?:any|one|both|either) of (?:them|these)\b|\bthis sign\b", re.IGNORECASE)
"""A question that points back at a sentence before it means nothing without that sentence."""
RESTRICTIVE = ("definition", "context", "exclusion")
"""Slots that say what does not count or what is meant exactly: they tend to make yes rarer."""


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


@functools.lru_cache(maxsize=1)
def _grammar() -> Mapping[str, Any]:
    return dict(read_yaml(GRAMMAR))


def feature_grammar(rules: CandidateRules) -> FeatureGrammar:
    """Return the slots of a feature; questions that break a rule by themselves are left out.

    Args:
        rules: of the feature; its answer formats fill the slot ``format``.
    """
    entry, raw = load_library().feature(rules.feature), _grammar()
    own = raw["features"][rules.feature]
    templates = [each.replace("{noun}", noun) for noun in own["nouns"] for each in raw["question"]]
    wordings = [prompt for prompt in entry.prompts if prompt.polarity == "positive" and prompt.tail != ""]
    own_questions = [last_sentence(prompt.text) for prompt in wordings]
    questions = [each for each in own_questions if not _POINTS_BACK.search(each)] + templates
    slots = {
        "question": [each for each in questions if not rules.broken(each)],
        "role": raw["role"],
        "body": [*own["body"], *_leads(entry, "step_by_step_look")],
        "definition": [*_leads(entry, "definition"), *_leads(entry, "observable_behaviour")],
        "context": [f"Note: {entry.context.rstrip('.')}."] if entry.context else [],
        "exclusion": raw["exclusion"][entry.group],
        "duration": raw["duration"],
        "format": sorted(rules.answer_formats),
    }
    return FeatureGrammar(
        rules.feature, {slot: tuple(dict.fromkeys(values)) for slot, values in slots.items()}
    )


def _leads(entry: FeaturePrompts, family: str) -> list[str]:
    leads = [lead_sentences(prompt.text) for prompt in entry.prompts if prompt.family == family]
    return [lead for lead in leads if lead]
