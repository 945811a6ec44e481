"""Figures for print, as SVG and PNG: headline, heatmap, strips of wordings, changes by enhancement, certainty.

Set at the width they are printed at: one column of a two-column page (3.4 inches), the heatmap up to the
whole page (7 inches). Nothing is told by colour alone, so that they can be read in grey. Simulated recordings
and embedded models are named in the titles.
"""

from __future__ import annotations

import io
import math
import textwrap
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from semiology.features import label_of
from semiology.render.text import counted
from semiology.reports.read.asked import PREFIX

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

BLUE, RED, GREEN, GREY = "#0072b2", "#d55e00", "#007a5a", "#6e7781"
RAMP = ("#f1f7fc", "#deebf7", "#c6dbef", "#9ecae1", "#6baed6", "#4292c6", "#2171b5", "#08519c", "#08306b")
COLUMN, PAGE = 3.4, 7.0
"""Inches of a column and of a page."""
FONT, SMALL = 7.0, 6.0
LETTERS_PER_INCH = 18.5
"""Letters of the size `FONT` that stand side by side."""
LINE = 0.14
"""Inches of a line of the size `FONT`."""
LABEL_LETTERS = 26
"""Names of rows are broken into lines of at most as many letters."""
SLANT = 35
"""Degrees at which the names under a heat map stand."""
PUBLISHED_NOTE = "* published answers, scored here."
STYLE: dict[Any, Any] = {
    "font.size": FONT,
    "svg.fonttype": "none",
    "svg.hashsalt": "semiology",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.linewidth": 0.6,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "figure.constrained_layout.use": True,
}
WORDING_SIGNS: dict[str, dict[str, Any]] = {
    "reference": {"marker": "D", "ls": "", "color": "black", "ms": 3.2},
    "best": {"marker": "^", "ls": "", "color": BLUE, "ms": 3.2},
    "worst": {"marker": "v", "ls": "", "color": RED, "ms": 3.2},
    "other wordings": {"marker": "o", "ls": "", "color": GREY, "ms": 3.5, "mfc": "none", "mew": 0.8},
    "chosen on other patients": {
        "marker": "s",
        "ls": "",
        "color": GREEN,
        "ms": 6,
        "mfc": "none",
        "mew": 1.0,
    },
    "always yes": {"marker": "|", "ls": "", "color": RED, "ms": 8, "mew": 1.2},
}
DPI = 300


def figure_files(content: Mapping[str, Any]) -> dict[str, bytes]:
    """Return every figure that the content of a page holds material for, by file name.

    Args:
        content: of `semiology.reports.page.content.page_content`.
    """
    import matplotlib as mpl

    files: dict[str, bytes] = {}
    with mpl.rc_context(STYLE):
        if content["headline"]:
            files |= saved("headline", _headline(content["headline"], content["stamp"]))
        if content["heatmap"]:
            files |= saved("heatmap", _heatmap(content))
        for number, model in enumerate(content["wordings"], start=1):
            files |= saved(f"wordings_{number}", _wordings(model, content["stamp"]))
        for number, part in enumerate(content["enhancements"], start=1):
            files |= saved(f"enhancements_{number}", _enhancements(part, content["stamp"]))
        main = [part for part in content["certainty"].get("parts", ()) if part["main"]]
        for number, part in enumerate(main, start=1):
            files |= saved(f"certainty_{number}", _certainty(part, content["certainty"], content["stamp"]))
    return files


def saved(stem: str, figure: Figure) -> dict[str, bytes]:
    """Return a figure as SVG and PNG, by file name."""
    files = {}
    for ending in ("svg", "png"):
        out = io.BytesIO()
        # No date, so that equal results give equal files.
        metadata = {"Date": None} if ending == "svg" else {"Software": "Semiology"}
        figure.savefig(out, format=ending, dpi=DPI, metadata=metadata)
        files[f"{stem}.{ending}"] = out.getvalue()
    return files


