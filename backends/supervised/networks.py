"""Networks: torchvision's and transformers' video backbones with one output per feature, and their weights on disk.

Weights are safetensors; nothing that could carry code is read.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save
from torch import Tensor, nn

from semiology.backends.supervised.recipe import CONVOLUTIONAL, PATCH, Recipe
from semiology.data.cache import written_whole
from semiology.privacy.model_hub import hub_folder, only_from_here
from semiology.render.text import counted

OURS = "semiology_recipe"
"""Under which a checkpoint's header holds how its network was built."""
_HEADS = ("fc.", "classifier.", "decoder.", "encoder_to_decoder.", "mask_token")


class WeightsError(ValueError):
    """Weights cannot be used for a network; the message says what to give instead."""


class Classifier(nn.Module):
    """A video backbone and a linear head with one logit per feature.

    Called with pictures, uint8, shape (n, frames, size, size, 3), it returns logits, shape (n, features).
    """

    mean: Tensor
    deviation: Tensor

    def __init__(self, backbone: nn.Module, channels: int, features: int, recipe: Recipe) -> None:
        super().__init__()
        self.backbone = backbone
        self.head = nn.Linear(channels, features)
        self._convolutional = recipe.model in CONVOLUTIONAL
        self._frozen, self._moving = recipe.trained == "head", recipe.moving_statistics
        mean, deviation = (torch.tensor(each).view(1, 1, 1, 1, 3) * 255 for each in recipe.colours)
        self.register_buffer("mean", mean, persistent=False)
        self.register_buffer("deviation", deviation, persistent=False)
        if self._frozen:
            self.backbone.requires_grad_(False)

    def train(self, mode: bool = True) -> Classifier:
        """Set the mode; a frozen backbone stays as it is unless its statistics may move."""
        super().train(mode)
        if self._frozen and not self._moving:
            self.backbone.eval()
        return self

    def forward(self, pictures: Tensor) -> Tensor:
        """Return the logits of clips."""
        normal = (pictures.float() - self.mean) / self.deviation
        order = (0, 4, 1, 2, 3) if self._convolutional else (0, 1, 4, 2, 3)
        found = self.backbone(normal.permute(*order).contiguous())
        return self.head(found if isinstance(found, Tensor) else found.logits)  # type: ignore[no-any-return]


def build(recipe: Recipe, features: int) -> Classifier:
    """Return a network with random weights; ``recipe.seed`` decides which."""
    torch.manual_seed(recipe.seed)
    if recipe.model in CONVOLUTIONAL:
        backbone, channels = _convolutional(recipe)
    else:
        backbone, channels = _transformer(recipe)
    return Classifier(backbone, channels, features, recipe)


def _convolutional(recipe: Recipe) -> tuple[nn.Module, int]:
    from torchvision.models import video
    from torchvision.models.video import resnet

    if recipe.width == 1:
        network = getattr(video, recipe.model)(weights=None)
    else:
        makers = {
            "r3d_18": [resnet.Conv3DSimple] * 4,
            "mc3_18": [resnet.Conv3DSimple, *[resnet.Conv3DNoTemporal] * 3],
            "r2plus1d_18": [resnet.Conv2Plus1D] * 4,
        }[recipe.model]

        class Narrow(resnet.VideoResNet):  # type: ignore[misc]
            """torchvision's network with a share of its channels."""

            def _make_layer(self, block: Any, maker: Any, planes: int, blocks: int, stride: int = 1) -> Any:
                if planes == 64:
                    self.inplanes = _share(64, recipe.width)
                return super()._make_layer(block, maker, _share(planes, recipe.width), blocks, stride)

        network = Narrow(resnet.BasicBlock, makers, [2, 2, 2, 2], lambda: _narrow_stem(recipe))
    channels = _share(512, recipe.width)
    network.fc = nn.Identity()
    return network, channels


def _share(channels: int, width: float) -> int:
    return max(4, round(channels * width))


def _narrow_stem(recipe: Recipe) -> nn.Module:
    """Return the stem of torchvision's networks with a share of its channels."""
    out = _share(64, recipe.width)
    if recipe.model != "r2plus1d_18":
        return nn.Sequential(
            nn.Conv3d(3, out, (3, 7, 7), stride=(1, 2, 2), padding=(1, 3, 3), bias=False),
            nn.BatchNorm3d(out),
            nn.ReLU(inplace=True),
        )
    middle = _share(45, recipe.width)
    return nn.Sequential(
        nn.Conv3d(3, middle, (1, 7, 7), stride=(1, 2, 2), padding=(0, 3, 3), bias=False),
        nn.BatchNorm3d(middle),
        nn.ReLU(inplace=True),
        nn.Conv3d(middle, out, (3, 1, 1), padding=(1, 0, 0), bias=False),
        nn.BatchNorm3d(out),
        nn.ReLU(inplace=True),
    )


