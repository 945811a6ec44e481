"""From result folders to the tidy frame of answers that every report starts from.

Where two runs answered the same question (model, enhancement, feature, wording), the newest one counts and a
note says so. Nothing is left out without a note.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from semiology.render.text import counted
from semiology.reports.read.asked import with_wording_labels
from semiology.reports.read.lmms_eval_files import (
    NoAnswersError,
    ResultFiles,
    ResultsError,
    find_result_files,
    mapping,
    read_run_record,
)
from semiology.reports.read.path_scrubbing import without_paths
from semiology.reports.read.run_facts import caveats, run_facts
from semiology.reports.read.sample_frames import NUMBERS, STRINGS, sample_frame, tables_ahead

if TYPE_CHECKING:
    import pyarrow as pa

COLUMNS = ("model", *STRINGS, "segment", *NUMBERS, "p_yes")
"""Of a frame of answers; some of `STRINGS` and ``p_yes`` are those of sweeps, some of
unparsed replies alone."""
UNPARSED_BECAUSE: Mapping[str, str] = {
    "refused": "saw no video, refused or only offered help",
    "cut": "were cut at the token limit before an answer",
    "reasoning": "ended inside their reasoning",
    "unknown": "said that they cannot tell",
    "empty": "were empty",
    "malformed": "did not follow the format or contradicted themselves",
}
"""What is told of unparsed replies, by the reason that the task recorded."""
FAILED_REQUEST = "[LMMS_EVAL_REQUEST_FAILED"
QUESTION = ["model", "enhancement", "prompt_id", "prompt_hash", "feature"]


@dataclass(frozen=True)
class Results:
    """Answers of one or several runs.

    Attributes:
        answers: one row per asked segment, columns `COLUMNS` and ``prompt``, the label of the wording.
        caveats: what a reader must know before the numbers (simulated data, a model without audio input, …).
        notes: what was left out, replaced or missing, in plain sentences.
        records: the run record of each model that has one.
        questions: texts as sent, by their hash, where the sample files hold them.
    """

    answers: pd.DataFrame
    caveats: tuple[str, ...]
    notes: tuple[str, ...]
    records: Mapping[str, Mapping[str, Any]]
    questions: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Label the wordings: once, whoever made the frame."""
        object.__setattr__(self, "answers", with_wording_labels(self.answers))


def read_results(paths: Sequence[Path]) -> Results:
    """Read every lmms-eval result with semiology records in the folders and files given.

    Raises:
        ResultsError: a path is missing, no run holds sample files with semiology records, or the runs are
            about different recording sets.
    """
    notes: list[str] = []
    runs = find_result_files(paths, notes)
    names = model_names(runs, notes)
    frames: list[pd.DataFrame] = []
    records: dict[str, dict[str, Any]] = {}
    facts: dict[int, dict[str, Any]] = {}
    questions: dict[str, str] = {}
    roots = [path if path.is_dir() else path.parent for path in paths]
    with closing(tables_ahead([path for run in runs for _, path in run.feature_samples])) as tables:
        for order, (run, model) in enumerate(zip(runs, names, strict=True)):
            read = _frames(run, model, tables, notes, questions)
            if read:
                frames += [frame.assign(model=model, _order=order) for frame in read]
                facts[order] = facts_of_run(run, roots, notes)
                records[model] = records.get(model, {}) | facts[order]
    if not frames:
        where = ", ".join(str(path) for path in paths) or "no folder"
        if not runs:
            raise NoAnswersError(
                f"{where}: holds no lmms-eval results (*_results.json, *_samples_*.jsonl) → give a run's folder"
            )
        told = " ".join(f"{note}." for note in notes[:5])
        raise NoAnswersError(f"{where}: no answers of a semiology task. {told}")
    kept = _newest(pd.concat(frames, ignore_index=True), runs, notes)
    counted_runs = sorted(kept["_order"].unique())
    check_one_recording_set(facts[order].get("data") for order in counted_runs)
    for model, record in records.items():
        limits = [facts[order].get("limit") for order in counted_runs if names[order] == model]
        if "limit" in record:  # of any run whose answers count, not of the last one
            record["limit"] = next((limit for limit in limits if limit), None)
    answers = kept[list(COLUMNS)].reset_index(drop=True)
    notes += _reply_notes(answers)
    found = {model: record for model, record in records.items() if record}
    return Results(answers, caveats(found), tuple(dict.fromkeys(notes)), found, questions)


def _reply_notes(answers: pd.DataFrame) -> list[str]:
    """Return, by model, why its replies are unparsed and which answers were given in another language."""
    told = []
    for model, own in answers.groupby("model", sort=True):
        reasons = own["unparsed_because"].value_counts()
        parts = [f"{reasons[name]} {what}" for name, what in UNPARSED_BECAUSE.items() if reasons.get(name)]
        if parts:
            unparsed = int(own["unparsed_because"].notna().sum())
            told.append(f"{model}: of {len(own)} replies {unparsed} are unparsed: {', '.join(parts)}")
        languages = own["answer_language"].value_counts()
        if len(languages):
            spoken = ", ".join(f"{number} in {language}" for language, number in languages.items())
            told.append(f"{model}: answers read in another language than the question's: {spoken}")
    return told


