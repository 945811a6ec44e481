"""Calibration plots, and the decision curve of ES or NES, one figure for each first stage."""

from __future__ import annotations

from typing import Any

from semiology.metrics.diagnosis.targets import Target
from semiology.reports.diagnosis.scoring import LABELS, ScoredDiagnoses, ScoredStage
from semiology.reports.diagnosis.tables import not_validated
from semiology.reports.figures import GREY, LINE, PAGE, SMALL, STYLE, saved

SIGNS: dict[str, tuple[str, Any]] = {
    "rf": ("o", "-"),
    "svm": ("s", "--"),
    "knn": ("^", "-."),
    "lr": ("D", ":"),
    "gb": ("v", (0, (5, 1))),
    "rules": ("*", (0, (1, 1))),
}
"""Marker and line of each classifier, so that they are told apart without colour."""


def diagnosis_figures(found: ScoredDiagnoses) -> dict[str, bytes]:
    """Return ``two_stages_N.svg`` and ``.png`` for each first stage whose classifiers give probabilities."""
    import matplotlib as mpl

    files: dict[str, bytes] = {}
    with mpl.rc_context(STYLE):
        groups = list(dict.fromkeys((row.stage, row.scope) for row in found.rows))
        for number, (stage, scope) in enumerate(groups):
            rows = [row for row in found.rows if (row.stage, row.scope) == (stage, scope) and row.sure]
            if rows:
                about = (found.target.positive and "ES or NES in two stages") or found.target.column
                title = "\n".join([f"{about}: {stage}, {scope}", *found.caveats, not_validated(found.target)])
                files |= _figure(f"two_stages_{number}", title, rows, found.target)
    return files


def _figure(stem: str, title: str, rows: list[ScoredStage], target: Target) -> dict[str, bytes]:
    """Draw calibration of each class that has it and, of a positive class, net benefit."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    panels = [*target.scored, *(["net benefit"] if target.positive else [])]
    lines = -(-len(panels) // 2)
    figure = Figure(figsize=(PAGE, 0.1 + 2.6 * lines + LINE * (title.count("\n") + 1)))
    FigureCanvasAgg(figure)
    figure.suptitle(title.replace("$", r"\$"), x=0.01, ha="left")
    axes = figure.subplots(lines, 2, squeeze=False).ravel()
    for name, axis in zip(target.scored, axes, strict=False):
        _calibration(axis, name, rows)
    if target.positive:
        _net_benefit(axes[1], rows)
    for unused in axes[len(panels) :]:
        unused.set_axis_off()
    axes[0].legend(frameon=False, fontsize=SMALL)
    return saved(stem, figure)


def _calibration(axis: Any, name: str, rows: list[ScoredStage]) -> None:
    axis.plot([0, 1], [0, 1], color=GREY, lw=0.8)
    for row in rows:
        marker, line = SIGNS[row.classifier]
        bins = row.sure[name].calibration
        x, y = [b.mean for b in bins], [b.share.value for b in bins]
        axis.plot(x, y, marker=marker, ls=line, lw=0.9, ms=3, label=LABELS[row.classifier])
    axis.set(
        xlabel=f"mean P({name}) of a bin", ylabel=f"share with {name}", xlim=(-0.02, 1.02), ylim=(-0.02, 1.02)
    )


def _net_benefit(axis: Any, rows: list[ScoredStage]) -> None:
    everyone = rows[0].curve
    x = [p.threshold for p in everyone]
    axis.axhline(0, color=GREY, lw=0.8)
    axis.text(0.02, 0.005, "treat none", fontsize=SMALL, color=GREY)
    axis.plot(x, [p.treat_all for p in everyone], color=GREY, lw=1.2, label="treat all")
    for row in rows:
        ys = [p.net_benefit for p in row.curve]
        axis.plot(x, ys, ls=SIGNS[row.classifier][1], lw=1.1, label=LABELS[row.classifier])
    top = max(p.treat_all for p in everyone)
    axis.set(xlabel="threshold on P(ES)", ylabel="net benefit", ylim=(-0.15, max(top, 0.1) * 1.1))
    axis.legend(frameon=False, fontsize=SMALL)
