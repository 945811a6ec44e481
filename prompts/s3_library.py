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
from typing import Any

from semiology.prompts.checks import PROVENANCES, PromptProblem, text_faults
from semiology.prompts.library import PromptLibraryError
from semiology.prompts.strict_yaml import read_yaml

FOLDER = Path(__file__).parent / "s3"
ANSWERS = ("side", "region", "time", "sequence", "report", "diagnosis", "text")
FILE_KEYS = ("task", "answer", "prompts", "descriptions")
PROMPT_KEYS = ("id", "text", "provenance", "source", "also", "descriptions", "note")
REQUIRED_PROMPT_KEYS = PROMPT_KEYS[:4]
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
    sets = content.get("descriptions", {})
    prompts = tuple(
        TaskPrompt(
            task=content["task"],
            id=raw["id"],
            text=raw["text"],
            provenance=raw["provenance"],
            source=raw["source"],
            also=tuple(raw.get("also", ())),
            descriptions=sets[raw["descriptions"]]["texts"] if "descriptions" in raw else None,
            note=raw.get("note"),
        )
        for raw in content["prompts"]
    )
    return TaskPrompts(content["task"], content["answer"], prompts)


def check_task_file(content: Any, file: str) -> list[PromptProblem]:
    """Return what is wrong with the plain content of one file: [] for a usable one."""
    if not isinstance(content, dict) or not set(FILE_KEYS[:3]) <= set(content) <= set(FILE_KEYS):
        message = f"must have the keys {', '.join(FILE_KEYS[:3])} (and may have {FILE_KEYS[3]})"
        return [PromptProblem(file, "", message, "correct the keys")]
    problems = []
    if content["task"] != file.removesuffix(".yaml"):
        problems.append(PromptProblem(file, "task", "is not the name of the file", "make them equal"))
    if content["answer"] not in ANSWERS:
        problems.append(
            PromptProblem(file, "answer", f"is not one of {', '.join(ANSWERS)}", "use one of them")
        )
    sets = content.get("descriptions", {})
    for raw in content["prompts"]:
        problems += _prompt_problems(raw, file, sets)
    ids = [name for raw in content["prompts"] for name in (raw.get("id"), *raw.get("also", ()))]
    if len(set(ids)) != len(ids) or "s3" not in ids:
        message = "must hold each id once, and the reference 's3'"
        problems.append(PromptProblem(file, "prompts", message, "correct the ids"))
    return problems


def _prompt_problems(raw: Mapping[str, Any], file: str, sets: Mapping[str, Any]) -> list[PromptProblem]:
    entry = f"prompt {raw.get('id')!r}"
    if not set(REQUIRED_PROMPT_KEYS) <= set(raw) <= set(PROMPT_KEYS):
        message = (
            f"needs the keys {', '.join(REQUIRED_PROMPT_KEYS)} and may have no others than "
            + ", ".join(PROMPT_KEYS)
        )
        return [PromptProblem(file, entry, message, "correct the keys")]
    chosen = sets.get(str(raw.get("descriptions")), {}).get("texts", {})
    texts = [raw["text"], *chosen.values()]
    problems = [
        PromptProblem(file, entry, fault, "correct the text") for text in texts for fault in text_faults(text)
    ]
    if raw["provenance"] not in PROVENANCES:
        problems.append(PromptProblem(file, entry, "unknown provenance", f"use one of {PROVENANCES}"))
    if ("{description}" in raw["text"]) != bool(chosen):
        message = "a text with {description} names one of the sets of descriptions, and no other does"
        problems.append(PromptProblem(file, entry, message, "correct `descriptions`"))
    return problems
