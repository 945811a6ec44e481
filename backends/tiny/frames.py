"""Frames to the vision tower's patches, as the stock processor makes them, and the tower's tokens."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor
from transformers import Qwen2_5_VLForConditionalGeneration
from transformers.image_utils import OPENAI_CLIP_MEAN, OPENAI_CLIP_STD

from semiology.backends.tiny.architecture import MERGE, PATCH_PX


def patchify(frames: np.ndarray) -> tuple[Tensor, tuple[int, int, int]]:
    """Turn frames into normalised patches.

    Args:
        frames: (2 n, height, width, 3) RGB, 0..255; height and width are multiples of 56 px.

    Returns:
        (patches, features) float32 as the tower takes them, and the grid (n, patch rows, patch columns).
    """
    count, height, width, _ = frames.shape
    scale = torch.tensor(OPENAI_CLIP_STD) * 255
    offset = torch.tensor(OPENAI_CLIP_MEAN) * 255
    pixels = (torch.from_numpy(np.ascontiguousarray(frames)).float() - offset) / scale
    rows, columns = height // PATCH_PX, width // PATCH_PX
    shape = (count // 2, 2, rows // MERGE, MERGE, PATCH_PX, columns // MERGE, MERGE, PATCH_PX, 3)
    patches = pixels.view(shape).permute(0, 2, 5, 3, 6, 8, 1, 4, 7)
    return patches.reshape(count // 2 * rows * columns, -1), (count // 2, rows, columns)


def visual_tokens(
    model: Qwen2_5_VLForConditionalGeneration, patches: Tensor, grid: tuple[int, int, int]
) -> Tensor:
    """Return the tower's tokens, (pairs, tokens per pair, hidden)."""
    pooled: Tensor = model.model.visual(patches, grid_thw=torch.tensor([grid])).pooler_output
    return pooled.view(grid[0], -1, pooled.shape[-1])