def new_figure(
    width: float, rows: float, title: str, *, notes: Sequence[str] = (), columns: int = 1
) -> tuple[Figure, Any]:
    """Return an empty figure with its title (one paragraph a line) and, below, its notes, broken to its width.

    With it come its axes, or those of each of several columns. Axes and legend take ``rows`` inches. Notes are for
    figures without a legend, which would lie over them.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    letters = int(width * LETTERS_PER_INCH)
    head = "\n".join(textwrap.fill(part, letters) for part in title.split("\n") if part)
    foot = textwrap.fill(" ".join(filter(None, notes)), int(letters * FONT / SMALL))
    lines = head.count("\n") + 1 + (foot.count("\n") + 1 if foot else 0)
    figure = Figure(figsize=(width, rows + LINE * lines))
    FigureCanvasAgg(figure)
    figure.suptitle(_plain(head), fontsize=FONT, x=0.01, ha="left")
    if foot:
        figure.supxlabel(_plain(foot), fontsize=SMALL, x=0.01, ha="left")
    return figure, figure.subplots(1, columns)


def _headline(rows: Sequence[Mapping[str, Any]], stamp: str) -> Figure:
    groups = {row["group"] for row in rows}
    of = f", {next(iter(groups))} features" if len(groups) == 1 else ""
    names = [_run_name(row["label"]) + ("" if of else f" ({row['group']})") for row in rows]
    published = any(row["label"].startswith(PREFIX) for row in rows)
    told = f"{' '.join(_missing_notes([row['f1'] for row in rows]))}\n{PUBLISHED_NOTE * published}"
    height = 0.75 + _row_height(names, 0.21) * len(rows)
    figure, axes = new_figure(COLUMN, height, f"Macro F1{of}\n{stamp}\n{told}")
    for place, row in enumerate(reversed(rows)):
        _whisker(axes, place, row["f1"], BLUE)
        if row["always_yes"] is not None:
            axes.plot([row["always_yes"]] * 2, [place - 0.36, place + 0.36], color=RED, lw=1.4)
    axes.plot([], [], "o-", color=BLUE, ms=3.8, lw=1.6, label="model, 95 % interval")
    axes.plot([], [], "|", color=RED, ms=8, mew=1.4, label="always yes")
    _named(axes, list(reversed(names)))
    axes.set_xlim(-0.01, 1.01)
    axes.set_xlabel("macro F1")
    figure.legend(loc="outside lower center", ncols=2, frameon=False, fontsize=SMALL)
    return figure


def _heatmap(content: Mapping[str, Any]) -> Figure:
    runs = [run for run in content["runs"] if run.main]
    rows = content["heatmap"]
    cells = [cell for row in rows for cell in row["cells"][: len(runs)] if cell is not None]
    styles = {cell["metrics"]["f1"]["style"][0] for cell in cells}
    notes = [
        "Bold, filled: above always yes by the patient sign-flip test, adjusted for the features."
        if "h" in styles
        else "",
        "Plain: not shown to be." if "d" in styles else "",
        "Dotted frame: too few patients to test." if "o" in styles else "",
        "† asked about part of the recordings only." if any(cell["partial"] for cell in cells) else "",
        PUBLISHED_NOTE if any(run.label.startswith(PREFIX) for run in runs) else "",
    ]
    width = max(COLUMN, min(PAGE, 1.7 + 0.72 * len(runs)), 1.6 + 0.36 * len(runs))
    title = f"F1 of each feature\n{content['stamp']}"
    names = [_plain(_label(run.label)) for run in runs]
    figure, axes = new_figure(width, 0.3 + _slanted_height(names) + 0.19 * len(rows), title, notes=notes)
    for y, row in enumerate(rows):
        for x, cell in enumerate(row["cells"][: len(runs)]):
            if cell is not None:
                _cell(axes, x, y, cell)
    axes.set_xlim(-0.5, len(runs) - 0.5)
    axes.set_ylim(len(rows) - 0.5, -0.5)
    axes.set_yticks(range(len(rows)), [_words(row["feature"]) for row in rows])
    axes.set_xticks(range(len(runs)), names, rotation=SLANT, ha="right", rotation_mode="anchor")
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    return figure


def _cell(axes: Axes, x: int, y: int, cell: Mapping[str, Any]) -> None:
    """Draw a cell: filled and bold if F1 clears always-yes, framed if not, dotted where it was not tested."""
    from matplotlib.patches import Rectangle

    f1 = cell["metrics"]["f1"]
    style = f1["style"]
    clears = style.startswith("h")
    frame = Rectangle(
        (x - 0.47, y - 0.44),
        0.94,
        0.88,
        facecolor=RAMP[int(style[1])] if clears else "white",
        edgecolor="#24292f" if clears else GREY if style == "open" else "#c4c9cf",
        lw=0.5,
        ls=":" if style == "open" else "-",
    )
    axes.add_patch(frame)
    text = "–" if f1["value"] is None else f"{f1['value']:.2f}"
    axes.text(
        x,
        y,
        text + ("†" if cell["partial"] else ""),
        ha="center",
        va="center_baseline",
        color="white" if style in ("h6", "h7", "h8") else "black" if clears else "#3d444d",
        weight="bold" if clears else "normal",
    )


def _wordings(model: Mapping[str, Any], stamp: str) -> Figure:
    strips = list(reversed(model["strips"]))
    told = PUBLISHED_NOTE if model["model"].startswith(PREFIX) else ""
    title = f"F1 of each wording: {_run_name(model['model'])}\n{stamp}\n{told}"
    figure, axes = new_figure(COLUMN, 1.05 + 0.24 * len(strips), title)
    # Best and worst stand beside the line, so that a reference that is the best shows as both; the frame of
    # the selected one is wider than the reference, so that both are seen where they are one.
    shifts = {"reference": 0.0, "best": -0.27, "worst": 0.27}
    for place, strip in enumerate(strips):
        if strip["always_yes"] is not None:
            axes.plot([strip["always_yes"]] * 2, [place - 0.4, place + 0.4], color=RED, lw=1.2, zorder=1)
        values = [p["f1"] for p in strip["points"] if p["role"] == "other" and p["f1"] is not None]
        axes.plot(values, [place] * len(values), **WORDING_SIGNS["other wordings"])
        for role, shift in shifts.items():
            point = strip[role]
            if point and point["f1"] is not None:
                axes.plot([point["f1"]], [place + shift], **WORDING_SIGNS[role])
        if strip["chosen"] and strip["chosen"]["value"] is not None:
            axes.plot(
                [strip["chosen"]["value"]], [place], **WORDING_SIGNS["chosen on other patients"] | {"ms": 6.5}
            )
    for label, style in WORDING_SIGNS.items():  # whether or not the first strip holds it
        axes.plot([], [], label=label, **style)
    _named(axes, [_words(strip["feature"]) for strip in strips])
    axes.set_xlim(-0.02, 1.02)
    axes.set_xlabel("F1")
    figure.legend(loc="outside lower center", ncols=3, frameon=False, fontsize=SMALL)
    return figure


def _enhancements(part: Mapping[str, Any], stamp: str) -> Figure:
    rows = sorted(part["rows"], key=lambda row: not row["mean"])
    rows.reverse()
    groups = {row["group"] for row in rows}
    names = [
        _words(row["name"]) if len(groups) == 1 else f"{_words(row['name'])} ({row['group']})" for row in rows
    ]
    title = f"Change of F1 against the plain question: {_run_name(part['title'])}\n{stamp}"
    notes = [
        f"Group: {next(iter(groups))}." if len(groups) == 1 else "",
        *_missing_notes([row["difference"] for row in rows]),
        PUBLISHED_NOTE if part["title"].startswith(PREFIX) else "",
    ]
    figure, axes = new_figure(COLUMN, 0.75 + _row_height(names, 0.19) * len(rows), title, notes=notes)
    axes.axvline(0, color="black", lw=0.7, ls="--", zorder=1)
    for place, row in enumerate(rows):
        _whisker(
            axes, place, row["difference"], BLUE if row["mean"] else GREY, sign="D" if row["mean"] else "o"
        )
    _named(axes, names)
    ends = [
        abs(row["difference"][k]) for row in rows for k in ("value", "low", "high") if row["difference"][k]
    ]
    reach = 1.08 * max([0.1, *ends])
    axes.set_xlim(-reach, reach)
    axes.set_xlabel("change of F1, 95 % interval")
    return figure


def _certainty(part: Mapping[str, Any], certainty: Mapping[str, Any], stamp: str) -> Figure:
    """Draw reliability and risk-coverage of a run: a thin line per feature, and the bins of all features together."""
    from matplotlib.ticker import PercentFormatter

    title = f"P(yes) of {_run_name(part['title'])}, {counted(len(part['rows']), 'feature')}\n{stamp}"
    notes = [
        "Thin: one feature. Dots: all features together, larger from 100 recordings on.",
        f"Dashes: honest probabilities. Dotted: {certainty['error']:.0%} wrong.",
    ]
    figure, axes = new_figure(COLUMN, 1.75, title, notes=notes, columns=2)
    left, right = axes
    for row in part["rows"]:
        left.plot(
            [b["mean"] for b in row["bins"]], [b["value"] for b in row["bins"]], color=GREY, lw=0.5, alpha=0.6
        )
        right.plot(*zip(*row["curve"], strict=True), color=GREY, lw=0.5, alpha=0.7)
    left.plot([0, 1], [0, 1], "--", color="black", lw=0.7)
    for each in part["pooled"]:
        left.plot([each["mean"]], [each["value"]], "o", color=BLUE, ms=4 if each["n"] >= 100 else 2.4)
    left.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.02), xlabel="P(yes)", ylabel="share with the feature")
    right.axhline(certainty["error"], color="black", lw=0.7, ls=":")
    top = max([0.1, *(wrong for row in part["rows"] for _, wrong in row["curve"])])
    right.set(xlim=(0, 1.02), ylim=(0, 1.05 * top), xlabel="recordings answered", ylabel="share wrong")
    for axis in (right.xaxis, right.yaxis):
        axis.set_major_formatter(PercentFormatter(1.0, decimals=0))
    return figure


def _whisker(
    axes: Axes,
    place: int,
    estimate: Mapping[str, Any],
    colour: str,
    *,
    sign: str = "o",
) -> None:
    """Draw a value with its interval; hollow without one, in words if there is no value."""
    if estimate["value"] is None:
        axes.text(0, place, " n. d.", va="center_baseline", fontsize=SMALL, color=GREY)
        return
    known = estimate["low"] is not None
    if known:
        axes.plot([estimate["low"], estimate["high"]], [place] * 2, color=colour, lw=1.6, alpha=0.6)
    fill = colour if known else "white"
    axes.plot([estimate["value"]], [place], sign, color=colour, ms=3.8, mfc=fill, mew=0.9)


def _missing_notes(estimates: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return what the signs of `_whisker` mean that stand for a missing value or interval, if any does."""
    hollow = any(one["value"] is not None and one["low"] is None for one in estimates)
    undefined = any(one["value"] is None for one in estimates)
    return ["Hollow: no interval can be given."] * hollow + ["n. d.: not defined."] * undefined


