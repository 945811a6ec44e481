"""Several recordings streamed in turn, for the tests of streaming and of reading ahead."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from semiology.data.media.frames import DecodeCounts
from semiology.data.media.probe import MediaError
from semiology.data.media.streaming import Pictures, WindowRequest, stream_windows


def stream_recordings(
    jobs: Iterable[tuple[Path, Sequence[WindowRequest]]],
    *,
    counts: DecodeCounts | None = None,
) -> Iterator[tuple[int, int, Pictures | MediaError]]:
    """Yield the windows of one recording after another; see `stream_windows`.

    Yields:
        The place of the recording in ``jobs``, the place of the window in its requests, and its frames
        or the reason why there are none.
    """
    for recording, (path, requests) in enumerate(jobs):
        for number, pictures in stream_windows(path, requests, counts=counts):
            yield recording, number, pictures
