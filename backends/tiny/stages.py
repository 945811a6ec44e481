"""The training stages: the tower learns to see, then the language model to watch and to answer.

Everything is seeded; a stage reads the weights that the stage before it wrote.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional
from transformers import Qwen2_5_VLForConditionalGeneration, Qwen2_5_VLProcessor

from semiology.backends.tiny import packing
from semiology.backends.tiny.clip_pool import Pool
from semiology.backends.tiny.frames import patchify, visual_tokens
from semiology.backends.tiny.questions import balanced_features
from semiology.features import VISUAL_FEATURES

WATCH_LAYER = 3
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


def optimise(
    parameters: list[nn.Parameter],
    schedule: Schedule,
    loss_of: Callable[[int], dict[str, Tensor]],
    report: Report,
) -> list[float]:
    """Minimise the sum of the losses that ``loss_of(step)`` returns; report their means; return the sums."""
    optimiser = torch.optim.AdamW(parameters, lr=schedule.rate, betas=(0.9, 0.98), weight_decay=0.01)
    history: list[dict[str, float]] = []
    begun = time.monotonic()
    for step in range(schedule.steps):
        for group in optimiser.param_groups:
            group["lr"] = schedule.rate * schedule.factor(step)
        losses = loss_of(step)
        optimiser.zero_grad(set_to_none=True)
        torch.autograd.backward(torch.stack(list(losses.values())).sum())
        nn.utils.clip_grad_norm_(parameters, 1.0)
        optimiser.step()
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
    """Teach the vision tower to regress positions and face state and to name the signs of a frame pair."""
    rng = np.random.default_rng(schedule.seed)
    torch.manual_seed(schedule.seed)
    width = model.config.text_config.hidden_size
    pose = nn.Linear(width, 2 * pool.keypoints.shape[-1])
    signs = nn.Linear(width, len(VISUAL_FEATURES))
    parameters = [*model.model.visual.parameters(), *pose.parameters(), *signs.parameters()]

    def loss_of(_: int) -> dict[str, Tensor]:
        frames, points, labels = pool.sample_pairs(rng, schedule.batch)
        patches, grid = patchify(frames)
        with torch.autocast("cpu", torch.bfloat16):
            pooled = visual_tokens(model, patches, grid).mean(1)
            guess, naming = pose(pooled).float(), signs(pooled).float()
        target = torch.from_numpy(points)
        error = functional.smooth_l1_loss(guess, target.nan_to_num(), beta=0.2, reduction="none")
        return {
            "pose": 4 * (error * target.isfinite()).mean(),
            "signs": functional.binary_cross_entropy_with_logits(naming, torch.from_numpy(labels).float()),
        }

    return optimise(parameters, schedule, loss_of, report)


@torch.no_grad()
def cache_tokens(model: Qwen2_5_VLForConditionalGeneration, pool: Pool, report: Report) -> list[Tensor]:
    """Return the tower's tokens of every window of a pool, (pairs * tokens, hidden) in bfloat16 each."""
    cached = []
    for index in range(len(pool)):
        patches, grid = patchify(pool.frames(index))
        with torch.autocast("cpu", torch.bfloat16):
            cached.append(visual_tokens(model, patches, grid).flatten(0, 1).bfloat16())
        if (index + 1) % 200 == 0:
            report(f"cached {index + 1}/{len(pool)} windows")
    return cached


class Questioner:
    """Turns windows into packed rows of questions with their truth, all of one size."""

    def __init__(
        self,
        model: Qwen2_5_VLForConditionalGeneration,
        processor: Qwen2_5_VLProcessor,
        texts: list[tuple[str, ...]],
    ) -> None:
        """Encode ``texts[f]``, the wordings of each feature, once for both answers."""
        self.model, self.processor = model, processor
        self.pad = model.config.text_config.pad_token_id
        self.blocks = [
            [{a: packing.encode_block(processor, t, a) for a in ("yes", "no")} for t in wordings]
            for wordings in texts
        ]
        self.prefixes: dict[int, packing.Prefix] = {}
        self.yes = processor.tokenizer.convert_tokens_to_ids("yes")
        self.no = processor.tokenizer.convert_tokens_to_ids("no")

    def prefix(self, pairs: int, grid: tuple[int, int]) -> packing.Prefix:
        """Return the prefix of a video of that many frame pairs."""
        if pairs not in self.prefixes:
            self.prefixes[pairs] = packing.make_prefix(self.model, self.processor, (pairs, *grid), 1.001)
        return self.prefixes[pairs]

    def row(
        self, prefix: packing.Prefix, features: np.ndarray, answers: np.ndarray, wordings: np.ndarray
    ) -> packing.Row:
        """Pack the questions ``features`` in ``wordings``, answered ``answers`` (booleans)."""
        blocks = [
            self.blocks[f][w]["yes" if a else "no"]
            for f, a, w in zip(features, answers, wordings, strict=True)
        ]
        return packing.pack(prefix, blocks)


