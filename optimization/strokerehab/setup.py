"""From the options of ``semiology optimize --tasks`` to a search over a study, and its result for people."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from semiology.backends.journal import Journal
from semiology.optimization.proposers.guarded import Proposer
from semiology.optimization.proposers.language_model import reflection_model
from semiology.optimization.proposers.rules import all_ids
from semiology.optimization.search.options import OFFLINE, SearchError, SearchOptions
from semiology.optimization.search.setup import checkpoint_content
from semiology.optimization.strokerehab.proposals import ComposingProposer, StudyReflection, StudyRules
from semiology.optimization.strokerehab.search import (
    REFUSED,
    FoundStudyWording,
    optimize_study,
)
from semiology.optimization.strokerehab.sweep import chosen_tasks, questions_of
from semiology.optimization.strokerehab.windows import Asked, StudyAnswerer, divided, few, window_examples
from semiology.prompts.strokerehab_library import REFERENCE
from semiology.render.table import Cell, Column, Document, Lines, Row, Table
from semiology.render.text import counted
from semiology.reports.tables.estimates import number_of
from semiology.settings import DATA, prefer_decord
from semiology.tasks.strokerehab.availability import check_rehab_tasks
from semiology.tasks.strokerehab.documents import build_documents
from semiology.tasks.strokerehab.settings import ALL, RehabSettings, read_rehab_settings
from semiology.tasks.strokerehab.targets import study_plan
from semiology.tasks.strokerehab.task_list import TASKS

OF_FEATURES = ("features", "objective", "answer_format", "other_formats", "test_fold", "window", "preset")
"""Options of a search over features that mean nothing here."""


def run_study_search(options: SearchOptions) -> tuple[list[FoundStudyWording], dict[str, Any]]:
    """Check the options, search for every question of the tasks, and test once.

    Raises:
        ValueError: an option, the study or the model is not usable; the message says what to change.
    """
    from semiology.harness.asking import load_model
    from semiology.harness.preflight import check_senses
    from semiology.harness.run import check_names, resolve_model, without_journal
    from semiology.privacy.remote_models import check_address

    for name in OF_FEATURES:
        if getattr(options, name) != getattr(SearchOptions, name):
            raise SearchError(
                f"--{name.replace('_', '-')} belongs to searches over features → leave it out beside --tasks"
            )
    options.checked()
    tasks = chosen_tasks(",".join(options.tasks), options.data)
    for task in tasks:
        if why := REFUSED.get(TASKS[task].part) or REFUSED.get(TASKS[task].questions[0]):
            raise SearchError(f"{task} cannot be searched for, because {why} → leave it out")
    model, model_args = resolve_model(options.model, options.model_args)
    model_args = without_journal(model, model_args)  # the search's own journal keeps every answer
    check_names(model, ",".join(tasks), model_args)
    check_address(model, model_args)
    check_senses((), model, tasks)
    DATA.choose(str(options.data))
    prefer_decord()
    settings = replace(read_rehab_settings(), split=ALL, prompt_id=REFERENCE)
    check_rehab_tasks(tasks)
    rows = {task: build_documents(task, settings) for task in tasks}
    questions = [each for task in tasks for each in _asked(task, rows[task], settings, options)]
    answerer = StudyAnswerer(lambda: load_model(model, model_args), model, rows)
    stamp = f"{model}|{model_args}|{checkpoint_content(model_args)}"
    name = f"{options.model} {options.model_args}".strip()
    return optimize_study(options, settings.root, questions, answerer, name, stamp, _proposer_of(options))


def _asked(
    task: str, rows: list[dict[str, Any]], settings: RehabSettings, options: SearchOptions
) -> list[Asked]:
    study = study_plan(settings).study
    ids = all_ids([(row["video_id"], row["subject"]) for row in rows])
    subjects = {str(row["subject"]) for row in rows}
    train, development = divided([name for name in subjects if study.split_of(name) == "tune"], options.seed)
    test = {name for name in subjects if study.split_of(name) == "test"}
    found = []
    for question in questions_of(task):
        examples = window_examples(task, question, rows)
        shown, selecting, tested = (
            few([each for each in examples if each.patient_id in people])
            for people in (train, development, test)
        )
        rules = StudyRules(question, ids, options.max_characters)
        asked = Asked(task, question, shown, selecting, tested, rules)
        for part, own in (("shown", asked.train), ("selecting", asked.development)):
            if len({each.truth for each in own}) < 2:
                raise SearchError(
                    f"{asked.name}: the {part} subjects of the split 'tune' have windows of one label only, so no "
                    "wording can be told from another → add subjects to the split, or choose another --seed"
                )
        found.append(asked)
    return found


def _proposer_of(options: SearchOptions) -> Callable[[StudyRules, Journal], Proposer]:
    if options.proposer == OFFLINE:
        return lambda rules, journal: ComposingProposer(rules, options.seed)
    complete = reflection_model(
        options.proposer, remote_allowed=options.allow_remote_proposer, timeout_s=options.proposer_timeout
    )

    def make(rules: StudyRules, journal: Journal) -> Proposer:
        name = f"{options.proposer} seed {options.seed} {rules.question.id}"
        proposer = StudyReflection(complete, rules.longest, journal, name, rules.ids)
        proposer.rules = rules
        return proposer

    return make


def result_document(results: list[FoundStudyWording], summary: Mapping[str, Any]) -> Document:
    """Return both wordings' scores on development and on test subjects, and the chosen wordings."""
    chosen = []
    for each in results:
        kind = f"a wording of the library, {each.library_id}" if each.library_id else "new"
        same = " (the one it began with)" if each.chosen == each.begun.text else ""
        chosen.append(f"{each.asked.name}: {kind}{same}: {each.chosen}")
    tables = (_table("development", results), _table("test", results))
    return Document("", (*tables, Lines(tuple(chosen))), notes=tuple(summary["notes"]))


def _table(part: str, results: list[FoundStudyWording]) -> Table:
    selected = part == "development"
    columns = (
        Column("question"), Column("measure", left=True), Column("windows (subjects)", layout="{} ({})"),
        Column("before [95 %]", ".3f"), Column("after [95 %]", ".3f"), Column("difference", "+.3f"),
        *(() if selected else (Column("p, Holm", "p"),)), Column("looks at nothing", ".3f"),
    )  # fmt: skip
    rows = []
    for each in results:
        found = each.development if selected else each.test
        name = f"{each.asked.name} ({counted(len(each.record['candidates']), 'wording')})"
        if found is None:
            why = "not asked yet" if each.unfinished else "no test subjects"
            rows.append(Row((name, why, *[None] * (len(columns) - 2))))
            continue
        scores: list[Cell] = [number_of(value) for value in (found.before, found.after, found.difference)]
        p = each.correction.p_adjusted.get(found.measure) if each.correction else None
        size: Cell = (found.windows, found.subjects)
        rows.append(Row((name, found.measure, size, *scores, *(() if selected else (p,)), found.blind)))
    title = f"{part} subjects{' (selected on them: too high)' if selected else ', asked once'}"
    return Table(title, columns, tuple(rows))
