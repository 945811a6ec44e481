"""What clips and derived videos share when they are written: upright pictures, and sound as AAC."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

from semiology.data.media.probe import MediaInfo

MP4_OPTIONS = {"movflags": "+faststart", "fflags": "+bitexact"}
EVEN = ("pad", "ceil(iw/2)*2:ceil(ih/2)*2")
"""The filter that makes the size of a picture even."""
_AAC_RATES = (8_000, 11_025, 12_000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000)
_TURN = {
    0: [],
    90: [("transpose", "clock")],
    180: [("hflip", ""), ("vflip", "")],
    270: [("transpose", "cclock")],
}


def upright_graph(stored: Any, rotation: int, filters: Sequence[tuple[str, str]]) -> Any:
    """Return the filters that turn pictures clockwise by ``rotation`` (0, 90, 180, 270), then apply ``filters``.

    ``stored`` is the picture track that they come from; each filter has a name and options.
    """
    graph = av.filter.Graph()
    nodes = [graph.add_buffer(template=stored)]
    nodes += [graph.add(name, options or None) for name, options in [*_TURN[rotation], *filters]]
    graph.link_nodes(*nodes, graph.add("buffersink")).configure()
    return graph


def aac_rate(info: MediaInfo) -> int:
    """Return the recording's sampling rate where AAC has it, else 48 kHz."""
    return info.audio_rate if info.audio_rate in _AAC_RATES else 48_000


def add_aac(container: Any, rate: int, channels: int) -> Any:
    """Return a new AAC track, mono or stereo."""
    return container.add_stream("aac", rate=rate, layout="stereo" if channels >= 2 else "mono")


def aac_packets(track: Any, sound: NDArray[np.float32], first: int = 0) -> Iterator[tuple[int, list[Any]]]:
    """Yield the packets of sound, shape (channels, samples), with the number of the sample they came from.

    ``track`` is one of `add_aac` with as many channels, ``first`` the number of the first sample in it.
    """
    size = track.codec_context.frame_size or 1024
    for at in range(0, sound.shape[1], size):
        piece = np.ascontiguousarray(sound[:, at : at + size])
        frame = av.AudioFrame.from_ndarray(piece, format="fltp", layout=track.layout.name)
        frame.sample_rate, frame.time_base, frame.pts = track.rate, Fraction(1, track.rate), first + at
        yield first + at, track.encode(frame)
