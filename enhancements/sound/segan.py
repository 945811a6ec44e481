"""SEGAN's generator, and checkpoints of it that users have.

Pascual, Bonafonte and Serrà, "SEGAN: Speech Enhancement Generative Adversarial Network", Interspeech 2017
(arXiv 1703.09452): windows of 16384 samples at 16 kHz with pre-emphasis 0.95, eleven convolutions of stride
2 and width 31 down to 8 x 1024, a random latent of the same shape beside it, and a mirrored decoder to
which the encoder's layers (before their PReLU) skip. No weights are shipped; they are the user's, as
safetensors.

Three families of checkpoints exist, told apart by their names and shapes:

- the authors' own (TensorFlow variables ``g_ae/enc_0/W``, ``g_ae/enc_prelu_0/alpha``, ...; width 31, latent
  first, a slope per channel, applied before the skip joins);
- the same in PyTorch's order of axes, with the names below (``enc1.weight``, ``enc1_nl.weight``, ...,
  ``dec10.weight``, ..., ``dec_final.weight``) and width 31;
- the public PyTorch ports with these names and width 32, latent last, one slope per layer, applied after
  the skip has joined.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from pathlib import Path

import numpy as np
import torch
from scipy.signal import lfilter
from torch import Tensor, nn
from torch.nn import functional

from semiology.data.media.probe import display_name
from semiology.enhancements.sound.track import Samples, overlap_added

RATE, WINDOW = 16_000, 16_384
PRE_EMPHASIS = 0.95
CHANNELS = (1, 16, 32, 32, 64, 64, 128, 128, 256, 256, 512, 1024)
"""Feature maps of the waveform and of the eleven encoder layers."""
LAYERS = len(CHANNELS) - 1
_PAPER_WIDTH, _PORT_WIDTH = 31, 32


class SeganCheckpointError(ValueError):
    """A file is not a checkpoint of SEGAN's generator; the message says why."""


class SeganGenerator(nn.Module):
    """The network, in the paper's form (width 31) or in the public ports' (width 32).

    Args:
        width: of the convolutions; fixes the form.
    """

    def __init__(self, width: int = _PAPER_WIDTH) -> None:
        super().__init__()
        self.width = width
        self.ported = width == _PORT_WIDTH
        for layer in range(1, LAYERS + 1):
            self.add_module(f"enc{layer}", nn.Conv1d(CHANNELS[layer - 1], CHANNELS[layer], width, 2))
            self.add_module(f"enc{layer}_nl", nn.PReLU(1 if self.ported else CHANNELS[layer]))
        for layer in range(LAYERS - 1, -1, -1):
            inputs, name = 2 * CHANNELS[layer + 1], f"dec{layer}" if layer else "dec_final"
            self.add_module(name, nn.ConvTranspose1d(inputs, CHANNELS[layer], width, 2))
            if layer:
                self.add_module(f"{name}_nl", nn.PReLU(1 if self.ported else CHANNELS[layer]))

    def forward(self, wave: Tensor, latent: Tensor) -> Tensor:
        """Enhance pre-emphasised windows.

        Args:
            wave: shape (batch, 1, 16384), in [-1, 1].
            latent: standard normal, shape (batch, 1024, 8).

        Returns:
            Shape (batch, 1, 16384), in [-1, 1], still pre-emphasised.
        """
        skips, hidden = [], wave
        for layer in range(1, LAYERS + 1):
            hidden = self._down(layer, hidden)
            skips.append(hidden)
            hidden = self.get_submodule(f"enc{layer}_nl")(hidden)
        hidden = torch.cat([hidden, latent] if self.ported else [latent, hidden], dim=1)
        for layer in range(LAYERS - 1, 0, -1):
            hidden, skip = self._up(f"dec{layer}", hidden), skips[layer - 1]
            slope = self.get_submodule(f"dec{layer}_nl")
            if self.ported:
                hidden = slope(torch.cat([hidden, skip], dim=1))
            else:
                hidden = torch.cat([slope(hidden), skip], dim=1)
        return torch.tanh(self._up("dec_final", hidden))

    def _down(self, layer: int, wave: Tensor) -> Tensor:
        """Halve the length; padded as TensorFlow's "same": the odd sample goes to the right."""
        left = (self.width - 2) // 2
        padded = functional.pad(wave, (left, self.width - 2 - left))
        return torch.as_tensor(self.get_submodule(f"enc{layer}")(padded))

    def _up(self, name: str, wave: Tensor) -> Tensor:
        """Double the length; the transpose of `_down`."""
        left = (self.width - 2) // 2
        return torch.as_tensor(self.get_submodule(name)(wave)[..., left : left + 2 * wave.shape[-1]])


