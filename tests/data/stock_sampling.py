"""Which frames of a window qwen-vl-utils picks, so that tests can compare our readers with the stock classes.

Stock classes hand the window to qwen-vl-utils, which opens the file with decord and picks frames by number.
Two rules follow, named by `Rule`:

- ``decord``: for files whose frames are evenly spaced (`probe.needs_clip` finds nothing), the
  very numbers that decord is asked for;
- ``timestamp``: for all others decord would show the wrong moments, so stock classes are handed a clip with
  evenly spaced frames (`clips.clip`). Here the recording's own frames are taken at the times
  of the clip's frames that decord would be asked for, without encoding anything again.

The arithmetic is that of the installed qwen-vl-utils, called and not repeated.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from semiology.data.media.clips import clip_times, own_rate
from semiology.data.media.probe import MediaError, display_name, needs_clip, timeline
from semiology.data.media.streaming import WindowRequest

Rule = Literal["decord", "timestamp"]


@dataclass(frozen=True)
class StockSample:
    """What qwen-vl-utils picks from a window.

    Attributes:
        indices: numbers of the frames, counted from 0 in the file that decord reads.
        video_fps: the file's frame rate as decord gives it, frames per s.
        total_frames: frames of that file in the window, which qwen-vl-utils hands on as ``total_num_frames``.
        sample_fps: rate of the picked frames, frames per s.
    """

    indices: tuple[int, ...]
    video_fps: float
    total_frames: int
    sample_fps: float


@dataclass(frozen=True)
class StockWindow:
    """The frames of a window as a stock model class would be shown them.

    Attributes:
        request: what to read, for `semiology.data.media.streaming.stream_windows`.
        sample: what was picked; its indices are those of the clip where the rule is ``timestamp``.
        rule: how the frames are found.
        reason: why not by decord's numbers; None where the rule is ``decord``.
    """

    request: WindowRequest
    sample: StockSample
    rule: Rule
    reason: str | None


def stock_window(path: Path, start_s: float, end_s: float, **sampling: float | None) -> StockWindow:
    """Say which frames of a window of a recording to read, so that a stock class would see the same moments.

    Args:
        path: the recording.
        start_s: start of the window, s from the first frame.
        end_s: its end, s.
        sampling: ``fps`` or ``nframes``, ``min_frames``, ``max_frames``, as in qwen-vl-utils; None or left
            out takes its default (2 frames per s, at least 4, at most 768).

    Raises:
        MediaError: the file cannot be used, or the window holds fewer frames than are asked for.
    """
    line = timeline(path)
    reason = needs_clip(line.info)
    if reason is None:
        picked = stock_sample(
            line.info.frames, line.info.index_fps, start_s, end_s, name=display_name(path), **sampling
        )
        return StockWindow(WindowRequest(start_s, end_s, indices=picked.indices), picked, "decord", None)
    rate = own_rate(line.info, line.times_s)
    times = clip_times(start_s, min(end_s, line.info.duration_s), rate)
    picked = stock_sample(times.size, float(rate), None, None, name=display_name(path), **sampling)
    chosen = tuple(float(times[index]) for index in picked.indices)
    return StockWindow(WindowRequest(start_s, end_s, times_s=chosen), picked, "timestamp", reason)


def decord_indices(path: Path, start_s: float, end_s: float, **sampling: float | None) -> tuple[int, ...]:
    """Return the numbers of the frames that qwen-vl-utils asks decord for; ``sampling`` as in `stock_window`.

    These hold whatever the file is; where `needs_clip` names a reason, decord shows other moments by them.

    Raises:
        MediaError: the file cannot be used, or the window holds fewer frames than are asked for.
    """
    line = timeline(path)
    frames = line.info.frames + line.info.hidden_frames
    name = display_name(path)
    return stock_sample(frames, line.info.index_fps, start_s, end_s, name=name, **sampling).indices


def stock_sample(
    frames: int,
    video_fps: float,
    start_s: float | None,
    end_s: float | None,
    /,
    *,
    name: str = "the file",
    **sampling: float | None,
) -> StockSample:
    """Return what qwen-vl-utils 0.0.14 (``_read_video_decord``) picks from a file of so many frames.

    Args:
        frames: frames that decord counts in the file.
        video_fps: the rate that it gives, frames per s.
        start_s: start of the window, s; None for the whole file.
        end_s: its end, s; None for the whole file.
        name: the file, for messages.
        sampling: as in `stock_window`.

    Raises:
        MediaError: the window holds fewer frames than are asked for.
        TypeError: a parameter of ``sampling`` does not exist.
    """
    import torch
    from qwen_vl_utils.vision_process import calculate_video_frame_range, smart_nframes

    element = _element(start_s, end_s, sampling)
    try:
        first, last, held = calculate_video_frame_range(element, frames, video_fps)
        count = smart_nframes(element, total_frames=held, video_fps=video_fps)
    except ValueError:
        window = f"{start_s:.2f}-{end_s:.2f} s" if start_s is not None and end_s is not None else "whole"
        wanted = f"{sampling['nframes']:g} are" if sampling.get("nframes") else "at least 2 are"
        raise MediaError(
            f"{name}, window {window}: it holds fewer frames than asked for at {video_fps:.3g} frames per "
            f"second ({wanted} needed): ask for fewer, or for a longer window"
        ) from None
    # In single precision, as there: another precision rounds some halves the other way.
    indices = torch.linspace(first, last, count).round().long().tolist()
    return StockSample(tuple(indices), video_fps, held, count / max(held, 1e-6) * video_fps)


def _element(start_s: float | None, end_s: float | None, sampling: dict[str, float | None]) -> dict[str, Any]:
    unknown = sampling.keys() - {"fps", "nframes", "min_frames", "max_frames"}
    if unknown:
        raise TypeError(f"qwen-vl-utils samples by fps, nframes, min_frames, max_frames, not {min(unknown)}")
    given = {key: value for key, value in sampling.items() if value is not None}
    window = {"video_start": start_s, "video_end": end_s}
    return {**given, **{key: value for key, value in window.items() if value is not None}}
