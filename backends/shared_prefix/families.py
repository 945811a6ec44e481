"""What is particular to a family of models: how its stock class picks frames and calls the processor.

Everything else is asked of transformers itself, so that a model that is not named here still works; it is
then compared with its own full prompt before its shared answers are believed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

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
