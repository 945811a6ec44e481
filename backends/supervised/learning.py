"""Training of one network: epochs that survive a kill, early stopping on inner patients, and logs.

After every epoch the weights, the optimiser and the numbers so far lie on the disk. What an epoch does hangs on
the seed and its number alone, so a training that was killed ends with the weights of one that was not.
"""

from __future__ import annotations

import json
import math
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file
from torch import Tensor

from semiology.backends.supervised.networks import (
    Classifier,
    build,
    load_checkpoint,
    save_checkpoint,
    save_tensors,
)
from semiology.backends.supervised.recipe import Recipe
from semiology.data.cache import write_texts
from semiology.data.media.streaming import Pictures
from semiology.metrics.arrays import Codes, Floats
from semiology.render.table import csv_of

MOST_WEIGHT = 20.0
"""How often a positive counts at most, where positives are rare."""
FOCUS = 2.0
"""Exponent of the focal loss (Lin et al., 2017)."""
_GAIN = 1e-4
"""An inner loss lower by less is no gain."""


class TrainingError(RuntimeError):
    """A training cannot go on; the message says why, and what to change."""


@dataclass(frozen=True)
class Clips:
    """What a network learns from.

    Attributes:
        pictures: of each window, uint8, shape (frames, size, size, 3).
        labels: shape (windows, features): 1 with the feature, 0 without, NaN where nobody knows.
        neutral: the value of a pixel that shows nothing (`Recipe.neutral`).
    """

    pictures: Sequence[Pictures]
    labels: Floats
    neutral: int = 0

    def batch(self, places: Codes, rng: np.random.Generator | None = None) -> Tensor:
        """Return the pictures at some places, shape (n, frames, size, size, 3); with ``rng`` they are varied."""
        shown = [np.asarray(self.pictures[place]) for place in places]
        if rng is not None:
            shown = [varied(each, rng, self.neutral) for each in shown]
        return torch.from_numpy(np.stack(shown))


def varied(pictures: Pictures, rng: np.random.Generator, neutral: int = 0) -> Pictures:
    """Return a clip mirrored or not, shifted by up to a tenth, and lighter or darker by up to a fifth.

    Edges are filled with the value that shows nothing; of differences around it the size changes by up to a fifth.
    """
    turned = pictures[:, :, ::-1] if rng.random() < 0.5 else pictures
    size = pictures.shape[1]
    most = size // 10
    down, right = rng.integers(-most, most + 1, 2)
    edges = np.pad(turned, ((0, 0), (most, most), (most, most), (0, 0)), constant_values=neutral)
    moved = edges[:, most + down : most + down + size, most + right : most + right + size]
    return np.asarray(np.clip((moved - float(neutral)) * rng.uniform(0.8, 1.2) + neutral, 0, 255), np.uint8)


@dataclass(frozen=True)
class Trained:
    """What came of a training: the epoch that was kept, and a row for each epoch."""

    best: int
    epochs: tuple[dict[str, float], ...]

    @property
    def inner_loss(self) -> float:
        """Loss of the kept epoch on the inner patients."""
        return next(row["inner_loss"] for row in self.epochs if row["epoch"] == self.best)


@dataclass(frozen=True)
class Places:
    """Where a training keeps its files: the checkpoint, the state after the last epoch, and the folder of its logs."""

    checkpoint: Path
    state: Path
    logs: Path


def device_for(asked: str, precision: str) -> Any:
    """Return accelerate's `Accelerator` for ``auto``, ``cpu``, ``cuda`` or ``mps``.

    Raises:
        ValueError: there is no such device here, or it cannot compute with the precision.
    """
    from accelerate import Accelerator  # type: ignore[import-untyped]

    there = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if not there.get(asked, True):
        raise ValueError(
            f"--device {asked}: there is none on this machine → leave it out, or use --device cpu"
        )
    if precision == "fp16" and (asked == "cpu" or not any(there.values())):
        raise ValueError("--precision fp16: a processor cannot compute with it → use bf16, or leave it out")
    return Accelerator(cpu=asked == "cpu", mixed_precision=precision)


