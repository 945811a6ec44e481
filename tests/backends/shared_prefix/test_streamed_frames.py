"""The streaming reader gives what the decord reader gives, in the same order, from one pass."""

from __future__ import annotations

import sys
import threading
from pathlib import Path

import numpy as np
import pytest

from semiology.backends.shared_prefix.frames import DecordReader, FrameReader, Frames, StreamedReader
from semiology.backends.shared_prefix.questions import UnansweredError
from semiology.data.media.frames import DecodeCounts, read_frames
from semiology.data.media.probe import timeline

sys.path.insert(0, str(Path(__file__).parents[2] / "data"))

from media_zoo import MediaZoo, number_of

WINDOWS = [[0, 10, 20, 30], [20, 30, 40, 50], [45, 46], [60, 89]]


@pytest.fixture(scope="module")
def zoo(tmp_path_factory: pytest.TempPathFactory) -> MediaZoo:
    return MediaZoo(tmp_path_factory.mktemp("zoo"))


def read(reader: FrameReader, path: Path, windows: list[list[int]]) -> list[Frames | UnansweredError]:
    with reader.open(str(path)) as recording:
        return list(recording.windows(windows))


def prefetching() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "prefetch"]


@pytest.mark.parametrize(
    "name", ["even.mp4", "even.mkv", "even.avi", "ntsc.mp4", "late.mp4", "hd_colours.mp4"]
)
def test_frames_and_facts_are_those_of_decord(zoo: MediaZoo, name: str) -> None:
    with DecordReader().open(str(zoo[name])) as theirs, StreamedReader().open(str(zoo[name])) as ours:
        assert ours.facts == theirs.facts
        last = ours.facts.frames - 1
        windows = [[min(number, last) for number in window] for window in WINDOWS]
        windows = [sorted(set(window)) for window in windows]
        for found, expected in zip(ours.windows(windows), theirs.windows(windows), strict=True):
            np.testing.assert_array_equal(found, expected)
    assert not prefetching()


@pytest.mark.parametrize("ahead", [1, 3])
def test_windows_come_in_their_order_even_if_a_later_one_is_complete_first(zoo: MediaZoo, ahead: int) -> None:
    counts = DecodeCounts()
    windows = [[0, 80], [5, 6], [7, 89], [8, 9]]
    found = read(StreamedReader(ahead=ahead, counts=counts), zoo["even.mp4"], windows)
    assert [[number_of(picture) for picture in pictures] for pictures in found] == windows  # type: ignore[union-attr]
    assert counts.opens == 1
    assert counts.decoded <= 90


def test_uneven_recordings_count_as_even_and_show_the_frame_of_each_moment(zoo: MediaZoo) -> None:
    path = zoo["slowing.mp4"]
    duration = timeline(path).info.duration_s
    with StreamedReader().open(str(path)) as recording:
        fps, frames = recording.facts.fps, recording.facts.frames
        assert frames == pytest.approx(duration * fps, abs=1)
        numbers = [0, round(2.5 * fps), round(4.5 * fps), frames - 1]
        (pictures,) = recording.windows([numbers])
    np.testing.assert_array_equal(pictures, read_frames(path, [number / fps for number in numbers]))


def test_damage_costs_its_window_and_no_other(zoo: MediaZoo) -> None:
    found = read(StreamedReader(), zoo["damaged.mp4"], [[0, 5], [15, 30], [75, 80]])
    assert isinstance(found[1], UnansweredError)
    assert "damaged near 1.00 s" in str(found[1])
    assert [isinstance(pictures, UnansweredError) for pictures in found] == [False, True, False]


@pytest.mark.parametrize("name", ["empty.mp4", "text.mp4", "sound_only.mp4", "missing.mp4"])
def test_an_unusable_file_is_told_when_it_is_opened(zoo: MediaZoo, name: str) -> None:
    path = zoo.folder / name if name == "missing.mp4" else zoo[name]
    with pytest.raises(UnansweredError, match=name), StreamedReader().open(str(path)):
        pass


def test_reading_starts_when_windows_are_asked_for_and_ends_with_the_recording(zoo: MediaZoo) -> None:
    counts = DecodeCounts()
    with StreamedReader(counts=counts).open(str(zoo["even.mp4"])) as recording:
        assert not prefetching()
        windows = recording.windows(WINDOWS)
        assert len(prefetching()) == 1
        next(windows)
    assert not prefetching()
    assert counts.opens == 1
