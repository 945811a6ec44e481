"""Whether a server takes a window as one video: tried once with a small clip, and counted, not believed.

A server that does not know frames that are picked already may still answer: some show the first frame only, vLLM
without the right flag the first 32. So the prompt tokens of a short, a longer and a full clip are compared: what is
shown must grow with what is sent.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from openai import OpenAIError

from semiology.backends.served.pictures import SentVideo, sent_video
from semiology.backends.served.server import Server, ServerError
from semiology.backends.shared_prefix.questions import UnansweredError

SIDE = 256
"""Side of a picture of the clip, px: large enough that no model's least size hides how many there are."""
LEAST_GROWTH = 0.8
"""Share of the expected prompt tokens that a full clip must have: times of frames are no even number of tokens."""
MEDIA = ("auto", "video", "images")
FLAG = '--media-io-kwargs \'{"video":{"num_frames":-1,"fps":2}}\''


@dataclass(frozen=True)
class MediaForm:
    """How a window is sent.

    Attributes:
        video: as one video; else as one picture after the other.
        timed: whether each request may tell the times of the frames (vLLM with ``--trust-request-mm-kwargs``).
        kept: whether the server keeps a window under its key, so that later questions need not send it again.
        told: for the log.
    """

    video: bool
    timed: bool = False
    kept: bool = False
    told: str = ""


def chosen_form(server: Server, model: str, media: str, frames: int, *, keeps: bool) -> MediaForm:
    """Return how windows of so many frames are sent to a server.

    Args:
        media: ``auto``, ``video`` or ``images``.
        keeps: whether to try if it keeps media under a key (vLLM).

    Raises:
        ServerError: ``video`` was asked for and the server does not take it, or does not show all of it.
    """
    if media == "images":
        return MediaForm(video=False, told="as pictures, as asked for")
    reasons = []
    for timed in (True, False):
        reason = refusal(server, model, frames, timed)
        if not reason:
            kept = keeps and _keeps(server, model, timed)
            times = (
                "each with the times of its frames"
                if timed
                else "at the rate that the server was started with"
            )
            again = "sent once, then named" if kept else "sent with every question"
            return MediaForm(True, timed, kept, f"as video, {times}, {again}")
        reasons.append(reason)
    if media == "video":
        raise ServerError(f"media=video: {reasons[-1]} → leave media= out to send pictures")
    return MediaForm(video=False, told=f"as pictures: {reasons[-1]}")


def refusal(server: Server, model: str, frames: int, timed: bool) -> str:
    """Return why clips cannot be sent as video; empty where they can."""
    short, longer = 2, 4
    full = max(6, frames + frames % 2)
    counts = []
    for number in (short, longer, full):
        try:
            said = server.complete(_request(model, _clip(number), timed))
        except UnansweredError as error:
            return f"the server takes no clip of {number} frames as video: {error}"
        counts.append(int(getattr(getattr(said, "usage", None), "prompt_tokens", 0) or 0))
    step = counts[1] - counts[0]
    if step <= 0:
        return f"clips of {short} and {longer} frames count as {counts[0]} and {counts[1]} tokens: not all are shown"
    if counts[2] - counts[1] < LEAST_GROWTH * step * (full - longer) / (longer - short):
        return (
            f"a clip of {full} frames counts as {counts[2]} tokens where one of {longer} counts as {counts[1]}: not "
            f"all are shown (vLLM shows 32 unless started with {FLAG})"
        )
    return ""


def video_part(video: SentVideo, *, named: bool = False, with_key: bool = False) -> dict[str, Any]:
    """Return a window as a part of a message; ``named`` gives the key in place of the frames."""
    part: dict[str, Any] = {"type": "video_url", "video_url": None if named else {"url": video.as_video}}
    return part | ({"uuid": video.key} if with_key or named else {})


def media_arguments(videos: tuple[SentVideo, ...]) -> dict[str, Any]:
    """Return what tells vLLM the times of the frames."""
    return {"media_io_kwargs": {"video": {"num_frames": -1, **videos[0].facts}}} if videos else {}


def _keeps(server: Server, model: str, timed: bool) -> bool:
    clip = _clip(4)
    try:
        sent = server.complete(_request(model, clip, timed, with_key=True))
        named = server.complete(_request(model, clip, timed, named=True))
        return bool(sent.usage.prompt_tokens == named.usage.prompt_tokens)
    except (UnansweredError, OpenAIError, AttributeError):
        return False


def _clip(frames: int) -> SentVideo:
    """Return a clip of different pictures."""
    rows, columns = np.mgrid[0:SIDE, 0:SIDE]
    pictures = [
        np.stack([(rows + 7 * n) % 256, (columns + 11 * n) % 256, np.full_like(rows, n * 4 % 256)], 2)
        for n in range(frames)
    ]
    facts = {"fps": 2.0, "frames_indices": list(range(frames)), "total_num_frames": frames}
    return sent_video(np.stack(pictures).astype(np.uint8), "jpeg", facts)


def _request(
    model: str, clip: SentVideo, timed: bool, *, named: bool = False, with_key: bool = False
) -> dict[str, Any]:
    content = [video_part(clip, named=named, with_key=with_key), {"type": "text", "text": "Say yes."}]
    return {
        "model": model,
        "messages": [{"role": "user", "content": content}],
        "max_tokens": 1,
        "temperature": 0.0,
        **({"extra_body": media_arguments((clip,))} if timed else {}),
    }
