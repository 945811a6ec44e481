"""``semiology data check --fix``: what messages tell a person to write is written, with a copy of each table kept.

Only what a message says without an "if" is done: a number without its unit or decimal comma, a spelling of yes or no,
the one name that a misspelt feature, side, column or file may mean, and text in an old encoding saved as UTF-8.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from semiology.data.cache import keep_copy, write_whole
from semiology.data.problems import Problem
from semiology.data.sheets.grid import decoded
from semiology.data.tables.column_editing import set_column
from semiology.data.tables.csv_tables import read_table
from semiology.data.tables.laterality import laterality_problems
from semiology.data.tables.reading import read_folder

_CELL = re.compile(r"(?P<column>\w+): (?P<rest>.*)", re.DOTALL)
_QUOTED = r"('(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\")"
_MEANT = re.compile(rf"did you mean {_QUOTED}\?")
_CALLED = re.compile(rf"the file is called {_QUOTED}")
_ROUNDS = 5
"""A table that can be read only after a fix may hold further ones."""


@dataclass(frozen=True)
class Fix:
    """One change of a table: row as a spreadsheet shows it, None for the whole file."""

    file: str
    row: int | None
    column: str
    old: str
    new: str


def fix_folder(directory: Path) -> tuple[list[Fix], list[Path]]:
    """Apply the fixes that messages about a recording set name; return them and the copies that were kept."""
    directory = directory.expanduser().absolute()
    done: list[Fix] = []
    copies: dict[str, Path] = {}
    for _ in range(_ROUNDS):
        reading = read_folder(directory)
        ids = {recording.video_id for _row, recording in reading.recordings}
        problems = (*reading.problems, *laterality_problems(directory, ids))
        todo = [fix for problem in problems if (fix := fix_of(problem)) is not None and fix not in done]
        applied = [
            fix
            for file in dict.fromkeys(fix.file for fix in todo)
            for fix in _apply(directory / file, todo, copies)
        ]
        done += applied
        if not applied:
            break
    return done, list(copies.values())


def fix_of(problem: Problem) -> Fix | None:
    """Return the change that a message names, or None where it leaves a choice to a person."""
    if "is not UTF-8 text" in problem.message:
        return Fix(problem.file, None, "", "text in an old encoding", "UTF-8")
    if problem.row is None:
        return None
    header = re.match(rf"unknown column {_QUOTED}; did you mean {_QUOTED}\?$", problem.message)
    if header and problem.fix == "rename it":
        return Fix(problem.file, problem.row, "", _text(header[1]), _text(header[2]))
    cell = _CELL.match(problem.message)
    old = re.search(_QUOTED, cell["rest"]) if cell else None
    if cell is None or old is None:
        return None
    if new := _named(problem, _text(old[1])):
        return Fix(problem.file, problem.row, cell["column"], _text(old[1]), new)
    return None


def _named(problem: Problem, old: str) -> str:
    """Return the value that a message says to write in place of another, or an empty text."""
    if number := re.fullmatch(r"write (\d+(?:\.\d+)?)", problem.fix):
        return number[1]
    if "does not exist" in problem.message:
        name = _MEANT.search(problem.fix) or (
            _CALLED.search(problem.fix) if "write it so" in problem.fix else None
        )
        return str(PurePosixPath(old.replace("\\", "/")).with_name(_text(name[1]))) if name else ""
    meant = _MEANT.search(problem.message)
    return _text(meant[1]) if meant else ""


def _text(quoted: str) -> str:
    return str(ast.literal_eval(quoted))


def _apply(path: Path, todo: Sequence[Fix], copies: dict[str, Path]) -> list[Fix]:
    """Write the fixes of one table; return those that were written."""
    fixes = [fix for fix in todo if fix.file == path.name]
    before = path.read_bytes()
    copy = copies.get(path.name) or keep_copy(path)
    written: list[Fix] = []
    if coding := [fix for fix in fixes if fix.row is None]:
        text, encoding, _ = decoded(path, before)
        write_whole(path, text)
        written = [Fix(path.name, None, "", f"{encoding} text", "UTF-8") for _ in coding[:1]]
    else:
        for fix in (each for each in fixes if not each.column):
            if _rename(path, fix.old, fix.new):
                written.append(fix)
        table = read_table(path)
        for column in dict.fromkeys(fix.column for fix in fixes if fix.column):
            values = {row.number: row[column] for row in table.rows}
            changed = [f for f in fixes if f.column == column and f.row in values and values[f.row] == f.old]
            values |= {fix.row: fix.new for fix in changed if fix.row is not None}
            try:
                set_column(path, column, values)
            except ValueError:
                continue  # the message stays in the list of problems
            written += changed
    if written:
        copies[path.name] = copy
    elif path.name not in copies:
        copy.unlink()
    return written


def _rename(path: Path, old: str, new: str) -> bool:
    """Rename a column in the header of a UTF-8 table, where its name stands once."""
    text = path.read_text(encoding="utf-8")
    end = re.search(r"[\r\n]", text)
    header = text[: end.start()] if end else text
    found = list(re.finditer(rf"(?<!\w){re.escape(old)}(?!\w)", header, re.IGNORECASE))
    if len(found) != 1:
        return False
    write_whole(path, header[: found[0].start()] + new + header[found[0].end() :] + text[len(header) :])
    return True
