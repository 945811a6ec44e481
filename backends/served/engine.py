"""Asks a served model: every window decoded and encoded once, all its questions sent close together.

The first question about a window goes ahead, so that the server has the window in its caches when the others come.
While they are under way the next windows are begun, as soon as there is room.
"""

from __future__ import annotations

import json
import math
import queue
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from loguru import logger

from semiology.backends.served.frame_rules import FrameRules
from semiology.backends.served.media_form import MediaForm, chosen_form
from semiology.backends.served.pictures import SentMedia, SentVideo, sent_media, sent_video
from semiology.backends.served.replies import answer_of, scored_answer_of
from semiology.backends.served.requests import ServedOptions, request_of
from semiology.backends.served.server import Served, Server
from semiology.backends.shared_prefix.counts import WalkCounts
from semiology.backends.shared_prefix.frames import FrameReader, VideoFacts
from semiology.backends.shared_prefix.inputs import WindowMedia, told_of_video
from semiology.backends.shared_prefix.questions import Answer, Medium, Question, UnansweredError
from semiology.backends.shared_prefix.sampling import Picked, Sampling
from semiology.backends.shared_prefix.walk import Already, Answered, OnAnswers, Planned, Walk

NO_LONGER_KEPT = "data is not provided"
"""How vLLM says that it does not have a window any more that was only named."""
WHOLE_FILE_FRAMES = 60
"""Frames of a window without an end, for the trial clip."""
_ENDED = object()


@dataclass
class ServedCounts(WalkCounts):
    """How often each step ran, and the tokens that the server counted.

    Attributes:
        encodes: windows whose frames were encoded.
        named: questions whose window was not sent again, because the server still had it.
    """

    encodes: int = 0
    requests: int = 0
    named: int = 0
    prompt_tokens: int = 0
    cached_tokens: int = 0
    generated_tokens: int = 0

    def summary(self) -> str:
        """Return the counts that matter in one line for a log."""
        cached = f", {self.cached_tokens:,} of them told as cached" if self.cached_tokens else ""
        return (
            f"{self.questions} questions (recalled {self.recalled}, repeated {self.repeated}, unanswered "
            f"{self.unanswered}): {self.opens} opens, {self.decodes} decodes, {self.encodes} encodes, "
            f"{self.requests} requests, {self.named} without sending the window again; "
            f"{self.prompt_tokens:,} prompt tokens{cached}, {self.generated_tokens:,} generated"
        )


