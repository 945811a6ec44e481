"""How often the recordings kept for confirmation were looked at.

A split named ``confirm`` is for the last step: whoever scores on it again and again and keeps the best has no
confirmation any more. Every scoring is therefore entered in a record beside the recording set, with a copy in
the cache; the number of entries is printed with every result. This keeps an honest user honest. It cannot
bind one who edits both files, though an edit of one of them is noticed.
"""

from __future__ import annotations

import csv
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from semiology.data.cache import cache_directory, write_whole
from semiology.render.text import counted

CONFIRM = "confirm"
ALL = "all"
RECORD = "confirm_openings.jsonl"
_FIRST = "0" * 64


@dataclass(frozen=True)
class Selection:
    """Recordings chosen by split.

    Attributes:
        recordings: the only ones to look at; None for all.
        confirm: those of the confirm split among them.
        note: what was left out, or None.
    """

    recordings: frozenset[str] | None
    confirm: frozenset[str]
    note: str | None


@dataclass(frozen=True)
class Openings:
    """Entries of the record.

    Attributes:
        count: openings so far, this one included. distinct: of them, about different answers or options.
        altered: whether the record was changed or shortened by other means.
    """

    count: int
    distinct: int
    altered: bool

    @property
    def sentence(self) -> str:
        """The count in words."""
        times = "once, now" if self.count == 1 else f"{self.count} times, this one included"
        text = f"The confirm split was opened {times} ({counted(self.distinct, 'different comparison')})."
        if self.altered:
            text += " Its record was changed by other means: the count may be too low."
        elif self.distinct > 1:
            text += " Scores on it confirm less each time."
        return text


def select_split(data: Path, split: str | None) -> Selection:
    """Choose recordings of a set by the column ``split`` of its recordings.csv.

    Args:
        data: folder of the recording set. split: name of a split, ``all``, or None: all but ``confirm``.

    Raises:
        ValueError: there is no recordings.csv, or it knows no such split.
    """
    table = data / "recordings.csv"
    if not table.is_file():
        raise ValueError(f"{table}: there is no such file → give the folder of a recording set")
    with table.open(encoding="utf-8-sig", newline="") as lines:
        splits = {row["video_id"]: (row.get("split") or "").strip() for row in csv.DictReader(lines)}
    confirm = frozenset(video for video, name in splits.items() if name == CONFIRM)
    if split is None:
        if not confirm:
            return Selection(None, frozenset(), None)
        kept = frozenset(splits) - confirm
        note = (
            f"{len(confirm)} recordings of the confirm split are left out → --split confirm opens it "
            "(counted), --split all takes every recording (counted)"
        )
        return Selection(kept, frozenset(), note)
    if split == ALL:
        return Selection(None, confirm, None)
    chosen = frozenset(video for video, name in splits.items() if name == split)
    if not chosen:
        known = ", ".join(sorted({name for name in splits.values() if name})) or "none"
        raise ValueError(f"{table}: no recording is of the split {split!r} → there are: {known}")
    return Selection(chosen, chosen & confirm, f"only the {len(chosen)} recordings of the split {split}")


def enter_opening(data: Path, what: Mapping[str, Any], at: datetime | None = None) -> Openings:
    """Enter that the confirm split is being scored, before any number is shown.

    Args:
        data: folder of the recording set; where it cannot be written, the copy in the cache serves alone.
        what: what is scored; equal contents count as one comparison.
        at: time of it (now).

    Raises:
        OSError: neither place can be written.
    """
    name = hashlib.sha256(str(data.resolve()).encode()).hexdigest()[:32]
    files = [data / RECORD, cache_directory() / "confirm_openings" / f"{name}.jsonl"]
    lines = [
        [line for line in file.read_text(encoding="utf-8").splitlines() if line.strip()]
        if file.is_file()
        else []
        for file in files
    ]
    longest = max(lines, key=len)
    # Each line names the digest of the one before.
    chained = all(
        _entry(line).get("previous") == before
        for kept in lines
        for before, line in zip((_FIRST, *map(_digest, kept)), kept, strict=False)
    )
    altered = not chained or (
        # A set that was opened on another machine has no copy here; a shorter record beside it is suspect.
        len(lines[0]) < len(lines[1]) or (bool(lines[1]) and lines[0][: len(lines[1])] != lines[1])
    )
    altered = altered or any(_entry(line).get("record_altered") for line in longest)
    digest = hashlib.sha256(json.dumps(what, sort_keys=True, default=str).encode()).hexdigest()
    entry = {
        "at": (at or datetime.now(timezone.utc)).isoformat(timespec="seconds"),
        "comparison": digest,
        **what,
        **({"record_altered": True} if altered else {}),
        "previous": _digest(longest[-1]) if longest else _FIRST,
    }
    longest = [*longest, json.dumps(entry, ensure_ascii=False, default=str)]
    failed: list[OSError] = []
    for file in files:
        try:
            file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            write_whole(file, "\n".join(longest) + "\n")
        except OSError as error:
            failed.append(error)
    if len(failed) == len(files):
        raise failed[0]
    distinct = {_entry(line).get("comparison") for line in longest}
    return Openings(len(longest), len(distinct), altered)


def answers_digest(rows: Sequence[Sequence[object]]) -> str:
    """Return a digest of the answers compared, so that a repeated look can be told from a new one."""
    text = "\n".join(sorted("\t".join(str(cell) for cell in row) for row in rows))
    return hashlib.sha256(text.encode()).hexdigest()


def _entry(line: str) -> dict[str, Any]:
    try:
        value = json.loads(line)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


def _digest(line: str) -> str:
    return hashlib.sha256(line.encode()).hexdigest()
