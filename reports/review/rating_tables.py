"""Ratings read back from sheets and from the local page, and what they say."""

from __future__ import annotations

import codecs
import csv
import io
import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from semiology.data.cache import written_whole
from semiology.metrics.agreement.ratings import (
    POINTS,
    RatingSummary,
    rater_agreement,
    summarise_ratings,
)
from semiology.metrics.statistics.intervals import Estimate
from semiology.render.table import table_line
from semiology.render.text import escaped, neutral
from semiology.reports.review.sheet import Case, ReviewError, read_sample
from semiology.reports.review.store import STORE, RatingStore
from semiology.reports.review.summary import ReviewSummary

_SHOWN = 10
GROUPS: Mapping[str, Callable[[Case], str]] = {
    "all": lambda case: "all",
    "feature": lambda case: case.feature,
    "model": lambda case: case.model,
    "kind": lambda case: case.kind,
}


@dataclass(frozen=True)
class Review:
    """A review with its ratings.

    Attributes:
        cases: what was to be rated.
        ratings: by rater, the rating of each item rated.
        comments: (item, rater, text).
        caveats: what limits the ratings, such as that the recordings are simulated.
    """

    cases: tuple[Case, ...]
    ratings: Mapping[str, Mapping[str, int]]
    comments: tuple[tuple[str, str, str], ...]
    caveats: tuple[str, ...] = ()


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
    return Review(cases, ratings, tuple(sorted(comments)), sample.caveats)


def summarise_review(review: Review) -> ReviewSummary:
    """Summarise ratings of all items, and by feature, model and kind of answer."""
    rows = []
    for kind, group_of in GROUPS.items():
        names = sorted({group_of(case) for case in review.cases})
        for name in names:
            members = [case for case in review.cases if group_of(case) == name]
            given = [
                [rated[case.item] for rated in review.ratings.values() if case.item in rated]
                for case in members
            ]
            rows.append((kind, name, summarise_ratings(given, [case.patient_id for case in members])))
    rated_items = {item for rated in review.ratings.values() for item in rated}
    return ReviewSummary(
        tuple(rows),
        rater_agreement(review.ratings),
        len(review.cases),
        len(review.cases) - len(rated_items),
        review.caveats,
    )


HEADER = (
    "group",
    "items",
    "patients",
    "20 %",
    "40 %",
    "60 %",
    "80 %",
    "100 %",
    "at least 60 % [95 %]",
    "median",
)


def table_cells(summary: ReviewSummary) -> list[tuple[str, ...]]:
    """Return the rows under `HEADER`."""
    return [
        (
            name if kind != "all" else "all items",
            str(found.n_items),
            str(found.n_patients),
            *(_percent(found.distribution[value]) for value in POINTS),
            _with_limits(found.passed),
            "–" if math.isnan(found.median) else f"{found.median:.2g}",
        )
        for kind, name, found in summary.rows
    ]


def sentences(summary: ReviewSummary) -> list[str]:
    """Return caveats, coverage, what the shares are of, and agreement in plain sentences."""
    agreement, rated = summary.agreement, summary.n_cases - summary.n_unrated
    raters = f"{len(agreement.raters)} rater{'' if len(agreement.raters) == 1 else 's'}"
    names = ", ".join(agreement.raters)
    lines = [f"Note: {text}" for text in summary.caveats]
    lines += [f"{rated} of {summary.n_cases} items are rated, by {raters}: {names}."]
    if agreement.n_items:
        lines.append(
            "The distribution is of ratings; the share of at least 60 % and the median are of items, of "
            "which the mean counts."
        )
        equal, near = _percent(agreement.exact), _percent(agreement.within_one)
        lines.append(
            f"{agreement.n_items} items have several ratings: equal in {equal}, at most 1 apart in {near} of "
            f"pairs; Krippendorff's alpha {_two(agreement.alpha)} (as categories "
            f"{_two(agreement.alpha_nominal)}), quadratic kappa {_two(agreement.weighted_kappa)}."
        )
    else:
        lines.append("No item has two ratings: how far raters agree is not known.")
    lines.append("Only correct answers were rated: this says nothing about how often a model is right.")
    return lines


