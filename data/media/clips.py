"""Cut segments into files of their own, for models that cannot take a start and an end time.

A clip shows, at every sampled time, the frame that the recording shows at that time; its frames are
evenly spaced and upright, so that any reader finds them. Clips are stored under a name made from the
recording's content and the cut, so that each is made once and never outlives a change of either.
"""

from __future__ import annotations

import hashlib
import json
import math
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

from semiology.data.cache import content_digest, private_folder, written_whole
from semiology.data.media.audio import read_channels
from semiology.data.media.copy_check import check_film
from semiology.data.media.encoding import EVEN, MP4_OPTIONS, aac_packets, aac_rate, add_aac, upright_graph
from semiology.data.media.frames import frames_at
from semiology.data.media.picture_width import readable_size
from semiology.data.media.probe import MediaError, MediaInfo, display_name, open_media, timeline, video_stream

CODE_VERSION = 2
"""Part of every clip's name; to be raised when the cutting changes."""

MAX_FPS = 60.0
"""Highest frame rate given to a clip whose recording's rate varies, frames per s."""

_QUALITY = {"crf": "16", "preset": "veryfast", "bf": "0", "g": "30"}
_TOLERANCE_S = 1e-6


def clip(
    video: Path,
    segment_start_s: float,
    segment_end_s: float,
    fps: float | None,
    cache: Path,
) -> Path:
    """Return an MP4 that holds one window of a recording, cutting it unless it is in the cache.

    The clip is H.264 (yuv420p) with AAC sound if the recording has any, evenly spaced frames, upright, and
    without the recording's metadata. Frame ``i`` is the one on show at ``segment_start_s + i / fps``. Pictures
    too narrow for decord are made larger (`semiology.data.media.picture_width.readable_size`).

    Args:
        video: the recording.
        segment_start_s: start of the window, s from the recording's first frame.
        segment_end_s: end of the window, s.
        fps: frames per s of the clip; None keeps the recording's rate.
        cache: folder for clips; made readable for its owner alone.

    Raises:
        MediaError: the recording cannot be used, is damaged inside the window, or ends before it.
        ValueError: the window is empty, or a parameter is not above 0.
    """
    video = Path(video)
    line = timeline(video)
    _check_window(video, line.info, segment_start_s, segment_end_s, fps)
    rate = Fraction(fps).limit_denominator(1001) if fps else own_rate(line.info, line.times_s)
    private_folder(cache)
    target = cache / f"{_key(video, cache, segment_start_s, segment_end_s, rate)}.mp4"
    if not target.exists():
        with written_whole(target) as unfinished:
            _cut(video, line.info, segment_start_s, segment_end_s, rate, unfinished)
    return target


def clip_times(start_s: float, end_s: float, rate: Fraction) -> NDArray[np.float64]:
    """Return the times in the recording of a clip's frames, s, shape (frames,)."""
    count = max(1, math.ceil((end_s - start_s - _TOLERANCE_S) * rate))
    return start_s + np.arange(count) / float(rate)


def _check_window(video: Path, info: MediaInfo, start_s: float, end_s: float, fps: float | None) -> None:
    if not (0 <= start_s < end_s and math.isfinite(end_s)):
        raise ValueError(f"no window from {start_s} to {end_s} s: it must start at 0 or later and end later")
    if fps is not None and not (0 < fps < math.inf):
        raise ValueError(f"fps must be above 0, not {fps}")
    if start_s >= info.duration_s or end_s > info.duration_s + 1e-3:
        raise MediaError(
            f"{display_name(video)} lasts {info.duration_s:.2f} s and holds no window "
            f"{start_s:.2f}-{end_s:.2f} s: check the segment's times"
        )


def own_rate(info: MediaInfo, times_s: NDArray[np.float64]) -> Fraction:
    """Return the rate of clips that keep the recording's, frames per s; where it varies, that of its usual spacing.

    ``times_s`` are the true times of its frames, s. A rate that varies gives at most `MAX_FPS`.
    """
    rate = info.fps
    if info.variable_frame_rate:
        usual = 1 / max(1e-3, float(np.median(np.diff(times_s))))
        # Time stamps in milliseconds make 30 look like 29.4; the rate that the file names is then meant.
        named = abs(info.index_fps - usual) < 0.05 * usual
        rate = min(MAX_FPS, max(info.fps, info.index_fps if named else usual))
    return Fraction(rate).limit_denominator(1001)


def _key(video: Path, cache: Path, start_s: float, end_s: float, rate: Fraction) -> str:
    recipe = {
        "content": content_digest(video, cache),
        "start": f"{start_s:.6f}",
        "end": f"{end_s:.6f}",
        "rate": str(rate),
        "longest_side": None,  # stands in the names of clips that are cut already
        "quality": _QUALITY,
        "version": CODE_VERSION,
    }
    return hashlib.sha256(json.dumps(recipe, sort_keys=True).encode()).hexdigest()


def _cut(
    video: Path,
    info: MediaInfo,
    start_s: float,
    end_s: float,
    rate: Fraction,
    out: Path,
) -> None:
    times = clip_times(start_s, end_s, rate)
    with av.open(str(out), "w", format="mp4", container_options=MP4_OPTIONS) as container:
        stream = container.add_stream("libx264", rate=rate, options=_QUALITY)
        stream.pix_fmt = "yuv420p"
        stream.codec_context.time_base = 1 / rate
        audio, sound = _sound(video, info, start_s, end_s, container)
        graph = None
        for number, frame in enumerate(frames_at(video, times)):
            if graph is None:
                graph = _graph(video, info)
            shown = _through(graph, frame, video)
            if number == 0:  # the clip has the size and the colour coding of its first picture
                stream.width, stream.height = shown.width, shown.height
                stream.codec_context.colorspace = shown.colorspace
                stream.codec_context.color_range = shown.color_range
            shown.pts, shown.time_base, shown.pict_type = number, 1 / rate, 0
            container.mux(stream.encode(shown))
        container.mux(stream.encode(None))
        if audio is not None:
            for _, packets in aac_packets(audio, sound):
                container.mux(packets)
            container.mux(audio.encode(None))
    check_film(out, times, None if audio is None else (audio.rate, sound.shape[1] / audio.rate))


def _graph(video: Path, info: MediaInfo) -> Any:
    """Return the filters that turn a picture upright, make its size even, and scale it for decord."""
    filters = [EVEN, ("format", "yuv420p")]
    width, height = readable_size(info.width, info.height)
    if width > info.width + 1:
        filters.insert(1, ("scale", f"{width}:{height}:flags=bicubic"))
    with open_media(video) as container:
        return upright_graph(video_stream(container, video), info.rotation, filters)


def _through(graph: Any, frame: Any, video: Path) -> Any:
    try:
        graph.push(frame)
        return graph.pull()
    except av.FFmpegError:
        raise MediaError(
            f"{display_name(video)} changes its picture size or format midway: "
            "export it again as one MP4 (H.264)"
        ) from None


def _sound(
    video: Path, info: MediaInfo, start_s: float, end_s: float, container: Any
) -> tuple[Any, NDArray[np.float32]]:
    """Return a new track for the window's sound, None without sound, and the sound, (1 or 2, samples)."""
    if not info.has_audio:
        return None, np.zeros((0, 0), np.float32)
    rate = aac_rate(info)
    sound = read_channels(video, start_s, end_s, rate, most=2)
    return add_aac(container, rate, len(sound)), sound
