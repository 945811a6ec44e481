"""Figures for print, as SVG and PNG: headline, heatmap, strips of wordings, changes by enhancement.

Colours are those of the page; simulated recordings and embedded models are named in the titles.
"""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

BLUE, ORANGE, RED, GREEN, GREY = "#0072b2", "#e69f00", "#d55e00", "#007a5a", "#8c959f"
RAMP = ("#f1f7fc", "#deebf7", "#c6dbef", "#9ecae1", "#6baed6", "#4292c6", "#2171b5", "#08519c", "#08306b")
STYLE: dict[Any, Any] = {
    "font.size": 8,
    "svg.fonttype": "none",
    "svg.hashsalt": "semiology",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "figure.constrained_layout.use": True,
}
DPI = 200


def figure_files(content: Mapping[str, Any]) -> dict[str, bytes]:
    """Return every figure that the content of a page holds material for, by file name.

    Args:
        content: of `semiology.reports.page.content.page_content`.
    """
    import matplotlib as mpl

    files: dict[str, bytes] = {}
    with mpl.rc_context(STYLE):
        if content["headline"]:
            files |= _saved("headline", _headline(content["headline"], content["stamp"]))
        if content["heatmap"]:
            files |= _saved("heatmap", _heatmap(content))
        for number, model in enumerate(content["wordings"], start=1):
            files |= _saved(f"wordings_{number}", _wordings(model, content["stamp"]))
        for number, part in enumerate(content["enhancements"], start=1):
            files |= _saved(f"enhancements_{number}", _enhancements(part, content["stamp"]))
    return files


def _saved(stem: str, figure: Figure) -> dict[str, bytes]:
    files = {}
    for ending in ("svg", "png"):
        out = io.BytesIO()
        # No date, so that equal results give equal files.
        metadata = {"Date": None} if ending == "svg" else {"Software": "Semiology"}
        figure.savefig(out, format=ending, dpi=DPI, metadata=metadata)
        files[f"{stem}.{ending}"] = out.getvalue()
    return files


def _new(width: float, height: float, stamp: str, title: str) -> tuple[Figure, Axes]:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height))
    FigureCanvasAgg(figure)
    axes = figure.subplots()
    axes.set_title(_plain(f"{title}\n{stamp}" if stamp else title), fontsize=8, loc="left")
    return figure, axes


def _headline(rows: Sequence[Mapping[str, Any]], stamp: str) -> Figure:
    figure, axes = _new(6, 0.9 + 0.3 * len(rows), stamp, "Macro F1, 95 % interval; red: always-yes")
    for place, row in enumerate(reversed(rows)):
        _whisker(axes, place, row["f1"], BLUE)
        if row["always_yes"] is not None:
            axes.plot([row["always_yes"]] * 2, [place - 0.32, place + 0.32], color=RED, lw=1.6)
    _named(axes, [f"{row['label']} ({row['group']})" for row in reversed(rows)])
    axes.set_xlim(0, 1)
    axes.set_xlabel("macro F1")
    return figure


def _heatmap(content: Mapping[str, Any]) -> Figure:
    runs = [run for run in content["runs"] if run.main]
    rows = content["heatmap"]
    title = "F1 by feature; grey: does not clear always-yes; dashes: no interval; half-moon: partial"
    figure, axes = _new(2.4 + 0.75 * len(runs), 1.6 + 0.24 * len(rows), content["stamp"], title)
    from matplotlib.patches import Rectangle

    for y, row in enumerate(rows):
        for x, cell in enumerate(row["cells"][: len(runs)]):
            if cell is None:
                continue
            f1 = cell["metrics"]["f1"]
            style = f1["style"]
            fill = RAMP[int(style[1])] if style.startswith("h") else "#e8eaed" if style == "dim" else "white"
            axes.add_patch(
                Rectangle(
                    (x - 0.47, y - 0.45),
                    0.94,
                    0.9,
                    facecolor=fill,
                    lw=0.7,
                    edgecolor=GREY if style == "open" else "white",
                    ls=":",
                )
            )
            ink = "white" if style in ("h6", "h7", "h8") else "black" if style.startswith("h") else "#59636e"
            text = "–" if f1["value"] is None else f"{f1['value']:.2f}"
            axes.text(x, y, text + ("◖" if cell["partial"] else ""), ha="center", va="center", color=ink)
    axes.set_xlim(-0.5, len(runs) - 0.5)
    axes.set_ylim(len(rows) - 0.5, -0.5)
    axes.set_yticks(range(len(rows)), [_words(row["feature"]) for row in rows])
    axes.set_xticks(range(len(runs)), [_plain(run.label) for run in runs], rotation=35, ha="right")
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    return figure


