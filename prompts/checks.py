"""What a prompt file must satisfy, checked on the plain YAML content, so that all faults are told at once."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from semiology.features import FEATURES, group_of, suggest_feature

PROVENANCES = ("epileptologist", "authored", "optimized")
POLARITIES = ("positive", "negative")
FAMILIES = (
    "observable_behaviour",
    "minimal",
    "clinical_term",
    "definition",
    "layperson",
    "role",
    "step_by_step_look",
    "with_context",
    "paraphrase",
    "body_part",
    "duration",
    "negative_criteria",
    "answer_order",
    "format",
    "negated",
    "optimized",
    "other",
)
AUTHORED_FAMILIES_NEEDED = 5
REFERENCE_ID = "s3"

FILE_KEYS = (
    "feature", "group", "na_when", "note", "prompts", "questions", "context", "importance", "citation",
)  # fmt: skip
EXTENSION_KEYS = ("feature", "group", "prompts")
REQUIRED_KEYS = ("feature", "group", "na_when", "prompts", "questions", "context", "importance", "citation")
PROMPT_KEYS = (
    "id", "text", "answer", "tail", "polarity", "provenance", "source", "family", "also", "note",
)  # fmt: skip
REQUIRED_PROMPT_KEYS = ("id", "text", "answer", "provenance", "source", "family")

TYPOGRAPHIC_QUOTES = "‘’‚‛“”„‟‹›«»′″"
_ID = re.compile(r"[a-z][a-z0-9_]*")


@dataclass(frozen=True)
class PromptProblem:
    """One fault of a prompt file: where it is, what it is, and what to do."""

    file: str
    entry: str
    message: str
    fix: str

    def __str__(self) -> str:
        where = f"{self.file}: {self.entry}" if self.entry else self.file
        return f"{where}: {self.message} → {self.fix}"


def check_feature_file(
    raw: Any, file: str, formats: Collection[str], extension: bool = False
) -> list[PromptProblem]:
    """Return every fault of one feature file's content; an empty list means that it can be used.

    Args:
        raw: The content as YAML gives it.
        file: How the file is called in messages.
        formats: The ids of the known answer formats.
        extension: The file adds wordings to a feature (``SEMIOLOGY_PROMPTS``): only the feature and its
            prompts are asked for.
    """
    if not isinstance(raw, Mapping):
        return [PromptProblem(file, "", "holds no keys", "write `feature:` and `prompts:`")]
    required = ("feature", "prompts") if extension else REQUIRED_KEYS
    problems = _key_problems(raw, file, "", EXTENSION_KEYS if extension else FILE_KEYS, required)
    problems += _feature_problems(raw, file)
    if not extension:
        problems += _fact_problems(raw, file)
    prompts = raw.get("prompts")
    if not isinstance(prompts, list) or not prompts:
        return [
            *problems,
            PromptProblem(file, "prompts", "holds no list of wordings", "add `- id: …` entries"),
        ]
    for number, prompt in enumerate(prompts, start=1):
        problems += _prompt_problems(prompt, file, number, formats)
    wordings = [prompt for prompt in prompts if isinstance(prompt, Mapping)]
    problems += duplicate_problems([(file, wording) for wording in wordings])
    return problems if extension else problems + _completeness_problems(wordings, file)


def duplicate_problems(wordings: Sequence[tuple[str, Mapping[str, Any]]]) -> list[PromptProblem]:
    """Return the ids and the texts that one feature holds twice; each wording comes with its file's name.

    Texts are compared without case and spacing: two such wordings would be one stimulus under two names. The
    same text may stand again with another answer format, as where only the order of the answers differs.
    """
    problems = []
    ids: dict[str, str] = {}
    texts: dict[tuple[str, Any], str] = {}
    for file, wording in wordings:
        identity = str(wording.get("id"))
        text = " ".join(str(wording.get("text")).casefold().split()), wording.get("answer")
        entry = f"prompt {identity!r}"
        if identity in ids:
            message = f"the id stands twice (also in {ids[identity]})"
            problems.append(PromptProblem(file, entry, message, "give each wording of a feature its own id"))
        elif text in texts:
            message = f"the text is that of prompt {texts[text]!r}"
            problems.append(PromptProblem(file, entry, message, "remove one, or word it differently"))
        ids.setdefault(identity, file)
        texts.setdefault(text, identity)
    return problems


def text_faults(text: str) -> list[str]:
    """Return why a text would not have one stable hash, or is not plain: [] for a usable text.

    Invisible differences (decomposed letters, no-break spaces, zero-width characters, spaces at the ends)
    change the hash, and perhaps the model's reply, of what looks like the same wording.
    """
    faults = []
    quotes = sorted({character for character in text if character in TYPOGRAPHIC_QUOTES})
    if quotes:
        faults.append(f"has typographic quotes ({' '.join(quotes)}); write ' and \"")
    if text != text.strip():
        faults.append("begins or ends with spaces; remove them")
    if "  " in text or "\n" in text or "\t" in text:
        faults.append("has runs of spaces or line breaks; write it on one line with single spaces")
    if not unicodedata.is_normalized("NFC", text):
        faults.append("has decomposed letters, which hash differently; write it in Unicode form NFC")
    odd = sorted({f"U+{ord(c):04X}" for c in text if _is_invisible(c)})
    if odd:
        faults.append(f"has invisible characters ({', '.join(odd)}); remove them")
    return faults


def _is_invisible(character: str) -> bool:
    """Tell whether a character cannot be seen, or looks like a plain space without being one."""
    category = unicodedata.category(character)
    return category in {"Cc", "Cf", "Cs", "Co", "Zl", "Zp"} - ({"Cc"} if character in "\n\t" else set()) or (
        category == "Zs" and character != " "
    )


def _key_problems(
    raw: Mapping[Any, Any], file: str, entry: str, known: Sequence[str], required: Sequence[str]
) -> list[PromptProblem]:
    """Return unknown and missing keys."""
    problems = [
        PromptProblem(file, entry, f"unknown key {key!r}{_near(key, known)}", f"use: {', '.join(known)}")
        for key in raw
        if key not in known
    ]
    missing = [key for key in required if key not in raw]
    return problems + [
        PromptProblem(file, entry, f"{key!r} is missing", f"add `{key}: …`") for key in missing
    ]


def _feature_problems(raw: Mapping[str, Any], file: str) -> list[PromptProblem]:
    """Return faults of the feature's name, group and file name."""
    feature = raw.get("feature")
    if feature not in FEATURES:
        message = f"unknown feature {feature!r}{suggest_feature(str(feature))}"
        return [PromptProblem(file, "feature", message, "use one of the names of semiology.features")]
    group = group_of(feature)
    if raw.get("group", group) != group:
        return [PromptProblem(file, "group", f"{feature} is not {raw['group']!r}", f"write `group: {group}`")]
    return []


