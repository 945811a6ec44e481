"""``semiology ablate``: every condition is run, only what differs is asked anew, each is compared."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd

from semiology.data.cache import cache_directory, content_digest, write_whole
from semiology.harness.options import RunOptions
from semiology.harness.run import check_replies, run
from semiology.metrics.paired.s3_difference import Scores, paired_answers, paired_measures
from semiology.metrics.s3.recording_answers import AnswerKind, recording_answers
from semiology.metrics.s3.scores import score_task
from semiology.metrics.s3.text.scores import TextTools
from semiology.optimization.ablation.plan import AblationError, Condition, Kind
from semiology.optimization.ablation.tables import FeatureDifferences, MeasureDifferences
from semiology.reports.compare.comparison import Comparison, Options, compare_sides
from semiology.reports.compare.sides import read_side
from semiology.reports.read.s3_answers import S3Results, read_s3_results

RECORD = "ablation.json"
DRAWS = 100
"""Of the bootstrap that scores of S3 tasks come with; intervals of differences need none of it."""
MEASURES: Mapping[str, tuple[str, ...]] = {
    "s3_onset_time": ("mae", "charged_mae"),
    "s3_diagnosis": ("f1", "accuracy", "balanced_accuracy"),
    "s3_justification": ("interpretation",),
    "s3_report": ("rqi",),
}


def ask_conditions(
    kind: Kind, found: Sequence[Condition], out: Path, tell: Callable[[str], None]
) -> list[Path]:
    """Run the conditions that are not done yet, and return the folder of each.

    All share one journal, so that a question which two conditions have in common is asked once, and a command that was
    stopped goes on.

    Raises:
        AblationError: the folder holds another ablation.
        RunError: a run ended without results, or with questions that got no reply.
    """
    record = _claimed(kind, found, out)
    folders = []
    for condition in found:
        name = condition.level
        place = out / "conditions" / name
        if name in record["done"] and any(place.rglob("*_results.json")):
            tell(f"{condition.label}: done before")
        else:
            tell(f"{condition.label}: asking")
            options = replace(condition.options, out=place)
            check_replies(run(options, journal=cache_directory() / "ablation_journal"))
            record["done"].append(name)
            _write(record, out)
        folders.append(place)
    return folders


def _claimed(kind: Kind, found: Sequence[Condition], out: Path) -> dict[str, Any]:
    """Return the record of the ablation in a folder, or begin one."""
    options = found[0].options
    tables = [options.data / name for name in ("recordings.csv", "annotations.csv")]
    told = {
        "kind": kind,
        "model": options.model,
        "conditions": [[each.level, each.options.model_args, each.options.tasks] for each in found],
        "asked": [options.prompt_id, options.split, options.recordings, options.videos, options.limit],
        "set": [content_digest(path, cache_directory()) for path in tables if path.exists()],
    }
    identity = hashlib.sha256(json.dumps(told).encode()).hexdigest()
    try:
        record: dict[str, Any] = json.loads((out / RECORD).read_text(encoding="utf-8"))
        before, done = record["identity"], list(record["done"])
    except FileNotFoundError:
        before, done = identity, []
    except (OSError, ValueError, KeyError, TypeError):
        raise AblationError(f"{out / RECORD}: cannot be read → give another --out") from None
    if before != identity:
        raise AblationError(
            f"{out}: holds an ablation of other conditions, another model or other tables → give another --out"
        )
    record = {"identity": identity, "kind": kind, "model": options.model, "done": done}
    _write(record, out)
    return record


def _write(record: Mapping[str, Any], out: Path) -> None:
    out.mkdir(parents=True, exist_ok=True, mode=0o700)
    write_whole(out / RECORD, json.dumps(record, indent=2) + "\n", private=True)


def feature_differences(
    found: Sequence[Condition], folders: Sequence[Path], features: Sequence[str], *, seed: int, margin: float
) -> FeatureDifferences:
    """Compare each condition with the first on the features, as `semiology compare` does.

    Raises:
        ValueError: the runs cannot be compared.
    """
    base, *others = (read_side(str(folder)) for folder in folders)
    options = Options(features=tuple(features), seed=seed, margin=margin)
    made: list[Comparison] = [compare_sides(base, other, options) for other in others]
    return FeatureDifferences([each.label for each in found], made)


def task_differences(found: Sequence[Condition], folders: Sequence[Path]) -> MeasureDifferences:
    """Compare two conditions on an S3 task (4 or 7), on the recordings that both answered.

    Raises:
        ValueError: a run holds no such answers, or they share no recording.
    """
    results = [_results(folder) for folder in folders]
    frames = [_frame(each, condition) for each, condition in zip(results, found, strict=True)]
    kind: AnswerKind = "time" if found[0].task == "s3_onset_time" else "diagnosis"
    return _measured(
        [each.label for each in found], frames, MEASURES[found[0].task], [_scores(kind)] * 2, results
    )


def judge_differences(judges: Sequence[str], folders: Sequence[Path], task: str) -> MeasureDifferences | None:
    """Compare what two judges read in the same texts of a run; None where the run was not asked the task.

    Args:
        task: ``s3_justification`` (interpretation score) or ``s3_report`` (Seizure-RQI).
    """
    kind: AnswerKind = "justification" if task == "s3_justification" else "report"
    results = [_results(folder) for folder in folders]
    frames, scores = [], []
    for each in results:
        rows = [record for record in each.records if record["task"] == task]
        if not rows:
            return None
        models = sorted({str(record["model"]) for record in rows})
        if len(models) > 1:
            raise AblationError(f"the runs are of {', '.join(models)} → judge the runs of one model")
        frames.append(recording_answers(kind, rows, each.texts.merger_of(models[0])))
        scores.append(_scores(kind, TextTools(each.texts.reader_of(models[0]), None)))
    return _measured(list(judges), frames, MEASURES[task], scores, results)


def _measured(
    labels: Sequence[str],
    frames: Sequence[pd.DataFrame],
    names: Sequence[str],
    scores: Sequence[Scores],
    results: Sequence[S3Results],
) -> MeasureDifferences:
    paired = paired_answers(frames[0], frames[1])
    found = paired_measures(paired, names, scores[0], scores[1])
    caveats = dict.fromkeys(text for each in results for text in each.caveats)
    notes = dict.fromkeys(text for each in results for text in each.notes)
    unpaired = (paired.only_first, paired.only_second)
    return MeasureDifferences(
        list(labels), found, len(paired.first), paired.first["patient_id"].nunique(), unpaired, tuple(caveats),
        tuple(notes),
    )  # fmt: skip


def _results(folder: Path) -> S3Results:
    found = read_s3_results([folder])
    if found is None:
        raise AblationError(f"{folder}: holds no answers to S3 tasks → run the command again")
    return found


def _frame(results: S3Results, condition: Condition) -> pd.DataFrame:
    """Return the answers of a condition; of the clips around an onset the centred ones, as published."""
    rows = [
        record
        for record in results.records
        if record["task"] == condition.task and record["clip_form"] in (None, "centred", "whole")
    ]
    if not rows:
        raise AblationError(f"{condition.label}: no answer to {condition.task} can be used")
    return recording_answers(rows[0]["kind"], rows)


def _scores(kind: AnswerKind, tools: TextTools | None = None) -> Scores:
    def scored(frame: pd.DataFrame) -> dict[tuple[str, str], float]:
        parts = score_task(kind, frame, resamples=DRAWS, tools=tools or TextTools())
        return {
            (part.part, name): estimate.value
            for part in parts
            for name, estimate in part.scores.estimates.items()
        }

    return scored


def asked_tasks(options: RunOptions, features: Sequence[str]) -> RunOptions:
    """Return options that ask about some features."""
    return replace(options, tasks=",".join(f"semiology_{name}" for name in features))
