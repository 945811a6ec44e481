"""Searches for wordings, as `semiology optimize` writes them (``FEATURE/lineage.json``), ready to show."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from semiology.render.text import counted
from semiology.reports.read.lmms_eval_files import ResultsError
from semiology.reports.read.path_scrubbing import without_paths

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
        chosen = record.get("chosen")
        # The wordings of which none is beaten on every development recording, after so many answers.
        fronts = [
            {"calls": int(front["metric_calls"]), "front": [str(number) for number in front["front"]]}
            for front in record.get("pareto_front") or ()
        ]
        steps = [
            {
                "name": f"{each['number']}: {each['origin']}"
                + (", selected on the development recordings" if each["number"] == chosen else ""),
                "parents": [str(parent) for parent in each["parents"]],
                "scores": [(name, f"{float(value):.2f}") for name, value in each["development"].items()],
                "text": str(each["wording"])[:LONGEST],
            }
            for each in candidates
        ]
        shown = {"fronts": fronts, "chart": _chart(record, fronts), "tried": _tried(record)}
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ResultsError(
            f"{file.name}: is no record of a search ({error!r}) → run the search again"
        ) from error
    told = [name for name in FACTS if isinstance(record.get(name), (str, int, float))]
    facts = "; ".join(f"{name} {without_paths(str(record[name]))}" for name in told)
    facts = re.sub(r"(?<= )([0-9a-f]{12})[0-9a-f]{52}(?=;|$)", r"with the fingerprint \1", facts)
    calls = record.get("metric_calls")
    note = f"{facts}. {calls} answers were scored in the search." if calls else facts
    if record.get("unfinished"):
        note += " The search broke off before its end: another wording may be selected when it goes on."
    return {
        "title": str(record.get("feature", file.parent.name)).replace("_", " "),
        "note": note,
        "steps": steps,
        **shown,
    }


def _tried(record: Mapping[str, Any]) -> str:
    """Return how many new wordings were tried on training recordings, and how many were better there.

    Only such ones are then asked on the development recordings, where they are steps of the search.
    """
    trials = record.get("trials") or ()
    if not trials:
        return ""
    accepted = sum(bool(trial["accepted"]) for trial in trials)
    return (
        f"Proposals tried on training recordings first: {counted(len(trials), 'wording')}, of which "
        f"{accepted} did better there than what they were made from; no other went on to the development "
        "recordings."
    )


def _chart(record: Mapping[str, Any], fronts: Sequence[Mapping[str, Any]]) -> dict[str, Any] | None:
    """Return the candidates as points: answers used until each was found, and its development score.

    None where the record does not say when candidates were found.
    """
    objective = str(record.get("objective"))
    found = [
        each for each in record["candidates"] if "metric_calls" in each and objective in each["development"]
    ]
    if not found:
        return None
    most = max(1, *(int(each["metric_calls"]) for each in found), int(record.get("metric_calls") or 0))
    last = fronts[-1]["front"] if fronts else []
    points: list[dict[str, Any]] = []
    for each in found:
        number = str(each["number"])
        kind = "chosen" if each["number"] == record.get("chosen") else "front" if number in last else "left"
        score = float(each["development"][objective])
        points.append({"calls": int(each["metric_calls"]), "score": score, "kind": kind, "number": number})
    return {"objective": objective, "points": points, "most": most}
