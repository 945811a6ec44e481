"""Read a window of a recording's sound, aligned with its pictures.

Sample ``i`` of a window belongs to the time ``start + i / rate`` after the first video frame, wherever
the sound track itself begins or ends; where it is silent or missing there are zeros.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

from semiology.data.media.probe import (
    MediaError,
    display_name,
    open_media,
    picture_tracks,
    sound_stream,
    timeline,
)
from semiology.data.media.user_data import is_tag

_LEAD_S = 0.25
"""Decoded before the window, s: AAC needs the frame before, a resampling filter its neighbours."""

_GAP_S = 0.02
"""Sound whose time stamp departs by more than this from the count of its samples starts a new stretch, s."""

_AGAIN = 3
"""So many frames in a row that are off by the same show that the clock is right and the count is not."""

_MOST_KEPT = 64 << 20
"""Sound that must be decoded from the start is kept for the next window up to this size, bytes."""

_SOUND_OF_FILMS = frozenset({"aac", "mp2", "mp3"})
_EXACT = {
    "mov": _SOUND_OF_FILMS | {"alac", "pcm"},
    "mpegts": _SOUND_OF_FILMS,
    "avi": frozenset({"pcm"}),
    "wav": frozenset({"pcm"}),
    "aiff": frozenset({"pcm"}),
}
"""Codecs by container, by FFmpeg's names, whose packets tell their times exactly and are decoded alike after a jump."""

_NOISY = frozenset({"aac"})
"""Codecs with exact times that draw noise, from a state that only the beginning gives: after a jump (in long files) the
noise is another, the sound the same."""

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
        stream = sound_stream(container)
        if stream is None:
            raise MediaError(
                f"{display_name(path)} has no sound track: leave its audio features out, or name a sound "
                "file in the column `audio` of recordings.csv"
            )
        zero_s, length_s = _extent(path, container, stream)
        begin, stop = start_s or 0.0, length_s if end_s is None else end_s
        if not (0 <= begin < stop and rate > 0):
            raise ValueError(
                f"no sound window from {begin} to {stop} s at {rate} Hz: it must start before it ends"
            )
        if 0 < length_s <= begin and not picture_tracks(container):
            raise MediaError(
                f"{display_name(path)} ends at {length_s:.2f} s: it holds no sound of {begin:.2f}-{stop:.2f} s; name "
                "the sound of the whole recording, or leave its audio features out"
            )
        channels = stream.layout.nb_channels
        codec = stream.codec_context.name
        exact = jumps_are_exact(container.format.name, codec)
        size = max(length_s, stop) * rate * channels * 4
        if (exact and codec not in _NOISY) or size > _MOST_KEPT:
            heard = _hear(container, stream, _Window(zero_s, begin, stop, exact), rate)
        else:
            state = path.stat()
            heard = _heard_whole(path, state.st_size, state.st_mtime_ns, zero_s, rate)
    for first_s, last_s in heard.damaged:
        if first_s < stop and last_s > begin:
            raise MediaError(
                f"{display_name(path)}: its sound is damaged near {max(first_s, begin):.2f} s; copy the file again, or "
                "leave its audio features out"
            )
    return _lay_out(
        heard.stretches, round(begin * rate), round(stop * rate), channels if channels <= most else 1
    )


def jumps_are_exact(container: str, codec: str) -> bool:
    """Return whether sound read after a jump into a file equals that read from its start.

    Elsewhere packets carry times that are rounded (Matroska, ASF, FLV) or guessed (AVI, MPEG programme streams), or
    the codec goes on from a state that only its beginning gives (ADPCM, Opus, the noise of AC-3).
    """
    family = "pcm" if codec.startswith("pcm_") else codec.removesuffix("float")
    return any(container.startswith(name) and family in codecs for name, codecs in _EXACT.items())


def is_silent(sound: NDArray[np.float32], threshold_dbfs: float = SILENCE_DBFS) -> bool:
    """Return whether the root-mean-square level of the samples lies below the threshold; empty is silent."""
    if sound.size == 0:
        return True
    level = float(np.sqrt(np.mean(np.square(sound, dtype=np.float64))))
    return level < 10 ** (threshold_dbfs / 20)


def _extent(path: Path, container: Any, stream: Any) -> tuple[float, float]:
    """Return the container's time of second 0, and the length of the recording, in s."""
    if picture_tracks(container):
        info = timeline(path).info
        return info.first_frame_s, info.duration_s
    zero_s = float((stream.start_time or 0) * stream.time_base)
    if stream.duration:
        return zero_s, float(stream.duration * stream.time_base)
    return zero_s, (container.duration or 0) / av.time_base


