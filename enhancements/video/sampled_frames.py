"""The pictures that a network looks at: some frames of a recording, upright, as OpenCV orders colours."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from semiology.data.media.frames import Decoder, RgbConverter
from semiology.data.media.probe import Timeline
from semiology.enhancements.pipeline.step import Progress


def look_at_frames(
    video: Path,
    line: Timeline,
    rate_hz: float,
    look: Callable[[Any], NDArray[np.float64]],
    progress: Progress | None,
) -> tuple[NDArray[np.int64], list[NDArray[np.float64]]]:
    """Return the numbers of the frames looked at, (K,), ascending, and what was found in each.

    Args:
        rate_hz: frames looked at per second, and the last one; 0 looks at all.
        look: gets a picture, uint8, (height, width, 3), blue first.

    Raises:
        MediaError: the video cannot be used, or a frame is damaged.
    """
    total = line.info.frames
    frames = np.arange(total, dtype=np.int64)
    if rate_hz > 0:
        wanted = np.arange(0, line.info.duration_s, 1 / rate_hz)
        shown = np.searchsorted(line.times_s, wanted + 1e-3, side="right") - 1
        frames = np.unique(np.append(np.maximum(shown, 0), total - 1)).astype(np.int64)
    converter, found = RgbConverter(video, line.info), []
    with closing(Decoder(video, line)) as decoder:
        for number in frames.tolist():
            picture = np.ascontiguousarray(converter.picture(decoder.frame(number)))
            found.append(look(cv2.cvtColor(picture, cv2.COLOR_RGB2BGR)))
            if progress:
                progress(number + 1, total)
    return frames, found
