"""Labels of windows, seconds and confusion counts, recomputed quarter second by quarter second on random runs."""

from __future__ import annotations

import math
from collections import Counter

import numpy as np
import pytest

from semiology.metrics.strokerehab.baselines import LabelledVideo, labelled_windows, omniscient
from semiology.metrics.strokerehab.primitives import primitives_of_axes
from semiology.metrics.strokerehab.window_labels import (
    AXES,
    MIXED,
    AxisCounts,
    axis_comparison,
    axis_counts,
    axis_over_window,
    confusion_pairs,
    even_windows,
    label_at,
    middle_labels,
    overlapping,
    seconds_right,
    window_confusion,
    window_label,
)
from semiology.strokerehab import PRIMITIVES, Run, Window

TICK = 0.25


def drawing(seed: int) -> tuple[list[Run], list[Window]]:
    """Runs of whole quarter seconds, some with a gap before them, and windows anywhere."""
    rng = np.random.default_rng(seed)
    at, runs = int(rng.integers(0, 3)), []
    for _ in range(int(rng.integers(1, 7))):
        length = int(rng.integers(1, 6))
        runs.append(Run(str(rng.choice(PRIMITIVES)), at * TICK, (at + length) * TICK))
        at += length + int(rng.choice([0, 0, 0, 2]))
    starts = rng.integers(0, at + 3, 12)
    return runs, [
        Window(start * TICK, (start + n) * TICK)
        for start, n in zip(starts, rng.integers(1, 9, 12), strict=True)
    ]


def ticks(window: Window) -> list[float]:
    """Return the middle of each quarter second of a window."""
    count = round((window.end_s - window.start_s) / TICK)
    return [window.start_s + (n + 0.5) * TICK for n in range(count)]


def inside(runs: list[Run], time_s: float) -> Run | None:
    return next((run for run in runs if run.start_s <= time_s < run.end_s), None)


def at(runs: list[Run], time_s: float, before: str | None) -> str | None:
    """Return the label of the last run that began by a time."""
    begun = [run.primitive for run in runs if run.start_s <= time_s]
    return begun[-1] if begun else before


