"""Where frames come from: a small protocol, and two readers that give the same frames.

A reader opens a recording once and yields the frames of all its windows in order. Frames are named by their
number in the file, as decord counts them, which is how lmms-eval's stock classes pick them.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from semiology.backends.shared_prefix.questions import UnansweredError
from semiology.data.media.clips import clip_times, own_rate
from semiology.data.media.frames import DecodeCounts
from semiology.data.media.prefetch import Prefetcher
from semiology.data.media.probe import MediaError, Timeline, display_name, timeline, wrong_moments
from semiology.data.media.streaming import Pictures, WindowRequest, stream_windows

logger = logging.getLogger(__name__)

Frames = NDArray[np.uint8]
"""Pictures of a window, RGB, shape (frames, height, width, 3)."""


@dataclass(frozen=True)
class VideoFacts:
    """What picking frames needs to know of a file: number of frames, and mean frames per second."""

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

        ``wanted`` holds for each window the numbers of its frames, ascending; windows are in order of their start
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


class StreamedReader:
    """Reads a recording in one pass, in a thread ahead of the model.

    The frames are those that decord gives, bit for bit, at a fraction of its memory. Files of which decord would
    show the wrong moments (`probe.wrong_moments`) are read by their true times instead: they count as evenly
    spaced, with the frame on show at each of the even times.

    Args:
        ahead: windows that are read and not yet asked about, at least 1.
        most_bytes: begin no further window while the frames that wait hold so many bytes.
        counts: is added to, where given.
    """

    def __init__(self, ahead: int = 1, most_bytes: int = 2 << 30, counts: DecodeCounts | None = None) -> None:
        self._ahead, self._most_bytes, self._counts = ahead, most_bytes, counts

    @contextmanager
    def open(self, path: str) -> Iterator[OpenRecording]:
        """Open a recording; nothing is decoded before its windows are asked for.

        Raises:
            UnansweredError: the file cannot be used.
        """
        try:
            line = timeline(Path(path))
        except MediaError as error:
            raise UnansweredError(str(error)) from None
        with ExitStack() as running:
            yield _StreamedRecording(self, Path(path), line, running)

    def read(
        self, path: Path, requests: Sequence[WindowRequest], running: ExitStack
    ) -> Iterator[Frames | UnansweredError]:
        """Start to read windows in a thread that ends with ``running``."""
        windows = _in_order(stream_windows(path, requests, counts=self._counts))
        return running.enter_context(Prefetcher(windows, max_items=self._ahead, max_bytes=self._most_bytes))


class _StreamedRecording:
    def __init__(self, reader: StreamedReader, path: Path, line: Timeline, running: ExitStack) -> None:
        self._reader, self._path, self._running = reader, path, running
        self._times: np.ndarray | None = None
        self.facts = VideoFacts(line.info.frames, line.info.index_fps)
        if reason := wrong_moments(line.info):
            logger.info("%s is read by its time stamps: %s", display_name(path), reason)
            rate = own_rate(line.info, line.times_s)
            self._times = clip_times(0.0, line.info.duration_s, rate)
            self.facts = VideoFacts(self._times.size, float(rate))

    def windows(self, wanted: Sequence[Sequence[int]]) -> Iterator[Frames | UnansweredError]:
        """Start to read at once; see :class:`OpenRecording`."""
        fps = self.facts.fps
        requests = []
        for numbers in wanted:
            window = (numbers[0] / fps, numbers[-1] / fps) if numbers else (0.0, 0.0)
            if self._times is None:
                requests.append(WindowRequest(*window, indices=tuple(numbers)))
            else:
                times = tuple(float(self._times[number]) for number in numbers)
                requests.append(WindowRequest(*window, times_s=times))
        return self._reader.read(self._path, requests, self._running)


def _answerable(pictures: Pictures | MediaError) -> Frames | UnansweredError:
    return UnansweredError(str(pictures)) if isinstance(pictures, MediaError) else pictures


def _in_order(windows: Iterator[tuple[int, Pictures | MediaError]]) -> Iterator[Frames | UnansweredError]:
    """Hold back a window until those before it are there: it matters where one lies inside another."""
    waiting: dict[int, Pictures | MediaError] = {}
    following = 0
    try:
        for number, pictures in windows:
            waiting[number] = pictures
            del pictures
            while following in waiting:
                yield _answerable(waiting.pop(following))
                following += 1
    finally:
        windows.close()  # type: ignore[attr-defined]
