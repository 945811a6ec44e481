"""Published answers beside a user's own run on the recordings that both answered, or on their own.

A row of the baselines stands beside a run where the run was asked the same question about a recording of the
same ``video_id`` whose annotations agree; the run's truth is used for both. All other rows are left out, and
counted. Without a run the truth that was published with the answers is used.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from io import StringIO
from pathlib import Path
from typing import Any

import pandas as pd

from semiology.data.cache import cache_directory
from semiology.data.tables.cells import plain_number
from semiology.data.tables.csv_tables import decoded_text
from semiology.features import FEATURES, VISUAL_FEATURES
from semiology.metrics.coverage import UNPARSED
from semiology.reports.published.answers import COLUMNS, FEATURE_TASK, ONSETS, PROMPT_HASH
from semiology.reports.read.asked import PREFIX
from semiology.reports.read.feature_answers import COLUMNS as ANSWER_COLUMNS
from semiology.reports.read.feature_answers import Results
from semiology.reports.read.s3_answers import S3Results

FEATURE_ANSWERS = ("yes", "no", "na", UNPARSED)
LEAST_EQUAL = 0.9
"""Share of annotations that must be equal; room for a few that were corrected since the publication."""
SIMULATED_REASON = "the recordings of these runs are simulated, the published ones are not"
CHECKED_KINDS = frozenset({"diagnosis", "region", "side"})
KNOWN = ("s3", "embc")
"""Names under which `semiology baselines import` keeps published answers."""
NOTE = (
    "Published answers, with the annotations published with them; scored here, not copied. Which windows "
    "were shown and what was replied word for word was not published."
)
KINDS: Mapping[str, str] = {
    "s3_head_turning_side": "side",
    "s3_arm_movement_side": "side",
    "s3_onset_region": "region",
    "s3_onset_time": "time",
    "s3_seizure_start": "time",
    "s3_seizure_end": "time",
    "s3_sequence": "sequence",
    "s3_report": "report",
    "s3_diagnosis": "diagnosis",
    "s3_diagnosis_with_report": "diagnosis",
}


def read_baselines(path: Path) -> pd.DataFrame:
    """Read a table that ``semiology baselines import`` wrote, every cell as text.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: a column is missing, a question is answered twice (the message names file and row), or the table is
            of a version that mislabelled its wordings.
    """
    if not path.is_file():
        raise FileNotFoundError(f"{path}: there is no such file → write it by `semiology baselines import`")
    text, delimiter = decoded_text(path)
    try:
        frame = pd.read_csv(StringIO(text), sep=delimiter, dtype=str, keep_default_na=False)
    except (pd.errors.ParserError, pd.errors.EmptyDataError) as error:
        raise ValueError(
            f"{path.name}: is no CSV table ({error}) → write it by `semiology baselines import`"
        ) from error
    frame.columns = frame.columns.str.strip()
    absent = [name for name in COLUMNS if name not in frame.columns]
    if absent:
        raise ValueError(f"{path.name}:1: has no column {absent[0]!r} → it needs {', '.join(COLUMNS)}")
    frame.index += 2
    if PROMPT_HASH not in frame.columns:
        if "fold" in frame.columns:
            raise ValueError(
                f"{path.name}: was written when every answer was taken for one to the printed questions, which no "
                "public program sent → write it again by `semiology baselines import`"
            )
        frame = frame.assign(**{PROMPT_HASH: ""})
    twice = frame.duplicated([*COLUMNS[:5], "feature"])
    if bool(twice.any()):
        row = frame.index[int(twice.to_numpy().argmax())]
        raise ValueError(f"{path.name}:{row}: answers a question a second time → keep one of the rows")
    _refuse_strange(frame, path.name)
    return frame.reset_index(drop=True)


def _refuse_strange(frame: pd.DataFrame, file: str) -> None:
    """Refuse answers and truths that their task does not have, and features that are ours in other letters.

    Raises:
        ValueError: names the first with its row.
    """
    asked, timed = frame["task"] == FEATURE_TASK, frame["task"].map(KINDS) == "time"
    capital = ~frame["feature"].isin(FEATURES) & frame["feature"].str.lower().isin(FEATURES)
    for column, allowed in (("answer", FEATURE_ANSWERS), ("truth", ("yes", "no", "na", ""))):
        strange = frame[asked & ~frame[column].isin(allowed)]
        _refuse_first(strange, column, file, f"use one of {', '.join(filter(None, allowed))}")
        times = frame[timed & ~frame[column].isin((UNPARSED, ""))]
        _refuse_first(
            times[[not _is_time(text) for text in times[column]]], column, file, "write seconds, such as 12.5"
        )
    _refuse_first(frame[capital], "feature", file, "write it in small letters")


def _refuse_first(rows: pd.DataFrame, column: str, file: str, fix: str) -> None:
    if len(rows):
        raise ValueError(f"{file}:{rows.index[0]}: {column} is {rows[column].iloc[0][:20]!r} → {fix}")


def _is_time(text: str) -> bool:
    return plain_number(text, exponent=True) is not None


def baselines_file(name: str) -> Path:
    """Return where the published answers of a name are kept on this machine."""
    return cache_directory() / "baselines" / f"{name}.csv"


def read_named_baselines(names: list[str]) -> pd.DataFrame:
    """Read published answers by name (`KNOWN`) or file, all in one table.

    Raises:
        FileNotFoundError: there is no such file, or a name was never imported; the message says how.
        ValueError: a file has faults.
    """
    frames = []
    for name in dict.fromkeys(names):
        path = Path(name)
        if name in KNOWN and not path.is_file():
            path = baselines_file(name)
            if not path.is_file():
                raise FileNotFoundError(
                    f"--baselines {name}: these published answers are not on this machine → "
                    f"`semiology baselines import {name} DIR` reads them from the normalised release"
                )
        frames.append(read_baselines(path))
    return pd.concat(frames, ignore_index=True)


def beside_features(results: Results, baselines: pd.DataFrame) -> Results:
    """Return the answers of the runs with those of the baselines on the same recordings and features."""
    own = results.answers
    truths = own.drop_duplicates(["video_id", "feature"])[["video_id", "feature", "patient_id", "truth"]]
    rows = baselines[baselines["task"] == FEATURE_TASK]
    both = rows.drop(columns="patient_id").merge(
        truths, on=["video_id", "feature"], suffixes=("_published", "")
    )
    annotated = both.drop_duplicates(["video_id", "feature"])
    reason = other_recordings(
        results.records, annotated["truth"].tolist(), annotated["truth_published"].tolist()
    )
    if reason and not both.empty:
        return replace(results, notes=(*results.notes, f"baselines: {reason} → no published answer is shown"))
    notes = (*results.notes, _matched("features", len(both), len(rows), both["video_id"].nunique()))
    if both.empty:
        return replace(results, notes=notes)
    both = _labelled(both)
    answers = pd.concat([own, both.reindex(columns=list(own.columns))], ignore_index=True)
    return replace(results, answers=answers, notes=notes)


def beside_s3(results: S3Results, baselines: pd.DataFrame) -> S3Results:
    """Return the answers of the runs with those of the baselines to the same questions.

    Published onset clips have the onset in the middle, so those answers stand beside centred clips whose
    truth is the same second.
    """
    questions: dict[tuple[str, str, str], Mapping[str, Any]] = {}
    for record in results.records:
        if record["clip_form"] in (None, "centred"):
            questions.setdefault((record["task"], record["video_id"], record["feature"]), record)
    rows = baselines[baselines["task"] != FEATURE_TASK]
    found: list[Mapping[str, Any]] = []
    annotations: dict[tuple[str, str], tuple[str, str]] = {}
    tasks = {task for task, _, _ in questions}
    offered = rows.loc[rows["task"].isin(tasks)]
    for row in offered.to_dict("records"):
        own = questions.get((row["task"], row["video_id"], row["feature"]))
        if own is not None and own["kind"] in CHECKED_KINDS:
            annotations[row["task"], row["video_id"]] = (str(own["truth"]), row["truth"])
        # Only times can be about another clip than that of the run.
        if own is not None and (
            own["kind"] != "time" or abs(float(own["truth"]) - float(row["truth"])) <= 1.0
        ):
            names = {name: row.get(name, "") for name in ("enhancement", "prompt_id", PROMPT_HASH)}
            answer = _value(own["kind"], row["answer"])
            found.append({**own, **names, "model": PREFIX + row["model"], "segment": 0, "answer": answer})
    reason = other_recordings(
        results.records_of_runs, *([pair[i] for pair in annotations.values()] for i in (0, 1))
    )
    if reason and found:
        return replace(results, notes=(*results.notes, f"baselines: {reason} → no published answer is shown"))
    matched = {task: [each["video_id"] for each in found if each["task"] == task] for task in tasks}
    notes = [
        _matched(str(task), len(matched[str(task)]), count, len(set(matched[str(task)])))
        for task, count in offered.groupby("task").size().items()
    ] or [_matched("S3 tasks", 0, len(rows), 0)]
    return replace(results, records=(*results.records, *found), notes=(*results.notes, *notes))


def other_recordings(
    records: Mapping[str, Mapping[str, Any]], own: Sequence[str], published: Sequence[str]
) -> str | None:
    """Return why published answers cannot be about a run's recordings, or None if they can.

    Ids alone do not tell: ``P001_V01`` is the first recording of many sets. Where the annotations of the two
    differ in too many places the recordings are taken for other ones that happen to have the same ids.

    Args:
        records: facts of the runs by model.
        own: the runs' annotations of the questions that both share.
        published: those behind the published answers, in the same order.
    """
    if any(record.get("simulated") for record in records.values()):
        return SIMULATED_REASON
    if not own:
        return None
    equal = sum(mine == theirs for mine, theirs in zip(own, published, strict=True))
    if equal >= LEAST_EQUAL * len(own):
        return None
    return (
        f"only {equal} of {len(own)} annotations of the recordings with the same ids are equal (at least "
        f"{LEAST_EQUAL:.0%} are asked for), so that these are other recordings"
    )


def features_alone(baselines: pd.DataFrame) -> Results | None:
    """Return the published answers on features as results of their own; None if there are none."""
    rows = baselines[(baselines["task"] == FEATURE_TASK) & (baselines["truth"] != "")]
    if rows.empty:
        return None
    rows = _labelled(rows)
    return Results(rows.reindex(columns=list(ANSWER_COLUMNS)).reset_index(drop=True), (), (NOTE,), {})


def _labelled(rows: pd.DataFrame) -> pd.DataFrame:
    """Return published answers as those of one segment by a model that is marked as published."""
    known = PROMPT_HASH in rows.columns
    hashes = rows[PROMPT_HASH].where(rows[PROMPT_HASH] != "", None) if known else None
    return rows.assign(model=PREFIX + rows["model"], segment=0, prompt_hash=hashes)


def s3_alone(baselines: pd.DataFrame) -> S3Results | None:
    """Return the published answers to S3 tasks as results of their own; None if there are none."""
    rows = baselines[baselines["task"].isin(KINDS)]
    if rows.empty:
        return None
    present = baselines[(baselines["task"] == FEATURE_TASK) & (baselines["truth"] == "yes")]
    shown: dict[str, list[str]] = {}
    for video, features in present.groupby("video_id")["feature"]:
        shown[str(video)] = list(dict.fromkeys(features))
    orders = _published_orders(rows)
    records: list[Mapping[str, Any]] = []
    for row in rows.to_dict("records"):
        kind = KINDS[row["task"]]
        record: dict[str, Any] = {
            **{str(name): value for name, value in row.items()},
            "model": PREFIX + row["model"],
            "kind": kind,
            "answer": _value(kind, row["answer"]),
            "truth": _value(kind, row["truth"]),
            "segment": 0,
            "clip_form": "centred" if kind == "time" else None,
        }
        if kind == "sequence":
            record |= orders[row["video_id"]] | {"heard": _heard(row["model"])}
        if kind == "report":
            record["shown"] = shown.get(row["video_id"])
        records.append(record)
    return S3Results(tuple(records), (), (NOTE,), {})


def _heard(model: str) -> bool:
    """Whether a model was played the sound, as the publication tells it: by its name."""
    return "omni" in model.lower()


def _published_orders(rows: pd.DataFrame) -> dict[str, dict[str, Any]]:
    """Return what a run's record says of each recording's true order: the visible features, and those of sound too.

    Each row holds the order that its own model was compared with. Where only models that hear were, the visible
    features are taken out of the audiovisual order.
    """
    found: dict[str, dict[str, Any]] = {}
    own = rows[rows["task"].map(KINDS) == "sequence"]
    for row in sorted(own.to_dict("records"), key=lambda row: _heard(row["model"])):
        truth = _value("sequence", row["truth"])
        # Tables of earlier versions hold no onsets; places stand for them, so that no two are ties.
        times = [float(each) for each in str(row.get(ONSETS, "")).split()]
        onsets = times if len(times) == len(truth) else [float(i) for i in range(len(truth))]
        order = found.setdefault(row["video_id"], {})
        if _heard(row["model"]):
            order |= {"truth_audiovisual": truth, "onsets_audiovisual_s": onsets}
            seen = [(name, at) for name, at in zip(truth, onsets, strict=True) if name in VISUAL_FEATURES]
            order.setdefault("truth", [name for name, _ in seen])
            order.setdefault(ONSETS, [at for _, at in seen])
        else:
            order |= {"truth": truth, ONSETS: onsets}
    return found


def _value(kind: str, text: str) -> Any:
    """Return an answer or a truth as the records of runs have it."""
    if text == UNPARSED:
        return None if kind in ("time", "sequence", "report") else UNPARSED
    if kind == "time":
        return float(text)
    if kind == "sequence":
        return [] if text in ("none", "") else [token.strip() for token in text.split(",")]
    return text


def _matched(what: str, matched: int, offered: int, recordings: int) -> str:
    if not matched:
        return f"baselines: no answer on {what} is about a recording of these runs → left out"
    return (
        f"baselines: {matched} of {offered} published answers on {what} are about {recordings} recordings of "
        "these runs → shown; the others are left out"
    )
