"""Published answers as the tidy frame of baselines: one row per model, recording and question.

Columns: ``task`` (``feature``, or the name of an S3 task), then ``model, enhancement, prompt_id, video_id,
patient_id, feature, answer, truth``. Answers and truths are words (yes, no, na, left, right, a region, ES,
NES), seconds in the clip, features separated by commas (``none`` for no feature), or the text of a report;
``unparsed`` where an answer was given and not understood. A recording that a model did not answer has no row.
``prompt_id`` is the wording that the public programs sent, ``unknown`` for a model of none of them. Columns may
follow: ``prompt_hash``, of the text as it was sent, where that is known to the byte, ``onsets_s``, seconds at which the
features of a true order begin, and ``fold``, the published part of a recording, by patient.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from semiology.features import FEATURES, REGIONS
from semiology.metrics.coverage import UNPARSED
from semiology.metrics.published_rules import published_diagnosis
from semiology.metrics.s3.categorical import DIAGNOSES, SIDES
from semiology.metrics.s3.onset_time import published_seconds
from semiology.metrics.s3.sequence.measures import published_tokens
from semiology.prompts.library import load_library, prompt_hash, render
from semiology.prompts.s3_library import load_task_prompts
from semiology.reports.published.s3 import read_s3_tables, true_sequences

COLUMNS = (
    "task",
    "model",
    "enhancement",
    "prompt_id",
    "video_id",
    "patient_id",
    "feature",
    "answer",
    "truth",
)
FEATURE_TASK = "feature"
PROMPT_HASH = "prompt_hash"
ONSETS = "onsets_s"
UNKNOWN = "unknown"
SENT_TO = {
    "internvl": "s3_repository_internvl",
    "audio-flamingo": "s3_repository_af3",
    "qwen": "s3_repository",
    "lingshu": "s3_repository",
}
"""Wording that the public task 1 programs sent, by a part of the model's name (Qwen3-VL-8B was run by the program
for Qwen3-VL-32B)."""
SIDE_ITEMS = {
    "head_turning": ("s3_head_turning_side", "head_turning_side"),
    "arm_movement": ("s3_arm_movement_side", "arm_movement_side"),
    "onset_region": ("s3_onset_region", "onset_region"),
}
TIME_TASKS = {"start": "s3_seizure_start", "end": "s3_seizure_end"}
EMBC_ENHANCEMENTS = {"raw": "none", "segan": "denoise", "transcript": "transcript"}
EMBC_MODEL = "AudioFlamingo3"
EMBC_LABELS = {"1": "yes", "0": "no", "": ""}
EMBC_ANSWERS = {"fail": UNPARSED}
"""Names of the conditions in the tidy frame, labels and answers."""


def s3_answers(folder: Path) -> pd.DataFrame:
    """Return the published S3 answers of tasks 1 and 3 to 7 (of task 2 only scores were published).

    Args:
        folder: in the layout of the normalised release (ground_truth/, predictions/).

    Raises:
        FileNotFoundError: a table is missing; the message names it.
    """
    tables = read_s3_tables(folder)
    makers = (_features, _sides, _times, _sequences, _reports, _diagnoses)
    frame = pd.concat([make(tables) for make in makers], ignore_index=True)
    patients = tables["videos"].set_index("video_id")["patient_id"]
    frame = frame[frame["video_id"].isin(patients.index)]
    frame = frame.assign(patient_id=frame["video_id"].map(patients), enhancement="none")
    ordered = _ordered(_as_asked(frame))
    return ordered.assign(fold=ordered["video_id"].map(tables["videos"].set_index("video_id")["fold"]))


def _as_asked(frame: pd.DataFrame) -> pd.DataFrame:
    """Add ``prompt_id`` and ``prompt_hash``: what the public programs sent, by model and question.

    The texts of tasks 3 to 7 were sent with line breaks that the prompt library writes as spaces, so that their
    hashes are unknown.
    """
    keys = ["task", "model", "feature"]
    kinds = frame[keys].drop_duplicates()
    sent = [_sent(*key) for key in kinds.itertuples(index=False, name=None)]
    kinds = kinds.assign(prompt_id=[name for name, _ in sent], prompt_hash=[digest for _, digest in sent])
    return frame.merge(kinds, on=keys, how="left", validate="many_to_one")


def _sent(task: str, model: str, feature: str) -> tuple[str, str]:
    """Return wording and hash of what a model was asked; ``unknown`` for one of no public program."""
    name = next((wording for part, wording in SENT_TO.items() if part in model.lower()), None)
    if name is None:
        return UNKNOWN, ""
    if task != FEATURE_TASK:
        return load_task_prompts(task).prompt("s3_repository").id, ""
    prompt = load_library().feature(feature).prompt(name)
    return prompt.id, prompt_hash(render(prompt))


def embc_answers(folder: Path) -> pd.DataFrame:
    """Return the published answers of the EMBC study: those of its audio model, per event and condition.

    Of the visual models only tables were published. An event is a recording here; labels that are empty in
    the source stay empty.

    Args:
        folder: holds ``af3_outputs.csv`` and ``annotations.csv``.

    Raises:
        FileNotFoundError: a table is missing; the message names it.
    """
    answers, labels = read_embc_table(folder, "af3_outputs"), read_embc_table(folder, "annotations")
    truth = labels.melt(["event_id", "patient_id"], var_name="feature", value_name="truth")
    frame = answers.merge(truth, on=["event_id", "feature"], validate="many_to_one")
    frame = frame.assign(
        task=FEATURE_TASK,
        model=EMBC_MODEL,
        prompt_id="embc",
        video_id=frame["event_id"],
        enhancement=frame["condition"].replace(EMBC_ENHANCEMENTS),
        answer=frame["answer"].replace(EMBC_ANSWERS),
        truth=frame["truth"].replace(EMBC_LABELS),
    )
    # Its tail, and the questions after a transcript, are not published here.
    return _ordered(frame.assign(prompt_hash=""))


def read_embc_table(folder: Path, name: str) -> pd.DataFrame:
    """Read a table of the EMBC release, every cell as text.

    Raises:
        FileNotFoundError: it is missing.
    """
    path = folder / f"{name}.csv"
    if not path.is_file():
        raise FileNotFoundError(f"{path} is missing → give the folder of the normalised EMBC release")
    return pd.read_csv(path, dtype=str, keep_default_na=False)


def _features(tables: dict[str, pd.DataFrame]) -> pd.DataFrame:
    answers = tables["task1_video"].melt(["model", "video_id"], var_name="feature", value_name="answer")
    truth = tables["annotations"][["video_id", "feature", "present"]].rename(columns={"present": "truth"})
    rows = answers[(answers["answer"] != "") & answers["feature"].isin(FEATURES)]
    rows = rows.merge(truth, on=["video_id", "feature"], validate="many_to_one")
    known = rows["answer"].isin(["yes", "no", "na"])
    return rows.assign(answer=rows["answer"].where(known, UNPARSED), task=FEATURE_TASK)


def _sides(tables: dict[str, pd.DataFrame]) -> pd.DataFrame:
    parts = []
    truths = tables["laterality"].set_index("video_id")
    for item, (task, column) in SIDE_ITEMS.items():
        rows = tables["task3"]
        rows = rows[(rows["item"] == item) & rows["video_id"].isin(truths.index) & (rows["answer"] != "")]
        classes = REGIONS if item == "onset_region" else SIDES
        truth = truths.loc[rows["video_id"], column].str.strip().str.lower().to_numpy()
        answer = rows["answer"].str.strip().str.lower()
        rows = rows.assign(
            task=task, feature=item, truth=truth, answer=answer.where(answer.isin(classes), UNPARSED)
        )
        parts.append(rows[rows["truth"].isin(classes)])
    return pd.concat(parts)


def _times(tables: dict[str, pd.DataFrame]) -> pd.DataFrame:
    targets = tables["task4_targets"].rename(columns={"target_s": "truth"})
    rows = tables["task4"].merge(targets, on=["video_id", "feature"], validate="many_to_one")
    seconds = [published_seconds(text) for text in rows["timestamp"]]
    answer = [UNPARSED if value is None else f"{value:g}" for value in seconds]
    tasks = rows["feature"].map(TIME_TASKS).fillna("s3_onset_time")
    return rows.assign(task=tasks, answer=answer)


def _sequences(tables: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """Return the answered orders, each beside the order that its publication compared it with.

    That is the audiovisual order for models that hear (`published.s3.true_sequences`), else the visual one.
    """
    truths = {model: true_sequences(tables, model) for model in tables["task5"]["model"].unique()}
    rows = tables["task5"]
    known = [video in truths[model] for model, video in zip(rows["model"], rows["video_id"], strict=True)]
    rows = rows[known]
    pairs = zip(rows["model"], rows["video_id"], strict=True)
    orders = [truths[model][video] for model, video in pairs]
    onsets = published_onsets(tables)
    placed = zip(orders, rows["video_id"], strict=True)
    times = [_onsets_in_order(order, onsets.get(video, {})) for order, video in placed]
    rows = rows.assign(truth=[", ".join(order) for order in orders])
    rows = rows.assign(**{ONSETS: [" ".join(f"{each:g}" for each in own) for own in times]})
    answer = [", ".join(published_tokens(text)) for text in rows["sequence"]]
    # An empty list is an answer: nothing was seen.
    return rows.assign(task="s3_sequence", feature="sequence", answer=[text or "none" for text in answer])


def published_onsets(tables: dict[str, pd.DataFrame]) -> dict[str, dict[str, float]]:
    """Return the annotated onset of each feature that is present, s, by recording and feature."""
    rows = tables["annotations"]
    rows = rows[(rows["present"] == "yes") & (rows["onset_s"] != "")]
    found: dict[str, dict[str, float]] = {}
    for video, feature, onset in zip(rows["video_id"], rows["feature"], rows["onset_s"], strict=True):
        found.setdefault(str(video), {})[str(feature)] = float(onset)
    return found


def _onsets_in_order(order: list[str], known: Mapping[str, float]) -> list[float]:
    """Return the onsets of an order, so that features that begin together stay ties.

    Places stand for them (and nothing is a tie) where one is not known, or where the annotations contradict the
    order, as they do for two published recordings.
    """
    onsets = [known[feature] for feature in order if feature in known]
    if len(onsets) < len(order) or sorted(onsets) != onsets:
        return [float(place) for place in range(len(order))]
    return onsets


def _reports(tables: dict[str, pd.DataFrame]) -> pd.DataFrame:
    truth = tables["reports"][["video_id", "report"]].rename(columns={"report": "truth"})
    rows = tables["task6"][["model", "video_id", "report"]].rename(columns={"report": "answer"})
    rows = rows[rows["answer"] != ""].merge(truth, on="video_id", validate="many_to_one")
    return rows.assign(task="s3_report", feature="report")


def _diagnoses(tables: dict[str, pd.DataFrame]) -> pd.DataFrame:
    rows, truth = tables["task7"], tables["videos"].set_index("video_id")["diagnosis"]
    parts = []
    for column, task in (("with_report", "s3_diagnosis_with_report"), ("without_report", "s3_diagnosis")):
        given = rows[(rows[column] != "") & rows["video_id"].map(truth).isin(DIAGNOSES)]
        answer = [published_diagnosis(text) or UNPARSED for text in given[column]]
        parts.append(
            given.assign(task=task, feature="diagnosis", truth=given["video_id"].map(truth), answer=answer)
        )
    return pd.concat(parts)


def _ordered(frame: pd.DataFrame) -> pd.DataFrame:
    frame = frame.assign(**{ONSETS: frame[ONSETS].fillna("") if ONSETS in frame.columns else ""})
    return (
        frame[[*COLUMNS, PROMPT_HASH, ONSETS]]
        .sort_values(list(COLUMNS[:7]), kind="stable")
        .reset_index(drop=True)
    )
