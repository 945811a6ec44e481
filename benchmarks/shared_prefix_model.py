"""The models and the film of ``shared_prefix.py``: the embedded one, and random ones shaped like Qwen2.5-VL.

Random models borrow the embedded model's tokenizer, chat template and processor (patches merged 2 by 2, as in
the published checkpoints, instead of 4 by 4). Their generation config forbids the stop tokens, so that both
sides generate exactly as many tokens as they are asked for; both read it from the same file.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from transformers import (
    GenerationConfig,
    Qwen2_5_VLConfig,
    Qwen2_5_VLForConditionalGeneration,
    Qwen2_5_VLProcessor,
)

from semiology.backends.embedded import sees as tiny
from semiology.data.simulated.script.script import draw_look, draw_script
from semiology.data.simulated.write import write_video

STOCK_MIN_PIXELS, STOCK_MAX_PIXELS = 256 * 28 * 28, 1605632
"""What lmms-eval's ``qwen2_5_vl`` takes by default."""


@dataclass(frozen=True)
class Subject:
    """A model to measure.

    Attributes:
        text: Configuration of the language model, empty for a checkpoint that exists.
        vision: Configuration of the vision tower, likewise.
    """

    name: str
    text: Mapping[str, Any]
    vision: Mapping[str, Any]
    size: tuple[int, int]
    min_pixels: int
    max_pixels: int

    @property
    def random(self) -> bool:
        """Whether its weights are drawn at random."""
        return bool(self.text)


_PATCHES = {"patch_size": 14, "spatial_merge_size": 2, "temporal_patch_size": 2, "window_size": 112}
_ROPE = {"rope_type": "default", "rope_theta": 1e6}

SUBJECTS = {
    "embedded": Subject("embedded", {}, {}, (640, 480), tiny.MIN_PIXELS, tiny.MAX_PIXELS),
    "medium": Subject(
        "medium",
        {
            "hidden_size": 768, "intermediate_size": 2048, "num_hidden_layers": 12,
            "num_attention_heads": 12, "num_key_value_heads": 4, "max_position_embeddings": 32768,
            "rope_parameters": {**_ROPE, "mrope_section": [8, 12, 12]},
        },
        {
            "depth": 8, "hidden_size": 512, "intermediate_size": 1376, "num_heads": 8,
            "fullatt_block_indexes": [3, 7], "tokens_per_second": 2, **_PATCHES,
        },
        (854, 480), 28 * 28, 100 * 28 * 28,
    ),
    "7b": Subject(
        "7b",
        {
            "hidden_size": 3584, "intermediate_size": 18944, "num_hidden_layers": 28, "vocab_size": 152064,
            "num_attention_heads": 28, "num_key_value_heads": 4, "max_position_embeddings": 128000,
            "rope_parameters": {**_ROPE, "mrope_section": [16, 24, 24]},
        },
        {
            "depth": 32, "hidden_size": 1280, "intermediate_size": 3420, "num_heads": 16,
            "fullatt_block_indexes": [7, 15, 23, 31], "tokens_per_second": 2, **_PATCHES,
        },
        (854, 480), STOCK_MIN_PIXELS, STOCK_MAX_PIXELS,
    ),
}  # fmt: skip
"""``7b`` has the sizes of Qwen2.5-VL-7B-Instruct's published configuration and is shown what stock shows."""


def checkpoint_of(subject: Subject, folder: Path, device: str, seed: int = 0) -> Path:
    """Return the folder of a subject's checkpoint; random weights are drawn and written first.

    Args:
        folder: Where random weights go, in bfloat16 safetensors.
        device: Where they are drawn; a large model on a GPU takes seconds instead of minutes.
    """
    if not subject.random:
        return tiny.CHECKPOINT
    processor = Qwen2_5_VLProcessor.from_pretrained(tiny.CHECKPOINT, local_files_only=True)
    for part in (processor.image_processor, processor.video_processor):
        part.merge_size = subject.vision["spatial_merge_size"]
    torch.manual_seed(seed)
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.bfloat16)
    try:
        with torch.device(device):
            model = Qwen2_5_VLForConditionalGeneration(_config(subject, processor.tokenizer))
    finally:
        torch.set_default_dtype(before)
    with torch.no_grad():  # tokens that the small tokenizer lacks are never the likeliest
        model.lm_head.weight[len(processor.tokenizer) :] = 0
    model.generation_config = _generation(processor.tokenizer)
    model.save_pretrained(folder)
    processor.save_pretrained(folder)
    return folder


def _config(subject: Subject, tokenizer: Any) -> Qwen2_5_VLConfig:
    ids = {name: tokenizer.convert_tokens_to_ids(f"<|{name}|>") for name in _MARKS}
    text = {"vocab_size": len(tokenizer), **subject.text, "bos_token_id": None}
    text |= {"eos_token_id": ids["im_end"], "pad_token_id": ids["endoftext"]}
    return Qwen2_5_VLConfig(
        text_config=text,
        vision_config={**subject.vision, "out_hidden_size": text["hidden_size"]},
        image_token_id=ids["image_pad"],
        video_token_id=ids["video_pad"],
        vision_start_token_id=ids["vision_start"],
        vision_end_token_id=ids["vision_end"],
        tie_word_embeddings=False,
        dtype="bfloat16",
    )


_MARKS = ("im_end", "endoftext", "image_pad", "video_pad", "vision_start", "vision_end")


def _generation(tokenizer: Any) -> GenerationConfig:
    """Return a greedy generation config that never stops early and keeps to tokens that have a text."""
    ends = [tokenizer.convert_tokens_to_ids(f"<|{name}|>") for name in ("im_end", "endoftext")]
    special = set(tokenizer.all_special_ids) | set(ends)
    return GenerationConfig(
        do_sample=False, eos_token_id=ends, pad_token_id=ends[1], suppress_tokens=sorted(special)
    )


def parameters_of(checkpoint: Path) -> int:
    """Return how many weights a checkpoint holds, read from the heads of its files."""
    from safetensors import safe_open

    count = 0
    for path in sorted(checkpoint.glob("*.safetensors")):
        with safe_open(path, "pt") as weights:
            count += sum(int(np.prod(weights.get_slice(name).get_shape())) for name in list(weights.keys()))
    return count


def write_film(path: Path, duration_s: float, size: tuple[int, int], seed: int = 0) -> Path:
    """Write a simulated recording, 30 frames a second, H.264."""
    rng = np.random.default_rng([2026, seed])
    write_video(path, draw_script(rng, duration_s, draw_look(rng)), size)
    return path