def train_network(
    recipe: Recipe,
    features: tuple[str, ...],
    clips: Clips,
    fit: Codes,
    inner: Codes,
    places: Places,
    *,
    device: Any,
    begin: Callable[[Classifier], None] = lambda network: None,
    seen: Callable[[int, str], None] = lambda clips, words: None,
) -> Trained:
    """Train a network, or go on with one, and leave its best weights at ``places.checkpoint``.

    Args:
        fit, inner: places in ``clips`` of the windows to learn from, and of those that tell when to stop.
        device: an `Accelerator` (`device_for`).
        begin: puts given weights into a new network.
        seen: hears how many clips were shown, and a few words on the epoch.

    Raises:
        TrainingError: the loss is no number, the device has too little memory, or the disk is full.
    """
    network = build(recipe, len(features))
    begin(network)
    parameters = [each for each in network.parameters() if each.requires_grad]
    optimizer = torch.optim.AdamW(parameters, lr=recipe.learning_rate, weight_decay=recipe.weight_decay)
    rows = _resume(network, optimizer, places)
    network, optimizer = device.prepare(network, optimizer)
    weight = _positive_weight(clips.labels[fit]) if recipe.weigh_classes else np.ones(len(features))
    loss_of = _loss(recipe, torch.tensor(weight, dtype=torch.float32, device=device.device))
    seen(len(rows) * len(fit), "")
    with _writer(places.logs, len(rows)) as writer:
        while len(rows) < recipe.epochs and not _is_over(rows, recipe):
            epoch = len(rows) + 1
            with _told(places.checkpoint, epoch):
                learned = _epoch(network, optimizer, clips, fit, epoch, recipe, loss_of, device, seen)
                inner_loss = _inner_loss(network, clips, inner, recipe, loss_of, device)
                rows.append({"epoch": epoch, "fit_loss": learned, "inner_loss": inner_loss})
                plain = device.unwrap_model(network)
                if _best(rows, recipe) == epoch:
                    save_checkpoint(plain, places.checkpoint, recipe, features)
                _keep(plain, optimizer, rows, places)
                writer(rows[-1])
    seen((recipe.epochs - len(rows)) * len(fit), "ended early" if len(rows) < recipe.epochs else "")
    return Trained(_best(rows, recipe), tuple(rows))


def predict(network: Classifier, clips: Clips, places: Codes, recipe: Recipe, device: Any) -> Floats:
    """Return P(yes) of windows, shape (windows, features)."""
    network.eval()
    found = []
    with torch.inference_mode(), device.autocast():
        for some in _batches(places, recipe.batch):
            found.append(torch.sigmoid(network(clips.batch(some).to(device.device)).float()).cpu())
    return np.asarray(torch.cat(found), np.float64) if found else np.empty((0, clips.labels.shape[1]))


def trained_network(checkpoint: Path, recipe: Recipe, device: Any) -> Classifier:
    """Return the network of a checkpoint on a device.

    Raises:
        WeightsError: the checkpoint is damaged or of another architecture.
    """
    return load_checkpoint(checkpoint, recipe)[0].to(device.device)


def _batches(places: Codes, size: int) -> Iterator[Codes]:
    for first in range(0, len(places), size):
        yield places[first : first + size]


def _epoch(
    network: Classifier,
    optimizer: Any,
    clips: Clips,
    fit: Codes,
    epoch: int,
    recipe: Recipe,
    loss_of: Callable[[Tensor, Tensor], Tensor],
    device: Any,
    seen: Callable[[int, str], None],
) -> float:
    """Show every window once, in an order that seed and epoch decide; return the mean loss."""
    torch.manual_seed(recipe.seed * 100_003 + epoch)
    rng = np.random.default_rng([recipe.seed, epoch])
    network.train()
    falls = 0.5 * (1 + math.cos(math.pi * (epoch - 1) / recipe.epochs)) if recipe.decay else 1.0
    for group in optimizer.param_groups:
        group["lr"] = recipe.learning_rate * falls
    total = 0.0
    order = rng.permutation(fit)
    for some in _batches(order, recipe.batch):
        labels = torch.tensor(clips.labels[some], dtype=torch.float32, device=device.device)
        with device.autocast():
            logits = network(clips.batch(some, rng if recipe.vary else None).to(device.device))
        loss = loss_of(logits.float(), labels)
        if not math.isfinite(loss.item()):
            raise TrainingError(
                f"epoch {epoch}: the loss is no number any more → use a lower --learning-rate, or --precision no; the "
                "epochs before are kept"
            )
        optimizer.zero_grad()
        device.backward(loss)
        optimizer.step()
        total += loss.item() * len(some)
        seen(len(some), f"epoch {epoch}")
    return total / len(fit)


def _inner_loss(
    network: Classifier,
    clips: Clips,
    inner: Codes,
    recipe: Recipe,
    loss_of: Callable[[Tensor, Tensor], Tensor],
    device: Any,
) -> float:
    network.eval()
    total = 0.0
    with torch.inference_mode(), device.autocast():
        for some in _batches(inner, recipe.batch):
            labels = torch.tensor(clips.labels[some], dtype=torch.float32, device=device.device)
            total += loss_of(network(clips.batch(some).to(device.device)).float(), labels).item() * len(some)
    return total / max(1, len(inner))


