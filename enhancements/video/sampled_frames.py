"""The pictures that a network looks at: some frames of a recording, upright, as OpenCV orders colours."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from semiology.data.media.frames import Decoder
from semiology.data.media.probe import Timeline
from semiology.data.media.rgb import RgbConverter


def frames_looked_at(line: Timeline, rate_hz: float) -> NDArray[np.int64]:
    """Return the numbers, ascending, of the frames on show at ``rate_hz``, and of the last one; all if 0."""
    total = line.info.frames
    if rate_hz <= 0:
        return np.arange(total, dtype=np.int64)
    wanted = np.arange(0, line.info.duration_s, 1 / rate_hz)
    shown = np.searchsorted(line.times_s, wanted + 1e-3, side="right") - 1
    return np.unique(np.append(np.maximum(shown, 0), total - 1)).astype(np.int64)


def bgr_pictures(video: Path, line: Timeline, frames: NDArray[np.int64]) -> Iterator[NDArray[np.uint8]]:
    """Yield frames by number, uint8, (height, width, 3), blue first.

    Raises:
        MediaError: the video cannot be used, or a frame is damaged.
    """
    converter = RgbConverter(video, line.info)
    with closing(Decoder(video, line)) as decoder:
        for number in frames:
            picture = np.ascontiguousarray(converter.picture(decoder.frame(int(number))))
            yield np.asarray(cv2.cvtColor(picture, cv2.COLOR_RGB2BGR), dtype=np.uint8)
