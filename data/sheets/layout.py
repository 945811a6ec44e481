"""Where in a sheet things stand: the sheet itself, its header, and what each column holds."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from semiology.data.problems import Problem, RecordingSetError
from semiology.data.sheets.grid import Cell, Grid
from semiology.data.sheets.mapping import GENERAL_ROLES, Notes, SheetMapping
from semiology.data.sheets.terms import Heading, heading_of, key_of, terms
from semiology.features import FEATURES
from semiology.render.text import counted

SEARCHED_ROWS = 30
"""Rows among which the header is looked for."""
_LEAST = 2
_TURNED_LEAST = 3


@dataclass(frozen=True)
class Laid:
    """A sheet whose columns are known.

    Attributes:
        grid: the sheet, turned if its features are rows.
        first: the first row of data, from 0.
        columns: number of each column by its role; a role that a heading does not have is absent.
        headings: of all columns, each different. units: of times, by column.
    """

    grid: Grid
    layout: str
    first: int
    columns: dict[str, int]
    headings: tuple[str, ...]
    units: dict[int, str]

    @property
    def features(self) -> tuple[str, ...]:
        """The features that have a column of their own."""
        names = {role.partition(".")[0] for role in self.columns}
        return tuple(name for name in FEATURES if name in names)

    def cell(self, row: int, role: str) -> Cell:
        """Return a cell of a row; an empty text where no column has the role."""
        return self.grid.rows[row][self.columns[role]] if role in self.columns else ""

    def text(self, row: int, role: str) -> str:
        """Return a cell as text."""
        return self.grid.text(row, self.columns[role]) if role in self.columns else ""

    def shown(self, row: int, role: str) -> str:
        """Return what a cell's number format says of it."""
        return self.grid.shown.get((row, self.columns.get(role, -1)), "")


@dataclass(frozen=True)
class _Header:
    rows: tuple[int, ...]
    headings: tuple[str, ...]
    found: tuple[Heading, ...]

    @property
    def score(self) -> int:
        return len({f.role for f in self.found if f.role}) + sum(bool(f.choices) for f in self.found)

    @property
    def features(self) -> int:
        return len({f.role.partition(".")[0] for f in self.found} & set(FEATURES)) + sum(
            bool(f.choices) for f in self.found
        )


def lay_out(grids: Sequence[Grid], mapping: SheetMapping, notes: Notes) -> tuple[Laid | None, SheetMapping]:
    """Return the sheet with its columns, None while a question is open, and the mapping with what was found.

    Raises:
        RecordingSetError: no sheet has a header that is understood.
    """
    grid = _sheet(grids, mapping, notes)
    if grid is None:
        return None, mapping
    mapping = mapping.model_copy(
        update={
            "sheet": grid.name if len(grids) > 1 else mapping.sheet,
            "encoding": grid.encoding or None,
            "delimiter": grid.delimiter or None,
        }
    )
    if grid.guessed:
        notes.change("file", "letters that are not UTF-8", f"{grid.encoding} text", None)
    turned = mapping.layout == "turned" or (mapping.layout is None and _is_turned(grid))
    if turned:
        grid = _turn(grid)
        notes.change("sheet", "features as rows", "features as columns", None)
    header = _header(grid, mapping)
    if header is None or (header.score < _LEAST and not mapping.columns):
        fix = "name its rows and columns in a mapping (--map): header: [1], columns: {Heading: video, …}"
        message = f"no row of {grid.name!r} is a header that is understood"
        raise RecordingSetError([Problem(notes.file, None, message, fix)])
    if header.rows != (0,) and not turned:
        row = " and ".join(str(at + 1) for at in header.rows)
        notes.change("sheet", f"header in row {row}", "names of the columns", header.rows[0] + 1)
    columns, units, told = _columns(header, mapping, notes)
    layout = mapping.layout or ("turned" if turned else _layout(columns))
    if layout != "long":
        for role in ("onset", "offset", "span", "side", "justification", "present", "feature"):
            if role in columns:
                where = header.headings[columns.pop(role)]
                notes.remarks.append(f"the column {where!r} is not read: it belongs to no feature")
                told[where] = "ignore"
    mapping = mapping.model_copy(
        update={
            "header": [at + 1 for at in header.rows],
            "columns": {**told, **_elsewhere(mapping, told)},
            "layout": layout,
        }
    )
    laid = Laid(grid, layout, header.rows[-1] + 1, columns, header.headings, units)
    if not laid.features and layout != "long":
        message = f"no column of {grid.name!r} is a feature ({', '.join(h for h in header.headings if h)})"
        fix = "name the columns in a mapping (--map), or with --choose 'columns.Heading=tonic'"
        raise RecordingSetError([Problem(notes.file, header.rows[0] + 1, message, fix)])
    return (None if notes.questions else laid), mapping


