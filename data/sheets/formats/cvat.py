"""CVAT's JSON: the annotations of a task's backup, and exports in the Datumaro format."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from semiology.data.sheets.formats.events import Event
from semiology.data.sheets.terms import key_of, terms


def is_cvat(content: Any) -> bool:
    """Return whether JSON is a task's annotations, or a Datumaro export."""
    job = content[0] if isinstance(content, list) and content else content
    return isinstance(job, dict) and ("tracks" in job or {"categories", "items"} <= set(job))


def cvat_events(content: Any, path: Path) -> list[Event]:
    """Return the tracks, tags and shapes as events; their times are frames from 0.

    A label of single frames is one event for each run of neighbouring frames. The recording is named like the task
    (``task.json`` beside the file), or like the file.
    """
    video = _task_name(path)
    jobs = content if isinstance(content, list) else [content]
    events: list[Event] = []
    singles: dict[tuple[str, str], list[int]] = {}
    for job in jobs:
        for track in job.get("tracks", ()):
            side = _side(track.get("attributes", ()))
            events += [Event(video, str(track["label"]), *span, side) for span in _shown(track)]
        for each in (*job.get("tags", ()), *job.get("shapes", ())):
            key = (str(each["label"]), _side(each.get("attributes", ())))
            singles.setdefault(key, []).append(int(each["frame"]))
        for label, side, frame in _datumaro(job) if "items" in job else ():
            singles.setdefault((label, side), []).append(frame)
    for (label, side), frames in singles.items():
        events += [Event(video, label, first, last, side) for first, last in _runs(sorted(set(frames)))]
    return events


def _task_name(path: Path) -> str:
    try:
        return str(json.loads((path.parent / "task.json").read_text(encoding="utf-8"))["name"])
    except (OSError, ValueError, KeyError, TypeError):
        return path.stem


def _shown(track: Mapping[str, Any]) -> Iterator[tuple[int, int | None]]:
    """Yield the stretches of frames in which a track is not outside the picture."""
    start: int | None = None
    for shape in track.get("shapes", ()):
        if not shape.get("outside") and start is None:
            start = int(shape["frame"])
        elif shape.get("outside") and start is not None:
            yield start, int(shape["frame"])
            start = None
    if start is not None:
        yield start, None


def _side(attributes: Any) -> str:
    """Return the value of an attribute that is a side."""
    if isinstance(attributes, dict):
        values = list(attributes.values())
    else:
        values = [each.get("value", "") for each in attributes if isinstance(each, dict)]
    return next((str(value) for value in values if key_of(str(value)) in terms().sides), "")


def _datumaro(job: Mapping[str, Any]) -> Iterator[tuple[str, str, int]]:
    """Yield (label, side, frame) of each annotation of a Datumaro export."""
    labels = [str(each["name"]) for each in job["categories"]["label"]["labels"]]
    for item in job["items"]:
        number = item.get("attr", {}).get("frame")
        digits = re.search(r"(\d+)$", str(item.get("id", "")))
        frame = int(number) if number is not None else int(digits[1]) if digits else None
        for each in item.get("annotations", ()):
            if frame is not None and not each.get("attributes", {}).get("outside"):
                yield labels[each["label_id"]], _side(each.get("attributes", {})), frame


def _runs(frames: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Yield the first and last of neighbouring frames."""
    first = last = frames[0]
    for frame in frames[1:]:
        if frame > last + 1:
            yield first, last
            first = frame
        last = frame
    yield first, last
