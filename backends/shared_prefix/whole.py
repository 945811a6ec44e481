"""The last resort: the full prompt of every question through ``generate``, media encoded once or each time.

Also the way of answers that are sampled or searched with beams.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from typing import Any

import torch

from semiology.backends.shared_prefix.counts import Counts
from semiology.backends.shared_prefix.prefill import Prepared

_PIXELS = ("pixel_values", "pixel_values_videos", "pixel_attention_mask")


def encoded(prepared: Prepared) -> Mapping[str, Any] | None:
    """Return the media that ``generate`` encoded while preparing a prompt, None if it left them."""
    found = prepared.arguments.get("mm_encoder_outputs")
    return found if found and any(value is not None for value in found.values()) else None


def with_encoded(inputs: Mapping[str, Any], features: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return a prompt's inputs with encoded media in place of pixels, or as they are without any."""
    if features is None:
        return dict(inputs)
    kept = {name: value for name, value in inputs.items() if name not in _PIXELS}
    # `generate` repeats them in place for every beam: it gets copies, which share the tensors.
    return {**kept, "mm_encoder_outputs": {name: copy.copy(value) for name, value in features.items()}}


def has_pixels(inputs: Mapping[str, Any]) -> bool:
    """Tell whether a prompt's inputs hold pictures that are still to be encoded."""
    return any(name in inputs for name in _PIXELS[:2])


@torch.no_grad()
def generate(
    model: Any, inputs: Mapping[str, Any], generation: Mapping[str, Any], counts: Counts
) -> list[int]:
    """Return the new tokens of ``generate`` on one full prompt."""
    length = inputs["input_ids"].shape[1]
    tokens: Sequence[int] = model.generate(**inputs, **generation)[0, length:].tolist()
    counts.suffix_tokens += length
    counts.fed_tokens += max(0, len(tokens) - 1)
    counts.generated_tokens += len(tokens)
    return [int(token) for token in tokens]


@torch.no_grad()
def first_logits(
    model: Any, inputs: Mapping[str, Any], generation: Mapping[str, Any], counts: Counts
) -> torch.Tensor:
    """Return the raw logits of the first token after one full prompt, shape (vocabulary,)."""
    one = {**generation, "max_new_tokens": 1, "do_sample": False, "num_beams": 1}
    output = model.generate(**inputs, **one, output_logits=True, return_dict_in_generate=True)
    counts.suffix_tokens += inputs["input_ids"].shape[1]
    return torch.as_tensor(output.logits[0][0])