def _configuration(recipe: Recipe) -> Any:
    """Return the configuration of a transformer: that of given weights, or the published one's share."""
    from transformers import VideoMAEConfig, VivitConfig

    kind = VivitConfig if recipe.model == "vivit" else VideoMAEConfig
    hidden = max(1, round(12 * recipe.width)) * 64
    given = recipe.backbone or {
        "hidden_size": hidden,
        "num_attention_heads": hidden // 64,
        "num_hidden_layers": max(1, round(12 * recipe.width)),
        "intermediate_size": 4 * hidden,
    }
    shape = {"image_size": recipe.size, "num_frames": recipe.frames, "num_labels": 1}
    return kind(**{**given, **shape})


def _transformer(recipe: Recipe) -> tuple[nn.Module, int]:
    from transformers import VideoMAEForVideoClassification, VivitForVideoClassification

    config = _configuration(recipe)
    kind = VivitForVideoClassification if recipe.model == "vivit" else VideoMAEForVideoClassification
    network = kind(config)
    network.classifier = nn.Identity()
    if recipe.model == "vivit":  # transformers begins with zeros: no position at all
        nn.init.trunc_normal_(network.vivit.embeddings.position_embeddings, std=0.02)
    return network, int(config.hidden_size)


# --- weights to start from ---------------------------------------------------------------------------------------


def find_weights(given: str, *, download: bool) -> Path:
    """Return the safetensors file that ``--weights`` names: a file, a folder that holds one, or a name of the hub.

    Raises:
        WeightsError: it is no safetensors file, or a folder does not hold exactly one.
        ValueError: the hub's files are not on this machine and may not be fetched.
    """
    path = Path(given).expanduser()
    if not path.exists():
        path = hub_folder(given, ["*.safetensors", "config.json"], download=download)
    if path.is_dir():
        found = sorted(path.glob("*.safetensors"))
        if len(found) != 1:
            raise WeightsError(
                f"{path}: holds {counted(len(found), 'safetensors file')} → name the one to use"
            )
        path = found[0]
    if path.suffix != ".safetensors":
        raise WeightsError(
            f"{path.name}: only safetensors are read, since other files can carry code → convert it once where you "
            'trust it: python -c "import torch, safetensors.torch; safetensors.torch.save_file(torch.load('
            f"'{path.name}', weights_only=True), '{path.stem}.safetensors')\""
        )
    return path


def backbone_of(weights: Path, recipe: Recipe) -> dict[str, Any] | None:
    """Return the configuration beside a transformer's weights; None for a convolutional network.

    Raises:
        WeightsError: there is none, or it is of another architecture.
    """
    if recipe.model in CONVOLUTIONAL:
        return None
    file = weights.with_name("config.json")
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        raise WeightsError(
            f"{weights}: no config.json beside it that can be read → give the whole folder of the checkpoint"
        ) from None
    if found.get("model_type") != recipe.model:
        raise WeightsError(
            f"{file}: a checkpoint of {found.get('model_type')!r}, not of {recipe.model!r} → name its own --model"
        )
    names = (
        "hidden_size", "num_attention_heads", "num_hidden_layers", "intermediate_size", "hidden_act", "qkv_bias",
        "layer_norm_eps", "tubelet_size", "patch_size", "use_mean_pooling", "image_size", "num_frames",
    )  # fmt: skip
    return {name: found[name] for name in names if name in found}


def start_from(network: Classifier, weights: Path, recipe: Recipe) -> None:
    """Put given weights into a network's backbone; its head stays random.

    A ViViT's positions are fitted to another number of frames or another size between their neighbours, unless the
    recipe is to lose them.

    Raises:
        WeightsError: the file cannot be read, is of another architecture, or was trained by this program.
    """
    header, state = _read(weights)
    if OURS in header:
        raise WeightsError(
            f"{weights}: trained by `semiology train` on patients of a recording set; scores of a further training "
            "would not say that → start from weights of another source"
        )
    if recipe.width != 1 and recipe.model in CONVOLUTIONAL:
        raise WeightsError(
            f"--weights fit the whole network, not a share of {recipe.width:g} → leave --width out"
        )
    if recipe.model not in CONVOLUTIONAL:
        state = _transformers_state(weights, recipe)
    if recipe.model == "vivit":
        _fit_positions(state, network.backbone, recipe)
    state = {name: value for name, value in state.items() if not name.startswith(_HEADS)}
    own = network.backbone.state_dict()
    missing = [
        n for n in own if n not in state and not n.endswith("num_batches_tracked") and "fc_norm" not in n
    ]
    strange = [name for name in state if name not in own and ".pooler." not in name]
    misfit = [name for name, value in state.items() if name in own and own[name].shape != value.shape]
    for names, what in ((missing, "lacks"), (strange, "also has"), (misfit, "has another shape of")):
        if names:
            raise WeightsError(
                f"{weights}: a checkpoint of another architecture than {recipe.model}: it {what} {names[0]}"
                f"{f' and {len(names) - 1} more' if len(names) > 1 else ''} → name the --model that it belongs to"
            )
    network.backbone.load_state_dict({n: v for n, v in state.items() if n in own}, strict=False)


