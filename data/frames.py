"""Read the frames that a recording shows at given times, upright and by their true time stamps.

PyAV decodes them: unlike a reader by frame number it needs no even spacing, and it reports a damaged
frame instead of repeating its neighbour.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

from semiology.data.media import MediaError, Timeline, display_name, open_media, timeline, video_stream

TOLERANCE_S = 1e-4
"""A frame this much later than asked counts as shown, s: 1/3 s is not exact in any container."""

_INDEXED = ("mov", "avi", "matroska")
_SEEK_MARGIN_S = 2.0
"""Containers that seek to a key frame exactly; others are sent this much before it, s."""


def read_frames(path: Path, times_s: Sequence[float] | NDArray[np.float64]) -> NDArray[np.uint8]:
    """Return the frames on show at the given times, in the order asked.

    Args:
        path: a video file.
        times_s: seconds from the first frame, in any order, repeats allowed.

    Returns:
        RGB pictures, uint8, shape (len(times_s), height, width, 3), rotated as the file asks.

    Raises:
        MediaError: the file cannot be used, a time lies outside it, or a frame is damaged.
    """
    times = np.asarray(times_s, dtype=np.float64)
    line = timeline(path)
    pictures = np.empty((times.size, line.info.height, line.info.width, 3), np.uint8)
    order = np.argsort(times, kind="stable")
    for place, frame in zip(order, frames_at(path, times[order]), strict=True):
        pictures[place] = upright(frame.to_ndarray(format="rgb24"), line.info.rotation)
    return pictures


def upright(picture: NDArray[np.uint8], rotation: int) -> NDArray[np.uint8]:
    """Turn a picture of shape (height, width, 3) clockwise by 0, 90, 180 or 270 degrees."""
    return np.rot90(picture, k=-rotation // 90)


def frames_at(path: Path, times_s: NDArray[np.float64]) -> Iterator[Any]:
    """Yield the frame on show at each of the ascending times, as stored (not rotated).

    Yields:
        `av.VideoFrame`; the same object again where a frame is still on show.

    Raises:
        MediaError: the file cannot be used, a time lies outside it, or a frame is damaged.
    """
    line = timeline(path)
    wanted = _frame_numbers(path, line, times_s)
    with open_media(path) as container:
        stream = video_stream(container, path)
        stream.thread_type = "AUTO"
        if stream.codec_context.name in ("h264", "hevc"):
            # Without this the decoder paints over damage from neighbouring frames and says nothing.
            stream.codec_context.options = {"err_detect": "explode"}
        yield from _walk(path, container, stream, line, wanted)


def _frame_numbers(path: Path, line: Timeline, times_s: NDArray[np.float64]) -> NDArray[np.int64]:
    outside = (
        (times_s < -TOLERANCE_S) | (times_s > line.info.duration_s + TOLERANCE_S) | ~np.isfinite(times_s)
    )
    if outside.any():
        raise MediaError(
            f"{display_name(path)} lasts {line.info.duration_s:.2f} s; there is no frame at "
            f"{times_s[outside][0]:.2f} s"
        )
    found = np.searchsorted(line.times_s, times_s + _tolerance(line), side="right") - 1
    return np.maximum(found, 0).astype(np.int64)


def _tolerance(line: Timeline) -> float:
    """Return how much later than asked a frame may come: milliseconds are rounded by half a tick."""
    return max(TOLERANCE_S, min(6e-4, 0.1 / line.info.fps))


def _walk(
    path: Path, container: Any, stream: Any, line: Timeline, wanted: NDArray[np.int64]
) -> Iterator[Any]:
    position, shown = -1, None
    decoded: Iterator[tuple[int, Any]] = iter(())
    for number in wanted:
        start = _restart(line, position, int(number))
        if start is not None:
            decoded, position = _decode_from(path, container, stream, line, start), -1
        while position < number:
            position, shown = next(decoded, (len(line.ticks), None))
        if position != number or shown is None or shown.is_corrupt:
            raise _damaged(path, float(line.times_s[number]))
        yield shown


def _restart(line: Timeline, position: int, number: int) -> float | None:
    """Return the time to seek to before decoding frame ``number``, or None to go on from ``position``."""
    if position < 0 and (line.info.reordered or number == 0):
        return 0.0
    if line.info.reordered or position == number:
        return None
    before = line.keyframes_s[line.keyframes_s <= line.times_s[number]]
    start = float(before[-1]) if before.size else 0.0
    return start if position < 0 or start > line.times_s[position] else None


def _decode_from(
    path: Path, container: Any, stream: Any, line: Timeline, start_s: float
) -> Iterator[tuple[int, Any]]:
    """Yield (number, frame) from the key frame at ``start_s`` on."""
    where = start_s
    try:
        if start_s > 0:
            margin = 0.0 if line.info.container.startswith(_INDEXED) else _SEEK_MARGIN_S
            ticks = round(max(0.0, start_s - margin) / float(stream.time_base))
            container.seek(int(line.ticks[0]) + ticks, stream=stream, backward=True)
        for count, frame in enumerate(container.decode(stream)):
            number = count if line.info.reordered else _number_of(line, frame)
            if number is None:
                continue
            where = float(line.times_s[min(number, line.times_s.size - 1)])
            yield number, frame
    except av.FFmpegError:
        raise _damaged(path, where) from None


def _number_of(line: Timeline, frame: Any) -> int | None:
    """Return the number of a decoded frame by its time stamp, None for one that an edit list hides."""
    if frame.pts is None or frame.pts < line.ticks[0]:
        return None
    return int(np.searchsorted(line.ticks, frame.pts, side="right")) - 1


def _damaged(path: Path, time_s: float) -> MediaError:
    return MediaError(
        f"{display_name(path)} is damaged near {time_s:.2f} s: that frame cannot be decoded; copy the file "
        "again, or leave the recording out"
    )