def _fact_problems(raw: Mapping[str, Any], file: str) -> list[PromptProblem]:
    """Return faults of the published facts that go with a feature."""
    problems = []
    for key in ("na_when", "importance", "citation"):
        problems += _text_problems(raw.get(key), file, key)
    for key in ("context", "note"):
        if raw.get(key) is not None:
            problems += _text_problems(raw[key], file, key)
    questions = raw.get("questions")
    if not isinstance(questions, list):
        return [*problems, PromptProblem(file, "questions", "is not a list", "write a list ([] for none)")]
    for number, question in enumerate(questions, start=1):
        problems += _text_problems(question, file, f"question {number}")
    return problems


def _text_problems(value: Any, file: str, entry: str) -> list[PromptProblem]:
    """Return faults of one text."""
    if not isinstance(value, str) or not value:
        return [PromptProblem(file, entry, f"is {value!r}, not a text", "write a text, in quotes if need be")]
    return [PromptProblem(file, entry, *fault.split("; ", 1)) for fault in text_faults(value)]


def _prompt_problems(prompt: Any, file: str, number: int, formats: Collection[str]) -> list[PromptProblem]:
    """Return faults of one wording."""
    if not isinstance(prompt, Mapping):
        return [PromptProblem(file, f"prompt {number}", "holds no keys", "write `id:`, `text:`, …")]
    identity = prompt.get("id")
    entry = f"prompt {number}" + (f" {identity!r}" if identity else "")
    problems = _key_problems(prompt, file, entry, PROMPT_KEYS, REQUIRED_PROMPT_KEYS)
    if "id" in prompt and not (isinstance(identity, str) and _ID.fullmatch(identity)):
        problems.append(
            PromptProblem(
                file, entry, "the id is not a plain name", "use a-z, 0-9, _ and begin with a letter"
            )
        )
    choices: dict[str, Sequence[str]] = {
        "answer": sorted(formats), "provenance": PROVENANCES, "family": FAMILIES, "polarity": POLARITIES,
    }  # fmt: skip
    for key, known in choices.items():
        if key in prompt and prompt[key] not in known:
            message = f"{key} {prompt[key]!r} is unknown{_near(prompt[key], known)}"
            problems.append(PromptProblem(file, entry, message, f"use: {', '.join(known)}"))
    for key in ("text", "source", "note"):
        if key in prompt:
            problems += _text_problems(prompt[key], file, f"{entry} {key}")
    also = prompt.get("also", [])
    if not (isinstance(also, list) and all(isinstance(study, str) for study in also)):
        problems.append(PromptProblem(file, entry, "`also` is not a list of names", "write `also: [embc]`"))
    if prompt.get("tail", "") != "":
        problems += _text_problems(prompt["tail"], file, f"{entry} tail")
    return problems


def _completeness_problems(wordings: Sequence[Mapping[str, Any]], file: str) -> list[PromptProblem]:
    """Return what a feature of the library still lacks: the reference wording, or the authored families."""
    problems = []
    if REFERENCE_ID not in {wording.get("id") for wording in wordings}:
        problems.append(
            PromptProblem(file, "prompts", f"no wording {REFERENCE_ID!r}", "add the reference wording")
        )
    families = {str(wording.get("family")) for wording in wordings if wording.get("provenance") == "authored"}
    if len(families) < AUTHORED_FAMILIES_NEEDED:
        message = f"authored wordings of {len(families)} families ({', '.join(sorted(families)) or 'none'})"
        fix = f"write them in at least {AUTHORED_FAMILIES_NEEDED} of: {', '.join(FAMILIES)}"
        problems.append(PromptProblem(file, "prompts", message, fix))
    return problems


def _near(name: Any, known: Sequence[str]) -> str:
    """Return ``; did you mean 'x'?`` for a misspelt name, or nothing."""
    near = get_close_matches(str(name), known, n=1, cutoff=0.6)
    return f"; did you mean {near[0]!r}?" if near else ""
