"""Pictures of windows at training size: each film is decoded once, and what came of it is kept on the disk."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from semiology.backends.supervised.recipe import MIDDLE_GREY, Recipe
from semiology.data.cache import cache_directory, content_digest, private_folder, written_whole
from semiology.data.media.probe import MediaError
from semiology.data.media.streaming import Pictures, WindowRequest, stream_windows

VERSION = 1
"""To be raised when the same window would give other pictures."""
_LAST_FRAME_S = 1e-3


def frame_times(start_s: float, end_s: float, recipe: Recipe) -> tuple[float, ...]:
    """Return the times, s, of the pictures of a window, or of a part of one.

    They lie in the middles of equal parts, or, with ``recipe.fps``, come at that rate from the beginning, and the last
    one is repeated where the window is too short.

    >>> frame_times(10.0, 14.0, Recipe(frames=4))
    (10.5, 11.5, 12.5, 13.5)
    >>> frame_times(10.0, 11.0, Recipe(frames=4, fps=2.0))
    (10.0, 10.5, 10.5, 10.5)
    """
    if recipe.fps <= 0:
        step = (end_s - start_s) / recipe.frames
        return tuple(start_s + (number + 0.5) * step for number in range(recipe.frames))
    inside = [start_s + number / recipe.fps for number in range(recipe.frames)]
    inside = [time for time in inside if time < end_s - _LAST_FRAME_S] or [start_s]
    return (*inside, *[inside[-1]] * (recipe.frames - len(inside)))


def parts_of(start_s: float, end_s: float, recipe: Recipe) -> tuple[tuple[float, float], ...]:
    """Return begin and end, s, of the equal parts of a window that the network sees one by one.

    >>> parts_of(0.0, 30.0, Recipe(clips=3))
    ((0.0, 10.0), (10.0, 20.0), (20.0, 30.0))
    """
    step = (end_s - start_s) / recipe.clips
    return tuple((start_s + number * step, start_s + (number + 1) * step) for number in range(recipe.clips))


def fitted(picture: Pictures, size: int, *, squash: bool) -> Pictures:
    """Return a picture, shape (height, width, 3), as a square of ``size`` px: between black bars, or squashed."""
    height, width = picture.shape[:2]
    scale = size / max(height, width)
    wide, high = (size, size) if squash else (max(1, round(width * scale)), max(1, round(height * scale)))
    how = cv2.INTER_AREA if wide <= width and high <= height else cv2.INTER_LINEAR
    small = cv2.resize(picture, (wide, high), interpolation=how)
    square = np.zeros((size, size, 3), np.uint8)
    top, left = (size - high) // 2, (size - wide) // 2
    square[top : top + high, left : left + wide] = small
    return square


def differences(pictures: Pictures, clips: int, unread: Collection[int] = ()) -> Pictures:
    """Return pictures as what differs from the median picture of their segment, around middle grey.

    What stays where it is, such as bed, room and skin, vanishes; what left its place for less than half of the segment
    shows. A change by more than half of the range is cut off.

    Args:
        pictures: uint8, shape (windows, frames, size, size, 3); every ``clips`` of them are one segment.
        unread: places of windows that could not be read; they stay black and count in no median.
    """
    found = np.zeros_like(pictures)
    for first in range(0, len(pictures), clips):
        own = [place for place in range(first, min(first + clips, len(pictures))) if place not in unread]
        if own:
            shown = pictures[own].astype(np.int16)
            usual = np.median(shown, axis=(0, 1)).astype(np.int16)
            found[own] = np.clip(shown - usual + MIDDLE_GREY, 0, 255).astype(np.uint8)
    return found


def window_pictures(
    video: Path, windows: Sequence[tuple[float, float]], recipe: Recipe
) -> tuple[Pictures, Mapping[int, str]]:
    """Return the pictures of a film's windows (start and end, s), and why some cannot be read, by place.

    They are taken from the cache, or decoded in one pass and kept there; a film with a fault is decoded each time.
    For ``recipe.difference`` the windows are the parts of segments (`parts_of`), segment after segment.

    Returns:
        uint8, shape (windows, frames, size, size, 3), mapped from the disk; black where a window cannot be read.

    Raises:
        OSError: the film is gone, or the cache cannot be written.
    """
    cache = cache_directory()
    told: dict[str, Any] = {"version": VERSION, "film": content_digest(video, cache), **recipe.sampling}
    told["windows"] = [list(each) for each in windows]
    name = hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()
    file = cache / "training_frames" / f"{name}.npy"
    if file.exists():
        try:
            return np.load(file, mmap_mode="r", allow_pickle=False), {}
        except (ValueError, EOFError):  # not ours, or damaged: made again
            file.unlink(missing_ok=True)
    shape = (len(windows), recipe.frames, recipe.size, recipe.size, 3)
    pictures = np.zeros(shape, np.uint8)
    faults: dict[int, str] = {}
    asked = [WindowRequest(start, end, frame_times(start, end, recipe)) for start, end in windows]
    for place, found in stream_windows(video, asked):
        if isinstance(found, MediaError):
            faults[place] = str(found)
            continue
        for number, picture in enumerate(found):
            pictures[place, number] = fitted(picture, recipe.size, squash=recipe.squash)
    if recipe.difference:
        pictures = differences(pictures, recipe.clips, faults)
    if not faults:
        private_folder(file.parent)
        with written_whole(file) as unfinished, unfinished.open("wb") as stream:
            np.save(stream, pictures, allow_pickle=False)
    return pictures, faults