@dataclass(frozen=True)
class _Window:
    """What is wanted: the container's time of second 0, start and end in s after it, and whether to jump there."""

    zero_s: float
    start_s: float
    end_s: float
    jump: bool


@dataclass
class _Heard:
    """Stretches of resampled sound, each with the number of its first sample, and what could not be decoded, in s."""

    stretches: list[tuple[int, NDArray[np.float32]]] = field(default_factory=list)
    damaged: list[tuple[float, float]] = field(default_factory=list)


def _lay_out(
    stretches: Iterable[tuple[int, NDArray[np.float32]]], first: int, last: int, channels: int
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


@lru_cache(maxsize=2)
def _heard_whole(path: Path, size: int, changed_ns: int, zero_s: float, rate: int) -> _Heard:
    """Return all sound of a file that cannot be jumped into; windows of it mostly come one after the other."""
    with open_media(path, sound_only=True) as container:
        stream = sound_stream(container)
        return _hear(container, stream, _Window(zero_s, 0.0, math.inf, jump=False), rate)


def _hear(container: Any, stream: Any, window: _Window, rate: int) -> _Heard:
    """Decode and resample the sound of a window with a little around it."""
    heard = _Heard()
    decoded = _decoded(container, stream, window, heard.damaged)
    run: list[Any] = []
    expected = 0.0
    for time_s, frame in _clocked(decoded, float(stream.time_base)):
        length_s = frame.samples / frame.sample_rate
        if time_s + length_s < window.start_s - _LEAD_S:
            continue
        if run and (abs(time_s - expected) > 1e-6 or not _same_form(run[-1][1], frame)):
            heard.stretches.append(_resample(run, rate))
            run = []
        run.append((time_s, frame))
        expected = time_s + length_s
    if run:
        heard.stretches.append(_resample(run, rate))
    return heard


def _clocked(frames: Iterator[tuple[float | None, Any]], tick_s: float) -> Iterator[tuple[float, Any]]:
    """Yield frames with times that count their samples, begun anew where the file's own clock departs from that.

    It departs where it is off by more than a gap once, or by more than its ticks and as much again and again.
    """
    start, samples, before = 0.0, 0, None
    slack_s = max(2.01 * tick_s, 1e-4)
    off_s, times = 0.0, 0
    for time_s, frame in frames:
        counted = start + samples / frame.sample_rate
        now_s = 0.0 if time_s is None else time_s - counted
        times = times + 1 if abs(now_s) > slack_s and abs(now_s - off_s) < slack_s else 0
        off_s = now_s
        if before is None or not _same_form(before, frame) or abs(now_s) > _GAP_S or times >= _AGAIN:
            start, samples, times = counted + now_s, 0, 0
            counted = start
        yield counted, frame
        samples += frame.samples
        before = frame


def _decoded(
    container: Any, stream: Any, window: _Window, damaged: list[tuple[float, float]]
) -> Iterator[tuple[float | None, Any]]:
    """Yield (time in s after second 0, frame) of the sound up to the end of a window; note what is damaged.

    After a jump the first packets may be parts of one, and are passed over.
    """
    tick_s = float(stream.time_base)
    jumped = window.jump and window.start_s > 2 * _LEAD_S
    if jumped:
        ticks = int((window.zero_s + window.start_s - 2 * _LEAD_S) / tick_s)
        try:
            container.seek(ticks, stream=stream, backward=True)
        except av.FFmpegError:
            damaged.append((window.start_s, math.inf))
            return
    where = window.start_s if jumped else 0.0
    heard = False
    packets = container.demux(stream)
    while True:
        try:
            packet = next(packets, None)
        except av.FFmpegError:
            damaged.append((where, math.inf))
            return
        if packet is None:
            return
        if packet.pts is not None:
            where = packet.pts * tick_s - window.zero_s
        if where >= window.end_s + _LEAD_S:
            return
        if packet.size and is_tag(stream.codec_context.name, bytes(packet)):
            continue
        try:
            frames = packet.decode()
        except av.FFmpegError:
            if heard or not jumped:
                damaged.append((where, where + max((packet.duration or 0) * tick_s, _GAP_S)))
            continue
        for frame in frames:
            time_s = None if frame.time is None else frame.time - window.zero_s
            if frame.is_corrupt and (heard or not jumped):
                damaged.append((where, where + frame.samples / frame.sample_rate))
            heard = True
            yield time_s, frame


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
