"""One pass over a recording gives every window the frames that decord and `read_frames` give it."""

from __future__ import annotations

import tracemalloc
from pathlib import Path
from typing import Any

import av
import decord
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from media_zoo import HEIGHT, WIDTH, MediaZoo, even, number_of, write_recording
from recordings_in_turn import stream_recordings

from semiology.data.media.frames import DecodeCounts, read_frames
from semiology.data.media.probe import MediaError, timeline
from semiology.data.media.streaming import Pictures, WindowRequest, stream_windows
from semiology.data.windows.sliding import SlidingWindow

CONSTANT = [
    "even.mp4", "even.mov", "even.mkv", "even.avi", "late.mp4", "late.mkv", "fragmented.mp4", "ntsc.mp4",
    "two_fps.mp4", "one_fps.mp4", "long_gop.mp4", "odd.mp4", "ten_bit.mp4", "hd_colours.mp4",
]  # fmt: skip
UNEVEN = [
    "slowing.mp4",
    "slowing.mkv",
    "gap.mp4",
    "trimmed.mp4",
    "reordered.avi",
    "open_groups.mp4",
    "even.ts",
]
TURNED = ["turned90.mp4", "turned180.mp4", "turned270.mp4"]


def by_number(*windows: list[int]) -> list[WindowRequest]:
    return [WindowRequest(0.0, 1.0, indices=tuple(window)) for window in windows]


def by_time(*windows: list[float]) -> list[WindowRequest]:
    return [WindowRequest(0.0, 1.0, times_s=tuple(window)) for window in windows]


def streamed(path: Path, requests: list[WindowRequest], **options: Any) -> list[Pictures]:
    """Return the windows in the order asked; none may be missing, doubled or unreadable."""
    found = dict(stream_windows(path, requests, **options))
    assert sorted(found) == list(range(len(requests)))
    result = []
    for number in range(len(requests)):
        pictures = found[number]
        assert not isinstance(pictures, MediaError), pictures
        result.append(pictures)
    return result


def shown(pictures: Pictures | MediaError) -> list[int]:
    assert not isinstance(pictures, MediaError), pictures
    return [number_of(picture) for picture in pictures]