class Segan:
    """Speech enhancement by a user's SEGAN; one object hears one recording from start to end.

    Args:
        checkpoint: safetensors file.
        seed: of the random latents, so that the same recording gives the same result.

    Raises:
        SeganCheckpointError: the file is not such a checkpoint.
    """

    rate = RATE

    def __init__(self, checkpoint: Path, seed: int) -> None:
        state = checkpoint.stat() if checkpoint.is_file() else None
        self._generator = _kept(checkpoint, state.st_mtime_ns if state else 0)
        self._seed = seed

    def stream(self, blocks: Iterable[Samples]) -> Iterator[Samples]:
        """Yield consecutive enhanced samples, as many as come in and in time with them, at 16 kHz."""
        dice = torch.Generator().manual_seed(self._seed)

        def enhance(window: Samples) -> Samples:
            latent = torch.randn(1, CHANNELS[-1], WINDOW >> LAYERS, generator=dice)
            with torch.inference_mode():
                return np.asarray(self._generator(torch.from_numpy(window.copy())[None, None], latent)[0, 0])

        emphasised = _filtered(blocks, [1.0, -PRE_EMPHASIS], [1.0])
        return _filtered(overlap_added(emphasised, enhance, WINDOW), [1.0], [1.0, -PRE_EMPHASIS])


@lru_cache(maxsize=1)
def _kept(checkpoint: Path, _changed_ns: int) -> SeganGenerator:
    """Return the last checkpoint used without reading it again, since many recordings are cleaned in turn."""
    return load_generator(checkpoint)


def load_generator(checkpoint: Path) -> SeganGenerator:
    """Load a checkpoint of any of the three families, strictly: nothing may be missing or left over.

    Raises:
        SeganCheckpointError: the file is not there, not safetensors, or not SEGAN's generator.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    name = display_name(checkpoint)
    if not checkpoint.is_file():
        raise SeganCheckpointError(f"there is no SEGAN checkpoint {name}: check the path")
    try:
        tensors = load_file(checkpoint)
    except (SafetensorError, OSError):
        raise SeganCheckpointError(
            f"{name} is not a safetensors file: convert the checkpoint where you trust it, with "
            "safetensors.torch.save_file(torch.load(FILE, weights_only=True), ...)"
        ) from None
    state = _renamed(tensors)
    if (first := state.get("enc1.weight")) is None or first.ndim != 3:
        raise SeganCheckpointError(f"{name} holds no SEGAN generator: it has no first layer (enc1.weight)")
    width = int(first.shape[-1])
    if width not in (_PAPER_WIDTH, _PORT_WIDTH):
        raise SeganCheckpointError(f"{name}: filters of width {width}; SEGAN's are 31 wide, its ports' 32")
    with torch.device("meta"):  # no numbers of its own, so that the weights are held once
        generator = SeganGenerator(width)
    try:
        generator.load_state_dict({key: value.float() for key, value in state.items()}, assign=True)
    except RuntimeError as error:
        fault = " ".join(str(error).split())
        raise SeganCheckpointError(f"{name} does not fit SEGAN's generator: {fault[:300]}") from None
    return generator.eval()


def _renamed(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """Return a checkpoint under the names above, from those of parallel training and of TensorFlow too."""
    state = {}
    for key, value in tensors.items():
        plain = re.sub(r"^(module\.|generator\.|g_model/|g_ae/)+", "", key).removesuffix(":0")
        if translated := re.fullmatch(r"(enc|dec)_(prelu_)?(\d+)/(W|b|alpha)", plain):
            plain, value = _from_tensorflow(translated, value)
        state[plain] = value
    return {**_zero_biases(state), **state}


def _zero_biases(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """Return biases of zero for a half that has none at all: the authors' code can be run without."""
    halves = {
        "enc": {f"enc{layer}": CHANNELS[layer] for layer in range(1, LAYERS + 1)},
        "dec": {f"dec{layer}" if layer else "dec_final": CHANNELS[layer] for layer in range(LAYERS)},
    }
    return {
        f"{name}.bias": torch.zeros(channels)
        for half, names in halves.items()
        if not any(key.startswith(half) and key.endswith(".bias") for key in state)
        for name, channels in names.items()
    }


def _from_tensorflow(found: re.Match[str], value: Tensor) -> tuple[str, Tensor]:
    """Return PyTorch's name and order of axes; it was (width, 1, in, out), or (..., out, in) decoding."""
    side, prelu, number, kind = found.groups()
    layer = int(number) + 1 if side == "enc" else LAYERS - 1 - int(number)
    name = f"{side}{layer}" if layer else "dec_final"
    if kind != "W":
        return f"{name}_nl.weight" if prelu else f"{name}.bias", value
    flat = value.reshape(value.shape[0], *value.shape[-2:])
    return f"{name}.weight", flat.permute(2, 1, 0).contiguous()


def _filtered(blocks: Iterable[Samples], b: list[float], a: list[float]) -> Iterator[Samples]:
    """Filter consecutive blocks as if they were one."""
    state = np.zeros(1)
    for samples in blocks:
        filtered, state = lfilter(b, a, samples.astype(np.float64), zi=state)
        yield filtered.astype(np.float32)
