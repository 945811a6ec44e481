"""Ratings read back from filled-in sheets and from the local page."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from semiology.data.tables.csv_tables import read_table
from semiology.metrics.agreement.ratings import POINTS
from semiology.reports.review.sheet import Case, ReviewError, read_sample
from semiology.reports.review.store import STORE, RatingStore
from semiology.reports.review.subjects import JUSTIFICATION, Subject

_SHOWN = 10


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
        folder: of the review. sheets: csv or xlsx; the rater is named by the column ``rater`` or the file.

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
            ratings[rater] = rated
            comments += [(item, rater, text) for item, text in said.items()]
    if not any(ratings.values()):
        raise ReviewError(
            f"{folder}: nobody has rated anything yet → give filled-in sheets, or serve the review"
        )
    return Review(cases, ratings, tuple(sorted(comments)), sample.caveats, sample.subject)


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
        try:
            value = float(text.replace(",", ".")) if text else None
        except ValueError:
            value = math.nan
        if value is not None and value not in POINTS:
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
    if path.suffix != ".xlsx":
        read = read_table(path)
        if read.problems and not read.rows and read.problems[0].message == "is empty":
            return []
        if read.problems:
            raise ReviewError("\n  ".join(["the ratings cannot be used:", *map(str, read.problems[:_SHOWN])]))
        return [(row.number, row.cells) for row in read.rows]
    try:
        from openpyxl import load_workbook

        book = load_workbook(path, read_only=True, data_only=True)
        table = [
            ["" if v is None else str(v) for v in row] for row in book.active.iter_rows(values_only=True)
        ]
        book.close()
    except Exception as error:  # noqa: BLE001 - whatever a broken file makes the reader raise
        raise ReviewError(
            f"{path}: cannot be read ({type(error).__name__}) → save it as CSV in UTF-8 or as xlsx"
        ) from None
    header = [name.strip().lower() for name in table[0]] if table else []
    return [
        (number, {name: cell.strip() for name, cell in zip(header, row, strict=False)})
        for number, row in enumerate(table[1:], start=2)
        if any(cell.strip() for cell in row)
    ]
