"""Which frames of a window a served model is shown, and how large: as `semiology_hf` shows them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from transformers import AutoConfig

from semiology.backends.served.server import ServerError
from semiology.backends.shared_prefix.frames import Frames, VideoFacts
from semiology.backends.shared_prefix.loading import Family, Loading, family_of, load_processor
from semiology.backends.shared_prefix.questions import Medium
from semiology.backends.shared_prefix.sampling import (
    Picked,
    Sampling,
    pick_as_qwen,
    pick_with_processor,
    resize_as_qwen,
)
from semiology.render.text import first_line

NAMES = (
    (r"qwen3.*omni", "qwen3_omni_moe", 16),
    (r"qwen2.*omni", "qwen2_5_omni", 14),
    (r"qwen3.*vl", "qwen3_vl", 16),
    (r"qwen2.*vl", "qwen2_5_vl", 14),
)
"""Patterns of names, in small letters, with model type and side of a patch, px, for servers that tell a name only."""


@dataclass(frozen=True)
class FrameRules:
    """How frames are picked and resized.

    Attributes:
        family: of the model.
        patch_size: side of a patch of its vision tower, px; None leaves the frames as they were decoded.
        processor: picks the frames where the family leaves that to it; None spreads them evenly.
        source: what the family was found by, for the log.
    """

    family: Family
    patch_size: int | None = None
    processor: Any = None
    source: str = ""

    def pick(self, video: Medium, facts: VideoFacts, sampling: Sampling) -> Picked:
        """Return the frames of a window that are shown; raise UnansweredError where it holds too few."""
        if self.family.qwen_frames:
            return pick_as_qwen(video, facts, sampling, self.family.cap_with_fps)
        return pick_with_processor(video, facts, sampling, self.processor)

    def resize(self, frames: Frames, sampling: Sampling) -> Frames:
        """Return frames in the size in which the model reads them, uint8, shape (frames, height, width, 3)."""
        if self.patch_size is None:
            return frames
        resized = resize_as_qwen(frames, sampling, self.patch_size).permute(0, 2, 3, 1)
        return np.ascontiguousarray(resized.numpy().astype(np.uint8))

    def __str__(self) -> str:
        size = "as decoded" if self.patch_size is None else f"in steps of {2 * self.patch_size} pixels"
        known = f"known from {self.source}" if self.family.name else self.source
        return f"frames as for {self.family.name or 'models of other families'} ({known}), {size}"


def rules_for(pretrained: str, root: str, name: str, *, resize: bool) -> FrameRules:
    """Return the rules for a served model.

    Args:
        pretrained: its checkpoint, folder or hub name, where the user gave it.
        root: what the server says is its checkpoint.
        name: under which it is served.
        resize: whether frames are brought to the size in which the model reads them.

    Raises:
        ServerError: the checkpoint that the user gave cannot be read.
    """
    folder = pretrained or (root if root and (Path(root) / "config.json").is_file() else "")
    if folder:
        try:
            config = AutoConfig.from_pretrained(folder)
        except (OSError, ValueError, KeyError) as error:
            raise ServerError(f"pretrained={folder} cannot be read: {first_line(error)}") from None
        family = family_of(config.model_type)
        if not family.qwen_frames:
            processor = load_processor(Loading(folder), config.model_type)
            return FrameRules(family, None, processor, f"{folder}/config.json")
        vision = getattr(getattr(config, "thinker_config", config), "vision_config", None)
        patch = int(getattr(vision, "patch_size", 14))
        return FrameRules(family, patch if resize else None, None, f"{folder}/config.json")
    for known in (root, name):
        for pattern, model_type, patch in NAMES:
            if re.search(pattern, known.lower()):
                return FrameRules(family_of(model_type), patch if resize else None, None, f"the name {known}")
    return FrameRules(family_of(""), None, None, "no name that tells more; pretrained= would")