def write_summary(review: Review, summary: ReviewSummary, folder: Path) -> list[Path]:
    """Write ratings.md, .json, summary and comments as CSV, and the figure as PNG and SVG; return them."""
    from semiology.reports.review.figure import write_figure

    folder.mkdir(parents=True, exist_ok=True)
    content = {
        "format": "semiology review summary 1",
        "groups": [{"kind": kind, "group": name, **_plain(found)} for kind, name, found in summary.rows],
        "agreement": {key: _json(value) for key, value in vars(summary.agreement).items()},
        "caveats": list(summary.caveats),
        "items": summary.n_cases,
        "unrated": summary.n_unrated,
    }
    texts = {
        "review.json": json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False) + "\n",
        "review.md": _markdown(summary),
    }
    for name, text in texts.items():
        with written_whole(folder / name) as part:
            part.write_text(text, encoding="utf-8")
    tables: dict[str, list[Sequence[Any]]] = {
        "review.csv": [HEADER, *table_cells(summary)],
        "review_comments.csv": [("item", "rater", "comment"), *review.comments],
    }
    for name, rows in tables.items():
        with written_whole(folder / name) as part, part.open("w", encoding="utf-8", newline="") as stream:
            csv.writer(stream, lineterminator="\n").writerows([neutral(cell) for cell in row] for row in rows)
    return [*(folder / name for name in (*texts, *tables)), *write_figure(summary, folder)]


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
        value, fault = _rating(row["rating"])
        if item not in known:
            fault = f"item {item!r} is not of this review"
        elif item in rated.get(rater, {}):
            fault = f"item {item!r} stands twice"
        if fault:
            faults.append(f"{path.name}:{number}: {fault}")
            continue
        if value is not None:
            rated.setdefault(rater, {})[item] = value
        if row.get("comment"):
            said.setdefault(rater, {})[item] = row["comment"]
    if faults:
        more = [f"… and {len(faults) - _SHOWN} more"] if len(faults) > _SHOWN else []
        raise ReviewError("\n  ".join(["the ratings cannot be used:", *faults[:_SHOWN], *more]))
    return [(rater, rated.get(rater, {}), said.get(rater, {})) for rater in sorted({*rated, *said})]


def _rows(path: Path) -> list[tuple[int, dict[str, str]]]:
    if not path.is_file():
        raise ReviewError(f"{path}: there is no such file → give a sheet that was filled in")
    try:
        if path.suffix == ".xlsx":
            from openpyxl import load_workbook

            book = load_workbook(path, read_only=True, data_only=True)
            table = [
                ["" if v is None else str(v) for v in row] for row in book.active.iter_rows(values_only=True)
            ]
            book.close()
        else:
            table = _csv_table(path.read_bytes())
    except Exception as error:  # noqa: BLE001 - whatever a broken file makes the reader raise
        raise ReviewError(
            f"{path}: cannot be read ({type(error).__name__}) → save it as CSV in UTF-8 or as xlsx"
        ) from None
    if not table:
        return []
    # "sep=;" before the header is a hint to spreadsheets; the number of rows counts it.
    top = 1 if len(table) > 1 and table[0] and table[0][0].strip().lower().startswith("sep=") else 0
    header = [name.strip().lower() for name in table[top]]
    return [
        (number, {name: cell.strip() for name, cell in zip(header, row, strict=False)})
        for number, row in enumerate(table[top + 1 :], start=top + 2)
        if any(cell.strip() for cell in row)
    ]


def _csv_table(content: bytes) -> list[list[str]]:
    """Return the cells of a CSV file as spreadsheets of any language write it.

    That is UTF-8, or UTF-16 with its byte order mark ("Unicode text"); commas, semicolons or tabs.
    """
    marked = content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    text = content.decode("utf-16" if marked else "utf-8-sig")
    lines = text.splitlines() or [""]
    head = lines[1] if lines[0].strip().lower().startswith("sep=") and len(lines) > 1 else lines[0]
    mark = max((",", ";", "\t"), key=head.count)
    return list(csv.reader(io.StringIO(text, newline=""), delimiter=mark))


def _rating(text: str) -> tuple[int | None, str | None]:
    if not text:
        return None, None
    try:
        value = float(text.replace(",", "."))
    except ValueError:
        value = math.nan
    if value not in POINTS:
        return None, f"rating is {text[:20]!r} → write a whole number from 1 to 5, or nothing"
    return int(value), None


def _markdown(summary: ReviewSummary) -> str:
    lines = ["# Ratings of justifications", "", table_line(HEADER)]
    lines.append(table_line(["---"] + ["---:"] * (len(HEADER) - 1)))
    lines += [table_line(row) for row in table_cells(summary)]
    return "\n".join([*lines, "", *(f"- {escaped(text)}" for text in sentences(summary)), ""])


def _plain(found: RatingSummary) -> dict[str, Any]:
    return {
        "items": found.n_items,
        "ratings": found.n_ratings,
        "patients": found.n_patients,
        "distribution": {f"{POINTS[k]} %": _json(share) for k, share in found.distribution.items()},
        "at_least_60": {key: _json(getattr(found.passed, key)) for key in ("value", "low", "high", "reason")},
        "mean_percent": {key: _json(getattr(found.mean, key)) for key in ("value", "low", "high", "reason")},
        "median": _json(found.median),
    }


def _json(value: Any) -> Any:
    return None if isinstance(value, float) and math.isnan(value) else value


def _percent(value: float) -> str:
    return "–" if math.isnan(value) else f"{value:.0%}"


def _two(value: float) -> str:
    return "undefined" if math.isnan(value) else f"{value:.2f}"


def _with_limits(estimate: Estimate) -> str:
    if math.isnan(estimate.value):
        return "–"
    if estimate.low is None or estimate.high is None:
        return f"{estimate.value:.1%} (no interval)"
    return f"{estimate.value:.1%} [{estimate.low:.1%}, {estimate.high:.1%}]"
