"""Answers many questions: every recording opened once, every window decoded, encoded and prefilled once.

``SharedPrefixEngine(load_checkpoint(Loading("folder")), Sampling(fps=2)).answer(questions)`` returns the
answers in the order of the questions, whatever order the work is done in.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import ExitStack, closing
from typing import Any

from semiology.backends.shared_prefix.counts import Counts
from semiology.backends.shared_prefix.frames import DecordReader, FrameReader, Frames, OpenRecording
from semiology.backends.shared_prefix.inputs import media_of, render
from semiology.backends.shared_prefix.loading import Checkpoint
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
from semiology.backends.shared_prefix.sampling import Picked, Sampling, pick_as_qwen, pick_with_processor
from semiology.backends.shared_prefix.windows import Options, WindowAnswerer

logger = logging.getLogger(__name__)

OnAnswers = Callable[[list[tuple[Question, Answer]]], None]
"""Called with the new answers after every chunk of a window, failures included: a journal, a progress bar."""

Already = Callable[[Question], "Answer | None"]
"""Asked before a recording is opened; an answer that it knows is not asked for again."""

Planned = Callable[[Sequence[Question]], None]
"""Called with all questions whose messages could be read, before the first of them is answered."""


class SharedPrefixEngine:
    """Answers questions about recordings with one model.

    ``counts`` tells what was done so far; ``reader`` may be replaced before questions are asked.
    """

    def __init__(
        self,
        checkpoint: Checkpoint,
        sampling: Sampling | None = None,
        options: Options | None = None,
        reader: FrameReader | None = None,
    ) -> None:
        """Make an engine; by default decord reads the frames.

        Raises:
            SharingError: the way of sharing that was asked for is not possible with the model.
            ScoreError: an answer to score is not a single token.
        """
        self.counts = Counts()
        self.checkpoint = checkpoint
        self._sampling = sampling or Sampling()
        self._options = options or Options()
        self.reader = reader or DecordReader()
        self._windows = WindowAnswerer(checkpoint, self._sampling, self._options, self.counts)
        self._answers: dict[int, Answer] = {}
        self._on_answers: OnAnswers | None = None

    @property
    def sharing(self) -> str:
        """The way of sharing in use."""
        return self._windows.way

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
        with ExitStack() as running:
            begun: Iterator[None] = iter(())
            for path, group in grouped(readable, recording_of).items():
                open_questions = [q for q in group if not self._recall(q, already)]
                following = running.enter_context(closing(self._recording(path, open_questions)))
                next(following, None)  # it is read from here on, while the one before is asked about
                deque(begun, maxlen=0)
                begun = following
            deque(begun, maxlen=0)
        return [self._answers[question.number] for question in questions]

    def _read(self, question: Question) -> bool:
        prompt = self._options.system_prompt
        try:
            read_messages(question, self.checkpoint.family.system_prompt if prompt is None else prompt)
        except ValueError as error:  # also what the caller's own message builder raises for unusable media
            self._fail([question], str(error))
            return False
        return True

    def _recall(self, question: Question, already: Already | None) -> bool:
        question.text = render(self.checkpoint, question)
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
                planned.append((window, self._pick(video, recording)))
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

    def _pick(self, video: Medium, recording: OpenRecording) -> Picked:
        family = self.checkpoint.family
        if family.qwen_frames:
            return pick_as_qwen(video, recording.facts, self._sampling, family.cap_with_fps)
        return pick_with_processor(video, recording.facts, self._sampling, self.checkpoint.processor)

    def _window(self, questions: list[Question], shown: tuple[Frames, Picked]) -> None:
        self._windows.new_window()
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
            picked = self._pick(video, recording)
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
        try:
            for answered in self._windows.answer(first, media_of(first[0], videos)):
                told = []
                for question, answer in answered:
                    repeats = copies[question.number]
                    self.counts.repeated += len(repeats)
                    told += [(asked, answer) for asked in (question, *repeats)]
                self._tell(told)
        except UnansweredError as error:
            self._fail(self._open_questions(questions), str(error))

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
