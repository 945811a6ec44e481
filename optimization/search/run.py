"""``semiology optimize``: searches for several features on one loaded model, then the test, once."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from semiology.backends.journal import Journal
from semiology.optimization.folds.draw import Parts
from semiology.optimization.proposers.rules import CandidateRules, all_ids
from semiology.optimization.search.asking import AnswerBook, RememberedAnswers, SharedRounds
from semiology.optimization.search.examples import (
    PARTS,
    Example,
    FeatureExamples,
    check_examples,
    data_fingerprint,
    divide_patients,
    feature_examples,
    left_out,
)
from semiology.optimization.search.lineage import Recorder, SearchProgress
from semiology.optimization.search.looks import (
    Correction,
    close_test,
    looks_notes,
    open_test,
    result_entry,
)
from semiology.optimization.search.options import SearchOptions
from semiology.optimization.search.run_folder import (
    ANSWERS,
    FINISHED,
    SECONDS,
    SUMMARY,
    WORDINGS,
    RunFolder,
    TimeUsed,
    wording_entry,
    wording_file,
)
from semiology.optimization.search.scores import WordingComparison, compare_wordings, plain
from semiology.optimization.search.search import FoundWording, begin_with, search_feature
from semiology.optimization.search.setup import Prepared

Found = TypeVar("Found")


@dataclass(frozen=True)
class FeatureResult:
    """One feature's result: the wording found, and both wordings on development and on test patients.

    ``correction`` is what earlier looks at the test patients leave of ``test``.
    """

    found: FoundWording
    development: WordingComparison
    test: WordingComparison | None
    wordings: Path | None
    correction: Correction | None = None


@dataclass(frozen=True)
class OptimizationResult:
    """All features' results, what a reader must know in sentences, and all as plain data, as in ``summary.json``."""

    features: tuple[FeatureResult, ...]
    notes: tuple[str, ...]
    summary: Mapping[str, Any]


def optimize(options: SearchOptions, prepared: Prepared) -> OptimizationResult:
    """Search, select, test once, and write everything to ``options.out``; the same call again goes on.

    Raises:
        SearchError: the search is impossible or the model gives no replies; the message says what to do.
        FoldError: there are too few patients, or no such test fold.
        JournalError: answers cannot be written.
    """
    options.checked()
    recording_set = prepared.plan.recording_set
    parts = divide_patients(recording_set, test_fold=options.test_fold, seed=options.seed)
    examples = {
        name: feature_examples(prepared.plan, begin_with(name, options), parts) for name in options.features
    }
    notes = prepared.plan.handed_out.notes() if prepared.plan.handed_out else []
    notes += left_out(recording_set, [name for part in PARTS for name in getattr(parts, part)])
    notes += [note for each in examples.values() for note in check_examples(each)]
    fingerprint = data_fingerprint(recording_set, parts, options.features)
    identity = _identity(options, prepared, parts, fingerprint)
    folder = RunFolder(options.out, identity)
    with Journal(folder.path / ANSWERS) as journal:
        remembered = RememberedAnswers(prepared.answerer, journal, prepared.key_of)
        rounds = SharedRounds(remembered, len(options.features))
        ids = all_ids([(item.video_id, item.patient_id) for item in recording_set.recordings])
        progress, used = SearchProgress(options.metric_calls, options.objective), TimeUsed(folder)
        writing = threading.Lock()

        def told(feature: str, recorder: Recorder) -> None:
            progress.told(feature, recorder)
            with writing:
                used.note(feature)

        def search(feature: str) -> FoundWording:
            rules = CandidateRules(feature, ids, options.max_characters, frozenset(options.other_formats))
            mine, ended = options, folder.noted(FINISHED).get(feature)
            if options.minutes is not None and ended is not None:
                # it ended by the clock: it ends at the same step again
                mine = replace(options, minutes=None, budget=ended)
            found = search_feature(
                examples[feature].train, examples[feature].development,
                AnswerBook(rounds, options.answer_format), prepared.proposer_of(rules, journal), rules, mine,
                seconds_before=folder.noted(SECONDS).get(feature, 0.0),
                facts={"data": fingerprint, "model": prepared.model, "proposer": options.proposer}, told=told,
            )  # fmt: skip
            with writing:
                if not found.unfinished:
                    folder.note(FINISHED, feature, int(found.lineage["metric_calls"]))
                folder.write(f"{feature}/lineage.json", plain(dict(found.lineage)))
            return found

        found = side_by_side([partial(search, name) for name in options.features], rounds.leave)
        tests = {name: each.test for name, each in examples.items()}
        ended = {each.feature: (each.begun_text, each.chosen) for each in found if not each.unfinished}
        opened = open_test(recording_set.directory, tests, ended, identity)
        book = _tested(options, tests, found, remembered, folder)
        results = [_feature_result(each, examples[each.feature], book, options.seed) for each in found]
        if opened is not None:
            tested = {
                each.found.feature: result_entry(
                    tests[each.found.feature], book, each.found, each.test, prepared.model
                )
                for each in results
                if each.test is not None
            }
            looks, corrected = close_test(opened, tested)
            notes += looks_notes(looks, corrected)
            results = [replace(each, correction=corrected.get(each.found.feature)) for each in results]
        results = [_written(each, folder, fingerprint, prepared.model) for each in results]
        notes += [note for each in found for note in (*each.notes, *_unread(each))]
        summary = {
            **identity,
            "questions_asked": remembered.asked,
            "windows_read": remembered.windows,
            "questions_from_journal": remembered.known,
            "rounds": rounds.rounds,
            "notes": notes,
            "results": [_plain_result(each) for each in results],
        }
        folder.write(SUMMARY, summary)
    return OptimizationResult(tuple(results), tuple(notes), summary)


