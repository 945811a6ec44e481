"""Reading, checking, merging and writing leaderboard files."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from importlib.resources import files
from pathlib import Path
from typing import Any

from semiology.data.cache import written_whole
from semiology.reports.leaderboard.entries import entry_id

FORMAT, VERSION = "semiology-leaderboard", 1
MOST_BYTES = 50_000_000
_SHOWN = 10


class LeaderboardError(ValueError):
    """A leaderboard file cannot be used; the message names file, place and fix."""


@cache
def schema() -> dict[str, Any]:
    """Return the JSON schema of the current version."""
    text = files("semiology.reports.leaderboard").joinpath("schema.json").read_text(encoding="utf-8")
    loaded: dict[str, Any] = json.loads(text)
    return loaded


def board(entries: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return a leaderboard of entries, in the order of their ids."""
    ordered = sorted(entries, key=lambda entry: (str(entry["model"]["name"]), str(entry["id"])))
    return {"format": FORMAT, "version": VERSION, "software": _software(), "entries": list(ordered)}


def faults(content: Any) -> list[str]:
    """Return what is wrong with the content of a leaderboard file, each with its place; empty if nothing."""
    from jsonschema import Draft202012Validator

    if isinstance(content, dict) and content.get("format") == FORMAT and content.get("version") != VERSION:
        told = f"version is {content.get('version')!r}, this software reads version {VERSION}"
        return [f"{told} → update semiology-eval, or ask for the file in this version"]
    found = [
        f"{_place(error.absolute_path)}: {error.message[:200]}"
        for error in sorted(
            Draft202012Validator(schema()).iter_errors(content), key=lambda error: list(map(str, error.path))
        )
    ]
    if found:
        return found
    ids = [entry["id"] for entry in content["entries"]]
    found += [f"entries: the id {name} stands twice" for name in sorted({n for n in ids if ids.count(n) > 1})]
    for number, entry in enumerate(content["entries"]):
        if entry["id"] != entry_id(entry):
            found.append(f"entries.{number}.id: is not that of its model, protocol and data; was it edited?")
        found += _wrong_intervals(entry, number)
    return found


def read_board(path: Path) -> dict[str, Any]:
    """Read a leaderboard file.

    Raises:
        LeaderboardError: it is missing, too large, no JSON, or breaks the schema; every fault is listed.
    """
    if not path.is_file():
        raise LeaderboardError(f"{path}: there is no such file → `semiology leaderboard export` writes one")
    if path.stat().st_size > MOST_BYTES:
        raise LeaderboardError(
            f"{path}: is larger than {MOST_BYTES // 1_000_000} MB → this is no leaderboard"
        )
    try:
        content = json.loads(path.read_text(encoding="utf-8"), parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise LeaderboardError(f"{path}: is no JSON ({error}) → export it again") from error
    wrong = faults(content)
    if wrong:
        more = [f"… and {len(wrong) - _SHOWN} more"] if len(wrong) > _SHOWN else []
        raise LeaderboardError("\n  ".join([f"{path}: breaks the schema", *wrong[:_SHOWN], *more]))
    checked: dict[str, Any] = content
    return checked


def merged(
    known: Sequence[Mapping[str, Any]], new: Sequence[Mapping[str, Any]], *, replace: bool = False
) -> tuple[list[Mapping[str, Any]], int, int]:
    """Return all entries, with the numbers of those added and of those replaced.

    An entry that is there already, with the same figures, changes nothing.

    Raises:
        LeaderboardError: an entry is there with other figures, and ``replace`` is not set.
    """
    by_id = {str(entry["id"]): entry for entry in known}
    added = replaced = 0
    for entry in new:
        before = by_id.get(str(entry["id"]))
        if before is not None and _figures(before) != _figures(entry) and not replace:
            raise LeaderboardError(
                f"{entry['model']['name']} of {_origin(entry)} "
                f"({entry['id']}): is there already with other figures → add --replace to take the new ones; "
                "laboratories are told apart by --submitter of `semiology leaderboard export`"
            )
        added += before is None
        replaced += before is not None and _figures(before) != _figures(entry)
        if before is None or _figures(before) != _figures(entry):
            by_id[str(entry["id"])] = entry
    return list(by_id.values()), added, replaced


def _origin(entry: Mapping[str, Any]) -> str:
    if entry["source"] != "run":
        return "published answers"
    return entry["submitter"] or "an unnamed laboratory"


def write_board(path: Path, entries: Sequence[Mapping[str, Any]]) -> None:
    """Write a leaderboard, whole or not at all.

    Raises:
        LeaderboardError: what would be written breaks the schema.
    """
    content = board(entries)
    wrong = faults(content)
    if wrong:
        raise LeaderboardError("\n  ".join(["these entries break the schema", *wrong[:_SHOWN]]))
    path.parent.mkdir(parents=True, exist_ok=True)
    with written_whole(path) as part:
        part.write_text(
            json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False) + "\n", encoding="utf-8"
        )


def _figures(entry: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in entry.items() if key not in ("submitted", "submitter")}


def _wrong_intervals(entry: Mapping[str, Any], number: int) -> list[str]:
    found = []
    for kind in ("macro", "features"):
        for place, row in enumerate(entry[kind]):
            for name, score in row["scores"].items():
                low, value, high = (score[key] for key in ("low", "value", "high"))
                if (low is None) != (high is None) or (low is not None and (value is None or low > high)):
                    found.append(f"entries.{number}.{kind}.{place}.scores.{name}: is no interval")
    return found


def _place(path: Any) -> str:
    return ".".join(str(part) for part in path) or "file"


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is no JSON number")


def _software() -> str:
    try:
        return f"semiology-eval {version('semiology-eval')}"
    except PackageNotFoundError:
        return "semiology-eval"
