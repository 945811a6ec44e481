"""The sampling protocols that show one clip: where it lies, how fast it is sampled, and what is refused."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from semiology.data.windows.clips import FORMS, SEEN_AFTER_S, ClipForm, EventClip, OnsetClip, WholeVideo

SECONDS = st.integers(0, 60_000).map(lambda tenths: tenths / 10)


def frames(duration_s: float, rate: float) -> int:
    """How many frames a clip of this length at this rate holds."""
    return math.ceil((duration_s - 1e-6) * rate)


def test_an_event_is_shown_from_its_onset_to_its_offset() -> None:
    clip = EventClip().segment(10.0, 22.5, 60.0)
    assert (clip.start_s, clip.end_s) == (10.0, 22.5)
    assert EventClip().rate(clip) == 1.0


@pytest.mark.parametrize(
    ("onset", "offset", "shown"),
    [
        (10.0, 10.2, (9.1, 11.1)),
        (0.0, 0.0, (0.0, 2.0)),
        (59.9, 60.0, (58.0, 60.0)),
        (58.0, 75.0, (58.0, 60.0)),
    ],
)
def test_a_short_event_is_widened_within_the_recording(
    onset: float, offset: float, shown: tuple[float, float]
) -> None:
    clip = EventClip().segment(onset, offset, 60.0)
    assert (clip.start_s, clip.end_s) == pytest.approx(shown)


@given(SECONDS, SECONDS, SECONDS)
def test_an_event_clip_lies_in_the_recording_and_holds_the_event(
    first: float, second: float, beyond: float
) -> None:
    onset, offset = sorted((first, second))
    duration = onset + 0.1 + beyond
    clip = EventClip().segment(onset, offset, duration)
    assert 0 <= clip.start_s <= onset
    assert min(offset, duration) - 1e-9 <= clip.end_s <= duration + 1e-9
    assert clip.duration_s >= min(2.0, duration) - 1e-9


@pytest.mark.parametrize(("onset", "offset"), [(5.0, 4.0), (-1.0, 2.0), (60.0, 61.0)])
def test_an_impossible_event_is_refused(onset: float, offset: float) -> None:
    with pytest.raises(ValueError, match="no event"):
        EventClip().segment(onset, offset, 60.0)


@pytest.mark.parametrize(("onset", "start"), [(100.0, 70.0), (10.0, 0.0), (295.0, 240.0)])
def test_a_centred_clip_has_the_onset_in_the_middle_unless_the_recording_ends(
    onset: float, start: float
) -> None:
    clip = OnsetClip().segment(onset, 300.0, "V1/tonic")
    assert (clip.start_s, clip.end_s) == (start, start + 60)


@given(SECONDS, SECONDS, st.sampled_from(FORMS), st.text(max_size=5))
def test_an_onset_clip_holds_the_onset(onset: float, beyond: float, form: ClipForm, name: str) -> None:
    duration = onset + beyond + 0.1
    clip = OnsetClip(form).segment(onset, duration, name)
    assert 0 <= clip.start_s <= onset <= clip.end_s + 1e-9
    assert clip.end_s <= duration + 1e-9
    assert clip.duration_s == pytest.approx(min(60.0, duration))


@given(st.text(max_size=8))
def test_a_random_clip_shows_what_follows_the_onset(name: str) -> None:
    clip = OnsetClip("random").segment(500.0, 1000.0, name)
    assert clip.end_s - 500.0 >= SEEN_AFTER_S - 0.06


def test_random_places_are_even_over_the_clip_and_fixed_by_seed_and_name() -> None:
    places = np.array(
        [500.0 - OnsetClip("random").segment(500.0, 1000.0, f"V{i}").start_s for i in range(2000)]
    )
    assert np.abs(np.histogram(places, 4, (0, 58))[0] - 500).max() < 90  # 4.6 standard deviations
    again = 500.0 - OnsetClip("random").segment(500.0, 1000.0, "V7").start_s
    assert again == places[7]
    assert 500.0 - OnsetClip("random", seed=1).segment(500.0, 1000.0, "V7").start_s != places[7]


def test_always_answering_the_middle_wins_on_centred_clips_only() -> None:
    errors = {
        form: np.mean(
            [abs(500.0 - OnsetClip(form).segment(500.0, 1000.0, f"V{i}").start_s - 30) for i in range(500)]
        )
        for form in FORMS
    }
    assert errors["centred"] == 0
    assert errors["random"] == pytest.approx(14.6, abs=1.5)  # even over 0-58 s


def test_a_recording_shorter_than_the_clip_is_shown_whole() -> None:
    for form in FORMS:
        clip = OnsetClip(form).segment(20.0, 45.0, "V1")
        assert (clip.start_s, clip.end_s) == (0.0, 45.0)


def test_an_onset_outside_the_recording_is_refused() -> None:
    with pytest.raises(ValueError, match="no onset"):
        OnsetClip().segment(61.0, 60.0, "V1")


@given(st.floats(2.0, 10_800.0), st.sampled_from([60, 120]))
def test_a_whole_recording_gives_nearly_as_many_frames_as_allowed_and_never_more(
    duration: float, most: int
) -> None:
    protocol = WholeVideo(most)
    clip = protocol.segment(duration)
    assert (clip.start_s, clip.end_s) == (0.0, duration)
    count = frames(duration, protocol.rate(clip))
    assert count <= most
    assert count >= most - 1 - duration / 1000  # rates are rounded down to 1/1000 frame per s


def test_a_long_event_is_sampled_evenly() -> None:
    protocol = EventClip()
    clip = protocol.segment(0.0, 90.0, 100.0)
    assert frames(90.0, protocol.rate(clip)) == 60


@pytest.mark.parametrize(
    "make",
    [
        lambda: EventClip(fps=0),
        lambda: EventClip(max_frames=1),
        lambda: OnsetClip("middle"),  # type: ignore[arg-type]
        lambda: OnsetClip(length_s=3),
        lambda: OnsetClip(fps=math.inf),
        lambda: WholeVideo(1),
        lambda: WholeVideo().segment(0.0),
    ],
)
def test_a_parameter_out_of_range_is_refused(make: object) -> None:
    with pytest.raises(ValueError, match="must be"):
        make()  # type: ignore[operator]