@pytest.mark.parametrize("seed", range(40))
def test_windows_are_labelled_by_what_their_quarter_seconds_hold(seed: int) -> None:
    runs, windows = drawing(seed)
    for time in np.arange(0, runs[-1].end_s + 1, TICK / 2):
        assert label_at(runs, float(time)) == at(runs, float(time), None)
    middles = [(window.start_s + window.end_s) / 2 for window in windows]
    assert middle_labels(runs, windows) == [at(runs, time, runs[0].primitive) for time in middles]
    assert middle_labels(runs, windows, first="idle") == [at(runs, time, "idle") for time in middles]
    for window in windows:
        held = [run for run in runs if any(inside([run], time) for time in ticks(window))]
        words = [run.primitive for run in held]
        assert overlapping(runs, window) == words
        assert window_label(runs, window) == (words[(len(words) - 1) // 2] if words else None)
        for axis, those in AXES.items():
            said = {word in those for word in words}
            assert axis_over_window(runs, window, axis) is (said.pop() if len(said) == 1 else None)


@pytest.mark.parametrize("seed", range(40))
def test_what_is_counted_of_windows_and_seconds(seed: int) -> None:
    runs, windows = drawing(seed)
    rng = np.random.default_rng(seed)
    said = {axis: [bool(x) for x in rng.random(len(windows)) < 0.5] for axis in AXES}
    found = axis_comparison(runs, windows, said)
    labels = middle_labels(runs, windows)
    for axis, those in AXES.items():
        pairs = Counter(zip(said[axis], (label in those for label in labels), strict=True))
        assert found[axis, "middle", "masked"] == by_pairs(pairs)
        for mixed in MIXED:
            counted: Counter[tuple[bool, bool]] = Counter()
            for window, answer in zip(windows, said[axis], strict=True):
                truth = axis_over_window(runs, window, axis)
                if truth is None:
                    if mixed != "masked":
                        counted[answer, answer if mixed == "optimistic" else not answer] += 1
                else:
                    counted[answer, truth] += 1
            assert found[axis, "window", mixed] == by_pairs(counted)
        held = [
            (run.primitive in those) is answer
            for window, answer in zip(windows, said[axis], strict=True)
            for time in ticks(window)
            if (run := inside(runs, time))
        ]
        assert seconds_right(runs, windows, said[axis], axis) == (
            pytest.approx(sum(held) * TICK), pytest.approx(len(held) * TICK),
        )  # fmt: skip
    words = [str(rng.choice(PRIMITIVES)) for _ in windows]
    end = runs[-1].end_s
    expected = [
        (at(runs, (window.start_s + window.end_s) / 2, "idle"), word)
        for window, word in zip(windows, words, strict=True)
        if window.start_s < end
    ]
    assert confusion_pairs(runs, windows, words) == expected
    table = window_confusion(confusion_pairs(runs, windows, words))
    assert {(t, a): n for t, row in table.items() for a, n in row.items()} == dict(Counter(expected))
    assert list(table) == list(PRIMITIVES)


def by_pairs(pairs: Counter[tuple[bool, bool]]) -> AxisCounts:
    counts = AxisCounts(pairs[True, True], pairs[True, False], pairs[False, True], pairs[False, False])
    assert counts.judged == pairs.total()
    whole = 2 * counts.tp + counts.fp + counts.fn
    assert counts.f1 == pytest.approx(2 * counts.tp / whole if whole else math.nan, nan_ok=True)
    return counts


@pytest.mark.parametrize("end_s", [0.5, 1.0, 1.2, 1.6, 1.6 + 1e-12, 2.001, 2.4])
@pytest.mark.parametrize("length_s", [0.4, 0.5, 8 / 15])
def test_windows_of_a_length_follow_each_other_up_to_the_end(end_s: float, length_s: float) -> None:
    found = even_windows(end_s, length_s)
    starts = []
    while len(starts) * length_s < end_s - 1e-9:
        starts.append(len(starts) * length_s)
    assert [window.start_s for window in found] == pytest.approx(starts)
    assert [window.end_s for window in found] == pytest.approx([*starts[1:], end_s])
    assert all(window.end_s <= end_s for window in found)


@pytest.mark.parametrize("seed", range(10))
def test_windows_without_a_label_are_no_windows_of_a_baseline(seed: int) -> None:
    runs, _ = drawing(seed)
    video = LabelledVideo("v", "s", "feeding", tuple(runs))
    pairs = [(window, window_label(runs, window)) for window in even_windows(runs[-1].end_s, 0.75)]
    pairs = [(window, label) for window, label in pairs if label]
    assert labelled_windows(video, 0.75) == ([w for w, _ in pairs], [label for _, label in pairs])
    words = primitives_of_axes(
        [w.start_s for w, _ in pairs],
        [label in AXES["motion"] for _, label in pairs],
        [label in AXES["grasp"] for _, label in pairs],
    )
    assert omniscient([video], 0.75) == {"v": words}


@pytest.mark.parametrize("seed", range(30))
def test_a_motion_is_a_reach_where_a_grasp_begins_soon(seed: int) -> None:
    rng = np.random.default_rng(seed)
    starts = np.cumsum(rng.choice([0.5, 1.0], 10))
    motion, grasp = rng.random(10) < 0.5, rng.random(10) < 0.3
    within = float(rng.choice([0.5, 1.0, 2.0]))
    expected = []
    for n in range(10):
        soon = any(grasp[m] and starts[m] - starts[n] <= within for m in range(n + 1, 10))
        if grasp[n]:
            expected.append("transport" if motion[n] else "stabilize")
        else:
            expected.append(("reach" if soon else "reposition") if motion[n] else "idle")
    assert primitives_of_axes(starts.tolist(), motion.tolist(), grasp.tolist(), within_s=within) == expected


def test_answers_of_another_number_of_windows_are_refused() -> None:
    with pytest.raises(ValueError, match="argument"):
        axis_counts([True], [True, None])
    assert axis_counts([True, False], [None, None], "pessimistic") == AxisCounts(0, 1, 1, 0)
