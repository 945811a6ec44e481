"""The options of ``semiology train``, and the recipe that they give."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Annotated, Literal

import typer

from semiology.backends.supervised.recipe import ARCHITECTURES, CONVOLUTIONAL, Architecture, Recipe, published
from semiology.settings import DATA

_OWN = "by default that of the profile"


@dataclass(frozen=True)
class TrainOptions:
    """What one training is; each field is told by its help."""

    data: Annotated[
        Path,
        typer.Option(help="Folder of the recording set.", envvar=DATA.name, exists=True, file_okay=False),
    ]
    out: Annotated[Path, typer.Option(help="Folder for networks, logs, scores and result files.")]
    model: Annotated[Architecture, typer.Option(help=f"Architecture: {', '.join(ARCHITECTURES)}.")] = "r3d_18"
    features: Annotated[
        str, typer.Option(help="Features or groups (visual, limb_body, facial), comma-separated.")
    ] = "visual"
    profile: Annotated[
        Literal["ours", "published"],
        typer.Option(help="'published' is the setting of the EMBC baselines, but with folds by patient."),
    ] = "ours"
    weights: Annotated[
        str | None,
        typer.Option(
            help="Safetensors to begin with: a file, a folder, or a name on the hub; random without it."
        ),
    ] = None
    allow_download: Annotated[
        bool, typer.Option("--allow-download", help="Fetch the weights from the model hub.")
    ] = False
    folds: Annotated[
        int | None,
        typer.Option(
            help="Folds of patients, drawn as `data folds` does (3); those in recordings.csv come first.",
            min=2,
        ),
    ] = None
    seed: Annotated[int, typer.Option(help="Seed of folds, weights and order.", min=0)] = 0
    window: Annotated[str | None, typer.Option(help="'standard' (30 s, the default) or 'qwen3' (60 s).")] = (
        None
    )
    one_per_feature: Annotated[
        bool | None,
        typer.Option(
            "--one-per-feature/--together", help=f"A network for each feature, or one for all; {_OWN}."
        ),
    ] = None
    trained: Annotated[
        Literal["all", "head"] | None,
        typer.Option("--train", help=f"All weights, or the head on a frozen backbone; {_OWN}."),
    ] = None
    loss: Annotated[
        Literal["bce", "focal"] | None, typer.Option(help=f"Cross-entropy or focal loss; {_OWN}.")
    ] = None
    size: Annotated[int | None, typer.Option(help=f"Side of the square picture, px; {_OWN}.")] = None
    clips: Annotated[
        int | None, typer.Option(help=f"Parts of a window that the network sees one by one; {_OWN}.")
    ] = None
    frames: Annotated[int | None, typer.Option(help=f"Pictures of a part; {_OWN}.")] = None
    difference: Annotated[
        bool | None,
        typer.Option(
            "--difference/--as-filmed",
            help=f"Pictures minus the median picture of their segment: what changed; {_OWN}.",
        ),
    ] = None
    width: Annotated[
        float | None, typer.Option(help=f"Share of the architecture's channels, up to 1; {_OWN}.")
    ] = None
    epochs: Annotated[int | None, typer.Option(help=f"Epochs at most; {_OWN}.")] = None
    patience: Annotated[
        int | None, typer.Option(help=f"Epochs without gain on inner patients, then end; {_OWN}.")
    ] = None
    batch: Annotated[int | None, typer.Option(help=f"Clips at a time; {_OWN}.")] = None
    learning_rate: Annotated[float | None, typer.Option(help=f"Of AdamW; {_OWN}.")] = None
    vary: Annotated[
        bool | None,
        typer.Option(
            "--vary/--plain", help=f"Clips mirrored, shifted, lighter or darker at random, or not; {_OWN}."
        ),
    ] = None
    device: Annotated[
        Literal["auto", "cpu", "cuda", "mps"],
        typer.Option(help="Where to compute; auto takes what is there."),
    ] = "auto"
    precision: Annotated[
        Literal["no", "fp16", "bf16"], typer.Option(help="Mixed precision, as in accelerate.")
    ] = "no"
    least_patients: Annotated[
        int,
        typer.Option(help="Features with fewer patients with, or without, them are left out.", min=2),
    ] = 6
    shuffle_labels: Annotated[
        bool,
        typer.Option(
            "--shuffle-labels", help="A control: labels of training patients are dealt out at random."
        ),
    ] = False
    distinct_patients: Annotated[
        bool,
        typer.Option(
            "--distinct-patients", help="Patients with look-alike ids, or in one film, are different people."
        ),
    ] = False

    def recipe(self) -> Recipe:
        """Return the recipe: the profile's, with what was chosen.

        Raises:
            ValueError: a number is out of its range.
        """
        plain = Recipe(model=self.model, seed=self.seed, precision=self.precision)
        base = published(plain) if self.profile == "published" else plain
        if self.profile == "ours" and self.model not in CONVOLUTIONAL:
            base = replace(base, size=224)
        if self.profile == "ours" and (self.weights is not None or self.model not in CONVOLUTIONAL):
            base = replace(base, learning_rate=1e-4)
        names = {each.name for each in fields(Recipe)} & {each.name for each in fields(self)}
        chosen = {name: getattr(self, name) for name in sorted(names)}
        chosen = {name: value for name, value in chosen.items() if value is not None}
        if self.one_per_feature is not None:
            chosen["together"] = not self.one_per_feature
        return replace(base, **chosen)
