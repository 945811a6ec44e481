"""The wordings of the S3 tasks 3-7 and of the merging of window texts, from ``prompts/s3/*.yaml``.

Each file has ``task``, ``answer`` (the kind of answer: side, region, time, sequence, report, diagnosis or
text) and ``prompts`` with ``id``, ``text``, ``provenance`` and ``source``. A text may hold places in braces
(``{description}``, ``{report}``, ``{segments}`` ...) that :func:`fill` fills; ``descriptions`` holds the sets
of feature descriptions that a wording may name.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, Field, ValidationInfo, model_validator

from semiology.prompts.checks import PROVENANCES, PlainText, PromptProblem, SourcedWording, problems_of
from semiology.prompts.library import PromptLibraryError
from semiology.render.strict_yaml import read_yaml
from semiology.render.validation import one_of

FOLDER = Path(__file__).parent / "s3"
ANSWERS = ("side", "region", "time", "sequence", "report", "diagnosis", "text")
_PLACE = re.compile(r"\{([a-z]+)\}")


class _Descriptions(BaseModel, extra="forbid"):
    """What a wording with the place ``{description}`` says of each feature."""

    provenance: Annotated[str, one_of(PROVENANCES)]
    source: PlainText
    texts: dict[str, PlainText]


def _described(name: Any, info: ValidationInfo) -> Any:
    """Return the words for each feature of the set of descriptions that a wording names."""
    chosen = (info.context or {})["sets"].get(name)
    return chosen.get("texts") if isinstance(chosen, Mapping) else None


class TaskPrompt(SourcedWording, frozen=True):
    """One wording of one task.

    ``descriptions`` gives, for a wording with the place ``{description}``, the words for each feature; the file
    names one of its sets there.
    """

    descriptions: Annotated[Mapping[str, str] | None, BeforeValidator(_described)] = None

    @model_validator(mode="after")
    def _place_and_words(self) -> TaskPrompt:
        if ("{description}" in self.text) != (self.descriptions is not None):
            raise ValueError(
                "a text with {description} names one of the sets of descriptions, and no other does; "
                "correct `descriptions`"
            )
        return self


class TaskPrompts(BaseModel, extra="forbid", frozen=True):
    """All wordings of one task and the kind of answer that they ask for, as its file holds them."""

    task: str
    answer: Annotated[str, one_of(ANSWERS)]
    prompts: Annotated[tuple[TaskPrompt, ...], Field(min_length=1)]
    descriptions: dict[str, _Descriptions] = {}

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


@lru_cache(maxsize=1)
def _read() -> Mapping[str, TaskPrompts]:
    problems: list[PromptProblem] = []
    found: dict[str, TaskPrompts] = {}
    for file in sorted(FOLDER.glob("*.yaml")):
        content = read_yaml(file)
        faults = check_task_file(content, file.name)
        problems += faults
        if not faults:
            found[content["task"]] = TaskPrompts.model_validate(content, context=_context(content))
    if problems:
        raise PromptLibraryError(problems)
    return found


def check_task_file(content: Any, file: str) -> list[PromptProblem]:
    """Return what is wrong with the plain content of one file: [] for a usable one."""
    problems = problems_of(TaskPrompts, content, file, _context(content))
    if problems:
        return problems
    if content["task"] != file.removesuffix(".yaml"):
        problems.append(PromptProblem(file, "task", "is not the name of the file", "make them equal"))
    ids = [name for raw in content["prompts"] for name in (raw["id"], *raw.get("also", ()))]
    if len(set(ids)) != len(ids) or "s3" not in ids:
        message = "must hold each id once, and the reference 's3'"
        problems.append(PromptProblem(file, "prompts", message, "correct the ids"))
    return problems


def _context(content: Any) -> dict[str, Any]:
    """Return what the checks of a wording know of its file: the sets of descriptions."""
    sets = content.get("descriptions") if isinstance(content, Mapping) else None
    return {"sets": sets if isinstance(sets, Mapping) else {}}
