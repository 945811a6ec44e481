"""Which frames of a window are shown, and how large: as lmms-eval's stock classes choose them.

For the Qwen family the rules of qwen-vl-utils are called themselves, so that answers equal those of the stock
class; for other models the processor's own sampler is asked. A window with fewer frames than wanted shows all
that it has, where the stock class would fail.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from qwen_vl_utils import vision_process
from torchvision.transforms import InterpolationMode
from torchvision.transforms.functional import resize
from transformers.video_utils import VideoMetadata

from semiology.backends.shared_prefix.frames import Frames, VideoFacts
from semiology.backends.shared_prefix.questions import Medium, UnansweredError


@dataclass(frozen=True)
class Sampling:
    """How a window is sampled; :class:`semiology.backends.semiology_hf.SemiologyHF` describes each argument."""

    fps: float | None = None
    max_num_frames: int = 32
    max_frames: int | None = None
    min_pixels: int | None = None
    max_pixels: int | None = None
    total_pixels: int | None = None

    def __post_init__(self) -> None:
        if self.fps is not None and self.fps <= 0:
            raise ValueError(f"fps={self.fps}: give a rate above 0")
        if self.max_num_frames < 1 or (self.max_frames is not None and self.max_frames < 1):
            raise ValueError("max_num_frames and max_frames must be at least 1")


@dataclass(frozen=True)
class Picked:
    """The frames chosen for a window.

    Attributes:
        numbers: their numbers in the file, ascending.
        first: number of the window's first frame.
        available: how many frames the window holds.
        fps: frames per second of the file.
    """

    numbers: tuple[int, ...]
    first: int
    available: int
    fps: float

    @property
    def shown_fps(self) -> float:
        """Frames shown per second."""
        return len(self.numbers) / self.available * self.fps


def window_range(video: Medium, facts: VideoFacts) -> tuple[int, int]:
    """Return the numbers of the first and the last frame of a window, both inclusive.

    Raises:
        UnansweredError: the window holds fewer than two frames, or the file none.
    """
    times = {"video_start": video.start_s, "video_end": video.end_s}
    asked = {name: time for name, time in times.items() if time is not None}
    try:
        first, last, _ = vision_process.calculate_video_frame_range(asked, facts.frames, facts.fps)
    except ValueError:
        raise UnansweredError(
            f"the window from {video.start_s or 0:.2f} s to "
            f"{'the end' if video.end_s is None else f'{video.end_s:.2f} s'} holds fewer than two of the "
            f"{facts.frames} frames at {facts.fps:.3g} a second"
        ) from None
    return first, last


def pick_as_qwen(video: Medium, facts: VideoFacts, sampling: Sampling, cap_with_fps: bool) -> Picked:
    """Return the frames that qwen-vl-utils picks.

    With ``cap_with_fps`` the ``max_num_frames`` also cap the frames where ``fps`` is given (Qwen3-VL).

    Raises:
        UnansweredError: the window holds fewer than two frames.
    """
    first, last = window_range(video, facts)
    available = last - first + 1
    element: dict[str, Any] = {}
    if sampling.fps is None or video.frames is not None:
        even = min(video.frames or sampling.max_num_frames, available) // vision_process.FRAME_FACTOR
        element["nframes"] = max(1, even) * vision_process.FRAME_FACTOR
    else:
        caps = [sampling.max_frames, sampling.max_num_frames if cap_with_fps else None]
        given = [cap for cap in caps if cap is not None]
        element |= {"fps": sampling.fps} | ({"max_frames": min(given)} if given else {})
    try:
        count = vision_process.smart_nframes(element, available, facts.fps)
    except ValueError as error:
        raise UnansweredError(f"the window's {available} frames cannot be sampled: {error}") from None
    numbers = torch.linspace(first, last, count).round().long().tolist()
    return Picked(tuple(numbers), first, available, facts.fps)


def pick_with_processor(video: Medium, facts: VideoFacts, sampling: Sampling, processor: Any) -> Picked:
    """Return the frames that a processor's own sampler picks from the window, evenly spread ones without a processor.

    Raises:
        UnansweredError: the window holds fewer than two frames.
    """
    first, last = window_range(video, facts)
    available = last - first + 1
    count = video.frames or sampling.max_num_frames
    if sampling.fps is not None and video.frames is None:
        count = max(1, int(available / facts.fps * sampling.fps))
        count = count if sampling.max_frames is None else min(count, sampling.max_frames)
    count = min(count, available)
    metadata = VideoMetadata(available, fps=facts.fps, duration=available / facts.fps)
    # A sampler that takes the lesser of number and rate is given the file's rate, so that the number counts.
    rate = {"fps": facts.fps} if type(processor).__name__ == "SmolVLMProcessor" else {}
    chosen = np.linspace(0, available - 1, count).round()
    if processor is not None:
        # A sampler that needs other arguments leaves the frames evenly spread.
        with suppress(ValueError, TypeError):
            chosen = processor.video_processor.sample_frames(metadata, num_frames=count, **rate)
    numbers = np.unique(np.asarray(chosen, dtype=np.int64).clip(0, available - 1)) + first
    return Picked(tuple(int(number) for number in numbers), first, available, facts.fps)


def resize_as_qwen(frames: Frames, sampling: Sampling, patch_size: int) -> torch.Tensor:
    """Return frames resized as ``qwen_vl_utils.fetch_video`` does, within the limits on pixels.

    ``frames`` are uint8 of shape (frames, height, width, 3), ``patch_size`` is the side of a patch of the vision
    tower, px. The result is float32 of shape (frames, 3, new height, new width), values 0 to 255.
    """
    factor = patch_size * vision_process.SPATIAL_MERGE_SIZE
    pictures = torch.from_numpy(frames).permute(0, 3, 1, 2)
    count, _, height, width = pictures.shape
    least = sampling.min_pixels or vision_process.VIDEO_MIN_TOKEN_NUM * factor**2
    budget = sampling.total_pixels or vision_process.MODEL_SEQ_LEN * factor**2 * 0.9
    share = min(vision_process.VIDEO_MAX_TOKEN_NUM * factor**2, budget / count * vision_process.FRAME_FACTOR)
    most = max(share, int(least * 1.05))
    most = min(sampling.max_pixels or most, most)
    size = vision_process.smart_resize(height, width, factor=factor, min_pixels=least, max_pixels=most)
    resized = resize(pictures, list(size), interpolation=InterpolationMode.BICUBIC, antialias=True)
    return torch.as_tensor(resized).float()
