"""``semiology optimize --tasks strokerehab_…``: better wordings of a study's questions.

An example is one window of one video: its label at the middle (or the activity) is the truth. Subjects of the split
``tune`` are divided into those shown to the proposer and those that select; subjects of the split ``test`` are asked
once, at the end, under the first and the chosen wording, and entered in the study's ledger before that.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from semiology.backends.journal import Journal
from semiology.data.protection.ledger import Look, digest_of_rows, enter, looks_at
from semiology.data.protection.splits import TEST
from semiology.metrics.statistics.bootstrap import mean_estimate, share_estimate
from semiology.metrics.statistics.intervals import Estimate
from semiology.metrics.strokerehab.identification import majority_accuracy
from semiology.optimization.proposers.guarded import GuardedProposer, Proposer
from semiology.optimization.proposers.language_model import ReflectiveProposer
from semiology.optimization.search.asking import Answerer, RememberedAnswers
from semiology.optimization.search.examples import PARTS, Example
from semiology.optimization.search.gepa import AskRecording, MinutesUsed, WordingGEPA, dspy_example, standing
from semiology.optimization.search.lineage import Recorder, SearchProgress, lineage
from semiology.optimization.search.looks import Correction, TestLook, close_test, looks_notes
from semiology.optimization.search.options import SearchError, SearchOptions
from semiology.optimization.search.run_folder import ANSWERS, SUMMARY, WORDINGS, RunFolder, wording_id
from semiology.optimization.search.scores import Answers, compare_wordings, objective, plain
from semiology.optimization.search.search import FAILED_REPLIES, PATIENCE, UNLIMITED, how_it_ended
from semiology.optimization.strokerehab.proposals import StudyRules
from semiology.optimization.strokerehab.windows import Asked, StudyAnswerer, StudyBook, window_record
from semiology.prompts.strokerehab_library import Wording
from semiology.reports.strokerehab.compare import subject_p_value
from semiology.tasks.strokerehab.task_list import TASKS

REFUSED: Mapping[str, str] = {
    "list": "it is answered with a list, which is right or wrong for a whole video only",
    "impairment": "each of its questions is about one item, with as many ratings as there are subjects: a wording "
    "found on so few would fit them by chance",
}
"""Why some tasks cannot be searched for, by question or part."""


@dataclass(frozen=True)
class Compared:
    """Two wordings on the same windows: a measure with intervals by subject, and what looks at nothing scores."""

    measure: str
    before: Estimate
    after: Estimate
    difference: Estimate
    p: float
    blind: float
    windows: int
    subjects: int


@dataclass(frozen=True)
class FoundStudyWording:
    """What a search over one question found; ``test`` is None while it is unfinished."""

    asked: Asked
    begun: Wording
    chosen: str
    record: Mapping[str, Any]
    notes: tuple[str, ...]
    unfinished: bool
    development: Compared
    test: Compared | None = None
    correction: Correction | None = None

    @property
    def library_id(self) -> str | None:
        """The library's id of the chosen wording; None for a new one."""
        return next((each.id for each in self.asked.question.prompts if each.text == self.chosen), None)


def right(examples: Sequence[Example], answers: Answers) -> list[float]:
    """Return for each example whether its answer is right."""
    return [float(answers[each.video_id] == each.truth) for each in examples]


def compared(
    asked: Asked, examples: Sequence[Example], before: Answers, after: Answers, seed: int
) -> Compared:
    """Compare two wordings' answers about the same windows, by subject."""
    subjects = [each.patient_id for each in examples]
    size = (len(examples), len(set(subjects)))
    if asked.measure == "f1":
        found = compare_wordings(examples, before, after, seed=seed)
        return Compared(
            "f1", found.before["f1"], found.after["f1"], found.difference["f1"], found.p_value["f1"],
            found.always_yes_f1, *size,
        )  # fmt: skip
    first, second = right(examples, before), right(examples, after)
    change = np.array(second) - np.array(first)
    return Compared(
        "accuracy", share_estimate(first, subjects), share_estimate(second, subjects),
        mean_estimate(change, subjects, seed=seed), subject_p_value(change, subjects, 10_000, seed),
        majority_accuracy([each.truth for each in examples]), *size,
    )  # fmt: skip


