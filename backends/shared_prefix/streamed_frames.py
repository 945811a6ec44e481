"""Frames from one pass over a recording, read ahead in a thread while the model answers.

The frames are those that decord gives, bit for bit, at a fraction of its memory. Files of which decord would
show the wrong moments (`probe.wrong_moments`) are read by their true times instead: they count
as evenly spaced, with the frame on show at each of the even times.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

import numpy as np

from semiology.backends.shared_prefix.frames import Frames, OpenRecording, VideoFacts
from semiology.backends.shared_prefix.questions import UnansweredError
from semiology.data.media.clips import clip_times, own_rate
from semiology.data.media.frames import DecodeCounts
from semiology.data.media.prefetch import Prefetcher
from semiology.data.media.probe import MediaError, Timeline, display_name, timeline, wrong_moments
from semiology.data.media.streaming import Pictures, WindowRequest, stream_windows

logger = logging.getLogger(__name__)


class StreamedReader:
    """Opens recordings; the reader for :class:`semiology.backends.shared_prefix.engine.SharedPrefixEngine`.

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
    ) -> Iterator[tuple[int, Pictures | MediaError]]:
        """Start to read windows in a thread that ends with ``running``."""
        windows = _in_order(stream_windows(path, requests, counts=self._counts))
        ahead = Prefetcher(windows, max_items=self._ahead, max_bytes=self._most_bytes)
        return running.enter_context(ahead)


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
        return map(_answerable, self._reader.read(self._path, requests, self._running))


def _answerable(item: tuple[int, Pictures | MediaError]) -> Frames | UnansweredError:
    pictures = item[1]
    return UnansweredError(str(pictures)) if isinstance(pictures, MediaError) else pictures


def _in_order(
    windows: Iterator[tuple[int, Pictures | MediaError]],
) -> Iterator[tuple[int, Pictures | MediaError]]:
    """Hold back a window until those before it are there: it matters where one lies inside another."""
    waiting: dict[int, Pictures | MediaError] = {}
    following = 0
    try:
        for number, pictures in windows:
            waiting[number] = pictures
            del pictures
            while following in waiting:
                yield following, waiting.pop(following)
                following += 1
    finally:
        windows.close()  # type: ignore[attr-defined]
