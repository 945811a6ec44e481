"""Which frames of a video one question is about: evenly over the whole, or window after window.

Dense: the stride is ``round(video fps / sampling fps)`` frames, at least 1, so a window of 8 frames at 15 a second is
0.533 s at 60 and 30 fps, but 0.560 s at 100 and 0.396 s at 20.2; the true times stand in every question. Windows begin
at frame 0; the last is cut at the end and may hold fewer frames.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Sampling:
    """How a task samples a video.

    Attributes:
        frames: frames of a window, or of the whole video.
        fps: frames a second of dense windows; None for ``frames`` evenly over the video.
        overlap: frames that neighbouring windows share.
    """

    frames: int
    fps: float | None = None
    overlap: int = 0

    def __post_init__(self) -> None:
        if self.frames < 1 or not 0 <= self.overlap < self.frames or (self.fps is not None and self.fps <= 0):
            raise ValueError(
                f"sampling {self}: give at least one frame, a rate above 0 and an overlap below the frames"
            )

    @property
    def name(self) -> str:
        """``15_8`` for 8 frames at 15 a second, ``uniform_8`` for 8 over the video."""
        head = "uniform" if self.fps is None else f"{self.fps:g}"
        return f"{head}_{self.frames}" + (f"_{self.overlap}" if self.overlap else "")


@dataclass(frozen=True)
class FrameWindow:
    """One window.

    Attributes:
        number: from 0.
        numbers: the frames that are shown, counted from 0 in the file.
        start_s, end_s: its true times; the next window begins at ``end_s`` unless they overlap.
    """

    number: int
    numbers: tuple[int, ...]
    start_s: float
    end_s: float


def stride(video_fps: float, sampling_fps: float) -> int:
    """Return every how many frames one is taken.

    >>> [stride(rate, 15) for rate in (20.2, 30, 60, 100)]
    [1, 2, 4, 7]
    """
    return max(1, round(video_fps / sampling_fps))


def windows(frames: int, video_fps: float, sampling: Sampling) -> list[FrameWindow]:
    """Return the windows of a video; a single one over the whole with uniform sampling.

    Args:
        frames: of the video. video_fps: its rate.
        sampling: how to sample.

    >>> [len(window.numbers) for window in windows(120, 60, Sampling(8, 15))]
    [8, 8, 8, 6]
    """
    if frames < 1:
        return []
    if sampling.fps is None:
        spread = np.linspace(0, frames - 1, min(sampling.frames, frames)).round().astype(int)
        return [FrameWindow(0, tuple(spread.tolist()), 0.0, frames / video_fps)]
    step = stride(video_fps, sampling.fps)
    found = []
    for number, first in enumerate(range(0, frames, (sampling.frames - sampling.overlap) * step)):
        shown = tuple(range(first, min(first + sampling.frames * step, frames), step))
        end = min(first + sampling.frames * step, frames)
        found.append(FrameWindow(number, shown, first / video_fps, end / video_fps))
    return found


def parse_sampling(text: str) -> Sampling:
    """Read ``15_8``, ``15_8_2`` (overlap) or ``uniform_8``.

    Raises:
        ValueError: it is none of these.
    """
    parts = text.split("_")
    try:
        rate = None if parts[0] == "uniform" else float(parts[0])
        return Sampling(int(parts[1]), rate, int(parts[2]) if len(parts) > 2 else 0)
    except (ValueError, IndexError):
        raise ValueError(
            f"sampling {text!r}: write FPS_FRAMES, FPS_FRAMES_OVERLAP or uniform_FRAMES, such as 15_8"
        ) from None