class Watcher(nn.Module):
    """Training-only heads on the language model's third layer: signs per frame pair and per window."""

    def __init__(self, width: int) -> None:
        """Make both heads for hidden states of ``width``."""
        super().__init__()
        self.moment = nn.Linear(width, len(VISUAL_FEATURES))
        self.window = nn.Linear(width, len(VISUAL_FEATURES))

    def losses(self, state: Tensor, video: Tensor, pairs: Tensor, window: Tensor) -> dict[str, Tensor]:
        """Return both losses from hidden states (B, L, H); labels are (B, pairs, F) and (B, F)."""
        end = int(video.nonzero()[-1])
        per_pair = int(video.sum()) // pairs.shape[1]
        last = torch.arange(per_pair - 1, int(video.sum()), per_pair) + int(video.nonzero()[0])
        bce = functional.binary_cross_entropy_with_logits
        return {
            "moment": bce(self.moment(state[:, last]).float(), pairs.float()),
            "window": bce(self.window(state[:, end + 1]).float(), window.float()),
        }


def batches(pool: Pool, size: int, rng: np.random.Generator) -> Iterator[np.ndarray]:
    """Yield indices of windows with equally many frames, for ever, every window about equally often."""
    lengths = pool.counts
    while True:
        order = rng.permutation(len(pool))
        groups = [order[lengths[order] == n] for n in np.unique(lengths)]
        parts = [g[i : i + size] for g in groups for i in range(0, len(g), size)]
        for index in rng.permutation(len(parts)):
            yield parts[index]


@dataclass(frozen=True)
class Asking:
    """How the language stage asks.

    Attributes:
        questions: per window and step; 0 trains the watching heads alone.
        reference: share of questions in the reference wording.
        balance: see :func:`balanced_features`.
        shift: (18,) added to the logit of yes while training, to move the point where yes wins.
        watch_every: with questions, every how many steps the watching heads are trained instead.
        noise: standard deviation of noise on the visual tokens, relative to theirs.
    """

    questions: int
    reference: float = 1.0
    balance: float = 1.0
    shift: np.ndarray | None = None
    watch_every: int = 3
    noise: float = 0.05


class LanguageStage:
    """Trains the language model on cached visual tokens: to watch, or to answer with watching in between."""

    def __init__(
        self,
        model: Qwen2_5_VLForConditionalGeneration,
        questioner: Questioner,
        watcher: Watcher,
        pool: Pool,
        tokens: list[Tensor],
    ) -> None:
        """Keep what every stage shares."""
        self.model, self.questioner, self.watcher = model, questioner, watcher
        self.pool, self.tokens = pool, tokens
        self.spread = float(torch.cat(tokens[:20]).float().std())

    def train(self, schedule: Schedule, asking: Asking, report: Report) -> list[float]:
        """Run one stage; return the loss of every step."""
        rng = np.random.default_rng(schedule.seed)
        torch.manual_seed(schedule.seed)
        source = batches(self.pool, schedule.batch, rng)
        parameters = [*self.model.model.language_model.parameters(), *self.watcher.parameters()]

        def loss_of(step: int) -> dict[str, Tensor]:
            chosen = next(source)
            visual = torch.stack([self.tokens[i] for i in chosen]).float()
            visual = visual + asking.noise * self.spread * torch.randn_like(visual)
            with torch.autocast("cpu", torch.bfloat16):
                if asking.questions == 0 or step % asking.watch_every == asking.watch_every - 1:
                    return self.watch(chosen, visual)
                return {"answer": self.answer(chosen, visual, asking, rng)}

        return optimise(parameters, schedule, loss_of, report)

    def watch(self, chosen: np.ndarray, visual: Tensor) -> dict[str, Tensor]:
        """Return the losses of the watching heads on some windows."""
        prefix = self.questioner.prefix(int(self.pool.counts[chosen[0]]) // 2, self.pool.grid)
        embedded = packing.embed(self.model, prefix.ids.expand(len(chosen), -1), prefix.video, visual)
        positions = prefix.positions[:, None].expand(-1, len(chosen), -1)
        state = packing.decode_layers(self.model, embedded, positions, None, WATCH_LAYER)[-1]
        pairs = torch.from_numpy(np.stack([self.pool.pair_labels[i] for i in chosen]))
        return self.watcher.losses(
            state, prefix.video, pairs, torch.from_numpy(self.pool.window_labels[chosen])
        )

    def answer(self, chosen: np.ndarray, visual: Tensor, asking: Asking, rng: np.random.Generator) -> Tensor:
        """Return the loss of the answers to some questions about some windows."""
        prefix = self.questioner.prefix(int(self.pool.counts[chosen[0]]) // 2, self.pool.grid)
        labels = self.pool.window_labels[chosen]
        asked = balanced_features(labels, self.pool.prevalence, asking.questions, rng, asking.balance)
        rows = []
        for features, truth in zip(asked, labels, strict=True):
            counts = np.array([len(self.questioner.blocks[f]) for f in features])
            wordings = np.where(rng.random(len(features)) < asking.reference, 0, rng.integers(0, counts))
            rows.append(self.questioner.row(prefix, features, truth[features], wordings))
        batch = packing.stack(rows, self.questioner.pad)
        logits = packing.answer_logits(self.model, prefix, batch, visual).float()
        shift = None if asking.shift is None else torch.from_numpy(asking.shift[asked.ravel()]).float()
        return answer_loss(logits, batch.labels[batch.labels != packing.IGNORED], self.questioner.yes, shift)


def answer_loss(logits: Tensor, labels: Tensor, yes: int, shift: Tensor | None) -> Tensor:
    """Return the cross-entropy of answer tokens, two per question: the word, then the end mark.

    ``shift`` (questions,) is added to the logit of yes: what the model learns is lower by as much.
    """
    if shift is not None:
        moved = torch.zeros_like(logits)
        moved[::2, yes] = shift
        logits = logits + moved
    return functional.cross_entropy(logits, labels)
