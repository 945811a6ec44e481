"""Name the cause where a stock model class cannot read a video.

When decord fails, qwen-vl-utils falls back to ``torchvision.io.read_video``, which current torchvision lacks: the
user would read an AttributeError about torchvision, and nothing of decord or the video.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NoReturn

from semiology.data.media.picture_width import readable_size, width_refused
from semiology.data.media.probe import MediaError, display_name, probe
from semiology.render.text import first_line


def name_video_errors() -> None:
    """Put a sentence about the video in the place of qwen-vl-utils' fallback, if it is loaded and cannot work."""
    vision = sys.modules.get("qwen_vl_utils.vision_process")
    if vision is not None and not hasattr(vision.io, "read_video"):
        vision.VIDEO_READER_BACKENDS["torchvision"] = _raise_cause


def _raise_cause(element: Mapping[str, Any]) -> NoReturn:
    """Raise why the reader before the fallback failed; called by qwen-vl-utils while it handles that error."""
    cause = sys.exc_info()[1]
    video = Path(str(element["video"]).removeprefix("file://"))
    info = probe(video)
    if refused := width_refused(info.width):
        width, height = readable_size(info.width, info.height)
        raise MediaError(
            f"{display_name(video)}: {refused}; scale it to {width}x{height} px, or ask by a task of Semiology, "
            "which shows it from larger clips"
        ) from cause
    if cause is None:
        raise MediaError(
            f"{display_name(video)}: the installed torchvision reads no videos; set "
            "FORCE_QWENVL_VIDEO_READER=decord"
        )
    raise MediaError(
        f"{display_name(video)}: its frames cannot be read ({first_line(cause)}); export it again as MP4 (H.264)"
    ) from cause