def _wordings(model: Mapping[str, Any], stamp: str) -> Figure:
    strips = list(reversed(model["strips"]))
    title = f"F1 of each wording, {model['model']}; red line: always-yes"
    figure, axes = _new(6, 1.3 + 0.3 * len(strips), stamp, title)
    # Best and worst stand beside the line, so that a reference that is the best shows as both.
    signs = {"reference": ("D", "black", 0.0), "best": ("^", BLUE, -0.22), "worst": ("v", RED, 0.22)}
    for place, strip in enumerate(strips):
        values = [p["f1"] for p in strip["points"] if p["role"] == "other" and p["f1"] is not None]
        axes.plot(values, [place] * len(values), "o", color=GREY, ms=4.5, alpha=0.85)
        for role, (sign, colour, shift) in signs.items():
            point = strip[role]
            if point and point["f1"] is not None:
                label = None if place else role
                axes.plot([point["f1"]], [place + shift], sign, color=colour, ms=4.5, label=label)
        if strip["chosen"] and strip["chosen"]["value"] is not None:
            label = None if place else "development-selected"
            axes.plot([strip["chosen"]["value"]], [place], "s", color=GREEN, ms=4.5, label=label)
        if strip["always_yes"] is not None:
            axes.plot([strip["always_yes"]] * 2, [place - 0.35, place + 0.35], color=RED, lw=1.2)
    _named(axes, [_words(strip["feature"]) for strip in strips])
    axes.set_xlim(-0.02, 1.02)
    axes.set_xlabel("F1")
    figure.legend(loc="outside lower center", ncols=4, frameon=False, fontsize=7)
    return figure


def _enhancements(part: Mapping[str, Any], stamp: str) -> Figure:
    rows = sorted(part["rows"], key=lambda row: not row["mean"])
    rows.reverse()
    title = f"Change of F1 against the plain question, {part['title']}"
    figure, axes = _new(6, 1 + 0.3 * len(rows), stamp, title)
    for place, row in enumerate(rows):
        _whisker(axes, place, row["difference"], BLUE if row["mean"] else GREY)
    axes.axvline(0, color=RED, lw=1)
    _named(axes, [f"{_words(row['name'])} ({row['group']})" for row in rows])
    axes.set_xlim(-1, 1)
    axes.set_xlabel("change of F1")
    return figure


def _whisker(axes: Axes, place: int, estimate: Mapping[str, Any], colour: str) -> None:
    if estimate["value"] is None:
        return
    if estimate["low"] is not None:
        axes.plot([estimate["low"], estimate["high"]], [place] * 2, color=colour, lw=3, alpha=0.5)
    axes.plot([estimate["value"]], [place], "o", color=colour, ms=5)


def _named(axes: Axes, names: Sequence[str]) -> None:
    axes.set_yticks(range(len(names)), [_plain(name) for name in names])
    axes.set_ylim(-0.7, len(names) - 0.3)


def _words(name: str) -> str:
    return _plain(name.replace("_", " "))


def _plain(text: str) -> str:
    """Return text that matplotlib does not take for a formula."""
    return text.replace("$", r"\$")
