"""Cut a recording's time line into the windows that the published protocol asks a model about.

A segment is a time window on a file; no media are copied.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from semiology.data.media.probe import MediaInfo

TOLERANCE_S = 1e-6
"""Times that differ by less are the same, s; no recorder's clock is finer."""

MIN_FRAMES = 2
"""Fewest frames of the recording in a segment: video models merge frames in pairs."""


LONGEST_RECORDING_S = 3 * 3600.0


@dataclass(frozen=True)
class Segment:
    """The window ``start_s`` to ``end_s`` of a recording, s from its first frame; ``index`` counts from 0."""

    index: int
    start_s: float
    end_s: float

    @property
    def duration_s(self) -> float:
        """Length of the window, s."""
        return self.end_s - self.start_s


@dataclass(frozen=True)
class SlidingWindow:
    """The ``sliding_window`` protocol: overlapping windows of fixed length over the whole recording.

    The last window ends with the recording; it is kept if it holds more than the overlap, since it
    would otherwise show nothing new. A recording shorter than a window is one window.

    Attributes:
        window_s: length of a window, s.
        overlap_s: what a window shares with the one before, s.
        fps: sampling rate, frames per s.
        max_frames: most frames sampled from one window.

    Raises:
        ValueError: a parameter out of its range.
    """

    window_s: float = 30.0
    overlap_s: float = 5.0
    fps: float = 2.0
    max_frames: int = 60

    def __post_init__(self) -> None:
        check_sampling(self.fps, self.max_frames)
        if not (math.isfinite(self.window_s) and self.window_s > 0):
            raise ValueError(f"window_s must be a finite number above 0, not {self.window_s}")
        if not 0 <= self.overlap_s < self.window_s:
            raise ValueError(
                f"overlap_s must be at least 0 and below window_s ({self.window_s}), not {self.overlap_s}"
            )

    def segments(self, duration_s: float) -> tuple[Segment, ...]:
        """Return the windows of a recording of this length, in order of time.

        Raises:
            ValueError: the length is not above 0.
        """
        check_duration(duration_s)
        window, step = _exact(self.window_s), _exact(self.window_s) - _exact(self.overlap_s)
        left = _exact(duration_s) - window - _exact(TOLERANCE_S)
        count = 1 + max(0, math.ceil(left / step))
        starts = [float(index * step) for index in range(count)]
        ends = [float(index * step + window) for index in range(count - 1)] + [duration_s]
        return tuple(Segment(i, start, end) for i, (start, end) in enumerate(zip(starts, ends, strict=True)))

    def n_frames(self, segment: Segment) -> int:
        """Return how many frames are sampled from a segment, at least 1."""
        wanted = math.ceil((segment.duration_s - TOLERANCE_S) * self.fps)
        return min(self.max_frames, max(1, wanted))


def check_sampling(fps: float, max_frames: int) -> None:
    """Raise ValueError where no model can be shown so many frames per s, or so few at most."""
    if not (math.isfinite(fps) and fps > 0):
        raise ValueError(f"fps must be a finite number above 0, not {fps}")
    if max_frames < MIN_FRAMES:
        raise ValueError(f"max_frames must be at least {MIN_FRAMES}, not {max_frames}")


def check_duration(duration_s: float) -> None:
    """Raise ValueError where the length of a recording, in s, is not above 0."""
    if not (math.isfinite(duration_s) and duration_s > 0):
        raise ValueError(f"the recording's duration must be above 0 s, not {duration_s}")


def _exact(value: float) -> Fraction:
    """Return the number as written in decimal, so that 0.3 - 0.1 is 0.2."""
    return Fraction(repr(float(value)))


STANDARD = SlidingWindow()
"""30 s windows, at most 60 frames: all models but Qwen3."""

QWEN3 = SlidingWindow(window_s=60.0, max_frames=120)
"""60 s windows, at most 120 frames: Qwen3 models."""


def unusable_reason(segment: Segment, info: MediaInfo) -> str | None:
    """Say why no video model can be asked about a segment, or None where one can.

    Readers by frame number take frames ``ceil(start * fps)`` to ``floor(end * fps)``, both included, and
    fail where these are fewer than two. Such segments are to be counted as excluded.
    """
    if segment.start_s >= info.duration_s or segment.end_s > info.duration_s + TOLERANCE_S:
        return (
            f"the window {segment.start_s:.2f}-{segment.end_s:.2f} s lies outside the recording "
            f"({info.duration_s:.2f} s)"
        )
    first = math.ceil(segment.start_s * info.fps)
    last = min(math.floor(segment.end_s * info.fps), info.frames - 1)
    held = max(0, last - first + 1)
    if held < MIN_FRAMES:
        return (
            f"the window holds {held} frame(s) at {info.fps:.3g} frames per second; {MIN_FRAMES} are needed"
        )
    return None


def too_long(name: str, duration_s: float) -> str | None:
    """Say why a recording is too long to be one event, or None if it is not; ``name`` is its file's."""
    if duration_s <= LONGEST_RECORDING_S:
        return None
    return (
        f"{name}: {duration_s / 3600:.1f} h long, more than the {LONGEST_RECORDING_S / 3600:.0f} h that one "
        "seizure recording can last; cut it to the event and name the cut file in recordings.csv"
    )
