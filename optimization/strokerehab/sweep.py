"""``semiology sweep --tasks strokerehab_…``: the same windows of a study in every wording of each question.

The plan, the folder of one plan, the probe and the run are those of every sweep; the tables are those of the suite's
report, with one on the wordings of each task. The reference wording is always asked: the others are held against it.
"""

from __future__ import annotations

import fnmatch
import hashlib
import json
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from semiology.data.problems import SettingsError
from semiology.data.protection.ledger import Look, digest, enter
from semiology.data.protection.splits import TEST
from semiology.data.strokerehab.study import is_study
from semiology.harness.asking import Probe, ProbeResult
from semiology.harness.run import RunError, check_names, choose_study_split, resolve_model, run
from semiology.optimization.sweep.options import SweepOptions
from semiology.optimization.sweep.plan import PROBE_WINDOWS
from semiology.optimization.sweep.run import SweepStopped, claim_folder
from semiology.prompts.strokerehab_library import REFERENCE, Question, load_rehab_library
from semiology.render.text import counted
from semiology.render.validation import did_you_mean
from semiology.reports.strokerehab.reading import RehabResults, read_rehab_results
from semiology.settings import DATA, REHAB_PROMPT
from semiology.tasks.settings import cache_directory
from semiology.tasks.strokerehab.documents import build_documents, nothing_to_ask
from semiology.tasks.strokerehab.settings import ALL, RehabSettings, read_rehab_settings
from semiology.tasks.strokerehab.targets import study_plan
from semiology.tasks.strokerehab.task_list import GROUP, TASKS, asked_tasks

NOT_CROSSED = ("formats", "enhancements", "features")
"""Options of a sweep over features that mean nothing here."""


@dataclass(frozen=True)
class StudySweep:
    """What a sweep over a study will ask.

    Attributes:
        study: name of its folder. split: whose videos.
        wordings: ids by task, the reference first.
        rows: the questions, in the order in which they are asked.
        notes: what is not asked and why, in sentences.
    """

    study: str
    split: str
    wordings: Mapping[str, tuple[str, ...]]
    rows: tuple[Mapping[str, Any], ...]
    notes: tuple[str, ...]

    @property
    def windows(self) -> list[Hashable]:
        """The windows, each once."""
        return list(dict.fromkeys(map(window_of, self.rows)))

    def summary(self) -> dict[str, Any]:
        """Return the plan as plain data; its fingerprint fixes every question."""
        names = ("task", "video_id", "window", "question_id", "laterality", "prompt_hash")
        asked = sorted([str(row[name]) for name in names] for row in self.rows)
        content = json.dumps([self.study, self.split, asked])
        return {
            "study": self.study,
            "split": self.split,
            "fingerprint": hashlib.sha256(content.encode()).hexdigest(),
            "requests": len(self.rows),
            "windows": len(self.windows),
            "tasks": {task: list(ids) for task, ids in self.wordings.items()},
            "notes": list(self.notes),
        }

    def lines(self) -> list[str]:
        """Return the plan as short sentences."""
        asked = f"{counted(len(self.rows), 'question')} on {counted(len(self.windows), 'window')}"
        lines = [f"{asked} ({self.study}, split {self.split})"]
        for task, ids in self.wordings.items():
            own = [row for row in self.rows if row["task"] == task]
            videos, subjects = (len({row[name] for row in own}) for name in ("video_id", "subject"))
            lines.append(
                f"{task}: {counted(len(ids), 'wording')} ({', '.join(ids)}), {counted(len(own), 'question')} about "
                f"{counted(videos, 'video')} of {counted(subjects, 'subject')}"
            )
        return [*lines, f"plan {self.summary()['fingerprint'][:12]}", *self.notes]


def window_of(document: Mapping[str, Any]) -> Hashable:
    """Return what tells a window of a study from others: task, video and number."""
    return document["task"], document["video_id"], document["window"]


def questions_of(task: str) -> list[Question]:
    """Return the questions that a task asks, of the library."""
    library, asked = load_rehab_library(), TASKS[task]
    if asked.part == "impairment":
        tree = asked.questions == ("questions",)
        items = [library.items[number] for number in asked.items]
        return [each for item in items for each in (item.questions if tree else item.reasoning)]
    return [library.questions[asked.questions_of][name] for name in asked.questions]


def chosen_tasks(given: str, data: Path, option: str = "--tasks") -> tuple[str, ...]:
    """Return the tasks that names or patterns, with commas between, select.

    Raises:
        SettingsError: one fits no task of this suite, or the data are no study.
    """
    found: dict[str, None] = {}
    for pattern in (part.strip() for part in given.split(",") if part.strip()):
        own = asked_tasks([GROUP]) if pattern == GROUP else tuple(fnmatch.filter(TASKS, pattern))
        if not own:
            feature = pattern.removeprefix("semiology_")
            hint = f" → features are named by --features {feature}" if feature != pattern else ""
            raise SettingsError(
                f"{option} {pattern}: no stroke-rehabilitation task has that name"
                f"{hint or did_you_mean(pattern, (GROUP, *TASKS))}"
            )
        found |= dict.fromkeys(own)
    if not is_study(data):
        raise SettingsError(
            f"--data {data}: holds no stroke-rehabilitation study (no subjects.csv, labels or fm_clips), which "
            f"{', '.join(found)} need → give its folder (`semiology data simulate-strokerehab DIR` draws one)"
        )
    return tuple(found)