def _feature_result(
    found: FoundWording, examples: FeatureExamples, book: AnswerBook, seed: int
) -> FeatureResult:
    """Compare the wording found with the one begun with."""

    def compared(asked: Sequence[Example]) -> WordingComparison:
        before, after = (book.answers(wording, asked) for wording in (found.begun_text, found.chosen))
        return compare_wordings(asked, before, after, seed=seed)

    test = compared(examples.test) if examples.test and not found.unfinished else None
    return FeatureResult(found, compared(examples.development), test, None)


def _written(each: FeatureResult, folder: RunFolder, fingerprint: str, model: str) -> FeatureResult:
    """Write the wording found where it is new."""
    found = each.found
    if not found.is_new or found.unfinished:
        return each
    entry = wording_entry(found, each.development, each.test, each.correction, data=fingerprint, model=model)
    path = folder.write(f"{WORDINGS}/{found.feature}.yaml", wording_file(found.feature, entry))
    return replace(each, wordings=path)


def _identity(options: SearchOptions, prepared: Prepared, parts: Parts, fingerprint: str) -> dict[str, Any]:
    """Return what distinguishes one search from another."""
    window = prepared.plan.window
    return {
        "features": list(options.features),
        "data": fingerprint,
        "parts": parts.source,
        "window": [window.window_s, window.fps, window.max_frames],
        "model": prepared.model,
        "proposer": options.proposer,
        "begun_texts": {},  # in folders of earlier versions, so that their searches go on
        **options.settings(),
    }


def _tested(
    options: SearchOptions,
    tests: Mapping[str, Sequence[Example]],
    found: Sequence[FoundWording],
    answerer: RememberedAnswers,
    folder: RunFolder,
) -> AnswerBook:
    """Ask the test recordings under the first and the chosen wording of every feature, in one call.

    Those of a search that broke off are left alone: it may choose another wording when it goes on.
    """
    book = AnswerBook(answerer, options.answer_format)
    ended = [each for each in found if not each.unfinished]
    for each in ended:
        if tests[each.feature]:
            folder.open_test(each.feature, each.begun_text, each.chosen)
    book.ask(
        (wording, example)
        for each in ended
        for wording in (each.begun_text, each.chosen)
        for example in tests[each.feature]
    )
    return book


def _unread(found: FoundWording) -> list[str]:
    """Return a sentence if no answer to the chosen wording could be read."""
    chosen = found.lineage["candidates"][found.lineage["chosen"]]
    if chosen["development"]["unparsed_rate"] < 1:
        return []
    sentence = (
        f"{found.feature}: no answer about the development patients could be read as yes or no, so nothing "
        "could be searched for → is the model reached, and does it answer in words? The folder `answers` of "
        "the run holds its replies"
    )
    return [sentence]


def _plain_result(each: FeatureResult) -> dict[str, Any]:
    found = each.found
    return {
        "feature": found.feature,
        "begun_with": found.begun_with.id,
        "begun_text": found.begun_text,
        "chosen": found.chosen,
        "new": found.is_new,
        "unfinished": found.unfinished,
        "wordings_on_development": len(found.lineage["candidates"]),
        "metric_calls": found.lineage["metric_calls"],
        "development": plain(each.development),
        "test": plain(each.test) if each.test else None,
        "test_corrected": asdict(each.correction) if each.correction else None,
        "wordings": each.wordings.name if each.wordings else None,
    }


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
