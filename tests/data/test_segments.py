from __future__ import annotations

import math
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from media_zoo import MediaZoo

from semiology.data.media.probe import MediaInfo, probe
from semiology.data.windows.sliding import (
    QWEN3,
    STANDARD,
    TOLERANCE_S,
    Segment,
    SlidingWindow,
    unusable_reason,
)


def info(duration_s: float, fps: float = 30.0) -> MediaInfo:
    return MediaInfo(duration_s, fps, 64, 64, round(duration_s * fps), 0, False, None, False, index_fps=fps)


@st.composite
def windows(draw: st.DrawFn) -> SlidingWindow:
    window = draw(st.integers(2, 1200)) / 10
    overlap = draw(st.integers(0, int(window * 8))) / 10
    return SlidingWindow(
        window, overlap, draw(st.sampled_from([0.5, 1.0, 2.0, 3.0, 29.97])), draw(st.integers(2, 128))
    )


durations = st.floats(0.001, 600.0)


def bounds(duration_s: float, window: SlidingWindow = STANDARD) -> list[tuple[float, float]]:
    return [(s.start_s, s.end_s) for s in window.segments(duration_s)]


@given(windows(), durations)
@settings(deadline=None)
def test_windows_cover_the_recording_and_nothing_else(window: SlidingWindow, duration: float) -> None:
    found = window.segments(duration)
    assert found[0].start_s == 0.0
    assert found[-1].end_s == duration
    assert all(s.end_s > s.start_s for s in found)
    assert [s.index for s in found] == list(range(len(found)))
    assert all(s.duration_s <= window.window_s + 2 * TOLERANCE_S for s in found)


@given(windows(), durations)
@settings(deadline=None)
def test_neighbours_share_exactly_the_overlap(window: SlidingWindow, duration: float) -> None:
    found = window.segments(duration)
    for one, two in pairwise(found):
        assert two.start_s > one.start_s
        assert two.end_s > one.end_s
        assert one.duration_s == pytest.approx(window.window_s, abs=1e-9)
        assert one.end_s - two.start_s == pytest.approx(window.overlap_s, abs=1e-9)


@given(windows(), durations)
@settings(deadline=None)
def test_a_last_window_shows_more_than_the_overlap(window: SlidingWindow, duration: float) -> None:
    found = window.segments(duration)
    assert len(found) == 1 or found[-1].duration_s > window.overlap_s


@given(windows(), durations)
@settings(deadline=None)
def test_frames_sampled_at_the_rate_lie_in_the_window(window: SlidingWindow, duration: float) -> None:
    for segment in window.segments(duration)[-2:]:
        frames = window.n_frames(segment)
        assert 1 <= frames <= window.max_frames
        assert frames == 1 or (frames - 1) / window.fps < segment.duration_s


@pytest.mark.parametrize(
    ("duration", "expected"),
    [
        (12.5, [(0, 12.5)]),
        (30, [(0, 30)]),
        (30.1, [(0, 30), (25, 30.1)]),
        (55, [(0, 30), (25, 55)]),
        (55.00000000000001, [(0, 30), (25, 55.00000000000001)]),
        (60, [(0, 30), (25, 55), (50, 60)]),
    ],
)
def test_the_standard_protocol_cuts_as_published(
    duration: float, expected: list[tuple[float, float]]
) -> None:
    assert bounds(duration) == expected


def test_qwen3_models_get_longer_windows() -> None:
    assert (QWEN3.window_s, QWEN3.overlap_s, QWEN3.fps, QWEN3.max_frames) == (60.0, 5.0, 2.0, 120)
    assert bounds(100, QWEN3) == [(0, 60), (55, 100)]


def test_bounds_do_not_drift_in_a_recording_of_many_hours() -> None:
    window = SlidingWindow(0.3, 0.1, fps=10.0)
    found = window.segments(7_200.0)
    assert found[30_000].start_s == 6_000.0
    assert found[30_000].end_s == 6_000.3
    assert STANDARD.segments(4 * 3600.0)[-1] == Segment(575, 14_375.0, 14_400.0)


def test_sixty_frames_are_sampled_from_a_full_window_and_from_a_longer_one() -> None:
    assert STANDARD.n_frames(Segment(1, 25.0, 55.0)) == 60
    assert SlidingWindow(window_s=60.0).n_frames(Segment(0, 0.0, 60.0)) == 60


@pytest.mark.parametrize(
    "parameters",
    [
        {"window_s": 0.0}, {"window_s": -1.0}, {"window_s": math.nan}, {"window_s": math.inf},
        {"overlap_s": -1.0}, {"overlap_s": 30.0}, {"overlap_s": 31.0},
        {"fps": 0.0}, {"fps": math.inf}, {"max_frames": 1},
    ],
)  # fmt: skip
def test_impossible_parameters_are_refused(parameters: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=next(iter(parameters))):
        SlidingWindow(**parameters)  # type: ignore[arg-type]


@pytest.mark.parametrize("duration", [0.0, -1.0, math.nan, math.inf])
def test_a_recording_without_length_is_refused(duration: float) -> None:
    with pytest.raises(ValueError, match="duration"):
        STANDARD.segments(duration)


@given(st.floats(0.5, 400.0), st.sampled_from([2.0, 5.0, 10.0, 25.0, 29.97, 30.0, 60.0]))
def test_windows_of_ordinary_recordings_are_usable(duration: float, fps: float) -> None:
    facts = info(round(duration * fps) / fps, fps)
    for segment in STANDARD.segments(facts.duration_s):
        assert (unusable_reason(segment, facts) is None) == (facts.frames >= 2)


def test_a_recording_of_one_frame_is_not_usable_and_says_why(zoo: MediaZoo) -> None:
    facts = probe(zoo["one_frame.mp4"])
    (segment,) = STANDARD.segments(facts.duration_s)
    assert "1 frame" in str(unusable_reason(segment, facts))


@pytest.mark.parametrize("name", ["one_fps.mp4", "two_fps.mp4", "even.mp4"])
def test_slow_recordings_are_usable(zoo: MediaZoo, name: str) -> None:
    facts = probe(zoo[name])
    assert not any(unusable_reason(segment, facts) for segment in STANDARD.segments(facts.duration_s))


def test_a_window_outside_the_recording_is_not_usable() -> None:
    assert "outside" in str(unusable_reason(Segment(0, 12.0, 14.0), info(10.0)))
    assert "outside" in str(unusable_reason(Segment(0, 0.0, 14.0), info(10.0)))


def test_segments_need_no_video_library() -> None:
    import subprocess
    import sys

    code = "import sys; import semiology.data.windows.sliding; print('av' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=Path.home()
    )
    assert done.stdout.strip() == "False"
