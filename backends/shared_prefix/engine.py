"""Answers many questions: every recording opened once, every window decoded, encoded and prefilled once.

``SharedPrefixEngine(load_checkpoint(Loading("folder")), Sampling(fps=2)).answer(questions)`` returns the
answers in the order of the questions, whatever order the work is done in.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from semiology.backends.shared_prefix.counts import Counts
from semiology.backends.shared_prefix.frames import DecordReader, FrameReader, VideoFacts
from semiology.backends.shared_prefix.inputs import WindowMedia, render
from semiology.backends.shared_prefix.loading import Checkpoint
from semiology.backends.shared_prefix.questions import Medium, Question
from semiology.backends.shared_prefix.sampling import Picked, Sampling, pick_as_qwen, pick_with_processor
from semiology.backends.shared_prefix.walk import Answered, Walk
from semiology.backends.shared_prefix.windows import Options, WindowAnswerer


class SharedPrefixEngine(Walk):
    """Answers questions about recordings with one model in this process."""

    counts: Counts

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
        options = options or Options()
        prompt = checkpoint.family.system_prompt if options.system_prompt is None else options.system_prompt
        counts = Counts()
        super().__init__(reader or DecordReader(), counts, prompt)
        self.checkpoint = checkpoint
        self._sampling = sampling or Sampling()
        self._windows = WindowAnswerer(checkpoint, self._sampling, options, counts)

    @property
    def sharing(self) -> str:
        """The way of sharing in use."""
        return self._windows.way

    def render(self, question: Question) -> str:
        """Return the complete prompt by the checkpoint's chat template."""
        return render(self.checkpoint, question)

    def pick(self, video: Medium, facts: VideoFacts) -> Picked:
        """Return the frames that the stock class of the model would show."""
        family = self.checkpoint.family
        if family.qwen_frames:
            return pick_as_qwen(video, facts, self._sampling, family.cap_with_fps)
        return pick_with_processor(video, facts, self._sampling, self.checkpoint.processor)

    def new_window(self) -> None:
        """Forget the encoded media of the window before."""
        self._windows.new_window()

    def ask(self, questions: Sequence[Question], media: WindowMedia) -> Iterator[Answered]:
        """Yield the answers to different questions about the same media."""
        return self._windows.answer(questions, media)
