"""What a prompt file must satisfy: pydantic models, and rules over all wordings of a feature.

Nothing stops at the first fault: all of them are reported at once, each with file, entry and what to do.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    Field,
    StrictStr,
    ValidationInfo,
    field_validator,
)

from semiology.features import FEATURES, group_of, suggest_feature
from semiology.render.validation import faults_of, one_of

PROVENANCES = ("epileptologist", "published", "authored", "optimized")
"""``published``: quoted from a source that does not say who wrote it."""
POLARITIES = ("positive", "negative")
FAMILIES = (
    "observable_behaviour", "minimal", "clinical_term", "definition", "layperson", "role", "step_by_step_look",
    "with_context", "paraphrase", "body_part", "duration", "negative_criteria", "answer_order", "format",
    "negated", "optimized", "other",
)  # fmt: skip
AUTHORED_FAMILIES_NEEDED = 5
REFERENCE_ID = "s3"
TYPOGRAPHIC_QUOTES = "‘’‚‛“”„‟‹›«»′″"


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
    """Return whether a character cannot be seen, or looks like a plain space without being one."""
    category = unicodedata.category(character)
    return category in {"Cc", "Cf", "Cs", "Co", "Zl", "Zp"} - ({"Cc"} if character in "\n\t" else set()) or (
        category == "Zs" and character != " "
    )


def _plain(text: str) -> str:
    if faults := text_faults(text):
        raise ValueError("\n".join(faults))
    return text


def _plain_name(name: Any) -> str:
    if not (isinstance(name, str) and re.fullmatch(r"[a-z][a-z0-9_]*", name)):
        raise ValueError("is not a plain name; use a-z, 0-9, _ and begin with a letter")
    return name


def _names(value: Any) -> Any:
    if not (isinstance(value, list) and all(isinstance(study, str) for study in value)):
        raise ValueError("is not a list of names; write `also: [embc]`")
    return value


PlainText = Annotated[StrictStr, Field(min_length=1), AfterValidator(_plain)]
"""A text that has one stable hash (see `text_faults`)."""


class SourcedWording(BaseModel, extra="forbid", frozen=True):
    """The keys that every wording has, of a feature or of a task; ``also`` names studies that used it too."""

    id: Annotated[str, BeforeValidator(_plain_name)]
    text: PlainText
    provenance: Annotated[str, one_of(PROVENANCES)]
    source: PlainText
    also: Annotated[tuple[str, ...], BeforeValidator(_names)] = ()
    note: PlainText | None = None


class FeatureWording(SourcedWording, frozen=True):
    """One wording of a feature; the context must hold the ids of the answer ``formats``."""

    answer: Annotated[str, one_of(lambda context: context["formats"])]
    family: Annotated[str, one_of(FAMILIES)]
    tail: Annotated[StrictStr, AfterValidator(_plain)] | None = None
    separator: Annotated[StrictStr, Field(pattern=r"^ +$")] | None = None
    polarity: Annotated[str, one_of(POLARITIES)] = "positive"


class ExtensionFile(BaseModel, extra="forbid"):
    """Wordings that a laboratory adds to a feature (``SEMIOLOGY_PROMPTS``)."""

    feature: str
    group: str | None = None
    prompts: Annotated[list[FeatureWording], Field(min_length=1)]

    @field_validator("feature", mode="before")
    @classmethod
    def _known_feature(cls, feature: Any) -> Any:
        if feature not in FEATURES:
            meant = suggest_feature(str(feature))
            raise ValueError(
                f"unknown feature {feature!r}{meant}; use one of the names of semiology.features"
            )
        return feature

    @field_validator("group", mode="before")
    @classmethod
    def _group_of_the_feature(cls, group: Any, info: ValidationInfo) -> Any:
        feature = info.data.get("feature")
        if feature and group != group_of(feature):
            raise ValueError(f"{feature} is not {group!r}; write `group: {group_of(feature)}`")
        return group


class FeatureFile(ExtensionFile):
    """All wordings of a feature, with the published facts on it."""

    group: str
    na_when: PlainText
    note: PlainText | None = None
    questions: list[PlainText]
    context: PlainText | None
    importance: PlainText
    citation: PlainText


def check_feature_file(
    raw: Any, file: str, formats: Collection[str], extension: bool = False
) -> list[PromptProblem]:
    """Return every fault of one feature file's content as YAML gives it; none means that it can be used.

    Args:
        raw, file: The content, and how the file is called in messages.
        formats: The ids of the known answer formats.
        extension: The file adds wordings to a feature (``SEMIOLOGY_PROMPTS``): only the feature and its
            prompts are asked for.
    """
    problems = problems_of(
        ExtensionFile if extension else FeatureFile, raw, file, {"formats": sorted(formats)}
    )
    prompts = raw.get("prompts") if isinstance(raw, Mapping) else None
    wordings = [p for p in prompts if isinstance(p, Mapping)] if isinstance(prompts, list) else []
    problems += duplicate_problems([(file, wording) for wording in wordings])
    if wordings and not extension:
        problems += _completeness_problems(wordings, file)
    return problems


def problems_of(
    model: Any, raw: Any, file: str, context: Mapping[str, Any] | None = None
) -> list[PromptProblem]:
    """Return the faults of a file's content by a pydantic model, each with the name of its entry."""
    return [
        PromptProblem(file, _entry(fault.place, raw), fault.message, fault.fix)
        for fault in faults_of(model, raw, context)
    ]


def _entry(place: tuple[int | str, ...], raw: Any) -> str:
    """Return how an entry is called: ``prompt 3 'minimal' text``, ``question 2``, ``group``."""
    if len(place) < 2 or not isinstance(place[1], int):
        return " ".join(map(str, place))
    listed = raw[place[0]][place[1]]
    identity = listed.get("id") if isinstance(listed, Mapping) else None
    name = f"{str(place[0]).removesuffix('s')} {place[1] + 1}" + (f" {identity!r}" if identity else "")
    return " ".join([name, *map(str, place[2:])])


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
        text = " ".join(str(wording.get("text")).casefold().split()), str(wording.get("answer"))
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


def _completeness_problems(wordings: Sequence[Mapping[str, Any]], file: str) -> list[PromptProblem]:
    """Return what a feature of the library still lacks: the reference wording, or the authored families."""
    problems = []
    if REFERENCE_ID not in {str(wording.get("id")) for wording in wordings}:
        problems.append(
            PromptProblem(file, "prompts", f"no wording {REFERENCE_ID!r}", "add the reference wording")
        )
    families = {str(wording.get("family")) for wording in wordings if wording.get("provenance") == "authored"}
    if len(families) < AUTHORED_FAMILIES_NEEDED:
        message = f"authored wordings of {len(families)} families ({', '.join(sorted(families)) or 'none'})"
        fix = f"write them in at least {AUTHORED_FAMILIES_NEEDED} of: {', '.join(FAMILIES)}"
        problems.append(PromptProblem(file, "prompts", message, fix))
    return problems
