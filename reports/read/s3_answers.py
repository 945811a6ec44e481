"""From result folders to the answers of the S3 tasks, one record per window, as the tasks wrote them.

Where two runs answered the same task in the same wording, the newest one counts and a note says so.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from semiology.reports.read.asked import NO_ENHANCEMENT
from semiology.reports.read.feature_answers import (
    FAILED_REQUEST,
    check_one_recording_set,
    facts_of_run,
    model_names,
    note_gaps,
)
from semiology.reports.read.lmms_eval_files import (
    S3_PREFIX,
    NoAnswersError,
    ResultFiles,
    find_result_files,
    mapping,
    read_samples,
)
from semiology.reports.read.run_facts import caveats, sound_given
from semiology.reports.read.run_texts import RunTexts, texts_of_runs

KEY = "s3"
"""Under which a sample of an S3 task holds its record."""
REQUIRED = ("task", "kind", "feature", "video_id", "patient_id", "truth")
ANSWER_TYPES: Mapping[str, type | tuple[type, ...]] = {
    "justification": str,
    "side": str,
    "region": str,
    "diagnosis": str,
    "time": (int, float, type(None)),
    "sequence": (list, type(None)),
    "report": (str, type(None)),
}
"""What an answer of each kind is; None is an answer that was not understood."""
KIND_FIELDS: Mapping[str, tuple[str, ...]] = {
    "justification": ("justification", "reference"),
    "sequence": ("onsets_s",),
    "report": ("shown",),
}
WINDOW = ("model", "enhancement", "prompt_id", "task", "feature", "video_id", "clip_form", "segment")
RUN = WINDOW[:4]


@dataclass(frozen=True)
class S3Results:
    """Answers of one or several runs to the S3 tasks.

    Attributes:
        records: one per window or clip, with the model's name.
        caveats: what a reader must know before the numbers.
        notes: what was left out, replaced or missing, in plain sentences.
        not_asked: recordings of the set that a task could not be asked about, by task.
        texts: what language models made of the texts.
        records_of_runs: facts of the runs by model.
    """

    records: tuple[Mapping[str, Any], ...]
    caveats: tuple[str, ...]
    notes: tuple[str, ...]
    not_asked: Mapping[str, int]
    texts: RunTexts = field(default_factory=RunTexts)
    records_of_runs: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


def read_s3_results(paths: Sequence[Path]) -> S3Results | None:
    """Read every answer to an S3 task in the folders and files given; None if no S3 task was run.

    Raises:
        NoAnswersError: an S3 task was run, and none of its samples can be used.
        ResultsError: a path is missing, or the runs are about different recording sets.
    """
    notes: list[str] = []
    runs = find_result_files(paths, notes)
    names = model_names(runs, notes)
    roots = [path if path.is_dir() else path.parent for path in paths]
    found: list[dict[str, Any]] = []
    facts: dict[str, dict[str, Any]] = {}
    sets: dict[int, object] = {}
    not_asked: dict[str, int] = {}
    for order, run in enumerate(runs):
        rows = _rows(run, names[order], order, notes)
        found += rows
        if rows:
            model = names[order]
            known = facts_of_run(run, roots, notes)
            sets[order] = known.get("data")
            facts[model] = facts.get(model, {}) | known
            configs = mapping(run.record, "configs")
            for task in configs:  # usable recordings that it had nothing to compare with
                without = mapping(mapping(configs, task), "metadata").get("recordings_without_truth")
                if task.startswith(S3_PREFIX) and isinstance(without, list) and without:
                    not_asked[task] = len(without)
    if not found:
        if any(task.startswith(S3_PREFIX) for run in runs for task in run.samples):
            where = ", ".join(str(path) for path in paths)
            told = " ".join(f"{note}." for note in notes[:5])
            raise NoAnswersError(f"{where}: no usable answer to an S3 task. {told}")
        return None
    kept = _newest(found, runs, notes)
    check_one_recording_set(sets[order] for order in {row["_order"] for row in kept})
    records = [{name: value for name, value in row.items() if name != "_order"} for row in kept]
    texts = texts_of_runs(runs, names, notes)
    return S3Results(tuple(records), caveats(facts), tuple(dict.fromkeys(notes)), not_asked, texts, facts)


def s3_fault(record: Mapping[str, Any]) -> str | None:
    """Return what is wrong with the record of an S3 task, or None."""
    missing = [name for name in REQUIRED if record.get(name) is None]
    if missing:
        return f"the S3 record has no {missing[0]}"
    kind = record["kind"]
    if kind not in ANSWER_TYPES:
        return f"kind is {str(kind)[:20]!r}, not one of {', '.join(ANSWER_TYPES)}"
    absent = [name for name in ("answer", "clip_form", *KIND_FIELDS.get(kind, ())) if name not in record]
    if absent:
        return f"the S3 record has no {absent[0]}"
    if not isinstance(record["answer"], ANSWER_TYPES[kind]):
        return f"answer is {str(record['answer'])[:20]!r}, which no {kind} is"
    if not isinstance(record.get("segment"), int) or record["segment"] < 0:
        return "segment is not a number from 0"
    return None


def _rows(run: ResultFiles, model: str, order: int, notes: list[str]) -> list[dict[str, Any]]:
    where = f"run {run.stamp} of {model}"
    rows = []
    for task, path in sorted(run.samples.items()):
        if task.startswith(S3_PREFIX):
            read = read_samples(path, notes, key=KEY, fault=s3_fault)
            failed = sum(FAILED_REQUEST in str(record.get("raw")) for record in read)
            note_gaps(run, task, len(read), failed, where, notes)
            config = mapping(mapping(run.record, "configs"), task)
            sound = sound_given(config, str(mapping(run.record, "config").get("model")))
            played = isinstance(sound, str) and sound != "none"
            rows += [
                {
                    **record,
                    "enhancement": record.get("enhancement") or NO_ENHANCEMENT,
                    "prompt_id": record.get("prompt_id") or "",
                    "model": model,
                    "_order": order,
                    "heard": played and record.get("hear") is True,
                }
                for record in read
            ]
    return rows


def _newest(
    rows: Sequence[dict[str, Any]], runs: Sequence[ResultFiles], notes: list[str]
) -> list[dict[str, Any]]:
    """Keep the newest run of each task and one record per window; note what is dropped."""
    newest: dict[tuple[Any, ...], int] = {}
    for row in rows:
        run = tuple(row[name] for name in RUN)
        newest[run] = max(newest.get(run, 0), row["_order"])
    kept: dict[tuple[Any, ...], dict[str, Any]] = {}
    replaced: dict[tuple[str, str, int], int] = {}
    twice = 0
    for row in rows:
        if row["_order"] != newest[tuple(row[name] for name in RUN)]:
            key = (row["model"], row["task"], row["_order"])
            replaced[key] = replaced.get(key, 0) + 1
            continue
        window = tuple(row[name] for name in WINDOW)
        twice += window in kept
        kept.setdefault(window, row)
    for (model, task, order), count in sorted(replaced.items()):
        notes.append(
            f"{model}: run {runs[order].stamp} was repeated later → its {count} answers to {task} are "
            "replaced by the newer ones"
        )
    if twice:
        notes.append(f"{twice} S3 windows are logged twice within one run → the first answer counts")
    return sorted(kept.values(), key=lambda row: tuple(str(row[name]) for name in WINDOW[:-1]))
