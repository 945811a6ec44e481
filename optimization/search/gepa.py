"""GEPA for wordings: ``dspy.GEPA`` with batches that share video work, and without files of pickles.

`WordingGEPA` is DSPy's optimizer with two changes. Its adapter asks about all recordings of all wordings of a
step in one call. Its decisions are those of `semiology.optimization.search.gepa_strategies`, so that F1 is
maximized as F1. No state is pickled: a run that was stopped is repeated from the journal of answers, which
costs no model time and, with the same seed, takes the same way.
"""

from __future__ import annotations

import logging
import random
from collections.abc import Sequence
from typing import Any

import dspy
from gepa.api import optimize
from gepa.core.adapter import EvaluationBatch, GEPAAdapter

from semiology.optimization.proposers.guarded import PREDICTOR
from semiology.optimization.search.asking import AnswerBook, Said
from semiology.optimization.search.examples import Example
from semiology.optimization.search.feedback import proposer_record, recording_feedback
from semiology.optimization.search.gepa_strategies import BalancedMinibatches, Decisions, Standing, Trial
from semiology.optimization.search.scores import RIGHT, score_of

Batch = Sequence[Any]
_log = logging.getLogger(__name__)


class Quietly:
    """GEPA's running commentary, into this module's logger."""

    def log(self, message: str) -> None:
        """Note a message of GEPA's."""
        _log.debug("%s", message)


class AskAboutRecording(dspy.Signature):  # type: ignore[misc]
    """Is the feature present?"""

    example: Example = dspy.InputField()
    answer: str = dspy.OutputField()


class AskRecording(dspy.Module):  # type: ignore[misc]
    """The program that is optimized: one predictor, whose instruction is the wording.

    Args:
        book: asks the model; it is shared by all copies of the program.
    """

    def __init__(self, wording: str, book: AnswerBook) -> None:
        super().__init__()
        self.ask = dspy.Predict(AskAboutRecording.with_instructions(wording))
        self.book = book

    @property
    def wording(self) -> str:
        """The instruction."""
        return str(self.ask.signature.instructions)

    def forward(self, example: Example) -> Any:
        """Return a prediction with ``answer`` (yes, no, na, unparsed) and ``replies``, one per window."""
        said = self.book.said(self.wording, example)
        return dspy.Prediction(answer=said.answer, replies=list(said.replies))


def dspy_example(example: Example) -> Any:
    """Return a recording as DSPy's kind of example."""
    return dspy.Example(example=example, truth=example.truth).with_inputs("example")


class WordingAdapter(GEPAAdapter[Any, Any, Any]):
    """Runs wordings on recordings for GEPA."""

    def __init__(self, book: AnswerBook, proposer: Any) -> None:
        self._book, self.propose_new_texts = book, proposer

    def batch_evaluate(
        self, items: Sequence[tuple[dict[str, str], Batch]], *, capture_traces: bool = True
    ) -> list[Any]:
        """Ask about all wordings and recordings in one call, then score each wording."""
        self._book.ask((wording[PREDICTOR], each["example"]) for wording, batch in items for each in batch)
        return [self.evaluate(batch, wording, capture_traces) for wording, batch in items]

    def evaluate(self, batch: Batch, candidate: dict[str, str], capture_traces: bool = False) -> Any:
        """Score one wording on a batch of recordings."""
        examples = [each["example"] for each in batch]
        self._book.ask((candidate[PREDICTOR], example) for example in examples)
        said = [self._book.said(candidate[PREDICTOR], example) for example in examples]
        scores = [score_of(example, each.answer) for example, each in zip(examples, said, strict=True)]
        told = list(zip(examples, said, strict=True)) if capture_traces else None
        return EvaluationBatch(outputs=[each.answer for each in said], scores=scores, trajectories=told)

    def make_reflective_dataset(
        self, candidate: dict[str, str], eval_batch: Any, components_to_update: list[str]
    ) -> dict[str, list[dict[str, Any]]]:
        """Return what the proposer reads about each recording; no ids, no media."""
        records = [
            proposer_record(example, said, number, candidate[PREDICTOR])
            for number, (example, said) in enumerate(eval_batch.trajectories or [], start=1)
        ]
        return dict.fromkeys(components_to_update, records)


class WordingGEPA(dspy.GEPA):  # type: ignore[misc]
    """``dspy.GEPA`` for an `AskRecording`.

    Args:
        scored: objective of a wording on examples.
        max_metric_calls: budget, in recordings asked under a wording (repeats included, as GEPA counts).
        minibatch: recordings on which a new wording must first beat its parent.

    Attributes:
        trials: every wording that was tried on a minibatch, in order.
    """

    def __init__(
        self,
        *,
        scored: Standing,
        proposer: Any,
        max_metric_calls: int,
        minibatch: int = 8,
        siblings: int = 5,
        seed: int = 0,
        stoppers: Sequence[Any] = (),
        callbacks: Sequence[Any] = (),
    ) -> None:
        super().__init__(
            metric=_metric, max_metric_calls=max_metric_calls, instruction_proposer=proposer,
            reflection_minibatch_size=minibatch, use_merge=False, track_stats=True, seed=seed,
        )  # fmt: skip
        self.trials: list[Trial] = []
        self._scored, self._siblings = scored, siblings
        self._stoppers, self._callbacks = list(stoppers), list(callbacks)

    def compile(
        self, student: AskRecording, *, trainset: Batch, teacher: Any = None, valset: Batch | None = None
    ) -> Any:
        """Return the program with the best wording; ``detailed_results`` holds GEPA's whole record.

        Args:
            trainset: training recordings (`dspy_example`).
            valset: development recordings; needed here, since selecting on ``trainset`` would not generalize.

        Raises:
            ValueError: there is no ``valset``.
        """
        if not valset or teacher is not None:
            raise ValueError(
                "a search for wordings needs development recordings (valset) and takes no teacher"
            )
        train, development = ([each["example"] for each in part] for part in (trainset, valset))
        rng = random.Random(self.seed)  # noqa: S311 - a search, not a secret
        decisions = Decisions(self._scored, train, development, self._siblings)
        self.trials = decisions.trials
        found = optimize(
            seed_candidate={PREDICTOR: student.wording},
            trainset=list(trainset),
            valset=list(valset),
            adapter=WordingAdapter(student.book, self.custom_instruction_proposer),
            batch_sampler=BalancedMinibatches(
                [each.truth for each in train], self.reflection_minibatch_size, rng
            ),
            sampling_strategy=decisions,
            acceptance_criterion=decisions,
            selection_strategy=decisions,
            val_evaluation_policy=decisions,
            max_metric_calls=self.max_metric_calls,
            stop_callbacks=self._stoppers,
            callbacks=self._callbacks,
            perfect_score=RIGHT,
            logger=Quietly(),
            track_best_outputs=False,
            run_dir=None,
            seed=self.seed or 0,
        )
        best = found.candidates[decisions.best_of(found.candidates)]
        program = AskRecording(best[PREDICTOR], student.book)
        program.detailed_results = found
        return program


def _metric(gold: Any, pred: Any, trace: Any, pred_name: Any, pred_trace: Any) -> Any:
    """Return the score of one recording with feedback, in the form that ``dspy.GEPA`` asks for."""
    del trace, pred_name, pred_trace
    text = recording_feedback(gold["example"], Said(pred.answer, tuple(pred.replies)), 1)
    return dspy.Prediction(score=score_of(gold["example"], pred.answer), feedback=text)
