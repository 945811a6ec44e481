"""The DSPy program that a search optimizes: one predictor, whose instruction is the wording."""

from __future__ import annotations

import json
import warnings
from collections.abc import Mapping, Sequence
from types import SimpleNamespace
from typing import Any

import dspy

from semiology.metrics.scores.aggregation import FIRST_SEGMENT_ONLY
from semiology.optimization.search.answerers import WindowQuestion
from semiology.optimization.search.answers import AnswerBook, recording_answer
from semiology.optimization.search.examples import Example

PREDICTOR = "ask"


class AskAboutWindow(dspy.Signature):  # type: ignore[misc]
    """Is the feature present?"""

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


REPLY = "reply"


class TaskLM(dspy.BaseLM):  # type: ignore[misc]
    """A DSPy language model in front of an answer book.

    A subclass of ``BaseLM`` on purpose: ``dspy.LM`` looks for model metadata on the internet when it is made.

    Args:
        book: asks the model and remembers what it said.
        name: how the model is called in DSPy's history.
    """

    def __init__(self, book: AnswerBook, name: str = "semiology") -> None:
        super().__init__(model=name, model_type="chat", temperature=0.0, max_tokens=256, cache=False)
        self.book = book

    def __deepcopy__(self, memo: dict[int, Any]) -> TaskLM:
        """Return itself: the model behind it is loaded once and shared by all candidates."""
        return self

    def __call__(self, *arguments: Any, **keywords: Any) -> Any:
        """Ask, without DSPy's notice that this kind of adapter will need another base class in DSPy 3.5."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            return super().__call__(*arguments, **keywords)

    def forward(
        self, prompt: str | None = None, messages: Sequence[Mapping[str, Any]] | None = None, **settings: Any
    ) -> Any:
        """Return the reply to one question in the form of an OpenAI completion.

        Raises:
            ValueError: the message does not name a window; ask through `WordingFormat`.
        """
        del settings
        content = messages[-1]["content"] if messages else prompt
        text = self.book.reply(_read_message(str(content)))
        message = SimpleNamespace(content=text, tool_calls=None)
        choice = SimpleNamespace(message=message, finish_reason="stop")
        return SimpleNamespace(choices=[choice], usage={}, model=self.model)


class WordingFormat(dspy.Adapter):  # type: ignore[misc]
    """The DSPy adapter whose prompt is the wording itself: no field names, no added instructions.

    Args:
        book: knows how a wording is sent.
    """

    def __init__(self, book: AnswerBook) -> None:
        super().__init__()
        self.book = book

    def format(self, signature: Any, demos: Any, inputs: Mapping[str, Any]) -> list[dict[str, Any]]:
        """Return the one message of a question: its window, then its full text."""
        del demos
        text = self.book.text(signature.instructions, inputs["feature"])
        about = {name: inputs[name] for name in ("video_id", "segment", "feature")}
        return [{"role": "user", "content": f"{json.dumps(about)}\n{text}"}]

    def parse(self, signature: Any, completion: str) -> dict[str, str]:
        """Return the reply as it is; what it means is decided by the one parser of the tasks."""
        del signature
        return {REPLY: completion}

    def _call_postprocess(
        self, processed_signature: Any, original_signature: Any, outputs: Any, lm: Any, lm_kwargs: Any
    ) -> list[dict[str, Any]]:
        """Return the replies; unlike DSPy's own adapters an empty reply is a reply (and unparsed)."""
        del processed_signature, original_signature, lm, lm_kwargs
        texts = [output["text"] if isinstance(output, Mapping) else output for output in outputs]
        return [{REPLY: text or ""} for text in texts]


def _read_message(content: str) -> WindowQuestion:
    head, _, text = content.partition("\n")
    try:
        about = json.loads(head)
        return WindowQuestion(about["video_id"], int(about["segment"]), about["feature"], text)
    except (ValueError, KeyError, TypeError):
        raise ValueError("the message names no window of a recording; ask through WordingFormat") from None
