from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from media_zoo import MediaZoo, even, number_of, slowing, with_gap

from semiology.data.media.frames import read_frames
from semiology.data.media.probe import MediaError, timeline

TIMES = {
    "even.mp4": even(90), "even.mkv": even(90), "even.avi": even(90), "reordered.avi": even(90),
    "even.ts": even(90), "late.mkv": even(90), "fragmented.mp4": even(90), "slowing.mp4": slowing(),
    "slowing.mkv": slowing(), "gap.mp4": with_gap(), "long_gop.mp4": even(300), "one_fps.mp4": even(10, 1),
    "turned90.mp4": even(30), "turned180.mp4": even(30), "turned270.mp4": even(30), "odd.mp4": even(30),
    "open_groups.mp4": even(150), "open_groups.mkv": even(150), "refreshed.mp4": even(150),
    "windows.wmv": even(90), "flash.flv": even(150), "programme.mpg": even(90),
}  # fmt: skip


def numbers(zoo: MediaZoo, name: str, times: list[float]) -> list[int]:
    return [number_of(picture) for picture in read_frames(zoo[name], times)]


@pytest.mark.parametrize("name", TIMES)
def test_the_frame_on_show_is_read(zoo: MediaZoo, name: str) -> None:
    """Asked a little after a frame appears, and a little before the next one does."""
    true, last = TIMES[name], len(TIMES[name]) - 1
    chosen = sorted({0, 1, last // 3, last // 2, last // 2 + 1, last - 1, last})
    assert numbers(zoo, name, [true[n] + 0.002 for n in chosen]) == chosen
    assert numbers(zoo, name, [true[n + 1] - 0.005 for n in chosen[:-1]]) == chosen[:-1]


@pytest.mark.parametrize("name", TIMES)
def test_a_frame_is_found_at_its_exact_time(zoo: MediaZoo, name: str) -> None:
    assert numbers(zoo, name, TIMES[name]) == list(range(len(TIMES[name])))


@given(data=st.data())
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_order_and_repeats_are_allowed(zoo: MediaZoo, data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(["even.mp4", "slowing.mkv", "reordered.avi", "long_gop.mp4"]))
    chosen = data.draw(st.lists(st.integers(0, len(TIMES[name]) - 1), min_size=1, max_size=6))
    assert numbers(zoo, name, [TIMES[name][n] for n in chosen]) == chosen


@pytest.mark.parametrize(
    "name", ["open_groups.mp4", "open_groups.mkv", "refreshed.mp4", "flash.flv", "even.ts"]
)
def test_a_jump_to_any_frame_finds_it(zoo: MediaZoo, name: str) -> None:
    for number in range(1, len(TIMES[name]), 17):
        assert numbers(zoo, name, [TIMES[name][number]]) == [number]


def test_no_times_give_no_frames(zoo: MediaZoo) -> None:
    assert read_frames(zoo["even.mp4"], []).shape == (0, 64, 128, 3)


@pytest.mark.parametrize("time", [-0.1, 3.1, 1e9, float("nan")])
def test_times_outside_the_recording_are_refused(zoo: MediaZoo, time: float) -> None:
    with pytest.raises(MediaError, match=r"lasts 3\.00 s"):
        read_frames(zoo["even.mp4"], [time])


def test_damage_in_the_middle_is_reported_with_its_time_and_frames_elsewhere_are_read(zoo: MediaZoo) -> None:
    line = timeline(zoo["damaged.mp4"])
    assert line.info.frames == 90
    assert numbers(zoo, "damaged.mp4", [0.0, 0.5, 2.5, 2.9]) == [0, 15, 75, 87]
    with pytest.raises(MediaError, match=r"damaged\.mp4 is damaged near [01]\.\d\d s") as caught:
        read_frames(zoo["damaged.mp4"], np.arange(0, 3, 0.5))
    assert str(zoo.folder.parent) not in str(caught.value)
