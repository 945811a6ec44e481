"""What the page knows of single recordings: windows, answers, truth, times of features, and what models wrote.

It is packed into short strings, one character per recording or window, so that 2 million answers and 438
recordings stay a page that opens at once. Texts are shortened, wrong answers first, up to a budget.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import numpy as np
import pandas as pd

from semiology.data.deidentify.opaque_ids import opaque_ids
from semiology.data.protection.splits import split_of_patients
from semiology.data.tables.reading import read_recording_set
from semiology.features import FEATURES
from semiology.render.text import shown_text
from semiology.reports.summary.run_labels import ShownRun

CODES = {"yes": "y", "no": "n", "na": "a", "unparsed": "u"}
NOT_ASKED = "."
BARE = frozenset(("", "yes", "no", "na", "n/a", "nan", "none"))
"""Replies that say no more than the answer."""
TEXT_LENGTH = 600
TEXT_BUDGET = 2_000_000
"""Characters of one text, and of all texts of a page."""
WINDOW_BUDGET = 2_000_000
"""Window answers of a page; main runs come first."""
_OPAQUE = re.compile(r"[A-Za-z]{1,3}\d{1,4}([_-][A-Za-z]{1,3}\d{1,4})?")


@dataclass(frozen=True)
class RecordingSetFacts:
    """Facts by video id.

    Attributes:
        bars: [onset, offset] in seconds of each feature that an expert timed, by feature and video; the offset
            is None where it was not given.
        lengths: seconds of recordings whose length the set states.
        videos: address of each video relative to the page; empty unless they may be shown.
        splits: name of the split of each recording that has one.
    """

    bars: Mapping[str, Mapping[str, list[float | None]]]
    lengths: Mapping[str, float]
    videos: Mapping[str, str]
    splits: Mapping[str, str]


def recording_set_facts(data: Path, page_folder: Path, *, with_videos: bool) -> RecordingSetFacts:
    """Read a recording set.

    Args:
        data: its folder.
        page_folder: where the page will lie; addresses of videos are relative to it.
        with_videos: whether the page may play the videos. They are linked, never copied.

    Raises:
        ValueError: the set has faults, or a video lies where no relative path leads.
    """

    def address(video: Path) -> str:
        try:
            relative = os.path.relpath(video.resolve(), page_folder.resolve())
        except ValueError as error:
            raise ValueError(
                f"{video.name}: lies on another drive than the report → write the report beside the recordings"
            ) from error
        return quote(Path(relative).as_posix())

    recordings = read_recording_set(data, require_media=with_videos)
    splits = split_of_patients(recordings.recordings)
    bars: dict[str, dict[str, list[float | None]]] = {}
    for item in recordings.annotations:
        if item.present == "yes" and item.onset_s is not None:
            bars.setdefault(item.feature, {})[item.video_id] = [item.onset_s, item.offset_s]
    return RecordingSetFacts(
        bars,
        {r.video_id: r.duration_s for r in recordings.recordings if r.duration_s is not None},
        {r.video_id: address(r.video) for r in recordings.recordings} if with_videos else {},
        {r.video_id: splits[r.patient_id] for r in recordings.recordings if r.patient_id in splits},
    )


def opaque_names(answers: pd.DataFrame, *, keep: bool = False) -> tuple[dict[str, str], bool]:
    """Return what each video is called, in the order of these names, and whether names were replaced.

    Args:
        answers: columns video_id and patient_id.
        keep: keep the ids as they are, for pages that stay where the recordings are.

    An id is taken for opaque if it is at most three letters and four digits, once or twice (``P001_V01``);
    longer numbers may be those of a hospital. If any id is not opaque, all are replaced; the same recordings
    get the same new names.
    """
    pairs = answers[["patient_id", "video_id"]].drop_duplicates().astype(str)
    videos = sorted(pairs["video_id"])
    if keep or all(_OPAQUE.fullmatch(video) for video in videos):
        return {video: video for video in videos}, False
    named = opaque_ids(zip(pairs["patient_id"], pairs["video_id"], strict=True), seed=0).videos
    return dict(sorted(named.items(), key=lambda item: item[1])), True


def recording_data(
    runs: Sequence[ShownRun],
    segments: pd.DataFrame,
    recordings: pd.DataFrame,
    names: Mapping[str, str],
    facts: RecordingSetFacts | None = None,
) -> dict[str, Any]:
    """Return the data of the recording view and of the lists of errors.

    Args:
        runs: in the order of the page.
        segments: one row per answer to a window, with the column ``run``, the key of its run.
        recordings: one row per run, recording and feature: answers as scored, with the column ``run``.
        names: what each video is called on the page, in order.
        facts: times of features and lengths of recordings, where the recording set was given.

    ``answers[run][feature]`` has one character per recording; ``windows[run][feature]`` the
    characters of each recording, parted by commas (empty: none), in the order of ``times[run][recording]``.
    """
    order = {video: i for i, video in enumerate(names)}
    truths = {
        str(feature): _packed(part, "truth", order)
        for feature, part in recordings.drop_duplicates(["video_id", "feature"]).groupby(
            "feature", observed=True
        )
    }
    answers: dict[str, dict[str, str]] = {}
    for (run, feature), part in recordings.groupby(["run", "feature"], observed=True):
        answers.setdefault(str(run), {})[str(feature)] = _packed(part, "answer", order)
    data: dict[str, Any] = {
        "recordings": list(names.values()),
        "features": [name for name in FEATURES if name in truths],
        "truth": truths,
        "answers": answers,
    }
    data |= _windows(segments, runs, order)
    data["texts"], data["texts_left_out"] = _texts(segments, runs, order)
    if facts is not None:
        data["bars"] = {
            feature: {str(order[video]): times for video, times in by_video.items() if video in order}
            for feature, by_video in facts.bars.items()
        }
        data["lengths"] = {str(order[v]): s for v, s in facts.lengths.items() if v in order}
        data["videos"] = {str(order[v]): path for v, path in facts.videos.items() if v in order}
    return data


def json_for_script(value: Any) -> str:
    """Return JSON that cannot end the script element it stands in, nor break a line of script."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    for sign in ("<", ">", "&", "\u2028", "\u2029"):
        text = text.replace(sign, f"\\u{ord(sign):04x}")
    return text