class ServedEngine(Walk):
    """Answers questions about recordings with a model on a server.

    Attributes:
        form: how windows are sent; known once questions were asked.
        encoding: of the frames; known then too.
    """

    counts: ServedCounts
    form: MediaForm | None

    def __init__(
        self,
        server: Server,
        served: Served,
        rules: FrameRules,
        sampling: Sampling,
        options: ServedOptions,
        reader: FrameReader,
    ) -> None:
        prompt = rules.family.system_prompt if options.system_prompt is None else options.system_prompt
        counts = ServedCounts()
        super().__init__(reader, counts, prompt)
        self.server, self.form = server, None
        self.encoding = "jpeg" if options.encoding == "auto" else options.encoding
        self._served, self._rules, self._sampling, self._options = served, rules, sampling, options
        self._encoded: dict[Medium, SentVideo] = {}
        self._pool = ThreadPoolExecutor(options.at_once, thread_name_prefix="asking")
        self._under_way: list[Iterator[None]] = []
        self._open = self._fresh = 0
        self._changed = threading.Condition()
        self._kept: set[str] = set()
        self._warned = False
        self._told: set[str] = set()

    def answer(
        self,
        questions: Sequence[Question],
        on_answers: OnAnswers | None = None,
        already: Already | None = None,
        planned: Planned | None = None,
    ) -> list[Answer]:
        """Return the answers in the order of the questions; when stopped, send nothing more."""
        try:
            return super().answer(questions, on_answers, already, planned)
        except BaseException:
            self.close()
            raise

    def prepare(self, questions: Sequence[Question]) -> None:
        """Try once how the server takes a window, with as many frames as the longest of these has."""
        windows = {medium for question in questions for medium in question.media if medium.kind == "video"}
        if self.form is None and windows:
            keeps = self._served.engine.startswith("vllm")
            frames = max(self._frames_of(window) for window in windows)
            self.form = chosen_form(self.server, self._served.model, self._options.media, frames, keeps=keeps)
            if self._options.encoding == "auto":
                self.encoding = "png" if self.form.kept else "jpeg"
            how = f"{self.form.told}; frames as {self.encoding.upper()}"
            logger.info(f"{self._served.model} at {self.server.address}: windows are sent {how}")

    def _frames_of(self, window: Medium) -> int:
        sampling = self._sampling
        if sampling.fps is None:
            return sampling.max_num_frames
        known = window.end_s is not None
        frames = (
            math.ceil(sampling.fps * ((window.end_s or 0) - (window.start_s or 0)))
            if known
            else WHOLE_FILE_FRAMES
        )
        return max(2, min(frames, sampling.max_frames or frames))

    def render(self, question: Question) -> str:
        """Return the messages and the form in which media are sent."""
        form = self.form
        sent = None if form is None else [form.video, form.timed, self.encoding]
        return json.dumps([sent, self._options.thinking, question.messages], ensure_ascii=False)

    def pick(self, video: Medium, facts: VideoFacts) -> Picked:
        """Return the frames that `semiology_hf` would show."""
        return self._rules.pick(video, facts, self._sampling)

    def new_window(self) -> None:
        """Forget the encoded frames of the window before."""
        self._encoded = {}

    def ask(self, questions: Sequence[Question], media: WindowMedia) -> Iterator[Answered]:
        """Send the questions; yield the answers that have come, none at first, until there are all."""
        sent = self._sent(questions[0], media)
        come: queue.SimpleQueue[tuple[Question, Answer] | BaseException] = queue.SimpleQueue()

        def run(question: Question) -> None:
            try:
                come.put((question, self._answer(question, sent)))
            except BaseException as error:  # noqa: BLE001 - it is raised where the answers are taken
                come.put(error)
            with self._changed:
                self._open -= 1
                self._fresh += 1
                self._changed.notify()

        def run_first() -> None:
            run(questions[0])
            for question in questions[1:]:
                self._pool.submit(run, question)

        with self._changed:
            self._open += len(questions)
        self._pool.submit(run_first)
        left = len(questions)
        yield []
        while left:
            answered: Answered = []
            while not come.empty():
                found = come.get()
                if isinstance(found, BaseException):
                    raise found
                answered.append(found)
            left -= len(answered)
            yield answered

    def proceed(self, asking: Iterator[None]) -> None:
        """Begin to ask about a window, and return when there is room for the next."""
        self._under_way.append(asking)
        self._take()
        while self._open >= self._options.at_once:
            self._wait()
            self._take()

    def finish(self) -> None:
        """Wait for all answers that are still to come."""
        while self._under_way:
            self._wait()
            self._take()

    def close(self) -> None:
        """Ask nothing more, and close the connections."""
        self._pool.shutdown(wait=False, cancel_futures=True)
        self.server.close()

    def _wait(self) -> None:
        with self._changed:
            self._changed.wait_for(lambda: self._fresh or not self._open)

    def _take(self) -> None:
        """Take the answers that have come, window by window; begin the windows that are not begun."""
        with self._changed:
            self._fresh = 0
        self._under_way = [asking for asking in self._under_way if next(asking, _ENDED) is not _ENDED]

    def _sent(self, question: Question, media: WindowMedia) -> SentMedia:
        """Encode what a window holds; videos once for all questions that show them."""
        shown = [medium for medium in question.media if medium.kind == "video"]
        for medium, (frames, picked) in zip(shown, media.videos, strict=True):
            if medium not in self._encoded:
                facts = told_of_video(self._rules.family, picked)
                facts.pop("video_backend")
                frames = self._rules.resize(frames, self._sampling)
                self._encoded[medium] = sent_video(frames, self.encoding, facts)
                self.counts.encodes += 1
        return sent_media(media, tuple(self._encoded[medium] for medium in shown), self.encoding)

    def _answer(self, question: Question, sent: SentMedia) -> Answer:
        """Ask one question; one that cannot be answered gets its reason."""
        if question.settings.num_beams > 1:
            return Answer("", failure="a server searches no beams (num_beams) → leave that setting out")
        keys = {video.key for video in sent.videos} if self.form is not None and self.form.kept else set()
        named = bool(keys) and keys <= self._kept
        try:
            try:
                said = self._complete(question, sent, named=named)
            except UnansweredError as error:
                if not named or NO_LONGER_KEPT not in str(error):
                    raise
                named = False
                said = self._complete(question, sent, named=named)
        except UnansweredError as error:
            self._tell_once(str(error))
            return Answer("", failure=str(error))
        self._kept |= keys
        with self._changed:
            self.counts.named += named
            self._count(said, sent)
        if self._options.score:
            return scored_answer_of(said, self._options.answers)
        return answer_of(said, question.settings)

    def _tell_once(self, reason: str) -> None:
        with self._changed:
            new = reason not in self._told
            self._told.add(reason)
        if new:
            logger.warning(f"a question is left unanswered: {reason}")

    def _complete(self, question: Question, sent: SentMedia, *, named: bool) -> Any:
        with self._changed:
            self.counts.requests += 1
        form = self.form or MediaForm(video=False)
        request = request_of(question, sent, form, self._options, named=named)
        return self.server.complete({"model": self._served.model, **request})

    def _count(self, said: Any, sent: SentMedia) -> None:
        """Add up what the server counted; tell once if it counts fewer tokens than it was sent pictures."""
        usage = getattr(said, "usage", None)
        prompt = int(getattr(usage, "prompt_tokens", 0) or 0)
        details = getattr(usage, "prompt_tokens_details", None)
        self.counts.prompt_tokens += prompt
        self.counts.cached_tokens += int(getattr(details, "cached_tokens", 0) or 0)
        self.counts.generated_tokens += int(getattr(usage, "completion_tokens", 0) or 0)
        pictures = sum(len(video.pictures) for video in sent.videos) + len(sent.images)
        if 0 < prompt < pictures // 2 and not self._warned:
            self._warned = True
            logger.warning(
                f"the server counts {prompt} prompt tokens for {pictures} pictures: it does not count what it had in "
                "its cache, or it cut the prompt (Ollama does where num_ctx is too small) → look into its log"
            )
