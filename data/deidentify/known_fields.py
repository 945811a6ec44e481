"""What a de-identified set may hold beside free text: known fields with values that tell nothing by themselves."""

from __future__ import annotations

import csv
import io
import json
import math
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from semiology.data.media.remux import RemuxError
from semiology.data.tables.cells import plain_number
from semiology.data.tables.csv_tables import read_table

NEUTRAL_NAME, NEUTRAL_VERSION = "deidentified", "1"
_VERSION = re.compile(r"\d{1,3}(?:\.\d{1,2}){0,2}")
_DATE = re.compile(r"(?:[12]\d|3[01]|0?[1-9])\.(?:1[0-2]|0?[1-9])\.(?:19|20)?\d\d")
"""A version of this form may be one."""
_FLAGS = frozenset({"simulated"})
"""Keys of ``dataset.yaml``, beside name and version, that programs read; yes or no."""
_GROUP = re.compile(
    r"\d{1,3}|(?:fold|split)[_ -]?\d{1,3}|train(?:ing)?|test|dev(?:elopment)?|val(?:id|idation)?|confirm|all",
    re.I,
)
_FRAME_KEYS = frozenset({"version", "people", "canvas_width", "canvas_height", "frame", "fps"})
_PERSON_KEYS = re.compile(r"person_id|(?:pose|face|hand_left|hand_right)_keypoints_[23]d")
_POSE_LIMIT_BYTES = 50_000_000
_TEXT_LIMIT_BYTES = 10_000_000
_SUBTITLE_LINE = re.compile(r"(\d{1,3}:)?(\d{1,2}):(\d{2})([.,])(\d{1,3})")
_TABLE_COLUMNS = ("start_s", "end_s", "text")
_SEGMENT_NUMBERS = ("average_log_probability", "no_speech_probability")
_LARGEST = {"version": 99, "person_id": 9999, "fps": 1000, "frame": 99_999_999}
_LARGEST_COORDINATE = 65_536
_LONGEST_S = 172_800
"""Two days: times beyond it are dates."""
Scrub = Callable[[str], str]


def known_metadata(old: Mapping[str, object], name: str = NEUTRAL_NAME) -> dict[str, object]:
    """Return what is kept of ``dataset.yaml``: the name given here, a version of numbers, and flags of programs."""
    version = str(old.get("version", "")).strip()
    kept: dict[str, object] = {
        "name": name,
        "version": version
        if _VERSION.fullmatch(version) and not _DATE.fullmatch(version)
        else NEUTRAL_VERSION,
    }
    return kept | {key: value for key, value in old.items() if key in _FLAGS and isinstance(value, bool)}


def neutral_groups(names: list[str], kind: str) -> dict[str, str]:
    """Return new names of splits or folds: numbers and the usual words stay, others become ``kind_1``, ``kind_2``, …"""
    others = sorted({name for name in names if not _GROUP.fullmatch(name)})
    return {name: name for name in names if name not in others} | {
        name: f"{kind}_{number}" for number, name in enumerate(others, 1)
    }


def pose_text(path: Path) -> str:
    """Return a frame of OpenPose with nothing but its numbers under the keys that OpenPose writes.

    Raises:
        RemuxError: it is no such file.
    """
    if path.stat().st_size > _POSE_LIMIT_BYTES:
        raise RemuxError(f"{path.name}: too large for the keypoints of a frame")
    try:
        content = json.loads(path.read_text(encoding="utf-8-sig"))
    except (ValueError, RecursionError):
        raise RemuxError(
            f"{path.name}: holds no JSON; leave the column pose empty, or run OpenPose again"
        ) from None
    if not isinstance(content, dict):
        raise RemuxError(f"{path.name}: holds no frame of OpenPose; leave the column pose empty")
    kept: dict[str, Any] = {
        key: value
        for key, value in content.items()
        if key in _FRAME_KEYS and key != "people" and _within(value, _LARGEST.get(key, _LARGEST_COORDINATE))
    }
    if "people" in content:
        people = content["people"] if isinstance(content["people"], list) else []
        kept["people"] = [
            {
                key: value
                for key, value in person.items()
                if _PERSON_KEYS.fullmatch(str(key)) and _within(value, _LARGEST.get(key, _LARGEST_COORDINATE))
            }
            for person in people
            if isinstance(person, dict)
        ]
    return json.dumps(kept, separators=(",", ":"))


