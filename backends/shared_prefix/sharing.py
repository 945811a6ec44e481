"""Which way of sharing a model allows, chosen by asking the model, with the reason."""

from __future__ import annotations

from typing import Any, NamedTuple

from transformers import DynamicCache
from transformers.cache_utils import DynamicLayer

WAYS = ("packed", "padded", "sequential", "vision", "none")
"""From the leanest to the full prompt per question.

``packed``: all questions in one row behind one prefix. ``padded``: one row each, with copies of the prefix.
``sequential``: one at a time behind the prefix. ``vision``: full prompts, encoded media shared. ``none``:
full prompts, nothing but the frames shared.
"""


class SharingError(ValueError):
    """The way of sharing that was asked for is not possible with this model."""


class Choice(NamedTuple):
    """A way of sharing, one of :data:`WAYS`, and why, for the log."""

    way: str
    reason: str


def choose(model: Any, asked: str = "auto") -> Choice:
    """Return the way of sharing for a model: the one asked for, or with ``auto`` the first that is possible.

    Raises:
        SharingError: the way asked for is unknown or not possible.
    """
    if asked not in ("auto", *WAYS):
        raise SharingError(f"sharing={asked}: give auto or one of {', '.join(WAYS)}")
    obstacles = {way: obstacle(model, way) for way in WAYS}
    if asked != "auto":
        if obstacles[asked]:
            raise SharingError(f"sharing={asked} is not possible with this model: {obstacles[asked]}")
        return Choice(asked, "as asked")
    way = next(way for way in WAYS if not obstacles[way])
    reason = next((found for found in obstacles.values() if found), "nothing stands against it")
    return Choice(way, "the leanest way" if way == WAYS[0] else str(reason))


def obstacle(model: Any, way: str) -> str | None:
    """Return what stands against a way of sharing, or None."""
    if way == "none":
        return None
    if model.config.is_encoder_decoder:
        return "an encoder-decoder model has no prefix"
    if way == "vision":
        supported = getattr(model, "_supports_mm_encoder_outputs", None)
        return None if supported is not None and supported() else "it does not take encoded media"
    if way == "sequential":
        known = hasattr(model, "_prepare_position_ids_for_generation")
        return None if known else "its positions are not known"
    if not cuttable(DynamicCache(config=model.config)):
        return "its cache keeps a state that cannot be cut back (sliding window or linear attention)"
    attention = model.config.get_text_config()._attn_implementation
    if way == "packed" and attention not in ("sdpa", "eager"):
        return f"attention {attention} takes no four-dimensional mask"
    return None


def cuttable(cache: Any) -> bool:
    """Tell whether every layer of a cache simply holds keys and values of all tokens."""
    return all(type(layer) is DynamicLayer for layer in cache.layers)


def next_way(model: Any, way: str) -> str:
    """Return the next way after one that turned out wrong for a model; the last is ``none``."""
    later = WAYS[WAYS.index(way) + 1 :]
    return next((candidate for candidate in later if not obstacle(model, candidate)), WAYS[-1])
