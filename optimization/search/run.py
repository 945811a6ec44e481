"""``semiology optimize``: searches for several features on one loaded model, then the test, once."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from semiology.backends.journal import Journal
from semiology.optimization.proposers.guarded import Proposer
from semiology.optimization.proposers.rules import CandidateRules, all_ids
from semiology.optimization.search.answerers import Answerer, KeyOf, RememberedAnswers, SharedRounds
from semiology.optimization.search.answers import AnswerBook
from semiology.optimization.search.comparison import WordingComparison, compare_wordings, plain
from semiology.optimization.search.examples import (
    PARTS,
    FeatureExamples,
    Parts,
    SearchError,
    check_examples,
    data_fingerprint,
    feature_examples,
    left_out,
)
from semiology.optimization.search.lineage import Recorder
from semiology.optimization.search.progress import SearchProgress
from semiology.optimization.search.run_folder import SUMMARY, WORDINGS, RunFolder, TimeUsed
from semiology.optimization.search.search import FoundWording, SearchOptions, begin_with, search_feature
from semiology.optimization.search.wordings import wording_entry, wording_file
from semiology.tasks.plan import Plan

ProposerOf = Callable[[CandidateRules, Journal], Proposer]
Found = TypeVar("Found")


@dataclass(frozen=True)
class Optimization:
    """What is optimized, on what, by whom.

    Attributes:
        features: names. plan: windows of the recording set. parts: patients by part.
        model: name and arguments of the model, for the record.
        proposer: name of the proposer, for the record. proposer_of: makes it.
        answerer: the model; asked only for what the journal does not know.
        key_of: key of a question in the journal.
        search: how to search.
        begun_texts: other texts to begin with than the library's, by feature.
    """

    features: tuple[str, ...]
    plan: Plan
    parts: Parts
    model: str
    proposer: str
    proposer_of: ProposerOf
    answerer: Answerer
    key_of: KeyOf
    search: SearchOptions = field(default_factory=SearchOptions)
    begun_texts: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class FeatureResult:
    """One feature's result: the wording found, and both wordings on development and on test patients."""

    found: FoundWording
    development: WordingComparison
    test: WordingComparison | None
    wordings: Path | None


@dataclass(frozen=True)
class OptimizationResult:
    """All features' results, and what the model was asked for them.

    Attributes:
        features: results in order.
        asked: questions that reached the model. windows: windows read for them.
        known: questions answered from the journal. rounds: calls in which searches asked together.
        notes: what a reader must know, in sentences.
    """

    features: tuple[FeatureResult, ...]
    asked: int
    windows: int
    known: int
    rounds: int
    notes: tuple[str, ...]


def optimize(task: Optimization, out: Path, *, journal: Path | None = None) -> OptimizationResult:
    """Search, select, test once, and write everything to a folder; the same call again goes on.

    Args:
        task: what to do.
        out: the run's folder.
        journal: folder of answers to share with other runs; by default the run's own.

    Raises:
        SearchError: the search is impossible or the model gives no replies; the message says what to do.
        JournalError: answers cannot be written.
    """
    task.search.checked()
    examples = {name: _examples(task, name) for name in task.features}
    cautions = left_out(
        task.plan.recording_set, [name for part in PARTS for name in task.parts.patients(part)]
    )
    cautions += [note for each in examples.values() for note in check_examples(each)]
    fingerprint = data_fingerprint(task.plan.recording_set, task.parts, task.features)
    folder = RunFolder(out, identity(task, fingerprint))
    with Journal(journal or folder.answers) as answers:
        remembered = RememberedAnswers(task.answerer, answers, task.key_of)
        rounds = SharedRounds(remembered, len(task.features))
        found = _searches(task, examples, rounds, folder, answers, fingerprint)
        results = _tested(task, examples, found, remembered, folder, fingerprint)
        notes = [*cautions, *(note for each in found for note in (*each.notes, *_unread(each)))]
        result = OptimizationResult(
            tuple(results),
            remembered.asked,
            remembered.windows,
            remembered.known,
            rounds.rounds,
            tuple(notes),
        )
        folder.write(SUMMARY, summary(task, result, fingerprint))
    return result


def identity(task: Optimization, fingerprint: str) -> dict[str, Any]:
    """Return what tells one search from another."""
    return {
        "features": list(task.features),
        "data": fingerprint,
        "parts": task.parts.source,
        "window": [task.plan.window.window_s, task.plan.window.fps, task.plan.window.max_frames],
        "model": task.model,
        "proposer": task.proposer,
        "begun_texts": dict(task.begun_texts),
        **asdict(task.search),
    }


def summary(task: Optimization, result: OptimizationResult, fingerprint: str) -> dict[str, Any]:
    """Return the results as plain data."""
    return {
        **identity(task, fingerprint),
        "questions_asked": result.asked,
        "windows_read": result.windows,
        "questions_from_journal": result.known,
        "rounds": result.rounds,
        "notes": list(result.notes),
        "results": [
            {
                "feature": each.found.feature,
                "begun_with": each.found.begun_with.id,
                "begun_text": each.found.begun_text,
                "chosen": each.found.chosen,
                "new": each.found.is_new,
                "unfinished": each.found.unfinished,
                "wordings_on_development": len(each.found.lineage["candidates"]),
                "metric_calls": each.found.lineage["metric_calls"],
                "development": plain(each.development),
                "test": plain(each.test) if each.test else None,
                "wordings": str(each.wordings.name) if each.wordings else None,
            }
            for each in result.features
        ],
    }


