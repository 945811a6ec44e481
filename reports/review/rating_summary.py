"""What the ratings of a review say: tables, sentences and the figure of faithfulness."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from semiology.data.cache import write_texts, written_whole
from semiology.metrics.agreement.ratings import (
    POINTS,
    RaterAgreement,
    RatingSummary,
    rater_agreement,
    summarise_ratings,
)
from semiology.metrics.statistics.intervals import Estimate
from semiology.render.table import Column, Document, Row, Table, markdown, table_csv
from semiology.render.text import counted, json_text
from semiology.reports.review.ratings import Review
from semiology.reports.review.sheet import Case
from semiology.reports.review.subjects import JUSTIFICATION, REPORT, Subject

# A single hue from pale to dark, readable in grey and with any colour vision.
COLOURS = ("#f2d9c8", "#e8b48f", "#cfd9e6", "#7fa3cc", "#1f5a99")
GROUPS: Mapping[str, Callable[[Case], str]] = {
    "all": lambda case: "all",
    "feature": lambda case: case.feature,
    "model": lambda case: case.model,
    "kind": lambda case: case.kind,
}


@dataclass(frozen=True)
class ReviewSummary:
    """What the ratings say.

    Attributes:
        rows: (kind of group, group, summary), the whole first.
        agreement: of the raters.
        n_cases, n_unrated: items in all, and items that nobody rated.
        caveats, subject: of the review.
    """

    rows: tuple[tuple[str, str, RatingSummary], ...]
    agreement: RaterAgreement
    n_cases: int
    n_unrated: int
    caveats: tuple[str, ...] = ()
    subject: Subject = JUSTIFICATION


def summarise_review(review: Review) -> ReviewSummary:
    """Summarise ratings of all items, and by feature, model and kind of answer."""
    rows = []
    for kind, group_of in GROUPS.items():
        if review.subject is REPORT and kind in ("feature", "kind"):
            continue  # of reports there is one of each
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
        review.subject,
    )


def document(summary: ReviewSummary) -> Document:
    """Return the table of all groups, and the sentences below it."""
    rows = tuple(
        Row(
            (
                name if kind != "all" else "all items",
                found.n_items,
                found.n_patients,
                *(_percent(found.distribution[value]) for value in POINTS),
                _with_limits(found.passed),
                "–" if math.isnan(found.median) else f"{found.median:.2g}",
            )
        )
        for kind, name, found in summary.rows
    )
    subject = summary.subject
    heads = ("group", "items", "patients", *subject.points.values(), f"{subject.passing} [95 %]", "median")
    table = Table("", tuple(map(Column, heads)), rows)
    return Document(f"Ratings of {subject.plural}", (table,), remarks=tuple(sentences(summary)))


def sentences(summary: ReviewSummary) -> list[str]:
    """Return caveats, coverage, what the shares are of, and agreement in plain sentences."""
    agreement, rated = summary.agreement, summary.n_cases - summary.n_unrated
    raters = f"{counted(len(agreement.raters), 'rater')}: {', '.join(agreement.raters)}"
    lines = [f"Note: {text}" for text in summary.caveats]
    lines += [f"{rated} of {summary.n_cases} items are rated, by {raters}."]
    if agreement.n_items:
        lines.append(
            f"The distribution is of ratings; the share of {summary.subject.passing} and the median are of items, of "
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
    lines.append(summary.subject.limit)
    return lines


def write_summary(review: Review, summary: ReviewSummary, folder: Path) -> list[Path]:
    """Write ratings.md, .json, summary and comments as CSV, and the figure as PNG and SVG; return them."""
    content = {
        "format": "semiology review summary 1",
        "groups": [{"kind": kind, "group": name, **_plain(found)} for kind, name, found in summary.rows],
        "agreement": {key: _json(value) for key, value in vars(summary.agreement).items()},
        "caveats": list(summary.caveats),
        "items": summary.n_cases,
        "unrated": summary.n_unrated,
    }
    told = document(summary)
    (table,) = (part for part in told.parts if isinstance(part, Table))
    texts = {
        "review.json": json_text(content) + "\n",
        "review.md": markdown(told),
    }
    written = write_texts(texts, folder)
    comments = Table("", tuple(map(Column, ("item", "rater", "comment"))), tuple(map(Row, review.comments)))
    for name, rows in (("review.csv", table), ("review_comments.csv", comments)):
        with written_whole(folder / name) as part:
            part.write_text(table_csv(rows, printed=True), encoding="utf-8")
        written.append(folder / name)
    return [*written, *write_figure(summary, folder)]


def write_figure(summary: ReviewSummary, folder: Path) -> list[Path]:
    """Write ``review.png`` and ``review.svg``; return them."""
    import matplotlib as mpl
    from matplotlib.figure import Figure

    mpl.rcParams["svg.hashsalt"] = "semiology"
    group = "feature" if summary.subject is JUSTIFICATION else "model"
    rows = [(name, found) for kind, name, found in summary.rows if kind in ("all", group) and found.n_items]
    passing = "≥60 %" if summary.subject is JUSTIFICATION else "≥3"
    figure = Figure(figsize=(9, 1.9 + 0.42 * len(rows) + 0.12 * len(summary.caveats)), layout="constrained")
    axes = figure.add_subplot()
    for place, (_, found) in enumerate(reversed(rows)):
        left = 0.0
        for (value, name), colour in zip(summary.subject.points.items(), COLOURS, strict=True):
            share = found.distribution[value]
            label = name if place == 0 else None
            axes.barh(place, share, left=left, color=colour, edgecolor="#333333", linewidth=0.4, label=label)
            if share >= 0.06:
                ink = "white" if value == 5 else "black"
                middle = left + share / 2
                axes.text(
                    middle, place, f"{100 * share:.0f} %", ha="center", va="center", fontsize=8, color=ink
                )
            left += share
        median = "" if math.isnan(found.median) else f", median {found.median:.2g} of 5"
        text = f" {passing}: {100 * found.passed.value:.0f} %{median} (n = {found.n_items})"
        axes.text(1.0, place, text, ha="left", va="center", fontsize=8)
    names = ["all items" if name == "all" else name.replace("_", " ") for name, _ in reversed(rows)]
    axes.set_yticks(range(len(rows)), names)
    axes.set_xlim(0, 1.5)
    axes.set_xticks([0, 0.25, 0.5, 0.75, 1.0], ["0", "25 %", "50 %", "75 %", "100 %"])
    axes.set_xlabel("share of ratings", x=0.5 / 1.5)
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines["bottom"].set_bounds(0, 1)
    remarks = [f"{passing}, median and n are of items (where several raters judged one: its mean)."]
    figure.supxlabel("\n".join(remarks + list(summary.caveats)), fontsize=7, x=0.02, ha="left")
    axes.legend(
        ncols=5,
        loc="lower left",
        bbox_to_anchor=(0, 1.0),
        frameon=False,
        title="faithfulness" if summary.subject is JUSTIFICATION else "rating",
    )
    written = []
    for form in ("png", "svg"):
        target = folder / f"review.{form}"
        with written_whole(target) as part:
            figure.savefig(part, format=form, dpi=160, metadata={"Date": None} if form == "svg" else None)
        written.append(target)
    return written


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
