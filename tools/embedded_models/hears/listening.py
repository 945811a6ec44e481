"""First stage of training: the audio tower learns to notice speech and groans, moment by moment."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional
from transformers import Qwen2AudioForConditionalGeneration

from semiology.tools.embedded_models.hears.sound_pool import HEARD, SoundPool

_RARITY = 3.0


@dataclass(frozen=True)
class Schedule:
    """Steps, windows per step, highest learning rate, and the seed of the order of windows."""

    steps: int
    batch: int
    rate: float
    seed: int

    def factor(self, step: int) -> float:
        """Return the share of the highest rate at a step: a short rise, then half a cosine down to 0."""
        rise = max(1, self.steps // 20)
        fall = (step - rise) / max(1, self.steps - rise)
        return (step + 1) / rise if step < rise else 0.5 * (1 + math.cos(math.pi * min(1.0, fall)))


def optimizer(
    parameters: list[nn.Parameter], schedule: Schedule
) -> tuple[torch.optim.Optimizer, torch.optim.lr_scheduler.LambdaLR]:
    """Return AdamW and the schedule's learning rate."""
    adam = torch.optim.AdamW(parameters, lr=schedule.rate, betas=(0.9, 0.98), weight_decay=0.02)
    return adam, torch.optim.lr_scheduler.LambdaLR(adam, schedule.factor)


def hear(model: Qwen2AudioForConditionalGeneration, features: Tensor, frames: Tensor) -> Tensor:
    """Return the tower's tokens (B, tokens, width), padding masked as in the model's own forward pass.

    Args:
        model: the model.
        features: (B, bands, frames) spectrograms.
        frames: (B,) how many frames hold sound.
    """
    places = (frames - 1) // 2 + 1
    positions = torch.arange(features.shape[-1] // 2)
    mask = (positions[None] < places[:, None])[:, None, None].expand(-1, 1, len(positions), -1)
    tokens: Tensor = model.model.audio_tower(features, attention_mask=mask).last_hidden_state
    return tokens


def batch_of(pool: SoundPool, rows: np.ndarray) -> tuple[Tensor, Tensor]:
    """Return spectrograms and frame counts of some windows."""
    return torch.from_numpy(pool.features[rows]).float(), torch.from_numpy(pool.frames[rows])


def train_tower(
    model: Qwen2AudioForConditionalGeneration,
    pool: SoundPool,
    schedule: Schedule,
    say: Callable[[str], object],
) -> list[float]:
    """Train the audio tower with a throw-away head that tells what goes on at each token.

    Returns:
        The loss of each step.
    """
    torch.manual_seed(schedule.seed)
    rng = np.random.default_rng(schedule.seed)
    tower = model.model.audio_tower.train()
    head = nn.Linear(tower.config.d_model, len(HEARD))
    trained = [p for p in [*tower.parameters(), *head.parameters()] if p.requires_grad]
    adam, rates = optimizer(trained, schedule)
    losses: list[float] = []
    for step in range(schedule.steps):
        rows = rng.choice(len(pool), schedule.batch, replace=len(pool) < schedule.batch)
        with torch.autocast("cpu", torch.bfloat16):
            logits = head(hear(model, *batch_of(pool, rows))).float()
        going_on = torch.from_numpy(pool.moments[rows]).float()
        loss = functional.binary_cross_entropy_with_logits(
            logits, going_on, pos_weight=torch.full((len(HEARD),), _RARITY)
        )
        adam.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(trained, 1.0)
        adam.step()
        rates.step()
        losses.append(loss.item())
        if (step + 1) % 25 == 0:
            say(f"tower: step {step + 1} of {schedule.steps}, loss {np.mean(losses[-25:]):.4f}")
    tower.eval()
    return losses


@torch.no_grad()
def hear_all(model: Qwen2AudioForConditionalGeneration, pool: SoundPool, batch: int = 32) -> Tensor:
    """Return the tower's tokens of every window, (N, tokens, width) in float16."""
    parts = []
    for first in range(0, len(pool), batch):
        rows = np.arange(first, min(first + batch, len(pool)))
        with torch.autocast("cpu", torch.bfloat16):
            parts.append(hear(model, *batch_of(pool, rows)).half())
    return torch.cat(parts)
