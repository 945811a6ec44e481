from __future__ import annotations

import wave
from pathlib import Path

import numpy as np
import pytest
from media_zoo import TONE_HZ, TONE_STEP_HZ, MediaZoo, tone

from semiology.data.media.audio import is_silent, read_audio
from semiology.data.media.probe import MediaError

RATE = 16_000


def second_of(sound: np.ndarray, rate: int = RATE) -> int:
    """Read from its pitch which second of the tone track a stretch belongs to."""
    spectrum = np.abs(np.fft.rfft(sound * np.hanning(sound.size)))
    return round((float(spectrum.argmax()) * rate / sound.size - TONE_HZ) / TONE_STEP_HZ)


@pytest.mark.parametrize(
    ("name", "first"),
    [
        ("even.mp4", 0), ("even.mov", 0), ("even.mkv", 0), ("even.avi", 0), ("even.ts", 0),
        ("reordered.avi", 0), ("fragmented.mp4", 0), ("stereo.mp4", 0), ("surround.mp4", 0),
        ("slowing.mp4", 0), ("late.mp4", 1), ("late.mkv", 1),
    ],
)  # fmt: skip
def test_sound_belongs_to_the_picture_of_the_same_time(zoo: MediaZoo, name: str, first: int) -> None:
    for second in range(3):
        sound = read_audio(zoo[name], second, second + 1)
        assert second_of(sound[1600:-1600]) == first + second
        assert np.sqrt(np.mean(sound**2)) == pytest.approx(0.4 / np.sqrt(2), rel=0.05)


@pytest.mark.parametrize("name", ["even.mp4", "even.mkv", "even.avi", "even.ts", "fragmented.mp4"])
@pytest.mark.parametrize("start", [0.25, 1.25])
def test_sound_is_aligned_to_the_sample(zoo: MediaZoo, name: str, start: float) -> None:
    sound, true = read_audio(zoo[name], start, start + 0.5), tone(3, RATE, 1)[0]
    first = round(start * RATE)
    fits = {lag: float(np.dot(true[first + lag :][: sound.size], sound)) for lag in range(-12, 13)}
    assert max(fits, key=lambda lag: fits[lag]) == 0


@pytest.mark.parametrize(
    ("start", "end"), [(0.0, 3.0), (0.1, 0.2), (1 / 3, 2 / 3), (0.12345, 2.34567), (2.9, 3.5)]
)
@pytest.mark.parametrize("rate", [8_000, 16_000, 44_100])
def test_the_number_of_samples_is_exact(zoo: MediaZoo, start: float, end: float, rate: int) -> None:
    sound = read_audio(zoo["even.mp4"], start, end, rate)
    assert sound.shape == (round(end * rate) - round(start * rate),)
    assert sound.dtype == np.float32


def test_neighbouring_windows_join_without_a_seam(zoo: MediaZoo) -> None:
    whole = read_audio(zoo["stereo.mp4"], 0.0, 3.0)
    parts = [read_audio(zoo["stereo.mp4"], k * 0.3, (k + 1) * 0.3) for k in range(10)]
    joined = np.concatenate(parts)
    assert joined.shape == whole.shape
    np.testing.assert_allclose(joined, whole, atol=2e-3)


def test_without_times_the_sound_lasts_as_long_as_the_pictures(zoo: MediaZoo) -> None:
    assert read_audio(zoo["even.mp4"]).shape == (3 * RATE,)
    assert read_audio(zoo["long_sound.mp4"]).shape == (2 * RATE,)
    assert read_audio(zoo["short_sound.mp4"]).shape == (4 * RATE,)


def test_sound_that_starts_late_and_ends_early_is_surrounded_by_silence(zoo: MediaZoo) -> None:
    sound = read_audio(zoo["short_sound.mp4"])
    assert is_silent(sound[: int(0.9 * RATE)])
    assert second_of(sound[int(1.1 * RATE) : int(1.9 * RATE)]) == 1
    assert second_of(sound[int(2.1 * RATE) : int(2.4 * RATE)]) == 2
    assert is_silent(sound[int(2.7 * RATE) :])
    assert is_silent(read_audio(zoo["short_sound.mp4"], 3.0, 4.0))


def test_a_sound_file_is_read_from_its_first_sample(zoo: MediaZoo, tmp_path: Path) -> None:
    assert second_of(read_audio(zoo["sound_only.mp4"], 1.1, 1.9)) == 1
    path = tmp_path / "voice.wav"
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8_000)
        file.writeframes((tone(2, 8_000, 1)[0] * 32_767).astype("<i2").tobytes())
    assert read_audio(path).shape == (2 * RATE,)
    assert second_of(read_audio(path, 1.1, 1.9)) == 1


def test_loud_surround_sound_is_not_clipped(zoo: MediaZoo) -> None:
    assert float(np.abs(read_audio(zoo["surround.mp4"], 0.5, 1.5)).max()) < 0.5


def test_a_video_without_sound_track_says_so(zoo: MediaZoo) -> None:
    with pytest.raises(MediaError, match=r"silent\.mp4 has no sound track"):
        read_audio(zoo["silent.mp4"], 0.0, 1.0)


@pytest.mark.parametrize(
    ("start", "end", "rate"), [(1.0, 1.0, RATE), (2.0, 1.0, RATE), (-1.0, 1.0, RATE), (0.0, 1.0, 0)]
)
def test_impossible_windows_are_refused(zoo: MediaZoo, start: float, end: float, rate: int) -> None:
    with pytest.raises(ValueError, match="window"):
        read_audio(zoo["even.mp4"], start, end, rate)


@pytest.mark.parametrize("name", ["empty.mp4", "text.mp4", "playlist.mp4"])
def test_files_that_are_no_media_are_refused(zoo: MediaZoo, name: str) -> None:
    with pytest.raises(MediaError, match=name):
        read_audio(zoo[name])


def test_silence_is_told_from_a_quiet_voice() -> None:
    noise = np.random.default_rng(0).normal(size=RATE).astype(np.float32)
    assert is_silent(noise * np.float32(1e-4))
    assert not is_silent(noise * np.float32(1e-2))
    assert is_silent(np.zeros(0, np.float32))
