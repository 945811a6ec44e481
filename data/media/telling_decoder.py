"""Decoders that tell of damage instead of painting over it, as far as a codec lets them.

Most codecs have no checksum, but a picture must end where its data ends: a decoder that has lost its way ends too
early or too late. FFmpeg's decoders say so only when asked, and its own for VP9 never does, while libvpx' does.
"""

from __future__ import annotations

from functools import lru_cache
from itertools import dropwhile, islice
from pathlib import Path
from typing import Any

import av
import numpy as np

from semiology.data.media.probe import open_media, video_stream

STRICT, PLAIN = "explode+crccheck+bitstream+buffer", "explode"
"""What FFmpeg's decoders are asked to refuse: anything that deviates from the codec's rules, or what must be refused
to show a picture at all (``err_detect``). Without the last they paint over damage from neighbouring frames."""

_EXACT_ENDS = frozenset({"h264"})
"""Codecs of which "aggressive" also asks for slices that end where their data ends, and for little else."""

_TELLING = {"vp9": "libvpx-vp9"}
"""Decoders that tell more of a codec's damage than FFmpeg's own, with the same pictures to the bit."""

_OVERRUN = frozenset({"vp8"})
"""Codecs whose decoders read on behind the end of damaged data without a word."""
_FOREIGN = bytes([0x5A, 0xA7, 0x3C, 0x91, 0xE6]) * 12
"""What is put behind a packet to see whether it is read."""

_END, _FLUSHED, _BLOCK = 8, 4, 16
"""Bytes at the end of a packet that are exchanged, the last of them that VP8 fills up with; size of blocks, px."""
_MASKS = (0xFF, 0x55, 0xA9)

_TRIED = 12
"""Frames at a film's beginning that a strict decoder must take, or its encoder is too lax for one."""


def telling_decoder(path: Path, stream: Any) -> Any:
    """Return the context that decodes a picture track, set up to be as strict as the film's beginning allows.

    Its ``decode`` raises `av.FFmpegError` or `DecodeError` where a packet is damaged.
    It is the track's own or another of the same codec, which must be flushed after a jump (`flush_buffers`).
    """
    state = path.stat()
    strict = _takes_strictness(path, state.st_size, state.st_mtime_ns)
    context = _prepared(stream, strict)
    context.thread_type = "AUTO"
    return context


def _prepared(stream: Any, strict: bool) -> Any:
    context = stream.codec_context
    name = context.codec.canonical_name
    if strict and name in _TELLING:
        own, context = context, av.CodecContext.create(_TELLING[name], "r")
        context.extradata = own.extradata
        context.width, context.height = own.width, own.height
    if strict and name in _OVERRUN:
        context = _Twice(context)
    exact = "+aggressive" if name in _EXACT_ENDS else ""
    context.options = {"err_detect": STRICT + exact if strict else PLAIN}
    return context


class DecodeError(ValueError):
    """A picture is damaged though FFmpeg's decoder took it for whole."""


class _Twice:
    """Decodes each packet a second time with foreign bytes behind it: what changes a picture was read beyond its end.

    It stands for a codec's context; a decoder that loses its way overruns about every second time.
    """

    def __init__(self, own: Any) -> None:
        self._own, self._other = own, av.CodecContext.create(own.name, "r")
        self.name, self.has_b_frames, self.copy_opaque = own.name, own.has_b_frames, False

    @property
    def options(self) -> dict[str, str]:
        """What FFmpeg is asked for."""
        return dict(self._own.options)

    @options.setter
    def options(self, given: dict[str, str]) -> None:
        self._own.options, self._other.options = given, given

    @property
    def thread_type(self) -> Any:
        """How FFmpeg divides the work."""
        return self._own.thread_type

    @thread_type.setter
    def thread_type(self, given: Any) -> None:
        self._own.thread_type = self._other.thread_type = given

    def flush_buffers(self) -> None:
        """Forget what was decoded."""
        self._own.flush_buffers()
        self._other.flush_buffers()

    def decode(self, packet: Any) -> list[Any]:
        """Return the pictures of a packet.

        Raises:
            av.FFmpegError, DecodeError: it is damaged.
        """
        longer = av.Packet(bytes(packet) + _FOREIGN) if packet.size else None
        shown, fault = list[Any](), None
        try:
            shown = self._own.decode(packet)
        except av.FFmpegError as error:
            fault = error
        again = self._other.decode(longer)  # also after a fault, so that both stay in step
        if fault is not None:
            raise fault
        if [_content(each) for each in shown] != [_content(each) for each in again]:
            raise DecodeError("its data ends before its picture does")
        if packet.is_keyframe and not self._read_to_its_end(bytes(packet)):
            raise DecodeError("its picture ends before its data does")
        return shown

    def _read_to_its_end(self, packet: bytes) -> bool:
        """Return whether other bytes at the end of a key frame would make another picture of it."""
        width, height = self._own.width, self._own.height
        changed = _END
        if (
            width % _BLOCK or height % _BLOCK
        ):  # the last blocks lie in part outside the picture: two rows of them
            changed = max(changed, 2 * len(packet) // max(1, height // _BLOCK))
        if not 2 * changed < len(packet):
            return True
        whole, body, end = self._alone(packet), packet[:-changed], packet[-_FLUSHED:]
        others = (bytes(each ^ mask for each in packet[-changed:-_FLUSHED]) for mask in _MASKS)
        return any(self._alone(body + other + end) != whole for other in others)

    def _alone(self, packet: bytes) -> list[list[bytes]] | None:
        context = av.CodecContext.create(self.name, "r")
        try:
            return [_content(each) for each in context.decode(av.Packet(packet))]
        except av.FFmpegError:
            return None


def _content(frame: Any) -> list[bytes]:
    """Return the planes of a frame without the padding of their rows, whose bytes mean nothing."""
    return [
        np.frombuffer(plane, np.uint8).reshape(plane.height, plane.line_size)[:, : plane.width].tobytes()
        for plane in frame.planes
    ]


@lru_cache(maxsize=256)
def _takes_strictness(path: Path, size: int, changed_ns: int) -> bool:
    """Return whether a strict decoder takes a film's first frames; a file of other size or time is another file."""
    try:
        with open_media(path) as container:
            stream = video_stream(container, path)
            context = _prepared(stream, strict=True)
            packets = dropwhile(lambda packet: not packet.is_keyframe, container.demux(stream))
            shown = (frame for packet in packets for frame in context.decode(packet))
            first = list(islice(shown, _TRIED))
            return bool(first) and not any(frame.is_corrupt for frame in first)
    except (av.FFmpegError, ValueError):
        return False
