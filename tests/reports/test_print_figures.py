"""Figures for print: nothing is cut at their edges, they have the width of a column, and grey is enough."""

from __future__ import annotations

import io
from itertools import pairwise
from types import SimpleNamespace
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
from numpy.typing import NDArray

from semiology.features import FEATURES
from semiology.reports.figures import COLUMN, DPI, PAGE, figure_files

STAMP = (
    "Simulated recordings: these numbers say nothing about patients. “embedded model” marks the small models."
)
NAMES = (
    "published: InternVL3_5-8B",
    "published: Qwen2.5-Omni-7B",
    "lab/a_rather_long_name_of_a_model-32B-Instruct $x$",
)


def estimate(value: float | None, half: float | None = 0.05) -> dict[str, float | None]:
    known = value is not None and half is not None
    return {
        "value": value,
        "low": value - half if known else None,  # type: ignore[operator]
        "high": value + half if known else None,  # type: ignore[operator]
    }


def cell(value: float | None, style: str, *, partial: bool = False) -> dict[str, Any]:
    return {"metrics": {"f1": {"value": value, "style": style}}, "partial": partial}


def content(
    models: int = 3, *, stamp: str = STAMP, styles: tuple[str, ...] = ("h1", "dim", "open")
) -> dict[str, Any]:
    names = [NAMES[i % 3] + ("" if i < 3 else f" {i}") for i in range(models)]
    point = {"role": "other", "f1": 0.4}
    strip = {
        "points": [point, {"role": "reference", "f1": 0.9}],
        "reference": {"f1": 0.9},
        "best": {"f1": 0.9},
        "worst": {"f1": 0.0},
        "chosen": {"value": 0.9},
        "always_yes": 0.5,
    }
    changes = [
        ("mean of 3", -1.0, 0.2, True),
        ("tonic", 1.0, None, False),
        ("arms_move_simultaneously", None, None, False),
    ]
    return {
        "stamp": stamp,
        "headline": [
            {
                "label": name,
                "group": ("visual", "audio")[i % 2],
                "f1": estimate(0.4 + 0.1 * (i % 3)),
                "always_yes": 0.5,
            }
            for i, name in enumerate(names)
        ],
        "runs": [SimpleNamespace(main=True, label=name) for name in names],
        "heatmap": [
            {
                "feature": f,
                "cells": [cell(0.5, styles[(i + k) % len(styles)], partial=k == 1) for k in range(models)],
            }
            for i, f in enumerate(FEATURES)
        ],
        "wordings": [{"model": names[-1], "strips": [{"feature": f, **strip} for f in FEATURES[:3]]}],
        "enhancements": [
            {
                "title": names[-1],
                "rows": [
                    {"name": n, "group": "limb and body", "difference": estimate(v, h), "mean": m}
                    for n, v, h, m in changes
                ],
            }
        ],
        "certainty": {"error": 0.1, "parts": [certain_part(True), certain_part(False)]},
    }


def certain_part(main: bool) -> dict[str, Any]:
    """Two features whose P(yes) was recorded, of a run."""
    bins = [{"mean": 0.1, "value": 0.0, "n": 300}, {"mean": 0.95, "value": 1.0, "n": 12}]
    row = {"bins": bins, "curve": [(0.1, 0.0), (1.0, 0.4)]}
    return {"title": NAMES[-1], "main": main, "rows": [row, row], "pooled": bins}


def pixels(png: bytes) -> NDArray[np.float32]:
    """Return the luminance of a PNG, 0 black to 1 white: what print in grey leaves of it."""
    from matplotlib.image import imread

    image = imread(io.BytesIO(png))[..., :3]
    return np.asarray(image @ np.array([0.299, 0.587, 0.114]), dtype=np.float32)


@pytest.mark.parametrize("models", [1, 7])
def test_nothing_touches_an_edge_and_a_figure_is_as_wide_as_it_is_printed(models: int) -> None:
    files = figure_files(content(models))
    assert set(files) == {
        f"{s}.{e}"
        for s in ("headline", "heatmap", "wordings_1", "enhancements_1", "certainty_1")
        for e in ("svg", "png")
    }
    for name, data in files.items():
        if name.endswith(".png"):
            grey = pixels(data)
            width = grey.shape[1] / DPI
            assert width <= (PAGE if name.startswith("heatmap") else COLUMN) + 0.01, name
            for edge in (grey[:2], grey[-2:], grey[:, :2], grey[:, -2:]):
                assert edge.min() > 0.99, (name, "something is cut")


