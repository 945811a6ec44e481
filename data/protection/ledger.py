"""The ledger: every look at patients kept for tests and confirmation, and what had been chosen before it.

A test set that is looked at again and again, the best result kept, is a development set. So each command that
scores protected patients enters that beside the recording set before it shows a number: when, which command, which
patients, what was chosen, and a digest of the questions. A copy lies in the cache, each line names the digest of
the line before, and lines are written whole, by one writer at a time. This keeps an honest user honest; it cannot
bind one who edits both files, though an edit of one of them is noticed.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from semiology.data.cache import cache_directory, locked, write_whole
from semiology.data.protection.splits import CONFIRM, PROTECTED
from semiology.render.text import counted

LEDGER = "ledger.jsonl"
EARLIER = "confirm_openings.jsonl"
"""The record of version 0.1, of comparisons on the confirm split alone; its lines still count."""
ASKING = frozenset({"run", "lmms_eval"})
"""Commands that ask without scoring; what is made of their answers is entered by whoever scores them."""
_FIRST = "0" * 64


@dataclass(frozen=True)
class Look:
    """One look at protected patients.

    Attributes:
        command: ``optimize``, ``sweep``, ``run``, ``lmms_eval`` (its bare command), ``report``, ``compare`` …
        patients: ids by protected split; drawn test patients of a set without splits count as ``test``.
        chosen: what was chosen before: models, wordings, options. Equal contents are one look.
        questions: digest of the questions or of the answers (`digest`).
    """

    command: str
    patients: Mapping[str, frozenset[str]]
    chosen: Mapping[str, Any]
    questions: str

    def entry(self) -> dict[str, Any]:
        """Return the look as it is written, without time and place in the chain."""
        marks = {split: sorted(map(patient_mark, ids)) for split, ids in sorted(self.patients.items()) if ids}
        what = {"command": self.command, "patients": marks, "chosen": dict(self.chosen)}
        return {"look": digest([what, self.questions]), **what, "questions": self.questions}


@dataclass(frozen=True)
class Looks:
    """What the ledger holds about the patients of a look, itself included.

    Attributes:
        split: ``test`` or ``confirm``. patients: how many of it were looked at now.
        entries: all looks at any of them that scored something, in order of time.
        found: what was found by those of them that entered it (`enter_found`), by ``look``.
        altered: whether the ledger was changed or shortened by other means.
    """

    split: str
    patients: int
    entries: tuple[Mapping[str, Any], ...]
    found: Mapping[str, Mapping[str, Any]]
    altered: bool

    @property
    def count(self) -> int:
        """Looks so far, this one included."""
        return len(self.entries)

    @property
    def distinct(self) -> int:
        """Of them, those about different questions, choices or options."""
        return len({entry.get("look") for entry in self.entries})

    @property
    def sentence(self) -> str:
        """The count in words."""
        times = "once, now" if self.count == 1 else f"{self.count} times, this one included"
        commands = Counter(str(entry.get("command")) for entry in self.entries)
        named = ", ".join(f"{number} by {name}" for name, number in sorted(commands.items()))
        who = counted(self.patients, f"{self.split} patient")
        were = "was" if self.patients == 1 else "were"
        text = f"The {who} {were} opened {times} ({self.distinct} different: {named})."
        if self.altered:
            text += " Its ledger was changed by other means: the count may be too low."
        elif self.distinct > 1 and self.split == CONFIRM:
            text += " Scores on it confirm less each time."
        elif self.distinct > 1:
            text += " Whoever keeps the best of several looks reports too high a score."
        return text


def patient_mark(patient: str) -> str:
    """Return what stands for a patient in the ledger, whose copy leaves the folder of the recordings."""
    return hashlib.sha256(patient.encode()).hexdigest()[:16]


def digest(content: Any) -> str:
    """Return the SHA-256 of plain data; of equal sets of rows, sort them first."""
    return hashlib.sha256(json.dumps(content, sort_keys=True, default=str).encode()).hexdigest()


def digest_of_rows(rows: Iterable[Iterable[object]]) -> str:
    """Return the digest of rows in whatever order, so that a repeated look can be told from a new one."""
    return digest(sorted("\t".join(map(str, row)) for row in rows))


def protected_patients(pairs: Iterable[tuple[str | None, str]]) -> dict[str, frozenset[str]]:
    """Return patient ids by protected split from pairs of split and patient; empty where none is protected."""
    found: dict[str, set[str]] = {}
    for split, patient in pairs:
        if split in PROTECTED:
            found.setdefault(str(split), set()).add(patient)
    return {split: frozenset(ids) for split, ids in found.items()}


def enter(data: Path, look: Look, at: datetime | None = None) -> list[Looks]:
    """Enter a look before any number is shown; return what the ledger says now, for each split looked at.

    Args:
        data: folder of the recording set; where it cannot be written, the copy in the cache serves alone.
        at: time of it (now).

    Raises:
        OSError: neither place can be written.
    """
    if not any(look.patients.values()):
        return []
    lines, altered = _append(data, look.entry(), at)
    return [_looks(data, lines, altered, split, ids) for split, ids in sorted(look.patients.items()) if ids]


def enter_found(data: Path, look: Look, found: Mapping[str, Any], at: datetime | None = None) -> None:
    """Enter what came of a look, for those who come later and must correct for it; it counts as no further look.

    Raises:
        OSError: neither place can be written.
    """
    _append(data, {"of": look.entry()["look"], "found": dict(found)}, at)


def looks_at(data: Path, split: str, patients: Iterable[str]) -> Looks:
    """Return the looks at any of these patients so far, without entering one."""
    lines, altered = _lines(data)
    return _looks(data, lines, altered, split, frozenset(patients))


def _append(data: Path, entry: Mapping[str, Any], at: datetime | None) -> tuple[list[str], bool]:
    with locked(data if data.is_dir() else cache_directory()):
        lines, altered = _lines(data)
        whole = {
            "at": (at or datetime.now(timezone.utc)).isoformat(timespec="seconds"),
            **entry,
            **({"ledger_altered": True} if altered else {}),
            "previous": _digest_of(lines[-1]) if lines else _FIRST,
        }
        lines.append(json.dumps(whole, ensure_ascii=False, default=str))
        beside, copy = _places(data)
        copy.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        failed: list[OSError] = []
        for file in (beside, copy):
            try:
                write_whole(file, "\n".join(lines) + "\n", private=file == copy)
            except OSError as error:
                failed.append(error)
        if len(failed) == 2:
            raise failed[0]
    return lines, altered


def _looks(data: Path, lines: list[str], altered: bool, split: str, patients: frozenset[str]) -> Looks:
    marks = set(map(patient_mark, patients))
    known = list(map(_entry, lines))
    entries = [
        entry
        for entry in known
        if entry.get("command") not in ASKING and marks & set(entry.get("patients", {}).get(split, ()))
    ]
    mine = {entry["look"] for entry in entries}
    found = {entry["of"]: entry["found"] for entry in known if entry.get("of") in mine}
    if split == CONFIRM:  # the earlier record names no patients
        entries = [*_earlier(data), *entries]
    return Looks(split, len(patients), tuple(entries), found, altered)


def _places(data: Path) -> tuple[Path, Path]:
    name = hashlib.sha256(str(data.resolve()).encode()).hexdigest()[:32]
    return data / LEDGER, cache_directory() / "ledgers" / f"{name}.jsonl"


def _lines(data: Path) -> tuple[list[str], bool]:
    """Return the longer of both copies, and whether one of them was changed or shortened by other means."""
    kept = [
        [line for line in file.read_text(encoding="utf-8").splitlines() if line.strip()]
        if file.is_file()
        else []
        for file in _places(data)
    ]
    chained = all(
        _entry(line).get("previous") == before
        for lines in kept
        for before, line in zip((_FIRST, *map(_digest_of, lines)), lines, strict=False)
    )
    beside, copy = kept
    # A set that was opened on another machine has no copy here; a shorter ledger beside it is suspect.
    shortened = len(beside) < len(copy) and os.access(data, os.W_OK)
    altered = not chained or shortened or (bool(copy) and beside[: len(copy)] != copy[: len(beside)])
    longest = max(kept, key=len)
    return list(longest), altered or any(_entry(line).get("ledger_altered") for line in longest)


def _earlier(data: Path) -> list[dict[str, Any]]:
    file = data / EARLIER
    if not file.is_file():
        return []
    lines = [line for line in file.read_text(encoding="utf-8").splitlines() if line.strip()]
    return [{"look": entry.get("comparison"), **entry} for entry in map(_entry, lines)]


def _entry(line: str) -> dict[str, Any]:
    try:
        value = json.loads(line)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


def _digest_of(line: str) -> str:
    return hashlib.sha256(line.encode()).hexdigest()
