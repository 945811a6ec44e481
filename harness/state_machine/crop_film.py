"""Write the square around a hand as a small film."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

from semiology.data.cache import written_whole
from semiology.data.media.copy_check import check_film
from semiology.data.media.picture_width import readable_size

_QUALITY = {"crf": "16", "preset": "veryfast", "bf": "0"}


def write_crop(
    target: Path, pictures: NDArray[np.uint8], squares: Sequence[tuple[int, int, int]], fps: float
) -> None:
    """Write one square of each picture as an MP4; a square of a width that decord refuses is made larger.

    Args:
        target: the file.
        pictures: RGB, uint8, shape (T, height, width, 3).
        squares: left, top and side in px, one for each picture.
        fps: frames a second of the film.

    Raises:
        CopyError: the film does not hold these frames at their times.
    """
    side = squares[0][2]
    size = readable_size(side + side % 2, side + side % 2)
    rate = Fraction(fps).limit_denominator(1001)
    with written_whole(target) as unfinished:
        _encode(unfinished, pictures, squares, size, rate)
        check_film(unfinished, np.arange(len(squares)) / float(rate), None)


def _encode(
    target: Path,
    pictures: NDArray[np.uint8],
    squares: Sequence[tuple[int, int, int]],
    size: tuple[int, int],
    rate: Fraction,
) -> None:
    import cv2

    with av.open(str(target), "w", format="mp4") as container:
        stream = container.add_stream("libx264", rate=rate, options=_QUALITY)
        stream.width, stream.height, stream.pix_fmt = *size, "yuv420p"
        for number, (picture, (left, top, edge)) in enumerate(zip(pictures, squares, strict=True)):
            square = np.ascontiguousarray(picture[top : top + edge, left : left + edge])
            if square.shape[:2] != (size[1], size[0]):
                square = cv2.resize(square, size, interpolation=cv2.INTER_AREA).astype(np.uint8)
            frame = av.VideoFrame.from_ndarray(square, format="rgb24")
            frame.pts, frame.time_base = number, 1 / rate
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
