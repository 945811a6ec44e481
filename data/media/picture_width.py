"""Which picture widths decord can read, and the nearest size that it reads on every processor.

decord2 (to 3.4.0, at least) asks FFmpeg for RGB rows, whose length FFmpeg rounds up so that vector instructions
fit: pictures are stored 16, 32 or 64 pixels wider than they are, or less, depending on the processor. decord then
takes ``row length // width`` for the number of colours wherever that division leaves no rest. For a few narrow
widths this gives more than three colours, and reading ends with ``from_size == to_size``.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import av
import numpy as np

ROW_ALIGNMENTS = (16, 32, 64)
"""To how many pixels FFmpeg rounds rows up: with SSE, with AVX2 and with AVX-512."""


def widths_refused(alignment: int) -> frozenset[int]:
    """Return the widths, px, that decord refuses on a processor with the given row alignment, px."""
    # Beyond 3 * alignment the padding is too short to pass for a fourth colour.
    stored = {width: 3 * -(-width // alignment) * alignment for width in range(1, 3 * alignment)}
    return frozenset(width for width, row in stored.items() if row % width == 0 and row != 3 * width)


_REFUSED_SOMEWHERE = frozenset[int]().union(*map(widths_refused, ROW_ALIGNMENTS))


def width_refused(width: int) -> str | None:
    """Say why decord cannot read pictures of this width, px; None where it reads them on every processor.

    What is known of common processors counts on all of them, so that a set is shown alike everywhere. On this
    one decord is also tried, once for each width, with a tiny film.
    """
    if width in _REFUSED_SOMEWHERE or _refused_here(width):
        return f"decord cannot read pictures {width} px wide on every processor"
    return None


def readable_size(width: int, height: int) -> tuple[int, int]:
    """Return the even size, px, in which to store pictures so that decord reads them on every processor.

    A size that it reads is kept. Another becomes its smallest whole multiple whose width is a multiple of 64
    and at least 128, or at least 192: the picture keeps its shape and gains no border.
    """
    width, height = width + width % 2, height + height % 2
    if width not in _REFUSED_SOMEWHERE:
        return width, height
    times = next(n for n in range(2, 97) if n * width >= 192 or ((n * width) % 64 == 0 and n * width >= 128))
    return times * width, times * height


@cache
def _refused_here(width: int) -> bool:
    """Return whether decord fails to read one picture of this width on this processor."""
    import decord

    with TemporaryDirectory() as folder:
        film = Path(folder) / "one_picture.mp4"
        with av.open(str(film), "w") as container:
            stream = container.add_stream("libx264", rate=1)
            stream.width, stream.height, stream.pix_fmt = width, 16, "yuv444p"
            picture = np.full((16, width, 3), 128, np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
            container.mux(stream.encode(None))
        try:
            decord.VideoReader(str(film), num_threads=1).get_batch([0])
        except decord.DECORDError:
            return True
    return False
