"""Asking the model: many questions about windows in one call, replies kept in a journal, one record of them.

An answerer is asked in large batches on purpose: all questions about a window, of several wordings and
features, reach the model together, so that the video is read once for all of them. The `AnswerBook` is the one
record that everything else (objective, feedback, selection, lineage, test) looks the answers up in.
"""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import chain, groupby
from typing import Protocol

from semiology.backends.journal import Answer, Journal
from semiology.metrics.scores.aggregation import FIRST_SEGMENT_ONLY, any_yes
from semiology.optimization.proposers.rules import OWN_FORMAT, question_text
from semiology.optimization.search.examples import Example
from semiology.optimization.search.options import SearchError
from semiology.tasks.answers.parse import parse_answer

RECORDINGS_AT_ONCE = 16
"""After so many recordings the replies are written to the disk, so that a kill loses little work."""

_any_yes = functools.lru_cache(maxsize=4096)(any_yes)


@dataclass(frozen=True, order=True)
class WindowQuestion:
    """One question about one window of one recording; the order is that in which windows are read."""

    video_id: str
    segment: int
    feature: str
    text: str


class UnansweredError(SearchError):
    """Some questions got no reply; the message says why and what to do.

    Args:
        replies: one for each question asked, None where there is none.
    """

    def __init__(self, message: str, replies: Sequence[str | None]) -> None:
        super().__init__(message)
        self.replies = tuple(replies)


class Answerer(Protocol):
    """A model that stays loaded."""

    def answer(self, questions: Sequence[WindowQuestion]) -> list[str]:
        """Return the replies in the order of the questions.

        Raises:
            UnansweredError: the model gave no reply to some; the replies that it gave come along.
        """
        ...


KeyOf = Callable[[WindowQuestion], str]


class RememberedAnswers:
    """Answers from a journal where it has them, else from a model; every new reply is on disk at once.

    Args:
        key_of: all that a reply depends on, as one hash (`semiology.backends.journal.answer_key`).

    Attributes:
        asked: questions that reached the model. windows: windows read for them, counted per call.
        known: questions that the journal answered.
    """

    def __init__(self, inner: Answerer, journal: Journal, key_of: KeyOf) -> None:
        self._inner, self._journal, self._key_of = inner, journal, key_of
        self.asked = self.windows = self.known = 0

    def answer(self, questions: Sequence[WindowQuestion]) -> list[str]:
        """Return the replies; each question reaches the model at most once in the life of the journal."""
        keys = {question: self._key_of(question) for question in questions}
        open_questions = sorted({each for each, key in keys.items() if key not in self._journal})
        self.known += len(keys) - len(open_questions)

        def keep(asked: Sequence[WindowQuestion], replies: Sequence[str | None]) -> None:
            pairs = zip(asked, replies, strict=True)
            self._journal.put_many([Answer(keys[each], reply) for each, reply in pairs if reply is not None])

        recordings = [list(each) for _, each in groupby(open_questions, lambda question: question.video_id)]
        for first in range(0, len(recordings), RECORDINGS_AT_ONCE):
            chunk = list(chain.from_iterable(recordings[first : first + RECORDINGS_AT_ONCE]))
            try:
                keep(chunk, self._inner.answer(chunk))
            except UnansweredError as error:
                keep(chunk, error.replies)
                raise
            self.asked += len(chunk)
            self.windows += len({(each.video_id, each.segment) for each in chunk})
        found = [self._journal.get(keys[question]) for question in questions]
        if None in found:  # only a journal that somebody empties while it is used
            raise SearchError("the journal lost an answer while the search ran → run the same command again")
        return [answer.text for answer in found if answer is not None]


@dataclass
class _Round:
    """Questions of all searches that wait, and their replies or what went wrong."""

    asked: list[Sequence[WindowQuestion]] = field(default_factory=list)
    replies: dict[WindowQuestion, str] = field(default_factory=dict)
    failure: BaseException | None = None
    done: bool = False


