"""The folder of an optimization run: what it is, what was answered, the wordings found; made for going on.

A run is known by its identity (data, model, options). The same command in the same folder goes on; another one
is refused, since its answers would belong to another search. Wordings are written in the library's own form,
ready for ``SEMIOLOGY_PROMPTS``.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import yaml

from semiology.data.cache import write_whole
from semiology.features import group_of
from semiology.optimization.proposers.rules import split_format
from semiology.optimization.search.looks import Correction
from semiology.optimization.search.options import SearchError
from semiology.optimization.search.scores import WordingComparison, with_interval
from semiology.optimization.search.search import FoundWording
from semiology.render.text import counted

IDENTITY = "search.json"
SECONDS = "seconds.json"
FINISHED = "finished.json"
OPENINGS = "test_openings.json"
ANSWERS = "answers"
WORDINGS = "wordings"
SUMMARY = "summary.json"
WRITE_EVERY_S = 5.0
ID_DIGITS = 8


class RunFolder:
    """One run's folder, for its owner alone.

    Args:
        path: made if it does not exist.

    Raises:
        SearchError: the folder holds another run, or cannot be written.
    """

    def __init__(self, path: Path, identity: Mapping[str, Any]) -> None:
        self.path, self.identity = path, identity
        try:
            path.mkdir(parents=True, exist_ok=True, mode=0o700)
            known = _read(path / IDENTITY)
            if known is None:
                self.write(IDENTITY, identity)
        except OSError as error:
            raise SearchError(
                f"--out {path}: cannot be written ({error.strerror}) → give another folder"
            ) from None
        plain = json.loads(json.dumps(identity))
        if known is not None and known != plain:
            differing = ", ".join(
                f"{name} was {known.get(name)!r} and is {plain.get(name)!r}"
                for name in sorted({*known, *plain})
                if known.get(name) != plain.get(name)
            )
            raise SearchError(
                f"--out {path} holds another search: {differing[:400]} → give another folder, or the same "
                "options"
            )

    def write(self, name: str, content: Any) -> Path:
        """Write JSON (or text) whole or not at all; return the path."""
        target = self.path / name
        target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        if not isinstance(content, str):
            content = json.dumps(content, indent=2, ensure_ascii=False) + "\n"
        write_whole(target, content)
        return target

    def noted(self, name: str) -> dict[str, Any]:
        """Return what a file of notes (`SECONDS`, `FINISHED`) holds, by feature."""
        return _read(self.path / name) or {}

    def note(self, name: str, feature: str, value: float) -> None:
        """Note the seconds that a search used, or with how many metric calls it ended: it is not taken further."""
        self.write(name, {**self.noted(name), feature: value})

    def open_test(self, feature: str, begun: str, chosen: str) -> None:
        """Note, before the test recordings are asked, which wordings they are asked under.

        Raises:
            SearchError: they were asked about another choice before.
        """
        openings = _read(self.path / OPENINGS) or {}
        choice = hashlib.sha256(json.dumps([begun, chosen]).encode()).hexdigest()
        if openings.setdefault(feature, choice) != choice:
            raise SearchError(
                f"{feature}: the test patients of this run were asked once, about another wording, and are "
                "not asked again → keep that result, or start a new search with --out and say that it is a "
                "second one"
            )
        self.write(OPENINGS, openings)


class TimeUsed:
    """Keeps how long each search has run, over kills; written now and then."""

    def __init__(self, folder: RunFolder, now: Callable[[], float] = time.monotonic) -> None:
        self._folder, self._now, self._began = folder, now, now()
        self._before: dict[str, float] = {}
        self._written: dict[str, float] = {}

    def note(self, feature: str) -> None:
        """Take note that a search goes on."""
        before = self._before.setdefault(feature, self._folder.noted(SECONDS).get(feature, 0.0))
        used = self._now() - self._began
        if used - self._written.get(feature, 0.0) >= WRITE_EVERY_S:
            self._written[feature] = used
            self._folder.note(SECONDS, feature, before + used)


def _read(path: Path) -> dict[str, Any] | None:
    """Return the JSON object of a file, None without the file.

    Raises:
        SearchError: the file is damaged.
    """
    if not path.exists():
        return None
    try:
        found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except ValueError:
        raise SearchError(f"{path}: is damaged → delete it or give another --out") from None
    return found


def wording_id(text: str, answer_format: str) -> str:
    """Return the id of a found wording, which depends on its text and answer format alone."""
    digest = hashlib.sha256(f"{answer_format}\n{text}".encode()).hexdigest()
    return f"optimized_{digest[:ID_DIGITS]}"


def wording_entry(
    found: FoundWording,
    development: WordingComparison,
    test: WordingComparison | None,
    correction: Correction | None = None,
    *,
    data: str,
    model: str,
) -> dict[str, Any]:
    """Return the library entry of a found wording.

    Args:
        found: the wording and its search.
        development: it beside the one the search began with, on the patients that selected it.
        test: the same on the patients that nothing was chosen on, if there are any.
        correction: what earlier looks at these patients leave of it.
        data: fingerprint of the data. model: name and arguments of the model.
    """
    text, named = split_format(found.chosen)
    answer_format = named or found.answer_format
    record = found.lineage
    scored = [f"development F1 {with_interval(development.after['f1'])} (selected on it, so too high)"]
    if test is not None:
        before, after = with_interval(test.before["f1"]), with_interval(test.after["f1"])
        scored.append(
            f"test F1 {after} on {counted(test.n, 'recording')} of {counted(test.patients, 'patient')}, "
            f"{before} for the parent"
        )
    if correction is not None and "f1" in correction.p_adjusted:
        compared = counted(correction.comparisons, "comparison")
        scored.append(f"p {correction.p_adjusted['f1']:.3f}, corrected for {compared} on these test patients")
    return {
        "id": wording_id(text, answer_format),
        "text": text,
        "answer": answer_format,
        "provenance": "optimized",
        "source": (
            f"search from {found.begun_with.id}, seed {record['seed']}, objective {record['objective']}, "
            f"{counted(record['metric_calls'], 'metric call')}, "
            f"{counted(len(record['candidates']), 'wording')} on development; "
            f"data {data[:12]}; model {model}"
        ),
        "family": "optimized",
        "note": f"parent {found.begun_with.id}; {'; '.join(scored)}. Not reviewed by a clinician.",
    }


def wording_file(feature: str, entry: dict[str, Any]) -> str:
    """Return a file of the library's extension form (``feature``, ``group``, ``prompts``) as YAML."""
    content = {"feature": feature, "group": group_of(feature), "prompts": [entry]}
    text: str = yaml.safe_dump(content, sort_keys=False, allow_unicode=True, width=110)
    return text
