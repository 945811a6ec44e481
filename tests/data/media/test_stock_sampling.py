"""A stock class and ours see the same frames: the stock reader itself is asked and compared."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import decord
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from media_zoo import MediaZoo, number_of
from qwen_vl_utils import vision_process
from stock_sampling import decord_indices, stock_sample, stock_window

from semiology.data.media.clips import clip
from semiology.data.media.probe import MediaError, needs_clip, timeline
from semiology.data.media.streaming import Pictures, stream_windows
from semiology.data.simulated import simulate
from semiology.data.windows.sliding import STANDARD

SAMPLINGS: list[dict[str, float]] = [
    {"fps": 2.0},
    {"fps": 2.0, "max_frames": 6},
    {"fps": 0.5, "min_frames": 8},
    {"nframes": 7},
    {},
]
WINDOWS = [(0.0, 3.0), (0.5, 2.5), (1.03, 2.97), (2.0, 30.0)]


def stock(path: Path, start_s: float | None, end_s: float | None, sampling: dict[str, float]) -> Any:
    """Return the pictures, shape (n, 3, height, width), and metadata that qwen-vl-utils reads by decord."""
    element: dict[str, Any] = {"video": str(path), **sampling}
    if start_s is not None:
        element |= {"video_start": start_s, "video_end": end_s}
    return vision_process._read_video_decord(element)


def ours(path: Path, *windows: tuple[float, float], **sampling: float) -> list[Pictures]:
    requests = [stock_window(path, *window, **sampling).request for window in windows]
    found = dict(stream_windows(path, requests))
    return [found[number] for number in range(len(windows))]  # type: ignore[misc]


@pytest.mark.parametrize("sampling", SAMPLINGS, ids=str)
@pytest.mark.parametrize(
    "name", ["even.mp4", "even.mkv", "even.avi", "ntsc.mp4", "late.mp4", "hd_colours.mp4"]
)
def test_the_frames_are_those_of_the_stock_reader(
    zoo: MediaZoo, name: str, sampling: dict[str, float]
) -> None:
    windows = [window for window in WINDOWS if window[0] < timeline(zoo[name]).info.duration_s - 0.5]
    assert stock_window(zoo[name], *windows[0], **sampling).rule == "decord"
    for window, pictures in zip(windows, ours(zoo[name], *windows, **sampling), strict=True):
        theirs, metadata, sample_fps = stock(zoo[name], *window, sampling)
        picked = stock_window(zoo[name], *window, **sampling).sample
        assert list(picked.indices) == metadata["frames_indices"]
        assert decord_indices(zoo[name], *window, **sampling) == picked.indices
        assert (picked.video_fps, picked.total_frames) == (metadata["fps"], metadata["total_num_frames"])
        assert picked.sample_fps == sample_fps
        np.testing.assert_array_equal(pictures, theirs.permute(0, 2, 3, 1).numpy())


def test_every_window_of_simulated_recordings_shows_the_stock_frames(tmp_path: Path) -> None:
    simulate(
        tmp_path / "ward", patients=2, seed=4, recordings_per_patient=1, duration_s=(38.0, 45.0),
        size=(128, 96), fps=10, progress=False,
    )  # fmt: skip
    videos = sorted((tmp_path / "ward" / "videos").glob("*.mp4"))
    assert len(videos) == 2
    for video in videos:
        segments = STANDARD.segments(timeline(video).info.duration_s)
        assert len(segments) == 2
        windows = [(segment.start_s, segment.end_s) for segment in segments]
        for window, pictures in zip(windows, ours(video, *windows, fps=2.0, max_frames=60), strict=True):
            theirs, _, _ = stock(video, *window, {"fps": 2.0, "max_frames": 60})
            np.testing.assert_array_equal(pictures, theirs.permute(0, 2, 3, 1).numpy())


@given(
    frames=st.integers(1, 20_000),
    fps=st.sampled_from([1.0, 10.0, 25.0, 29.97002997002997, 30.0, 59.94]),
    start=st.floats(0, 300),
    length=st.floats(0.1, 90),
    nframes=st.one_of(st.none(), st.integers(2, 128)),
)
@settings(max_examples=300, deadline=None)
def test_numbers_stay_in_the_window_and_ascend_evenly(
    frames: int, fps: float, start: float, length: float, nframes: int | None
) -> None:
    sampling: dict[str, float | None] = {"nframes": nframes} if nframes else {"fps": 2.0}
    held = min(frames - 1, int((start + length) * fps)) - int(np.ceil(start * fps)) + 1
    if held < max(3, (nframes or 0) + 2):
        return
    numbers = np.array(stock_sample(frames, fps, start, start + length, **sampling).indices)
    assert start * fps - 1e-6 <= numbers[0]
    assert numbers[-1] <= min(frames - 1, (start + length) * fps + 1e-6)
    assert len(numbers) % 2 == 0
    assert (np.diff(numbers) > 0).all()
    assert np.ptp(np.diff(numbers)) <= 1


@pytest.mark.parametrize(
    "name", ["slowing.mp4", "slowing.mkv", "gap.mp4", "trimmed.mp4", "turned90.mp4", "even.ts"]
)
def test_where_decord_errs_the_moments_are_those_of_the_clip_that_stock_classes_get(
    zoo: MediaZoo, tmp_path: Path, name: str
) -> None:
    start, end = 0.2, min(1.4, timeline(zoo[name]).info.duration_s)
    planned = stock_window(zoo[name], start, end, nframes=6)
    assert planned.rule == "timestamp"
    assert planned.reason == needs_clip(timeline(zoo[name]).info)
    theirs, metadata, sample_fps = stock(
        clip(zoo[name], start, end, None, tmp_path), None, None, {"nframes": 6}
    )
    assert list(planned.sample.indices) == metadata["frames_indices"]
    assert planned.sample.sample_fps == pytest.approx(sample_fps)
    (pictures,) = ours(zoo[name], (start, end), nframes=6)
    expected = [number_of(picture) for picture in theirs.permute(0, 2, 3, 1).numpy()]
    assert [number_of(picture) for picture in pictures] == expected


def test_decord_shows_other_moments_of_an_uneven_recording(zoo: MediaZoo) -> None:
    """The reason for the second rule: frames found by number are more than half a second off."""
    by_number = decord_indices(zoo["slowing.mp4"], 3.0, 5.0, nframes=6)
    assert len(decord.VideoReader(str(zoo["slowing.mp4"]))) > max(by_number)
    times = timeline(zoo["slowing.mp4"]).times_s[list(by_number)]
    request = stock_window(zoo["slowing.mp4"], 3.0, 5.0, nframes=6).request
    assert request.times_s is not None
    assert np.abs(times - np.array(request.times_s)).max() > 0.5


@pytest.mark.parametrize(
    ("window", "sampling"), [((0.0, 3.0), {"nframes": 100}), ((1.0, 1.01), {"fps": 2.0}), ((9.0, 12.0), {})]
)
def test_a_window_with_too_few_frames_is_refused_in_a_sentence(
    zoo: MediaZoo, window: tuple[float, float], sampling: dict[str, float]
) -> None:
    with pytest.raises(MediaError, match=r"even\.mp4, window .* holds fewer frames than asked for"):
        stock_window(zoo["even.mp4"], *window, **sampling)


def test_a_misspelt_parameter_is_refused(zoo: MediaZoo) -> None:
    with pytest.raises(TypeError, match="not frames"):
        stock_window(zoo["even.mp4"], 0.0, 3.0, frames=8)