@pytest.mark.filterwarnings("error:constrained_layout")
def test_a_very_long_name_leaves_room_for_the_cells() -> None:
    long = content(2)
    long["heatmap"] = long["heatmap"][:2]
    long["runs"] = [
        SimpleNamespace(main=True, label=f"laboratory/{'a_name_without_end_' * 4}{n}") for n in "ab"
    ]
    grey = pixels(figure_files(long | {"wordings": [], "enhancements": [], "certainty": {}})["heatmap.png"])
    for edge in (grey[:2], grey[-2:], grey[:, :2], grey[:, -2:]):
        assert edge.min() > 0.99, "something is cut"


def test_a_cell_that_clears_always_yes_is_seen_in_grey() -> None:
    bare: dict[str, Any] = {"wordings": [], "enhancements": [], "certainty": {}}
    shown = {
        s: pixels(figure_files(content(1, styles=(s,)) | bare)["heatmap.png"])
        for s in ("h0", "h4", "dim", "open")
    }
    ink = {style: float((grey < 0.5).sum()) for style, grey in shown.items()}
    # Even the palest fill has a dark frame and bold figures; the others are light and thin.
    assert ink["h0"] > 1.3 * ink["dim"]
    assert ink["h0"] > 1.3 * ink["open"]
    # The dotted frame and the drawn one differ too.
    assert not np.array_equal(shown["dim"], shown["open"])


def words_of(svg: bytes) -> str:
    """Return the texts of an SVG, lines joined."""
    root = ElementTree.fromstring(svg)
    return " ".join(" ".join(text for text in root.itertext()).split())


def test_what_published_answers_and_signs_mean_is_said_in_the_figure() -> None:
    files = figure_files(content(3))
    heatmap, headline = words_of(files["heatmap.svg"]), words_of(files["headline.svg"])
    assert "InternVL3_5-8B*" in heatmap
    assert "published:" not in heatmap + headline
    for text in ("* published answers, scored here.", "† asked about part of the recordings only."):
        assert text in heatmap
    assert "always yes" in headline
    assert "Simulated recordings: these numbers say nothing" in headline
    assert "n. d.: not defined." in words_of(files["enhancements_1.svg"])
    assert "Dotted: 10% wrong." in words_of(files["certainty_1.svg"])
    alone = content(3) | {"headline": [], "wordings": [], "enhancements": []}
    assert files["heatmap.svg"] == figure_files(alone)["heatmap.svg"]


def test_names_of_several_lines_do_not_lie_over_each_other(monkeypatch: pytest.MonkeyPatch) -> None:
    from semiology.reports import figures as print_figures

    shown: list[Any] = []
    monkeypatch.setattr(print_figures, "saved", lambda _, figure: shown.append(figure) or {})
    given = content(3)
    for row in given["headline"]:
        row["label"] = "lab/a_rather_long_name_of_a_model-32B · wording observable_behaviour_2 · transcript"
    figure_files(given)
    for figure in shown[:1] + shown[3:4]:  # headline and changes, whose rows are named after what users name
        figure.canvas.draw()
        boxes = [label.get_window_extent() for label in figure.axes[0].get_yticklabels()]
        assert len(boxes) == 3
        for lower, upper in pairwise(sorted(boxes, key=lambda box: box.y0)):
            assert lower.y1 <= upper.y0 + 1


def test_a_model_without_a_score_or_an_interval_is_told_and_the_legend_stays() -> None:
    given = content(3)
    given["headline"][0]["f1"] = estimate(0.4, None)
    given["headline"][2]["f1"] = estimate(None)
    headline = words_of(figure_files(given)["headline.svg"])
    assert "Hollow: no interval can be given. n. d.: not defined." in headline
    assert "model, 95 % interval" in headline
    complete = words_of(figure_files(content(3))["headline.svg"])
    assert "Hollow" not in complete
    assert "n. d." not in complete
