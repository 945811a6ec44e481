"""Write a video that shows a recording changed picture by picture, with its own sound and its own times.

One pass from front to back; no more than a few pictures are held. Pictures come upright, in YUV 4:2:0 as they
are stored, so that nothing is converted to RGB and back.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

from semiology.data.media.audio import read_channels
from semiology.data.media.copy_check import check_film
from semiology.data.media.encoding import EVEN, MP4_OPTIONS, aac_packets, aac_rate, add_aac, upright_graph
from semiology.data.media.frames import Decoder
from semiology.data.media.picture_width import readable_size
from semiology.data.media.probe import (
    MediaError,
    Timeline,
    display_name,
    open_media,
    sound_stream,
    video_stream,
)
from semiology.enhancements.pipeline.step import Progress

Plane = NDArray[np.uint8]


@dataclass(frozen=True)
class Planes:
    """One picture, YUV 4:2:0, upright.

    Attributes:
        y: brightness, uint8, (height, width).
        u: blue difference, uint8, (height / 2, width / 2).
        v: red difference, likewise.
    """

    y: Plane
    u: Plane
    v: Plane

    def changed(self, change: Callable[[Plane, int], Plane]) -> Planes:
        """Return the picture whose planes are what ``change`` makes of each and its share of the width: 1, 2 or 2."""
        return Planes(change(self.y, 1), change(self.u, 2), change(self.v, 2))


Edit = Callable[[int, Planes], Planes]
"""Gets the number of a frame and its picture, which it may change but not keep, and returns what to write."""

QUALITY = {
    "crf": "20", "preset": "ultrafast", "bf": "0", "g": "60", "rc-lookahead": "0", "x264-params": "mbtree=0",
}  # fmt: skip
"""H.264 settings. No frame is reordered, so that every reader finds a frame by its time."""

_PLANAR = ("yuv420p", "yuvj420p")
_AS_THEY_ARE = ("aac", "mp3", "ac3", "eac3", "alac", "flac", "opus")
"""Sound that MP4 holds; from MP4 and Matroska it is copied, packet by packet."""
_BLOCK_S = 20


def rewrite_video(
    source: Path, line: Timeline, target: Path, edit: Edit, progress: Progress | None = None
) -> int:
    """Write ``target``, an MP4 (H.264) whose frame i is shown when the source's frame i is.

    Times count from the source's first frame. Sound that MP4 can hold is copied, other sound becomes AAC; its
    place relative to the pictures stays. Metadata is left out, as it may name the patient. Pictures too narrow
    for decord are made a whole number of times larger.

    Args:
        target: the file to write; an unfinished one is removed.
        edit: changes the pictures; all that it returns must be of the size of the first.

    Returns:
        The number of frames written.

    Raises:
        MediaError: the source is damaged or changes its picture size.
    """
    try:
        with ExitStack() as stack:
            reader = stack.enter_context(open_media(source))
            writer = stack.enter_context(
                av.open(str(target), "w", format="mp4", container_options=MP4_OPTIONS)
            )
            pictures = stack.enter_context(closing(_Pictures(source, line, reader, writer)))
            sound = _Sound(source, line, reader, writer)
            for done, number in enumerate(pictures.numbers):
                planes, frame = pictures.decoded(number)
                pictures.write(number, edit(number, planes), frame)
                sound.write_until(float(line.times_s[number]))
                if progress and done % 30 == 29:
                    progress(done + 1, len(pictures.numbers))
            pictures.finish()
            sound.write_until(float("inf"))
        check_film(target, line.times_s[pictures.numbers], sound.written)
    except av.FFmpegError as error:
        target.unlink(missing_ok=True)
        raise MediaError(
            f"{display_name(source)}: its enhanced copy cannot be written ({error.strerror})"
        ) from None
    except BaseException:
        target.unlink(missing_ok=True)
        raise
    if progress:
        progress(len(pictures.numbers), len(pictures.numbers))
    return len(pictures.numbers)


class _Pictures:
    """Decodes upright pictures one after the other, and encodes what became of them."""

    def __init__(self, source: Path, line: Timeline, reader: Any, writer: Any) -> None:
        self._source, self._line, self._writer = source, line, writer
        self._stored = video_stream(reader, source)
        self._decoder = Decoder(source, line)
        # Of frames with the same time only the last is ever shown.
        self.numbers = (np.unique(np.searchsorted(line.ticks, line.ticks, side="right")) - 1).tolist()
        rate = self._stored.average_rate or self._stored.guessed_rate or 30
        self._stream = writer.add_stream("libx264", rate=Fraction(rate), options=QUALITY)
        self._open = False
        self._graph: Any = None
        self._work: Any = None
        self._shown: Any = None
        self._changed: Any = None

    def close(self) -> None:
        """Close the source."""
        self._decoder.close()

    def decoded(self, number: int) -> tuple[Planes, Any]:
        """Return the picture of a frame, which may be changed until the next is asked for, and the frame."""
        frame = self._decoder.frame(number)
        info = self._line.info
        if frame.format.name not in _PLANAR or info.rotation or frame.width % 2 or frame.height % 2:
            frame = self._upright(frame)
        elif (frame.width, frame.height) != (info.width, info.height):
            raise self._resized()
        if self._work is None:
            # One for all: fresh memory for every picture took longer than half the encoding.
            self._work = av.VideoFrame(frame.width, frame.height, frame.format.name)
            self._shown = _planes(self._work)
        _copy(_planes(frame), self._shown)
        return self._shown, frame

    def _upright(self, frame: Any) -> Any:
        try:
            if self._graph is None:
                self._graph = upright_graph(
                    self._stored, self._line.info.rotation, [EVEN, ("format", "yuv420p")]
                )
            self._graph.push(frame)
            return self._graph.pull()
        except av.FFmpegError:
            raise self._resized() from None

    def _resized(self) -> MediaError:
        return MediaError(
            f"{display_name(self._source)} changes its picture size or format midway: export it again as one "
            "MP4 (H.264)"
        )

    def write(self, number: int, planes: Planes, like: Any) -> None:
        """Encode a picture, to be shown when frame ``number`` is, with the colour coding of ``like``."""
        height, width = planes.y.shape
        times = readable_size(width, height)[0] // width
        if times > 1:
            height, width = times * height, times * width
            planes = planes.changed(lambda plane, _: plane.repeat(times, 0).repeat(times, 1))
        if not self._open:
            self._describe(width, height, like)
        frame = self._work
        if planes is not self._shown:
            frame = self._changed = self._changed or av.VideoFrame(width, height, like.format.name)
            _copy(planes, _planes(frame))
        frame.pts = int(self._line.ticks[number] - self._line.ticks[0])
        frame.time_base = self._stored.time_base
        self._writer.mux(self._stream.encode(frame))

    def _describe(self, width: int, height: int, like: Any) -> None:
        """Give the video the size of its first picture, and the source's clock and coding of colours."""
        codec = self._stream.codec_context
        self._stream.width, self._stream.height = width, height
        codec.pix_fmt, codec.time_base = like.format.name, self._stored.time_base
        codec.thread_count = 1  # the same bytes everywhere; recordings are worked on side by side instead
        codec.colorspace, codec.color_range = like.colorspace, like.color_range
        shape = self._stored.sample_aspect_ratio
        if shape:
            codec.sample_aspect_ratio = 1 / shape if self._line.info.rotation in (90, 270) else shape
        self._open = True

    def finish(self) -> None:
        """Write what the encoder still holds."""
        self._writer.mux(self._stream.encode(None))


