"""Figures of a recording set: what it holds (S3 Figure 1), and how two sources call features present (S3 Figure 7)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from semiology.data.recording_set import RecordingSet
from semiology.features import FEATURES, label_of
from semiology.metrics.agreement.distributions import DistributionSimilarity
from semiology.reports.figures import BLUE, PAGE, RED, SMALL, STYLE, new_figure, saved

if TYPE_CHECKING:
    from matplotlib.figure import Figure

GROUPS = ("ES", "NES")
LOOKS: Mapping[str, dict[str, Any]] = {
    "ES": {"color": BLUE},
    "NES": {"color": "white", "edgecolor": RED, "hatch": "////", "lw": 0.6},
}
"""Filled and hatched, so that both can be told in grey."""
ROW = 0.17
"""Inches of a feature."""


def dataset_figure(found: RecordingSet, durations: Mapping[str, float], stamp: str = "") -> dict[str, bytes]:
    """Return ``dataset.svg`` and ``.png``: durations, recordings of a patient, features, by diagnosis.

    Args:
        found: the set. durations: of recordings, s, as far as they are known. stamp: what must be said of it.
    """
    import matplotlib as mpl

    with mpl.rc_context(STYLE):
        return saved("dataset", _dataset(found, durations, stamp))


def _dataset(found: RecordingSet, durations: Mapping[str, float], stamp: str) -> Figure:
    diagnosis = {each.video_id: each.diagnosis for each in found.recordings}
    patients = {each.video_id: each.patient_id for each in found.recordings}
    groups = [g for g in GROUPS if g in diagnosis.values()]
    asked = [f for f in FEATURES if any(a.feature == f and a.present != "na" for a in found.annotations)]
    unknown = sum(value is None for value in diagnosis.values())
    notes = [
        f"{unknown} recordings without ES or NES are not shown." if unknown else "",
        f"Duration known of {len(durations)} of {len(diagnosis)} recordings."
        if len(durations) < len(diagnosis)
        else "",
    ]
    title = f"{found.name}: {len(diagnosis)} recordings of {len(set(patients.values()))} patients\n{stamp}"
    figure, axes = new_figure(PAGE, max(2.6, 0.7 + ROW * len(asked)), title, notes=notes, columns=3)
    lengths = [[durations[v] / 60 for v in durations if diagnosis.get(v) == g] for g in groups]
    if any(lengths):
        bins = np.histogram_bin_edges(np.concatenate(lengths), bins="auto")
        _stacked(axes[0], [np.histogram(own, bins)[0] for own in lengths], bins, groups)
    else:
        axes[0].text(
            0.5, 0.5, "no duration is known", ha="center", fontsize=SMALL, transform=axes[0].transAxes
        )
    axes[0].set(xlabel="duration, min", ylabel="recordings")
    counts = [list(Counter(p for v, p in patients.items() if diagnosis[v] == g).values()) for g in groups]
    if any(counts):
        most = max(max(own, default=0) for own in counts)
        edges = np.arange(0.5, most + 1.5, max(1, most // 12))
        _stacked(axes[1], [np.histogram(own, edges)[0] for own in counts], edges, groups)
    axes[1].set(xlabel="recordings of a patient", ylabel="patients")
    shown = {(a.video_id, a.feature): a.present for a in found.annotations}
    for number, group in enumerate(groups):
        videos = [v for v, own in diagnosis.items() if own == group]
        shares = []
        for feature in asked:
            said = [shown.get((v, feature)) for v in videos]
            rated = sum(value in ("yes", "no") for value in said)
            shares.append(said.count("yes") / rated if rated else np.nan)
        places = np.arange(len(asked)) + (0.2 if number else -0.2)
        axes[2].barh(places, shares, height=0.38, label=group, **LOOKS[group])
    axes[2].set_yticks(range(len(asked)), [label_of(f) for f in asked], fontsize=SMALL)
    axes[2].invert_yaxis()
    axes[2].set(xlabel="share of recordings with it", xlim=(0, 1))
    if groups:
        axes[2].legend(frameon=False, fontsize=SMALL)
    return figure


def _stacked(axes: Any, counts: Sequence[Any], edges: Any, groups: Sequence[str]) -> None:
    below = np.zeros(len(edges) - 1)
    for own, group in zip(counts, groups, strict=True):
        axes.bar(
            edges[:-1],
            own,
            width=np.diff(edges) * 0.92,
            bottom=below,
            align="edge",
            label=group,
            **LOOKS[group],
        )
        below += own


def distribution_figure(
    names: tuple[str, str],
    features: Sequence[str],
    found: Mapping[str, DistributionSimilarity],
) -> dict[str, bytes]:
    """Return ``distributions.svg`` and ``.png``: features sorted by the relative difference of two sources.

    Args:
        names: of the sources. features: in the order of the shares. found: by group; those of all features shown.
    """
    import matplotlib as mpl

    groups = [group for group, each in found.items() if each.n_features == len(features)]
    if not groups:
        return {}
    with mpl.rc_context(STYLE):
        notes = ["Sorted by the relative difference of the two sources, the smallest first."]
        title = f"Share of recordings in which a feature is called present: {names[0]} and {names[1]}"
        figure, axes = new_figure(PAGE, 0.9 + ROW * len(features), title, notes=notes, columns=len(groups))
        for axis, group in zip(np.atleast_1d(axes), groups, strict=True):
            each = found[group]
            means = (each.first + each.second) / 2
            apart = np.abs(each.first - each.second) / np.where(means > 0, means, 1.0)
            order = np.argsort(apart, kind="stable")
            looks = list(LOOKS.values())
            for number, values in enumerate((each.first, each.second)):
                places = np.arange(len(order)) + (0.2 if number else -0.2)
                axis.barh(places, values[order], height=0.38, label=names[number], **looks[number])
            axis.set_yticks(range(len(order)), [label_of(features[at]) for at in order], fontsize=SMALL)
            axis.invert_yaxis()
            told = f"{group}: r {each.pearson:.2f}, cosine {each.cosine:.2f}, EMD {each.emd:.4f}"
            axis.set_title(told, fontsize=SMALL)
            axis.set(xlabel="share of recordings", xlim=(0, 1))
            axis.legend(frameon=False, fontsize=SMALL, loc="lower right")
        return saved("distributions", figure)
