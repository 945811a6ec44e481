"""The wordings of the S3 tasks 3-7 and of the merging of window texts, from ``prompts/s3/*.yaml``.

Each file has ``task``, ``answer`` (the kind of answer: side, region, time, sequence, report, diagnosis or
text) and ``prompts`` with ``id``, ``text``, ``provenance`` and ``source``. A text may hold places in braces
(``{description}``, ``{report}``, ``{segments}`` ...) that :func:`fill` fills; ``descriptions`` holds the sets
of feature descriptions that a wording may name.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, Field, ValidationInfo, model_validator

from semiology.prompts.checks import PROVENANCES, PlainText, PromptProblem, SourcedWording, problems_of
from semiology.prompts.library import PromptLibraryError
from semiology.prompts.strict_yaml import read_yaml
from semiology.render.validation import one_of

FOLDER = Path(__file__).parent / "s3"
ANSWERS = ("side", "region", "time", "sequence", "report", "diagnosis", "text")
_PLACE = re.compile(r"\{([a-z]+)\}")


@dataclass(frozen=True)
class TaskPrompt:
    """One wording of one task.

    ``descriptions`` gives, for a wording with the place ``{description}``, the words for each feature.
    """

    task: str
    id: str
    text: str
    provenance: str
    source: str
    also: tuple[str, ...] = ()
    descriptions: Mapping[str, str] | None = None
    note: str | None = None

    @property
    def places(self) -> tuple[str, ...]:
        """Names of the places to be filled, in order."""
        return tuple(_PLACE.findall(self.text))


@dataclass(frozen=True)
class TaskPrompts:
    """All wordings of one task and the kind of answer that they ask for."""

    task: str
    answer: str
    prompts: tuple[TaskPrompt, ...]

    def prompt(self, prompt_id: str) -> TaskPrompt:
        """Return a wording by id, or by the id of a study that used the same words.

        Raises:
            KeyError: There is none of that id; the message lists those there are.
        """
        for prompt in self.prompts:
            if prompt_id == prompt.id or prompt_id in prompt.also:
                return prompt
        known = ", ".join(prompt.id for prompt in self.prompts)
        raise KeyError(f"{self.task} has no wording {prompt_id!r}; it has {known}")


def fill(prompt: TaskPrompt, values: Mapping[str, str]) -> str:
    """Return the full text of a question with its places filled.

    Raises:
        KeyError: A place has no value.
    """
    # Not str.format: the texts hold JSON braces, and a value may hold braces of its own.
    return _PLACE.sub(lambda place: values[place[1]], prompt.text)


def load_task_prompts(task: str) -> TaskPrompts:
    """Return the wordings of a task.

    Raises:
        KeyError: There is no such task.
        PromptLibraryError: A file has faults; all of them are listed.
    """
    library = _read()
    if task not in library:
        raise KeyError(f"no wordings for the task {task!r}; there are {', '.join(library)}")
    return library[task]


def tasks() -> tuple[str, ...]:
    """Return the names of all tasks that have wordings."""
    return tuple(_read())


@lru_cache(maxsize=1)
def _read() -> Mapping[str, TaskPrompts]:
    problems: list[PromptProblem] = []
    found: dict[str, TaskPrompts] = {}
    for file in sorted(FOLDER.glob("*.yaml")):
        content = read_yaml(file)
        faults = check_task_file(content, file.name)
        problems += faults
        if not faults:
            found[content["task"]] = _task(content)
    if problems:
        raise PromptLibraryError(problems)
    return found


def _task(content: Mapping[str, Any]) -> TaskPrompts:
    sets, prompts = content.get("descriptions", {}), []
    for raw in content["prompts"]:
        described = sets[raw["descriptions"]]["texts"] if "descriptions" in raw else None
        settled = {"also": tuple(raw.get("also", ())), "descriptions": described}
        prompts.append(TaskPrompt(task=content["task"], **raw | settled))
    return TaskPrompts(content["task"], content["answer"], tuple(prompts))


class _Descriptions(BaseModel, extra="forbid"):
    """What a wording with the place ``{description}`` says of each feature."""

    provenance: Annotated[str, one_of(PROVENANCES)]
    source: PlainText
    texts: dict[str, PlainText]


class _TaskWording(SourcedWording):
    """One wording of a task; ``descriptions`` names one of the file's sets."""

    descriptions: str | None = None

    @model_validator(mode="after")
    def _described(self, info: ValidationInfo) -> _TaskWording:
        if ("{description}" in self.text) != (self.descriptions in (info.context or {})["sets"]):
            raise ValueError(
                "a text with {description} names one of the sets of descriptions, and no other does; "
                "correct `descriptions`"
            )
        return self


class _TaskFile(BaseModel, extra="forbid"):
    task: str
    answer: Annotated[str, one_of(ANSWERS)]
    prompts: Annotated[list[_TaskWording], Field(min_length=1)]
    descriptions: dict[str, _Descriptions] = {}


def check_task_file(content: Any, file: str) -> list[PromptProblem]:
    """Return what is wrong with the plain content of one file: [] for a usable one."""
    sets = content.get("descriptions") or {} if isinstance(content, Mapping) else {}
    problems = problems_of(_TaskFile, content, file, {"sets": sets})
    if problems:
        return problems
    if content["task"] != file.removesuffix(".yaml"):
        problems.append(PromptProblem(file, "task", "is not the name of the file", "make them equal"))
    ids = [name for raw in content["prompts"] for name in (raw["id"], *raw.get("also", ()))]
    if len(set(ids)) != len(ids) or "s3" not in ids:
        message = "must hold each id once, and the reference 's3'"
        problems.append(PromptProblem(file, "prompts", message, "correct the ids"))
    return problems
