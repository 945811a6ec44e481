"""A wording as a search handles it, one text, and what it must keep to, whoever proposed it.

What is sent is that text and the sentence of an answer format, as the library joins them. A wording that is
to be sent in another format than the search's default says so in a last line, ``(answer format: …)``.

It ends as one yes/no question about the feature, is not too long, names no recording and gives no hint at the
answer. A wording that breaks a rule is never asked; the reasons are counted and reported.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from functools import cached_property

from semiology.features import FEATURES
from semiology.prompts.library import NA_WHEN_NOT_STATED, Prompt, answer_formats, load_library, render

OWN_FORMAT = "yes_no"
CANDIDATE = "candidate"
"""Id of a wording that is none of the library's."""
_FORMAT = re.compile(r"\s*\(answer format: ([a-z_]+)\)\s*$")
MAX_CHARACTERS = 700
MIN_CHARACTERS = 12

_AUXILIARY = r"(?:is|are|was|were|do|does|did|has|have|had|can|could|will|would|should|may|might)"
_OPENS = re.compile(rf"(?:^|[,:;]\s+(?:and\s+|then\s+)?){_AUXILIARY}\b", re.IGNORECASE)
_OPEN_QUESTION = re.compile(
    r"^(?:what|which|who|whom|whose|where|when|why|how)\b(?!.*,\s*" + _AUXILIARY + ")", re.I
)
_WITHIN_CLAUSE = re.compile(r"^(?:when|if|while|where)\b", re.IGNORECASE)
HINT = re.compile(
    r"\b(?:answers?|answered|reply|replies|respond with|say|output)\b[^.?!]{0,30}['\"]?\b(?:yes|no|na|n/a)\b"
    r"|\b(?:correct|right|expected|true) (?:answer|label)\b|\bground truth\b|\blabel(?:s|led|ed)?\b"
    r"|\balways\b[^.?!]{0,20}\b(?:yes|no|present|absent)\b"
    r"|\b(?:most|nearly all|almost all|many|few) (?:patients|recordings|videos|clips)\b"
    r"|\b(?:when|if) (?:in doubt|unsure|uncertain|not sure)\b|\bprevalence\b|\d\s*%|\bper ?cent\b"
    r"|\b(?:default|lean|err) (?:to|towards|on the side)\b|\byes or no\b",
    re.IGNORECASE,
)
LEAK = re.compile(
    r"https?://|www\.|\S+\.(?:mp4|avi|mov|mkv|wav|csv|json)\b|[/\\]\w+[/\\]"
    r"|\b(?:recording|video|clip|patient|example|case|batch)\s*(?:no\.?|number|id|#)?\s*[:#]?\s*\d+"
    r"|\b\w*@\w+|\b\d{4,}\b",
    re.IGNORECASE,
)
_WORD = re.compile(r"[a-z]{4,}")
_COMMON_TEXT = """
    patient patients does have with that this from like such some seem video shown show shows appear appears
    there their them they over least during throughout several recording seconds present exhibit display
    visible look then each when where while what which being been into more than moment movement
    movements feature
"""
_COMMON = frozenset(_COMMON_TEXT.split())