def plan_study_sweep(options: SweepOptions) -> StudySweep:
    """Return the plan; the settings that the tasks read are set on the way.

    Raises:
        SettingsError: an unknown name, an option that belongs to features, or nothing to ask.
    """
    model, model_args = resolve_model(options.model, options.model_args)
    check_names(model, GROUP, model_args)
    for name in NOT_CROSSED:
        if getattr(options, name) != getattr(SweepOptions, name):
            raise SettingsError(
                f"--{'answer-formats' if name == 'formats' else name} belongs to sweeps over features → leave it out "
                "beside --tasks"
            )
    tasks = chosen_tasks(options.tasks, options.data)
    DATA.choose(str(options.data))
    choose_study_split(options.split, options.data)
    wordings = {task: _wordings(task, options.prompts) for task in tasks}
    alone = [task for task, ids in wordings.items() if len(ids) < 2]
    notes = [
        f"{task} is not asked: {'one wording is' if len(wordings[task]) == 1 else 'none of the wordings is'} there of "
        "each of its questions, and a sweep compares two or more → add wordings to a folder and name it in "
        "SEMIOLOGY_PROMPTS"
        for task in alone
    ]
    wordings = {task: ids for task, ids in wordings.items() if task not in alone}
    if not wordings:
        raise SettingsError("; ".join(notes))
    REHAB_PROMPT.choose(
        ALL
        if ALL in options.prompts
        else ",".join(dict.fromkeys(i for ids in wordings.values() for i in ids))
    )
    settings = read_rehab_settings()
    asked = {task: build_documents(task, settings) for task in wordings}
    empty = [nothing_to_ask(task, settings) for task, rows in asked.items() if not rows]
    if len(empty) == len(asked):
        raise SettingsError("; ".join(empty))
    return StudySweep(
        settings.root.name,
        settings.split,
        {task: wordings[task] for task, rows in asked.items() if rows},
        tuple(row for rows in asked.values() for row in rows),
        (*notes, *empty),
    )


def _wordings(task: str, chosen: tuple[str, ...]) -> tuple[str, ...]:
    """Return the ids of a task's wordings that are chosen by id or family; always the reference too."""
    prompts = [prompt for question in questions_of(task) for prompt in question.prompts]
    known = {word for prompt in _all_wordings() for word in (prompt.id, prompt.family)}
    for name in chosen:
        if name != ALL and name not in known:
            raise SettingsError(
                f"--prompts {name}: no question has such a wording or family{did_you_mean(name, sorted(known))}"
            )
    kept = [
        prompt.id for prompt in prompts if ALL in chosen or prompt.id in chosen or prompt.family in chosen
    ]
    return tuple(dict.fromkeys([REFERENCE, *kept]))


def _all_wordings() -> list[Any]:
    return [prompt for question in load_rehab_library().by_name().values() for prompt in question.prompts]


def run_study_sweep(
    options: SweepOptions, plan: StudySweep, told: Callable[[ProbeResult], None], *, with_probe: bool = True
) -> RehabResults | None:
    """Ask all questions of a plan and return the answers of every model in the folder.

    Returns:
        None if ``told`` stopped the sweep after the probe; its answers are kept.

    Raises:
        RunError: the run ended without results, or ``--limit`` left windows out.
        SweepError: the folder holds another sweep.
    """
    claim_folder(options.out, plan.summary(), ("study", "split", "tasks"))
    enter_sweep(read_rehab_settings(), options, plan)
    windows = plan.windows
    count = min(PROBE_WINDOWS, len(windows))
    first = (
        {windows[(2 * i + 1) * len(windows) // (2 * count)] for i in range(count)} if with_probe else set()
    )
    try:
        run(
            replace(options, tasks=",".join(plan.wordings)),
            journal=cache_directory() / "sweep_journal",
            probe=Probe(first, window_of, told) if first else None,
        )
    except SweepStopped:
        return None
    results = read_rehab_results([options.out])
    if results is None:
        raise RunError(f"{options.out}: no answer to a stroke-rehabilitation task was written")
    return results


def enter_sweep(settings: RehabSettings, options: SweepOptions, plan: StudySweep) -> None:
    """Enter the look at test subjects in the ledger beside the study, since tables of their scores follow.

    Raises:
        OSError: the ledger cannot be written.
    """
    study = study_plan(settings).study
    subjects = {str(row["subject"]) for row in plan.rows}
    looked = frozenset(name for name in subjects if study.split_of(name) == TEST)
    chosen = {"model": options.model, "model_args": options.model_args, **plan.summary()["tasks"]}
    enter(settings.root, Look("sweep", {TEST: looked}, chosen, digest(plan.summary()["fingerprint"])))
