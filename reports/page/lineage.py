"""Searches for wordings, as `semiology optimize` writes them (``FEATURE/lineage.json``), ready to show."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from semiology.reports.lmms_eval_files import ResultsError
from semiology.reports.path_scrubbing import without_paths

FILE = "lineage.json"
FACTS = ("model", "objective", "proposer", "budget", "seed", "data")
LONGEST = 6000


def read_lineages(paths: Sequence[Path]) -> list[dict[str, Any]]:
    """Return one entry per search: title, note, and its candidates in order of discovery.

    Args:
        paths: files, or folders to look for `FILE` in, at any depth.

    Raises:
        ResultsError: a path does not exist, holds no search, or a file is not one.
    """
    found = []
    for path in paths:
        if not path.exists():
            raise ResultsError(f"--lineage {path}: there is no such file or folder → give a search's folder")
        files = sorted(path.rglob(FILE)) if path.is_dir() else [path]
        if not files:
            raise ResultsError(
                f"--lineage {path}: holds no {FILE} → give the folder of a search for wordings"
            )
        found += [_tree(file) for file in files]
    return found


def _tree(file: Path) -> dict[str, Any]:
    try:
        record = json.loads(file.read_text(encoding="utf-8"))
        candidates = record["candidates"]
        steps = [_step(each, record.get("chosen")) for each in candidates]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ResultsError(
            f"{file.name}: is no record of a search ({error!r}) → run the search again"
        ) from error
    facts = "; ".join(f"{name} {without_paths(str(record[name]))}" for name in _told(record))
    calls = record.get("metric_calls")
    return {
        "title": str(record.get("feature", file.parent.name)).replace("_", " "),
        "note": f"{facts}. {calls} answers were scored in the search." if calls else facts,
        "steps": steps,
    }


def _told(record: Mapping[str, Any]) -> Iterable[str]:
    return (name for name in FACTS if isinstance(record.get(name), (str, int, float)))


def _step(candidate: Mapping[str, Any], chosen: Any) -> dict[str, Any]:
    number = candidate["number"]
    mark = ", selected on the development recordings" if number == chosen else ""
    return {
        "name": f"{number}: {candidate['origin']}{mark}",
        "parents": [str(parent) for parent in candidate["parents"]],
        "scores": [(name, f"{float(value):.2f}") for name, value in candidate["development"].items()],
        "text": str(candidate["wording"])[:LONGEST],
    }
