"""What a model is sent about a window: its frames, then the question. One prefix serves both questions on a window."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from semiology.data.cache import cache_directory
from semiology.data.media.clips import clip
from semiology.data.media.frames import check_window
from semiology.tasks import TASK_FOLDER

Document = Mapping[str, Any]
MediaForm = Mapping[str, Any] | None


def task_settings(task: str) -> Mapping[str, Any]:
    """Return what a task's YAML and the shared part say, such as generation settings."""
    found: dict[str, Any] = {}
    for name in ("_strokerehab", f"{task}.yaml"):
        text = (TASK_FOLDER / "strokerehab" / name).read_text(encoding="utf-8")
        # functions are named by tags that only lmms-eval resolves
        found |= yaml.safe_load(text.replace("!function ", ""))
    return found


def doc_to_text(document: Document, lmms_eval_specific_kwargs: MediaForm = None) -> str:
    """Return the prompt exactly as it is sent; neither the video's id nor its window is in it."""
    del lmms_eval_specific_kwargs
    return str(document["question"])


def doc_to_messages(document: Document, lmms_eval_specific_kwargs: MediaForm = None) -> list[dict[str, Any]]:
    """Return the chat messages for one window: one user turn, the video before the text.

    ``frames`` is understood by ``semiology_hf``, which then shows exactly the frames of the window whatever its own
    arguments; other classes ignore it and need ``max_num_frames`` (or its like) set to the frames of the task.

    Raises:
        MediaError: the window cannot be read.
    """
    form = lmms_eval_specific_kwargs or {}
    if form.get("window", "native") == "clip" or document["cut_first"]:
        video: dict[str, Any] = {"type": "video", "url": str(_cut(document)), "frames": document["frames"]}
    else:
        if form.get("damage", "told") != "told":
            check_window(Path(document["video"]), document["show_start_s"], document["show_end_s"])
        video = {
            "type": "video",
            "url": document["video"],
            "start_time": document["show_start_s"],
            "end_time": document["show_end_s"],
            "frames": document["frames"],
        }
    return [{"role": "user", "content": [video, {"type": "text", "text": doc_to_text(document)}]}]


def doc_to_visual(document: Document, lmms_eval_specific_kwargs: MediaForm = None) -> list[str]:
    """Return the path of the window as a file of its own, for a model of the simple protocol.

    Raises:
        MediaError: the window cannot be read.
    """
    del lmms_eval_specific_kwargs
    return [str(_cut(document))]


def _cut(document: Document) -> Path:
    return clip(
        Path(document["video"]),
        document["clip_start_s"],
        document["clip_end_s"],
        document["clip_fps"],
        cache_directory() / "clips",
    )
