"""The prompt library: every wording of every feature, read from YAML, checked and rendered.

A wording (what is asked) and an answer format (how the reply shall look) vary separately. What identifies a
stimulus is feature + prompt id + :func:`prompt_hash` of the rendered text; every result carries all three.
A laboratory adds wordings without touching the package: YAML files with ``feature`` and ``prompts`` in the
folder that the environment variable ``SEMIOLOGY_PROMPTS`` names.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field

from semiology.features import FEATURES, Group, suggest_feature
from semiology.prompts.checks import (
    PROVENANCES,
    REFERENCE_ID,
    PromptProblem,
    check_feature_file,
    duplicate_problems,
    problems_of,
)
from semiology.render.strict_yaml import read_yaml
from semiology.render.validation import one_of
from semiology.settings import PROMPTS

Provenance = Literal["epileptologist", "published", "authored", "optimized"]
Polarity = Literal["positive", "negative"]

PACKAGE_FOLDER = Path(__file__).parent
NA_WHEN_NOT_STATED = "the question does not apply to this recording"


class PromptLibraryError(ValueError):
    """The prompt files have faults; ``problems`` holds all of them."""

    def __init__(self, problems: Sequence[PromptProblem]) -> None:
        self.problems = tuple(problems)
        super().__init__("the prompt library cannot be used:\n" + "\n".join(f"  {p}" for p in self.problems))


class AnswerFormat(BaseModel, frozen=True, extra="forbid", populate_by_name=True):
    """How a reply is asked for: the sentence that follows a wording.

    ``text`` may hold ``{na_when}``; ``answers`` are the values of ``parse_answer`` that the sentence offers;
    ``by_feature`` (key ``features``) holds the published sentence where it differs for a feature.
    """

    id: str = ""
    text: str
    answers: tuple[str, ...]
    provenance: Annotated[Provenance, one_of(PROVENANCES)]
    source: str
    separator: str = " "
    by_feature: Mapping[str, str] = Field({}, alias="features")


@dataclass(frozen=True)
class Prompt:
    """One wording of one feature's question.

    ``answer`` is the answer format it is sent with unless another is chosen; ``tail`` the format sentence as
    published with this very wording (``""``: none, the wording itself names the answers); ``separator`` are the
    blanks that were sent before it, where they are not the format's. ``polarity`` ``negative`` means that "yes" says
    the feature is absent. ``also`` names studies that used the same wording.
    """

    feature: str
    id: str
    text: str
    answer: str
    provenance: Provenance
    source: str
    family: str
    polarity: Polarity = "positive"
    tail: str | None = None
    separator: str | None = None
    na_when: str = NA_WHEN_NOT_STATED
    also: tuple[str, ...] = ()
    note: str | None = None


@dataclass(frozen=True)
class FeaturePrompts:
    """All wordings of a feature, with the published facts on it.

    ``questions`` are those of task 2 of arXiv 2605.21852, the core manifestation first; ``context`` says when
    the feature does not count (None where nothing was published).
    """

    feature: str
    group: Group
    prompts: tuple[Prompt, ...]
    questions: tuple[str, ...]
    context: str | None
    importance: str
    citation: str
    na_when: str
    note: str | None = None

    @property
    def reference(self) -> Prompt:
        """The reference wording, ``s3``."""
        return self.prompt(REFERENCE_ID)

    def prompt(self, prompt_id: str) -> Prompt:
        """Return a wording by id.

        Raises:
            KeyError: There is none of that id; the message lists those there are.
        """
        for prompt in self.prompts:
            if prompt.id == prompt_id:
                return prompt
        known = ", ".join(prompt.id for prompt in self.prompts)
        raise KeyError(f"{self.feature} has no wording {prompt_id!r}; it has {known}")


@dataclass(frozen=True)
class PromptLibrary:
    """The wordings of all features, in the order of ``semiology.features``."""

    features: tuple[FeaturePrompts, ...]

    def feature(self, name: str) -> FeaturePrompts:
        """Return a feature's wordings.

        Raises:
            KeyError: ``name`` is not a known feature; the message suggests the nearest one.
        """
        for entry in self.features:
            if entry.feature == name:
                return entry
        raise KeyError(f"unknown feature {name!r}{suggest_feature(name)}")

    def __iter__(self) -> Iterator[Prompt]:
        return (prompt for entry in self.features for prompt in entry.prompts)


def load_library(extension: Path | None = None) -> PromptLibrary:
    """Return the library, with the wordings of ``extension`` or of the folder that ``SEMIOLOGY_PROMPTS`` names, if any.

    It is read once and again only after a file has changed.

    Raises:
        PromptLibraryError: A file has faults; all faults of all files are listed, each with its fix.
    """
    extension = extension or PROMPTS.folder()
    if extension is not None and not extension.is_dir():
        # A mistyped path must not pass as an empty folder.
        fix = f"correct {PROMPTS} or unset it"
        raise PromptLibraryError([PromptProblem(str(extension), "", "is not a folder", fix)])
    files = _files(PACKAGE_FOLDER / "features")
    extra = () if extension is None else _files(extension)
    return _read_library(files, extra, tuple(map(_state, (*files, *extra))))


def render(prompt: Prompt, answer_format: str | None = None) -> str:
    """Return the full text of a question, exactly as it is sent, by default with the wording's own, published format.

    Raises:
        KeyError: There is no answer format of that id; the message lists those there are.
    """
    name = answer_format or prompt.answer
    if name not in answer_formats():
        raise KeyError(f"unknown answer format {name!r}; there are {', '.join(answer_formats())}")
    chosen = answer_formats()[name]
    sentence = chosen.by_feature.get(prompt.feature, chosen.text)
    if answer_format is None and prompt.tail is not None:
        sentence = prompt.tail
    # Not str.format: the sentences hold JSON braces.
    sentence = sentence.replace("{na_when}", prompt.na_when)
    separator = prompt.separator if prompt.separator and name == prompt.answer else chosen.separator
    return f"{prompt.text}{separator}{sentence}" if sentence else prompt.text


def prompt_hash(text: str) -> str:
    """Return the SHA-256 of a rendered question's UTF-8 bytes, as 64 hexadecimal digits."""
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


