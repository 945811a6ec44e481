"""Read the frames that a recording shows at given times, upright and by their true time stamps.

PyAV decodes them: unlike a reader by frame number it needs no even spacing, and it reports a damaged frame instead of
repeating its neighbour. FFmpeg's filter graph converts them to RGB, as in decord: it follows the colour coding that
the file names (HD cameras code colours otherwise than older ones), which PyAV's own ``to_ndarray`` leaves out.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

from semiology.data.media.probe import (
    MediaError,
    MediaInfo,
    Timeline,
    display_name,
    open_media,
    timeline,
    video_stream,
)

TOLERANCE_S = 1e-4
"""A frame this much later than asked counts as shown, s: 1/3 s is not exact in any container."""

_INDEXED = ("mov", "avi", "matroska")
_SEEK_MARGIN_S = 2.0
"""Containers that seek to a key frame exactly; others are sent this much before it, s."""

_EVERY_PACKET_SHOWN = frozenset(
    {
        "h264",
        "hevc",
        "mpeg4",
        "mpeg1video",
        "mpeg2video",
        "h263",
        "flv",
        "msmpeg4v2",
        "msmpeg4v3",
        "wmv1",
        "wmv2",
    }
)
"""Codecs whose every packet is a picture, so that a number left out by the decoder is a picture lost."""

_RECOVERS = 300
"""Frames after damage without a key frame from which on pictures are believed again: gradual refresh has none."""

_WORTH_A_JUMP = 30
"""A key frame at least this many frames ahead is jumped to; before that decoding on is as quick."""


def read_frames(path: Path, times_s: Sequence[float] | NDArray[np.float64]) -> NDArray[np.uint8]:
    """Return the frames on show at the given times, s from the first frame, in any order, repeats allowed.

    Returns:
        RGB pictures, uint8, shape (len(times_s), height, width, 3), in the order asked, rotated as the file asks.

    Raises:
        MediaError: the file cannot be used, a time lies outside it, or a frame is damaged.
    """
    times = np.asarray(times_s, dtype=np.float64)
    line = timeline(path)
    pictures = np.empty((times.size, line.info.height, line.info.width, 3), np.uint8)
    order = np.argsort(times, kind="stable")
    converter = RgbConverter(path, line.info)
    for place, frame in zip(order, frames_at(path, times[order]), strict=True):
        pictures[place] = converter.picture(frame)
    return pictures


def frames_at(path: Path, times_s: NDArray[np.float64]) -> Iterator[Any]:
    """Yield the `av.VideoFrame` on show at each of the ascending times, as stored (not rotated).

    The same object comes again where a frame is still on show.

    Raises:
        MediaError: the file cannot be used, a time lies outside it, or a frame is damaged.
    """
    line = timeline(path)
    wanted = frame_numbers(path, line, times_s)
    with closing(Decoder(path, line)) as decoder:
        for number in wanted:
            yield decoder.frame(int(number))


def frame_numbers(path: Path, line: Timeline, times_s: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return the numbers, counted from 0 in the order shown, of the frames on show at the given times.

    Raises:
        MediaError: a time lies outside the recording.
    """
    outside = (
        (times_s < -TOLERANCE_S) | (times_s > line.info.duration_s + TOLERANCE_S) | ~np.isfinite(times_s)
    )
    if outside.any():
        raise MediaError(
            f"{display_name(path)} lasts {line.info.duration_s:.2f} s; there is no frame at "
            f"{times_s[outside][0]:.2f} s"
        )
    for span in line.info.damaged_s:
        hit = (times_s > span[0] - TOLERANCE_S) & (times_s < span[1] - TOLERANCE_S)
        if hit.any():
            raise _damaged(path, float(times_s[hit][0]))
    # A frame may come later than asked by as much as rounding to milliseconds makes of it: half a tick.
    late_s = max(TOLERANCE_S, min(6e-4, 0.1 / line.info.fps))
    found = np.searchsorted(line.times_s, times_s + late_s, side="right") - 1
    return np.maximum(found, 0).astype(np.int64)


@dataclass
class DecodeCounts:
    """What reading a recording took.

    Attributes:
        opens: how often the file was opened to decode it; 1 unless a damaged part had to be tried again.
        jumps: how often decoding went on from another key frame instead of from the next frame.
        decoded: frames that came out of the decoder.
        delivered: frames handed out, each counted once however many windows it belongs to.
    """

    opens: int = 0
    jumps: int = 0
    decoded: int = 0
    delivered: int = 0


