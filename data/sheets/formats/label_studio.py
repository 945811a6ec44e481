"""Label Studio's exports (JSON and JSON-MIN) of films that were labelled on a time line."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import unquote, urlsplit

from semiology.data.sheets.formats.events import Event
from semiology.data.sheets.terms import heading_of, key_of, terms
from semiology.features import FEATURES

_LABELS = ("timelinelabels", "labels", "videorectanglelabels", "choices")
_UPLOAD = re.compile(r"^[0-9a-f]{8}-(?=.)")
_FILM = re.compile(r"\.(mp4|mov|avi|mkv|m4v|wmv|mpg|mpeg|webm|flv|ts|3gp)$", re.IGNORECASE)


def is_label_studio(content: Any) -> bool:
    """Return whether JSON is an export of Label Studio."""
    return (
        isinstance(content, list)
        and bool(content)
        and all(
            isinstance(task, dict) and ({"data", "annotations"} <= set(task) or _film_of(task))
            for task in content
        )
    )


def label_studio_events(
    content: Sequence[Mapping[str, Any]], path: Path, fps: float | None
) -> tuple[list[Event], bool]:
    """Return the events of an export, in seconds, and whether the frame rate is needed for some of them.

    Frames count from 1, at the rate that the project's Video tag names, which need not be the film's: ``fps``, unless a
    region tells it by its number of frames and its length. Annotations that were cancelled are left out.
    """
    events: list[Event] = []
    rate_needed = False
    for task in content:
        video = _film_of(task.get("data", task)) or f"{path.stem}_{task.get('id', '')}"
        if "annotations" in task:
            results = [
                result
                for annotation in task["annotations"]
                if not annotation.get("was_cancelled")
                for result in annotation.get("result", ())
            ]
            regions = [(str(each.get("from_name", "")), each.get("value", {})) for each in results]
        else:
            regions = [(name, value) for name, held in task.items() for value in _regions(held)]
        for name, value in regions:
            count, length = value.get("framesCount"), value.get("duration")
            rate = float(count) / float(length) if count and length else fps
            found, counted = _events_of(video, name, value, rate)
            events += found
            rate_needed = rate_needed or (counted and rate is None)
    return events, rate_needed


def _regions(held: Any) -> Iterator[Mapping[str, Any]]:
    if isinstance(held, list):
        yield from (each for each in held if isinstance(each, dict))
    elif isinstance(held, dict):
        yield held
    elif isinstance(held, str):
        yield {"choices": [held]}


def _film_of(data: Mapping[str, Any]) -> str:
    """Return the name of the film among a task's data, without the prefix that an upload gets."""
    for value in data.values():
        if isinstance(value, str):
            name = PurePosixPath(unquote(urlsplit(value).path)).name
            if _FILM.search(name):
                return _UPLOAD.sub("", name)
    return ""


def _events_of(
    video: str, name: str, value: Mapping[str, Any], rate: float | None
) -> tuple[list[Event], bool]:
    """Return the events of one region, and whether it counts frames; these become seconds by the ``rate``."""
    labels = [str(label) for kind in _LABELS for label in value.get(kind) or ()]
    if not labels:
        return [], False
    ranges = value.get("ranges") or ()
    if not ranges and (sequence := value.get("sequence")):
        ranges = list(_enabled(sequence))
    if ranges:
        spans = [
            [round((int(each[end]) - 1) / rate, 3) if rate else None for end in ("start", "end")]
            for each in ranges
        ]
        return [Event(video, label, onset, offset) for label in labels for onset, offset in spans], True
    if "start" in value and "choices" not in value:
        start, end = float(value["start"]), float(value.get("end", value["start"]))
        return [Event(video, label, start, end) for label in labels], False
    if heading_of(name).role in FEATURES and key_of(labels[0]) in terms().present:
        return [Event(video, name, present=labels[0])], False
    return [Event(video, label) for label in labels], False


def _enabled(sequence: Sequence[Mapping[str, Any]]) -> Iterator[Mapping[str, int]]:
    """Yield the stretches in which a box is shown."""
    start: int | None = None
    for each in sequence:
        start = int(each["frame"]) if start is None else start
        if not each.get("enabled", True):
            yield {"start": start, "end": int(each["frame"])}
            start = None
    if start is not None:
        yield {"start": start, "end": int(sequence[-1]["frame"])}
