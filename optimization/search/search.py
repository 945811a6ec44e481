"""One search: the wordings of one feature, from a seed of the library to the best on development patients.

The test recordings are no part of this file: it is given none.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from semiology.optimization.proposers.guarded import GuardedProposer, Proposer
from semiology.optimization.proposers.language_model import ReflectiveProposer
from semiology.optimization.proposers.rules import CandidateRules
from semiology.optimization.proposers.wording_text import CANDIDATE, wording_prompt
from semiology.optimization.search.answers import AnswerBook
from semiology.optimization.search.dspy_program import PREDICTOR, AskRecording, TaskLM, dspy_example
from semiology.optimization.search.examples import Example, SearchError
from semiology.optimization.search.gepa import WordingGEPA
from semiology.optimization.search.gepa_strategies import MinutesUsed, NothingNew, standing
from semiology.optimization.search.lineage import Recorder, lineage
from semiology.optimization.search.objective import OBJECTIVES, objective, scores_of
from semiology.prompts.library import Prompt, load_library

UNLIMITED = 10**9
PATIENCE = 12
FAILED_REPLIES = 3
SHOWN_SCORES = ("f1", "balanced_accuracy", "precision", "recall", "specificity", "yes_rate", "unparsed_rate")


@dataclass(frozen=True)
class SearchOptions:
    """How to search.

    Attributes:
        objective: one of `semiology.optimization.search.objective.OBJECTIVES`.
        metric_calls: budget in recordings asked under a wording; None for no such limit.
        minutes: budget in minutes; None for no such limit.
        minibatch: training recordings on which a new wording must first beat its parent.
        siblings: wordings tried in each step; the best of them goes on to the development recordings.
        begin_with: id of the library wording to begin with.
        seeds: ids of library wordings that are tried first; ``all`` for all.
        answer_format: format of every wording that names none.
        other_formats: formats that the proposer may choose besides.
        max_characters: longest wording.
        seed: of all draws.
    """

    objective: str = "f1"
    metric_calls: int | None = 600
    minutes: float | None = None
    minibatch: int = 8
    siblings: int = 5
    begin_with: str = "s3"
    seeds: tuple[str, ...] = ("all",)
    answer_format: str = "yes_no"
    other_formats: tuple[str, ...] = ()
    max_characters: int = 700
    seed: int = 0

    def checked(self) -> SearchOptions:
        """Return itself.

        Raises:
            SearchError: a value makes no sense.
        """
        if self.objective not in OBJECTIVES:
            known = ", ".join(OBJECTIVES)
            raise SearchError(
                f"--objective {self.objective}: there is no such objective → use one of {known}"
            )
        if self.metric_calls is None and self.minutes is None:
            raise SearchError("a search needs a budget → give --budget in metric calls, --minutes, or both")
        least = {"metric_calls": self.metric_calls, "minutes": self.minutes, "minibatch": self.minibatch,
                 "siblings": self.siblings, "max_characters": self.max_characters}  # fmt: skip
        for name, value in least.items():
            if value is not None and value <= 0:
                raise SearchError(f"{name.replace('_', ' ')} must be above 0, not {value}")
        return self


@dataclass(frozen=True)
class FoundWording:
    """What a search found.

    Attributes:
        feature: name.
        begun_with: the library wording of the start. begun_text, chosen: instructions.
        lineage: everything, as plain data.
        answer_format: of wordings that name none.
        notes: what a reader must know, in sentences.
        unfinished: the search broke off, because the proposing model gave no replies any more.
    """

    feature: str
    begun_with: Prompt
    begun_text: str
    chosen: str
    lineage: Mapping[str, Any]
    answer_format: str
    notes: tuple[str, ...] = field(default=())
    unfinished: bool = False

    @property
    def prompt(self) -> Prompt:
        """The chosen wording: the library's entry where it has one with this text and answer format."""
        return wording_prompt(self.feature, self.chosen, self.answer_format)

    @property
    def is_new(self) -> bool:
        """Whether the chosen wording is none of the library's."""
        return self.prompt.id == CANDIDATE


