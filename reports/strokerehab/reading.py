"""Read the answers to stroke-rehabilitation tasks from result files of lmms-eval, by model, task and wording."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

from semiology.metrics.strokerehab.replies import Profile
from semiology.reports.read.feature_answers import model_names
from semiology.reports.read.lmms_eval_files import (
    REHAB_PREFIX,
    NoAnswersError,
    find_result_files,
    mapping,
    read_samples,
)
from semiology.reports.read.run_facts import caveats, run_facts
from semiology.settings import REHAB_PROFILE

KEY = "strokerehab"
REFERENCE = "reference"
REQUIRED = (
    "task", "part", "question_id", "kind", "prompt_id", "video_id", "subject", "window", "windows", "questions",
    "subject_questions", "start_s", "end_s", "item", "laterality", "order", "rated", "truth", "truth_runs",
)  # fmt: skip
_NUMBERS = ("window", "windows", "questions", "subject_questions", "start_s", "end_s", "item", "order")


@dataclass(frozen=True)
class RehabRun:
    """The answers of one model to one task in one wording.

    Attributes:
        model: name. task, part: what was asked. prompt_id: in which wording.
        sampling: such as ``15_8``; empty if unknown.
        profile: how replies are to be read.
        data: name of the study.
        pictures: ``film``, or ``black`` where the model saw nothing.
        records: as `semiology.metrics.strokerehab.run_scores` takes them.
    """

    model: str
    task: str
    part: str
    prompt_id: str
    sampling: str
    profile: Profile
    data: str
    pictures: str
    records: tuple[Mapping[str, Any], ...]

    @property
    def label(self) -> str:
        """The model, then what differs from the reference: wording, sampling, black frames, reading."""
        wording = "" if self.prompt_id == REFERENCE else f"wording {self.prompt_id}"
        profile = "" if self.profile == "fixed" else f"{self.profile} reading"
        seen = "black frames" if self.pictures == "black" else ""
        return " · ".join(filter(None, (self.model, wording, self.sampling, seen, profile)))


@dataclass(frozen=True)
class RehabResults:
    """All runs found, what was left out or replaced, and what limits the numbers: drawn films, the embedded model."""

    runs: tuple[RehabRun, ...]
    notes: tuple[str, ...]
    caveats: tuple[str, ...] = ()


def read_rehab_results(paths: Sequence[Path]) -> RehabResults | None:
    """Read every answer to a stroke-rehabilitation task; None if no such task was run.

    Of a run that was repeated the newest counts; a window that is logged twice counts once.

    Raises:
        NoAnswersError: such a task was run, and none of its samples can be used.
        ResultsError: a path is missing.
    """
    notes: list[str] = []
    files = find_result_files(paths, notes)
    names = model_names(files)
    found: dict[tuple[str, ...], RehabRun] = {}
    known: dict[str, dict[str, Any]] = {}
    asked = False
    for run, model in zip(files, names, strict=True):
        for task, path in sorted(run.samples.items()):
            if not task.startswith(REHAB_PREFIX):
                continue
            asked = True
            metadata = mapping(mapping(mapping(run.record, "configs"), task), "metadata")
            fact = known.setdefault(model, run_facts(run.record or {}))
            fact["simulated"] = fact.get("simulated") or metadata.get("simulated") is True
            facts = {name: str(metadata.get(name) or "") for name in ("sampling", "data", "pictures")}
            for prompt, rows in _by_wording(read_samples(path, notes, key=KEY, fault=rehab_fault)).items():
                key = (model, task, prompt, facts["sampling"], facts["pictures"])
                if key in found:
                    notes.append(f"{model}: {task} was repeated later → the newest answers count")
                found[key] = _run(model, task, prompt, facts, rows, notes)
    if asked and not found:
        told = " ".join(notes[:5])
        raise NoAnswersError(
            f"{', '.join(map(str, paths))}: no usable answer to a stroke-rehabilitation task. {told}"
        )
    if not found:
        return None
    return RehabResults(tuple(found.values()), tuple(dict.fromkeys(notes)), caveats(known))


def rehab_fault(record: Mapping[str, Any]) -> str | None:
    """Return what is wrong with a record, or None."""
    missing = [name for name in REQUIRED if record.get(name) is None]
    if missing:
        return f"the stroke-rehabilitation record has no {missing[0]}"
    strange = [name for name in _NUMBERS if not isinstance(record[name], int | float)]
    return f"{strange[0]} is no number" if strange else None


def _by_wording(rows: Sequence[dict[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        found.setdefault(str(row["prompt_id"]), []).append(row)
    if len(found) > 1:
        _fill_in(found)
    return found


def _fill_in(found: dict[str, list[dict[str, Any]]]) -> None:
    """Give questions without a wording of that id the reference's answers, so that each wording is a whole run."""
    reference = found.get(REFERENCE, [])
    for prompt, rows in found.items():
        if prompt != REFERENCE:
            asked = {row["question_id"] for row in rows}
            rows += [{**row, "prompt_id": prompt} for row in reference if row["question_id"] not in asked]


def _run(
    model: str,
    task: str,
    prompt: str,
    facts: Mapping[str, str],
    rows: Sequence[dict[str, Any]],
    notes: list[str],
) -> RehabRun:
    kept: dict[tuple[Any, ...], dict[str, Any]] = {}
    for row in rows:
        key = (row["video_id"], row["window"], row["question_id"], row["laterality"])
        kept.setdefault(key, row)
    if len(kept) < len(rows):
        notes.append(
            f"{model}, {task}: {len(rows) - len(kept)} windows are logged twice → the first answer counts"
        )
    profile = rows[0].get("profile")
    read: Profile = "paper" if "paper" in (profile, REHAB_PROFILE.text()) else "fixed"
    if profile not in get_args(Profile):
        notes.append(
            f"{model}, {task}: the reading profile {profile!r} is unknown → replies are read as fixed"
        )
    return RehabRun(
        model,
        task,
        rows[0]["part"],
        prompt,
        facts["sampling"],
        read,
        facts["data"],
        facts["pictures"],
        tuple(kept.values()),
    )
