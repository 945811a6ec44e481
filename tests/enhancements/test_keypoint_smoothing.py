"""Smoothing is that of Savitzky and Golay, also where frames are uneven; jerks survive it."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.signal import savgol_filter

from semiology.enhancements.pose import keypoint_smoothing
from semiology.enhancements.pose.keypoint_smoothing import bridged, smoothed, without_jumps

EVEN = np.arange(90) / 30


def test_even_frames_give_what_scipy_gives() -> None:
    points = np.random.default_rng(0).normal(100, 20, (90, 3, 2))
    ours = smoothed(points, np.ones((90, 3)), EVEN, 0.1)
    theirs = savgol_filter(points, 7, 2, axis=0)
    assert ours[3:-3] == pytest.approx(theirs[3:-3])


def test_a_parabola_in_time_stays_itself_on_uneven_frames_with_gaps() -> None:
    times = np.sort(np.random.default_rng(1).uniform(0, 3, 90))
    points = (5 + 40 * times - 12 * times**2)[:, None, None] * np.ones((1, 2, 2))
    weights = np.random.default_rng(2).choice([0.0, 0.4, 1.0], (90, 2))
    assert smoothed(points, weights, times, 0.15) == pytest.approx(points, abs=1e-4)


@pytest.mark.parametrize(("hertz", "kept"), [(1.5, 0.99), (3.0, 0.97), (5.0, 0.85)])
def test_clonic_jerks_are_not_smoothed_away_but_jitter_is(hertz: float, kept: float) -> None:
    wave = 20 * np.sin(2 * np.pi * hertz * EVEN)
    jitter = np.random.default_rng(3).normal(0, 2, 90)
    ones = np.ones((90, 1))
    clean = smoothed(wave[:, None, None], ones, EVEN, 0.085)[5:-5, 0, 0]
    assert np.abs(clean).max() >= kept * np.abs(wave[5:-5]).max()
    calm = smoothed(jitter[:, None, None], ones, EVEN, 0.085)[:, 0, 0]
    assert calm.std() < 0.75 * jitter.std()


def test_short_gaps_are_bridged_in_time_and_long_ones_are_left() -> None:
    times = np.array([0.0, 0.1, 0.15, 0.2, 1.0, 2.0])
    found = np.array([1, 0, 0, 1, 0, 1], bool)[:, None]
    points = np.array([0.0, -1, -1, 20, -1, 50])[:, None, None]
    filled, known = bridged(points, found, times, 0.25)
    assert known[:, 0].tolist() == [True, True, True, True, False, True]
    assert filled[:, 0, 0].tolist() == pytest.approx([0, 10, 15, 20, -1, 50])


def test_a_joint_that_jumps_away_for_one_frame_is_dropped_and_a_quick_move_is_not() -> None:
    path = np.array([0, 1, 90, 2, 3, 60, 120, 121.0])[:, None, None] * np.ones((1, 1, 2))
    kept = without_jumps(path, np.ones((8, 1), bool), 40.0)
    assert kept[:, 0].tolist() == [True, True, False, True, True, True, True, True]


def test_long_recordings_are_smoothed_in_blocks_that_leave_no_seam(monkeypatch: pytest.MonkeyPatch) -> None:
    points = np.random.default_rng(0).normal(100, 20, (90, 3, 2))
    times = np.sort(np.random.default_rng(1).uniform(0, 3, 90))
    at_once = smoothed(points, np.ones((90, 3)), times, 0.2)
    monkeypatch.setattr(keypoint_smoothing, "_BLOCK", 7)
    assert smoothed(points, np.ones((90, 3)), times, 0.2) == pytest.approx(at_once)
