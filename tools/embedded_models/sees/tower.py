"""The vision tower: frames to patches, as the stock processor makes them, and how the tower learns to see."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional
from transformers import Qwen2_5_VLForConditionalGeneration
from transformers.image_utils import OPENAI_CLIP_MEAN, OPENAI_CLIP_STD
from transformers.models.qwen2_5_vl.modeling_qwen2_5_vl import apply_rotary_pos_emb_vision
from transformers.vision_utils import get_vision_position_ids

from semiology.data.simulated.picture.render import FACE_STATE
from semiology.features import VISUAL_FEATURES
from semiology.tools.embedded_models.sees.architecture import MERGE, PATCH_PX
from semiology.tools.embedded_models.sees.clip_pool import Pool
from semiology.tools.embedded_models.training import Report, Schedule, optimize


def train_tower(
    model: Qwen2_5_VLForConditionalGeneration, pool: Pool, schedule: Schedule, report: Report
) -> list[float]:
    """Teach the vision tower to regress positions and face state and to name the features of a frame pair.

    The state of the face is a few pixels wide and weighs more in the loss than the body's positions.
    """
    rng = np.random.default_rng(schedule.seed)
    torch.manual_seed(schedule.seed)
    tokens_per_pair = pool.grid[0] * pool.grid[1] // MERGE**2
    width = model.config.text_config.hidden_size * tokens_per_pair
    pose = nn.Linear(width, 2 * pool.keypoints.shape[-1])
    shown = nn.Linear(width, len(VISUAL_FEATURES))
    parameters = [*model.model.visual.parameters(), *pose.parameters(), *shown.parameters()]
    face = torch.zeros(pool.keypoints.shape[-1], dtype=torch.bool)
    face[-2 * len(FACE_STATE) :] = True
    face = face.repeat(2)

    def loss_of(_: int) -> dict[str, Tensor]:
        frames, points, labels = pool.sample_pairs(rng, schedule.batch)
        tokens = tower_in_one_batch(model, *patchify(frames)).flatten(1)
        target = torch.from_numpy(points)
        error = functional.smooth_l1_loss(pose(tokens), target.nan_to_num(), beta=0.2, reduction="none")
        error = error * target.isfinite()
        truth = torch.from_numpy(labels).float()
        return {
            "body": 2 * error[:, ~face].mean(),
            "face": 4 * error[:, face].mean(),
            "features": functional.binary_cross_entropy_with_logits(shown(tokens), truth),
        }

    return optimize(parameters, schedule, loss_of, report)


@torch.no_grad()
def cache_tokens(model: Qwen2_5_VLForConditionalGeneration, pool: Pool, report: Report) -> list[Tensor]:
    """Return the tower's tokens of every window of a pool, (pairs * tokens, hidden) in bfloat16 each."""
    cached = []
    for index in range(len(pool)):
        tokens = tower_in_one_batch(model, *patchify(pool.frames(index)))
        cached.append(tokens.flatten(0, 1).bfloat16())
        if (index + 1) % 500 == 0:
            report(f"cached {index + 1}/{len(pool)} windows")
    return cached


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


def tower_in_one_batch(
    model: Qwen2_5_VLForConditionalGeneration, patches: Tensor, grid: tuple[int, int, int]
) -> Tensor:
    """Return what :func:`visual_tokens` returns, several times faster: for training.

    transformers attends to one frame pair after the other. Here all pairs are of one size and lie within one
    attention window, so one batched call does the same (a test compares them).

    Args:
        patches: (pairs * patch rows * patch columns, features).
        grid: pairs, patch rows and patch columns.

    Returns:
        (pairs, tokens per pair, hidden).
    """
    tower = model.model.visual
    pairs, size = grid[0], grid[1] * grid[2]
    places = get_vision_position_ids(torch.tensor([[1, *grid[1:]]]), tower.spatial_merge_size)
    hidden = functional.linear(patches, tower.patch_embed.proj.weight.flatten(1)).view(pairs, size, -1)
    cosines, sines = tower.rotary_pos_emb(hidden[0], places)
    for block in tower.blocks:
        attention = block.attn
        qkv = attention.qkv(block.norm1(hidden)).view(pairs, size, 3, attention.num_heads, -1)
        query, key, value = qkv.unbind(2)
        query, key = apply_rotary_pos_emb_vision(query, key, cosines, sines)
        mixed = functional.scaled_dot_product_attention(
            query.transpose(1, 2), key.transpose(1, 2), value.transpose(1, 2), scale=attention.scaling
        )
        hidden = hidden + attention.proj(mixed.transpose(1, 2).reshape(pairs, size, -1))
        hidden = hidden + block.mlp(block.norm2(hidden))
    merged: Tensor = tower.merger(hidden)
    return merged.view(pairs, -1, merged.shape[-1])
