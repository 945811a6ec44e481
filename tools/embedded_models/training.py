"""What training both embedded models has in common: schedule, optimizer, stages that can be resumed, checkpoints."""

from __future__ import annotations

import json
import math
import os
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import torch
import typer
from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, trainers
from torch import Tensor, nn
from transformers import GenerationConfig
from transformers.models.qwen2.tokenization_qwen2 import PRETOKENIZE_REGEX, Qwen2Tokenizer

Report = Callable[[str], object]
Scale = Annotated[float, typer.Option(help="Multiplies the steps of every stage.")]
Threads = Annotated[
    int, typer.Option(help="Threads; 0 leaves PyTorch's choice. Beside other work 1 is fastest.")
]


@dataclass(frozen=True)
class Schedule:
    """Length and rate of one stage; the rate rises for 5 % of the steps, then falls as half a cosine.

    Attributes:
        steps, batch: steps of the optimizer, and windows in each.
        rate: the highest learning rate. floor: the share of it that is left at the end.
        seed: order of the windows. weight_decay: of AdamW. report_every: steps between lines of progress.
    """

    steps: int
    batch: int
    rate: float
    seed: int = 0
    floor: float = 0.05
    weight_decay: float = 0.01
    report_every: int = 50

    def factor(self, step: int) -> float:
        """Return the multiple of the rate at a step."""
        rise = max(1, self.steps // 20)
        if step < rise:
            return (step + 1) / rise
        fall = (step - rise) / max(1, self.steps - rise)
        return self.floor + (1 - self.floor) * 0.5 * (1 + math.cos(math.pi * fall))


def optimize(
    parameters: list[nn.Parameter],
    schedule: Schedule,
    loss_of: Callable[[int], dict[str, Tensor]],
    report: Report,
) -> list[float]:
    """Minimize the sum of the losses that ``loss_of(step)`` returns; report their means; return the sums."""
    optimizer = torch.optim.AdamW(
        parameters, lr=schedule.rate, betas=(0.9, 0.98), weight_decay=schedule.weight_decay
    )
    rates = torch.optim.lr_scheduler.LambdaLR(optimizer, schedule.factor)
    history: list[dict[str, float]] = []
    begun = time.monotonic()
    for step in range(schedule.steps):
        losses = loss_of(step)
        optimizer.zero_grad(set_to_none=True)
        torch.autograd.backward(torch.stack(list(losses.values())).sum())
        nn.utils.clip_grad_norm_(parameters, 1.0)
        optimizer.step()
        rates.step()
        history.append({name: float(value.detach()) for name, value in losses.items()})
        if (step + 1) % schedule.report_every == 0 or step + 1 == schedule.steps:
            recent = history[-schedule.report_every :]
            names = sorted({name for losses_then in recent for name in losses_then})
            means = " ".join(f"{n} {np.mean([h[n] for h in recent if n in h]):.4f}" for n in names)
            report(f"step {step + 1}/{schedule.steps} {means} ({time.monotonic() - begun:.0f} s)")
    return [sum(h.values()) for h in history]


class TrainingFolder:
    """The work folder of a training run: finished stages are skipped, so that an interrupted run goes on."""

    def __init__(self, work: Path, scale: float, modules: Mapping[str, nn.Module]) -> None:
        """Make the folder; ``scale`` multiplies all numbers of steps, ``modules`` are saved after a stage."""
        work.mkdir(parents=True, exist_ok=True)
        self.work, self.scale, self.modules = work, scale, modules
        self.begun = time.monotonic()

    def say(self, text: str) -> None:
        """Print a line of progress with the time since the start."""
        typer.echo(f"[{time.monotonic() - self.begun:6.0f} s] {text}")

    def steps(self, full: int) -> int:
        """Return a number of steps under the run's scale, at least 2."""
        return max(2, round(full * self.scale))

    def stage(self, name: str, train: Callable[[], object]) -> None:
        """Load the weights of a finished stage, or train it and save them."""
        path = self.work / f"{name}.pt"
        if path.exists():
            for part, state in torch.load(path, weights_only=True).items():
                self.modules[part].load_state_dict(state)
            self.say(f"stage {name}: already done")
            return
        self.say(f"stage {name}")
        train()
        torch.save({part: module.state_dict() for part, module in self.modules.items()}, path)

    def cached(self, name: str, compute: Callable[[], Any]) -> Any:
        """Return the tensors kept under a name, computing them once."""
        path = self.work / f"{name}.pt"
        if not path.exists():
            torch.save(compute(), path)
        return torch.load(path, weights_only=True)


def use_threads(count: int) -> None:
    """Let PyTorch use that many threads (0: its own choice), and the tokenizers a single one."""
    if count:
        torch.set_num_threads(count)
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")


def greedy_decoding(text_config: Any, max_new_tokens: int) -> GenerationConfig:
    """Return the generation settings of a model: greedy, ended by the end of the turn or by padding."""
    return GenerationConfig(
        do_sample=False,
        eos_token_id=[text_config.eos_token_id, text_config.pad_token_id],
        pad_token_id=text_config.pad_token_id,
        max_new_tokens=max_new_tokens,
    )


def save_checkpoint(model: Any, processor: Any, directory: Path) -> None:
    """Write model and processor to a folder that ``from_pretrained`` loads, weights in bfloat16 safetensors.

    The model in memory stays as it is.
    """
    directory.mkdir(parents=True, exist_ok=True)
    config = type(model.config).from_dict({**model.config.to_dict(), "dtype": "bfloat16"})
    small = type(model)(config).to(torch.bfloat16)
    small.load_state_dict(model.state_dict())
    small.generation_config = model.generation_config
    small.save_pretrained(directory, safe_serialization=True)
    processor.save_pretrained(directory)


PADDING, START_OF_TURN, END_OF_TURN = "<|endoftext|>", "<|im_start|>", "<|im_end|>"
"""The first three special tokens of every Qwen2 tokenizer; templates and processors look them up by name."""


def train_tokenizer(
    corpus: Iterable[str], special_tokens: Sequence[str], vocabulary_size: int, **settings: Any
) -> Qwen2Tokenizer:
    """Train a tokenizer of Qwen2's own class.

    Args:
        corpus: texts, each as often as it shall count.
        special_tokens: in the order of the published tokenizers.
        vocabulary_size: upper bound of the number of tokens, special tokens included.
        settings: further arguments of ``Qwen2Tokenizer``, such as the chat template.

    Returns:
        A tokenizer that encodes any text (all 256 bytes are tokens).
    """
    raw = Tokenizer(models.BPE())
    words = pre_tokenizers.Split(Regex(PRETOKENIZE_REGEX), behavior="isolated", invert=False)
    bytewise = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    raw.pre_tokenizer = pre_tokenizers.Sequence([words, bytewise])
    raw.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary_size - len(special_tokens),
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
    )
    raw.train_from_iterator(corpus, trainer)
    learned = json.loads(raw.to_str())["model"]
    vocabulary = dict(learned["vocab"])
    for token in special_tokens:
        vocabulary[token] = len(vocabulary)
    return Qwen2Tokenizer(
        vocab=vocabulary,
        merges=[tuple(pair) for pair in learned["merges"]],
        unk_token=None,
        eos_token=END_OF_TURN,
        pad_token=PADDING,
        extra_special_tokens=[token for token in special_tokens if token not in (END_OF_TURN, PADDING)],
        **settings,
    )
