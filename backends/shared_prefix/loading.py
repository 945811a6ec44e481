"""From the name of a checkpoint to a model and a processor, through transformers' Auto classes.

Nothing is hard-coded to a device. Errors are sentences: an architecture that is not known, a processor that
takes no video, a checkpoint that is not there.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from transformers import (
    AutoConfig,
    AutoModelForImageTextToText,
    AutoProcessor,
    Qwen2_5OmniThinkerForConditionalGeneration,
    Qwen3OmniMoeThinkerForConditionalGeneration,
)

from semiology.backends.shared_prefix.families import Family, family_of

THINKERS = {
    "qwen2_5_omni": Qwen2_5OmniThinkerForConditionalGeneration,
    "qwen3_omni_moe": Qwen3OmniMoeThinkerForConditionalGeneration,
}
"""Omni checkpoints also hold a part that speaks; only the part that answers in text is loaded."""

DTYPES = ("auto", "bfloat16", "float16", "float32")


class CheckpointError(ValueError):
    """A checkpoint cannot be used; the message says why and what to do."""


@dataclass(frozen=True)
class Loading:
    """How a checkpoint is loaded.

    Attributes:
        pretrained: folder or name.
        device: ``auto`` (CUDA where there is one, else the CPU) or a torch device.
        device_map: as transformers takes it (``auto`` spreads over all GPUs), or None for ``device``.
        dtype: of the weights: ``auto`` (as saved), ``bfloat16``, ``float16`` or ``float32``.
        attn_implementation: as transformers takes it, or None for its choice.
        revision: branch, tag or commit of a checkpoint that is named, not a folder.
        trust_remote_code: whether code that comes with a checkpoint may run.
        min_pixels: for processors that limit pixels, or None.
        max_pixels: likewise.
    """

    pretrained: str
    device: str = "auto"
    device_map: Any = None
    dtype: str = "auto"
    attn_implementation: str | None = None
    revision: str = "main"
    trust_remote_code: bool = False
    min_pixels: int | None = None
    max_pixels: int | None = None


@dataclass(frozen=True)
class Checkpoint:
    """A model ready to answer.

    Attributes:
        model: a transformers model with ``generate``, in evaluation mode.
        processor: its processor.
        family: what is particular to its architecture.
        name: folder or name it came from.
        revision: the commit it came from, or the revision asked for.
    """

    model: Any
    processor: Any
    family: Family
    name: str = ""
    revision: str = ""

    @property
    def tokenizer(self) -> Any:
        """The processor's tokenizer."""
        return self.processor.tokenizer

    @property
    def device(self) -> torch.device:
        """Where the inputs go."""
        return torch.device(self.model.device)


def choose_device(device: str) -> torch.device:
    """Return the device that a name stands for; ``auto`` is CUDA where there is one, else the CPU.

    Raises:
        CheckpointError: no such device.
    """
    if device == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        chosen = torch.device(device)
    except RuntimeError:
        raise CheckpointError(f"device={device}: give auto, cpu, cuda, cuda:0, mps, …") from None
    if chosen.type == "cuda" and not torch.cuda.is_available():
        raise CheckpointError(f"device={device}: this machine has no usable CUDA device; give auto or cpu")
    return chosen


def load_checkpoint(loading: Loading) -> Checkpoint:
    """Load a model and its processor.

    Raises:
        CheckpointError: the checkpoint is missing, its architecture is not known, or it takes no video.
    """
    if loading.dtype not in DTYPES:
        raise CheckpointError(f"dtype={loading.dtype}: give one of {', '.join(DTYPES)}")
    device = None if loading.device_map else choose_device(loading.device)
    common = {"revision": loading.revision, "trust_remote_code": loading.trust_remote_code}
    try:
        config = AutoConfig.from_pretrained(loading.pretrained, **common)
    except (OSError, ValueError, KeyError) as error:
        raise CheckpointError(
            f"pretrained={loading.pretrained} cannot be loaded: {_first_line(error)}"
        ) from None
    processor = load_processor(loading, config.model_type)
    model = _model_class(config).from_pretrained(
        loading.pretrained,
        dtype=loading.dtype,
        device_map=loading.device_map,
        **({"attn_implementation": loading.attn_implementation} if loading.attn_implementation else {}),
        **common,
    )
    if device is not None:
        model = model.to(device)
    revision = getattr(config, "_commit_hash", None) or loading.revision
    return Checkpoint(
        model.eval(), processor, family_of(model.config.model_type), loading.pretrained, revision
    )


def load_processor(loading: Loading, model_type: str) -> Any:
    """Load a processor that takes video.

    Raises:
        CheckpointError: there is none, it takes no video, or a package that it needs is missing.
    """
    limits = {"min_pixels": loading.min_pixels, "max_pixels": loading.max_pixels}
    wanted = {name: value for name, value in limits.items() if value is not None}
    if not family_of(model_type).pixel_limits:
        wanted = {}
    try:
        processor = AutoProcessor.from_pretrained(
            loading.pretrained,
            revision=loading.revision,
            trust_remote_code=loading.trust_remote_code,
            **wanted,
        )
    except (OSError, ValueError, ImportError) as error:
        raise CheckpointError(
            f"pretrained={loading.pretrained}: its processor cannot be loaded: {_first_line(error)}"
        ) from None
    if getattr(processor, "video_processor", None) is None or getattr(processor, "tokenizer", None) is None:
        raise CheckpointError(
            f"pretrained={loading.pretrained}: its processor ({type(processor).__name__}) takes no video; "
            "choose a checkpoint of a video model"
        )
    return processor


def _model_class(config: Any) -> Any:
    """Return the class that loads an architecture.

    Raises:
        CheckpointError: no class of transformers turns video and text into text with it.
    """
    if config.model_type in THINKERS:
        return THINKERS[config.model_type]
    if type(config) in AutoModelForImageTextToText._model_mapping or hasattr(config, "auto_map"):
        return AutoModelForImageTextToText
    raise CheckpointError(
        f"model type {config.model_type!r}: transformers has no class that turns video and text into text "
        "with it; choose another checkpoint, or another lmms-eval model class"
    )


def _first_line(error: BaseException) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