ProposerFor = Callable[[CandidateRules], Proposer]
Told = Callable[[str, Recorder], None]


def usable_seeds(rules: CandidateRules, options: SearchOptions) -> tuple[list[str], list[str]]:
    """Return the library's wordings to try first, and in sentences why others are not tried.

    Raises:
        SearchError: a named wording does not exist.
    """
    entry = load_library().feature(rules.feature)
    known = {prompt.id for prompt in entry.prompts}
    for name in options.seeds:
        if name != "all" and name not in known:
            have = ", ".join(sorted(known))
            raise SearchError(f"--seeds {name}: {rules.feature} has no such wording → it has {have}")
    texts, notes = [], []
    for prompt in entry.prompts:
        if "all" not in options.seeds and prompt.id not in options.seeds:
            continue
        reasons = ["it asks whether the feature is absent"] if prompt.polarity == "negative" else []
        if prompt.provenance == "optimized" and prompt.id not in options.seeds:
            # an earlier search may have chosen it on patients that are now the test
            reasons.append(
                "an earlier search found it, perhaps on patients of this test → name it in --seeds"
            )
        reasons += ["its text names the answers itself"] if prompt.tail == "" else []
        reasons = reasons or rules.broken(prompt.text)
        if reasons:
            notes.append(f"{rules.feature}: the wording {prompt.id} is no seed, because {reasons[0]}")
        else:
            texts.append(prompt.text)
    return texts, notes


def _found_before(feature: str, options: SearchOptions) -> list[str]:
    """Return a caution on each named wording that an earlier search found."""
    return [
        f"{feature}: {prompt.id} was found by an earlier search; if that saw patients of this test, "
        "the test scores are too high"
        for prompt in load_library().feature(feature).prompts
        if prompt.provenance == "optimized" and prompt.id in (options.begin_with, *options.seeds)
    ]


def begin_with(feature: str, options: SearchOptions) -> Prompt:
    """Return the library wording to begin with.

    Raises:
        SearchError: the feature has none of that id, or it asks whether the feature is absent.
    """
    try:
        prompt = load_library().feature(feature).prompt(options.begin_with)
    except KeyError as error:
        raise SearchError(f"--begin-with {options.begin_with}: {error.args[0]}") from None
    if prompt.polarity == "negative" or prompt.tail == "":
        raise SearchError(
            f"--begin-with {options.begin_with}: it asks whether {feature} is absent, or names the answers "
            "itself → begin with another wording"
        )
    return prompt


def search_feature(
    train: Sequence[Example],
    development: Sequence[Example],
    book: AnswerBook,
    proposer: Proposer,
    rules: CandidateRules,
    options: SearchOptions,
    *,
    begun_text: str | None = None,
    seconds_before: float = 0.0,
    facts: Mapping[str, Any] | None = None,
    told: Told = lambda feature, recorder: None,
) -> FoundWording:
    """Search for a better wording of one feature.

    Args:
        train, development: recordings shown to the proposer, and recordings that select.
        book, proposer, rules, options: model, who writes wordings, what these keep, and how to search.
        begun_text: another text to begin with than the library's.
        seconds_before: time that earlier, killed runs of this search used, s.
        facts, told: what else the lineage shall say, and who is told how far the search is.

    Raises:
        SearchError: the model gave no reply, or the options make no sense.
    """
    feature, options = rules.feature, options.checked()
    prompt = begin_with(feature, options)
    begun = begun_text or prompt.text
    seeds, notes = usable_seeds(rules, options)
    notes += _found_before(feature, options)
    clock = MinutesUsed(options.minutes or UNLIMITED, seconds_before)
    guarded = GuardedProposer(proposer, rules, seeds=seeds, begun_with=begun)
    ended = NothingNew(lambda: _barren(guarded, options), PATIENCE)
    recorder = _recorder(feature, development, book, options, told)
    optimizer = WordingGEPA(
        book=book, scored=standing(book, objective(options.objective)), proposer=guarded,
        max_metric_calls=options.metric_calls or UNLIMITED, minibatch=options.minibatch,
        siblings=options.siblings, seed=options.seed, stoppers=[clock, ended], callbacks=[recorder],
    )  # fmt: skip
    chosen = _compiled(optimizer, begun, book, train, development)
    if isinstance(proposer, ReflectiveProposer) and not _broken_off(guarded):
        proposer.settle()
    notes += _told_less(feature, proposer) + _endings(feature, guarded, ended, clock, options)
    stated = _stated(prompt, options, guarded, notes) | {"seconds": round(clock.used_s, 1), **(facts or {})}
    record = lineage(recorder, optimizer.trials, chosen, stated)
    return FoundWording(
        feature, prompt, begun, chosen, record, options.answer_format, tuple(notes), _broken_off(guarded)
    )


