"""First stage of training: the audio tower learns to notice speech and groans, moment by moment."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional
from transformers import Qwen2AudioForConditionalGeneration

from semiology.tools.embedded_models.hears.sound_pool import HEARD, SoundPool
from semiology.tools.embedded_models.training import Report, Schedule, optimize

_RARITY = 3.0


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
    say: Report,
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
    rarity = torch.full((len(HEARD),), _RARITY)

    def loss_of(_: int) -> dict[str, Tensor]:
        rows = rng.choice(len(pool), schedule.batch, replace=len(pool) < schedule.batch)
        with torch.autocast("cpu", torch.bfloat16):
            logits = head(hear(model, *batch_of(pool, rows))).float()
        going_on = torch.from_numpy(pool.moments[rows]).float()
        loss = functional.binary_cross_entropy_with_logits
        return {"moments": loss(logits, going_on, pos_weight=rarity)}

    losses = optimize(trained, schedule, loss_of, say)
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
