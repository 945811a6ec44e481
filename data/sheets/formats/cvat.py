"""CVAT: the annotations of a task's backup (JSON), its own XML exports, and exports in the Datumaro format.

A backup counts the frames of the task, which may begin late in the film and take every n-th picture only; exports
count the frames of the film.
"""

from __future__ import annotations

import json
import re
import tempfile
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from semiology.data.sheets.formats.events import Event, package_missing, unreadable
from semiology.data.sheets.terms import key_of, terms

_ZIPPED = ("annotations.xml", "annotations.json")
_LARGEST = 512 * 2**20
"""Bytes that a packed export may unpack to."""


def is_cvat(content: Any) -> bool:
    """Return whether JSON is a task's annotations, or a Datumaro export."""
    job = content[0] if isinstance(content, list) and content else content
    return isinstance(job, dict) and ("tracks" in job or {"categories", "items"} <= set(job))


def cvat_events(content: Any, path: Path) -> list[Event]:
    """Return the tracks, tags and shapes as events; their times are frames of the film from 0.

    A label of single frames is one event for each run of neighbouring frames. The recording is named like the task
    (``task.json`` beside the file, which also tells where in the film the task begins and which frames it takes), or
    like the file.

    Raises:
        ValueError: ``task.json`` takes frames by a filter that is not understood.
    """
    video, first_frame, step = _task(path)
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
    return [_in_film(event, first_frame, step) for event in events]


def cvat_xml_events(path: Path) -> list[Event]:
    """Return the tracks, tags and shapes of an XML export (for video or images, of a job, task or project) as events.

    Their times are frames of the film from 0. The recording is named like the film that CVAT took, else like the task,
    else like the file.

    Raises:
        RecordingSetError: the file is no such export, or its package is not installed.
    """
    try:
        from defusedxml import DefusedXmlException, ElementTree
    except ImportError:
        raise package_missing(path, "defusedxml") from None
    try:
        root = ElementTree.parse(path).getroot()
    except (OSError, ElementTree.ParseError, DefusedXmlException) as error:
        raise unreadable(path, "export of CVAT", error) from None
    if root.tag != "annotations":
        raise unreadable(path, "export of CVAT", f"its first element is <{root.tag}>, not <annotations>")
    try:
        return list(_xml_events(root, path))
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise unreadable(path, "export of CVAT", f"{type(error).__name__}: {error}") from None


def _xml_events(root: Any, path: Path) -> Iterator[Event]:
    names = {
        task.findtext("id", ""): task.findtext("source") or task.findtext("name") or path.stem
        for task in root.iterfind("./meta//task")
    }
    only = next(iter(names.values()), path.stem) if len(names) < 2 else ""
    steps = {
        task.findtext("id", ""): _step(task.findtext("frame_filter") or "")
        for task in (*root.iterfind("./meta//task"), *root.iterfind("./meta/job"))
    }
    step = next(iter(steps.values()), 1) if len(steps) < 2 else 1
    film = root.findtext("./meta/source") or only

    def name_of(element: Any) -> str:
        return str(film or names[element.attrib["task_id"]])

    singles: dict[tuple[str, str, str], list[int]] = {}
    for track in root.iterfind("track"):
        shapes = [
            {"frame": int(each.attrib["frame"]), "outside": each.attrib.get("outside") == "1"}
            for each in track
            if "frame" in each.attrib
        ]
        video, label, side = name_of(track), track.attrib["label"], _xml_side([track, *track])
        here = steps.get(track.attrib.get("task_id", ""), step)
        for onset, offset in _shown({"shapes": shapes}):
            if offset == onset + here:  # a shape of one frame is exported as a track
                singles.setdefault((video, label, side), []).append(onset)
            else:
                yield Event(video, label, onset, offset, side)
    for image in root.iterfind("image"):
        for shape in image:
            key = (name_of(image), shape.attrib["label"], _xml_side([shape]))
            singles.setdefault(key, []).append(int(image.attrib["id"]))
    for (video, label, side), frames in singles.items():
        for first, last in _runs(sorted(set(frames)), step):
            yield Event(video, label, first, last, side)


def _xml_side(elements: Sequence[Any]) -> str:
    """Return the value of an ``<attribute>`` that is a side, of the first element that has one."""
    found = (
        _side([{"value": each.text or ""} for each in place.iterfind("attribute")]) for place in elements
    )
    return next((side for side in found if side), "")


def cvat_zip_events(path: Path) -> list[Event]:
    """Return the events of a packed export or backup, as CVAT hands it out.

    Raises:
        RecordingSetError: the file is damaged, too large, or holds no ``annotations.xml`` or ``annotations.json``.
    """
    try:
        with zipfile.ZipFile(path) as archive, tempfile.TemporaryDirectory() as folder:
            inside = {
                name: archive.getinfo(name) for name in (*_ZIPPED, "task.json") if name in archive.namelist()
            }
            name = next((name for name in _ZIPPED if name in inside), None)
            if name is None:
                raise unreadable(path, "export of CVAT", f"it holds no {' and no '.join(_ZIPPED)}")
            if sum(entry.file_size for entry in inside.values()) > _LARGEST:
                raise unreadable(path, "export of CVAT", "it unpacks to more than 512 MiB")
            for entry in inside:
                (Path(folder) / entry).write_bytes(archive.read(entry))
            unpacked = Path(folder) / name
            if name.endswith(".xml"):
                return cvat_xml_events(unpacked)
            return cvat_events(json.loads(unpacked.read_text(encoding="utf-8-sig")), unpacked)
    except (OSError, zipfile.BadZipFile, ValueError, KeyError, TypeError, AttributeError) as error:
        raise unreadable(path, "export of CVAT", error) from None


def _task(path: Path) -> tuple[str, int, int]:
    """Return the name of the task of a backup, its first frame in the film, and its step in frames."""
    try:
        task = json.loads((path.parent / "task.json").read_text(encoding="utf-8"))
        data = task.get("data") or {}
        return (
            str(task["name"]),
            int(data.get("start_frame") or 0),
            _step(str(data.get("frame_filter") or "")),
        )
    except (OSError, json.JSONDecodeError, KeyError, TypeError, AttributeError):
        return path.stem, 0, 1


def _step(frame_filter: str) -> int:
    """Return n of CVAT's ``step=n``.

    Raises:
        ValueError: the filter says something else.
    """
    if not frame_filter:
        return 1
    if found := re.fullmatch(r"\s*step\s*=\s*([1-9]\d*)\s*", frame_filter):
        return int(found[1])
    raise ValueError(f"the frame filter {frame_filter!r} is not understood")


def _in_film(event: Event, first: int, step: int) -> Event:
    """Return an event whose frames of the task became frames of the film."""
    onset, offset = (None if frame is None else first + step * frame for frame in (event.onset, event.offset))
    return replace(event, onset=onset, offset=offset)


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


def _runs(frames: Sequence[int], step: int = 1) -> Iterator[tuple[int, int]]:
    """Yield the first and last of neighbouring frames, which are ``step`` apart."""
    first = last = frames[0]
    for frame in frames[1:]:
        if frame > last + step:
            yield first, last
            first = frame
        last = frame
    yield first, last
