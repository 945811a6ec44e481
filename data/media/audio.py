"""Read a window of a recording's sound, aligned with its pictures.

Sample ``i`` of a window belongs to the time ``start + i / rate`` after the first video frame, wherever
the sound track itself begins or ends; where it is silent or missing there are zeros.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

from semiology.data.media.probe import MediaError, display_name, open_media, picture_tracks, timeline

_LEAD_S = 0.25
"""Decoded before the window, s: AAC needs the frame before, a resampling filter its neighbours."""

_GAP_S = 0.02
"""Sound whose time stamp jumps by more than this starts a new stretch, s."""

SILENCE_DBFS = -60.0
"""Root-mean-square level, dB below full scale, under which a window counts as silent."""


def read_audio(
    path: Path, start_s: float | None = None, end_s: float | None = None, rate: int = 16_000
) -> NDArray[np.float32]:
    """Return one channel of sound between two times.

    Args:
        path: a video with sound, or a sound file (whose times count from its first sample).
        start_s: start of the window, s from the first video frame; None is 0.
        end_s: end of the window, s; None is the end of the pictures (of the sound in a sound file).
        rate: sampling rate of the result, Hz.

    Returns:
        float32 in [-1, 1], shape ``(round(end_s * rate) - round(start_s * rate),)``. Several channels are
        averaged, without the low-frequency channel of surround sound, so that none can clip.

    Raises:
        MediaError: the file cannot be used or has no sound track, or the sound is damaged.
        ValueError: the window is empty or negative, or the rate is not above 0.
    """
    return np.asarray(read_channels(path, start_s, end_s, rate, most=1)[0])


def read_channels(
    path: Path, start_s: float | None, end_s: float | None, rate: int, most: int
) -> NDArray[np.float32]:
    """Return sound as `read_audio` does, shape (channels, samples); beyond ``most`` they become one."""
    path = Path(path)
    with open_media(path, sound_only=True) as container:
        if not container.streams.audio:
            raise MediaError(
                f"{display_name(path)} has no sound track: leave its audio features out, or name a sound "
                "file in the column `audio` of recordings.csv"
            )
        zero_s, length_s = _extent(path, container)
        begin, stop = start_s or 0.0, length_s if end_s is None else end_s
        if not (0 <= begin < stop and rate > 0):
            raise ValueError(
                f"no sound window from {begin} to {stop} s at {rate} Hz: it must start before it ends"
            )
        channels = container.streams.audio[0].layout.nb_channels
        stretches = _stretches(path, container, zero_s, begin, stop, rate)
        return _lay_out(
            stretches, round(begin * rate), round(stop * rate), channels if channels <= most else 1
        )


def is_silent(sound: NDArray[np.float32], threshold_dbfs: float = SILENCE_DBFS) -> bool:
    """Return whether the root-mean-square level of the samples lies below the threshold; empty is silent."""
    if sound.size == 0:
        return True
    level = float(np.sqrt(np.mean(np.square(sound, dtype=np.float64))))
    return level < 10 ** (threshold_dbfs / 20)


def _extent(path: Path, container: Any) -> tuple[float, float]:
    """Return the container's time of second 0, and the length of the recording, in s."""
    if picture_tracks(container):
        info = timeline(path).info
        return info.first_frame_s, info.duration_s
    stream = container.streams.audio[0]
    zero_s = float((stream.start_time or 0) * stream.time_base)
    if stream.duration:
        return zero_s, float(stream.duration * stream.time_base)
    return zero_s, (container.duration or 0) / av.time_base


def _lay_out(
    stretches: Iterator[tuple[int, NDArray[np.float32]]], first: int, last: int, channels: int
) -> NDArray[np.float32]:
    """Copy stretches, each with the number of its first sample, into the samples ``first`` to ``last``."""
    result = np.zeros((channels, last - first), np.float32)
    for position, samples in stretches:
        start, stop = max(position, first), min(position + samples.shape[1], last)
        if samples.shape[0] != channels:
            samples = samples.mean(axis=0, keepdims=True)
        if start < stop:
            result[:, start - first : stop - first] = samples[:, start - position : stop - position]
    return np.clip(result, -1.0, 1.0)


def _stretches(
    path: Path, container: Any, zero_s: float, start_s: float, end_s: float, rate: int
) -> Iterator[tuple[int, NDArray[np.float32]]]:
    """Yield (number of the first sample, samples) of each stretch of resampled sound."""
    run: list[Any] = []
    expected = 0.0
    for time_s, frame in _decoded(path, container, zero_s, start_s, end_s):
        if run and (abs(time_s - expected) > _GAP_S or not _same_form(run[-1][1], frame)):
            yield _resample(run, rate)
            run = []
        run.append((time_s, frame))
        expected = time_s + frame.samples / frame.sample_rate
    if run:
        yield _resample(run, rate)


def _decoded(
    path: Path, container: Any, zero_s: float, start_s: float, end_s: float
) -> Iterator[tuple[float, Any]]:
    """Yield (time in s after second 0, frame) of the sound, with a little around the window."""
    stream = container.streams.audio[0]
    where = start_s
    try:
        if start_s > 2 * _LEAD_S:
            ticks = int((zero_s + start_s - 2 * _LEAD_S) / float(stream.time_base))
            container.seek(ticks, stream=stream, backward=True)
        for frame in container.decode(stream):
            where = where if frame.time is None else frame.time - zero_s
            if where >= end_s + _LEAD_S:
                return
            if where + frame.samples / frame.sample_rate >= start_s - _LEAD_S:
                yield where, frame
    except av.FFmpegError:
        raise MediaError(
            f"{display_name(path)}: its sound is damaged near {where:.2f} s; copy the file again, or "
            "leave its audio features out"
        ) from None


def _same_form(one: Any, other: Any) -> bool:
    return bool(
        one.sample_rate == other.sample_rate
        and one.layout.name == other.layout.name
        and one.format.name == other.format.name
    )


def _resample(run: list[Any], rate: int) -> tuple[int, NDArray[np.float32]]:
    """Return (number of the first sample, samples) of adjoining frames, without low-frequency channels.

    The stretch is begun at a time that both rates have a sample at, so that windows cut anywhere agree.
    """
    time_s, first = run[0]
    common = first.sample_rate // math.gcd(first.sample_rate, rate)
    number = round(time_s * first.sample_rate)
    resampler = av.AudioResampler(format="fltp", layout=first.layout, rate=rate)
    frames = ([_quiet(first, number % common)] if number % common else []) + [frame for _, frame in run]
    blocks = []
    for frame in [*frames, None]:
        if frame is not None:
            frame.pts = None
        blocks += [block.to_ndarray() for block in resampler.resample(frame)]
    sound = np.concatenate(blocks, axis=1)
    heard = [
        place for place, channel in enumerate(first.layout.channels) if channel.name not in ("LFE", "LFE2")
    ]
    return number // common * common * rate // first.sample_rate, sound[heard] if heard else sound


def _quiet(like: Any, samples: int) -> Any:
    frame = av.AudioFrame(format=like.format.name, layout=like.layout.name, samples=samples)
    frame.sample_rate, frame.time_base = like.sample_rate, like.time_base
    for plane in frame.planes:
        plane.update((b"\x80" if like.format.name.startswith("u8") else b"\0") * plane.buffer_size)
    return frame
