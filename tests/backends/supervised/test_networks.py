"""Networks answer for each feature, begin with the weights they are given, and refuse those of others."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file

from semiology.backends.supervised.networks import (
    WeightsError,
    backbone_of,
    build,
    find_weights,
    load_checkpoint,
    save_checkpoint,
    start_from,
)
from semiology.backends.supervised.recipe import ARCHITECTURES, Recipe, published

FEATURES = ("tonic", "clonic", "figure4")


def tiny(model: Any, **other: Any) -> Recipe:
    return Recipe(**{"model": model, "size": 32, "frames": 4, "width": 1 / 16, **other})


def clip(recipe: Recipe, n: int = 2) -> torch.Tensor:
    generator = torch.Generator().manual_seed(1)
    shape = (n, recipe.frames, recipe.size, recipe.size, 3)
    return torch.randint(0, 256, shape, dtype=torch.uint8, generator=generator)


@pytest.mark.parametrize("model", ARCHITECTURES)
def test_every_architecture_gives_a_logit_for_each_feature_and_comes_back_from_its_checkpoint(
    model: str, tmp_path: Path
) -> None:
    recipe = tiny(model)
    network = build(recipe, len(FEATURES)).eval()
    found = network(clip(recipe))
    assert found.shape == (2, 3)
    assert torch.equal(build(recipe, 3).eval()(clip(recipe)), found)  # the seed decides
    save_checkpoint(network, tmp_path / "a.safetensors", recipe, FEATURES)
    again, features = load_checkpoint(tmp_path / "a.safetensors", recipe)
    assert features == FEATURES
    assert torch.equal(again(clip(recipe)), found)


def test_a_network_sees_the_order_of_time() -> None:
    for model in ARCHITECTURES:
        recipe = tiny(model, frames=8)
        network = build(recipe, 1).eval()
        shown = clip(recipe, 1)
        assert not torch.allclose(network(shown), network(shown.flip(1)), atol=1e-6), model


def test_a_checkpoint_of_another_architecture_is_refused(tmp_path: Path) -> None:
    save_checkpoint(build(tiny("r3d_18"), 3), tmp_path / "a.safetensors", tiny("r3d_18"), FEATURES)
    with pytest.raises(WeightsError, match="a checkpoint of r3d_18, where mc3_18 was trained"):
        load_checkpoint(tmp_path / "a.safetensors", tiny("mc3_18"))
    with pytest.raises(WeightsError, match="do not fit r3d_18"):
        load_checkpoint(tmp_path / "a.safetensors", tiny("r3d_18", width=1 / 8))
    with pytest.raises(WeightsError, match="trained by `semiology train`"):
        start_from(build(tiny("r3d_18"), 1), tmp_path / "a.safetensors", tiny("r3d_18"))
    (tmp_path / "a.safetensors").write_bytes(b"nothing")
    with pytest.raises(WeightsError, match="no safetensors file that can be read"):
        load_checkpoint(tmp_path / "a.safetensors", tiny("r3d_18"))


def test_torchvisions_weights_are_taken_whole_or_refused(tmp_path: Path) -> None:
    from torchvision.models.video import mc3_18

    torch.manual_seed(5)
    whole = mc3_18(weights=None)
    file = tmp_path / "mc3.safetensors"
    save_file(whole.state_dict(), file)
    recipe = Recipe(model="mc3_18", size=32, frames=4)
    network = build(recipe, 2)
    start_from(network, file, recipe)
    shown = clip(recipe, 1)
    normal = (shown.float() - network.mean) / network.deviation
    whole.fc = torch.nn.Identity()
    expected = whole.eval()(normal.permute(0, 4, 1, 2, 3))
    assert torch.allclose(network.eval().backbone(normal.permute(0, 4, 1, 2, 3)), expected)
    other = Recipe(model="r3d_18", size=32, frames=4)
    with pytest.raises(WeightsError, match="another architecture than r3d_18"):
        start_from(build(other, 2), file, other)
    with pytest.raises(WeightsError, match="leave --width out"):
        start_from(build(tiny("mc3_18"), 2), file, tiny("mc3_18"))


def test_files_that_can_carry_code_are_refused(tmp_path: Path) -> None:
    (tmp_path / "r3d_18.pth").write_bytes(b"x")
    with pytest.raises(WeightsError, match="only safetensors are read"):
        find_weights(str(tmp_path / "r3d_18.pth"), download=False)
    with pytest.raises(WeightsError, match="holds 0 safetensors files"):
        find_weights(str(tmp_path), download=False)
    with pytest.raises(ValueError, match="add --allow-download"):
        find_weights("nobody/nothing", download=False)


@pytest.mark.parametrize(("model", "name"), [("vivit", "Vivit"), ("videomae", "VideoMAE")])
def test_a_transformers_folder_gives_its_weights(model: str, name: str, tmp_path: Path) -> None:
    import transformers

    sizes = {"hidden_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 64}
    config = getattr(transformers, f"{name}Config")(image_size=32, num_frames=4, num_labels=7, **sizes)
    given = getattr(transformers, f"{name}ForVideoClassification")(config).eval()
    given.save_pretrained(tmp_path)
    weights = find_weights(str(tmp_path), download=False)
    recipe = Recipe(model=model, size=32, frames=4)
    recipe = Recipe(model=model, size=32, frames=4, backbone=backbone_of(weights, recipe))
    network = build(recipe, 2).eval()
    start_from(network, weights, recipe)
    given.classifier = torch.nn.Identity()
    pixels = torch.randn(1, 4, 3, 32, 32)
    assert torch.allclose(network.backbone(pixels).logits, given(pixels).logits, atol=1e-5)
    other = "videomae" if model == "vivit" else "vivit"
    with pytest.raises(WeightsError, match=f"a checkpoint of '{model}', not of '{other}'"):
        backbone_of(weights, Recipe(model=other, size=32, frames=4))
    (tmp_path / "config.json").unlink()
    with pytest.raises(WeightsError, match=r"no config\.json beside it"):
        backbone_of(weights, recipe)


def test_positions_are_fitted_to_more_frames_where_the_study_lost_them(tmp_path: Path) -> None:
    from transformers import VivitConfig, VivitForVideoClassification

    sizes = {"hidden_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 64}
    given = VivitForVideoClassification(VivitConfig(image_size=32, num_frames=8, num_labels=1, **sizes))
    table = given.vivit.embeddings.position_embeddings
    with torch.no_grad():
        table.copy_(
            torch.arange(4.0)
            .repeat_interleave(4)
            .repeat(1, 1)[0]
            .view(1, 16, 1)
            .repeat(1, 1, 32)[:, [0, *range(16)]]
        )
    given.save_pretrained(tmp_path)
    weights = tmp_path / "model.safetensors"
    plain = Recipe(model="vivit", size=32, frames=16)
    recipe = Recipe(model="vivit", size=32, frames=16, backbone=backbone_of(weights, plain))
    network = build(recipe, 1)
    start_from(network, weights, recipe)
    fitted = dict(network.backbone.named_parameters())["vivit.embeddings.position_embeddings"]
    by_time = fitted[0, 1:, 0].view(8, 4)
    assert torch.allclose(by_time, by_time[:, :1])  # the same at each place
    assert by_time[0, 0] == 0
    assert by_time[-1, 0] == 3
    assert bool((by_time[1:, 0] >= by_time[:-1, 0]).all())
    lost = Recipe(**{**recipe.as_dict(), "keep_positions": False})
    network = build(lost, 1)
    start_from(network, weights, lost)
    assert not dict(network.backbone.named_parameters())["vivit.embeddings.position_embeddings"].any()
    told = json.loads((tmp_path / "config.json").read_text()) | {"num_frames": 6}
    (tmp_path / "config.json").write_text(json.dumps(told))
    wrong = Recipe(model="vivit", size=32, frames=16, backbone=backbone_of(weights, plain))
    with pytest.raises(
        WeightsError, match=r"position_embeddings has another shape than its config\.json says"
    ):
        start_from(build(wrong, 1), weights, wrong)


def test_a_frozen_backbone_moves_its_statistics_only_in_the_published_setting() -> None:
    for moving in (False, True):
        recipe = tiny("r3d_18", trained="head", moving_statistics=moving)
        network = build(recipe, 1).train()
        before = {name: value.clone() for name, value in network.backbone.state_dict().items()}
        network(clip(recipe)).sum().backward()
        changed = [n for n, v in network.backbone.state_dict().items() if not torch.equal(v, before[n])]
        assert bool(changed) is moving
        assert all("running" in name or "num_batches" in name for name in changed)
        assert all(each.grad is None for each in network.backbone.parameters())
        assert network.head.weight.grad is not None


def test_the_published_setting_is_that_of_the_study() -> None:
    found = published(Recipe(model="r3d_18", seed=3))
    assert (found.size, found.frames, found.fps, found.clips, found.squash) == (112, 60, 2.0, 1, True)
    assert (found.epochs, found.batch, found.learning_rate, found.weight_decay) == (5, 2, 1e-4, 0.0)
    assert found.trained == "head"
    assert not found.together
    assert not found.own_threshold
    assert found.seed == 3
    assert published(Recipe(model="vivit", size=224)).size == 224


def test_impossible_numbers_are_refused() -> None:
    for told, words in (
        ({"frames": 1}, "--frames 1"),
        ({"width": 0}, "--width 0"),
        ({"model": "vivit", "size": 100}, "multiple of 16"),
        ({"model": "videomae", "size": 32, "frames": 5}, "an even number"),
    ):
        with pytest.raises(ValueError, match=words):
            Recipe(**told)