def _transformers_state(weights: Path, recipe: Recipe) -> dict[str, Tensor]:
    """Return the weights of a transformer as its class names them; files may have older names.

    Raises:
        WeightsError: the file lacks weights of the backbone.
    """
    from transformers import VideoMAEForVideoClassification, VivitForVideoClassification
    from transformers.utils import logging

    kind = VivitForVideoClassification if recipe.model == "vivit" else VideoMAEForVideoClassification
    before = logging.get_verbosity()
    logging.set_verbosity_error()
    try:
        with only_from_here():
            found, told = kind.from_pretrained(
                weights.parent, use_safetensors=True, output_loading_info=True, ignore_mismatched_sizes=True
            )
    finally:
        logging.set_verbosity(before)
    if misfit := [str(each[0]) for each in told["mismatched_keys"] if "classifier" not in str(each[0])]:
        raise WeightsError(
            f"{weights}: {misfit[0]} has another shape than its config.json says → give the one that belongs to it"
        )
    lacking = sorted(
        name for name in told["missing_keys"] if not name.startswith(("classifier.", "fc_norm."))
    )
    if lacking:
        raise WeightsError(
            f"{weights}: a checkpoint of another architecture than {recipe.model}: it lacks {lacking[0]} → name the "
            "--model that it belongs to"
        )
    return dict(found.state_dict())


def _fit_positions(state: dict[str, Tensor], backbone: nn.Module, recipe: Recipe) -> None:
    """Fit a table of positions, shape (1, 1 + n, channels), to the network's number of frames and size of pictures."""
    name = "vivit.embeddings.position_embeddings"
    wanted = dict(backbone.named_parameters())[name]
    if name not in state or state[name].shape == wanted.shape:
        return
    if not recipe.keep_positions:
        state[name] = torch.zeros_like(wanted)
        return
    given = recipe.backbone or {}
    side, depth = _grid(int(given.get("image_size", 224)), int(given.get("num_frames", 32)))
    new_side, new_depth = _grid(recipe.size, recipe.frames)
    first, rest = state[name][:, :1], state[name][:, 1:]
    cube = rest.reshape(1, depth, side, side, -1).permute(0, 4, 1, 2, 3)
    cube = nn.functional.interpolate(cube.float(), size=(new_depth, new_side, new_side), mode="trilinear")
    fitted = cube.permute(0, 2, 3, 4, 1).reshape(1, new_depth * new_side**2, -1)
    state[name] = torch.cat([first, fitted.to(first.dtype)], dim=1)


def _grid(size: int, frames: int) -> tuple[int, int]:
    return size // PATCH, frames // 2


# --- checkpoints of our own --------------------------------------------------------------------------------------


def save_tensors(tensors: dict[str, Tensor], target: Path, header: dict[str, str]) -> None:
    """Write tensors as safetensors, whole or not at all."""
    held = {name: value.detach().cpu().contiguous() for name, value in tensors.items()}
    with written_whole(target) as unfinished:
        unfinished.write_bytes(save(held, metadata=header))


def save_checkpoint(network: Classifier, target: Path, recipe: Recipe, features: tuple[str, ...]) -> None:
    """Write a network's weights with what it takes to build it again."""
    header = {OURS: json.dumps(recipe.as_dict()), "features": json.dumps(features)}
    save_tensors(network.state_dict(), target, header)


def load_checkpoint(path: Path, recipe: Recipe) -> tuple[Classifier, tuple[str, ...]]:
    """Return the network of a checkpoint of ours, ready to answer, and the features of its outputs.

    Raises:
        WeightsError: the file is damaged, not ours, or of another architecture than the recipe.
    """
    header, state = _read(path)
    if OURS not in header:
        raise WeightsError(f"{path}: not a checkpoint of `semiology train` → give the folder that it wrote")
    model = json.loads(header[OURS])["model"]
    if model != recipe.model:
        raise WeightsError(f"{path}: a checkpoint of {model}, where {recipe.model} was trained → train again")
    features = tuple(json.loads(header["features"]))
    network = build(recipe, len(features))
    try:
        network.load_state_dict(state)
    except RuntimeError:
        raise WeightsError(
            f"{path}: its weights do not fit {recipe.model} as the training says → train again"
        ) from None
    return network.eval(), features


def _read(path: Path) -> tuple[dict[str, str], dict[str, Tensor]]:
    try:
        with safe_open(path, framework="pt") as file:
            header = dict(file.metadata() or {})
        return header, load_file(path)
    except (OSError, SafetensorError) as error:
        raise WeightsError(f"{path}: no safetensors file that can be read ({error}) → give another") from None
