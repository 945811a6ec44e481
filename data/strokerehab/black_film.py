"""Write a film of black frames: what a model scores on it, it scores by the wording alone."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np

from semiology.data.cache import written_whole
from semiology.data.media.copy_check import check_film


def write_black_film(target: Path, frames: int, fps: float, size: tuple[int, int]) -> None:
    """Write an MP4 of so many black frames.

    Args:
        target: the file; its folder must exist.
        frames, fps: how many, and how many a second.
        size: width and height in px; made even.
    """
    width, height = size[0] + size[0] % 2, size[1] + size[1] % 2
    rate = Fraction(fps).limit_denominator(1001)
    options = {"preset": "ultrafast", "crf": "30", "bf": "0", "g": "60"}
    black = av.VideoFrame.from_ndarray(np.zeros((height, width, 3), np.uint8), format="rgb24").reformat(
        format="yuv420p"
    )
    with written_whole(target) as unfinished:
        with av.open(str(unfinished), "w", format="mp4") as container:
            stream = container.add_stream("libx264", rate=rate, options=options)
            stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
            for number in range(frames):
                black.pts, black.time_base = number, 1 / rate
                container.mux(stream.encode(black))
            container.mux(stream.encode())
        check_film(unfinished, np.arange(frames) / float(rate), None)
