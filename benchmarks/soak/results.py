"""What a command wrote, value by value, and how it differs from what two undisturbed calls wrote.

A value in which the two undisturbed calls agree must be the same after kills; one in which they differ (a time of day,
seconds) need only be there. So nothing is left out by a list of names.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

Leaves = dict[str, object]
Written = dict[str, Leaves]

_STAMP = re.compile(r"\d{8}[_T-]?\d{6}|0x[0-9a-f]{6,}|\d{4}-\d\d-\d\d[T, ]{1,2}\d\d:\d\d(:\d\d(\.\d+)?)?")
"""Times, seconds, and addresses of functions, which lmms-eval writes into its results."""
_OF_THE_WORK = ("questions_asked", "windows_read", "questions_from_journal")
"""What a search tells of the work of its last call, which is less where an earlier one did some of it."""
_OF_THE_CHECKOUT = ("git_hash", "git_branch", "lmms_eval_version")
"""What lmms-eval tells of the repository that it finds above itself, which others may change meanwhile."""
_LEFT = (".part", "seconds.json", "UNFINISHED.txt")
_PAGES = (".md", ".html")
_REMARK = "was repeated later"
"""What a report says of a run that was killed when its results were whole, and called again."""
_TEXT = (".csv", ".md", ".tex", ".txt", ".html", ".yaml", ".yml", ".srt", ".svg")


def written(out: Path) -> Written:
    """Return the values of every file in a folder; of files whose names differ in a time alone, the newest."""
    files = [path for path in out.rglob("*") if path.is_file() and not path.name.startswith(".")]
    found: Written = {}
    for path in sorted(files, key=lambda each: (each.stat().st_mtime_ns, each.name)):
        name = _STAMP.sub("TIME", path.relative_to(out).as_posix())
        if not _left(name):
            found[name] = dict(_leaves(path))
    return found


def _leaves(path: Path) -> Iterator[tuple[str, object]]:
    if path.suffix == ".json":
        yield from _values(json.loads(path.read_text(encoding="utf-8")), "")
    elif path.suffix == ".jsonl":
        seen: Counter[str] = Counter()
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines()):
            sample = json.loads(line)
            name = f"document {sample['doc_id']}" if "doc_id" in sample else f"line {number}"
            seen[name] += 1
            yield from _values(sample, name if seen[name] == 1 else f"{name}, again {seen[name]}")
    elif path.suffix in _TEXT:
        text = _STAMP.sub("TIME", path.read_text(encoding="utf-8"))
        yield from ((f"line {n}", line) for n, line in enumerate(text.splitlines()))
    else:
        yield "content", hashlib.sha256(path.read_bytes()).hexdigest()


def _values(value: object, where: str) -> Iterator[tuple[str, object]]:
    if isinstance(value, dict):
        for key, each in value.items():
            if key not in _OF_THE_WORK + _OF_THE_CHECKOUT:
                yield from _values(each, f"{where}/{key}")
    elif isinstance(value, list):
        for number, each in enumerate(value):
            yield from _values(each, f"{where}/{number}")
    else:
        yield where, _STAMP.sub("TIME", value) if isinstance(value, str) else repr(value)


class Reference:
    """What two undisturbed calls of a command wrote."""

    def __init__(self, first: Written, second: Written) -> None:
        if first.keys() != second.keys():
            raise ValueError(
                f"two undisturbed calls wrote other files: {sorted(first.keys() ^ second.keys())}"
            )
        self._files = first
        self._fixed = {
            name: {where: value for where, value in leaves.items() if second[name].get(where) == value}
            for name, leaves in first.items()
        }

    @property
    def values(self) -> int:
        """How many values there are in all."""
        return sum(map(len, self._files.values()))

    def loose(self) -> list[str]:
        """Return the values in which the two calls differ, which are not compared."""
        return [
            f"{name}: {where}"
            for name, leaves in self._files.items()
            for where in leaves
            if where not in self._fixed[name]
        ]

    def lost(self, found: Written) -> list[str]:
        """Return the files and values that are not there."""
        gone = [name for name in self._files if name not in found]
        return gone + [
            f"{name}: {where}"
            for name, leaves in self._compared(found)
            for where in leaves
            if where not in found[name]
        ]

    def doubled(self, found: Written) -> list[str]:
        """Return what stands there beside what should: files, values, and answers to a question that has one."""
        more = [name for name in found if name not in self._files]
        return more + [
            f"{name}: {where}"
            for name, leaves in found.items()
            if self._files.get(name) and name.endswith((".jsonl", ".csv"))
            for where in leaves
            if where not in self._files[name]
        ]

    def unequal(self, found: Written) -> list[str]:
        """Return the values that are there, and differ from what both calls wrote."""
        return [
            f"{name}: {where}: {str(found[name][where])[:80]} for {str(value)[:80]}"
            for name, leaves in self._compared(found)
            for where, value in leaves.items()
            if where in found[name] and found[name][where] != value
        ]

    def _compared(self, found: Written) -> list[tuple[str, Leaves]]:
        """Return the files that are there with the values that must be the same; no pages that tell of two runs."""
        left_out = _PAGES if repeated(found) else ()
        return [
            (name, leaves)
            for name, leaves in self._fixed.items()
            if name in found and not name.endswith(tuple(left_out))
        ]


def _left(name: str) -> bool:
    """Whether a file is known to be unfinished, or part of the work and not of the results."""
    return name.endswith(_LEFT) or "/.work-" in name


def left_behind(out: Path) -> list[str]:
    """Return the files that a killed command left in the writing and that the next call did not remove."""
    files = [path for path in out.rglob("*") if path.is_file()] if out.exists() else []
    return [path.name for path in files if path.suffix == ".part" or "/.work-" in path.as_posix()]


def repeated(found: Written) -> bool:
    """Whether a page says that a run stands there twice: its lines are then others."""
    pages = [leaves for name, leaves in found.items() if name.endswith(_PAGES)]
    return any(_REMARK in str(line) for leaves in pages for line in leaves.values())


def half_written(out: Path) -> list[str]:
    """Return the files of a killed command that look whole and are not."""
    faults = []
    for path in sorted(out.rglob("*")) if out.exists() else ():
        if path.suffix == ".json" and path.is_file():
            try:
                json.loads(path.read_text(encoding="utf-8"))
            except ValueError:
                faults.append(path.relative_to(out).as_posix())
    for provenance in out.rglob("provenance.json") if out.exists() else ():
        if not (provenance.parent / "UNFINISHED.txt").exists():
            listed = json.loads(provenance.read_text(encoding="utf-8")).get("files", [])
            faults += [name for name in listed if not (provenance.parent / name).exists()]
    return faults
