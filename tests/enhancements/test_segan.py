"""SEGAN's generator has the paper's form, reads every family of checkpoint alike, and keeps time."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from heard_recording import RATE, recording, tone
from safetensors.torch import save_file
from torch.nn import functional

from semiology.enhancements.sound import segan
from semiology.enhancements.sound.denoise import Denoise
from semiology.enhancements.sound.segan import (
    LAYERS,
    WINDOW,
    Segan,
    SeganCheckpointError,
    SeganGenerator,
    load_generator,
)

SMALL = (1, 2, 2, 2, 3, 3, 4, 4, 5, 5, 6, 7)


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the network have few channels."""
    monkeypatch.setattr(segan, "CHANNELS", SMALL)


def random_state(width: int = 31) -> dict[str, torch.Tensor]:
    torch.manual_seed(width)
    return SeganGenerator(width).state_dict()


def one_window() -> tuple[torch.Tensor, torch.Tensor]:
    torch.manual_seed(3)
    return 0.3 * torch.randn(1, 1, WINDOW), torch.randn(1, segan.CHANNELS[-1], WINDOW >> LAYERS)


def test_feature_maps_are_those_of_the_paper() -> None:
    """Pascual et al. 2017, section 4.2: 16384x1, 8192x16, ..., 16x512, 8x1024."""
    with torch.device("meta"):
        generator = SeganGenerator()
        wave = torch.zeros(2, 1, WINDOW)
        for layer in range(1, LAYERS + 1):
            wave = generator._down(layer, wave)
            assert wave.shape == (2, segan.CHANNELS[layer], WINDOW >> layer)
        assert wave.shape == (2, 1024, 8)
        assert generator(torch.zeros(2, 1, WINDOW), torch.zeros(2, 1024, 8)).shape == (2, 1, WINDOW)
    assert all(
        parameter.shape[-1] == 31 for name, parameter in generator.named_parameters() if parameter.ndim == 3
    )


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("width", [31, 32])
def test_the_decoder_undoes_the_strides_in_place(width: int) -> None:
    """A transposed layer is the adjoint of the layer with the same filters: <down(x), y> = <x, up(y)>."""
    generator = SeganGenerator(width)
    down, up = generator.get_submodule("enc1"), generator.get_submodule("dec_final")
    with torch.no_grad():
        up.weight[:2] = down.weight
        up.weight[2:] = 0
        up.bias.zero_()
        down.bias.zero_()
        wave, code = torch.randn(1, 1, 256), torch.randn(1, 4, 128)
        there = (generator._down(1, wave) * code[:, :2]).sum()
        back = (wave * generator._up("dec_final", code)).sum()
    assert float(there) == pytest.approx(float(back), rel=1e-4)


@pytest.mark.usefixtures("small")
def test_a_checkpoint_of_the_public_ports_gives_their_output(tmp_path: Path) -> None:
    """The ports' forward pass, written out: padding 15, skip joined before one common slope, latent last."""
    state = random_state(32)
    save_file({f"module.{name}": value for name, value in state.items()}, tmp_path / "port.safetensors")
    wave, latent = one_window()
    skips, hidden = [], wave
    for layer in range(1, LAYERS + 1):
        filters = state[f"enc{layer}.weight"], state[f"enc{layer}.bias"]
        hidden = functional.conv1d(hidden, *filters, stride=2, padding=15)
        skips.append(hidden)
        hidden = functional.prelu(hidden, state[f"enc{layer}_nl.weight"])
    hidden = torch.cat((hidden, latent), dim=1)
    for layer in range(LAYERS - 1, -1, -1):
        name = f"dec{layer}" if layer else "dec_final"
        filters = state[f"{name}.weight"], state[f"{name}.bias"]
        hidden = functional.conv_transpose1d(hidden, *filters, stride=2, padding=15)
        if layer:
            joined = torch.cat((hidden, skips[layer - 1]), dim=1)
            hidden = functional.prelu(joined, state[f"{name}_nl.weight"])
    with torch.no_grad():
        ours = load_generator(tmp_path / "port.safetensors")(wave, latent)
    torch.testing.assert_close(ours, torch.tanh(hidden))


