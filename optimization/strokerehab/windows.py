"""Windows of a study as the examples of a search: their truths and parts, and asking a model about them."""

from __future__ import annotations

import functools
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from semiology.backends.journal import answer_key
from semiology.data.cache import cache_directory, content_digest
from semiology.harness.asking import ask_documents
from semiology.metrics.strokerehab.replies import read_activity, read_one_primitive, read_yes_no
from semiology.metrics.strokerehab.window_labels import AXES, middle_labels
from semiology.optimization.search.asking import AnswerBook, Answerer, Said, WindowQuestion
from semiology.optimization.search.examples import Example
from semiology.optimization.search.gepa import REPLY_CHARACTERS, verdict
from semiology.optimization.search.options import SearchError
from semiology.optimization.search.setup import all_answered
from semiology.optimization.strokerehab.proposals import StudyRules
from semiology.prompts.library import prompt_hash
from semiology.prompts.strokerehab_library import Question
from semiology.render.text import counted
from semiology.strokerehab import ACTIVITIES, Window, parsed_runs
from semiology.tasks.strokerehab.messages import doc_to_messages, doc_to_text, doc_to_visual, task_settings
from semiology.tasks.strokerehab.reading import said

MOST_WINDOWS = 240
"""Most windows of a part (train, development, test) that are asked; drawn anew by no seed of a search."""
YES_NO = "yes_no"
SEPARATOR = "#"


@dataclass(frozen=True)
class Asked:
    """One question of one task, with its windows by part.

    Attributes:
        task, question: what is asked.
        train, development, test: windows as examples.
        rules: what every wording keeps.
    """

    task: str
    question: Question
    train: tuple[Example, ...]
    development: tuple[Example, ...]
    test: tuple[Example, ...]
    rules: StudyRules

    @property
    def name(self) -> str:
        """Task and question, such as ``strokerehab_counting/motion``."""
        return f"{self.task}/{self.question.id}"

    @property
    def measure(self) -> str:
        """What is maximized: F1 of yes, or the share of right answers of a choice."""
        return "f1" if self.question.answer == YES_NO else "accuracy"


class StudyBook(AnswerBook):
    """Replies by wording and window of one question; a wording is the whole text that is sent."""

    def __init__(self, answerer: Answerer, question: Question) -> None:
        super().__init__(answerer)
        self._question = question

    def questions(self, instruction: str, example: Example) -> list[WindowQuestion]:
        """Return the one question on a window."""
        video = example.video_id.rpartition(SEPARATOR)[0]
        return [WindowQuestion(video, example.segments[0], example.feature, instruction)]

    def said(self, instruction: str, example: Example) -> Said:
        """Return what the model said about one window under one wording."""
        self.ask([(instruction, example)])
        reply = self._replies[self.questions(instruction, example)[0]]
        return Said(read_answer(reply, self._question), (reply,))


def read_answer(reply: str, question: Question) -> str:
    """Return the answer in a reply: yes or no, an activity or a primitive; ``unparsed`` if it holds none."""
    text = said(reply, question.answer or "")
    if question.answer == YES_NO:
        found = read_yes_no(text)
        return "unparsed" if found is None else "yes" if found else "no"
    if question.answer == "activity":
        return read_activity(text, ACTIVITIES) or "unparsed"
    return next(iter(read_one_primitive(text).primitives), "unparsed")


def window_examples(task: str, question: Question, rows: Sequence[Mapping[str, Any]]) -> list[Example]:
    """Return the windows of a task as examples of one of its questions, each with the label at its middle."""
    runs = {row["video_id"]: parsed_runs(row["truth_runs"]) for row in rows if row["truth_runs"]}
    found = []
    for row in rows:
        if row["question_id"] != question.id:
            continue
        truth = str(row["truth"])
        if question.answer != "activity":
            if row["video_id"] not in runs:
                continue
            (label,) = middle_labels(runs[row["video_id"]], [Window(row["start_s"], row["end_s"])])
            axis = next((name for name in AXES if name == question.id), None)
            truth = label if axis is None else "yes" if label in AXES[axis] else "no"
        number = int(row["window"])
        name = f"{row['video_id']}{SEPARATOR}{number}"
        found.append(Example(f"{task}/{question.id}", name, str(row["subject"]), truth, (number,)))
    return found


