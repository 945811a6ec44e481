"""Turn decoded frames into upright RGB pictures, with the very colours that decord gives.

FFmpeg's filter graph converts them, as in decord: it follows the colour coding that the file names (HD
cameras code colours otherwise than older ones), which PyAV's own ``to_ndarray`` leaves out of account.
"""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

from semiology.data.media.probe import MediaError, MediaInfo, display_name


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