def _planes(frame: Any) -> Planes:
    """Return the planes of an `av.VideoFrame` itself, without the padding at the end of its rows."""
    y, u, v = (
        np.frombuffer(plane, np.uint8).reshape(-1, plane.line_size)[: plane.height, : plane.width]
        for plane in frame.planes
    )
    return Planes(y, u, v)


def _copy(source: Planes, target: Planes) -> None:
    for name in ("y", "u", "v"):
        np.copyto(getattr(target, name), getattr(source, name))


class _Sound:
    """Carries the sound of a recording over, in step with the pictures so that little has to be held."""

    def __init__(self, source: Path, line: Timeline, reader: Any, writer: Any) -> None:
        self._source, self._line, self._writer = source, line, writer
        self._packets: Iterator[tuple[float, Any]] = iter(())
        self._next: tuple[float, Any] | None = None
        self._rate, self._last_s = 0, 0.0
        if not line.info.has_audio:
            return
        stored: Any = sound_stream(reader)
        fits = stored.codec_context.name in _AS_THEY_ARE
        if fits and line.info.container.startswith(("mov", "matroska")):
            self._packets = self._copied(reader, stored, writer.add_stream_from_template(stored))
            self._rate = int(stored.rate)
        else:
            track = add_aac(writer, aac_rate(line.info), stored.layout.nb_channels)
            self._packets = self._encoded(track)
            self._rate = aac_rate(line.info)
        self._next = next(self._packets, None)

    @property
    def written(self) -> tuple[int, float] | None:
        """The sampling rate of what was written, Hz, and the time of its last packet, s; None without sound."""
        return (self._rate, self._last_s) if self._rate else None

    def write_until(self, time_s: float) -> None:
        """Write the sound that begins no later than a time, s from the first frame."""
        while self._next is not None and self._next[0] <= time_s:
            self._writer.mux(self._next[1])
            self._last_s = max(self._last_s, self._next[0])
            self._next = next(self._packets, None)

    def _copied(self, reader: Any, stored: Any, target: Any) -> Iterator[tuple[float, Any]]:
        """Yield the packets as they are; the first frame's time becomes 0."""
        target.metadata.clear()
        base = stored.time_base
        zero = round(Fraction(self._line.info.first_frame_s).limit_denominator(10_000_000) / base)
        for packet in reader.demux(stored):
            if packet.pts is None:
                continue
            packet.pts -= zero
            packet.dts = packet.pts if packet.dts is None else packet.dts - zero
            packet.stream = target
            yield float(packet.pts * base), packet

    def _encoded(self, target: Any) -> Iterator[tuple[float, Any]]:
        """Yield packets of AAC, silence where the track has none."""
        rate, channels = target.rate, target.codec_context.layout.nb_channels
        size, end_s = target.codec_context.frame_size or 1024, self._line.info.duration_s
        length = round(end_s * rate)
        step = _BLOCK_S * rate // size * size
        for first in range(0, length, step):
            last = min(first + step, length)
            sound = read_channels(self._source, first / rate, last / rate, rate, most=2)
            block = np.repeat(sound, channels // len(sound), axis=0)
            for at, packets in aac_packets(target, block, first):
                yield from ((at / rate, packet) for packet in packets)
        yield from ((end_s, packet) for packet in target.encode(None))
