"""Recordings, films and patients by the names that a sheet gives them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from semiology.data.importers.wide import stem_of
from semiology.data.media.probe import MediaError, probe
from semiology.data.problems import Problem, RecordingSetError
from semiology.data.sheets.mapping import Notes, SheetMapping
from semiology.data.sheets.terms import key_of
from semiology.data.tables.cells import CellError, looks_dated, parse_identifier

FILM_SUFFIXES = frozenset({
    ".mp4", ".mov", ".avi", ".mkv", ".m4v", ".wmv", ".mpg", ".mpeg", ".webm", ".flv", ".ts", ".m2ts", ".mts", ".3gp",
    ".asf", ".vob",
})  # fmt: skip


@dataclass(frozen=True)
class Film:
    """A film on disk; length in s and frames per second are None where it cannot be read."""

    path: Path
    duration_s: float | None = None
    fps: float | None = None
    fault: str = ""


def films_in(folder: Path) -> dict[str, Path]:
    """Return the films of a folder and the folders in it by the name that joins them to tables.

    Raises:
        RecordingSetError: there is none, or two have the same name.
    """
    found: dict[str, Path] = {}
    problems = []
    folder = folder.expanduser()
    for path in sorted(folder.rglob("*")):
        if path.is_file() and path.suffix.lower() in FILM_SUFFIXES and not path.name.startswith("."):
            first = found.setdefault(stem_of(path.name), path)
            if first is not path:
                message = f"has the same name as {first.relative_to(folder)}"
                problems.append(Problem(str(path.relative_to(folder)), None, message, "rename one of them"))
    if not found:
        fix = f"give the folder with the films ({', '.join(sorted(FILM_SUFFIXES))})"
        problems.append(Problem(str(folder), None, "holds no film", fix))
    if problems:
        raise RecordingSetError(problems)
    return found


def opened(path: Path) -> Film:
    """Return what a film says of itself."""
    try:
        info = probe(path)
    except MediaError as error:
        return Film(path, fault=str(error))
    return Film(path, round(info.duration_s, 3), info.fps)


def without_zeros(text: str) -> str:
    """Return a name without the zeros that its numbers begin with."""
    return re.sub(r"(?<!\d)0+(?=\d)", "", text)


def matched(names: Sequence[str], known: Sequence[str], notes: Notes, kind: str) -> dict[str, str]:
    """Return the known name (of a film, or an id) for each name of a sheet that means one beyond doubt.

    Folder, suffix and case do not count; lost zeros, blanks and punctuation are told.
    """
    exact = {stem_of(name): name for name in known}
    loose: dict[str, list[str]] = {}
    for name in known:
        loose.setdefault(_loose(name), []).append(name)
    wanted: dict[str, set[str]] = {}
    for name in names:
        wanted.setdefault(_loose(name), set()).add(name)
    found = {}
    for name in dict.fromkeys(names):
        if (hit := exact.get(stem_of(name))) is not None:
            found[name] = hit
            continue
        near = loose.get(_loose(name), [])
        if len(near) == 1 and len(wanted[_loose(name)]) == 1:
            found[name] = near[0]
            why = (
                "lost zeros"
                if without_zeros(stem_of(near[0])) == without_zeros(stem_of(name))
                else "spelling"
            )
            notes.change(f"{kind} ({why})", name, near[0])
    return found


def _loose(name: str) -> str:
    return without_zeros(key_of(stem_of(name)).replace(" ", ""))


def check_zeros(ids: Sequence[str], what: str, mapping: SheetMapping, notes: Notes) -> dict[str, str]:
    """Return each id as it counts; ask whether ids that differ by leading zeros alone are the same."""
    alike: dict[str, list[str]] = {}
    for each in dict.fromkeys(ids):
        alike.setdefault(without_zeros(each), []).append(each)
    several = [group for group in alike.values() if len(group) > 1]
    counts = {each: each for each in ids}
    if several and mapping.zeros is None:
        shown = " and ".join(map(repr, several[0]))
        notes.ask(
            "zeros",
            f"The {what} ids {shown} differ by leading zeros alone, which spreadsheets drop. Are they the same?",
            ("same", "one id, written with its zeros"),
            ("different", "two ids"),
        )
    elif mapping.zeros == "same":
        for group in several:
            longest = max(group, key=len)
            for each in group:
                counts[each] = longest
                if each != longest:
                    notes.change(f"{what} (lost zeros)", each, longest)
    return counts


def patients_of(videos: Sequence[str], mapping: SheetMapping, notes: Notes) -> dict[str, str]:
    """Return the patient of each recording where no column tells it; ask how to find out."""
    if mapping.patient == "each":
        return {video: f"P_{video}" for video in videos}
    if mapping.patient:
        found = {}
        for video in videos:
            try:
                hit = re.search(mapping.patient, video)
            except re.error as error:
                notes.ask("patient", f"{mapping.patient!r} is no regular expression ({error}).")
                return {}
            if hit and hit.groups():
                found[video] = hit[1]
        if len(found) == len(videos):
            return found
        missing = next(video for video in videos if video not in found)
        notes.ask("patient", f"The pattern {mapping.patient!r} finds no patient in the name {missing!r}.")
        return {}
    first = {video: re.split(r"[_\-. ]", video, maxsplit=1)[0] for video in videos}
    guess = len({*first.values()}) < len(videos) and all(first[video] != video for video in videos)
    shown = videos[0] if videos else ""
    pattern = r"^([^_\-. ]+)"
    notes.ask(
        "patient",
        "No column tells which recordings are of one patient, which all statistics need.",
        *(
            [
                (
                    pattern,
                    f"the name's first part: {first[shown]!r} of {shown!r}, {len({*first.values()})} patients",
                )
            ]
            if guess
            else []
        ),
        ("each", "every recording is of a patient of its own"),
    )
    return {}


def must_be_new(ids: Sequence[str]) -> str:
    """Return why ids cannot be kept, or an empty text: they are no opaque ids, or hold a date."""
    for each in ids:
        try:
            parse_identifier(each)
        except CellError as error:
            return str(error)
        if looks_dated(each):
            return f"{each!r} seems to hold a date"
    return ""