def _elsewhere(mapping: SheetMapping, told: dict[str, str]) -> dict[str, str]:
    """Return the roles that were given for names in the cells of a list, which are no headings."""
    headings = set(map(key_of, told))
    return {name: role for name, role in mapping.columns.items() if key_of(name) not in headings}


def _sheet(grids: Sequence[Grid], mapping: SheetMapping, notes: Notes) -> Grid | None:
    """Return the sheet with the annotations; ask where several could be."""
    if mapping.sheet is not None:
        named = [grid for grid in grids if grid.name == mapping.sheet]
        if not named and len(grids) > 1:
            names = ", ".join(repr(grid.name) for grid in grids)
            problem = Problem(notes.file, None, f"has no sheet {mapping.sheet!r}", f"name one of {names}")
            raise RecordingSetError([problem])
        return named[0] if named else grids[0]
    if len(grids) == 1:
        return grids[0]
    scores = {grid.name: _annotates(grid) for grid in grids}
    useful = [grid for grid in grids if scores[grid.name]]
    if len(useful) > 1:
        notes.ask(
            "sheet",
            f"Several sheets hold features: {', '.join(grid.name for grid in useful)}. Which one is to be read? "
            "(Give each a folder of its own, or copy them into one sheet.)",
            *((grid.name, f"{counted(len(grid.rows), 'row')}") for grid in useful),
        )
        return None
    if not useful:
        return max(grids, key=lambda grid: len(grid.rows))
    notes.change("workbook", f"{len(grids)} sheets", f"the annotations are in {useful[0].name!r}", None)
    return useful[0]


def _annotates(grid: Grid) -> bool:
    header = _header(grid, SheetMapping())
    if header is None:
        return False
    roles = {each.role for each in header.found}
    return (header.features > 0 and header.score > 1) or {"video", "feature"} <= roles or _is_turned(grid)


def _texts(grid: Grid, row: int) -> list[str]:
    return [grid.text(row, column) for column in range(len(grid.rows[row]))]


def _header(grid: Grid, mapping: SheetMapping) -> _Header | None:
    """Return the row, or the two rows, in which most headings are understood; of two that are alike, the one with more
    features (one feature over "yes or no" and "onset")."""
    if mapping.header:
        rows = [at - 1 for at in mapping.header if 0 < at <= len(grid.rows)]
        return _of_rows(grid, rows) if rows else None
    within = range(min(SEARCHED_ROWS, len(grid.rows)))
    single = max((_of_rows(grid, [row]) for row in within), key=lambda header: header.score, default=None)
    pairs = [_of_rows(grid, [row, row + 1]) for row in within if row + 1 < len(grid.rows)]
    double = max(pairs, key=lambda header: header.score, default=None)
    if double and single and (double.score, double.features) > (single.score, single.features):
        return double
    return single


def _of_rows(grid: Grid, rows: Sequence[int]) -> _Header:
    headings = _texts(grid, rows[0])
    if len(rows) > 1:
        below = _texts(grid, rows[1])
        top = ""
        joined = []
        for column, (over, under) in enumerate(zip(headings, below, strict=True)):
            spread = (
                not over
                and under
                and heading_of(under).role in ("onset", "offset", "span", "side", "present", "justification")
            )
            top = over if over or not spread else top
            name = top if spread else over
            both = name and under and key_of(name) != key_of(under)
            joined.append(f"{name} / {under}" if both else name or under)
            del column
        headings = joined
    seen: dict[str, int] = {}
    names = []
    for heading in headings:
        seen[heading] = seen.get(heading, 0) + 1
        names.append(heading if seen[heading] == 1 or not heading else f"{heading} ({seen[heading]})")
    found = []
    for heading, name in zip(headings, names, strict=True):
        each = _two_rows(heading) if len(rows) > 1 else heading_of(heading)
        found.append(each if name == heading or not each.role else replace(each))
    return _Header(tuple(rows), tuple(names), tuple(found))


def _two_rows(heading: str) -> Heading:
    over, mark, under = heading.partition(" / ")
    both = heading_of(heading)
    if both.role or not mark:
        return both
    first, second = heading_of(over), heading_of(under)
    if first.role in FEATURES and second.role == "present":
        return first
    # A heading over a group, such as "Motor signs", says nothing of its own.
    return second if not first.role else Heading()


