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
import transformers
from transformers import Cache
from transformers.generation import GenerationMode

from semiology.backends.shared_prefix.counts import Counts
from semiology.backends.shared_prefix.questions import UnansweredError

_PER_TOKEN = ("mm_token_type_ids", "token_type_ids")
_SET_BY_US = ("position_ids", "attention_mask", "use_cache", "logits_to_keep", *_PER_TOKEN)
_PIXELS = ("pixel_values", "pixel_values_videos", "pixel_attention_mask")


class SeamError(UnansweredError):
    """This version of transformers hands over less than a shared prefix needs, or under other names."""

    def __init__(self, missing: str) -> None:
        super().__init__(f"transformers {transformers.__version__} {missing}")


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
    def cache_name(self) -> str:
        """The name of the key-value cache among the model's arguments: ``cache`` since 5.24.

        Before it was ``past_key_values``; it is known by what it is.

        Raises:
            SeamError: there is none.
        """
        for name, value in self.arguments.items():
            if isinstance(value, Cache):
                return name
        raise SeamError("prepares no key-value cache")

    @property
    def stop_ids(self) -> frozenset[int]:
        """Tokens that end an answer."""
        ends = self.generation_config.eos_token_id
        if ends is None:
            return frozenset()
        return frozenset([ends] if isinstance(ends, int) else (int(end) for end in ends))


@torch.no_grad()
def prepare(model: Any, inputs: Mapping[str, Any], generation: Mapping[str, Any]) -> Prepared:
    """Let ``generate`` prepare a complete prompt, media included, and stop before its first step.

    Raises:
        SeamError: ``generate`` takes no decoding method, or hands over less than is needed.
    """
    kept: list[Prepared] = []

    def keep(_: Any, input_ids: Any, **given: Any) -> Any:
        try:
            kept.append(
                Prepared(
                    processors=list(given.pop("logits_processor")),
                    stopping=frozenset(type(each).__name__ for each in given.pop("stopping_criteria")),
                    generation_config=given.pop("generation_config"),
                    arguments=given,
                )
            )
        except KeyError as error:
            raise SeamError(f"hands no {error} to a decoding method") from None
        return input_ids

    model.generate(**inputs, **generation, custom_generate=keep)
    if not kept:
        raise SeamError("does not call the decoding method that it is given")
    return kept[0]


@dataclass
class Prefix:
    """The shared beginning of all prompts, run through the model: its keys and values, and its length in tokens.

    ``start`` is the position of the first token after it, one per row of the model's position ids; shape (..., 1).
    ``cache_name`` is the name of the model's argument that takes the cache.
    """

    cache: Any
    length: int
    start: torch.Tensor
    cache_name: str

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
        SeamError: positions or cache were not prepared, or the model did not fill the cache.
    """
    arguments, name = prepared.arguments, prepared.cache_name
    positions, cache = arguments.get("position_ids"), arguments[name]
    if positions is None:
        raise SeamError("prepares no positions")
    start = positions[..., length : length + 1]
    counted = start + torch.arange(positions.shape[-1] - length, device=positions.device)
    if not torch.equal(positions[..., length:], counted):
        raise UnansweredError("after the video this model's positions do not simply count on")
    rest = {key: value for key, value in arguments.items() if key not in (*_SET_BY_US, name)}
    rest |= {key: arguments[key][:, :length] for key in _PER_TOKEN if arguments.get(key) is not None}
    inputs = model.prepare_inputs_for_generation(
        torch.tensor([list(ids[:length])], device=positions.device),
        attention_mask=None,
        position_ids=positions[..., :length],
        is_first_iteration=True,
        use_cache=True,
        **{name: cache},
        **rest,
    )
    last_logits(model, inputs, [length - 1])
    if cache.get_seq_length() != length:
        raise SeamError(f"left {cache.get_seq_length()} of {length} tokens in the key-value cache")
    return Prefix(cache, length, start, name)


def last_logits(model: Any, inputs: Mapping[str, Any], places: Sequence[int]) -> torch.Tensor:
    """Return the logits at some places of each row, shape (rows, places, vocabulary), never those of all tokens."""
    ids = inputs["input_ids"]
    keep = torch.tensor(list(places), device=ids.device)
    supported = getattr(model, "_supports_logits_to_keep", None)
    if supported is not None and supported():
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
