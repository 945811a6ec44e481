"""The vision tower learns to see; the stages of the language model are in ``answering``."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional
from transformers import Qwen2_5_VLForConditionalGeneration

from semiology.data.simulated.picture.render import FACE_STATE
from semiology.features import VISUAL_FEATURES
from semiology.tools.embedded_models.sees.architecture import MERGE
from semiology.tools.embedded_models.sees.clip_pool import Pool
from semiology.tools.embedded_models.sees.frames import patchify, tower_in_one_batch
from semiology.tools.embedded_models.training import Report, Schedule, optimize


def train_tower(
    model: Qwen2_5_VLForConditionalGeneration, pool: Pool, schedule: Schedule, report: Report
) -> list[float]:
    """Teach the vision tower to regress positions and face state and to name the features of a frame pair.

    The state of the face is a few pixels wide and weighs more in the loss than the body's positions.
    """
    rng = np.random.default_rng(schedule.seed)
    torch.manual_seed(schedule.seed)
    width = model.config.text_config.hidden_size * tokens_per_pair(pool.grid)
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


def tokens_per_pair(grid: tuple[int, int]) -> int:
    """Return how many tokens the tower gives for one pair of frames of ``grid`` patches."""
    return grid[0] * grid[1] // MERGE**2


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
