"""The walk through questions: every recording opened once, every window decoded once, in whatever order they come.

How a window's questions are answered is left to what derives from it: a model in this process
(`semiology.backends.shared_prefix.engine`) or a server (`semiology.backends.served.engine`).
"""

from __future__ import annotations

import logging
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import ExitStack, closing
from typing import Any

from semiology.backends.shared_prefix.counts import WalkCounts
from semiology.backends.shared_prefix.frames import FrameReader, Frames, OpenRecording, VideoFacts
from semiology.backends.shared_prefix.inputs import WindowMedia, media_of
from semiology.backends.shared_prefix.questions import (
    Answer,
    Medium,
    Question,
    UnansweredError,
    by_window,
    grouped,
    read_messages,
    recording_of,
)
from semiology.backends.shared_prefix.sampling import Picked

logger = logging.getLogger(__name__)

Answered = list[tuple[Question, Answer]]

OnAnswers = Callable[[Answered], None]
"""Called with the new answers after every chunk of a window, failures included: a journal, a progress bar."""

Already = Callable[[Question], "Answer | None"]
"""Asked before a recording is opened; an answer that it knows is not asked for again."""

Planned = Callable[[Sequence[Question]], None]
"""Called with all questions whose messages could be read, before the first of them is answered."""


class Walk(ABC):
    """Answers questions about recordings; ``counts`` tells what was done so far.

    ``reader`` may be replaced before questions are asked.
    """

    def __init__(self, reader: FrameReader, counts: WalkCounts, system_prompt: str | None) -> None:
        self.reader = reader
        self.counts = counts
        self._system_prompt = system_prompt
        self._answers: dict[int, Answer] = {}
        self._on_answers: OnAnswers | None = None

    @abstractmethod
    def render(self, question: Question) -> str:
        """Return all that the model reads of a question, as text: equal texts about equal media are asked once."""

    @abstractmethod
    def pick(self, video: Medium, facts: VideoFacts) -> Picked:
        """Return the frames of a window that are shown; raise UnansweredError where it holds too few."""

    @abstractmethod
    def ask(self, questions: Sequence[Question], media: WindowMedia) -> Iterator[Answered]:
        """Yield the answers to different questions about the same media, in parts as they come.

        Raises:
            UnansweredError: none of those that are still open can be answered.
        """

    def prepare(self, questions: Sequence[Question]) -> None:  # noqa: B027 - nothing by default
        """Get ready for these questions, before the first of them is looked up."""

    @abstractmethod
    def new_window(self) -> None:
        """Forget what belonged to the window before."""

    def proceed(self, asking: Iterator[None]) -> None:
        """See a window's questions answered; here at once."""
        deque(asking, maxlen=0)

    def finish(self) -> None:  # noqa: B027 - nothing by default
        """See to it that what was begun is answered."""

    def answer(
        self,
        questions: Sequence[Question],
        on_answers: OnAnswers | None = None,
        already: Already | None = None,
        planned: Planned | None = None,
    ) -> list[Answer]:
        """Return the answers in the order of the questions, whose numbers must differ.

        What cannot be answered gets an :class:`Answer` with its reason; the rest goes on.
        """
        self._answers, self._on_answers = {}, on_answers
        self.counts.questions += len(questions)
        readable = [question for question in questions if self._read(question)]
        if planned is not None:
            planned(readable)
        self.prepare(readable)
        with ExitStack() as running:
            begun: Iterator[None] = iter(())
            for path, group in grouped(readable, recording_of).items():
                open_questions = [q for q in group if not self._recall(q, already)]
                following = running.enter_context(closing(self._recording(path, open_questions)))
                next(following, None)  # it is read from here on, while the one before is asked about
                deque(begun, maxlen=0)
                begun = following
            deque(begun, maxlen=0)
            self.finish()
        return [self._answers[question.number] for question in questions]

    def _read(self, question: Question) -> bool:
        try:
            read_messages(question, self._system_prompt)
        except ValueError as error:  # also what the caller's own message builder raises for unusable media
            self._fail([question], str(error))
            return False
        return True

    def _recall(self, question: Question, already: Already | None) -> bool:
        question.text = self.render(question)
        known = already(question) if already else None
        if known is None:
            return False
        self.counts.recalled += 1
        self._answers[question.number] = known
        return True

    def _recording(self, path: str, questions: list[Question]) -> Generator[None, None, None]:
        """Begin to read a recording; when gone on with, answer the questions about it."""
        if not questions:
            return
        if not path:
            yield
            for group in grouped(questions, lambda question: question.media).values():
                self._media(group, [])
            return
        windows = by_window(questions)
        try:
            with self.reader.open(path) as recording:
                self.counts.opens += 1
                shown = self._shown(windows, recording)
                yield
                for window, frames in shown:
                    self._window(window, frames)
        except UnansweredError as error:
            self._fail(self._open_questions(questions), str(error))

    def _shown(
        self, windows: Sequence[list[Question]], recording: OpenRecording
    ) -> Iterator[tuple[list[Question], tuple[Frames, Picked]]]:
        """Give each window's questions and frames; windows that cannot be shown are marked and left out."""
        planned = []
        for window in windows:
            video = window[0].video
            assert video is not None
            try:
                planned.append((window, self.pick(video, recording.facts)))
            except UnansweredError as error:
                self._fail(window, str(error))
        frames = recording.windows([picked.numbers for _, picked in planned])
        return self._readable(planned, frames)

    def _readable(
        self, planned: Sequence[tuple[list[Question], Picked]], frames: Iterator[Frames | UnansweredError]
    ) -> Iterator[tuple[list[Question], tuple[Frames, Picked]]]:
        for (window, picked), pictures in zip(planned, frames, strict=True):
            if isinstance(pictures, UnansweredError):
                self._fail(window, str(pictures))
            else:
                self.counts.decodes += 1
                yield window, (pictures, picked)

    def _window(self, questions: list[Question], shown: tuple[Frames, Picked]) -> None:
        self.new_window()
        for group in grouped(questions, lambda question: question.media).values():
            try:
                others = [medium for medium in group[0].media if medium.kind == "video"][1:]
                videos = [shown, *(self._read_alone(video) for video in others)]
            except UnansweredError as error:
                self._fail(group, str(error))
            else:
                self._media(group, videos)

    def _read_alone(self, video: Medium) -> tuple[Frames, Picked]:
        """Read a further video of a question that has several."""
        with self.reader.open(video.source) as recording:
            self.counts.opens += 1
            picked = self.pick(video, recording.facts)
            frames = next(iter(recording.windows([picked.numbers])))
        if isinstance(frames, UnansweredError):
            raise frames
        self.counts.decodes += 1
        return frames, picked

    def _media(self, questions: list[Question], videos: list[tuple[Frames, Picked]]) -> None:
        """Answer the questions about the same media; identical questions are asked once."""
        same: dict[tuple[Any, ...], list[Question]] = {}
        for question in questions:
            alone = () if question.settings.greedy else (question.number,)
            same.setdefault((question.text, question.settings, *alone), []).append(question)
        first = [group[0] for group in same.values()]
        copies = {group[0].number: group[1:] for group in same.values()}
        self.proceed(self._answering(first, copies, videos))

    def _answering(
        self,
        questions: list[Question],
        copies: dict[int, list[Question]],
        videos: list[tuple[Frames, Picked]],
    ) -> Iterator[None]:
        """Take the answers to different questions as they come, for their copies too."""
        try:
            for answered in self.ask(questions, media_of(questions[0], videos)):
                told = []
                for question, answer in answered:
                    repeats = copies[question.number]
                    self.counts.repeated += len(repeats)
                    told += [(asked, answer) for asked in (question, *repeats)]
                self._tell(told)
                yield
        except UnansweredError as error:
            asked = [each for question in questions for each in (question, *copies[question.number])]
            self._fail(self._open_questions(asked), str(error))

    def _open_questions(self, questions: Sequence[Question]) -> list[Question]:
        return [question for question in questions if question.number not in self._answers]

    def _fail(self, questions: Sequence[Question], reason: str) -> None:
        if questions:
            logger.warning("%d question(s) left unanswered: %s", len(questions), reason)
        self._tell([(question, Answer("", failure=reason)) for question in questions])

    def _tell(self, answered: list[tuple[Question, Answer]]) -> None:
        for question, answer in answered:
            self._answers[question.number] = answer
            self.counts.unanswered += answer.failure is not None
        if self._on_answers is not None and answered:
            self._on_answers(answered)