def search_question(
    asked: Asked, answerer: Answerer, proposer: Proposer, options: SearchOptions, progress: SearchProgress
) -> FoundStudyWording:
    """Search for a better wording of one question on train and development windows.

    Raises:
        SearchError: the model gave no reply, or the wording to begin with does not exist.
    """
    question, name = asked.question, asked.name
    begun = _begin_with(asked, options)
    known = {prompt.text: prompt.id for prompt in question.prompts}
    seeds = [
        prompt.text
        for prompt in question.prompts
        if "all" in options.seeds or prompt.id in options.seeds
        if not asked.rules.broken(prompt.text)
        and (prompt.provenance != "optimized" or prompt.id in options.seeds)
    ]
    book = StudyBook(answerer, question)
    value = (
        objective("f1")
        if asked.measure == "f1"
        else lambda part, answers: float(np.mean(right(part, answers)))
    )
    clock = MinutesUsed(options.minutes or UNLIMITED)
    guarded = GuardedProposer(proposer, asked.rules, seeds=seeds, begun_with=begun.text)
    exhausted = False

    def broken_off() -> bool:
        return guarded.failures >= FAILED_REPLIES

    def nothing_new(state: Any) -> bool:
        del state
        nonlocal exhausted
        exhausted = exhausted or broken_off() or guarded.barren // options.siblings >= PATIENCE
        return exhausted

    def scores(text: str) -> dict[str, float]:
        answers = book.answers(text, asked.development)
        unread = float(np.mean([answer == "unparsed" for answer in answers.values()]))
        return {asked.measure: value(asked.development, answers), "unparsed_rate": unread}

    def origin(text: str) -> str:
        return f"library:{known[text]}" if text in known else "proposed"

    recorder = Recorder(origin, scores, lambda this: progress.told(name, this))
    optimizer = WordingGEPA(
        scored=standing(book, value), proposer=guarded, max_metric_calls=options.metric_calls or UNLIMITED,
        minibatch=options.minibatch, siblings=options.siblings, seed=options.seed, record=window_record,
        stoppers=[clock, nothing_new], callbacks=[recorder],
    )  # fmt: skip
    train, development = ([dspy_example(each) for each in part] for part in (asked.train, asked.development))
    chosen = optimizer.compile(AskRecording(begun.text, book), trainset=train, valset=development).wording
    if isinstance(proposer, ReflectiveProposer) and not broken_off():
        proposer.settle()
    notes = how_it_ended(name, guarded, proposer, exhausted, options.minutes if clock(None) else None)
    stated = {
        "feature": name, "objective": asked.measure, "seed": options.seed, "begun_with": begun.id,
        "proposed": guarded.proposed, "refused": dict(guarded.refused), "unfinished": broken_off(),
        "notes": list(notes), "seconds": round(clock.used_s, 1),
    }  # fmt: skip
    record = lineage(recorder, optimizer.trials, chosen, stated)
    answers = [book.answers(text, asked.development) for text in (begun.text, chosen)]
    return FoundStudyWording(
        asked, begun, chosen, record, tuple(notes), broken_off(),
        compared(asked, asked.development, answers[0], answers[1], options.seed),
    )  # fmt: skip


def _begin_with(asked: Asked, options: SearchOptions) -> Wording:
    if options.begin_with == SearchOptions.begin_with:
        return asked.question.prompts[0]
    found = next((each for each in asked.question.prompts if each.id == options.begin_with), None)
    if found is None:
        have = ", ".join(each.id for each in asked.question.prompts)
        raise SearchError(
            f"--begin-with {options.begin_with}: {asked.name} has no such wording → it has {have}"
        )
    return found


def optimize_study(
    options: SearchOptions,
    root: Path,
    questions: Sequence[Asked],
    answerer: StudyAnswerer,
    model: str,
    stamp: str,
    proposer_of: Callable[[StudyRules, Journal], Proposer],
) -> tuple[list[FoundStudyWording], dict[str, Any]]:
    """Search, select, test once, and write everything to ``options.out``; the same call again goes on.

    Returns:
        what was found, and the summary as in ``summary.json``.

    Raises:
        SearchError: the folder holds another search, or the model gives no replies.
    """
    identity = {
        "study": root.name, "questions": [each.name for each in questions], "model": model,
        "proposer": options.proposer, "windows": {each.name: _fingerprint(each) for each in questions},
        **options.settings(),
    }  # fmt: skip
    folder = RunFolder(options.out, identity)
    notes: list[str] = []
    results: list[FoundStudyWording] = []
    with Journal(folder.path / ANSWERS) as journal:
        remembered = RememberedAnswers(answerer, journal, answerer.key(stamp))
        for asked in questions:
            progress = SearchProgress(options.metric_calls, asked.measure)
            found = search_question(asked, remembered, proposer_of(asked.rules, journal), options, progress)
            folder.write(f"{asked.task}/{asked.question.id}/lineage.json", plain(dict(found.record)))
            results.append(found)
            notes += found.notes
        results, looks = _tested(results, root, folder, remembered, identity, model, options.seed)
        notes += looks
        for each in results:
            _write_wording(folder, each, model)
        summary = {
            **identity, "questions_asked": remembered.asked, "windows_read": remembered.windows,
            "questions_from_journal": remembered.known, "notes": notes,
            "results": [_plain_result(each) for each in results],
        }  # fmt: skip
        folder.write(SUMMARY, summary)
    return results, summary


