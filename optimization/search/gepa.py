"""GEPA for wordings: ``dspy.GEPA`` with batches that share video work, and without files of pickles.

`WordingGEPA` is DSPy's optimizer with two changes. Its adapter asks about all recordings of all wordings of a
step in one call. Its decisions (what is tried on what, kept, best, and when to stop) are each taken by the stated
objective: GEPA adds up scores of single recordings, and F1 is no such sum, so acceptance and selection look the
answers up and score them together. GEPA's Pareto front over single recordings stays as it is: it decides which
wording is varied next. The proposer reads text about recordings, without ids, media or file names. No
state is pickled: a run that was stopped is repeated from the journal of answers, which costs no model time and, with
the same seed, takes the same way.
"""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import dspy
from gepa.api import optimize
from gepa.core.adapter import EvaluationBatch, GEPAAdapter
from gepa.strategies.eval_policy import FullEvaluationPolicy
from gepa.strategies.proposal_sampling import ProposalTask

from semiology.optimization.proposers.guarded import PREDICTOR
from semiology.optimization.search.asking import AnswerBook, Said
from semiology.optimization.search.examples import Example
from semiology.optimization.search.scores import RIGHT, Objective, rank, score_of
from semiology.prompts.library import load_library

Batch = Sequence[Any]
Standing = Callable[[str, Sequence[Example]], tuple[float, float]]
"""Objective and mean score of a wording on examples."""
RecordOf = Callable[[Example, Said, int, str], dict[str, Any]]
"""What a proposer reads about an example: of its answer, its number in the batch, and the wording."""
REPLY_CHARACTERS = 240
SHOWN_REPLIES = 3
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
    """Runs wordings on recordings for GEPA; ``record`` writes what the proposer reads about one of them."""

    def __init__(self, book: AnswerBook, proposer: Any, record: RecordOf | None = None) -> None:
        self._book, self.propose_new_texts, self._record = book, proposer, record or proposer_record

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
            self._record(example, said, number, candidate[PREDICTOR])
            for number, (example, said) in enumerate(eval_batch.trajectories or [], start=1)
        ]
        return dict.fromkeys(components_to_update, records)


