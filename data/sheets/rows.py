"""The rows of a sheet, each with the recording and the patient that it is about."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from semiology.data.sheets.grid import Grid, text_of
from semiology.data.sheets.layout import Laid
from semiology.data.sheets.mapping import Notes, SheetMapping
from semiology.data.sheets.terms import heading_of, key_of
from semiology.data.tables.cells import names_nobody, spreadsheet_made


@dataclass(frozen=True)
class Line:
    """A row of data with the recording that it is about."""

    row: int
    video: str
    patient: str

    @property
    def number(self) -> int:
        """The row as a spreadsheet shows it."""
        return self.row + 1


def lines_of(
    laid: Laid, grids: Sequence[Grid], mapping: SheetMapping, notes: Notes, *, patients: bool
) -> Iterator[Line]:
    """Yield the rows that name a recording; what others hold is noted.

    ``patients`` tells whether it matters who they are of: not in a set whose recordings are known.
    """
    if "video" not in laid.columns:
        notes.ask(
            "video",
            "No column names the recordings. Which one does?",
            *((heading, "") for column, heading in enumerate(laid.headings)
              if heading and column not in laid.columns.values()),
        )  # fmt: skip
        return
    joined = _patients_elsewhere(laid, grids, notes) if "patient" not in laid.columns else {}
    above = {"video": "", "patient": ""}
    owners: dict[str, str] = {}
    for row in range(laid.first, len(laid.grid.rows)):
        if not any(text_of(cell) for cell in laid.grid.rows[row]):
            continue
        names = {role: laid.text(row, role) for role in above}
        for role, name in names.items():
            if name and names_nobody(name):
                notes.change(laid.headings[laid.columns[role]], name, "nothing: it is no id", row + 1)
                names[role] = ""
        if spreadsheet_made(names["patient"]):
            notes.remark(
                f"patients such as {names['patient']!r} look as if a spreadsheet had made a date or a number of them: "
                "compare them with the source"
            )
        for role, last in above.items():
            if names[role] or role not in laid.columns or not last or not _says(laid, row):
                continue
            if role == "patient" and (not patients or names["video"] in owners):
                names[role] = owners.get(names["video"], "")
                continue
            if mapping.blank_ids is None:
                notes.ask(
                    "blank_ids",
                    f"Row {row + 1} has no {role}; the last one above is {last!r}. What does an empty cell mean?",
                    ("above", "the same as above"),
                    ("skip", "leave such rows out"),
                )
            elif mapping.blank_ids == "above":
                names[role] = last
                notes.change(laid.headings[laid.columns[role]], "an empty cell", "the same as above", row + 1)
        if not names["video"]:
            if _says(laid, row):
                notes.not_used(row + 1, "the row names no recording", "fill in its name, or leave it")
            continue
        above = dict(names)
        if names["patient"]:
            owners.setdefault(names["video"], names["patient"])
        yield Line(row, names["video"], names["patient"] or joined.get(key_of(names["video"]), ""))


def _says(laid: Laid, row: int) -> bool:
    """Return whether a row says anything beside who it is about."""
    return any(text_of(laid.cell(row, role)) for role in laid.columns if role not in ("video", "patient"))


def _patients_elsewhere(laid: Laid, grids: Sequence[Grid], notes: Notes) -> dict[str, str]:
    """Return patients by recording from another sheet of the workbook that has both."""
    for grid in grids:
        if grid.name == laid.grid.name:
            continue
        for at in range(min(5, len(grid.rows))):
            roles = [heading_of(grid.text(at, column)).role for column in range(len(grid.rows[at]))]
            if "video" in roles and "patient" in roles:
                video, patient = roles.index("video"), roles.index("patient")
                notes.change("patient", f"the sheet {grid.name!r}", "patient of each recording")
                rows = range(at + 1, len(grid.rows))
                return {key_of(grid.text(row, video)): grid.text(row, patient) for row in rows}
    return {}