def _within(value: object, largest: float) -> bool:
    """Return whether a value is a number, or a list of numbers, of a size that its key can have."""
    items: list[Any] = value if isinstance(value, list) else [value]
    return all(
        (item is None and isinstance(value, list)) or (_number(item) and abs(float(item)) <= largest)
        for item in items
    )


def _number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def transcript_text(path: Path, scrub: Scrub) -> str:
    """Return a transcript with times and scrubbed words alone: no speakers, positions, styles or other columns.

    Read are subtitles (``.srt``, ``.vtt``), tables with ``start_s``, ``end_s`` and ``text``, JSON as the enhancement
    ``transcript`` writes it, and plain text.

    Raises:
        RemuxError: it is too long, no UTF-8, or its form is not known.
    """
    if path.stat().st_size > _TEXT_LIMIT_BYTES:
        raise RemuxError(f"the transcript {path.name} is too long to be text")
    kind = path.suffix.lower()
    if kind in (".csv", ".tsv"):
        return _table(path, scrub)
    text = path.read_text(encoding="utf-8-sig")
    if kind == ".json":
        return _recognised(path, text, scrub)
    if kind in (".srt", ".vtt"):
        return _subtitles(text, scrub, vtt=kind == ".vtt")
    if kind in (".txt", ""):
        return "\n".join(scrub(line) for line in text.splitlines()) + "\n"
    raise RemuxError(f"{path.name}: transcripts are .srt, .vtt, .csv, .json or .txt files")


def _subtitles(text: str, scrub: Scrub, *, vtt: bool) -> str:
    blocks: list[str] = []
    for block in re.split(r"\n[^\S\n]{0,9}\n", text.replace("\r\n", "\n").replace("\r", "\n")):
        lines = block.strip("\n").split("\n")
        at = next((place for place, line in enumerate(lines) if "-->" in line), None)
        if at is None:  # a header, a note or a style
            continue
        times = [_SUBTITLE_LINE.search(part) for part in lines[at].split("-->", 1)]
        if None in times:
            continue
        first, last = (found.group() for found in times if found is not None)
        words = [scrub(re.sub(r"<[^<>\n]{0,200}>|\{[^{}\n]{0,200}\}", "", line)) for line in lines[at + 1 :]]
        blocks.append("\n".join([str(len(blocks) + 1), f"{first} --> {last}", *words]))
    return ("WEBVTT\n\n" if vtt else "") + "\n\n".join(blocks) + "\n"


def _table(path: Path, scrub: Scrub) -> str:
    table = read_table(path)
    if table.problems:
        raise RemuxError(str(table.problems[0]))
    missing = [name for name in _TABLE_COLUMNS if name not in table.columns]
    if missing:
        raise RemuxError(f"{path.name}: no column {', '.join(missing)} (start_s, end_s and text are kept)")
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(_TABLE_COLUMNS)
    for row in table.rows:
        times = [plain_number(row[name], decimal_comma=True) for name in _TABLE_COLUMNS[:2]]
        if None in times or not all(_seconds(str(each)) for each in times):
            raise RemuxError(f"{path.name}:{row.number}: a row has no times in seconds")
        writer.writerow([*(row[name].replace(",", ".") for name in _TABLE_COLUMNS[:2]), scrub(row["text"])])
    return out.getvalue()


def _seconds(text: str) -> bool:
    try:
        return math.isfinite(float(text)) and abs(float(text)) <= _LONGEST_S
    except ValueError:
        return False


def _recognised(path: Path, text: str, scrub: Scrub) -> str:
    try:
        content = json.loads(text)
        segments = [
            {
                "start_s": float(each["start_s"]),
                "end_s": float(each["end_s"]),
                "text": scrub(str(each["text"])),
                **{name: each[name] for name in _SEGMENT_NUMBERS if _number(each.get(name))},
                "words": [],  # by themselves they would spell out what the sentence no longer says
            }
            for each in content["segments"]
        ]
        if not all(_seconds(str(each[name])) for each in segments for name in _TABLE_COLUMNS[:2]):
            raise ValueError(path.name)
        version = int(content["format_version"])
    except (ValueError, KeyError, TypeError, RecursionError):
        raise RemuxError(f"{path.name}: holds no transcript that `semiology enhance` wrote") from None
    whole = {"format": "semiology-transcript", "format_version": version, "segments": segments}
    return json.dumps(whole, ensure_ascii=False, indent=1) + "\n"
