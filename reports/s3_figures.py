"""Figures of the S3 study from any run: scores of task 2 (Figure 4), metrics against ratings (5), confusions (8)."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from semiology.features import FEATURES, label_of
from semiology.metrics.statistics.intervals import Estimate
from semiology.reports.figures import BLUE, COLUMN, GREY, PAGE, RAMP, RED, SMALL, STYLE, new_figure, saved
from semiology.reports.summary.s3 import S3Summary, baseline_of
from semiology.reports.summary.s3_measures import MEASURES

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Scores = Mapping[str, Mapping[str, float]]
"""By model, then by feature."""
SIGNS = ("o", "s", "^", "D", "v", "P", "X", "<", ">", "*", "h", "p")
CONFUSION = (("true positive", "missed"), ("false alarm", "true negative"))
"""Truth yes above truth no, answered yes left of answered no."""
PER_ROW = 5


def s3_figure_files(content: Mapping[str, Any], s3: S3Summary | None) -> dict[str, bytes]:
    """Return ``confusion_N`` of each main run asked about features, and ``s3_task_2`` where task 2 was asked.

    Args:
        content: of `semiology.reports.page.content.page_content`. s3: scores of the S3 tasks.
    """
    files: dict[str, bytes] = {}
    runs = [run for run in content["runs"] if run.main]
    for number, run in enumerate(runs, start=1):
        rows = {row["feature"]: row for row in content["confusions"] if row["run"].key == run.key}
        files |= confusion_figure(f"confusion_{number}", run.label, rows, content["stamp"])
    if s3 is not None:
        scores, floors = interpretation_scores(s3)
        title = f"Interpretation score of each feature (task 2)\n{content['stamp']}"
        files |= feature_score_figure("s3_task_2", title, scores, floors) if scores else {}
    return files


def interpretation_scores(s3: S3Summary) -> tuple[Scores, Mapping[str, float]]:
    """Return the published score of task 2 by model and feature, and the highest floor of each feature."""
    measure = next(each for each in MEASURES["justification"] if each.name == "interpretation")
    scores: dict[str, dict[str, float]] = {}
    floors: dict[str, float] = {}
    for run in s3.runs:
        for part in run.parts if run.kind == "justification" else ():
            if part.part and measure.name in part.scores.estimates:
                name = run.model if run.enhancement == "none" else f"{run.model} · {run.enhancement}"
                scores.setdefault(name, {})[part.part] = part.scores.estimates[measure.name].value
                floor = baseline_of(measure, part)[0]
                if floor is not None and not math.isnan(floor):
                    floors[part.part] = max(floor, floors.get(part.part, 0.0))
    return scores, floors


def feature_score_figure(
    stem: str, title: str, scores: Scores, floors: Mapping[str, float] | None = None
) -> dict[str, bytes]:
    """Return a figure of a score from 0 to 1, features below each other, a sign for each model (as Figure 4).

    Args:
        stem: of its files. title: above it. scores: by model and feature. floors: without looking.
    """
    import matplotlib as mpl

    features = [name for name in FEATURES if any(name in own for own in scores.values())]
    if not features:
        return {}
    with mpl.rc_context(STYLE):
        legend_rows = -(-len(scores) // 3)
        figure, axes = new_figure(PAGE, 0.9 + 0.2 * len(features) + 0.14 * legend_rows, title)
        for at, feature in enumerate(features):
            axes.axhline(at, color="#d0d5da", lw=0.4, zorder=0)
            if floors and feature in floors:
                axes.plot([floors[feature]] * 2, [at - 0.38, at + 0.38], color=RED, lw=1.4)
        if floors:
            axes.plot([], [], "|", color=RED, ms=8, mew=1.4, label="floor: no reason given")
        for number, (model, own) in enumerate(scores.items()):
            places = [features.index(name) for name in own]
            shade = RAMP[3 + (number * 5) % (len(RAMP) - 3)]
            sign = SIGNS[number % len(SIGNS)]
            axes.plot(
                list(own.values()), places, sign, ms=4.2, mfc=shade, mec="black", mew=0.4, label=_plain(model)
            )
        axes.set_yticks(range(len(features)), [label_of(name) for name in features])
        axes.set(xlim=(-0.02, 1.02), ylim=(len(features) - 0.4, -0.6), xlabel="score")
        figure.legend(loc="outside lower center", ncols=3, frameon=False, fontsize=SMALL)
        return saved(stem, figure)


def confusion_figure(
    stem: str, model: str, rows: Mapping[str, Mapping[str, Any]], stamp: str = ""
) -> dict[str, bytes]:
    """Return a figure with the four counts of each feature (as Figure 8); nothing without any.

    Args:
        stem: of its files. model: its name. rows: by feature, counts named as in `CONFUSION`. stamp: what must be
            said of the recordings.
    """
    import matplotlib as mpl

    features = [name for name in FEATURES if name in rows]
    if not features:
        return {}
    with mpl.rc_context(STYLE):
        return saved(stem, _confusions(model, features, rows, stamp))


def _confusions(
    model: str, features: Sequence[str], rows: Mapping[str, Mapping[str, Any]], stamp: str
) -> Figure:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    height = -(-len(features) // PER_ROW)
    figure = Figure(figsize=(PAGE, 1.42 * height + 0.5))
    FigureCanvasAgg(figure)
    told = f"Recordings by truth and answer: {_plain(model)}. acc: share of them right; NA and unread answers left out."
    figure.suptitle("\n".join(filter(None, [told, stamp])), fontsize=SMALL, x=0.01, ha="left")
    grid = np.atleast_2d(figure.subplots(height, PER_ROW))
    for axes in grid.ravel()[len(features) :]:
        axes.set_axis_off()
    for axes, feature in zip(grid.ravel(), features, strict=False):
        counts = np.array([[rows[feature][name] for name in line] for line in CONFUSION], dtype=float)
        total = counts.sum()
        shares = counts / total if total else counts
        axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
        for i in (0, 1):
            for j in (0, 1):
                colour = "white" if shares[i, j] > 0.55 else "black"
                axes.text(j, i, f"{counts[i, j]:.0f}", ha="center", va="center_baseline", color=colour)
        right = f"{np.trace(counts) / total:.2f}" if total else "–"
        axes.set_title(f"{label_of(feature)}\nacc {right}", fontsize=SMALL)
        axes.set_xticks([0, 1], ["yes", "no"], fontsize=SMALL)
        axes.set_yticks([0, 1], ["yes", "no"], fontsize=SMALL)
        axes.tick_params(length=0)
    figure.supxlabel("answer", fontsize=SMALL)
    figure.supylabel("truth", fontsize=SMALL)
    return figure


def alignment_figure(found: Mapping[str, Mapping[str, Estimate]]) -> dict[str, bytes]:
    """Return ``alignment``: how each metric of reports goes with expert ratings, with intervals (as Figure 5).

    Args:
        found: Pearson's correlation and pairwise accuracy by metric.
    """
    import matplotlib as mpl

    with mpl.rc_context(STYLE):
        n = max((each["pearson"].n for each in found.values()), default=0)
        title = f"Metrics of reports against expert ratings, {n} reports"
        notes = ["Dashes: chance. Lines: 95 % by patients; hollow: no interval can be given."]
        figure, axes = new_figure(COLUMN * 1.5, 0.8 + 0.22 * len(found), title, notes=notes, columns=2)
        for axis, (name, words, chance) in zip(
            axes,
            (("pearson", "Pearson r", 0.0), ("pairwise_accuracy", "pairwise accuracy", 0.5)),
            strict=True,
        ):
            axis.axvline(chance, color=GREY, lw=0.8, ls="--")
            for at, (_, estimates) in enumerate(found.items()):
                one = estimates[name]
                if one.low is not None and one.high is not None:
                    axis.plot([one.low, one.high], [at, at], color=BLUE, lw=1.6, alpha=0.6)
                fill = BLUE if one.low is not None else "white"
                axis.plot([one.value], [at], "o", color=BLUE, ms=4, mfc=fill)
            axis.set_yticks(range(len(found)), [_plain(metric) for metric in found])
            axis.set(ylim=(len(found) - 0.4, -0.6), xlabel=words, xlim=(-1, 1) if chance == 0 else (0, 1))
        axes[1].set_yticklabels([])
        return saved("alignment", figure)


def _plain(text: str) -> str:
    """Return text that matplotlib does not take for a formula."""
    return text.replace("$", r"\$")
