"""BORIS's projects (.boris) and its exported tables of events."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path, PureWindowsPath
from typing import Any

from semiology.data.sheets.formats.events import Event, event_grid, unreadable
from semiology.data.sheets.grid import Grid
from semiology.data.sheets.terms import key_of, terms


def boris_events(path: Path) -> list[Event]:
    """Return the events of all observations of a project; a state's events are paired to start and stop.

    Raises:
        RecordingSetError: the file is no project.
    """
    try:
        project = json.loads(path.read_text(encoding="utf-8-sig"))
        kinds = {str(each["code"]): str(each["type"]) for each in project["behaviors_conf"].values()}
        events = []
        for name, observation in project["observations"].items():
            video = _film(observation) or str(name)
            shift = float(observation.get("time offset") or 0)
            marks = [
                (float(time) - shift, str(behaviour), str(modifier or ""), str(comment or ""))
                for time, _subject, behaviour, modifier, comment, *_ in observation["events"]
            ]
            events += _paired(video, marks, kinds)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise unreadable(path, "BORIS project", error) from None
    return events


def _film(observation: Mapping[str, Any]) -> str:
    """Return the name of the first film of an observation's first player."""
    players = observation.get("file") or {}
    files = players.get("1") if isinstance(players, dict) else players
    return PureWindowsPath(str(files[0])).name if files else ""


def _paired(
    video: str, marks: Sequence[tuple[float, str, str, str]], kinds: Mapping[str, str]
) -> list[Event]:
    """Return events with both ends; a state that is never stopped has no end."""
    events: list[Event] = []
    running: dict[tuple[str, str], int] = {}
    for time, behaviour, modifier, comment in sorted(marks):
        state = kinds.get(behaviour, "").lower().startswith("state")
        key = (behaviour, modifier)
        if state and key in running:
            at = running.pop(key)
            begun = events[at]
            events[at] = Event(video, behaviour, begun.onset, time, begun.side, begun.comment or comment)
            continue
        side = next((part for part in modifier.split("|") if key_of(part) in terms().sides), "")
        rest = comment or ("" if side else modifier)
        if state:
            running[key] = len(events)
        events.append(Event(video, behaviour, time, None, side, rest))
    return events


def boris_table(grid: Grid) -> Grid | None:
    """Return a table that BORIS exported (events, or aggregated events) as a sheet; None if it is none."""
    for at in range(min(30, len(grid.rows))):
        heads = {key_of(grid.text(at, column)): column for column in range(len(grid.rows[at]))}
        if (
            "behavior" in heads
            and "behavior type" in heads
            and ("observation id" in heads or "media file name" in heads)
        ):
            break
    else:
        return None

    def cell(row: int, *names: str) -> str:
        found = next((heads[name] for name in names if name in heads), None)
        return "" if found is None else grid.text(row, found)

    marks: dict[str, list[tuple[float, str, str, str]]] = {}
    kinds: dict[str, str] = {}
    events: list[Event] = []
    for row in range(at + 1, len(grid.rows)):
        behaviour = cell(row, "behavior")
        if not behaviour:
            continue
        film = PureWindowsPath(cell(row, "media file name", "media file").split(";")[0]).name
        video = film or cell(row, "observation id")
        modifier = "|".join(cell(row, name) for name in heads if name.startswith("modifier"))
        comment = cell(row, "comment", "comment start")
        kind = cell(row, "behavior type").upper()
        if "start s" in heads:
            start, stop = _number(cell(row, "start s")), _number(cell(row, "stop s"))
            side = next((part for part in modifier.split("|") if key_of(part) in terms().sides), "")
            events.append(Event(video, behaviour, start, stop if stop != start else None, side, comment))
        elif (time := _number(cell(row, "time", "start"))) is not None:
            kinds[behaviour] = "state" if kind in ("START", "STOP", "STATE") else "point"
            marks.setdefault(video, []).append((time, behaviour, modifier, comment))
    for video, each in marks.items():
        events += _paired(video, each, kinds)
    return event_grid(grid.name, events)


def _number(text: str) -> float | None:
    try:
        return float(text.replace(",", "."))
    except ValueError:
        return None
