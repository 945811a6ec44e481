"""The questions of the stroke-rehabilitation tasks and their wordings, from ``prompts/strokerehab/*.yaml``.

Each question has an id, the kind of answer it asks for, and wordings of which the first is called ``reference``. A
text may hold the place ``{hand}``, which becomes LEFT or RIGHT. The Fugl-Meyer file holds items instead: each with
a tree of short questions (``questions``) and with one prompt that asks for reasons first (``reasoning``). All
wordings are the authors' own and not yet reviewed by a clinician.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, Field, model_validator

from semiology.prompts.checks import FAMILIES, PlainText, PromptProblem, SourcedWording, problems_of
from semiology.prompts.library import PromptLibraryError
from semiology.render.strict_yaml import read_yaml
from semiology.render.validation import did_you_mean, one_of
from semiology.settings import PROMPTS

FOLDER = Path(__file__).parent / "strokerehab"
REFERENCE = "reference"
ANSWERS = ("activity", "primitives", "primitive", "yes_no", "boxes")
KINDS = ("rating", "gate", "stays", "deviation", "fault", "closing", "knee", "nose")
VIEWS = ("F", "S")
FUGL_MEYER = "fugl_meyer"


class Wording(SourcedWording, frozen=True):
    """One wording of a question."""

    family: Annotated[str, one_of(FAMILIES)]


class Question(BaseModel, extra="forbid"):
    """One question; of a Fugl-Meyer item if ``kind`` and ``view`` are set."""

    id: PlainText
    answer: Annotated[str, one_of(ANSWERS)] | None = None
    kind: Annotated[str, one_of(KINDS)] | None = None
    view: Annotated[str, one_of(VIEWS)] | None = None
    prompts: Annotated[list[Wording], Field(min_length=1)]

    @model_validator(mode="after")
    def _complete(self) -> Question:
        ids = [prompt.id for prompt in self.prompts]
        if ids[0] != REFERENCE or len(set(ids)) != len(ids):
            raise ValueError(
                f"its wordings are {', '.join(ids)}; call the first one {REFERENCE}, each id once"
            )
        if (self.answer is None) == (self.kind is None) or (self.kind is None) != (self.view is None):
            raise ValueError("has neither an answer nor a kind with a view, or both; give one of them")
        return self

    def wording(self, prompt_id: str) -> Wording:
        """Return a wording by id; the reference where there is none of that id."""
        return next((prompt for prompt in self.prompts if prompt.id == prompt_id), self.prompts[0])


class Item(BaseModel, extra="forbid"):
    """One Fugl-Meyer item."""

    item: int
    name: PlainText
    cue: PlainText
    questions: Annotated[list[Question], Field(min_length=1)]
    reasoning: Annotated[list[Question], Field(min_length=1)]


class _QuestionFile(BaseModel, extra="forbid"):
    task: str
    questions: list[Question]


class _ItemFile(BaseModel, extra="forbid"):
    task: str
    items: list[Item]


@dataclass(frozen=True)
class RehabLibrary:
    """All questions: by file and id, and the Fugl-Meyer items by number."""

    questions: Mapping[str, Mapping[str, Question]]
    items: Mapping[int, Item]

    def by_name(self) -> dict[str, Question]:
        """Return every question as file and id, such as ``primitives/motion``."""
        named = {
            f"{file}/{key}": each for file, group in self.questions.items() for key, each in group.items()
        }
        for item in self.items.values():
            named |= {f"{FUGL_MEYER}/{each.id}": each for each in (*item.questions, *item.reasoning)}
        return named

    def texts(self) -> Iterator[tuple[str, str, str]]:
        """Yield (question, wording, text) of every wording."""
        for name, question in self.by_name().items():
            yield from ((name, prompt.id, prompt.text) for prompt in question.prompts)


def load_rehab_library() -> RehabLibrary:
    """Return the questions of the package, with the wordings that the folder of ``SEMIOLOGY_PROMPTS`` adds to them.

    A laboratory adds wordings in ``strokerehab/*.yaml`` of that folder: ``question`` (``primitives/motion``,
    ``fugl_meyer/13_4_deviation``) and ``prompts``.

    Raises:
        PromptLibraryError: a file has faults; all of them are listed.
    """
    folder = PROMPTS.folder()
    extra = sorted((folder / "strokerehab").glob("*.yaml")) if folder else []
    return _read(tuple((path, path.stat().st_mtime_ns) for path in extra))


@lru_cache(maxsize=2)
def _read(extra: tuple[tuple[Path, int], ...]) -> RehabLibrary:
    problems: list[PromptProblem] = []
    questions: dict[str, dict[str, Question]] = {}
    items: dict[int, Item] = {}
    for path in sorted(FOLDER.glob("*.yaml")):
        content = read_yaml(path)
        faults = check_question_file(content, path.name)
        problems += faults
        if faults:
            continue
        if path.stem == FUGL_MEYER:
            items = {item.item: item for item in _ItemFile(**content).items}
        else:
            questions[path.stem] = {question.id: question for question in _QuestionFile(**content).questions}
    library = RehabLibrary(questions, items)
    for path, _ in extra:
        problems += _added(library, path)
    if problems:
        raise PromptLibraryError(problems)
    return library


class _ExtensionFile(BaseModel, extra="forbid"):
    question: str
    prompts: Annotated[list[Wording], Field(min_length=1)]


def _added(library: RehabLibrary, path: Path) -> list[PromptProblem]:
    """Add the wordings of a laboratory's file to their question; return what is wrong with it."""
    try:
        content = read_yaml(path)
    except (ValueError, OSError) as error:
        return [PromptProblem(path.name, "", str(error), "correct the file")]
    problems = problems_of(_ExtensionFile, content, path.name)
    if problems:
        return problems
    made = _ExtensionFile(**content)
    known = library.by_name()
    question = known.get(made.question)
    if question is None:
        fix = f"use one of {', '.join(list(known)[:6])}, …" + did_you_mean(made.question, list(known))
        return [PromptProblem(path.name, "question", f"{made.question!r} is unknown", fix)]
    ids = {prompt.id for prompt in question.prompts}
    for prompt in made.prompts:
        if prompt.id in ids:
            problems.append(
                PromptProblem(path.name, f"prompt {prompt.id!r}", "the id is taken", "choose a new id")
            )
        ids.add(prompt.id)
    if not problems:
        question.prompts.extend(made.prompts)
    return problems


def check_question_file(content: Any, file: str) -> list[PromptProblem]:
    """Return what is wrong with the plain content of one file: [] for a usable one."""
    model = _ItemFile if file == f"{FUGL_MEYER}.yaml" else _QuestionFile
    problems = problems_of(model, content, file)
    if problems:
        return problems
    ids = [question["id"] for question in _plain_questions(content)]
    if len(set(ids)) != len(ids):
        problems.append(
            PromptProblem(file, "questions", "an id stands twice", "give each question its own id")
        )
    if content["task"] != file.removesuffix(".yaml"):
        problems.append(PromptProblem(file, "task", "is not the name of the file", "make them equal"))
    return problems


def _plain_questions(content: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    if "questions" in content:
        return list(content["questions"])
    return [each for item in content["items"] for each in (*item["questions"], *item["reasoning"])]
