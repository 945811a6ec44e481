"""GEPA for wordings: ``dspy.GEPA`` with batches that share video work, and without files of pickles.

`WordingGEPA` is DSPy's optimizer with two changes. Its adapter asks for all recordings of all wordings of a
step in one call. Its decisions are those of `semiology.optimization.search.gepa_strategies`, so that F1 is
maximised as F1. No state is pickled: a run that was stopped is repeated from the journal of answers, which
costs no model time and, with the same seed, takes the same way.
"""

from __future__ import annotations

import logging
import random
from collections.abc import Sequence
from typing import Any

import dspy
from dspy.teleprompt.gepa.gepa_utils import DspyAdapter
from gepa.api import optimize
from gepa.core.adapter import EvaluationBatch
from gepa.core.result import GEPAResult

from semiology.optimization.search.answers import AnswerBook, Said
from semiology.optimization.search.dspy_program import PREDICTOR, AskRecording, run_program
from semiology.optimization.search.examples import Example
from semiology.optimization.search.feedback import clinical_definition, recording_feedback, verdict
from semiology.optimization.search.gepa_strategies import (
    BalancedMinibatches,
    BestSibling,
    DevelopmentPolicy,
    ObjectiveAcceptance,
    Siblings,
    Standing,
    Trial,
)
from semiology.optimization.search.objective import RIGHT, score_of

Batch = Sequence[Any]
_log = logging.getLogger(__name__)


class Quietly:
    """GEPA's running commentary, into this module's logger."""

    def log(self, message: str) -> None:
        """Note a message of GEPA's."""
        _log.debug("%s", message)


class WordingAdapter(DspyAdapter):  # type: ignore[misc]
    """Runs wordings on recordings for GEPA.

    Args:
        program: the program whose predictor's instruction is varied.
        book: asks the model and remembers the answers.
        proposer: writes new wordings (GEPA's ``ProposalFn``).
    """

    def __init__(self, program: AskRecording, book: AnswerBook, proposer: Any) -> None:
        super().__init__(
            student_module=program,
            metric_fn=_score,
            feedback_map={},
            custom_instruction_proposer=proposer,
        )
        self._book = book

    def batch_evaluate(
        self, items: Sequence[tuple[dict[str, str], Batch]], *, capture_traces: bool = True
    ) -> list[Any]:
        """Ask about all wordings and recordings in one call, then score each wording."""
        self._book.ask((wording[PREDICTOR], each["example"]) for wording, batch in items for each in batch)
        return [self._scored(batch, wording, capture_traces) for wording, batch in items]

    def evaluate(
        self, batch: Batch, candidate: dict[str, str], capture_traces: bool = False, num_threads: Any = None
    ) -> Any:
        """Score one wording on a batch of recordings."""
        del num_threads
        return self.batch_evaluate([(candidate, batch)], capture_traces=capture_traces)[0]

    def _scored(self, batch: Batch, candidate: dict[str, str], capture_traces: bool) -> Any:
        program = self.build_program(candidate)
        ran = run_program(program, [each["example"] for each in batch])
        scores = [score_of(each["example"], said.answer) for each, said in zip(batch, ran, strict=True)]
        told = [
            {"example": each["example"], "said": Said(said.answer, tuple(said.replies))}
            for each, said in zip(batch, ran, strict=True)
        ]
        outputs = [said.answer for said in ran]
        return EvaluationBatch(outputs=outputs, scores=scores, trajectories=told if capture_traces else None)

    def make_reflective_dataset(
        self, candidate: dict[str, str], eval_batch: Any, components_to_update: list[str]
    ) -> dict[str, list[dict[str, Any]]]:
        """Return what the proposer is told about each recording; no ids, no media."""
        records = []
        definitions = {each["example"].feature for each in eval_batch.trajectories or []}
        defined = {feature: clinical_definition(feature) for feature in definitions}
        for number, each in enumerate(eval_batch.trajectories or [], start=1):
            example, said = each["example"], each["said"]
            records.append(
                {
                    "Inputs": {"question": candidate[PREDICTOR], "sign": example.feature},
                    "Generated Outputs": {"answer": said.answer},
                    "Feedback": recording_feedback(example, said, number),
                    "Verdict": verdict(example.truth, said.answer),
                    "Definition": defined[example.feature],
                }
            )
        return dict.fromkeys(components_to_update, records)


