"""One search: the wordings of one feature, from a seed of the library to the best on development patients.

The test recordings are no part of this file: it is given none.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from semiology.optimization.proposers.guarded import GuardedProposer, Proposer
from semiology.optimization.proposers.language_model import ReflectiveProposer
from semiology.optimization.proposers.rules import CANDIDATE, CandidateRules, wording_prompt
from semiology.optimization.search.asking import AnswerBook
from semiology.optimization.search.examples import Example
from semiology.optimization.search.gepa import AskRecording, MinutesUsed, WordingGEPA, dspy_example, standing
from semiology.optimization.search.lineage import Recorder, lineage
from semiology.optimization.search.options import SearchError, SearchOptions
from semiology.optimization.search.scores import objective, scores_of
from semiology.prompts.library import Prompt, load_library
from semiology.render.text import counted

UNLIMITED = 10**9
PATIENCE = 12
FAILED_REPLIES = 3
SHOWN_SCORES = ("f1", "balanced_accuracy", "precision", "recall", "specificity", "yes_rate", "unparsed_rate")


@dataclass(frozen=True)
class FoundWording:
    """What a search found.

    Attributes:
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
    told: Callable[[str, Recorder], None] = lambda feature, recorder: None,
) -> FoundWording:
    """Search for a better wording of one feature.

    Args:
        train, development: recordings shown to the proposer, and recordings that select.
        book, proposer, rules, options: model, who writes wordings, what these keep, and how to search.
        begun_text: another text to begin with than the library's.
        seconds_before: time that earlier, killed runs of this search used, s.
        facts: what else the lineage records. told: called with the feature as the search goes on.

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

    def broken_off() -> bool:
        return guarded.failures >= FAILED_REPLIES

    exhausted = False

    def nothing_new(state: Any) -> bool:
        del state
        nonlocal exhausted
        # a proposing model that is gone ends the search sooner
        exhausted = exhausted or broken_off() or guarded.barren // options.siblings >= PATIENCE
        return exhausted

    def origin(text: str) -> str:
        known = wording_prompt(feature, text, options.answer_format)
        return "proposed" if known.id == CANDIDATE else f"library:{known.id}"

    recorder = Recorder(origin, partial(_shown_scores, book, development), lambda this: told(feature, this))
    optimizer = WordingGEPA(
        scored=standing(book, objective(options.objective)), proposer=guarded,
        max_metric_calls=options.metric_calls or UNLIMITED, minibatch=options.minibatch,
        siblings=options.siblings, seed=options.seed, stoppers=[clock, nothing_new], callbacks=[recorder],
    )  # fmt: skip
    chosen = optimizer.compile(
        AskRecording(begun, book),
        trainset=[dspy_example(each) for each in train],
        valset=[dspy_example(each) for each in development],
    ).wording
    if isinstance(proposer, ReflectiveProposer) and not broken_off():
        proposer.settle()
    notes += how_it_ended(feature, guarded, proposer, exhausted, options.minutes if clock(None) else None)
    stated = {
        "feature": feature,
        "objective": options.objective,
        "seed": options.seed,
        "begun_with": prompt.id,
        "proposed": guarded.proposed,
        "refused": dict(guarded.refused),
        "unfinished": broken_off(),
        "notes": list(notes),
        "seconds": round(clock.used_s, 1),
        **(facts or {}),
    }
    record = lineage(recorder, optimizer.trials, chosen, stated)
    return FoundWording(
        feature, prompt, begun, chosen, record, options.answer_format, tuple(notes), broken_off()
    )


def _shown_scores(book: AnswerBook, development: Sequence[Example], text: str) -> dict[str, float]:
    """Return the scores of a wording on the development recordings that the lineage shows."""
    answers = book.answers(text, development)
    found = scores_of(development, answers)
    worst = objective("worst_fold")(development, answers)
    return {**{name: found[name] for name in SHOWN_SCORES}, "worst_fold": worst}


def _found_before(feature: str, options: SearchOptions) -> list[str]:
    """Return a note for each wording of an earlier search that this one begins with."""
    return [
        f"{feature}: {each.id} was found by an earlier search; if that saw patients of this test, "
        "the test scores are too high"
        for each in load_library().feature(feature).prompts
        if each.provenance == "optimized" and each.id in (options.begin_with, *options.seeds)
    ]


def how_it_ended(
    feature: str, guarded: GuardedProposer, proposer: Proposer, exhausted: bool, minutes_used: float | None
) -> list[str]:
    """Return notes on what the proposing model could not read, and on why the search ended early if it did."""
    notes = []
    if isinstance(proposer, ReflectiveProposer) and proposer.shortened:
        notes.append(
            f"{feature}: the proposing model was shown fewer recordings {proposer.shortened} times, because "
            "its server refused the whole text (is it longer than the model's context?)"
        )
    if isinstance(proposer, ReflectiveProposer) and guarded.turned_away:
        ((reason, times),) = guarded.refused.most_common(1)
        notes.append(
            f"{feature}: {counted(guarded.turned_away, 'reply', 'replies')} of the proposing model could not be "
            f"tried, most often ({counted(times, 'time')}) because {reason}; lineage.json counts every reason"
        )
    if guarded.failures >= FAILED_REPLIES:
        notes.append(
            f"{feature}: the search stopped early: the proposing model failed {guarded.failures} times in a row "
            f"({guarded.last_failure}); run the same command again to go on from here (the test patients are "
            "asked at its end)"
        )
    elif exhausted:
        notes.append(f"{feature}: the search stopped early, because the proposer had nothing new to try")
    elif minutes_used is not None:
        notes.append(f"{feature}: the search stopped when its {minutes_used:g} minutes were used")
    return notes
