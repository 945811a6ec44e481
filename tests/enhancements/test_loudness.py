"""Levels are those of known tones, and loudness is matched where it should be."""

from __future__ import annotations

import numpy as np
import pytest
from heard_recording import RATE, tone

from semiology.enhancements.sound.denoise import (
    MOST_GAIN_DB,
    PIECE_S,
    LevelMeter,
    is_silent,
    loud_and_erased,
    matching_gain_db,
)


def levels(sound: np.ndarray, cuts: tuple[int, ...] = ()) -> np.ndarray:
    meter = LevelMeter(RATE)
    for part in np.split(sound.astype(np.float32), cuts):
        meter.add(part)
    return meter.levels()


def test_a_sine_lies_three_decibels_below_its_peak() -> None:
    measured = levels(tone(2.0, peak=0.5))
    assert measured.shape == (round(2.0 / PIECE_S),)
    np.testing.assert_allclose(measured, 20 * np.log10(0.5) - 3.01, atol=0.05)


def test_blocks_do_not_matter_and_a_short_rest_counts() -> None:
    sound = np.concatenate([tone(1.0), np.zeros(1000), tone(0.3, peak=0.1)])
    np.testing.assert_allclose(levels(sound, (1, 7777, 7778, 20_000)), levels(sound))
    assert levels(sound).size == np.ceil(sound.size / (PIECE_S * RATE))


def test_the_peak_is_remembered() -> None:
    meter = LevelMeter(RATE)
    meter.add(np.array([0.1, -0.7], np.float32))
    meter.add(np.zeros(0, np.float32))
    assert meter.peak == pytest.approx(0.7)


def test_softer_sound_is_brought_back_but_not_beyond_the_limit() -> None:
    before = levels(tone(4.0))
    assert matching_gain_db(before, before - 3) == pytest.approx(3)
    assert matching_gain_db(before, before + 4) == pytest.approx(-4)
    assert matching_gain_db(before, before - 20) == MOST_GAIN_DB


def test_noise_that_was_removed_is_not_brought_back() -> None:
    voice = np.where(np.arange(20) % 2, -20.0, -90.0)
    before = np.maximum(voice, -25.0)
    assert matching_gain_db(before, voice) == pytest.approx(0)


def test_nothing_left_is_not_amplified() -> None:
    assert matching_gain_db(levels(tone(2.0)), np.full(5, -140.0)) == 0


def test_silence_is_told_from_one_loud_piece() -> None:
    assert is_silent(levels(np.zeros(RATE)))
    assert is_silent(np.zeros(0))
    assert not is_silent(levels(np.concatenate([np.zeros(4 * RATE), tone(0.4, peak=0.01)])))


def test_loud_pieces_that_vanish_are_counted() -> None:
    before = np.array([-60.0, -60, -60, -20, -22, -25, -70])
    after = np.array([-90.0, -90, -90, -21, -60, -36, -90])
    assert loud_and_erased(before, after) == (3, 1)
    assert loud_and_erased(np.zeros(0), np.zeros(0)) == (0, 0)
