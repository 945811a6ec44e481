"""Where replies come from: many questions about windows in, one reply each out, in one call.

An answerer is asked in large batches on purpose: all questions about a window, of several wordings and
features, reach the model together, so that the video is read once for all of them.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from semiology.backends.journal import Answer, Journal
from semiology.optimization.search.examples import SearchError


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
        message: a sentence.
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
        inner: the model.
        journal: of this or earlier searches.
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
        for chunk in _by_recordings(open_questions):
            try:
                replies: Sequence[str | None] = self._inner.answer(chunk)
            except UnansweredError as error:
                self._keep(chunk, error.replies, keys)
                raise
            self._keep(chunk, replies, keys)
            self.asked += len(chunk)
            self.windows += len({(each.video_id, each.segment) for each in chunk})
        return [self._text(keys[question]) for question in questions]

    def _keep(
        self,
        questions: Sequence[WindowQuestion],
        replies: Sequence[str | None],
        keys: Mapping[WindowQuestion, str],
    ) -> None:
        """Write the replies that came to the disk."""
        pairs = zip(questions, replies, strict=True)
        self._journal.put_many([Answer(keys[each], reply) for each, reply in pairs if reply is not None])

    def _text(self, key: str) -> str:
        found = self._journal.get(key)
        if found is None:  # only a journal that somebody empties while it is used
            raise SearchError("the journal lost an answer while the search ran → run the same command again")
        return found.text


RECORDINGS_AT_ONCE = 16
"""After so many recordings the replies are written to the disk, so that a kill loses little work."""


def _by_recordings(questions: Sequence[WindowQuestion]) -> list[list[WindowQuestion]]:
    chunks: list[list[WindowQuestion]] = []
    seen: set[str] = set()
    for question in questions:
        if not chunks or (question.video_id not in seen and len(seen) == RECORDINGS_AT_ONCE):
            chunks.append([])
            seen = set()
        seen.add(question.video_id)
        chunks[-1].append(question)
    return chunks


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

    Args:
        inner: the model.
        members: searches that take part.
    """

    def __init__(self, inner: Answerer, members: int) -> None:
        self._inner, self._members = inner, members
        self._changed = threading.Condition()
        self._round = _Round()
        self.rounds = 0

    def answer(self, questions: Sequence[WindowQuestion]) -> list[str]:
        """Wait for the round and return the replies.

        Raises:
            SearchError: as the model; every search of the round is told.
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
