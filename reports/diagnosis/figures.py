"""Calibration plot and decision curve of the second stage, one pair of panels for each first stage."""

from __future__ import annotations

from semiology.metrics.diagnosis.classifiers import CLASSIFIERS
from semiology.reports.diagnosis.scoring import ScoredDiagnoses, ScoredStage
from semiology.reports.figures import GREY, LINE, PAGE, SMALL, STYLE, saved

SIGNS = {"rf": ("o", "-"), "svm": ("s", "--"), "knn": ("^", "-."), "lr": ("D", ":"), "gb": ("v", (0, (5, 1)))}
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
                files |= _figure(f"two_stages_{number}", f"{stage}, {scope}", rows, found.caveats)
    return files


def _figure(stem: str, title: str, rows: list[ScoredStage], caveats: tuple[str, ...]) -> dict[str, bytes]:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(PAGE, 2.9 + LINE * len(caveats)))
    FigureCanvasAgg(figure)
    figure.suptitle(
        "\n".join([f"ES or NES in two stages: {title}", *caveats]).replace("$", r"\$"), x=0.01, ha="left"
    )
    left, right = figure.subplots(1, 2)
    left.plot([0, 1], [0, 1], color=GREY, lw=0.8)
    right.axhline(0, color=GREY, lw=0.8)
    right.text(0.02, 0.005, "treat none", fontsize=SMALL, color=GREY)
    everyone = rows[0].curve
    right.plot(
        [p.threshold for p in everyone],
        [p.treat_all for p in everyone],
        color=GREY,
        lw=1.2,
        label="treat all",
    )
    for row in rows:
        marker, line = SIGNS[row.classifier]
        label = CLASSIFIERS[row.classifier].label
        bins = row.sure.calibration if row.sure else ()
        left.plot(
            [b.mean for b in bins],
            [b.share.value for b in bins],
            marker=marker,
            ls=line,
            lw=0.9,
            ms=3,
            label=label,
        )
        right.plot(
            [p.threshold for p in row.curve], [p.net_benefit for p in row.curve], ls=line, lw=1.1, label=label
        )
    left.set(xlabel="mean P(ES) of a bin", ylabel="share with ES", xlim=(-0.02, 1.02), ylim=(-0.02, 1.02))
    top = max(p.treat_all for p in everyone)
    right.set(xlabel="threshold on P(ES)", ylabel="net benefit", ylim=(-0.15, max(top, 0.1) * 1.1))
    left.legend(frameon=False, fontsize=SMALL)
    right.legend(frameon=False, fontsize=SMALL)
    return saved(stem, figure)
