"""S3 tasks 4 and 5 on the time of the recording: when the experts saw each feature, when the model says it did.

Task 4 asks for an onset in a clip, whose place in the recording is known. Task 5 asks for the order of features in each
window: a time only as exact as the window, with the feature's place in the list.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from semiology.features import FEATURES
from semiology.render.text import rounded
from semiology.reports.read.s3_answers import S3Results

TIMELINES = "s3_timelines"
"""Name of the table of cases, beside those of tasks."""
SEIZURE: Mapping[str, str] = {"start": "seizure start", "end": "seizure end"}
"""Names of the times of the whole seizure, which are asked as features are."""


@dataclass(frozen=True)
class Told:
    """An onset that a model gave (task 4), in seconds of the recording; None if it could not be read.

    ``form`` is how the clip was placed; the clip reaches from ``start_s`` to ``end_s``.
    """

    time_s: float | None
    form: str
    start_s: float
    end_s: float


@dataclass(frozen=True)
class Listed:
    """A window in whose order of features (task 5) a model names one, at ``place`` (from 1)."""

    start_s: float
    end_s: float
    place: int


@dataclass
class TimedFeature:
    """One line: a feature, or start or end of the seizure.

    Attributes:
        onset_s, offset_s: of the expert; None where not known or not seen.
        told, listed: of the model.
    """

    onset_s: float | None = None
    offset_s: float | None = None
    told: list[Told] = field(default_factory=list)
    listed: list[Listed] = field(default_factory=list)


@dataclass(frozen=True)
class TimeLine:
    """What one run says of the times of one recording.

    Attributes:
        model, prompt, enhancement: of the run. video_id, patient_id: of the recording.
        length_s: of what is drawn: the recording's length, or the last time known.
        features: lines by name; start and end of the seizure first, then by the expert's onset.
    """

    model: str
    prompt: str
    enhancement: str
    video_id: str
    patient_id: str
    length_s: float
    features: Mapping[str, TimedFeature]


Bars = Mapping[str, Mapping[str, Sequence[float | None]]]


def time_lines(
    results: S3Results, bars: Bars | None = None, lengths: Mapping[str, float] | None = None
) -> tuple[TimeLine, ...]:
    """Return a time line for each run and recording that was asked tasks 4 or 5.

    Args:
        results: answers to the S3 tasks.
        bars: onset and offset of features that experts timed, by feature and video; without them there are no offsets.
        lengths: seconds of recordings, by video.
    """
    lines: dict[tuple[str, ...], dict[str, TimedFeature]] = {}
    for record in results.records:
        if record["kind"] not in ("time", "sequence") or record.get("start_s") is None:
            continue
        key = tuple(str(record[n]) for n in ("model", "prompt_id", "enhancement", "video_id", "patient_id"))
        features = lines.setdefault(key, {})
        (_add_time if record["kind"] == "time" else _add_window)(features, record)
    found = []
    for (model, prompt, enhancement, video, patient), features in sorted(lines.items()):
        for name, by_video in (bars or {}).items():
            if video in by_video and name in FEATURES:
                one = features.setdefault(name, TimedFeature())
                one.onset_s, one.offset_s = by_video[video]
        length = (lengths or {}).get(video) or _last(features)
        ordered = dict(sorted(features.items(), key=_order))
        found.append(TimeLine(model, prompt, enhancement, video, patient, length, ordered))
    return tuple(found)


def time_line_rows(lines: Sequence[TimeLine]) -> list[dict[str, Any]]:
    """Return the rows of the table: one per feature and form of clip, times in seconds of the recording."""
    rows = []
    for line in lines:
        head = {
            name: getattr(line, name) for name in ("model", "prompt", "enhancement", "video_id", "patient_id")
        }
        for name, one in line.features.items():
            windows = "; ".join(f"{w.start_s:g}-{w.end_s:g} s: {w.place}" for w in one.listed)
            every: list[Told | None] = [*one.told] or [None]
            for told in every:
                late = None
                if told and told.time_s is not None and one.onset_s is not None:
                    late = rounded(told.time_s - one.onset_s)
                rows.append(
                    head
                    | {
                        "feature": name,
                        "expert_onset_s": one.onset_s,
                        "expert_offset_s": one.offset_s,
                        "clip_form": told.form if told else None,
                        "clip_start_s": told.start_s if told else None,
                        "clip_end_s": told.end_s if told else None,
                        "answer_s": told.time_s if told else None,
                        "late_by_s": late,
                        "listed_in_windows": windows,
                    }
                )
    return rows


def _add_time(features: dict[str, TimedFeature], record: Mapping[str, Any]) -> None:
    """Add an answer of task 4; its truth gives the expert's onset."""
    start = float(record["start_s"])
    one = features.setdefault(SEIZURE.get(record["feature"], record["feature"]), TimedFeature())
    one.onset_s = round(start + float(record["truth"]), 3)
    answer = record["answer"]
    told = None if answer is None else round(start + float(answer), 3)
    one.told.append(Told(told, record.get("clip_form") or "", start, float(record.get("end_s") or start)))


def _add_window(features: dict[str, TimedFeature], record: Mapping[str, Any]) -> None:
    """Add a window of task 5, and the onsets that it carries; features of sound come with the audiovisual ones."""
    for names, onsets in (("truth", "onsets_s"), ("truth_audiovisual", "onsets_audiovisual_s")):
        for name, onset in zip(record.get(names) or (), record.get(onsets) or (), strict=False):
            one = features.setdefault(str(name), TimedFeature())
            one.onset_s = float(onset) if one.onset_s is None else one.onset_s
    start, end = float(record["start_s"]), float(record.get("end_s") or record["start_s"])
    for place, name in enumerate(dict.fromkeys(record["answer"] or ()), 1):
        if name in FEATURES:
            features.setdefault(name, TimedFeature()).listed.append(Listed(start, end, place))


def _last(features: Mapping[str, TimedFeature]) -> float:
    times = [1.0]
    for one in features.values():
        times += [t for t in (one.onset_s, one.offset_s, *(w.end_s for w in one.listed)) if t is not None]
        times += [t for told in one.told for t in (told.time_s, told.end_s) if t is not None]
    return max(times)


def _order(item: tuple[str, TimedFeature]) -> tuple[bool, bool, float, str]:
    name, one = item
    seen = one.onset_s is not None
    return name not in SEIZURE.values(), not seen, one.onset_s or 0.0, name