def _row_height(names: Sequence[str], least: float) -> float:
    """Return the inches between rows at which their names do not lie over each other."""
    return max(least, *(LINE * (_label(name).count("\n") + 1) for name in names))


def _slanted_height(names: Sequence[str]) -> float:
    """Return the inches that the names under a heat map take, at least 0.7."""
    slant = math.radians(SLANT)
    return max(
        0.7,
        *(
            max(map(len, lines)) / LETTERS_PER_INCH * math.sin(slant) + LINE * len(lines) * math.cos(slant)
            for lines in (name.split("\n") for name in names)
        ),
    )


def _label(name: str) -> str:
    return textwrap.fill(_run_name(name), LABEL_LETTERS)


def _named(axes: Axes, names: Sequence[str]) -> None:
    axes.set_yticks(range(len(names)), [_plain(_label(name)) for name in names])
    axes.set_ylim(-0.7, len(names) - 0.3)


def _run_name(label: str) -> str:
    """Return the name of a run, a star for published answers."""
    return f"{label.removeprefix(PREFIX)}*" if label.startswith(PREFIX) else label


def _words(name: str) -> str:
    return _plain(label_of(name))


def _plain(text: str) -> str:
    """Return text that matplotlib does not take for a formula."""
    return text.replace("$", r"\$")
