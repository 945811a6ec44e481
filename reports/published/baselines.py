"""Published answers beside a user's own run, on the recordings that both answered.

A row of the baselines stands beside a run where the run was asked the same question about a recording of the
same ``video_id`` whose annotations agree; the run's truth is used for both. All other rows are left out, and
counted.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from semiology.metrics.coverage import UNPARSED
from semiology.reports.published.answers import COLUMNS, FEATURE_TASK
from semiology.reports.published.same_recordings import CHECKED_KINDS, other_recordings
from semiology.reports.read.feature_answers import Results
from semiology.reports.read.s3_answers import S3Results

if TYPE_CHECKING:
    import pandas as pd

PREFIX = "published: "
"""Before the name of a published model, so that nobody takes it for a run of the user."""
FEATURE_ANSWERS = ("yes", "no", "na", UNPARSED)


def read_baselines(path: Path) -> pd.DataFrame:
    """Read a table that ``semiology baselines import`` wrote, every cell as text.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: a column is missing, or a question is answered twice; the message names file and row.
    """
    import pandas as pd

    if not path.is_file():
        raise FileNotFoundError(f"{path}: there is no such file → write it by `semiology baselines import`")
    try:
        frame = pd.read_csv(path, dtype=str, keep_default_na=False)
    except (pd.errors.ParserError, pd.errors.EmptyDataError, UnicodeDecodeError) as error:
        raise ValueError(
            f"{path.name}: is no CSV table ({error}) → write it by `semiology baselines import`"
        ) from error
    absent = [name for name in COLUMNS if name not in frame.columns]
    if absent:
        raise ValueError(f"{path.name}:1: has no column {absent[0]!r} → it needs {', '.join(COLUMNS)}")
    twice = frame.duplicated([*COLUMNS[:5], "feature"])
    if bool(twice.any()):
        row = int(twice.to_numpy().argmax()) + 2
        raise ValueError(f"{path.name}:{row}: answers a question a second time → keep one of the rows")
    strange = (frame["task"] == FEATURE_TASK) & ~frame["answer"].isin(FEATURE_ANSWERS)
    if bool(strange.any()):
        row = int(strange.to_numpy().argmax())
        raise ValueError(
            f"{path.name}:{row + 2}: answer is {frame['answer'].iloc[row][:20]!r} → use one of "
            f"{', '.join(FEATURE_ANSWERS)}"
        )
    return frame


def beside_features(results: Results, baselines: pd.DataFrame) -> Results:
    """Return the answers of the runs with those of the baselines on the same recordings and features."""
    import pandas as pd

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
        return replace(results, notes=(*results.notes, _refused(reason)))
    notes = (*results.notes, _matched("features", len(both), len(rows), both["video_id"].nunique()))
    if both.empty:
        return replace(results, notes=notes)
    both = both.assign(model=PREFIX + both["model"], prompt_hash=None, segment=0)
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
    offered: dict[str, int] = defaultdict(int)
    videos: dict[str, set[str]] = defaultdict(set)
    annotations: dict[tuple[str, str], tuple[str, str]] = {}
    tasks = {task for task, _, _ in questions}
    for row in rows.to_dict("records"):
        if row["task"] not in tasks:
            continue
        offered[row["task"]] += 1
        own = questions.get((row["task"], row["video_id"], row["feature"]))
        if own is not None and own["kind"] in CHECKED_KINDS:
            annotations[row["task"], row["video_id"]] = (str(own["truth"]), row["truth"])
        if own is not None and _same_clip(own, row):
            found.append(_record(own, row))
            videos[row["task"]].add(row["video_id"])
    reason = other_recordings(
        results.records_of_runs, *([pair[i] for pair in annotations.values()] for i in (0, 1))
    )
    if reason and found:
        return replace(results, notes=(*results.notes, _refused(reason)))
    matched: dict[str, int] = defaultdict(int)
    for record in found:
        matched[record["task"]] += 1
    notes = [
        _matched(task, matched[task], count, len(videos[task])) for task, count in sorted(offered.items())
    ]
    if not offered:
        notes = [_matched("S3 tasks", 0, len(rows), 0)]
    return replace(results, records=(*results.records, *found), notes=(*results.notes, *notes))


def _same_clip(own: Mapping[str, Any], row: Mapping[Any, str]) -> bool:
    """Whether an answer is about the very clip of the run: only for times can it be about another one."""
    return own["kind"] != "time" or abs(float(own["truth"]) - float(row["truth"])) <= 1.0


def _record(own: Mapping[str, Any], row: Mapping[Any, str]) -> dict[str, Any]:
    """Return the record of one published answer: the run's question with another model and answer."""
    answer: Any = row["answer"]
    kind = own["kind"]
    if answer == UNPARSED:
        answer = None if kind in ("time", "sequence", "report") else UNPARSED
    elif kind == "time":
        answer = float(answer)
    elif kind == "sequence":
        answer = [] if answer == "none" else [token.strip() for token in answer.split(",")]
    names = {name: row[name] for name in ("enhancement", "prompt_id")}
    return {**own, **names, "model": PREFIX + row["model"], "segment": 0, "answer": answer}


def _refused(reason: str) -> str:
    return f"baselines: {reason} → no published answer is shown"


def _matched(what: str, matched: int, offered: int, recordings: int) -> str:
    if not matched:
        return f"baselines: no answer on {what} is about a recording of these runs → left out"
    return (
        f"baselines: {matched} of {offered} published answers on {what} are about {recordings} recordings of "
        "these runs → shown; the others are left out"
    )
