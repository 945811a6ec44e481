"""A prefix that many questions share, run once and kept as a key-value cache; or the full prompt of each.

``generate`` itself prepares the prefix: it takes a decoding method of the caller's. Ours keeps what ``generate``
hands to it (positions by the model's own rule, encoded media, an empty cache of the right kind, logits processors)
and stops there: nothing of this is written anew for any architecture.

Full prompts go through ``generate``, media encoded once or each time. They are the last resort, and the way of answers
that are sampled or searched with beams.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from transformers.generation import GenerationMode

from semiology.backends.shared_prefix.counts import Counts
from semiology.backends.shared_prefix.questions import UnansweredError

_PER_TOKEN = ("mm_token_type_ids", "token_type_ids")
_SET_BY_US = ("position_ids", "attention_mask", "past_key_values", "use_cache", "logits_to_keep", *_PER_TOKEN)
_PIXELS = ("pixel_values", "pixel_values_videos", "pixel_attention_mask")


@dataclass
class Prepared:
    """What ``generate`` made of a complete prompt before its first step.

    The arguments of the model (positions, an empty cache, encoded media), the logits processors in order, the
    checkpoint's generation config with the caller's arguments, and the names of the stopping criteria.
    """

    arguments: dict[str, Any]
    processors: list[Any]
    generation_config: Any
    stopping: frozenset[str]

    @property
    def greedy(self) -> bool:
        """Whether the plain greedy loop answers as ``generate`` would."""
        mode = self.generation_config.get_generation_mode()
        return bool(mode == GenerationMode.GREEDY_SEARCH) and self.stopping <= {
            "MaxLengthCriteria",
            "EosTokenCriteria",
        }

    @property
    def encoded(self) -> Mapping[str, Any] | None:
        """The media that were encoded on the way, None if they were left."""
        found = self.arguments.get("mm_encoder_outputs")
        return found if found and any(value is not None for value in found.values()) else None

    @property
    def stop_ids(self) -> frozenset[int]:
        """Tokens that end an answer."""
        ends = self.generation_config.eos_token_id
        if ends is None:
            return frozenset()
        return frozenset([ends] if isinstance(ends, int) else (int(end) for end in ends))


@torch.no_grad()
def prepare(model: Any, inputs: Mapping[str, Any], generation: Mapping[str, Any]) -> Prepared:
    """Let ``generate`` prepare a complete prompt, media included, and stop before its first step."""
    kept: dict[str, Any] = {}

    def keep(
        model: Any,
        input_ids: Any,
        logits_processor: Any,
        stopping_criteria: Any,
        generation_config: Any,
        **arguments: Any,
    ) -> Any:
        del model
        kept["arguments"] = arguments
        kept["processors"] = list(logits_processor)
        kept["generation_config"] = generation_config
        kept["stopping"] = frozenset(type(criterion).__name__ for criterion in stopping_criteria)
        return input_ids

    model.generate(**inputs, **generation, custom_generate=keep)
    return Prepared(**kept)


@dataclass
class Prefix:
    """The shared beginning of all prompts, run through the model: its keys and values, and its length in tokens.

    ``start`` is the position of the first token after it, one per row of the model's position ids; shape (..., 1).
    """

    cache: Any
    length: int
    start: torch.Tensor

    def positions(self, offsets: Sequence[int]) -> torch.Tensor:
        """Return the positions of tokens by their distance from the prefix's end, shape (..., tokens)."""
        return self.start + torch.tensor(offsets, dtype=self.start.dtype, device=self.start.device)

    def trim(self) -> None:
        """Take everything behind the prefix out of the cache again, whatever state a failed step left."""
        for layer in self.cache.layers:
            layer.crop(-(layer.get_seq_length() - self.length))


@torch.no_grad()
def fill(model: Any, ids: Sequence[int], length: int, prepared: Prepared) -> Prefix:
    """Run the first ``length`` tokens of a prompt, which all prompts share, through the model.

    ``ids`` is the complete prompt that was prepared, the longest, so that its positions cover the others; the cache
    that was prepared for it is filled.

    Raises:
        UnansweredError: after the prefix positions do not simply count on.
    """
    arguments = prepared.arguments
    positions, cache = arguments["position_ids"], arguments["past_key_values"]
    start = positions[..., length : length + 1]
    counted = start + torch.arange(positions.shape[-1] - length, device=positions.device)
    if not torch.equal(positions[..., length:], counted):
        raise UnansweredError("after the video this model's positions do not simply count on")
    rest = {name: value for name, value in arguments.items() if name not in _SET_BY_US}
    rest |= {name: arguments[name][:, :length] for name in _PER_TOKEN if arguments.get(name) is not None}
    inputs = model.prepare_inputs_for_generation(
        torch.tensor([list(ids[:length])], device=positions.device),
        past_key_values=cache,
        attention_mask=None,
        position_ids=positions[..., :length],
        is_first_iteration=True,
        use_cache=True,
        **rest,
    )
    last_logits(model, inputs, [length - 1])
    return Prefix(cache, length, start)


def last_logits(model: Any, inputs: Mapping[str, Any], places: Sequence[int]) -> torch.Tensor:
    """Return the logits at some places of each row, shape (rows, places, vocabulary), never those of all tokens."""
    ids = inputs["input_ids"]
    keep = torch.tensor(list(places), device=ids.device)
    if model._supports_logits_to_keep():
        return torch.as_tensor(model(**{**inputs, "logits_to_keep": keep}, return_dict=True).logits)
    # The Omni models compute the logits of every token: call what is below their head.
    body = {name: value for name, value in inputs.items() if name != "logits_to_keep"}
    hidden = model.base_model(**body, return_dict=True).last_hidden_state
    head = model.get_output_embeddings()
    return torch.as_tensor(head(hidden[:, keep.to(hidden.device)]))


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
