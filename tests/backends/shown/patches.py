"""What a vision tower is fed, back to the bytes of the frames it stands for, whatever the processor did."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray


def frames_of_patches(pixels: torch.Tensor, grid: torch.Tensor, processor: Any) -> NDArray[np.uint8]:
    """Return the frames of a Qwen tower's patches, shape (frames, height, width, 3).

    ``pixels`` is (patches, values) and ``grid`` the numbers of patches in time, height and width.
    """
    times, rows, columns = (int(number) for number in grid.reshape(-1)[:3])
    size, merged = processor.patch_size, processor.merge_size
    steps = processor.temporal_patch_size
    cut = pixels.float().reshape(
        times, rows // merged, columns // merged, merged, merged, 3, steps, size, size
    )
    together = cut.permute(0, 6, 5, 1, 3, 7, 2, 4, 8).reshape(times * steps, 3, rows * size, columns * size)
    return bytes_of(together, processor)


def bytes_of(pictures: torch.Tensor, processor: Any) -> NDArray[np.uint8]:
    """Return normalised pictures of shape (frames, 3, height, width) as bytes, colours last."""
    mean, spread = (
        torch.tensor(list(values))[None, :, None, None]
        for values in (processor.image_mean, processor.image_std)
    )
    back = (pictures.float() * spread + mean) * 255
    assert float((back - back.round()).abs().max()) < 0.02, "the values do not stand for bytes"
    return back.round().clamp(0, 255).permute(0, 2, 3, 1).numpy().astype(np.uint8)
