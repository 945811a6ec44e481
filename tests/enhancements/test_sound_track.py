"""The sound of a recording lies on the clock of the pictures, wherever it is; in pieces it comes through whole."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from heard_recording import RATE, recording, tone
from hypothesis import given
from hypothesis import strategies as st

from semiology.data.media.audio import read_audio
from semiology.data.media.probe import MediaError
from semiology.data.recording_set import Recording
from semiology.enhancements.sound.track import Samples, blocks, find_track, in_frames, overlap_added


def heard(made: Recording, rate: int = RATE, block_s: float = 30.0) -> np.ndarray:
    track = find_track(made)
    assert track is not None
    return np.concatenate(list(blocks(track, rate, block_s)))


def test_no_track_is_no_error(tmp_path: Path) -> None:
    assert find_track(recording(tmp_path, None, video_s=1.0)) is None


@pytest.mark.parametrize(
    ("rate", "channels", "own"), [(8000, 1, False), (48_000, 2, True), (44_100, 2, False)]
)
def test_any_rate_and_channels_become_one_channel_of_the_pictures_length(
    tmp_path: Path, rate: int, channels: int, own: bool
) -> None:
    sound = np.stack([tone(3.0, rate=rate)] * channels, axis=1)
    made = recording(tmp_path, sound, rate=rate, own=own)
    track = find_track(made)
    assert track is not None
    assert (track.rate, track.channels, track.length_s) == (rate, channels, pytest.approx(3.0))
    assert track.missing_s < 0.1
    assert track.misfit() == ""
    result = heard(made)
    assert result.size == 3 * RATE
    middle = result[RATE : 2 * RATE]
    assert np.sqrt(np.mean(middle**2)) == pytest.approx(0.5 / np.sqrt(2), rel=0.03)
    assert np.argmax(np.abs(np.fft.rfft(middle))) == 440


def test_blocks_have_no_seams(tmp_path: Path) -> None:
    sound = np.random.default_rng(1).uniform(-0.5, 0.5, 4 * 48_000)
    made = recording(tmp_path, sound, rate=48_000)
    whole = read_audio(Path(str(made.audio)), 0.0, 4.0, RATE)
    np.testing.assert_allclose(heard(made, block_s=0.7), whole, atol=2e-3)


def test_short_sound_is_followed_by_silence_and_told(tmp_path: Path) -> None:
    made = recording(tmp_path, tone(1.0), video_s=3.0)
    track = find_track(made)
    assert track is not None
    assert track.missing_s == pytest.approx(2.0, abs=0.01)
    assert "2.0 s of the pictures have no sound" in track.misfit()
    result = heard(made)
    assert result.size == 3 * RATE
    assert np.abs(result[round(1.1 * RATE) :]).max() == 0
    assert np.abs(result[:RATE]).max() > 0.4


def test_long_sound_is_cut_and_told(tmp_path: Path) -> None:
    made = recording(tmp_path, tone(5.0), video_s=3.0)
    track = find_track(made)
    assert track is not None
    assert track.beyond_s == pytest.approx(2.0, abs=0.01)
    assert "2.0 s of sound outside the pictures were left out" in track.misfit()
    assert heard(made).size == 3 * RATE


def test_a_sound_file_without_sound_is_refused(tmp_path: Path) -> None:
    silent = recording(tmp_path / "a", None, video_s=1.0)
    with pytest.raises(MediaError, match="holds no sound"):
        find_track(Recording("v", "p", silent.video, silent.video))


def test_a_missing_sound_file_is_refused_by_name(tmp_path: Path) -> None:
    silent = recording(tmp_path, None, video_s=1.0)
    with pytest.raises(MediaError, match="does not exist"):
        find_track(Recording("v", "p", silent.video, tmp_path / "gone.wav"))


def cut(sound: Samples, sizes: list[int]) -> Iterator[Samples]:
    """Yield a sound in blocks of the given sizes, then the rest."""
    for size in sizes:
        yield sound[:size]
        sound = sound[size:]
    yield sound


lengths = st.integers(0, 400)
sizes = st.lists(st.integers(0, 120), max_size=6)


@given(lengths, sizes, st.sampled_from([2, 8, 64]))
def test_windows_that_change_nothing_change_nothing(length: int, blocks: list[int], window: int) -> None:
    sound = np.random.default_rng(length).uniform(-1, 1, length).astype(np.float32)
    seen = []

    def unchanged(samples: Samples) -> Samples:
        seen.append(samples.size)
        return samples.copy()

    result = np.concatenate([np.zeros(0), *overlap_added(cut(sound, blocks), unchanged, window)])
    np.testing.assert_allclose(result, sound, atol=1e-6)
    assert set(seen) <= {window}


def test_neighbouring_windows_fade_into_each_other() -> None:
    turns = iter([1.0, 0.0, 1.0, 0.0, 1.0, 0.0])

    def alternating(samples: Samples) -> Samples:
        return np.full(samples.size, next(turns), np.float32)

    result = np.concatenate(list(overlap_added([np.zeros(200, np.float32)], alternating, 100)))
    assert result.size == 200
    assert np.abs(np.diff(result)).max() < 0.04
    assert result.max() > 0.99
    assert result.min() < 0.01


@pytest.mark.parametrize("window", [0, -2, 7])
def test_an_odd_window_is_refused(window: int) -> None:
    with pytest.raises(ValueError, match="even and positive"):
        next(overlap_added([np.zeros(20, np.float32)], lambda samples: samples, window))


@given(lengths, sizes, st.sampled_from([1, 5, 48]), st.integers(0, 100))
def test_an_answer_that_is_late_comes_out_in_time(
    length: int, blocks: list[int], frame: int, delay: int
) -> None:
    sound = np.random.default_rng(length).uniform(-1, 1, length).astype(np.float32)
    memory = np.zeros(delay, np.float32)

    def late(samples: Samples) -> Samples:
        nonlocal memory
        memory = np.concatenate([memory, samples])
        answer, memory = memory[: samples.size], memory[samples.size :]
        return answer

    result = np.concatenate([np.zeros(0), *in_frames(cut(sound, blocks), late, frame, delay)])
    np.testing.assert_array_equal(result, sound)
