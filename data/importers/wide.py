"""Wide annotation tables: one row per video, one column per feature, times and justifications beside it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import PurePath

from semiology.data.problems import Problem
from semiology.data.recording_set import Annotation, Presence
from semiology.data.tables.cells import CellError, clock, day_fraction_s
from semiology.data.tables.csv_tables import Row, Table
from semiology.features import FEATURES, RECORDS, suggest_feature

FILE_NAME = "file_name"
NOT_GIVEN = frozenset({"", "na", "n/a", "nan", "none", "-"})
_CLOCK_FIX = "write it as MM:SS in the source table and import again"
ALIASES = {alias: record.name for record in RECORDS for alias in record.aliases}
_VALUES: dict[str, Presence] = {"yes": "yes", "no": "no", "na": "na", "n/a": "na"}
_PARTS = (
    ("start", re.compile(r"start(?:_time)?(?:_for)?_(.+)|(.+)_start(?:_time)?")),
    ("end", re.compile(r"end(?:_time)?(?:_for)?_(.+)|(.+)_end(?:_time)?")),
    ("justification", re.compile(r"justification(?:_for)?_(.+)|(.+)_justification")),
)


@dataclass
class Remarks:
    """What an importer has to tell, collected while it reads."""

    unused: list[Problem] = field(default_factory=list)
    doubts: list[Problem] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def not_used(self, table: Table, row: Row, message: str, fix: str = "fix the source table") -> None:
        """Note a cell or row that could not be used."""
        self.unused.append(Problem(table.file, row.number, message, fix))

    def doubt(self, table: Table, row: Row, message: str) -> None:
        """Note a value that was used, but might mean something else."""
        self.doubts.append(Problem(table.file, row.number, message, "check it against the video"))

    def note_samples(self, count: int) -> None:
        """Note how many recordings are sample clips, which carry no diagnosis."""
        if count:
            self.notes.append(f"{count} sample clips carry no diagnosis")


def slug(column: str) -> str:
    """Return a column name with small letters and underscores alone."""
    return re.sub(r"[^a-z0-9]+", "_", column.lower()).strip("_")


def stem_of(file_name: str) -> str:
    """Return the name that joins the tables of a source: no folder, no suffix, small letters."""
    name = PurePath(file_name.strip().replace("\\", "/")).name
    return re.sub(r"\.(mp4|mov|avi|mkv|m4v|wmv|mpg|mpeg|wav)$", "", name.lower())


def feature_columns(table: Table) -> dict[str, dict[str, str]]:
    """Return, per feature, the column of each part: ``present``, ``start``, ``end``, ``justification``."""
    found: dict[str, dict[str, str]] = {}
    for column in table.columns:
        placed = _place(slug(column))
        if placed:
            found.setdefault(placed[0], {}).setdefault(placed[1], column)
    return {feature: parts for feature, parts in found.items() if "present" in parts}


def _place(name: str) -> tuple[str, str] | None:
    found = [(name, "present")]
    found += [(m[1] or m[2], part) for part, pattern in _PARTS if (m := pattern.fullmatch(name))]
    for stem, part in found:
        feature = ALIASES.get(stem, stem)
        if feature in FEATURES:
            return feature, part
    return None


def note_columns(table: Table, remarks: Remarks) -> None:
    """Note the features that have no column and the columns that are not read."""
    used = {column for parts in feature_columns(table).values() for column in parts.values()} | {FILE_NAME}
    idle = [f"{column}{suggest_feature(column)}" for column in table.columns if column and column not in used]
    if idle:
        remarks.notes.append(f"{table.file}: columns not imported: {', '.join(idle)}")
    missing = [feature for feature in FEATURES if feature not in feature_columns(table)]
    if missing:
        remarks.notes.append(f"{table.file}: no column for {', '.join(missing)}: not annotated")


def rows_by_name(table: Table, remarks: Remarks) -> dict[str, Row]:
    """Return the rows by `stem_of` their file name; rows without a name and repeated names are noted."""
    found: dict[str, Row] = {}
    for row in table.rows:
        name = stem_of(row[FILE_NAME])
        if not name:
            remarks.not_used(table, row, "the row has no file_name")
        elif name not in found:
            found[name] = row
        elif row.cells == found[name].cells:
            remarks.not_used(table, row, f"repeats row {found[name].number} exactly")
        else:
            first = found[name].number
            remarks.not_used(
                table, row, f"is about the same file as row {first}, but differs; row {first} was used"
            )
    return found


def annotations_of_row(table: Table, row: Row, video_id: str, remarks: Remarks) -> Iterator[Annotation]:
    """Yield the annotations of one video; an empty cell means "not annotated"."""
    for feature, parts in feature_columns(table).items():
        text = row[parts["present"]]
        if not text:
            if any(row[column].lower() not in NOT_GIVEN for column in parts.values()):
                remarks.not_used(
                    table, row, f"{feature}: has times or a justification, but neither yes, no nor NA"
                )
            continue
        present = _VALUES.get(text.lower())
        if present is None:
            remarks.not_used(table, row, f"{feature}: {text!r} is neither yes, no nor NA")
            continue
        onset, offset = (
            seconds_of(table, row, parts[part], remarks) if part in parts else None
            for part in ("start", "end")
        )
        if onset is not None and offset is not None and offset < onset:
            start, end = row[parts["start"]], row[parts["end"]]
            message = f"{feature}: ends ({end}) before it starts ({start}); both times left out"
            remarks.not_used(table, row, message)
            onset = offset = None
        justification = row[parts["justification"]] if "justification" in parts else ""
        justification = "" if justification.lower() in NOT_GIVEN else justification
        yield Annotation(video_id, feature, present, onset, offset, None, justification or None)


@dataclass(frozen=True)
class ClockTime:
    """Seconds from the start of the video; ``doubt`` says why the reading is not beyond question."""

    seconds: float
    doubt: str | None = None


def parse_clock(text: str, *, decimal_comma: bool = False) -> ClockTime | None:
    """Return the time that a cell of a published table means, or ``None`` if it gives none.

    The rule: ``MM:SS`` is minutes and seconds. Of three groups, ``a:b:00`` is minutes, seconds and an empty
    third group, which is how spreadsheets stored these tables; ``0:b:c`` with a third group that is not zero
    is hours, minutes and seconds, and so is a one-digit ``a:b:c`` (the few ``H:MM:SS``), which is doubted. A
    one-digit ``a:b:00`` is read as minutes and seconds, but doubted too: ``0:34:00`` might mean 34 minutes.
    Bare numbers from 1 on are seconds; ``12,5`` is 12.5 with ``decimal_comma``, for tables without commas.

    Raises:
        CellError: No reading is safe: ``aa:b:c`` with neither zero hours nor an empty third group, 60 or more
            seconds, a fraction of a day, or no time at all.
    """
    text = text.strip()
    if text.lower() in NOT_GIVEN:
        return None
    plain = text.replace(",", ".") if decimal_comma and re.fullmatch(r"\d+,\d+", text) else text
    if re.fullmatch(r"(\d+\.?\d*|\.\d+)([eE]-\d{1,3})?", plain):
        if 0 < float(plain) < 1:
            meant = day_fraction_s(plain)
            fix = (
                _CLOCK_FIX if meant is None else f"write {clock(meant)} in the source table and import again"
            )
            raise CellError(f"{text!r} looks like a spreadsheet's fraction of a day", fix)
        return ClockTime(float(plain))
    parts = re.fullmatch(r"(\d{1,3}):(\d{1,2})(?::(\d{1,2}))?", text)
    if parts is None:
        raise CellError(f"{text!r} is no time", _CLOCK_FIX)
    first, second, third = int(parts[1]), int(parts[2]), int(parts[3] or 0)
    if second > 59 or third > 59:
        raise CellError(f"{text!r} has more than 59 minutes or seconds in a group", _CLOCK_FIX)
    short, long = first * 60 + second, first * 3600 + second * 60 + third
    one_digit = len(parts[1]) == 1
    if parts[3] is None:
        return ClockTime(float(short))
    if third == 0:
        doubt = f"{text!r} was read as {short} s (MM:SS:00); as H:MM:SS it would be {long} s"
        return ClockTime(float(short), doubt if one_digit and long else None)
    if first == 0:
        return ClockTime(float(long))
    if one_digit:
        doubt = f"{text!r} was read as {long} s (H:MM:SS); with hundredths it would be {short} s"
        return ClockTime(float(long), doubt)
    raise CellError(f"{text!r} is ambiguous: H:MM:SS, or MM:SS and hundredths", _CLOCK_FIX)


def seconds_of(table: Table, row: Row, column: str, remarks: Remarks) -> float | None:
    """Return the seconds that a time cell means; what cannot be used or may be doubted is noted."""
    try:
        time = parse_clock(row[column], decimal_comma=table.delimiter != ",")
    except CellError as error:
        remarks.not_used(table, row, f"{column}: {error}", error.fix)
        return None
    if time is not None and time.doubt:
        remarks.doubt(table, row, f"{column}: {time.doubt}")
    return time.seconds if time else None
