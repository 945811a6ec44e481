"""The sound of a recording is found wherever it is, and lies on the clock of the pictures."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from heard_recording import RATE, recording, tone

from semiology.data.media.audio import read_audio
from semiology.data.media.probe import MediaError
from semiology.data.recording_set import Recording
from semiology.enhancements.sound.track import blocks, find_track


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