class Decoder:
    """Decodes frames by number, onwards where that is near and from a key frame where it is not.

    Asked for ascending numbers it reads a file once from front to back and leaps over long parts that
    nobody wants.
    """

    def __init__(self, path: Path, line: Timeline, counts: DecodeCounts | None = None) -> None:
        self._path, self._line = path, line
        self._counts = counts or DecodeCounts()
        self._keys = np.searchsorted(line.times_s, line.keyframes_s)
        self._position, self._shown = -1, None
        self._ranks = np.searchsorted(np.unique(line.ticks), line.ticks)
        self._broken = self._counts_frames = False
        self._decoded: Iterator[tuple[int, Any]] = iter(())
        self._open_file = ExitStack()
        self._container: Any = None

    def close(self) -> None:
        """Close the file."""
        self._open_file.close()

    def frame(self, number: int) -> Any:
        """Return frame ``number``, an `av.VideoFrame` as stored (not rotated).

        A key frame from which the decoder does not reach it is no proof of damage (open groups of
        pictures, gradual refresh): earlier ones and the start of the file are tried before giving up.

        Raises:
            MediaError: the frame cannot be decoded; others still can be.
        """
        if self._position == number and self._shown is not None and not self._broken:
            return self._shown
        for key in self._starts(number):
            try:
                if key is not None:
                    self._restart(key)
                while self._position < number:
                    self._position, self._shown = next(self._decoded, (self._line.ticks.size, None))
            except av.FFmpegError:
                self._position, self._shown = self._line.ticks.size, None
            if self._position == number and self._shown is not None and not self._broken:
                return self._shown
        raise _damaged(self._path, float(self._line.times_s[number]))

    def _starts(self, number: int) -> list[int | None]:
        """Return where to start decoding, best first: None to go on, or the number of a key frame."""
        nearest = int(np.searchsorted(self._keys, number, side="right")) - 1
        if self._line.info.reordered or nearest < 0:
            return [None, 0] if 0 <= self._position < number else [0]
        earlier = [int(self._keys[nearest - back]) for back in (0, 1, 4) if nearest - back >= 0]
        starts: list[int | None] = [*dict.fromkeys([*earlier, 0])]
        near = 0 <= self._position < number and earlier[0] - self._position <= _WORTH_A_JUMP
        return [None, *starts] if near else starts

    def _restart(self, key: int) -> None:
        """Begin to decode at a key frame; the start of a file is reached by opening it."""
        if key == 0 or self._container is None:
            self._open()
        container, stream = self._container, video_stream(self._container, self._path)
        if key > 0:
            margin = 0.0 if self._line.info.container.startswith(_INDEXED) else _SEEK_MARGIN_S
            early = round(margin / float(stream.time_base))
            container.seek(int(self._line.ticks[key]) - early, stream=stream, backward=True)
            self._counts.jumps += 1
        self._position, self._shown = -1, None
        self._broken, self._counts_frames = False, stream.codec_context.name in _EVERY_PACKET_SHOWN
        self._decoded = self._numbered(container.decode(stream), key)

    def _open(self) -> None:
        self._container = None
        self._open_file.close()
        self._container = self._open_file.enter_context(open_media(self._path))
        self._counts.opens += 1
        stream = video_stream(self._container, self._path)
        stream.thread_type = "AUTO"
        if stream.codec_context.name in ("h264", "hevc") and not self._line.info.open_gops:
            # Without this the decoder paints over damage from neighbouring frames and says nothing.
            # After a jump into an open group of pictures it would also stop at frames that nobody wants.
            stream.codec_context.options = {"err_detect": "explode"}

    def _numbered(self, frames: Iterator[Any], key: int) -> Iterator[tuple[int, Any]]:
        """Yield frames from a key frame on with their numbers; `_broken` tells whether one may build on a lost one."""
        before, since = None, 0
        for count, frame in enumerate(frames):
            self._counts.decoded += 1
            number = count
            if not self._line.info.reordered:
                if frame.pts is None or frame.pts < self._line.ticks[0]:  # an edit list hides it
                    continue
                number = int(np.searchsorted(self._line.ticks, frame.pts, side="right")) - 1
            following = self._ranks[key] if before is None else self._ranks[before] + 1
            lost = self._counts_frames and not self._line.info.reordered and self._ranks[number] > following
            if frame.is_corrupt or (lost and not frame.key_frame):
                self._broken, since = True, number
            elif frame.key_frame or number - since > _RECOVERS:
                self._broken = False
            before = number
            yield number, frame


def _damaged(path: Path, time_s: float) -> MediaError:
    return MediaError(
        f"{display_name(path)} is damaged near {time_s:.2f} s: what is shown there is lost or cannot be trusted; copy "
        "the file again, or leave the recording out"
    )


def upright(picture: NDArray[np.uint8], rotation: int) -> NDArray[np.uint8]:
    """Turn a picture of shape (height, width, 3) clockwise by 0, 90, 180 or 270 degrees."""
    return np.rot90(picture, k=-rotation // 90)


class RgbConverter:
    """Converts the frames of one recording; the filters are set up once per picture format."""

    def __init__(self, path: Path, info: MediaInfo) -> None:
        self._path, self._info = path, info
        self._format: tuple[int, int, str] | None = None
        self._graph: Any = None

    def picture(self, frame: Any) -> NDArray[np.uint8]:
        """Return an `av.VideoFrame` as RGB, uint8, shape (height, width, 3), turned as the file asks.

        Raises:
            MediaError: the picture's size is not the recording's.
        """
        shape = frame.width, frame.height, frame.format.name
        if shape != self._format:
            self._graph, self._format = _graph(*shape), shape
        try:
            self._graph.push(frame)
            stored = self._graph.pull().to_ndarray()
        except av.FFmpegError:
            raise MediaError(f"{display_name(self._path)}: a picture cannot be converted to RGB") from None
        picture = upright(stored, self._info.rotation)
        if picture.shape != (self._info.height, self._info.width, 3):
            raise MediaError(
                f"{display_name(self._path)} changes its picture size midway: export it again as one MP4 "
                "(H.264)"
            )
        return picture


def _graph(width: int, height: int, pixels: str) -> Any:
    graph = av.filter.Graph()
    source = graph.add_buffer(width=width, height=height, format=pixels, time_base=Fraction(1, 1000))
    graph.link_nodes(source, graph.add("format", "rgb24"), graph.add("buffersink")).configure()
    return graph
