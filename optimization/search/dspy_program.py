"""The DSPy program that a search optimises: one predictor, whose instruction is the wording."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import dspy

from semiology.metrics.scores.aggregation import FIRST_SEGMENT_ONLY
from semiology.optimization.search.answers import recording_answer
from semiology.optimization.search.examples import Example
from semiology.optimization.search.task_lm import TaskLM, WordingFormat

PREDICTOR = "ask"


class AskAboutWindow(dspy.Signature):  # type: ignore[misc]
    """Is the sign present?"""

    video_id: str = dspy.InputField()
    segment: int = dspy.InputField()
    feature: str = dspy.InputField()
    reply: str = dspy.OutputField()


class AskRecording(dspy.Module):  # type: ignore[misc]
    """Asks one question about every window of a recording and merges the answers by any-yes.

    Args:
        wording: the instruction to begin with.
        lm: the model; it is shared by all copies of the program.
    """

    def __init__(self, wording: str, lm: TaskLM) -> None:
        super().__init__()
        self.ask = dspy.Predict(AskAboutWindow.with_instructions(wording))
        self.ask.lm = lm

    def forward(self, example: Example) -> Any:
        """Return a prediction with ``answer`` (yes, no, na, unparsed) and ``replies``, one per window."""
        first_only = example.feature in FIRST_SEGMENT_ONLY
        replies = [
            self.ask(video_id=example.video_id, segment=number, feature=example.feature).reply
            for number in example.segments
            if not first_only or number == 0
        ]
        return dspy.Prediction(answer=recording_answer(replies), replies=replies)


def dspy_example(example: Example) -> Any:
    """Return a recording as DSPy's kind of example."""
    return dspy.Example(example=example, truth=example.truth).with_inputs("example")


def run_program(program: AskRecording, examples: Sequence[Example]) -> list[Any]:
    """Run the program on recordings, with the wording alone as its prompt."""
    with dspy.context(adapter=WordingFormat(program.ask.lm.book), disable_history=True):
        return [program(example=example) for example in examples]