def _positive_weight(labels: Floats) -> Floats:
    """Return how often a positive of each feature counts, so that both classes weigh the same."""
    positive, negative = (labels == 1).sum(0), (labels == 0).sum(0)
    return np.asarray(np.clip(negative / np.maximum(positive, 1), 1 / MOST_WEIGHT, MOST_WEIGHT), np.float64)


def _loss(recipe: Recipe, weight: Tensor) -> Callable[[Tensor, Tensor], Tensor]:
    """Return the mean loss over the labels that are known."""

    def loss_of(logits: Tensor, labels: Tensor) -> Tensor:
        known = ~torch.isnan(labels)
        truth = torch.where(known, labels, 0.0)
        each = torch.nn.functional.binary_cross_entropy_with_logits(
            logits, truth, pos_weight=weight, reduction="none"
        )
        if recipe.loss == "focal":
            right = torch.where(truth > 0, torch.sigmoid(logits), 1 - torch.sigmoid(logits))
            each = each * (1 - right) ** FOCUS
        return (each * known).sum() / known.sum().clamp(min=1)

    return loss_of


def _best(rows: Sequence[dict[str, float]], recipe: Recipe) -> int:
    """Return the number of the epoch that is kept: the last, or the first of the lowest inner losses."""
    best = rows[0]
    for row in rows[1:]:
        if recipe.patience == 0 or row["inner_loss"] < best["inner_loss"] - _GAIN:
            best = row
    return int(best["epoch"])


def _is_over(rows: Sequence[dict[str, float]], recipe: Recipe) -> bool:
    return bool(rows) and recipe.patience > 0 and len(rows) - _best(rows, recipe) >= recipe.patience


# --- what lies on the disk after every epoch ---------------------------------------------------------------------


def _keep(network: Classifier, optimizer: Any, rows: Sequence[dict[str, float]], places: Places) -> None:
    """Write the state after an epoch, then its log."""
    tensors = {f"network.{name}": value for name, value in network.state_dict().items()}
    for number, values in optimizer.state_dict()["state"].items():
        tensors |= {f"optimizer.{number}.{name}": torch.as_tensor(value) for name, value in values.items()}
    places.state.parent.mkdir(parents=True, exist_ok=True)
    save_tensors(tensors, places.state, {"epochs": json.dumps(list(rows))})
    write_texts({"epochs.csv": csv_of(list(rows), "epoch")}, places.logs)


def _resume(network: Classifier, optimizer: torch.optim.Optimizer, places: Places) -> list[dict[str, float]]:
    """Put the state after the last epoch back; return the rows of the epochs so far, none without a usable state."""
    if not (places.state.exists() and places.checkpoint.exists()):
        return []
    try:
        with safe_open(places.state, framework="pt") as file:
            rows: list[dict[str, float]] = json.loads((file.metadata() or {})["epochs"])
        tensors = load_file(places.state)
        network.load_state_dict(
            {name.removeprefix("network."): v for name, v in tensors.items() if name.startswith("network.")}
        )
    except (OSError, SafetensorError, ValueError, KeyError, RuntimeError):
        raise TrainingError(
            f"{places.state}: the state of this training cannot be read → delete it, and its network begins afresh"
        ) from None
    kept: dict[int, dict[str, Tensor]] = {}
    for name, value in tensors.items():
        if name.startswith("optimizer."):
            _, number, key = name.split(".", 2)
            kept.setdefault(int(number), {})[key] = value
    optimizer.load_state_dict({**optimizer.state_dict(), "state": kept})
    return rows


@contextmanager
def _told(checkpoint: Path, epoch: int) -> Iterator[None]:
    """Turn a full disk or memory into a sentence; the epochs before are kept."""
    try:
        yield
    except torch.OutOfMemoryError:
        raise TrainingError(
            f"epoch {epoch}: the device has too little memory → use a smaller --batch, --size or --frames "
            "in another --out"
        ) from None
    except (OSError, SafetensorError) as error:
        free = shutil.disk_usage(checkpoint.parent).free >> 20
        raise TrainingError(
            f"{checkpoint.parent}: epoch {epoch} cannot be kept ({getattr(error, 'strerror', None) or error}; {free} "
            f"MiB free) → make room; the same command goes on after epoch {epoch - 1}"
        ) from error


@contextmanager
def _writer(folder: Path, done: int) -> Iterator[Callable[[dict[str, float]], None]]:
    """Give what writes a row for TensorBoard, where that is installed (``pip install 'semiology-eval[train]'``)."""
    folder.mkdir(parents=True, exist_ok=True)
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError:
        yield lambda row: None
        return
    with SummaryWriter(str(folder), purge_step=done + 1) as writer:

        def write(row: dict[str, float]) -> None:
            for name in ("fit_loss", "inner_loss"):
                writer.add_scalar(name, row[name], int(row["epoch"]))
            writer.flush()

        yield write
