"""Run sound of any length through what takes it in pieces, without seams and without holding it all."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import chain

import numpy as np
from numpy.typing import NDArray

Samples = NDArray[np.float32]


def overlap_added(
    blocks: Iterable[Samples], enhance: Callable[[Samples], Samples], window: int
) -> Iterator[Samples]:
    """Enhance sound in windows that overlap by half and fade into each other.

    Each window is weighted with a periodic Hann window afterwards; two neighbours' weights add up to 1 at
    every sample, the first and the last included, so that an ``enhance`` that changes nothing changes
    nothing here.

    Args:
        blocks: consecutive blocks of samples, shape (samples,), of any lengths.
        enhance: makes ``window`` samples out of ``window`` samples.
        window: even number of samples.

    Yields:
        Consecutive enhanced samples, as many altogether as came in, in time with them.

    Raises:
        ValueError: the window is odd or not positive.
    """
    if window <= 0 or window % 2:
        raise ValueError(f"a window of {window} samples cannot overlap by half: make it even and positive")
    hop = window // 2
    fade = (0.5 - 0.5 * np.cos(2 * np.pi * np.arange(window) / window)).astype(np.float32)
    waiting, tail = np.zeros(hop, np.float32), np.zeros(hop, np.float32)
    taken, at = 0, -hop
    for samples in chain(blocks, [None]):
        taken += 0 if samples is None else samples.size
        waiting = np.concatenate([waiting, np.zeros(window, np.float32) if samples is None else samples])
        while waiting.size >= window and at < taken:
            enhanced = enhance(waiting[:window]) * fade
            ready = tail + enhanced[:hop]
            tail, waiting = enhanced[hop:], waiting[hop:]
            if at >= 0:
                yield ready[: taken - at]
            at += hop


def in_frames(
    blocks: Iterable[Samples], process: Callable[[Samples], Samples], frame: int, delay: int
) -> Iterator[Samples]:
    """Enhance sound with something that remembers what it heard, and answers frame by frame and late.

    Args:
        blocks: consecutive blocks of samples, shape (samples,), of any lengths.
        process: makes the next ``frame`` samples out of ``frame`` samples; its answer lags by ``delay``.
        frame: samples at a time.
        delay: samples by which what comes out is late.

    Yields:
        Consecutive enhanced samples, as many altogether as came in, in time with them.
    """
    waiting = np.zeros(0, np.float32)
    taken, at = 0, -delay
    for samples in chain(blocks, [None]):
        taken += 0 if samples is None else samples.size
        waiting = np.concatenate(
            [waiting, np.zeros(delay + frame, np.float32) if samples is None else samples]
        )
        whole = waiting.size // frame * frame
        if not whole:
            continue
        ready = np.concatenate([process(waiting[first : first + frame]) for first in range(0, whole, frame)])
        waiting = waiting[whole:]
        kept = ready[max(0, -at) : max(0, taken - at)]
        at += whole
        if kept.size:
            yield kept
