"""Sound that goes through in pieces comes out whole, in time and without seams."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from semiology.enhancements.sound.track import Samples, in_frames, overlap_added


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
