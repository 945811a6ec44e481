"""The published sampling protocols that show one part of a recording once: ``event_clip``, ``onset_clip``
and ``whole_video``. Each says which part, and at how many frames per s.

Source: arXiv 2605.21852, Section 3.3.2 and Appendix H. The protocol that slides is in ``sliding.py``.
"""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass
from typing import Literal

from semiology.data.windows.sliding import MIN_FRAMES, TOLERANCE_S, Segment, check_duration, check_sampling

ClipForm = Literal["centred", "random"]
FORMS: tuple[ClipForm, ...] = ("centred", "random")
WHOLE = "whole"
"""The third form in which an onset is asked for: the whole recording (`WholeVideo`; Table 30)."""

SEEN_AFTER_S = 2.0
"""A randomly placed clip shows at least this much after the onset, s: what is asked for must be in view."""

_RATE_STEP = 1000
"""Frame rates are rounded down to 1/1000 per s, so that no rounding adds a frame to the most allowed."""


@dataclass(frozen=True)
class EventClip:
    """The ``event_clip`` protocol: the annotated interval of an event.

    Attributes:
        fps: sampling rate, frames per s.
        max_frames: most frames; a longer interval is sampled evenly with so many.

    Raises:
        ValueError: a parameter out of its range.
    """

    fps: float = 1.0
    max_frames: int = 60

    def __post_init__(self) -> None:
        check_sampling(self.fps, self.max_frames)

    def segment(self, onset_s: float, offset_s: float, duration_s: float) -> Segment:
        """Return the interval, cut to the recording; all times in s.

        An interval in which the protocol's rate gives fewer than two frames is widened on both sides, since
        video models merge frames in pairs (a departure from the paper, which does not speak of this).

        Raises:
            ValueError: the event ends before it starts, or starts after the recording.
        """
        if not 0 <= onset_s <= offset_s or onset_s >= duration_s:
            raise ValueError(f"no event from {onset_s} to {offset_s} s in a recording of {duration_s} s")
        shortest = min(duration_s, MIN_FRAMES / self.fps)
        start, end = onset_s, min(offset_s, duration_s)
        lacking = max(0.0, shortest - (end - start))
        start = min(max(0.0, start - lacking / 2), duration_s - max(shortest, end - start))
        return Segment(0, start, max(end, start + shortest))

    def rate(self, segment: Segment) -> float:
        """Return the rate at which the clip is sampled, frames per s."""
        return _rate(segment, self.fps, self.max_frames)


@dataclass(frozen=True)
class OnsetClip:
    """The ``onset_clip`` protocol: a clip of fixed length that holds an onset (or another point in time).

    ``centred`` is the published form: the onset lies in the middle, unless the recording begins or ends too
    near to it. Whoever always answers "half of the length" is then right. ``random`` draws the place of the
    onset evenly over all places that the recording allows, from ``seed`` and the name of the question alone.
    A recording not longer than the clip is shown whole in both forms.

    Attributes:
        form: where the onset lies.
        length_s: length of the clip, s.
        fps: sampling rate, frames per s.
        max_frames: most frames.
        seed: of the random form.

    Raises:
        ValueError: a parameter out of its range.
    """

    form: ClipForm = "centred"
    length_s: float = 60.0
    fps: float = 1.0
    max_frames: int = 60
    seed: int = 0

    def __post_init__(self) -> None:
        check_sampling(self.fps, self.max_frames)
        if self.form not in FORMS:
            raise ValueError(f"form must be one of {', '.join(FORMS)}, not {self.form!r}")
        if not (math.isfinite(self.length_s) and self.length_s > 2 * SEEN_AFTER_S):
            raise ValueError(f"length_s must be above {2 * SEEN_AFTER_S}, not {self.length_s}")

    def segment(self, onset_s: float, duration_s: float, name: str) -> Segment:
        """Return the clip; the onset's place in it is ``onset_s - segment.start_s``.

        Args:
            onset_s, duration_s: the point in time that is asked for, and the length of the recording, s.
            name: of the question (recording and feature); the random form depends on it.

        Raises:
            ValueError: the onset lies outside the recording.
        """
        if not 0 <= onset_s <= duration_s + TOLERANCE_S:
            raise ValueError(f"no onset at {onset_s} s in a recording of {duration_s} s")
        latest = duration_s - self.length_s
        if latest <= TOLERANCE_S:
            return Segment(0, 0.0, duration_s)
        if self.form == "centred":
            start = min(max(0.0, onset_s - self.length_s / 2), latest)
        else:
            low = max(0.0, onset_s + SEEN_AFTER_S - self.length_s)
            high = min(onset_s, latest)
            low = min(low, high)
            digest = hashlib.sha256(f"{self.seed}/{name}".encode()).digest()
            drawn = int.from_bytes(digest[:6], "big") / 2**48  # from 0 to 1, by the name alone
            start = low + drawn * (high - low)
        start = min(round(start, 1), latest)
        return Segment(0, start, start + self.length_s)

    def rate(self, segment: Segment) -> float:
        """Return the rate at which the clip is sampled, frames per s."""
        return _rate(segment, self.fps, self.max_frames)


@dataclass(frozen=True)
class WholeVideo:
    """The ``whole_video`` protocol: ``max_frames`` frames evenly over the whole recording."""

    max_frames: int = 60

    def __post_init__(self) -> None:
        check_sampling(1.0, self.max_frames)

    def segment(self, duration_s: float) -> Segment:
        """Return the whole recording as one segment.

        Raises:
            ValueError: the length is not above 0.
        """
        check_duration(duration_s)
        return Segment(0, 0.0, duration_s)

    def rate(self, segment: Segment) -> float:
        """Return the rate at which the recording is sampled, frames per s."""
        return _rate(segment, math.inf, self.max_frames)


def _rate(segment: Segment, fps: float, max_frames: int) -> float:
    """Return the smaller of ``fps`` and what gives ``max_frames`` frames over the segment."""
    most = max_frames / segment.duration_s
    if most >= fps:
        return fps
    return max(1, math.floor(most * _RATE_STEP)) / _RATE_STEP
