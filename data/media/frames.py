"""Read the frames that a recording shows at given times, upright and by their true time stamps.

PyAV decodes them: unlike a reader by frame number it needs no even spacing, and it reports a damaged frame instead of
repeating its neighbour. FFmpeg's filter graph converts them to RGB, as in decord: it follows the colour coding that
the file names (HD cameras code colours otherwise than older ones), which PyAV's own ``to_ndarray`` leaves out.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

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
from semiology.data.media.telling_decoder import DecodeError, telling_decoder

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

_BUILT_ON_ALL = frozenset(
    {"vp8", "vp9", "libvpx-vp9", "msmpeg4v2", "msmpeg4v3", "msmpeg4", "wmv1", "wmv2", "flv"}
)
"""Codecs in which each picture builds on the one before it, back to the last key frame, and no error shows after it."""

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
        stop_s = span[1] - TOLERANCE_S if span[1] < line.info.duration_s else np.inf
        hit = (times_s > span[0] - TOLERANCE_S) & (times_s < stop_s)
        if hit.any():
            raise _damaged(path, float(times_s[hit][0]))
    # A frame may come later than asked by as much as rounding to milliseconds makes of it: half a tick.
    late_s = max(TOLERANCE_S, min(6e-4, 0.1 / line.info.fps))
    found = np.searchsorted(line.times_s, times_s + late_s, side="right") - 1
    return np.maximum(found, 0).astype(np.int64)


def check_window(path: Path, start_s: float, end_s: float) -> None:
    """Decode a window, once per process and file, for readers that pass over damage without a word (decord).

    Raises:
        MediaError: the file cannot be used, or a frame between the two times, s, is damaged.
    """
    state = path.stat()
    if fault := _window_fault(path, state.st_size, state.st_mtime_ns, start_s, end_s):
        raise MediaError(fault)


@lru_cache(maxsize=4096)
def _window_fault(path: Path, size: int, changed_ns: int, start_s: float, end_s: float) -> str | None:
    """Return why a window cannot be shown, None where it can; a file of other size or time is another file."""
    try:
        line = timeline(path)
        first, last = np.searchsorted(line.times_s, (start_s, end_s))
        deque(frames_at(path, line.times_s[max(0, first - 1) : max(last, 1)]), maxlen=0)
    except MediaError as error:
        return str(error)
    return None


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
    nobody wants. A frame is handed out once those right after it are seen to be whole: the last picture before a
    hole may be half overwritten, and decode without an error.
    """

    def __init__(self, path: Path, line: Timeline, counts: DecodeCounts | None = None) -> None:
        self._path, self._line = path, line
        self._counts = counts or DecodeCounts()
        self._keys = np.searchsorted(line.times_s, line.keyframes_s)
        self._ranks = np.searchsorted(np.unique(line.ticks), line.ticks)
        first_s = float(line.keyframes_s[0]) if line.keyframes_s.size else 0.0
        self._cut_into = first_s > 0 and any(
            start == 0 and abs(stop - first_s) < TOLERANCE_S for start, stop in line.info.damaged_s
        )
        self._position, self._margin, self._counts_frames = -1, 1, False
        self._decoded: Iterator[_Step] = iter(())
        self._ahead: deque[_Step] = deque()
        self._lost_span = range(0)
        self._open_file = ExitStack()
        self._container: Any = None
        self._context: Any = None

    def close(self) -> None:
        """Close the file."""
        self._open_file.close()

    def frame(self, number: int) -> Any:
        """Return frame ``number``, an `av.VideoFrame` as stored (not rotated).

        A key frame from which the decoder does not reach it is no proof of damage (open groups of
        pictures, gradual refresh): earlier ones and the start of the file are tried before giving up.

        Raises:
            MediaError: the frame cannot be decoded, builds on a lost one, or stands right before damage; others
                still can be had.
        """
        if number not in self._lost_span:
            for key in self._starts(number):
                if key is not None:
                    self._restart(key)
                if (shown := self._reach(number)) is not None:
                    return shown
            if self._ahead and self._ahead[0].number == number and self._ahead[0].broken:
                after = int(np.searchsorted(self._keys, number, side="right"))
                stop = int(self._keys[after]) if after < self._keys.size else number + _RECOVERS
                self._lost_span = range(number, min(stop, number + _RECOVERS))
        raise _damaged(self._path, float(self._line.times_s[number]))

    def _reach(self, number: int) -> Any | None:
        """Decode on to frame ``number`` and a little beyond; return it, or None where something is wrong there."""
        ahead, beyond = self._ahead, min(number + self._margin, self._line.ticks.size - 1)
        while ahead and ahead[0].number < number:
            self._position = ahead.popleft().number
        while not ahead or ahead[-1].number < beyond:
            step = next(self._decoded, None)
            if step is None:
                break
            if step.number < number:
                self._position = step.number
            else:
                ahead.append(step)
        if not ahead or ahead[0].number != number or ahead[0].broken:
            return None
        after = [step for step in ahead if number < step.number <= number + self._margin]
        ends_early = self._counts_frames and self._ranks[ahead[-1].number] < self._ranks[beyond]
        return None if ends_early or any(step.broken or step.lost for step in after) else ahead[0].frame

    def _starts(self, number: int) -> list[int | None]:
        """Return where to start decoding, best first: None to go on, or the number of a key frame."""
        nearest = int(np.searchsorted(self._keys, number, side="right")) - 1
        position = self._ahead[0].number - 1 if self._ahead else self._position
        onwards = self._container is not None and position < number
        if self._line.info.reordered or self._line.numbers is not None or nearest < 0:
            return [None, 0] if onwards else [0]
        earlier = [int(self._keys[nearest - back]) for back in (0, 1, 4) if nearest - back >= 0]
        starts: list[int | None] = [*dict.fromkeys([*earlier, 0])]
        near = onwards and earlier[0] - position <= _WORTH_A_JUMP
        return [None, *starts] if near else starts

    def _restart(self, key: int) -> None:
        """Begin to decode at a key frame; the start of a file is reached by opening it."""
        if key == 0 or self._container is None:
            self._open()
        container, stream = self._container, video_stream(self._container, self._path)
        self._decoded, self._position = iter(()), -1
        self._ahead.clear()
        if key > 0:
            margin = 0.0 if self._line.info.container.startswith(_INDEXED) else _SEEK_MARGIN_S
            early = round(margin / float(stream.time_base))
            try:
                container.seek(int(self._line.ticks[key]) - early, stream=stream, backward=True)
            except av.FFmpegError:
                return
            self._counts.jumps += 1
        context = self._context
        if context is not stream.codec_context:
            context.flush_buffers()
        self._counts_frames = context.name in _EVERY_PACKET_SHOWN and not self._line.info.reordered
        self._margin = 1 + int(context.has_b_frames)
        context.copy_opaque = self._line.numbers is not None
        self._decoded = self._numbered(_decoding(container, stream, context, self._cut_into), key)

    def _open(self) -> None:
        self._container = None
        self._open_file.close()
        self._container = self._open_file.enter_context(open_media(self._path))
        self._counts.opens += 1
        stream = video_stream(self._container, self._path)
        self._context = telling_decoder(self._path, stream)

    def _numbered(self, decoded: Iterator[Any | None], key: int) -> Iterator[_Step]:
        """Yield frames from a key frame on with their numbers, and whether they may build on a lost one.

        After a jump a decoder may stumble over frames that are shown before the key frame and build on earlier ones.
        """
        before, since, broken, stumbled = -1 if key == 0 else None, 0, False, False
        # AVI knows only when a frame is decoded; the presentation times that FFmpeg gives its H.264 may be one off.
        avi, reordered, count = "avi" in self._line.info.container, self._line.info.reordered, -1
        for frame in decoded:
            if frame is None or (self._line.numbers is not None and frame.opaque is None):
                if reordered:  # from here on all frames are counted wrong
                    yield _Step(count + 1, None, True, True)
                    return
                stumbled = key == 0 or (before or -1) >= key
                broken, since = broken or stumbled, max(0, before or 0)
                continue
            self._counts.decoded += 1
            count += 1
            number = count
            if self._line.numbers is not None:
                number = int(self._line.numbers[frame.opaque[0]])
            elif not reordered:
                stamp = frame.dts if avi else frame.pts
                if stamp is None or stamp < self._line.ticks[0]:  # an edit list hides it
                    continue
                number = int(np.searchsorted(self._line.ticks, stamp, side="right")) - 1
            following = self._ranks[key] if before is None else 0 if before < 0 else self._ranks[before] + 1
            lost = stumbled or (self._counts_frames and self._ranks[number] > following)
            if frame.is_corrupt or (lost and not frame.key_frame):
                broken, since = True, number
            elif frame.key_frame or number - since > _RECOVERS:
                broken = False
            before, stumbled = number, False
            yield _Step(number, frame, broken, lost)


