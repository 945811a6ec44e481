"""Training learns, stops in time, goes on after a kill as if nothing had happened, and says why it cannot."""

from __future__ import annotations

import csv
import errno
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from semiology.backends.supervised import learning
from semiology.backends.supervised.learning import (
    Clips,
    Places,
    TrainingError,
    device_for,
    predict,
    train_network,
    trained_network,
    varied,
)
from semiology.backends.supervised.recipe import Recipe

RECIPE = Recipe(size=16, frames=2, width=1 / 16, epochs=4, patience=0, batch=4, learning_rate=3e-3)


def bright_and_dark(n: int = 24) -> Clips:
    """Clips that are bright where the first feature is there; the second is unknown on half of them."""
    rng = np.random.default_rng(0)
    truth = np.arange(n) % 2
    shown = [rng.integers(0, 60, (2, 16, 16, 3)).astype(np.uint8) + np.uint8(150 * t) for t in truth]
    second = np.where(np.arange(n) < n // 2, 1 - truth, np.nan)
    return Clips(shown, np.stack([truth, second], 1).astype(np.float64))


def trained(folder: Path, recipe: Recipe = RECIPE, seen: Callable[[int, str], None] | None = None) -> Any:
    clips = bright_and_dark()
    places = Places(folder / "a.safetensors", folder / "unfinished" / "a.safetensors", folder / "logs")
    folder.mkdir(exist_ok=True)
    told = {"seen": seen} if seen else {}
    fit, inner = np.arange(16), np.arange(16, 24)
    done = train_network(
        recipe, ("a", "b"), clips, fit, inner, places, device=device_for("cpu", "no"), **told
    )
    return done, places, clips


def test_it_learns_what_can_be_seen_and_unknown_labels_teach_nothing(tmp_path: Path) -> None:
    recipe = replace(RECIPE, epochs=8, vary=False, decay=False)
    done, places, clips = trained(tmp_path / "one", recipe)
    device = device_for("cpu", "no")
    network = trained_network(places.checkpoint, recipe, device)
    found = predict(network, clips, np.arange(24), recipe, device)
    assert found.shape == (24, 2)
    truth = clips.labels[:, 0] == 1
    assert found[truth, 0].min() > found[~truth, 0].max()
    assert found[truth, 1].max() < found[~truth, 1].min()  # learned from the known half
    rows = list(csv.DictReader((places.logs / "epochs.csv").open()))
    assert [row["epoch"] for row in rows] == list("12345678")
    assert float(rows[-1]["fit_loss"]) < float(rows[0]["fit_loss"])
    assert done.best == 8  # without patience the last epoch is kept


@pytest.mark.parametrize("patience", [0, 2])
def test_a_training_that_was_killed_ends_with_the_weights_of_one_that_was_not(
    tmp_path: Path, patience: int
) -> None:
    recipe = Recipe(**{**RECIPE.as_dict(), "patience": patience})
    whole, straight, _ = trained(tmp_path / "whole", recipe)

    def kill(clips: int, words: str) -> None:
        if words == "epoch 3":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        trained(tmp_path / "killed", recipe, kill)
    heard: list[tuple[int, str]] = []
    resumed, killed, _ = trained(tmp_path / "killed", recipe, lambda *told: heard.append(told))
    assert heard[0][0] == 2 * 16  # two epochs were kept
    assert resumed == whole
    first, second = load_file(straight.checkpoint), load_file(killed.checkpoint)
    assert all(torch.equal(first[name], second[name]) for name in first)


def test_a_disk_that_fills_costs_one_epoch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole, straight, _ = trained(tmp_path / "whole")
    write, calls = learning.save_tensors, []

    def full(tensors: Any, target: Path, header: Any) -> None:
        calls.append(target)
        if len(calls) == 3:
            raise OSError(errno.ENOSPC, "No space left on device")
        write(tensors, target, header)

    monkeypatch.setattr(learning, "save_tensors", full)
    with pytest.raises(TrainingError, match=r"epoch 3 cannot be kept \(No space left.*goes on after epoch 2"):
        trained(tmp_path / "full")
    monkeypatch.undo()
    resumed, places, _ = trained(tmp_path / "full")
    assert resumed == whole
    first, second = load_file(straight.checkpoint), load_file(places.checkpoint)
    assert all(torch.equal(first[name], second[name]) for name in first)
    assert not list(tmp_path.rglob("*.part"))


def test_a_state_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    _, places, _ = trained(tmp_path / "one")
    places.state.write_bytes(b"cut off")
    with pytest.raises(TrainingError, match=r"unfinished/a.safetensors: the state.*delete it"):
        trained(tmp_path / "one")


def test_it_ends_early_and_keeps_the_best_epoch(tmp_path: Path) -> None:
    recipe = Recipe(**{**RECIPE.as_dict(), "epochs": 40, "patience": 2, "learning_rate": 0.05})
    done, _, _ = trained(tmp_path / "one", recipe)
    losses = [row["inner_loss"] for row in done.epochs]
    assert len(losses) < 40
    assert len(losses) - done.best == 2
    assert done.inner_loss <= min(losses) + 1e-3


def test_a_loss_that_is_no_number_ends_in_a_sentence(tmp_path: Path) -> None:
    recipe = Recipe(**{**RECIPE.as_dict(), "learning_rate": 1e30})
    with pytest.raises(TrainingError, match=r"no number any more → use a lower --learning-rate"):
        trained(tmp_path / "one", recipe)


def test_focal_loss_minds_what_is_right_already_less() -> None:
    weight = torch.ones(1)
    plain, focal = (learning._loss(Recipe(loss=kind), weight) for kind in ("bce", "focal"))  # type: ignore[arg-type]
    for logit, truth in ((3.0, 1.0), (-1.0, 1.0), (0.5, 0.0)):
        told = torch.tensor([[logit]]), torch.tensor([[truth]])
        right = torch.sigmoid(told[0]).item() if truth else 1 - torch.sigmoid(told[0]).item()
        assert focal(*told).item() == pytest.approx(plain(*told).item() * (1 - right) ** 2, rel=1e-5)
    unknown = torch.tensor([[1.0, 5.0]]), torch.tensor([[1.0, float("nan")]])
    alone = torch.tensor([[1.0]]), torch.tensor([[1.0]])
    assert learning._loss(Recipe(), torch.ones(2))(*unknown).item() == plain(*alone).item()


def test_rare_positives_weigh_as_much_as_negatives() -> None:
    labels = np.array([[1, np.nan], *[[0, 1]] * 4, *[[0, 1]] * 46])
    found = learning._positive_weight(labels)
    assert found.tolist() == [learning.MOST_WEIGHT, 1 / learning.MOST_WEIGHT]
    assert learning._positive_weight(labels[:5])[0] == 4.0


def test_varied_clips_stay_clips() -> None:
    shown = np.full((2, 20, 20, 3), 100, np.uint8)
    found = varied(shown, np.random.default_rng(3))
    assert found.shape == shown.shape
    assert found.dtype == np.uint8
    assert set(np.unique(found)) <= {0, *range(80, 121)}
    grey = varied(np.full((2, 20, 20, 3), 128, np.uint8), np.random.default_rng(3), neutral=128)
    assert (grey == 128).all()  # no edge appears where nothing changed


def test_a_device_that_is_not_there_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    with pytest.raises(ValueError, match="--device cuda: there is none on this machine"):
        device_for("cuda", "no")
    with pytest.raises(ValueError, match="--precision fp16: a processor cannot"):
        device_for("auto", "fp16")
    assert str(device_for("auto", "no").device) == "cpu"


def test_numbers_of_epochs_reach_tensorboard(tmp_path: Path) -> None:
    accumulator = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    _, places, _ = trained(tmp_path / "one")
    events = accumulator.EventAccumulator(str(places.logs)).Reload()
    assert [each.step for each in events.Scalars("inner_loss")] == [1, 2, 3, 4]