def _columns(
    header: _Header, mapping: SheetMapping, notes: Notes
) -> tuple[dict[str, int], dict[int, str], dict[str, str]]:
    """Return the column of each role, the units of columns, and the role of each heading."""
    columns: dict[str, int] = {}
    units: dict[int, str] = {}
    told: dict[str, str] = {}
    given = {key_of(heading): role for heading, role in mapping.columns.items()}
    if mapping.video:
        given[key_of(mapping.video)] = "video"
    for column, (name, found) in enumerate(zip(header.headings, header.found, strict=True)):
        if not name:
            continue
        role = given.get(key_of(name), found.role)
        if mapping.video and role == "video" and key_of(name) != key_of(mapping.video):
            role = ""
        if not role and found.choices:
            choices = [(feature, f"read as {feature}") for feature in found.choices]
            text = f"The column {name!r} is not clear: which feature is it?"
            notes.ask(f"columns.{name}", text, *choices, ("ignore", "leave the column out"))
            continue
        if not role and (near := nearly(name)):
            text = f"The column {name!r} may be misspelt: is it {near}?"
            notes.ask(f"columns.{name}", text, (near, "yes"), ("ignore", "no: leave the column out"))
            continue
        if not role or role == "ignore":
            told[name] = "ignore"
            if role != "ignore":
                notes.remarks.append(f"the column {name!r} is not read: its name is not known")
            continue
        if role in columns:
            first = header.headings[columns[role]]
            if role == "video":
                text = f"The columns {first!r} and {name!r} both seem to name the recordings. Which one does?"
                notes.ask("video", text, (first, ""), (name, ""))
                continue
            notes.ask(
                f"columns.{name}",
                f"The columns {first!r} and {name!r} both seem to be {role!r}. What is {name!r}?",
                ("ignore", f"read {first!r} alone"),
                *(
                    (other, f"it is the {other}")
                    for other in ("patient", "justification")
                    if other not in columns
                ),
            )
            continue
        columns[role] = column
        told[name] = role
        if key_of(role.replace(".", " ")) != key_of(name) and role not in GENERAL_ROLES:
            notes.change("heading", name, role, header.rows[-1] + 1)
        unit = mapping.units.get(name, found.unit or "")
        if unit:
            units[column] = unit
            if unit != "s":
                notes.change(name, f"numbers in {unit}", "seconds", header.rows[-1] + 1)
    return columns, units, told


def nearly(name: str) -> str:
    """Return the feature whose term a heading nearly spells, or an empty text."""
    from rapidfuzz import fuzz, process

    found = process.extractOne(key_of(name), terms().features.keys(), scorer=fuzz.ratio, score_cutoff=84)
    return terms().features[found[0]] if found and len(key_of(name)) > 4 else ""


def _layout(columns: dict[str, int]) -> str:
    features = {role.partition(".")[0] for role in columns} & set(FEATURES)
    return "long" if "feature" in columns and len(features) < 3 else "wide"


def _is_turned(grid: Grid) -> bool:
    """Return whether features stand below each other in one of the first columns, with answers beside them."""
    header = _header(grid, SheetMapping())
    roles = {each.role for each in header.found} if header else set()
    if "video" in roles and ((header and header.features) or "feature" in roles):
        return False
    for column in range(min(3, len(grid.rows[0]))):
        rows = [row for row in range(len(grid.rows)) if heading_of(grid.text(row, column)).role in FEATURES]
        names = [heading_of(grid.text(row, column)).role for row in rows]
        if len(names) < _TURNED_LEAST or len(names) > len(set(names)):
            continue
        beside = [grid.text(row, at) for row in rows for at in range(column + 1, len(grid.rows[row]))]
        filled = [text for text in beside if text]
        known = [text for text in filled if key_of(text) in terms().present or re.search(r"\d", text)]
        if len(known) > 0.6 * len(filled):
            return True
    return False


def _turn(grid: Grid) -> Grid:
    """Return a sheet with its rows as columns; the heading of the recordings' names is filled in."""
    texts = [
        tuple(grid.text(row, column) for row in range(len(grid.rows))) for column in range(len(grid.rows[0]))
    ]
    rows: list[tuple[Cell, ...]] = [tuple(row) for row in zip(*grid.rows, strict=True)]
    named = next(
        (
            at
            for at, row in enumerate(texts)
            if sum(heading_of(text).role in FEATURES for text in row) >= _TURNED_LEAST
        ),
        0,
    )
    names = [heading_of(text).role for text in texts[named]]
    first = next(at for at, role in enumerate(names) if role in FEATURES)
    if "video" not in names[:first] and first:
        head = list(rows[named])
        head[first - 1] = "video"
        rows[named] = tuple(head)
    shown = {(column, row): text for (row, column), text in grid.shown.items()}
    return Grid(
        grid.name, tuple(rows[named:]), {(r - named, c): t for (r, c), t in shown.items() if r >= named}
    )