@pytest.mark.parametrize("name", CONSTANT)
def test_frames_are_those_of_decord_bit_for_bit(zoo: MediaZoo, name: str) -> None:
    reader = decord.VideoReader(str(zoo[name]))
    last = len(reader) - 1
    windows = [list(range(last // 2)), list(range(last // 3, last + 1, 2)), [last, 0, last // 2]]
    for wanted, pictures in zip(windows, streamed(zoo[name], by_number(*windows)), strict=True):
        np.testing.assert_array_equal(pictures, reader.get_batch(wanted).asnumpy())


@pytest.mark.parametrize("name", CONSTANT + UNEVEN + TURNED)
def test_frames_are_those_of_read_frames(zoo: MediaZoo, name: str) -> None:
    duration = timeline(zoo[name]).info.duration_s
    windows = [list(np.arange(0, duration * 0.6, 0.11)), list(np.arange(duration * 0.4, duration, 0.13))]
    for wanted, pictures in zip(windows, streamed(zoo[name], by_time(*windows)), strict=True):
        np.testing.assert_array_equal(pictures, read_frames(zoo[name], wanted))


@pytest.mark.parametrize("name", TURNED)
def test_turned_recordings_are_upright(zoo: MediaZoo, name: str) -> None:
    (pictures,) = streamed(zoo[name], by_number([0, 7, 29]))
    assert pictures.shape == (3, HEIGHT, WIDTH, 3)
    assert shown(pictures) == [0, 7, 29]


def test_times_in_an_uneven_recording_give_the_frame_on_show(zoo: MediaZoo) -> None:
    (pictures,) = streamed(zoo["slowing.mp4"], by_time([1.0, 1.45, 1.55, 1.61, 4.0]))
    assert shown(pictures) == [30, 43, 45, 46, 70]


@pytest.mark.parametrize("name", ["even.mp4", "even.mkv", "long_gop.mp4", "slowing.mp4", "even.ts"])
def test_a_recording_is_opened_once_and_no_frame_is_decoded_twice(
    zoo: MediaZoo, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    frames = timeline(zoo[name]).info.frames  # known from here on
    opened: list[str] = []
    real = av.open
    monkeypatch.setattr(av, "open", lambda path, *a, **k: opened.append(path) or real(path, *a, **k))
    counts = DecodeCounts()
    windows = [list(range(0, frames, 2)), list(range(frames // 3, frames)), [frames - 1, 0]]
    streamed(zoo[name], by_number(*windows), counts=counts)
    assert opened == [str(zoo[name])]
    assert (counts.opens, counts.jumps) == (1, 0)
    assert counts.decoded <= frames
    assert counts.delivered == len({number for window in windows for number in window})


def test_long_unwanted_parts_are_leapt_over_within_the_open_file(tmp_path: Path) -> None:
    path = write_recording(tmp_path / "long.mp4", even(900), codec_options={"g": "30", "bf": "2"})
    counts = DecodeCounts()
    windows = [[0, 5], [400, 410], [880, 899]]
    pictures = streamed(path, by_number(*windows), counts=counts)
    assert [shown(window) for window in pictures] == windows
    assert (counts.opens, counts.jumps) == (1, 2)
    assert counts.decoded < 120


@given(
    windows=st.lists(st.lists(st.integers(0, 89), max_size=8), max_size=6),
    name=st.sampled_from(["even.mp4", "slowing.mkv", "reordered.avi"]),
)
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_windows_in_any_order_overlapping_repeated_or_empty(
    zoo: MediaZoo, windows: list[list[int]], name: str
) -> None:
    counts = DecodeCounts()
    pictures = streamed(zoo[name], by_number(*windows), counts=counts)
    assert [shown(window) for window in pictures] == windows
    assert all(window.shape[1:] == (HEIGHT, WIDTH, 3) for window in pictures)
    assert counts.opens <= 1


def test_a_window_comes_as_soon_as_its_last_frame_is_read(zoo: MediaZoo) -> None:
    counts = DecodeCounts()
    requests = by_number(list(range(200, 260)), list(range(20)), list(range(10, 60)))
    seen = [
        (number, counts.delivered)
        for number, _ in stream_windows(zoo["long_gop.mp4"], requests, counts=counts)
    ]
    assert seen == [(1, 20), (2, 60), (0, 120)]


def test_no_more_frames_are_held_than_those_of_two_overlapping_windows(tmp_path: Path) -> None:
    path = write_recording(tmp_path / "ward.mp4", even(1200, 10), size=(256, 192), rate=10)
    protocol = SlidingWindow(window_s=10.0, overlap_s=2.0)
    segments = protocol.segments(timeline(path).info.duration_s)
    requests = [
        WindowRequest(s.start_s, s.end_s, times_s=tuple(np.arange(s.start_s, s.end_s, 0.5).tolist()))
        for s in segments
    ]
    assert len(requests) >= 14
    frame = 256 * 192 * 3
    tracemalloc.start()
    try:
        for _number, pictures in stream_windows(path, requests):
            assert not isinstance(pictures, MediaError)
            del pictures
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    per_window = 20
    assert peak < (2 * per_window + 4) * frame
    assert peak > per_window * frame  # or nothing was measured


def test_damage_costs_only_the_windows_that_show_it(zoo: MediaZoo) -> None:
    path = zoo["damaged.mp4"]
    with pytest.raises(MediaError):
        read_frames(path, [30 / 30])
    windows = by_number([0, 5], [15, 30, 75], [75, 80, 89], [30])
    found = dict(stream_windows(path, windows))
    assert sorted(found) == [0, 1, 2, 3]
    assert shown(found[0]) == [0, 5]
    assert shown(found[2]) == [75, 80, 89]
    for number in (1, 3):
        assert isinstance(found[number], MediaError)
        assert "damaged.mp4 is damaged near 1.00 s" in str(found[number])
        assert str(zoo.folder.parent) not in str(found[number])


@pytest.mark.parametrize("name", ["empty.mp4", "no_index.mp4", "text.mp4", "sound_only.mp4", "missing.mp4"])
def test_an_unusable_file_is_the_error_of_each_of_its_windows(zoo: MediaZoo, name: str) -> None:
    path = zoo.folder / name if name == "missing.mp4" else zoo[name]
    found = dict(stream_windows(path, by_number([0], [1, 2])))
    assert sorted(found) == [0, 1]
    assert all(isinstance(error, MediaError) and name in str(error) for error in found.values())


def test_a_window_outside_the_recording_is_an_error_and_the_others_go_on(zoo: MediaZoo) -> None:
    requests = [*by_number([0, 90], [-1], [3]), *by_time([3.5], [0.1])]
    found = dict(stream_windows(zoo["even.mp4"], requests))
    assert "holds 90 frames, counted from 0; there is no frame 90" in str(found[0])
    assert "no frame -1" in str(found[1])
    assert "lasts 3.00 s" in str(found[3])
    assert shown(found[2]) == shown(found[4]) == [3]


def test_a_picture_size_that_changes_midway_is_the_error_of_the_windows_after_it(tmp_path: Path) -> None:
    small = write_recording(tmp_path / "small.ts", even(30), codec_options={"g": "10"})
    large = write_recording(tmp_path / "large.ts", even(30, first_s=1.0), size=(192, 96))
    path = tmp_path / "joined.ts"
    path.write_bytes(small.read_bytes() + large.read_bytes())
    found = dict(stream_windows(path, by_number([2, 3], [50, 51])))
    assert shown(found[0]) == [2, 3]
    assert isinstance(found[1], MediaError)
    assert "changes its picture size midway" in str(found[1])


def test_leaving_early_closes_the_file(zoo: MediaZoo) -> None:
    windows = stream_windows(zoo["even.mp4"], by_number([0], [1], [2]))
    next(windows)
    decoder = windows.gi_frame.f_locals["decoder"]  # type: ignore[attr-defined]
    windows.close()  # type: ignore[attr-defined]
    with pytest.raises(AssertionError, match="not open"):
        decoder._container.seek(0)


def test_several_recordings_follow_each_other_and_a_bad_one_stops_none(zoo: MediaZoo) -> None:
    counts = DecodeCounts()
    jobs = [(zoo[name], by_number([1, 2], [2, 3])) for name in ("even.mp4", "empty.mp4", "even.mkv")]
    found = list(stream_recordings(jobs, counts=counts))
    assert [(recording, number) for recording, number, _ in found] == [
        (recording, number) for recording in range(3) for number in range(2)
    ]
    assert [isinstance(pictures, MediaError) for *_, pictures in found] == [
        False,
        False,
        True,
        True,
        False,
        False,
    ]
    assert counts.opens == 2


@pytest.mark.parametrize("both", [True, False])
def test_a_request_names_its_frames_in_one_way(both: bool) -> None:
    with pytest.raises(ValueError, match="either by times_s or by indices"):
        WindowRequest(0.0, 1.0, times_s=(0.0,) if both else None, indices=(0,) if both else None)