class WordingGEPA(dspy.GEPA):  # type: ignore[misc]
    """``dspy.GEPA`` for an `AskRecording`.

    Args:
        scored: objective of a wording on examples.
        max_metric_calls: budget, in recordings asked under a wording (repeats included, as GEPA counts).
        minibatch: recordings on which a new wording must first beat its parent.
        record: what the proposer reads about a recording; by default that of features.

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
        record: RecordOf | None = None,
        stoppers: Sequence[Any] = (),
        callbacks: Sequence[Any] = (),
    ) -> None:
        super().__init__(
            metric=_metric, max_metric_calls=max_metric_calls, instruction_proposer=proposer,
            reflection_minibatch_size=minibatch, use_merge=False, track_stats=True, seed=seed,
        )  # fmt: skip
        self.trials: list[Trial] = []
        self._scored, self._siblings, self._record = scored, siblings, record
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
            adapter=WordingAdapter(student.book, self.custom_instruction_proposer, self._record),
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


def standing(book: AnswerBook, value: Objective) -> Standing:
    """Return the function that scores wordings by the answers in a book; each is scored once."""
    known: dict[tuple[str, tuple[Example, ...]], tuple[float, float]] = {}

    def scored(wording: str, examples: Sequence[Example]) -> tuple[float, float]:
        key = wording, tuple(examples)
        if key not in known:
            known[key] = rank(value, examples, book.answers(wording, examples))
        return known[key]

    return scored


@dataclass(frozen=True)
class Trial:
    """A wording tried on a minibatch beside its parent: the objective of both, and whether it went on."""

    wording: str
    parent: str
    before: float
    after: float
    accepted: bool


class Decisions(FullEvaluationPolicy[int, Any]):
    """What GEPA tries on what, accepts, sends on and calls best; all by the objective, the mean score breaks ties.

    Each step varies one wording several times on one minibatch, so that the variants share its video. Of those
    that beat their parent only the best goes on to the development recordings, all of which are then asked: they
    cost most of a budget, and more of it goes into trying wordings so.

    Args:
        scored: objective and mean score of a wording.
        train, development: examples, in GEPA's order.

    Attributes:
        trials: every verdict on a minibatch, in order.
    """

    def __init__(
        self, scored: Standing, train: Sequence[Example], development: Sequence[Example], siblings: int
    ) -> None:
        self._scored, self._train, self._development = scored, train, development
        self._siblings = siblings
        self.trials: list[Trial] = []

    def sample_tasks(
        self, state: Any, candidate_selector: Any, batch_sampler: Any, trainset: Any
    ) -> list[ProposalTask[int, Any]]:
        """Return one task for each variant, all with the same parent and minibatch."""
        parent = candidate_selector.select_candidate_idx(state)
        numbers = batch_sampler.next_minibatch_ids(trainset, state)
        wording = state.program_candidates[parent]
        return [
            ProposalTask(parent, wording, list(numbers), trainset.fetch(numbers))
            for _ in range(self._siblings)
        ]

    def should_accept(self, proposal: Any, state: Any) -> bool:
        """Return whether a proposal beats its parent on the minibatch."""
        parent = state.program_candidates[proposal.parent_program_ids[0]][PREDICTOR]
        before, after = self._on_minibatch(proposal, parent), self._on_minibatch(proposal)
        self.trials.append(Trial(proposal.candidate[PREDICTOR], parent, before[0], after[0], after > before))
        return after > before

    def _on_minibatch(self, proposal: Any, wording: str | None = None) -> tuple[float, float]:
        asked = [self._train[number] for number in proposal.subsample_indices]
        return self._scored(wording or proposal.candidate[PREDICTOR], asked)

    def reject_reason(self, proposal: Any, state: Any) -> str:
        """Return why a proposal is not kept."""
        del proposal, state
        return "not better than its parent on the minibatch"

    def select(self, proposals: list[Any], state: Any, acceptance_criterion: Any) -> list[Any]:
        """Return the best accepted proposal, the first of equals; none if none was accepted."""
        better = [each for each in proposals if acceptance_criterion.should_accept(each, state)]
        return [max(better, key=self._on_minibatch)] if better else []

    def get_best_program(self, state: Any) -> int:
        """Return the number of the best wording on development so far."""
        return self.best_of(state.program_candidates)

    def best_of(self, candidates: Sequence[Mapping[str, str]]) -> int:
        """Return the number of the candidate that is best on development, the first of equals."""
        found = [self._scored(each[PREDICTOR], self._development) for each in candidates]
        return max(range(len(found)), key=lambda number: (found[number], -number))

    def get_valset_score(self, program_idx: int, state: Any) -> float:
        """Return the objective of one wording on the development recordings."""
        return self._scored(state.program_candidates[program_idx][PREDICTOR], self._development)[0]


class BalancedMinibatches:
    """Draws minibatches with as many recordings with the feature as without, each class in shuffled turns."""

    def __init__(self, truths: Sequence[str], size: int, rng: random.Random) -> None:
        self._rng, self._size = rng, min(size, len(truths))
        positive = [number for number, truth in enumerate(truths) if truth == "yes"]
        others = [number for number, truth in enumerate(truths) if truth != "yes"]
        self._classes = [positive, others]
        self._turns: list[list[int]] = [[], []]

    def next_minibatch_ids(self, loader: Any, state: Any) -> list[int]:
        """Return the numbers of the next minibatch's examples."""
        del loader, state
        halves = (self._size // 2, self._size - self._size // 2)
        sizes = [min(half, len(members)) for half, members in zip(halves, self._classes, strict=True)]
        for place in (0, 1):  # what one class cannot fill the other does
            room = self._size - sizes[1 - place]
            sizes[place] = min(len(self._classes[place]), max(sizes[place], room))
        return [number for place in (0, 1) for number in self._draw(place, sizes[place])]

    def _draw(self, place: int, size: int) -> list[int]:
        drawn: list[int] = []
        while len(drawn) < size:
            if not self._turns[place]:
                self._turns[place] = self._rng.sample(self._classes[place], len(self._classes[place]))
            number = self._turns[place].pop(0)
            if number not in drawn:
                drawn.append(number)
        return drawn


class MinutesUsed:
    """Stops a search after so many minutes, those of earlier, killed runs of the same search included."""

    def __init__(
        self, minutes: float, before_s: float = 0.0, now: Callable[[], float] = time.monotonic
    ) -> None:
        self._limit_s, self._before_s, self._now = minutes * 60, before_s, now
        self._began = now()

    def __call__(self, state: Any) -> bool:
        """Return whether the time is used up."""
        del state
        return self.used_s >= self._limit_s

    @property
    def used_s(self) -> float:
        """Seconds used in all."""
        return self._before_s + self._now() - self._began


def verdict(truth: str, answer: str) -> str:
    """Return how an answer stands to the truth: right, missed, falsely called, unusable or wrong."""
    if answer == truth:
        return "right"
    if answer == "unparsed":
        return "unusable"
    return {("yes", "no"): "missed", ("no", "yes"): "falsely called"}.get((truth, answer), "wrong")


def recording_feedback(example: Example, said: Said, number: int) -> str:
    """Return what the proposer reads about one recording.

    Args:
        example: the recording; its ids stay out.
        number: its place in this batch, which stands for it.
    """
    truth = {"yes": "present", "no": "absent", "na": "not applicable"}[example.truth]
    found = verdict(example.truth, said.answer)
    lines = [f"Recording {number}: the sign is {truth}; the model answered {said.answer} ({found})."]
    shown = [reply.strip()[:REPLY_CHARACTERS] or "(nothing)" for reply in said.replies[:SHOWN_REPLIES]]
    lines.append("The model said: " + " | ".join(shown))
    if example.justification and found != "right":
        lines.append(f"The annotator wrote: {example.justification.strip()}")
    return "\n".join(lines)


def proposer_record(example: Example, said: Said, number: int, wording: str) -> dict[str, Any]:
    """Return all that a proposer gets about one recording under a wording, in GEPA's form."""
    return {
        "Inputs": {"question": wording, "sign": example.feature},
        "Generated Outputs": {"answer": said.answer},
        "Feedback": recording_feedback(example, said, number),
        "Verdict": verdict(example.truth, said.answer),
        "Definition": clinical_definition(example.feature),
    }


def clinical_definition(feature: str) -> str:
    """Return what the library says a feature is: the definition, when it does not count, why it matters."""
    entry = load_library().feature(feature)
    wordings = [prompt.text for prompt in entry.prompts if prompt.family == "definition"]
    lines = [f"Clinical definition: {wordings[0]}"] if wordings else []
    if entry.context:
        lines.append(f"It does not count or needs context when: {entry.context}.")
    lines.append(f"Why it matters: {entry.importance}")
    return "\n".join(lines)