def divided(tune: Sequence[str], seed: int) -> tuple[frozenset[str], frozenset[str]]:
    """Return the subjects of the split ``tune`` that are shown to the proposer, and those that select.

    Raises:
        SearchError: there are fewer than two.
    """
    names = sorted(set(tune))
    if len(names) < 2:
        raise SearchError(
            f"the split 'tune' has {counted(len(names), 'subject')} with windows of this task, and a search needs two "
            "or more (some are shown, others select) → write tune into the column split of subjects.csv for subjects "
            "who will not test"
        )
    random.Random(seed).shuffle(names)  # noqa: S311 - a draw of subjects, not a secret
    half = max(1, len(names) // 2)
    return frozenset(names[half:]), frozenset(names[:half])


def few(examples: Sequence[Example], most: int = MOST_WINDOWS) -> tuple[Example, ...]:
    """Return at most so many examples, drawn the same way by whatever search, in their order."""
    if len(examples) <= most:
        return tuple(examples)
    drawn = set(random.Random(len(examples)).sample(range(len(examples)), most))  # noqa: S311
    return tuple(each for place, each in enumerate(examples) if place in drawn)


class StudyAnswerer:
    """Asks an lmms-eval model about windows of a study.

    Args:
        load: returns the loaded model; called at the first question.
        name: its name in lmms-eval, which decides how media are handed over.
        rows: the questions of a task in the reference wording, by name of the task.
    """

    def __init__(
        self, load: Callable[[], Any], name: str, rows: Mapping[str, Sequence[Mapping[str, Any]]]
    ) -> None:
        self._loaded = functools.lru_cache(maxsize=1)(load)
        self._settings = {task: task_settings(task) for task in rows}
        self._name = name
        self._rows = {
            (f"{task}/{row['question_id']}", row["video_id"], int(row["window"])): row
            for task, own in rows.items()
            for row in own
        }

    def form(self, task: str) -> Mapping[str, str]:
        """Return how the model takes media."""
        forms = self._settings[task]["lmms_eval_specific_kwargs"]
        return dict(forms.get(self._name, forms["default"]))

    def generation(self, task: str) -> Mapping[str, Any]:
        """Return the generation settings of a task."""
        return dict(self._settings[task]["generation_kwargs"])

    def document(self, question: WindowQuestion) -> dict[str, Any]:
        """Return the row of a question in another wording."""
        row = self._rows[question.feature, question.video_id, question.segment]
        text = question.text.replace("{hand}", str(row["hand"]))
        return {**row, "question": text, "prompt_hash": prompt_hash(text)}

    def answer(self, questions: Sequence[WindowQuestion]) -> list[str]:
        """Return the replies in the order of the questions.

        Raises:
            UnansweredError: some question got no reply; the replies of the others come along.
        """
        replies: dict[WindowQuestion, str] = {}
        for task in dict.fromkeys(each.feature.partition("/")[0] for each in questions):
            own = [each for each in questions if each.feature.partition("/")[0] == task]
            form = {"lmms_eval_specific_kwargs": self.form(task)}
            given = ask_documents(
                self._loaded(), [self.document(each) for each in own], text=doc_to_text,
                settings=self.generation(task), messages=functools.partial(doc_to_messages, **form),
                visual=functools.partial(doc_to_visual, **form),
            )  # fmt: skip
            replies |= dict(zip(own, given, strict=True))
        return all_answered([replies[each] for each in questions])

    def key(self, stamp: str) -> Callable[[WindowQuestion], str]:
        """Return the function that gives a question's key in the journal: wording, window, file, model."""
        cache = cache_directory()

        def key(question: WindowQuestion) -> str:
            row = self.document(question)
            media = [("video", content_digest(Path(row["video"]), cache), row["start_s"], row["end_s"])]
            task = question.feature.partition("/")[0]
            sampling = {"frames": row["frames"], "fps": row["clip_fps"], "form": dict(self.form(task))}
            return answer_key(
                prompt=row["question"],
                media=media,
                sampling=sampling,
                generation=self.generation(task),
                model=stamp,
            )

        return key


def window_record(example: Example, answer: Said, number: int, wording: str) -> dict[str, Any]:
    """Return what a proposer reads about one window: no ids, no media."""
    found = verdict(example.truth, answer.answer)
    shown = " | ".join(reply.strip()[:REPLY_CHARACTERS] or "(nothing)" for reply in answer.replies)
    told = f"Window {number}: the label is {example.truth}; the model answered {answer.answer} ({found})."
    return {
        "Inputs": {"question": wording, "sign": example.feature},
        "Generated Outputs": {"answer": answer.answer},
        "Feedback": f"{told}\nThe model said: {shown}",
        "Verdict": found,
    }
