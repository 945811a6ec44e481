"""Decoders that tell of damage instead of painting over it, as far as a codec lets them.

Most codecs have no checksum, but a picture must end where its data ends: a decoder that has lost its way ends too
early or too late. FFmpeg's decoders say so only when asked, and its own for VP9 never does, while libvpx' does.
"""

from __future__ import annotations

from functools import lru_cache
from itertools import islice
from pathlib import Path
from typing import Any

import av

from semiology.data.media.probe import open_media, video_stream

STRICT, PLAIN = "explode+crccheck+bitstream+buffer", "explode"
"""What FFmpeg's decoders are asked to refuse: anything that deviates from the codec's rules, or what must be refused
to show a picture at all (``err_detect``). Without the last they paint over damage from neighbouring frames."""

_EXACT_ENDS = frozenset({"h264"})
"""Codecs of which "aggressive" also asks for slices that end where their data ends, and for little else."""

_TELLING = {"vp9": "libvpx-vp9"}
"""Decoders that tell more of a codec's damage than FFmpeg's own, with the same pictures to the bit."""

_TRIED = 12
"""Frames at a film's beginning that a strict decoder must take, or its encoder is too lax for one."""


def telling_decoder(path: Path, stream: Any) -> Any:
    """Return the context that decodes a picture track, set up to be as strict as the film's beginning allows.

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
    exact = "+aggressive" if name in _EXACT_ENDS else ""
    context.options = {"err_detect": STRICT + exact if strict else PLAIN}
    return context


@lru_cache(maxsize=256)
def _takes_strictness(path: Path, size: int, changed_ns: int) -> bool:
    """Return whether a strict decoder takes a film's first frames; a file of other size or time is another file."""
    try:
        with open_media(path) as container:
            stream = video_stream(container, path)
            context = _prepared(stream, strict=True)
            shown = (frame for packet in container.demux(stream) for frame in context.decode(packet))
            return not any(frame.is_corrupt for frame in islice(shown, _TRIED))
    except (av.FFmpegError, ValueError):
        return False