def as_tensorflow(state: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Return a state under the names and in the order of axes of the authors' TensorFlow variables."""
    renamed = {}
    for key, value in state.items():
        name, kind = key.split(".")
        plain = name.removesuffix("_nl")
        side = plain[:3]
        layer = 0 if plain == "dec_final" else int(plain[3:])
        number = layer - 1 if side == "enc" else LAYERS - 1 - layer
        if name.endswith("_nl"):
            renamed[f"g_ae/{side}_prelu_{number}/alpha"] = value
        elif kind == "bias":
            renamed[f"g_ae/{side}_{number}/b:0"] = value
        else:
            renamed[f"g_ae/{side}_{number}/W"] = value.permute(2, 1, 0)[:, None].contiguous()
    return renamed


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("biased", [True, False])
def test_the_authors_variables_give_the_same_network(tmp_path: Path, biased: bool) -> None:
    state = {
        name: value if biased or not name.endswith(".bias") else torch.zeros_like(value)
        for name, value in random_state().items()
    }
    save_file(state, tmp_path / "torch.safetensors")
    variables = {name: value for name, value in as_tensorflow(state).items() if biased or "/b" not in name}
    save_file(variables, tmp_path / "tensorflow.safetensors")
    window = one_window()
    with torch.no_grad():
        first, second = (
            load_generator(tmp_path / f"{name}.safetensors")(*window) for name in ("torch", "tensorflow")
        )
    torch.testing.assert_close(first, second)


@pytest.mark.usefixtures("small")
def test_what_is_no_checkpoint_is_refused_with_a_reason(tmp_path: Path) -> None:
    def refused(name: str) -> str:
        with pytest.raises(SeganCheckpointError) as told:
            load_generator(tmp_path / name)
        return str(told.value)

    assert "there is no SEGAN checkpoint" in refused("gone.safetensors")
    (tmp_path / "pickle.pth").write_bytes(b"\x80\x04rubbish")
    assert "weights_only=True" in refused("pickle.pth")
    save_file({"other": torch.zeros(1)}, tmp_path / "other.safetensors")
    assert "no first layer" in refused("other.safetensors")
    state = random_state()
    save_file({**state, "enc1.weight": torch.zeros(2, 1, 15)}, tmp_path / "narrow.safetensors")
    assert "filters of width 15" in refused("narrow.safetensors")
    save_file(
        {name: value for name, value in state.items() if name != "dec3.weight"}, tmp_path / "hole.safetensors"
    )
    assert "dec3.weight" in refused("hole.safetensors")
    save_file({**state, "extra.weight": torch.zeros(1)}, tmp_path / "more.safetensors")
    assert "extra.weight" in refused("more.safetensors")


@pytest.mark.usefixtures("small")
def test_a_stream_keeps_its_length_and_repeats_itself(tmp_path: Path) -> None:
    # Untrained layers pass little on: made stronger, the latent can be heard in what comes out.
    state = {name: 4 * value if value.ndim == 3 else value for name, value in random_state().items()}
    save_file(state, tmp_path / "small.safetensors")
    sound = tone(2.3).astype(np.float32)

    def streamed(seed: int, parts: int) -> np.ndarray:
        pieces = Segan(tmp_path / "small.safetensors", seed).stream(np.array_split(sound, parts))
        return np.concatenate(list(pieces))

    whole = streamed(0, 1)
    assert whole.size == sound.size
    np.testing.assert_allclose(streamed(0, 7), whole, atol=1e-4)
    assert np.abs(streamed(1, 1) - whole).max() > 1e-2


@pytest.mark.usefixtures("small")
def test_denoise_takes_a_users_checkpoint(tmp_path: Path) -> None:
    checkpoint = tmp_path / "small.safetensors"
    save_file(random_state(), checkpoint)
    step = Denoise("segan", checkpoint)
    assert step.parameters()["weights"] == Denoise("segan", checkpoint).parameters()["weights"]
    assert len(str(step.parameters()["weights"])) == 64
    outcome = step.apply(recording(tmp_path / "v", tone(1.6)), tmp_path / "out.wav", None)
    assert outcome.status == "done"
    assert outcome.sentence.startswith("SEGAN cleaned")
    assert (tmp_path / "out.wav").stat().st_size == 44 + 2 * round(1.6 * RATE)


def test_a_checkpoint_that_is_gone_makes_the_step_unavailable(tmp_path: Path) -> None:
    step = Denoise("segan", tmp_path / "gone.safetensors")
    assert step.parameters()["weights"] == "absent"
    outcome = step.apply(recording(tmp_path / "v", tone(1.0)), tmp_path / "out.wav", None)
    assert outcome.status == "unavailable"
    assert "there is no SEGAN checkpoint" in outcome.sentence