class SharedRounds:
    """Lets searches for several features, each in a thread, ask in common rounds.

    A round begins when every search that still runs waits for answers; then all their questions go to the
    model in one call, so that they share the video work. What a round holds depends on the searches alone,
    not on timing, so a repeated run asks the same.
    """

    def __init__(self, inner: Answerer, members: int) -> None:
        self._inner, self._members = inner, members
        self._changed = threading.Condition()
        self._round = _Round()
        self.rounds = 0

    def answer(self, questions: Sequence[WindowQuestion]) -> list[str]:
        """Wait for the round and return the replies.

        Raises:
            SearchError: as the model; every search of the round gets it.
        """
        with self._changed:
            mine = self._round
            mine.asked.append(questions)
            self._run_if_all_wait()
            while not mine.done:
                self._changed.wait()
        if mine.failure is not None:
            raise mine.failure
        return [mine.replies[question] for question in questions]

    def leave(self) -> None:
        """Take a search that has ended out of the rounds."""
        with self._changed:
            self._members -= 1
            self._run_if_all_wait()

    def _run_if_all_wait(self) -> None:
        this = self._round
        if not this.asked or len(this.asked) < self._members:
            return
        self._round = _Round()
        questions = sorted({question for asked in this.asked for question in asked})
        try:
            this.replies = dict(zip(questions, self._inner.answer(questions), strict=True))
        except BaseException as error:  # noqa: BLE001 - handed on to every search that waits
            this.failure = error
        self.rounds += 1
        this.done = True
        self._changed.notify_all()


@dataclass(frozen=True)
class Said:
    """What the model said about one recording: the answer by any-yes, and every window's reply."""

    answer: str
    replies: tuple[str, ...]


class AnswerBook:
    """Replies by wording and recording, for one feature; asks the model for what is missing.

    Args:
        answerer: the model, usually behind a journal.
        default_format: answer format of wordings that name none.
    """

    def __init__(self, answerer: Answerer, default_format: str = OWN_FORMAT) -> None:
        self._answerer, self.default_format = answerer, default_format
        self._replies: dict[WindowQuestion, str] = {}
        self._texts: dict[tuple[str, str], str] = {}

    def text(self, instruction: str, feature: str) -> str:
        """Return the full question that a wording is sent as."""
        key = instruction, feature
        if key not in self._texts:
            self._texts[key] = question_text(feature, instruction, self.default_format)
        return self._texts[key]

    def questions(self, instruction: str, example: Example) -> list[WindowQuestion]:
        """Return the questions that one recording takes under one wording."""
        text = self.text(instruction, example.feature)
        first_only = example.feature in FIRST_SEGMENT_ONLY
        segments = [number for number in example.segments if not first_only or number == 0]
        return [WindowQuestion(example.video_id, number, example.feature, text) for number in segments]

    def ask(self, pairs: Iterable[tuple[str, Example]]) -> None:
        """Ask the model, in one call, whatever is not known yet about wordings and recordings.

        Raises:
            SearchError: the model gave no reply.
        """
        wanted = [each for instruction, example in pairs for each in self.questions(instruction, example)]
        missing = [each for each in dict.fromkeys(wanted) if each not in self._replies]
        if missing:
            self._replies.update(zip(missing, self._answerer.answer(missing), strict=True))

    def said(self, instruction: str, example: Example) -> Said:
        """Return what the model said about one recording under one wording; asks it if that is not known."""
        self.ask([(instruction, example)])
        replies = tuple(self._replies[question] for question in self.questions(instruction, example))
        answers = tuple(parse_answer(reply) for reply in replies)
        return Said(_any_yes(answers) if answers else "unparsed", replies)

    def answers(self, instruction: str, examples: Sequence[Example]) -> dict[str, str]:
        """Return the recording answers under one wording by video id."""
        self.ask((instruction, example) for example in examples)
        return {example.video_id: self.said(instruction, example).answer for example in examples}