class _Step(NamedTuple):
    """A decoded frame: its number, whether it builds on a lost one, and whether some are missing right before it."""

    number: int
    frame: Any
    broken: bool
    lost: bool


def _decoding(container: Any, stream: Any, context: Any, cut_into: bool) -> Iterator[Any | None]:
    """Yield the frames of a track in the order shown, and None wherever the decoder meets an error.

    Of a film that was ``cut_into`` within a group of pictures, packets before the first key frame are passed over: the
    decoder's errors about them would come out amid later frames.

    Where the context copies ``opaque``, it is the number of the packet that a frame came from.
    """
    packets, count = container.demux(stream), 0
    built_on, lost, whole_from = context.name in _BUILT_ON_ALL, False, -math.inf
    while True:
        try:
            packet = next(packets, None)
        except av.FFmpegError:
            yield None
            return
        if packet is None:
            return
        cut_into = cut_into and not packet.is_keyframe
        if cut_into and packet.size:
            continue
        stamped = (packet.pts is not None or packet.dts is not None) and not packet.is_discard
        if stamped and context.copy_opaque:
            packet.opaque, count = [count], count + 1  # PyAV keeps it by its id: never one object twice
        if lost and packet.is_keyframe:  # pictures from before it may still come out
            lost, whole_from = False, packet.dts if packet.pts is None else packet.pts
        try:
            shown = context.decode(packet)
        except (av.FFmpegError, DecodeError):
            shown, lost = [None], built_on
        for frame in shown:
            early = built_on and frame is not None and frame.pts is not None and frame.pts < whole_from
            yield None if lost or early else frame


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