def _compiled(
    optimizer: WordingGEPA,
    begun: str,
    book: AnswerBook,
    train: Sequence[Example],
    development: Sequence[Example],
) -> str:
    """Run GEPA and return the instruction that is best on the development recordings."""
    program = optimizer.compile(
        AskRecording(begun, TaskLM(book)),
        trainset=[dspy_example(each) for each in train],
        valset=[dspy_example(each) for each in development],
    )
    return str(program.ask.signature.instructions)


def _stated(
    prompt: Prompt, options: SearchOptions, guarded: GuardedProposer, notes: Sequence[str]
) -> dict[str, Any]:
    return {
        "feature": prompt.feature,
        "objective": options.objective,
        "seed": options.seed,
        "begun_with": prompt.id,
        "proposed": guarded.proposed,
        "refused": dict(guarded.refused),
        "unfinished": _broken_off(guarded),
        "notes": list(notes),
    }


def _recorder(
    feature: str, development: Sequence[Example], book: AnswerBook, options: SearchOptions, told: Told
) -> Recorder:
    return Recorder(
        origin_of=lambda text: _origin(feature, text, options),
        scores=lambda text: _shown(development, book.answers(text, development)),
        told=lambda this: told(feature, this),
    )


def _barren(guarded: GuardedProposer, options: SearchOptions) -> int:
    """Return how many steps in a row brought nothing; a model that is gone ends the search sooner."""
    if _broken_off(guarded):
        return PATIENCE
    return guarded.barren // options.siblings


def _broken_off(guarded: GuardedProposer) -> bool:
    return guarded.failures >= FAILED_REPLIES


def _told_less(feature: str, proposer: Proposer) -> list[str]:
    times = proposer.shortened if isinstance(proposer, ReflectiveProposer) else 0
    why = "because its server refused the whole text (is it longer than the model's context?)"
    return [f"{feature}: the proposing model was told of fewer recordings {times} times, {why}"] * (times > 0)


def _endings(
    feature: str, guarded: GuardedProposer, ended: NothingNew, clock: MinutesUsed, options: SearchOptions
) -> list[str]:
    if _broken_off(guarded):
        why = f"the proposing model failed {guarded.failures} times in a row ({guarded.last_failure})"
        again = "run the same command again to go on from here (the test patients are asked at its end)"
        return [f"{feature}: the search stopped early: {why}; {again}"]
    if ended.stopped:
        return [f"{feature}: the search stopped early, because the proposer had nothing new to try"]
    if options.minutes is not None and clock(None):
        return [f"{feature}: the search stopped when its {options.minutes:g} minutes were used"]
    return []


def _origin(feature: str, text: str, options: SearchOptions) -> str:
    prompt = wording_prompt(feature, text, options.answer_format)
    return "proposed" if prompt.id == CANDIDATE else f"library:{prompt.id}"


def _shown(examples: Sequence[Example], answers: Mapping[str, str]) -> dict[str, float]:
    found = scores_of(examples, answers)
    worst = objective("worst_fold")(examples, answers)
    return {**{name: found[name] for name in SHOWN_SCORES}, "worst_fold": worst}


__all__ = ["PREDICTOR", "FoundWording", "SearchOptions", "begin_with", "search_feature", "usable_seeds"]
