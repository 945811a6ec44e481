"""What the page knows of single recordings: windows, answers, truth, times of features, and what models wrote.

It is packed into short strings, one character per recording or window, so that 2 million answers and 438
recordings stay a page that opens at once. Texts are shortened, wrong answers first, up to a budget.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from semiology.features import FEATURES
from semiology.render.text import shown_text
from semiology.reports.summary.run_labels import ShownRun

if TYPE_CHECKING:
    import pandas as pd

    from semiology.reports.page.recording_set_facts import RecordingSetFacts

CODES = {"yes": "y", "no": "n", "na": "a", "unparsed": "u"}
NOT_ASKED = "."
BARE = frozenset(("", "yes", "no", "na", "n/a", "nan", "none"))
"""Replies that say no more than the answer."""
TEXT_LENGTH = 600
TEXT_BUDGET = 2_000_000
"""Characters of one text, and of all texts of a page."""
WINDOW_BUDGET = 2_000_000
"""Window answers of a page; main runs come first."""


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
        segments: one row per answer to a window, with the column ``prompt``.
        recordings: one row per run, recording and feature: answers as scored.
        names: what each video is called on the page, in order.
        facts: times of features and lengths of recordings, where the recording set was given.

    ``answers[run][feature]`` has one character per recording; ``windows[run][feature]`` the
    characters of each recording, parted by commas (empty: none), in the order of ``times[run][recording]``.
    """
    order = {video: i for i, video in enumerate(names)}
    keys: dict[tuple[str, ...], str] = {
        (r.summary.model, r.summary.prompt, r.summary.enhancement): r.key for r in runs
    }
    features = [name for name in FEATURES if name in set(recordings["feature"])]
    data: dict[str, Any] = {
        "recordings": list(names.values()),
        "features": features,
        "truth": _truths(recordings, order),
        "answers": _answers(recordings, keys, order),
    }
    data |= _windows(segments, runs, keys, order)
    data["texts"], data["texts_left_out"] = _texts(segments, runs, keys, order)
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


def _packed(codes: Iterable[str], places: Iterable[int], length: int) -> str:
    row = [NOT_ASKED] * length
    for code, place in zip(codes, places, strict=True):
        row[place] = code
    return "".join(row)


def _truths(recordings: pd.DataFrame, order: Mapping[str, int]) -> dict[str, str]:
    known = recordings.drop_duplicates(["video_id", "feature"])
    found = {}
    for feature, part in known.groupby("feature", observed=True):
        codes = part["truth"].map(CODES).astype(object).fillna(NOT_ASKED)
        found[str(feature)] = _packed(codes, part["video_id"].map(order), len(order))
    return found


def _answers(
    recordings: pd.DataFrame, keys: Mapping[tuple[str, ...], str], order: Mapping[str, int]
) -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = {}
    by = ["model", "prompt_id", "enhancement", "feature"]
    for (model, prompt, enhancement, feature), part in recordings.groupby(by, observed=True):
        key = keys[str(model), str(prompt), str(enhancement)]
        codes = part["answer"].map(CODES)
        found.setdefault(key, {})[str(feature)] = _packed(codes, part["video_id"].map(order), len(order))
    return found


def _windows(
    segments: pd.DataFrame,
    runs: Sequence[ShownRun],
    keys: Mapping[tuple[str, ...], str],
    order: Mapping[str, int],
) -> dict[str, Any]:
    """Return window answers and times by run; runs beyond the budget have none and are named.

    Where a run has the times of an earlier one, the key of that one stands for them.
    """
    times: dict[str, dict[str, Any] | str] = {}
    windows: dict[str, dict[str, str]] = {}
    left_out: list[str] = []
    spent = 0
    parts = {
        keys[str(model), str(prompt), str(enhancement)]: part
        for (model, prompt, enhancement), part in segments.groupby(
            ["model", "prompt", "enhancement"], observed=True
        )
        if (str(model), str(prompt), str(enhancement)) in keys
    }
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
    table[place, segment] = _codes(rows["answer"])
    return ",".join(row.tobytes().decode("ascii").rstrip(NOT_ASKED) for row in table)


def _codes(answers: pd.Series[str]) -> npt.NDArray[np.uint8]:
    """Return the character of each answer."""
    numbers, words = answers.factorize()
    known = np.array([ord(CODES.get(str(word), "u")) for word in words] + [ord("u")], dtype=np.uint8)
    return np.asarray(known[numbers])


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
    segments: pd.DataFrame,
    runs: Sequence[ShownRun],
    keys: Mapping[tuple[str, ...], str],
    order: Mapping[str, int],
) -> tuple[dict[str, Any], int]:
    """Return what models wrote by run, feature, recording and window; and how many texts found no room."""
    # What could not be read is shown as it was written: its justification alone would not say why.
    explained = segments["justification"].notna() & (segments["answer"] != "unparsed")
    text = segments["justification"].where(explained, segments["raw"])
    numbers, said = text.factorize()
    told = np.array([_bare(str(words)) not in BARE for words in said] + [False], dtype=bool)
    kept = segments[told[numbers]]
    if kept.empty:
        return {}, 0
    names = ["model", "prompt", "enhancement"]
    group = kept.groupby(names, observed=True, sort=True).ngroup().to_numpy()
    labels = kept[names].drop_duplicates().sort_values(names).itertuples(index=False, name=None)
    run = [keys.get(tuple(map(str, label)), "") for label in labels]
    rank = {each.key: (not each.main, i) for i, each in enumerate(runs)}
    ranks = np.array([rank.get(key, (True, len(rank))) for key in run])[group]
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
        by_feature = found.setdefault(run[group[i]], {}).setdefault(feature, {})
        by_feature.setdefault(str(order[video]), {})[segment] = short
    return found, len(kept) - shown


def _bare(text: str) -> str:
    return text[:12].strip().strip(".!").lower()