def _tested(
    results: Sequence[FoundStudyWording],
    root: Path,
    folder: RunFolder,
    answerer: RememberedAnswers,
    identity: Mapping[str, Any],
    model: str,
    seed: int,
) -> tuple[list[FoundStudyWording], list[str]]:
    """Ask the test subjects once, after the look is entered; those of a search that broke off are left alone."""
    ended = [each for each in results if not each.unfinished and each.asked.test]
    if not ended:
        return list(results), []
    subjects = frozenset(example.patient_id for each in ended for example in each.asked.test)
    chosen = {"wordings": {each.asked.name: [each.begun.text, each.chosen] for each in ended}, **identity}
    rows = [(e.feature, e.video_id, e.truth) for each in ended for e in each.asked.test]
    opened = TestLook(root, Look("optimize", {TEST: subjects}, chosen, digest_of_rows(rows)))
    for each in ended:
        folder.open_test(each.asked.name, each.begun.text, each.chosen)
    if opened.look.entry()["look"] not in {entry["look"] for entry in looks_at(root, TEST, subjects).entries}:
        enter(root, opened.look)
    tested: dict[str, Compared] = {}
    entries: dict[str, dict[str, Any]] = {}
    for each in ended:
        book = StudyBook(answerer, each.asked.question)
        book.ask((text, example) for text in (each.begun.text, each.chosen) for example in each.asked.test)
        answers = [book.answers(text, each.asked.test) for text in (each.begun.text, each.chosen)]
        found = compared(each.asked, each.asked.test, answers[0], answers[1], seed)
        tested[each.asked.name] = found
        entries[each.asked.name] = {
            "model": model, "begun": each.begun.text, "chosen": each.chosen,
            "p": {} if found.p != found.p else {found.measure: found.p},
            "recordings": sorted(e.video_id for e in each.asked.test), "patients": sorted(subjects), "truths": [],
        }  # fmt: skip
    looks, corrected = close_test(opened, entries)
    made = [
        replace(each, test=tested.get(each.asked.name), correction=corrected.get(each.asked.name))
        for each in results
    ]
    return made, looks_notes(looks, corrected)


def _fingerprint(asked: Asked) -> str:
    parts = [asked.train, asked.development, asked.test]
    rows = [(place, e.video_id, e.patient_id, e.truth) for place, part in enumerate(parts) for e in part]
    return digest_of_rows(rows)


def _write_wording(folder: RunFolder, each: FoundStudyWording, model: str) -> None:
    """Write the wording found, where it is new, as a file for ``SEMIOLOGY_PROMPTS``."""
    import yaml

    if each.library_id is not None or each.unfinished:
        return
    asked, after = each.asked, each.development.after.value
    told = [f"development {asked.measure} {after:.3f} (selected on it, so too high)"]
    if each.test is not None:
        told.append(
            f"test {asked.measure} {each.test.after.value:.3f}, {each.test.before.value:.3f} for the parent"
        )
    entry = {
        "id": wording_id(each.chosen, asked.question.answer or ""),
        "text": each.chosen,
        "provenance": "optimized",
        "source": f"search from {each.begun.id} on {asked.name}, seed {each.record['seed']}; model {model}",
        "family": "optimized",
        "note": f"parent {each.begun.id}; {'; '.join(told)}. Not reviewed by a clinician.",
    }
    content = {"question": f"{TASKS[asked.task].questions_of}/{asked.question.id}", "prompts": [entry]}
    text = yaml.safe_dump(content, sort_keys=False, allow_unicode=True, width=110)
    folder.write(f"{WORDINGS}/strokerehab/{asked.task}_{asked.question.id}.yaml", text)


def _plain_result(each: FoundStudyWording) -> dict[str, Any]:
    shown = {
        name: None if part is None else plain(asdict(part))
        for name, part in (("development", each.development), ("test", each.test))
    }
    return {
        "question": each.asked.name, "begun_with": each.begun.id, "begun_text": each.begun.text, "chosen": each.chosen,
        "library_id": each.library_id, "unfinished": each.unfinished,
        "wordings_on_development": len(each.record["candidates"]), "metric_calls": each.record["metric_calls"],
        "windows": {part: len(getattr(each.asked, part)) for part in PARTS},
        "subjects": {part: len({e.patient_id for e in getattr(each.asked, part)}) for part in PARTS},
        **shown, "test_corrected": asdict(each.correction) if each.correction else None,
    }  # fmt: skip