@dataclass(frozen=True)
class CandidateRules:
    """The rules for one feature.

    Attributes:
        ids: video and patient ids that a wording must not name.
        answer_formats: formats that a wording may name; empty for none.
    """

    feature: str
    ids: frozenset[str]
    max_characters: int = MAX_CHARACTERS
    answer_formats: frozenset[str] = frozenset()

    def broken(self, instruction: str) -> list[str]:
        """Return why a wording cannot be used; empty if it can."""
        text, named = split_format(instruction)
        if not text:
            return ["it is empty"]
        reasons = [] if named is None or named in self.answer_formats else ["it names another answer format"]
        reasons += self._form(text)
        words = set(re.findall(r"[\w\-@.]+", text.lower()))
        if LEAK.search(text) or words & self._lowered_ids:
            reasons.append("it names a recording, a patient, a file or a number that may be one")
        if HINT.search(text):
            reasons.append("it hints at the answer or speaks of answers")
        return reasons + self._subject(text)

    def _form(self, text: str) -> list[str]:
        reasons = []
        if not MIN_CHARACTERS <= len(text) <= self.max_characters:
            reasons.append(f"it has {len(text)} characters, not {MIN_CHARACTERS} to {self.max_characters}")
        if any(mark in text for mark in "\n\r\t`*#<>{}|"):
            reasons.append("it holds line breaks or markup")
        if not text.endswith("?"):
            reasons.append("it does not end with a question")
        elif text.count("?") > 1:
            reasons.append("it asks more than one question")
        elif not asks_yes_or_no(last_sentence(text)):
            reasons.append("its question cannot be answered with yes or no")
        return reasons

    @cached_property
    def _lowered_ids(self) -> frozenset[str]:
        return frozenset(name.lower() for name in self.ids)

    def _subject(self, text: str) -> list[str]:
        question = last_sentence(text).lower()
        others = [
            name
            for name in FEATURES
            if name != self.feature and _names(question, name) and not _names(self._library_text, name)
        ]
        if others:
            return [f"it asks about another feature ({others[0]})"]
        words = content_words(question)
        if not words & self._words:
            return ["its question shares no word with any wording of the feature"]
        if 2 * len(words & self._words) <= len(words):
            closer = next((name for name, known in self._other_words.items() if words <= known), None)
            if closer:
                return [f"it asks about another feature ({closer})"]
        return []

    @cached_property
    def _other_words(self) -> dict[str, frozenset[str]]:
        return {name: content_words(_question_text(name)) for name in FEATURES if name != self.feature}

    @cached_property
    def _library_text(self) -> str:
        return _question_text(self.feature)

    @cached_property
    def _words(self) -> frozenset[str]:
        return content_words(self._library_text)


def last_sentence(text: str) -> str:
    """Return the last sentence of a text."""
    return re.split(r"(?<=[.!?])\s+", text.strip())[-1]


def lead_sentences(text: str) -> str:
    """Return what stands before the last sentence; empty without it."""
    return " ".join(re.split(r"(?<=[.!?])\s+", text.strip())[:-1])


def asks_yes_or_no(question: str) -> bool:
    """Return whether a sentence is a question that yes or no answers: a clause opens with an auxiliary.

    'When somebody talks, does …' is one, 'When does …' is not.
    """
    if not question.endswith("?") or _OPENS.search(question) is None:
        return False
    first, *rest = re.split(r",\s*", question, maxsplit=1)
    return bool(rest) if _WITHIN_CLAUSE.match(question) else not _OPEN_QUESTION.match(first)


def content_words(text: str) -> frozenset[str]:
    """Return the beginnings (five letters) of the words that say what a question is about."""
    return frozenset(word[:5] for word in _WORD.findall(text.lower()) if word not in _COMMON)


def all_ids(recordings: Collection[tuple[str, str]]) -> frozenset[str]:
    """Return video and patient ids of more than two characters; shorter ones would forbid words."""
    return frozenset(name for pair in recordings for name in pair if len(name) > 2)


def _names(text: str, feature: str) -> bool:
    return re.search(rf"\b{re.escape(feature.replace('_', ' '))}\b", text) is not None


def _question_text(feature: str) -> str:
    """Return the questions of all library wordings of a feature, and its name, as one text."""
    known = [last_sentence(prompt.text) for prompt in load_library().feature(feature).prompts]
    return " ".join([*known, feature.replace("_", " ")]).lower()


def split_format(instruction: str) -> tuple[str, str | None]:
    """Return the wording and the answer format it names, None if it names none (or an unknown one)."""
    found = _FORMAT.search(instruction)
    if found is None or found.group(1) not in answer_formats():
        return instruction.strip(), None
    return instruction[: found.start()].strip(), found.group(1)


def with_format(text: str, answer_format: str | None) -> str:
    """Return the instruction for a wording in an answer format; None keeps the search's default."""
    return f"{text}\n(answer format: {answer_format})" if answer_format else text


def wording_prompt(feature: str, instruction: str, default_format: str = OWN_FORMAT) -> Prompt:
    """Return a library wording for an instruction; a text of the library keeps its id and provenance."""
    text, named = split_format(instruction)
    chosen = named or default_format
    entry = load_library().feature(feature)
    for prompt in entry.prompts:
        if prompt.text == text and prompt.answer == chosen and prompt.polarity == "positive":
            return prompt
    return Prompt(
        feature=feature,
        id=CANDIDATE,
        text=text,
        answer=chosen,
        provenance="optimized",
        source="a search for wordings",
        family="optimized",
        na_when=entry.na_when or NA_WHEN_NOT_STATED,
    )


def question_text(feature: str, instruction: str, default_format: str = OWN_FORMAT) -> str:
    """Return the full question for an instruction, byte for byte as it is sent."""
    return render(wording_prompt(feature, instruction, default_format))
