"""Ratings read back from filled-in sheets and from the local page."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from semiology.data.problems import RecordingSetError
from semiology.data.sheets.grid import Grid, read_grids, text_of
from semiology.data.tables.cells import plain_number
from semiology.data.tables.csv_tables import read_table
from semiology.metrics.agreement.ratings import POINTS
from semiology.reports.review.sheet import Case, ReviewError, read_sample
from semiology.reports.review.store import STORE, RatingStore
from semiology.reports.review.subjects import JUSTIFICATION, Subject

_SHOWN = 10
WORKBOOKS = (".xlsx", ".xlsm", ".xls", ".ods")


@dataclass(frozen=True)
class Review:
    """A review with its ratings.

    Attributes:
        cases: what was to be rated.
        ratings: by rater, the rating of each item rated.
        comments: (item, rater, text).
        caveats: what limits the ratings, such as that the recordings are simulated.
        subject: what was rated.
    """

    cases: tuple[Case, ...]
    ratings: Mapping[str, Mapping[str, int]]
    comments: tuple[tuple[str, str, str], ...]
    caveats: tuple[str, ...] = ()
    subject: Subject = JUSTIFICATION


def read_review(folder: Path, sheets: Sequence[Path] = ()) -> Review:
    """Read the ratings of the local page, if any, and of filled-in sheets.

    Args:
        folder: of the review. sheets: CSV or a workbook; the rater is named by the column ``rater`` or the file.

    Raises:
        ReviewError: a sheet cannot be read, or holds a rating outside 1 to 5, an unknown item or an item
            twice; all faults are listed with their rows. Or a rater has two sources.
    """
    sample = read_sample(folder)
    cases = sample.cases
    known = {case.item for case in cases}
    ratings: dict[str, dict[str, int]] = {}
    comments: list[tuple[str, str, str]] = []
    if (folder / STORE).is_file():
        store = RatingStore(folder / STORE)
        for given in store.latest():
            if given.item in known:
                if given.rating is not None:
                    ratings.setdefault(given.rater, {})[given.item] = given.rating
                if given.comment.strip():
                    comments.append((given.item, given.rater, given.comment))
        store.close()
    for sheet in sheets:
        for rater, rated, said in _read_sheet(sheet, known):
            if rater in ratings:
                raise ReviewError(
                    f"{sheet}: rater {rater!r} has ratings from elsewhere → name the file otherwise"
                )
            _refuse_other_form(sheet, rater, ratings)
            ratings[rater] = rated
            comments += [(item, rater, text) for item, text in said.items()]
    if not any(ratings.values()):
        raise ReviewError(
            f"{folder}: nobody has rated anything yet → give filled-in sheets, or serve the review"
        )
    return Review(cases, ratings, tuple(sorted(comments)), sample.caveats, sample.subject)


def _refuse_other_form(sheet: Path, rater: str, others: Iterable[str]) -> None:
    """Refuse a rater whose name differs from an earlier one in the case of letters alone: one person would be two."""
    same = next((each for each in others if each.casefold() == rater.casefold()), None)
    if same is not None:
        raise ReviewError(
            f"{sheet}: rater {rater!r} is written like {same!r} → write one person's name in one form"
        )


def _read_sheet(path: Path, known: set[str]) -> list[tuple[str, dict[str, int], dict[str, str]]]:
    rows = _rows(path)
    absent = [name for name in ("item", "rating") if rows and name not in rows[0][1]]
    if absent or not rows:
        what = f"has no column {absent[0]!r}" if absent else "is empty"
        raise ReviewError(f"{path}: {what} → use the sheet that `semiology review export` wrote")
    faults: list[str] = []
    rated: dict[str, dict[str, int]] = {}
    said: dict[str, dict[str, str]] = {}
    for number, row in rows:
        item, rater = row["item"], row.get("rater") or path.stem
        text, fault = row["rating"], None
        value = plain_number(text, decimal_comma=True)
        if text and value not in POINTS:
            fault = f"rating is {text[:20]!r} → write a whole number from 1 to 5, or nothing"
        if item not in known:
            fault = f"item {item!r} is not of this review"
        elif item in rated.get(rater, {}):
            fault = f"item {item!r} stands twice"
        if fault:
            faults.append(f"{path.name}:{number}: {fault}")
            continue
        if value is not None:
            rated.setdefault(rater, {})[item] = int(value)
        if row.get("comment"):
            said.setdefault(rater, {})[item] = row["comment"]
    if faults:
        more = [f"… and {len(faults) - _SHOWN} more"] if len(faults) > _SHOWN else []
        raise ReviewError("\n  ".join(["the ratings cannot be used:", *faults[:_SHOWN], *more]))
    return [(rater, rated.get(rater, {}), said.get(rater, {})) for rater in sorted({*rated, *said})]


def _rows(path: Path) -> list[tuple[int, dict[str, str]]]:
    if not path.is_file():
        raise ReviewError(f"{path}: there is no such file → give a sheet that was filled in")
    if path.suffix.lower() not in WORKBOOKS:
        read = read_table(path)
        if read.problems and not read.rows and read.problems[0].message == "is empty":
            return []
        if read.problems:
            raise ReviewError("\n  ".join(["the ratings cannot be used:", *map(str, read.problems[:_SHOWN])]))
        return [(row.number, row.cells) for row in read.rows]
    try:
        grids = read_grids(path)
    except RecordingSetError as error:
        raise ReviewError(f"{path}: cannot be read: {error}") from None
    return _rows_of_workbook(path, next((each for each in grids if "item" in _header(each)), grids[0]))


def _header(grid: Grid) -> list[str]:
    return [text_of(cell).lower() for cell in grid.rows[0]]


def _rows_of_workbook(path: Path, grid: Grid) -> list[tuple[int, dict[str, str]]]:
    """Return the rows below the header with their numbers.

    Raises:
        ReviewError: a column stands twice, or a rating is of merged cells, so that it is of nobody knows which item.
    """
    header = _header(grid)
    twice = sorted({name for name in header if name and header.count(name) > 1})
    if twice:
        raise ReviewError(f"{path.name}:1: column {twice[0]!r} stands twice → rename or delete one of them")
    merged = [(row, column) for row, column in sorted(grid.merged) if header[column] in ("item", "rating")]
    if merged:
        row, column = merged[0]
        raise ReviewError(
            f"{path.name}:{row + 1}: {header[column]}: the cells are merged → write what holds into each row"
        )
    return [
        (number + 1, {name: grid.text(number, column) for column, name in enumerate(header)})
        for number in range(1, len(grid.rows))
        if any(grid.text(number, column) for column in range(len(header)))
    ]
