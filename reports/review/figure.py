"""The figure of faithfulness ratings: one bar per feature, from 20 % to 100 %."""

from __future__ import annotations

import math
from pathlib import Path

from semiology.data.cache import written_whole
from semiology.metrics.agreement.ratings import POINTS
from semiology.reports.review.summary import ReviewSummary

# A single hue from pale to dark, readable in grey and with any colour vision.
COLOURS = ("#f2d9c8", "#e8b48f", "#cfd9e6", "#7fa3cc", "#1f5a99")


def write_figure(summary: ReviewSummary, folder: Path) -> list[Path]:
    """Write ``review.png`` and ``review.svg``; return them."""
    import matplotlib as mpl
    from matplotlib.figure import Figure

    mpl.rcParams["svg.hashsalt"] = "semiology"
    rows = [
        (name, found) for kind, name, found in summary.rows if kind in ("all", "feature") and found.n_items
    ]
    figure = Figure(figsize=(9, 1.9 + 0.42 * len(rows) + 0.12 * len(summary.caveats)), layout="constrained")
    axes = figure.add_subplot()
    for place, (_, found) in enumerate(reversed(rows)):
        left = 0.0
        for (value, percent), colour in zip(POINTS.items(), COLOURS, strict=True):
            share = found.distribution[value]
            label = f"{percent} %" if place == 0 else None
            axes.barh(place, share, left=left, color=colour, edgecolor="#333333", linewidth=0.4, label=label)
            if share >= 0.06:
                ink = "white" if value == 5 else "black"
                middle = left + share / 2
                axes.text(
                    middle, place, f"{100 * share:.0f} %", ha="center", va="center", fontsize=8, color=ink
                )
            left += share
        median = "" if math.isnan(found.median) else f", median {found.median:.2g} of 5"
        text = f" ≥60 %: {100 * found.passed.value:.0f} %{median} (n = {found.n_items})"
        axes.text(1.0, place, text, ha="left", va="center", fontsize=8)
    names = ["all items" if name == "all" else name.replace("_", " ") for name, _ in reversed(rows)]
    axes.set_yticks(range(len(rows)), names)
    axes.set_xlim(0, 1.5)
    axes.set_xticks([0, 0.25, 0.5, 0.75, 1.0], ["0", "25 %", "50 %", "75 %", "100 %"])
    axes.set_xlabel("share of ratings", x=0.5 / 1.5)
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines["bottom"].set_bounds(0, 1)
    remarks = ["≥60 %, median and n are of items (where several raters judged one: its mean)."]
    figure.supxlabel("\n".join(remarks + list(summary.caveats)), fontsize=7, x=0.02, ha="left")
    axes.legend(ncols=5, loc="lower left", bbox_to_anchor=(0, 1.0), frameon=False, title="faithfulness")
    written = []
    for form in ("png", "svg"):
        target = folder / f"review.{form}"
        with written_whole(target) as part:
            figure.savefig(part, format=form, dpi=160, metadata={"Date": None} if form == "svg" else None)
        written.append(target)
    return written