class WordingGEPA(dspy.GEPA):  # type: ignore[misc]
    """``dspy.GEPA`` for a program of `semiology.optimization.search.dspy_program`.

    Args:
        book: asks the model and remembers the answers.
        scored: objective of a wording on examples.
        proposer: writes new wordings.
        max_metric_calls: budget, in recordings asked under a wording (repeats included, as GEPA counts).
        minibatch: recordings that a new wording must first prove itself on.
        siblings: wordings tried in each step.
        seed: of all draws.
        stoppers: further reasons to stop.
        callbacks: told what happens (GEPA's callbacks).

    Attributes:
        trials: every wording that was tried on a minibatch, in order.
    """

    def __init__(
        self,
        *,
        book: AnswerBook,
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
            metric=_metric,
            max_metric_calls=max_metric_calls,
            instruction_proposer=proposer,
            reflection_minibatch_size=minibatch,
            use_merge=False,
            track_stats=True,
            seed=seed,
        )
        self._book, self._answered = book, scored
        self.trials: list[Trial] = []
        self._siblings, self._stoppers, self._callbacks = siblings, list(stoppers), list(callbacks)

    def compile(
        self, student: AskRecording, *, trainset: Batch, teacher: Any = None, valset: Batch | None = None
    ) -> Any:
        """Return the program with the best wording; ``detailed_results`` holds GEPA's whole record.

        Args:
            student: program with the wording to begin with.
            trainset: training recordings (`semiology.optimization.search.dspy_program.dspy_example`).
            teacher: not used by GEPA.
            valset: development recordings; needed here, since selecting on ``trainset`` would not generalise.

        Raises:
            ValueError: there is no ``valset``.
        """
        if not valset or teacher is not None:
            raise ValueError(
                "a search for wordings needs development recordings (valset) and takes no teacher"
            )
        adapter = WordingAdapter(student, self._book, self.custom_instruction_proposer)
        found = self._optimize(adapter, student, list(trainset), list(valset))
        program = adapter.build_program(found.candidates[self._best(found, valset)])
        program.detailed_results = found
        return program

    def _optimize(self, adapter: Any, student: AskRecording, train: list[Any], val: list[Any]) -> Any:
        examples: list[Example] = [each["example"] for each in train]
        rng = random.Random(self.seed)  # noqa: S311 - a search, not a secret
        batches = BalancedMinibatches([each.truth for each in examples], self.reflection_minibatch_size, rng)
        acceptance = ObjectiveAcceptance(self._answered, examples, self.trials)
        return optimize(
            seed_candidate={PREDICTOR: student.ask.signature.instructions},
            trainset=train,
            valset=val,
            adapter=adapter,
            batch_sampler=batches,
            sampling_strategy=Siblings(self._siblings),
            acceptance_criterion=acceptance,
            selection_strategy=BestSibling(acceptance),
            val_evaluation_policy=DevelopmentPolicy(self._answered, [each["example"] for each in val]),
            max_metric_calls=self.max_metric_calls,
            stop_callbacks=self._stoppers,
            callbacks=self._callbacks,
            perfect_score=RIGHT,
            logger=Quietly(),
            track_best_outputs=False,
            run_dir=None,
            seed=self.seed or 0,
        )

    def _best(self, found: GEPAResult[Any, Any], val: Batch) -> int:
        development = [each["example"] for each in val]
        standings = [self._answered(each[PREDICTOR], development) for each in found.candidates]
        return max(range(len(standings)), key=lambda number: (standings[number], -number))


def _score(gold: Any, prediction: Any, trace: Any = None) -> float:
    del trace
    return score_of(gold["example"], prediction.answer)


def _metric(gold: Any, pred: Any, trace: Any, pred_name: Any, pred_trace: Any) -> Any:
    """Return the score of one recording with feedback, in the form that ``dspy.GEPA`` asks for."""
    del trace, pred_name, pred_trace
    said = Said(pred.answer, tuple(pred.replies))
    text = recording_feedback(gold["example"], said, 1)
    return dspy.Prediction(score=score_of(gold["example"], pred.answer), feedback=text)