def _examples(task: Optimization, feature: str) -> FeatureExamples:
    return feature_examples(task.plan, begin_with(feature, task.search), task.parts)


def _rules(task: Optimization, feature: str) -> CandidateRules:
    recordings = task.plan.recording_set.recordings
    ids = all_ids([(item.video_id, item.patient_id) for item in recordings])
    return CandidateRules(feature, ids, task.search.max_characters, frozenset(task.search.other_formats))


def _searches(
    task: Optimization,
    examples: Mapping[str, FeatureExamples],
    rounds: SharedRounds,
    folder: RunFolder,
    journal: Journal,
    fingerprint: str,
) -> list[FoundWording]:
    """Run the searches of all features side by side, in common rounds."""
    progress = SearchProgress(task.search.metric_calls, task.search.objective)
    used = TimeUsed(folder)
    writing = threading.Lock()

    def told(feature: str, recorder: Recorder) -> None:
        progress.told(feature, recorder)
        with writing:
            used.note(feature)

    def one(feature: str) -> FoundWording:
        rules, book = _rules(task, feature), AnswerBook(rounds, task.search.answer_format)
        found = search_feature(
            examples[feature].train, examples[feature].development, book,
            task.proposer_of(rules, journal), rules, _until_its_end(task.search, folder.finished(feature)),
            begun_text=task.begun_texts.get(feature), seconds_before=folder.seconds(feature),
            facts={"data": fingerprint, "model": task.model, "proposer": task.proposer},
            told=told,
        )  # fmt: skip
        with writing:
            if not found.unfinished:
                folder.note_finished(feature, int(found.lineage["metric_calls"]))
            folder.write(f"{feature}/lineage.json", plain(dict(found.lineage)))
        return found

    return side_by_side([partial(one, name) for name in task.features], rounds.leave)


def _unread(found: FoundWording) -> list[str]:
    """Return a sentence if no answer to the chosen wording could be read."""
    chosen = found.lineage["candidates"][found.lineage["chosen"]]
    if chosen["development"]["unparsed_rate"] < 1:
        return []
    told = (
        f"{found.feature}: no answer about the development patients could be read as yes or no, so nothing "
        "could be searched for → is the model reached, and does it answer in words? The folder `answers` of "
        "the run holds its replies"
    )
    return [told]


def _until_its_end(options: SearchOptions, metric_calls: int | None) -> SearchOptions:
    """Return the options of a search that ended by the clock so that it ends at the same step again."""
    if options.minutes is None or metric_calls is None:
        return options
    return replace(options, minutes=None, metric_calls=metric_calls)


def side_by_side(jobs: Sequence[Callable[[], Found]], after_each: Callable[[], None]) -> list[Found]:
    """Run jobs in threads of their own and return their results; the first failure is raised at the end."""
    found: dict[int, Found] = {}
    failures: list[BaseException] = []

    def run(number: int) -> None:
        try:
            found[number] = jobs[number]()
        except BaseException as error:  # noqa: BLE001 - raised by the caller's thread below
            failures.append(error)
        finally:
            after_each()

    threads = [threading.Thread(target=run, args=(number,), daemon=True) for number in range(len(jobs))]
    for thread in threads:
        thread.start()
    for thread in threads:
        while thread.is_alive():
            thread.join(0.2)  # so that an interrupt reaches this thread
    if failures:
        raise failures[0]
    return [found[number] for number in range(len(jobs))]


def _tested(
    task: Optimization,
    examples: Mapping[str, FeatureExamples],
    found: Sequence[FoundWording],
    answerer: Answerer,
    folder: RunFolder,
    fingerprint: str,
) -> list[FeatureResult]:
    """Ask the test recordings under the first and the chosen wording of every feature, in one call.

    Those of a search that broke off are left alone: it may choose another wording when it goes on.
    """
    book = AnswerBook(answerer, task.search.answer_format)
    ended = [each for each in found if not each.unfinished]
    for each in ended:
        if examples[each.feature].test:
            folder.open_test(each.feature, each.begun_text, each.chosen)
    book.ask(
        (wording, example)
        for each in ended
        for wording in (each.begun_text, each.chosen)
        for example in examples[each.feature].test
    )
    return [_result(task, examples[each.feature], each, book, folder, fingerprint) for each in found]


def _result(
    task: Optimization,
    examples: FeatureExamples,
    found: FoundWording,
    book: AnswerBook,
    folder: RunFolder,
    fingerprint: str,
) -> FeatureResult:
    def compared(part: Any) -> WordingComparison:
        answers = [book.answers(wording, part) for wording in (found.begun_text, found.chosen)]
        return compare_wordings(part, answers[0], answers[1], seed=task.search.seed)

    development = compared(examples.development)
    test = compared(examples.test) if examples.test and not found.unfinished else None
    path = None
    if found.is_new and not found.unfinished:
        entry = wording_entry(
            found, development, test, data=fingerprint, model=task.model,
            default_format=task.search.answer_format,
        )  # fmt: skip
        path = folder.write(f"{WORDINGS}/{found.feature}.yaml", wording_file(found.feature, entry))
    return FeatureResult(found, development, test, path)


__all__ = ["FeatureResult", "Optimization", "OptimizationResult", "SearchError", "identity", "optimize"]
