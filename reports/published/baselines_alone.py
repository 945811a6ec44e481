"""Published answers on their own, without a run of the user, with the truth that came with them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from semiology.data.cache import cache_directory
from semiology.metrics.coverage import UNPARSED
from semiology.reports.published.answers import FEATURE_TASK
from semiology.reports.published.baselines import PREFIX, read_baselines
from semiology.reports.read.feature_answers import COLUMNS, Results
from semiology.reports.read.s3_answers import S3Results

if TYPE_CHECKING:
    import pandas as pd

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


def baselines_file(name: str) -> Path:
    """Return where the published answers of a name are kept on this machine."""
    return cache_directory() / "baselines" / f"{name}.csv"


def read_named_baselines(names: list[str]) -> pd.DataFrame:
    """Read published answers by name (`KNOWN`) or file, all in one table.

    Raises:
        FileNotFoundError: there is no such file, or a name was never imported; the message says how.
        ValueError: a file has faults.
    """
    import pandas as pd

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


def features_alone(baselines: pd.DataFrame) -> Results | None:
    """Return the published answers on features as results of their own; None if there are none."""
    rows = baselines[(baselines["task"] == FEATURE_TASK) & (baselines["truth"] != "")]
    if rows.empty:
        return None
    rows = rows.assign(model=PREFIX + rows["model"], segment=0, prompt_hash=None)
    return Results(rows.reindex(columns=list(COLUMNS)).reset_index(drop=True), (), (NOTE,), {})


def s3_alone(baselines: pd.DataFrame) -> S3Results | None:
    """Return the published answers to S3 tasks as results of their own; None if there are none."""
    rows = baselines[baselines["task"].isin(KINDS)]
    if rows.empty:
        return None
    shown = _shown(baselines)
    records = [_record(row, shown) for row in rows.to_dict("records")]
    return S3Results(tuple(records), (), (NOTE,), {})


def _shown(baselines: pd.DataFrame) -> dict[str, list[str]]:
    """Return the features annotated as present, by recording."""
    rows = baselines[(baselines["task"] == FEATURE_TASK) & (baselines["truth"] == "yes")]
    found: dict[str, list[str]] = {}
    for video, feature in rows[["video_id", "feature"]].drop_duplicates().itertuples(index=False, name=None):
        found.setdefault(video, []).append(feature)
    return found


def _record(row: Mapping[Any, Any], shown: Mapping[str, list[str]]) -> dict[str, Any]:
    kind = KINDS[row["task"]]
    answer, truth = _value(kind, row["answer"]), _value(kind, row["truth"])
    record = {
        **row,
        "model": PREFIX + row["model"],
        "kind": kind,
        "answer": answer,
        "truth": truth,
        "segment": 0,
        "clip_form": "centred" if kind == "time" else None,
    }
    if kind == "sequence":
        # Onsets were not published with the order; places stand for them, so that no two are ties.
        record["onsets_s"] = [float(i) for i in range(len(truth or []))]
    if kind == "report":
        record["shown"] = shown.get(row["video_id"])
    return record


def _value(kind: str, text: str) -> Any:
    if text == UNPARSED:
        return None if kind in ("time", "sequence", "report") else UNPARSED
    if kind == "time":
        return float(text)
    if kind == "sequence":
        return [] if text in ("none", "") else [token.strip() for token in text.split(",")]
    return text