def _frames(
    run: ResultFiles,
    model: str,
    tables: Iterator[pa.Table | None],
    notes: list[str],
    questions: dict[str, str],
) -> list[pd.DataFrame]:
    """Return the answers of a run, one frame per sample file; takes as many tables as it has such files."""
    where = f"run {run.stamp} of {model}"
    if run.record is None and run.samples:
        notes.append(f"{where}: has no readable results file → the model is named after the folder")
    if run.record is not None and not run.samples:
        notes.append(f"{where}: has no sample files → run again with --log_samples")
    frames = []
    for task, path in run.feature_samples:
        frame = sample_frame(path, next(tables), notes, questions)
        if frame is not None:
            failed = int(frame["raw"].astype("string").str.contains(FAILED_REQUEST, regex=False).sum())
            note_gaps(run, task, len(frame), failed, where, notes)
            # What names a question is never empty.
            defaults = {"enhancement": "none", "prompt_id": "", "prompt_hash": ""}
            filled = {name: frame[name].fillna("").replace("", value) for name, value in defaults.items()}
            frames.append(frame.assign(**filled).reindex(columns=[c for c in COLUMNS if c != "model"]))
    if run.whole and run.record is not None and run.samples:
        missing = sorted(set(mapping(run.record, "configs")) - set(run.samples))
        if missing:
            notes.append(f"{where}: no samples of {', '.join(missing)} → the run is incomplete")
    return frames


def note_gaps(run: ResultFiles, task: str, read: int, failed: int, where: str, notes: list[str]) -> None:
    """Note samples of a task that a run should hold and does not, and requests that got no reply.

    Args:
        run: whose. task: which.
        read: samples that can be used. failed: of these, requests without a reply.
        where: what the run is called. notes: remarks are added here.
    """
    expected = mapping(mapping(run.record, "n-samples"), task).get("effective")
    if read and isinstance(expected, int) and read < expected:
        notes.append(f"{where}: {task} has {read} of {expected} samples → the run is incomplete")
    if failed:
        notes.append(f"{where}: {counted(failed, 'request')} of {task} got no reply → counted as unparsed")


def short_names(models: Sequence[str]) -> dict[str, str]:
    """Shorten ``organisation/model`` and paths to as many last parts as tell the models apart."""
    parts = {model: [part for part in re.split(r"[/\\]", model) if part] or [model] for model in set(models)}
    short = {}
    for model, own in parts.items():
        others = [each for name, each in parts.items() if name != model]
        kept = next((n for n in range(1, len(own) + 1) if all(own[-n:] != o[-n:] for o in others)), len(own))
        short[model] = "/".join(own[-kept:])
    return short


def model_names(runs: Sequence[ResultFiles], notes: list[str] | None = None) -> list[str]:
    """Return the name of each run's model; where runs of one name had different settings, these are added.

    Args:
        runs: as found.
        notes: remarks are added here.
    """
    short = short_names([run.model for run in runs])
    settings: dict[str, list[Mapping[str, str]]] = {}
    for run in runs:
        if run.settings not in settings.setdefault(run.model, []):
            settings[run.model].append(run.settings)
    names = []
    for run in runs:
        several = settings[run.model]
        keys = sorted({key for each in several for key in each})
        differing = [key for key in keys if len({each.get(key) for each in several}) > 1]
        told = without_paths(", ".join(f"{key}={run.settings.get(key, 'default')}" for key in differing))
        names.append(f"{short[run.model]} [{told}]" if told else short[run.model])
    if notes is not None:
        for model, several in settings.items():
            if len(several) > 1:
                notes.append(f"{short[model]}: runs with different settings share this name → shown apart")
    return names


def _newest(rows: pd.DataFrame, runs: Sequence[ResultFiles], notes: list[str]) -> pd.DataFrame:
    """Keep the newest run of each question and one row per segment, all columns; note what is dropped."""
    # Numbers for texts: twenty times faster, and they sort as the texts do.
    question = rows.groupby(QUESTION, dropna=False, sort=True).ngroup()
    video = rows.groupby("video_id", dropna=False, sort=True).ngroup()
    newest = rows["_order"].groupby(question).transform("max")
    old = rows[rows["_order"] != newest]
    for (model, order), group in old.groupby(["model", "_order"], sort=True):
        features = counted(group["feature"].nunique(), "feature")
        notes.append(
            f"{model}: run {runs[int(str(order))].stamp} was repeated later → its {len(group)} answers on "
            f"{features} are replaced by the newer ones"
        )
    places = rows[["segment"]].assign(question=question, video=video)[rows["_order"] == newest]
    places = places.sort_values(["question", "video", "segment"], kind="stable")
    twice = places.duplicated()
    if bool(twice.any()):
        notes.append(f"{int(twice.sum())} segments are logged twice within one run → the first answer counts")
    return rows.loc[places.index[~twice]]


def facts_of_run(run: ResultFiles, roots: Sequence[Path], notes: list[str]) -> dict[str, Any]:
    """Return what the results file of a run and the run record beside it tell.

    Several runs into one folder leave one run record, that of the last: which recording set a run was about,
    and whether it was cut short, is told by its own results file, if it tells it at all.
    """
    facts = run_facts(run.record) if run.record else {}
    own = {"data": facts["data"]} if facts.get("data") else {}
    if "limit" in mapping(run.record, "config"):
        own["limit"] = facts["limit"]
    return facts | read_run_record(run.folder, roots, notes) | own


def check_one_recording_set(sets: Iterable[object]) -> None:
    """Refuse answers about different recording sets: the same ids name other recordings there.

    Args:
        sets: name and version of the set of each run whose answers count; empty or None where unknown.

    Raises:
        ResultsError: names the sets.
    """
    found = sorted({str(each) for each in sets if each})
    if len(found) > 1:
        raise ResultsError(
            f"the runs are about different recording sets ({', '.join(found)}) "
            "→ report each of them separately; runs in one folder by their files"
        )
