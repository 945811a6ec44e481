"""Figures of stroke-rehabilitation runs: activities confused, counting by severity, items by section, doses."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from semiology.metrics.strokerehab.fugl_meyer import Scores, constant_scores, section_errors, total_line
from semiology.metrics.strokerehab.identification import NONE, confusion
from semiology.metrics.strokerehab.primitives import WITHIN
from semiology.metrics.strokerehab.run_scores import IdentificationRun, ImpairmentRun, PrimitiveRun
from semiology.reports.figures import BLUE, COLUMN, DPI, GREY, PAGE, RED, STYLE
from semiology.reports.strokerehab.reading import RehabRun
from semiology.reports.strokerehab.tables import ScoredRuns
from semiology.strokerehab import ACTIVITIES, SEVERITIES

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def rehab_figures(tasks: Sequence[ScoredRuns]) -> dict[str, bytes]:
    """Return every figure that the runs hold material for, SVG and PNG by file name."""
    import matplotlib as mpl

    files: dict[str, bytes] = {}
    with mpl.rc_context(STYLE):
        for task in tasks:
            for number, (run, score) in enumerate(task.runs, start=1):
                for kind, figure in _figures(run, score):
                    stem = re.sub(r"[^a-z0-9_]+", "_", f"{task.task}_{kind}_{number}".lower())
                    files |= _saved(stem, figure)
    return files


def _figures(
    run: RehabRun, score: IdentificationRun | PrimitiveRun | ImpairmentRun
) -> Iterator[tuple[str, Figure]]:
    if isinstance(score, IdentificationRun):
        if score.truth:
            yield "confusion", _confusion(run, score)
    elif isinstance(score, ImpairmentRun):
        if any(score.truth.values()):
            yield "sections", _sections(run, score)
            yield "totals", _totals(run, score)
    elif score.videos:
        yield "doses", _doses(run, score)
        if any(video.severity for video in score.videos):
            yield "severity", _severity(run, score)


def _new(width: float, height: float) -> tuple[Any, Axes]:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height))
    FigureCanvasAgg(figure)
    return figure, figure.subplots()


def _saved(stem: str, figure: Figure) -> dict[str, bytes]:
    files = {}
    for suffix in ("svg", "png"):
        buffer = io.BytesIO()
        figure.savefig(buffer, format=suffix, dpi=DPI, metadata={"Date": None} if suffix == "svg" else None)
        files[f"{stem}.{suffix}"] = buffer.getvalue()
    return files


def _confusion(run: RehabRun, score: IdentificationRun) -> Figure:
    cells = confusion(score.truth, score.answer)
    answered = (*ACTIVITIES, NONE)
    table = np.array([[cells[true, given] for given in answered] for true in ACTIVITIES])
    figure, axes = _new(PAGE * 0.7, PAGE * 0.6)
    axes.imshow(table, cmap="Blues", vmin=0)
    axes.set_xticks(range(len(answered)), answered, rotation=45, ha="right")
    axes.set_yticks(range(len(ACTIVITIES)), ACTIVITIES)
    for row, column in np.ndindex(table.shape):
        if table[row, column]:
            dark = table[row, column] > table.max() / 2
            colour = "white" if dark else "black"
            axes.text(column, row, str(table[row, column]), ha="center", va="center", color=colour)
    axes.set(xlabel="answered", ylabel="true", title=run.label)
    return figure  # type: ignore[no-any-return]


def _doses(run: RehabRun, score: PrimitiveRun) -> Figure:
    """Runs counted against runs labelled, with the fitted line."""
    pairs = [(float(video.scores.count_answer), float(video.scores.count_truth)) for video in score.videos]
    return _scatter(pairs, "counted actions", "labelled actions", run.label)


def _totals(run: RehabRun, score: ImpairmentRun) -> Figure:
    pairs = [
        (
            float(sum(score.answers.get(subject, {}).get(item) or 0 for item in rated)),
            float(sum(rated.values())),
        )
        for subject, rated in score.truth.items()
    ]
    return _scatter(pairs, "answered total", "rated total", run.label)


def _scatter(pairs: Sequence[tuple[float, float]], across: str, up: str, title: str) -> Figure:
    figure, axes = _new(COLUMN, COLUMN)
    points = np.asarray(pairs)
    axes.plot(points[:, 0], points[:, 1], "o", ms=3, mfc="none", color=BLUE)
    top = max(1.0, float(points.max()))
    axes.plot([0, top], [0, top], ls=":", color=GREY, lw=0.8)
    slope, intercept, r2 = total_line(pairs)
    told = "R² undefined"
    if r2 == r2:
        axes.plot([0, top], [intercept, intercept + slope * top], color=RED, lw=0.8)
        told = f"R² = {r2:.2f}"
    axes.set(xlabel=across, ylabel=up, title=f"{title}\n{told}")
    return figure  # type: ignore[no-any-return]


def _severity(run: RehabRun, score: PrimitiveRun) -> Figure:
    figure, axes = _new(COLUMN, COLUMN * 0.8)
    for place, level in enumerate(SEVERITIES):
        errors = [v.scores.relative_counting_error for v in score.videos if v.severity == level]
        if errors:
            axes.plot([place] * len(errors), errors, "o", ms=2.5, mfc="none", color=GREY)
            axes.plot([place], [float(np.mean(errors))], "D", ms=4, color=BLUE)
    axes.axhline(WITHIN, ls=":", color=RED, lw=0.8)
    axes.set_xticks(range(len(SEVERITIES)), SEVERITIES)
    axes.set(ylabel="relative counting error", title=run.label, ylim=(0, None))
    return figure  # type: ignore[no-any-return]


def _sections(run: RehabRun, score: ImpairmentRun) -> Figure:
    figure, axes = _new(PAGE * 0.7, COLUMN * 0.8)
    rows: tuple[tuple[str, Mapping[str, Scores], str, str], ...] = (
        (run.label, score.answers, "D", BLUE),
        ("2 for every item", constant_scores(score.truth, 2), "s", RED),
        ("1 for every item", constant_scores(score.truth, 1), "o", GREY),
    )
    shown = [name for name, (_, _, n) in section_errors({}, score.truth).items() if n]
    for number, (label, answers, sign, colour) in enumerate(rows):
        errors = section_errors(answers, score.truth)
        places = [place + 0.15 * (number - 1) for place in range(len(shown))]
        means = [errors[name][0] for name in shown]
        spread = [0.0 if errors[name][1] != errors[name][1] else errors[name][1] for name in shown]
        axes.errorbar(places, means, yerr=spread, fmt=sign, ms=3.5, color=colour, lw=0.8, label=label)
    axes.set_xticks(range(len(shown)), shown)
    axes.set(ylabel="mean absolute error", ylim=(0, None))
    axes.legend(frameon=False, loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=len(rows))
    return figure  # type: ignore[no-any-return]
