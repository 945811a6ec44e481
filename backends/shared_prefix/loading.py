"""From the name of a checkpoint to a model, a processor, and what is particular to its family of models.

A family says how its stock class picks frames and calls the processor. Everything else is asked of transformers
itself, through its Auto classes, so that a model of no named family still works; it is then compared with its own full
prompt before its shared answers are believed. Nothing is hard-coded to a device.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from transformers import (
    AutoConfig,
    AutoModelForImageTextToText,
    AutoProcessor,
    Qwen2_5OmniThinkerForConditionalGeneration,
    Qwen3OmniMoeThinkerForConditionalGeneration,
)

from semiology.render.text import first_line

THINKERS = {
    "qwen2_5_omni": Qwen2_5OmniThinkerForConditionalGeneration,
    "qwen3_omni_moe": Qwen3OmniMoeThinkerForConditionalGeneration,
}
"""Omni checkpoints also hold a part that speaks; only the part that answers in text is loaded."""

ASSISTANT = "You are a helpful assistant."
OMNI_ASSISTANT = (
    "You are Qwen, a virtual human developed by the Qwen Team, Alibaba Group, capable of perceiving auditory "
    "and visual inputs, as well as generating text and speech."
)
"""System turns that lmms-eval's stock classes of Qwen3-VL and of the Omni models put first."""


@dataclass(frozen=True)
class Family:
    """How a family of models is asked.

    Attributes:
        name: its name, for logs.
        verified: whether tests hold its shared answers against full prompts.
        qwen_frames: whether frames are picked and resized by qwen-vl-utils before the processor sees them.
        cap_with_fps: whether ``max_num_frames`` caps the frames where ``fps`` is given.
        pixel_limits: whether its processor takes ``min_pixels`` and ``max_pixels``.
        rate_argument: whether its processor must be told the frames per second by an argument of its own.
        relative_times: whether frame numbers told to the processor count from the window's start.
        system_prompt: system turn put first where none is given, or None for the template's own.
        tokenizer_stop: whether the tokenizer's end token alone ends an answer, as in lmms-eval's stock
            classes; otherwise the checkpoint's generation config decides.
        processor_arguments: further arguments of the processor.
    """

    name: str
    verified: bool = True
    qwen_frames: bool = False
    cap_with_fps: bool = False
    pixel_limits: bool = False
    rate_argument: bool = False
    relative_times: bool = True
    system_prompt: str | None = None
    tokenizer_stop: bool = True
    processor_arguments: Mapping[str, Any] = field(default_factory=dict)


_NO_SAMPLING = {"do_sample_frames": False}
QWEN2_5_VL = Family(
    "Qwen2.5-VL", qwen_frames=True, pixel_limits=True, relative_times=False,
    processor_arguments={"padding": True, "padding_side": "right"},
)  # fmt: skip
QWEN3_VL = Family(
    "Qwen3-VL", qwen_frames=True, cap_with_fps=True, pixel_limits=True, relative_times=False,
    system_prompt=ASSISTANT, processor_arguments={"do_resize": False, **_NO_SAMPLING},
)  # fmt: skip
OMNI = Family(
    "Qwen-Omni", qwen_frames=True, rate_argument=True, relative_times=False,
    system_prompt=OMNI_ASSISTANT, processor_arguments={"do_resize": False, **_NO_SAMPLING},
)  # fmt: skip
FAMILIES: dict[str, Family] = {
    "qwen2_vl": QWEN2_5_VL,
    "qwen2_5_vl": QWEN2_5_VL,
    "qwen3_vl": QWEN3_VL,
    "qwen3_vl_moe": QWEN3_VL,
    "qwen2_5_omni": OMNI,
    "qwen2_5_omni_thinker": OMNI,
    "qwen3_omni_moe": OMNI,
    "qwen3_omni_moe_thinker": OMNI,
    "internvl": Family("InternVL", processor_arguments=_NO_SAMPLING),
    "llava_onevision": Family("LLaVA-OneVision", processor_arguments=_NO_SAMPLING),
    "smolvlm": Family("SmolVLM", tokenizer_stop=False, processor_arguments=_NO_SAMPLING),
}


def family_of(model_type: str) -> Family:
    """Return the family of an architecture, by transformers' model type; unknown ones get a plain default."""
    return FAMILIES.get(
        model_type, Family(model_type, verified=False, tokenizer_stop=False, processor_arguments=_NO_SAMPLING)
    )


DTYPES = ("auto", "bfloat16", "float16", "float32")


class CheckpointError(ValueError):
    """A checkpoint cannot be used; the message says why and what to do."""


@dataclass(frozen=True)
class Loading:
    """How a checkpoint is loaded; :class:`semiology.backends.semiology_hf.SemiologyHF` describes each argument."""

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
            f"pretrained={loading.pretrained} cannot be loaded: {first_line(error)}"
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
    if not family_of(model_type).pixel_limits:
        limits = {}
    try:
        processor = AutoProcessor.from_pretrained(
            loading.pretrained,
            revision=loading.revision,
            trust_remote_code=loading.trust_remote_code,
            **{name: value for name, value in limits.items() if value is not None},
        )
    except (OSError, ValueError, ImportError) as error:
        raise CheckpointError(
            f"pretrained={loading.pretrained}: its processor cannot be loaded: {first_line(error)}"
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
