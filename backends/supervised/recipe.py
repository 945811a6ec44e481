"""How a video classifier is built and trained: everything that decides its weights, and the published setting."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import Any, Literal, get_args

Architecture = Literal["r3d_18", "mc3_18", "r2plus1d_18", "vivit", "videomae"]
ARCHITECTURES: tuple[Architecture, ...] = get_args(Architecture)
CONVOLUTIONAL = ("r3d_18", "mc3_18", "r2plus1d_18")
KINETICS = ((0.43216, 0.394666, 0.37645), (0.22803, 0.22145, 0.216989))
IMAGENET = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
HALVES = ((0.5, 0.5, 0.5), (0.5, 0.5, 0.5))
PATCH = 16
"""Side of the squares that the transformers see, px; they take two frames at a time."""
MIDDLE_GREY = 128
"""What a picture of differences shows where nothing changed."""


@dataclass(frozen=True)
class Recipe:
    """How a network is built and trained.

    Attributes:
        model: architecture.
        size: side of the square picture, px.
        clips: equal parts of a window that the network sees one by one; the highest P(yes) is the window's.
        frames: pictures of a part.
        fps: pictures per second, the last one repeated to fill up, as published; 0 spreads them over the part.
        squash: stretch pictures to the square, as published; else they keep their aspect between black bars.
        difference: show what changed: each picture minus the median picture of its segment, around middle grey, so that
            neither the patient's looks nor the room can be learned by heart.
        imagenet: normalise by the colours of ImageNet (published for the CNNs), else by those of the weights.
        width: channels as a share of the published network's; below 1 there are no published weights.
        trained: ``all`` weights, or the ``head`` on a frozen backbone.
        moving_statistics: a frozen backbone's batch normalisation goes on counting, as published.
        keep_positions: fit a transformer's table of positions to another number of frames; published: it was lost.
        loss: binary cross-entropy or focal loss. weigh_classes: positives count as much as negatives.
        vary: show clips mirrored, shifted, and lighter or darker, at random. learning_rate, weight_decay: of AdamW;
            decay: the rate falls to nothing along half a cosine. batch: clips at a time.
        epochs: at most. patience: epochs without a lower loss on the inner patients before training ends; 0 never
            ends early, and keeps the last epoch.
        together: one network for all features, else one for each.
        annotated_times: a window is positive if it overlaps the annotated time, where there is one; published: every
            window takes the recording's label.
        own_threshold: chosen on the inner patients, else one half.
        seed: of weights, order and variation.
        precision: ``no``, ``fp16`` or ``bf16``, as in accelerate.
        backbone: configuration of a transformer whose weights were given; None for the published one.
    """

    model: Architecture = "r3d_18"
    size: int = 112
    clips: int = 3
    frames: int = 16
    fps: float = 0.0
    squash: bool = False
    difference: bool = False
    imagenet: bool = False
    width: float = 1.0
    trained: Literal["all", "head"] = "all"
    moving_statistics: bool = False
    keep_positions: bool = True
    loss: Literal["bce", "focal"] = "bce"
    weigh_classes: bool = True
    vary: bool = True
    learning_rate: float = 1e-3
    weight_decay: float = 0.05
    decay: bool = True
    batch: int = 16
    epochs: int = 30
    patience: int = 6
    together: bool = True
    annotated_times: bool = True
    own_threshold: bool = True
    seed: int = 0
    precision: str = "no"
    backbone: dict[str, Any] | None = None

    def __post_init__(self) -> None:
        for name, least in (("size", 16), ("clips", 1), ("frames", 2), ("batch", 1), ("epochs", 1)):
            if getattr(self, name) < least:
                raise ValueError(f"--{name} {getattr(self, name)}: must be {least} or more")
        if not 0 < self.width <= 1:
            raise ValueError(f"--width {self.width}: must be above 0 and at most 1")
        if self.model not in CONVOLUTIONAL and (self.size % PATCH or self.frames % 2):
            raise ValueError(
                f"--model {self.model} sees squares of {PATCH} px and frames in pairs → give --size a multiple of "
                f"{PATCH} and --frames an even number, not {self.size} and {self.frames}"
            )

    @property
    def colours(self) -> tuple[tuple[float, ...], tuple[float, ...]]:
        """Mean and standard deviation of red, green and blue by which pictures are normalised."""
        if self.model in CONVOLUTIONAL:
            return IMAGENET if self.imagenet else KINETICS
        return HALVES if self.model == "vivit" else IMAGENET

    @property
    def sampling(self) -> dict[str, Any]:
        """What decides which pictures a window gives, and how they look."""
        names = ("size", "frames", "fps", "squash")
        found = {name: value for name, value in asdict(self).items() if name in names}
        return found | ({"difference": self.clips} if self.difference else {})

    @property
    def neutral(self) -> int:
        """The value of a pixel that shows nothing: black, or middle grey among differences."""
        return MIDDLE_GREY if self.difference else 0

    def as_dict(self) -> dict[str, Any]:
        """Return all of it as JSON can hold it."""
        return asdict(self)


def published(recipe: Recipe) -> Recipe:
    """Return the setting of the published baselines around a recipe's architecture, seed and precision.

    Source: the EMBC study's program (``cnn_vit/``). Its weaknesses are kept: squashed pictures, the frozen backbone
    whose batch normalisation moves, no class weights, five epochs, no early stopping, every window with its recording's
    label, and, for ViViT with other than 32 frames, no positions. Not kept: folds by video, and thresholds that were
    chosen on the scored recordings. Here folds hold whole patients, and the threshold is one half, which the study
    reports as well.
    """
    size = 112 if recipe.model in CONVOLUTIONAL else 224
    return replace(
        Recipe(model=recipe.model, seed=recipe.seed, precision=recipe.precision, backbone=recipe.backbone),
        size=size,
        clips=1,
        frames=60,
        fps=2.0,
        squash=True,
        imagenet=True,
        trained="head",
        moving_statistics=True,
        keep_positions=False,
        weigh_classes=False,
        vary=False,
        learning_rate=1e-4,
        weight_decay=0.0,
        decay=False,
        batch=2,
        epochs=5,
        patience=0,
        together=False,
        annotated_times=False,
        own_threshold=False,
    )