@lru_cache(maxsize=1)
def answer_formats() -> Mapping[str, AnswerFormat]:
    """Return the answer formats by id."""
    raw = read_yaml(PACKAGE_FOLDER / "answer_formats.yaml")
    if problems := problems_of(dict[str, AnswerFormat], raw, "answer_formats.yaml"):
        raise PromptLibraryError(problems)
    return {name: AnswerFormat(id=name, **entry) for name, entry in raw.items()}


def _files(folder: Path) -> tuple[Path, ...]:
    """Return the YAML files of a folder by name."""
    return tuple(sorted(file for file in folder.iterdir() if file.suffix in {".yaml", ".yml"}))


def _state(file: Path) -> tuple[int, int]:
    """Return what changes when a file is edited."""
    status = file.stat()
    return status.st_mtime_ns, status.st_size


@lru_cache(maxsize=8)
def _read_library(files: tuple[Path, ...], extra: tuple[Path, ...], state: object) -> PromptLibrary:
    """Read, check and merge all files; ``state`` only makes the cache notice edits."""
    del state
    problems: list[PromptProblem] = []
    contents = {file: _read_checked(file, file in extra, problems) for file in (*files, *extra)}
    if not problems:
        problems += _merge_problems(files, contents)
    if problems:
        raise PromptLibraryError(problems)
    own = {contents[file]["feature"]: contents[file] for file in files}
    added = [contents[file] for file in extra]
    return PromptLibrary(tuple(_feature_prompts(own[name], added) for name in FEATURES))


def _read_checked(file: Path, extension: bool, problems: list[PromptProblem]) -> Any:
    """Return a file's content and note its faults in ``problems``."""
    name = str(file) if extension else file.name
    try:
        content = read_yaml(file)
    except (ValueError, OSError) as error:
        problems.append(PromptProblem(name, "", str(error), "correct the file"))
        return None
    problems += check_feature_file(content, name, answer_formats(), extension)
    return content


def _merge_problems(files: Sequence[Path], contents: Mapping[Path, Any]) -> list[PromptProblem]:
    """Return faults that only all files together show: features missing or double, ids used again."""
    problems = []
    owner: dict[str, Path] = {}
    for file in files:
        feature = contents[file]["feature"]
        if feature in owner:
            message = f"{feature} is already in {owner[feature].name}"
            problems.append(PromptProblem(file.name, "feature", message, "keep one file per feature"))
        owner.setdefault(feature, file)
    problems += [
        PromptProblem(f"{feature}.yaml", "", "is missing", "add the file")
        for feature in FEATURES
        if feature not in owner
    ]
    for feature in FEATURES:
        wordings = [
            (file.name, wording)
            for file, content in contents.items()
            if content["feature"] == feature
            for wording in content["prompts"]
        ]
        problems += duplicate_problems(wordings)
    return problems


def _feature_prompts(own: Mapping[str, Any], added: Sequence[Mapping[str, Any]]) -> FeaturePrompts:
    """Build a feature's entry from its checked file and from the extension files."""
    feature, na_when = own["feature"], own["na_when"]
    more = [wording for content in added if content["feature"] == feature for wording in content["prompts"]]
    prompts = tuple(
        Prompt(feature=feature, na_when=na_when, **wording | {"also": tuple(wording.get("also", ()))})
        for wording in (*own["prompts"], *more)
    )
    return FeaturePrompts(**{**own, "prompts": prompts, "questions": tuple(own["questions"])})
