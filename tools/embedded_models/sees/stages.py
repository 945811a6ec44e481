"""The vision tower learns to see; the loop that every training stage runs in.

The language model's stages are in ``answering``.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass

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

Report = Callable[[str], None]


@dataclass(frozen=True)
class Schedule:
    """Length and rate of one stage; the rate rises for 5 % of the steps, then falls as a cosine."""

    steps: int
    batch: int
    rate: float
    seed: int = 0
    report_every: int = 50

    def factor(self, step: int) -> float:
        """Return the multiple of the rate at a step."""
        warm = max(1, self.steps // 20)
        if step < warm:
            return (step + 1) / warm
        return 0.05 + 0.95 * 0.5 * (1 + math.cos(math.pi * (step - warm) / max(1, self.steps - warm)))


def optimize(
    parameters: list[nn.Parameter],
    schedule: Schedule,
    loss_of: Callable[[int], dict[str, Tensor]],
    report: Report,
) -> list[float]:
    """Minimise the sum of the losses that ``loss_of(step)`` returns; report their means; return the sums."""
    optimizer = torch.optim.AdamW(parameters, lr=schedule.rate, betas=(0.9, 0.98), weight_decay=0.01)
    history: list[dict[str, float]] = []
    begun = time.monotonic()
    for step in range(schedule.steps):
        for group in optimizer.param_groups:
            group["lr"] = schedule.rate * schedule.factor(step)
        losses = loss_of(step)
        optimizer.zero_grad(set_to_none=True)
        torch.autograd.backward(torch.stack(list(losses.values())).sum())
        nn.utils.clip_grad_norm_(parameters, 1.0)
        optimizer.step()
        history.append({name: float(value.detach()) for name, value in losses.items()})
        if (step + 1) % schedule.report_every == 0 or step + 1 == schedule.steps:
            recent = history[-schedule.report_every :]
            names = sorted({name for losses_then in recent for name in losses_then})
            means = " ".join(f"{n} {np.mean([h[n] for h in recent if n in h]):.4f}" for n in names)
            report(f"step {step + 1}/{schedule.steps} {means} ({time.monotonic() - begun:.0f} s)")
    return [sum(h.values()) for h in history]


def train_tower(
    model: Qwen2_5_VLForConditionalGeneration, pool: Pool, schedule: Schedule, report: Report
) -> list[float]:
    """Teach the vision tower to regress positions and face state and to name the signs of a frame pair.

    The state of the face is a few pixels wide and weighs more in the loss than the body's positions.
    """
    rng = np.random.default_rng(schedule.seed)
    torch.manual_seed(schedule.seed)
    width = model.config.text_config.hidden_size * tokens_per_pair(pool.grid)
    pose = nn.Linear(width, 2 * pool.keypoints.shape[-1])
    signs = nn.Linear(width, len(VISUAL_FEATURES))
    parameters = [*model.model.visual.parameters(), *pose.parameters(), *signs.parameters()]
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
            "signs": functional.binary_cross_entropy_with_logits(signs(tokens), truth),
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
