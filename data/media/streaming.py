"""Read all windows of a recording in one pass from front to back.

The file is opened once. A frame that several windows show is decoded and converted once, and a window is
handed out as soon as its last frame is read, so that no more is held than the windows that overlap at one
moment. What cannot be read is given in place of the window that needed it; the other windows go on.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from semiology.data.media.frames import DecodeCounts, Decoder, RgbConverter, frame_numbers
from semiology.data.media.probe import MediaError, Timeline, display_name, timeline

Pictures = NDArray[np.uint8]
"""RGB pictures, shape (n, height, width, 3)."""


@dataclass(frozen=True)
class WindowRequest:
    """The frames wanted from one window of a recording.

    Attributes:
        start_s, end_s: the window, s from the recording's first frame.
        times_s: the frames on show at these times, s from the first frame, in any order, repeats allowed.
        indices: or the frames of these numbers, counted from 0 in the order shown.

    Raises:
        ValueError: both or neither of ``times_s`` and ``indices`` are given.
    """

    start_s: float
    end_s: float
    times_s: tuple[float, ...] | None = None
    indices: tuple[int, ...] | None = None

    def __post_init__(self) -> None:
        if (self.times_s is None) == (self.indices is None):
            raise ValueError("a window request names its frames either by times_s or by indices")


def stream_windows(
    path: Path,
    requests: Sequence[WindowRequest],
    *,
    counts: DecodeCounts | None = None,
) -> Iterator[tuple[int, Pictures | MediaError]]:
    """Yield the frames of every window, in the order in which the windows are complete.

    Windows may come in any order, overlap, repeat, or want no frame; ``counts`` is added to.

    Yields:
        The place of a request in ``requests`` and its frames in the order asked, uint8, shape
        (n, height, width, 3), rotated as the file asks; or the `MediaError` that says why this window
        cannot be read. Each request comes exactly once. `MediaError` is never raised.
    """
    try:
        line = timeline(path)
    except MediaError as error:
        yield from ((number, error) for number in range(len(requests)))
        return
    counts = counts or DecodeCounts()
    windows = _Windows(line)
    for number, request in enumerate(requests):
        try:
            windows.add(number, _numbers(path, line, request))
        except MediaError as error:
            yield number, error
    yield from windows.empty()
    converter = RgbConverter(path, line.info)
    with closing(Decoder(path, line, counts)) as decoder:
        for frame in windows.wanted():
            try:
                picture = converter.picture(decoder.frame(frame))
            except MediaError as error:
                yield from ((number, error) for number in windows.drop(frame))
                continue
            counts.delivered += 1
            windows.place(frame, picture)
            del picture
            yield from windows.complete(frame)


def _numbers(path: Path, line: Timeline, request: WindowRequest) -> NDArray[np.int64]:
    """Return the numbers of the frames of a request, shape (n,)."""
    if request.times_s is not None:
        return frame_numbers(path, line, np.asarray(request.times_s, np.float64))
    numbers = np.asarray(request.indices, np.int64)
    outside = (numbers < 0) | (numbers >= line.info.frames)
    if outside.any():
        raise MediaError(
            f"{display_name(path)} holds {line.info.frames} frames, counted from 0; there is no frame "
            f"{numbers[outside][0]}"
        )
    return numbers


class _Windows:
    """The windows of a recording that are not handed out yet, and which frame belongs where."""

    def __init__(self, line: Timeline) -> None:
        self._line = line
        self._sizes: dict[int, int] = {}
        self._missing: dict[int, int] = {}
        self._pictures: dict[int, Pictures] = {}
        self._uses: dict[int, dict[int, list[int]]] = {}

    def add(self, number: int, frames: NDArray[np.int64]) -> None:
        """Take a window whose places are filled by ``frames``, shape (n,)."""
        self._sizes[number] = frames.size
        for place, frame in enumerate(frames.tolist()):
            self._uses.setdefault(frame, {}).setdefault(number, []).append(place)
        self._missing[number] = len(np.unique(frames))

    def empty(self) -> Iterator[tuple[int, Pictures]]:
        """Yield the windows that want no frame."""
        shape = (0, self._line.info.height, self._line.info.width, 3)
        for number in [number for number, size in self._sizes.items() if not size]:
            del self._sizes[number]
            yield number, np.empty(shape, np.uint8)

    def wanted(self) -> Iterator[int]:
        """Yield the numbers of the frames to read, ascending, without those of dropped windows."""
        for frame in sorted(self._uses):
            if any(number in self._sizes for number in self._uses[frame]):
                yield frame

    def place(self, frame: int, picture: Pictures) -> None:
        """Put a picture wherever it belongs."""
        for number in self._waiting(frame):
            if number not in self._pictures:
                self._pictures[number] = np.empty((self._sizes[number], *picture.shape), np.uint8)
            self._pictures[number][self._uses[frame][number]] = picture
            self._missing[number] -= 1

    def complete(self, frame: int) -> Iterator[tuple[int, Pictures]]:
        """Hand out the windows of which this frame was the last one missing."""
        for number in self._waiting(frame):
            if not self._missing[number]:
                del self._sizes[number]
                yield number, self._pictures.pop(number)

    def drop(self, frame: int) -> list[int]:
        """Forget the windows that need a frame, and return their numbers."""
        dropped = self._waiting(frame)
        for number in dropped:
            del self._sizes[number]
            self._pictures.pop(number, None)
        return dropped

    def _waiting(self, frame: int) -> list[int]:
        return [number for number in self._uses[frame] if number in self._sizes]
