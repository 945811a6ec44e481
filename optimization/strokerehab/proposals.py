"""Who writes wordings of a study's question, and what every wording must keep, whoever proposed it.

A wording is one text that ends with a sentence of the library on how to answer. It keeps the place ``{hand}`` and the
names that can be answered, names no video or subject, and gives no hint at the answer.
"""

from __future__ import annotations

import random
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from semiology.optimization.proposers.language_model import ReflectiveProposer
from semiology.optimization.proposers.rules import HINT, LEAK, MIN_CHARACTERS, last_sentence, lead_sentences
from semiology.prompts.strokerehab_library import Question
from semiology.render.strict_yaml import read_yaml
from semiology.strokerehab import ACTIVITIES, PRIMITIVES

GRAMMAR = Path(__file__).parent / "grammar.yaml"
HAND = "{hand}"
LONGER = 300
"""Characters that a wording may have beyond the longest of the library, whose lists of options are long."""

TASK = """You improve the wording of one question about a few frames of a video of a person at a table. A video model is
asked it about every window and answers as the last sentence of the wording says. The present wording is:

<wording>{wording}</wording>

What happened with this wording on {count} windows ({tally}):

{feedback}

Write one better wording. Say in plain words what is to be seen, and say what does not count if that helps. It must
- keep its last sentence, word for word,
- keep {kept},
- have at most {characters} characters, in one paragraph, without markup,
- name no video, person, file or number from above,
- not tell which answer is right, likely or to be given when unsure.

Reply with the wording alone between <wording> and </wording>."""


@dataclass(frozen=True)
class StudyRules:
    """The rules for one question.

    Attributes:
        question: of the library.
        ids: video and subject ids that a wording must not name.
        max_characters: the longest wording; never less than the library's longest needs.
    """

    question: Question
    ids: frozenset[str]
    max_characters: int

    @property
    def reference(self) -> str:
        """The library's text."""
        return self.question.prompts[0].text

    @cached_property
    def endings(self) -> frozenset[str]:
        """The sentences on how to answer."""
        return frozenset(last_sentence(prompt.text) for prompt in self.question.prompts)

    @property
    def longest(self) -> int:
        """Most characters."""
        return max(self.max_characters, LONGER + max(len(prompt.text) for prompt in self.question.prompts))

    @property
    def names(self) -> tuple[str, ...]:
        """What can be answered, where the question is a choice."""
        return {"activity": ACTIVITIES, "primitive": PRIMITIVES}.get(self.question.answer or "", ())

    @property
    def kept(self) -> str:
        """What a wording must keep besides its ending, in words."""
        kept = [f"the place {HAND}"] if HAND in self.reference else []
        kept += [f"every option ({', '.join(self.names)})"] if self.names else []
        return " and ".join(kept) or "what the question is about"

    def broken(self, instruction: str) -> list[str]:
        """Return why a wording cannot be used; empty if it can."""
        text = instruction.strip()
        body = lead_sentences(text)
        reasons = []
        if not MIN_CHARACTERS <= len(text) <= self.longest:
            reasons.append(f"it has {len(text)} characters, not {MIN_CHARACTERS} to {self.longest}")
        if any(mark in text.replace(HAND, "") for mark in "\n\r\t`*#<>{}|"):
            reasons.append("it holds line breaks or markup")
        if last_sentence(text) not in self.endings:
            reasons.append("it does not end with a sentence of the library on how to answer")
        if (HAND in text) != (HAND in self.reference):
            reasons.append(f"it does not keep the place {HAND}")
        if lost := [name for name in self.names if name not in text.lower()]:
            reasons.append(f"it leaves out {', '.join(lost)}")
        words = set(re.findall(r"[\w\-@.]+", body.lower()))
        if LEAK.search(body) or words & {name.lower() for name in self.ids}:
            reasons.append("it names a video, a person, a file or a number that may be one")
        if HINT.search(body):
            reasons.append("it hints at the answer or speaks of answers")
        return reasons


@dataclass(frozen=True)
class Composed:
    """A wording as a choice for each part; an empty text leaves a part out."""

    question: str
    role: str = ""
    look: str = ""
    exclusion: str = ""

    @property
    def text(self) -> str:
        """The wording."""
        return " ".join(part for part in (self.role, self.look, self.exclusion, self.question) if part)


class ComposingProposer:
    """Proposes variants of a wording without a language model, by changing one part; the seed decides which."""

    attempts = 80

    def __init__(self, rules: StudyRules, seed: int = 0) -> None:
        grammar = read_yaml(GRAMMAR)
        own = grammar[rules.question.id]
        texts = [*(prompt.text for prompt in rules.question.prompts), *own["question"]]
        self._parts: Mapping[str, Sequence[str]] = {
            "question": [text for text in texts if not rules.broken(text)],
            "role": grammar["role"],
            "look": own["look"],
            "exclusion": own["exclusion"],
        }
        self._rng = random.Random(f"{seed}/{rules.question.id}")  # noqa: S311 - a search, not a secret
        self._known: dict[str, Composed] = {}

    def propose(self, wording: str, records: Sequence[Mapping[str, Any]]) -> str:
        """Return a variant of a wording; what went wrong is not looked at."""
        del records
        parent = self._known.get(wording, Composed(wording))
        changes = [
            (each.name, value)
            for each in fields(Composed)
            for value in (*self._parts[each.name], *([""] if each.name != "question" else []))
            if value != getattr(parent, each.name)
        ]
        name, value = self._rng.choice(changes)
        child = replace(parent, **{name: value})
        self._known[child.text] = child
        return child.text


class StudyReflection(ReflectiveProposer):
    """Asks a language model for a better wording of a study's question; ``rules`` say what it must keep."""

    rules: StudyRules

    def task(self, wording: str, records: Sequence[Mapping[str, Any]]) -> str:
        """Return what the model is sent."""
        tally = Counter(str(record["Verdict"]) for record in records)
        feedback = "\n\n".join(str(record["Feedback"]) for record in records)
        return TASK.format(
            wording=wording,
            count=len(records),
            tally=", ".join(f"{count} {name}" for name, count in sorted(tally.items())) or "none",
            feedback=self._ids.sub("[id]", feedback) if self._ids is not None else feedback,
            kept=self.rules.kept,
            characters=self.rules.longest,
        )