def _packed(rows: pd.DataFrame, column: str, order: Mapping[str, int]) -> str:
    """Return one character for each recording: that of its word in a column, or `NOT_ASKED`."""
    packed = [NOT_ASKED] * len(order)
    codes = rows[column].map(CODES).astype(object).fillna(NOT_ASKED)
    for code, place in zip(codes, rows["video_id"].map(order), strict=True):
        packed[place] = code
    return "".join(packed)


def _windows(segments: pd.DataFrame, runs: Sequence[ShownRun], order: Mapping[str, int]) -> dict[str, Any]:
    """Return window answers and times by run; runs beyond the budget have none and are named.

    Where a run has the times of an earlier one, the key of that one stands for them.
    """
    times: dict[str, dict[str, Any] | str] = {}
    windows: dict[str, dict[str, str]] = {}
    left_out: list[str] = []
    spent = 0
    parts = {str(key): part for key, part in segments.groupby("run", observed=True)}
    for run in runs:
        part = parts.get(run.key)
        if part is None or not bool(part["end_s"].notna().any()):
            continue  # published answers are about whole recordings
        spent += len(part)
        if spent > WINDOW_BUDGET and windows:
            left_out.append(run.label)
            continue
        windows[run.key] = {
            str(feature): _strings(rows, order) for feature, rows in part.groupby("feature", observed=True)
        }
        mine = _times(part, order)
        times[run.key] = next((key for key, each in times.items() if each == mine), mine)
    return {"windows": windows, "times": times, "windows_left_out": left_out}


def _strings(rows: pd.DataFrame, order: Mapping[str, int]) -> str:
    """Return the answers of one run to one feature: one character per window, recordings parted by commas."""
    segment = rows["segment"].to_numpy(dtype=np.int64)
    place = rows["video_id"].map(order).to_numpy(dtype=np.int64)
    table = np.full((len(order), int(segment.max(initial=-1)) + 1), ord(NOT_ASKED), dtype=np.uint8)
    numbers, words = rows["answer"].factorize()
    codes = np.array([ord(CODES.get(str(word), "u")) for word in words] + [ord("u")], dtype=np.uint8)
    table[place, segment] = codes[numbers]
    return ",".join(row.tobytes().decode("ascii").rstrip(NOT_ASKED) for row in table)


def _times(rows: pd.DataFrame, order: Mapping[str, int]) -> dict[str, list[list[float]]]:
    """Return start and end of each window in seconds, by place of the recording; alike for all features."""
    known = rows.drop_duplicates(["video_id", "segment"]).sort_values(["video_id", "segment"])
    found: dict[str, list[list[float]]] = {}
    columns = (known["video_id"], known["segment"], known["start_s"], known["end_s"])
    for video, segment, start, end in zip(*columns, strict=True):
        spans = found.setdefault(str(order[video]), [])
        while len(spans) < int(segment):
            spans.append([0, 0])  # a window that was never asked
        spans.append([round(float(start), 2), round(float(end), 2)])
    return found


def _texts(
    segments: pd.DataFrame, runs: Sequence[ShownRun], order: Mapping[str, int]
) -> tuple[dict[str, Any], int]:
    """Return what models wrote by run, feature, recording and window; and how many texts found no room."""
    # What could not be read is shown as it was written: its justification alone would not say why.
    explained = segments["justification"].notna() & (segments["answer"] != "unparsed")
    text = segments["justification"].where(explained, segments["raw"])
    numbers, said = text.factorize()
    bare = [str(words)[:12].strip().strip(".!").lower() for words in said]
    told = np.array([words not in BARE for words in bare] + [False], dtype=bool)
    kept = segments[told[numbers]]
    if kept.empty:
        return {}, 0
    rank = {each.key: (not each.main, i) for i, each in enumerate(runs)}
    run = kept["run"].astype(str).tolist()
    ranks = np.array([rank[key] for key in run])
    right = (kept["answer"] == kept["truth"]).to_numpy(dtype=bool)
    found: dict[str, Any] = {}
    spent, shown = 0, 0
    columns = [kept[name] for name in ("feature", "video_id", "segment")]
    texts = text[told[numbers]]
    places: list[int] = np.lexsort((ranks[:, 1], right, ranks[:, 0])).tolist()
    for i in places:
        if spent > TEXT_BUDGET:
            break
        feature, video, segment = (str(column.iat[i]) for column in columns)
        short = shown_text(str(texts.iat[i]), TEXT_LENGTH)
        spent += len(short) + 12
        shown += 1
        by_feature = found.setdefault(run[i], {}).setdefault(feature, {})
        by_feature.setdefault(str(order[video]), {})[segment] = short
    return found, len(kept) - shown
