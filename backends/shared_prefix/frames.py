"""Where frames come from: one small protocol, so that the reader can be exchanged, and the default reader.

A reader opens a recording once and yields the frames of all its windows in order. Frames are named by their
number in the file, as decord counts them, which is how lmms-eval's stock classes pick them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from semiology.backends.shared_prefix.questions import UnansweredError
from semiology.data.media.probe import MediaError
from semiology.data.media.streaming import WindowRequest, stream_windows

Frames = NDArray[np.uint8]
"""Pictures of a window, RGB, shape (frames, height, width, 3)."""


@dataclass(frozen=True)
class VideoFacts:
    """What picking frames needs to know of a file.

    Attributes:
        frames: number of frames.
        fps: mean frames per second.
    """

    frames: int
    fps: float


class OpenRecording(Protocol):
    """A recording that is being read."""

    @property
    def facts(self) -> VideoFacts:
        """What the file holds."""
        ...

    def windows(self, wanted: Sequence[Sequence[int]]) -> Iterator[Frames | UnansweredError]:
        """Yield the frames of each window in order, or why they cannot be had; the rest goes on.

        Args:
            wanted: for each window the numbers of its frames, ascending; windows are in order of their start
                and may overlap.
        """
        ...


class FrameReader(Protocol):
    """Opens recordings."""

    def open(self, path: str) -> AbstractContextManager[OpenRecording]:
        """Open a recording for one pass over its windows.

        Raises:
            UnansweredError: the file cannot be used.
        """
        ...


class DecordReader:
    """Reads with decord, frame for frame as lmms-eval's Qwen classes do, but opens a file only once.

    Pictures of a width that decord refuses are read with PyAV, the same frames by number.
    """

    @contextmanager
    def open(self, path: str) -> Iterator[OpenRecording]:
        """Open a recording.

        Raises:
            UnansweredError: the file is missing or decord cannot read it.
        """
        import decord

        name = Path(path).name
        if not Path(path).is_file():
            raise UnansweredError(f"{name} does not exist: check the path in recordings.csv")
        try:
            video = decord.VideoReader(path)
        except (decord.DECORDError, RuntimeError, OSError):
            raise UnansweredError(
                f"{name} is not a video that can be read; replace it or export it again"
            ) from None
        yield _DecordRecording(video, Path(path))


class _DecordRecording:
    def __init__(self, video: Any, path: Path) -> None:
        self._video, self._path = video, path
        self.facts = VideoFacts(len(video), float(video.get_avg_fps()))

    def windows(self, wanted: Sequence[Sequence[int]]) -> Iterator[Frames | UnansweredError]:
        import decord

        for numbers in wanted:
            try:
                yield np.asarray(self._video.get_batch(list(numbers)).asnumpy(), dtype=np.uint8)
            except (decord.DECORDError, RuntimeError, IndexError) as error:
                reason = str(error).splitlines()[0] if str(error) else type(error).__name__
                if "from_size == to_size" in reason:
                    ((_, read),) = stream_windows(
                        self._path, [WindowRequest(0.0, 0.0, indices=tuple(numbers))]
                    )
                    if not isinstance(read, MediaError):
                        yield read
                        continue
                    reason = str(read)
                yield UnansweredError(
                    f"{self._path.name}: frames {numbers[0]} to {numbers[-1]} cannot be decoded ({reason})"
                )
