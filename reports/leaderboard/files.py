"""Reading, checking, merging and writing leaderboard files."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from semiology.data.cache import written_whole
from semiology.render.text import json_text
from semiology.render.validation import faults_of
from semiology.reports.leaderboard.models import FORMAT, VERSION, Board
from semiology.versions import installed_versions

MOST_BYTES = 50_000_000
_SHOWN = 10


class LeaderboardError(ValueError):
    """A leaderboard file cannot be used; the message names file, place and fix."""


def schema() -> dict[str, Any]:
    """Return the JSON schema of the current version."""
    return Board.model_json_schema()


def faults(content: Any) -> list[str]:
    """Return what is wrong with the content of a leaderboard file, each with its place; empty if nothing."""
    if isinstance(content, dict) and content.get("format") == FORMAT and content.get("version") != VERSION:
        told = f"version is {content.get('version')!r}, this software reads version {VERSION}"
        return [f"{told} → update semiology-eval, or ask for the file in this version"]
    return [
        f"{'.'.join(map(str, fault.place)) or 'file'}: {fault.message[:200]} → {fault.fix}"
        for fault in faults_of(Board, content)
    ]


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

    An entry that is there already, with the same scores, changes nothing.

    Raises:
        LeaderboardError: an entry is there with other scores, and ``replace`` is not set.
    """
    by_id = {str(entry["id"]): entry for entry in known}
    added = replaced = 0
    for entry in new:
        before = by_id.get(str(entry["id"]))
        changed = before is not None and _told(before) != _told(entry)
        if changed and not replace:
            own = entry["source"] != "published answers"
            whose = entry["submitter"] or "an unnamed laboratory" if own else entry["source"]
            raise LeaderboardError(
                f"{entry['model']['name']} of {whose} "
                f"({entry['id']}): is there already with other scores → add --replace to take the new ones; "
                "laboratories are told apart by --submitter of `semiology leaderboard export`"
            )
        added += before is None
        replaced += changed
        if before is None or changed:
            by_id[str(entry["id"])] = entry
    return list(by_id.values()), added, replaced


def write_board(path: Path, entries: Sequence[Mapping[str, Any]]) -> None:
    """Write a leaderboard, whole or not at all.

    Raises:
        LeaderboardError: what would be written breaks the schema.
    """
    software = " ".join(filter(None, ("semiology-eval", installed_versions()["semiology-eval"])))
    ordered = sorted(entries, key=lambda entry: (str(entry["model"]["name"]), str(entry["id"])))
    content = {"format": FORMAT, "version": VERSION, "software": software, "entries": ordered}
    wrong = faults(content)
    if wrong:
        raise LeaderboardError("\n  ".join(["these entries break the schema", *wrong[:_SHOWN]]))
    path.parent.mkdir(parents=True, exist_ok=True)
    with written_whole(path) as part:
        part.write_text(json_text(content) + "\n", encoding="utf-8")


def _told(entry: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in entry.items() if key not in ("submitted", "submitter")}


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is no JSON number")
