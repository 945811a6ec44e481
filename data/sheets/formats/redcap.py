"""REDCap's exports: repeated instruments, check boxes and forms that were never filled in."""

from __future__ import annotations

from semiology.data.sheets.grid import Grid, made_grid
from semiology.data.sheets.terms import key_of

_INSTANCE = ("redcap repeat instance", "repeat instance")
_NOT_FILLED = ("0", "incomplete", "")


def redcap_table(grid: Grid) -> tuple[Grid, int] | None:
    """Return an export as a sheet, and how many rows of forms that are not complete were left out.

    Where an instrument repeats, the record is the patient and the instance the recording. None if it is no export.
    """
    if not grid.rows:
        return None
    heads = [grid.text(0, column) for column in range(len(grid.rows[0]))]
    keys = [key_of(head) for head in heads]
    marked = any("___" in head or "(choice=" in head for head in heads)
    if not marked and not any(key.startswith(("redcap ", "repeat instrument")) for key in keys):
        return None
    record = next((at for at, key in enumerate(keys) if key in ("record id", "study id", "record")), 0)
    instance = next((at for at, key in enumerate(keys) if key in _INSTANCE), None)
    status = [at for at, key in enumerate(keys) if key.endswith(" complete") or key == "complete"]
    names = list(heads)
    repeated = instance is not None and any(grid.text(row, instance) for row in range(1, len(grid.rows)))
    names[record] = "patient" if repeated else names[record]
    if instance is not None and repeated:
        names[instance] = "video"
    rows, left = [], 0
    for row in range(1, len(grid.rows)):
        cells = [grid.text(row, column) for column in range(len(heads))]
        if repeated and instance is not None and not cells[instance]:
            continue  # the row of the record itself, which holds no instance's answers
        if status and all(key_of(cells[at]) in _NOT_FILLED for at in status):
            left += 1
            continue
        rows.append(cells)
    return made_grid(grid.name, names, rows), left
