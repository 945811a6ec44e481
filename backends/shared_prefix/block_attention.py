"""Attention for a packed row: every token sees the prefix and its own question; nothing else is computed.

With a mask, attention also multiplies each question with all others and throws the result away. Here the two
parts are computed apart and put together by their normalisers (log-sum-exp), which is exact: one attention
without any mask over the prefix for all tokens at once, and a small one per question over what is its own.
Keys and values are not repeated for grouped queries.

The fused kernels that also return the normaliser have no public name in PyTorch; where they are missing or
give anything else than the plain formula, :func:`usable` says so and a mask is used instead.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import Any

import torch
from transformers import AttentionInterface
from transformers.integrations.sdpa_attention import sdpa_attention_forward
from transformers.masking_utils import AttentionMaskInterface, sdpa_mask

NAME = "semiology_blocks"
_STANDARD = ("sdpa", NAME)


@dataclass(frozen=True)
class Blocks:
    """Which tokens of a packed row belong together.

    Attributes:
        prefix: tokens of the prefix.
        queries: places of each question's new tokens in the row, padded; shape (questions, most new tokens).
        keys: places of all its tokens behind the prefix, padded; shape (questions, most tokens).
        hidden: what a new token must not see of these: padding and later tokens; shape (questions, most new
            tokens, most tokens).
        back: for each token of the row its place in the flattened ``queries``; shape (row,).
    """

    prefix: int
    queries: torch.Tensor
    keys: torch.Tensor
    hidden: torch.Tensor
    back: torch.Tensor

    @classmethod
    def of(cls, prefix: int, owners: Sequence[int], new: int, device: torch.device) -> Blocks:
        """Lay out a row.

        Args:
            prefix: tokens of the prefix.
            owners: for every token behind the prefix, in the cache's order, the number of its question.
            new: how many of these, the last ones, are in the row; the others are cached.
            device: where the model is.
        """
        cached = len(owners) - new
        live = list(dict.fromkeys(owners[cached:]))
        own: dict[int, list[int]] = {number: [] for number in live}
        for place, number in enumerate(owners):
            if number in own:
                own[number].append(place)
        fresh = [[place - cached for place in own[number] if place >= cached] for number in live]
        widest, longest = max(map(len, fresh)), max(len(places) for places in own.values())
        queries = torch.tensor([places + [0] * (widest - len(places)) for places in fresh])
        keys = torch.tensor([own[number] + [0] * (longest - len(own[number])) for number in live])
        lengths = torch.tensor([len(own[number]) for number in live])
        sizes = torch.tensor([len(places) for places in fresh])
        # the i-th new token sees the cached ones of its question and the new ones up to itself
        seen = (lengths - sizes)[:, None] + torch.arange(1, widest + 1)[None, :]
        hidden = torch.arange(longest)[None, None, :] >= seen.clamp(max=longest)[:, :, None]
        back = torch.empty(new, dtype=torch.long)
        for row, places in enumerate(fresh):
            back[places] = torch.arange(len(places)) + row * widest
        return cls(prefix, queries, keys, hidden, back).on(device)

    def on(self, device: torch.device) -> Blocks:
        """Return the same on a device; layers of a model may be on several."""
        if self.back.device == device:
            return self
        places = (self.queries, self.keys, self.hidden, self.back)
        return Blocks(self.prefix, *(tensor.to(device) for tensor in places))


def attend(
    query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, blocks: Blocks, scaling: float
) -> torch.Tensor:
    """Return the attention of a packed row.

    Args:
        query: shape (1, heads, row, width).
        key: prefix and all tokens behind it, shape (1, groups, columns, width).
        value: as ``key``.
        blocks: which tokens belong together.
        scaling: factor of the scores.

    Returns:
        Shape (1, heads, row, width).
    """
    blocks = blocks.on(query.device)
    _, heads, row, width = query.shape
    groups = key.shape[1]
    share = heads // groups  # query heads of one key-value head stand next to each other
    grouped = query.reshape(1, groups, share * row, width)
    length = blocks.prefix
    common, common_norm = attend_all(grouped, key[:, :, :length], value[:, :, :length], scaling)
    rows, widest = blocks.queries.shape
    queries = query.reshape(groups, share, row, width)[:, :, blocks.queries]
    queries = queries.transpose(1, 2).reshape(groups, rows, share * widest, width)
    keys, values = (states[0, :, length:][:, blocks.keys] for states in (key, value))
    scores = (queries @ keys.transpose(-1, -2)).float() * scaling
    scores = scores.view(groups, rows, share, widest, -1)
    scores = scores.masked_fill(blocks.hidden[None, :, None], -torch.inf)
    norm = scores.logsumexp(dim=-1, keepdim=True)
    chances = (scores - norm).exp().to(values.dtype).view(groups, rows, share * widest, -1)
    own = (chances @ values).view(groups, rows, share, widest, width)
    own = own.transpose(1, 2).reshape(groups, share, rows * widest, width)[:, :, blocks.back]
    own_norm = norm.squeeze(-1).transpose(1, 2).reshape(groups, share, rows * widest)[:, :, blocks.back]
    common = common.view(groups, share, row, width)
    weight = torch.sigmoid(common_norm.view(groups, share, row) - own_norm)[..., None]
    merged = common.float() * weight + own.float() * (1 - weight)
    return merged.to(query.dtype).view(1, heads, row, width)


def attend_all(
    query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, scaling: float
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the attention of every query to every key, and the log-sum-exp of its scores.

    Args:
        query: shape (1, heads, queries, width).
        key: shape (1, heads, keys, width).
        value: as ``key``.
        scaling: factor of the scores.

    Returns:
        Shapes (1, heads, queries, width) and (1, heads, queries).
    """
    kernels = torch.ops.aten
    if query.device.type == "cpu":
        kernel = kernels._scaled_dot_product_flash_attention_for_cpu
        attended, norm = kernel(query, key, value, scale=scaling)[:2]
    elif query.dtype == torch.float32:
        kernel = kernels._scaled_dot_product_efficient_attention
        attended, norm = kernel(query, key, value, None, True, scale=scaling)[:2]
    else:
        kernel = kernels._scaled_dot_product_flash_attention
        attended, norm = kernel(query, key, value, scale=scaling)[:2]
    return attended, norm[..., : query.shape[2]].float()


@cache
def usable(device: torch.device, dtype: torch.dtype, width: int) -> bool:
    """Tell whether the fused kernels exist here and agree with the plain formula."""
    generator = torch.Generator().manual_seed(0)
    query, key, value = (
        torch.randn(1, 2, count, width, generator=generator).to(device, dtype) for count in (7, 40, 40)
    )
    scaling = 1 / math.sqrt(width)
    scores = (query.float() @ key.float().transpose(-1, -2)) * scaling
    wanted, norm = scores.softmax(-1) @ value.float(), scores.logsumexp(-1)
    try:
        attended, got = attend_all(query, key, value, scaling)
    except (AttributeError, NotImplementedError, RuntimeError, TypeError):
        return False
    tolerance = 1e-4 if dtype == torch.float32 else 3e-2
    return bool(
        torch.allclose(attended.float(), wanted, atol=tolerance) and torch.allclose(got, norm, atol=tolerance)
    )


def block_attention(
    module: torch.nn.Module,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: torch.Tensor | None,
    blocks: Blocks | None = None,
    scaling: float | None = None,
    **arguments: Any,
) -> tuple[torch.Tensor, None]:
    """Attend within blocks where they are given, and as transformers' ``sdpa`` where not."""
    if blocks is None:
        attended: tuple[torch.Tensor, None] = sdpa_attention_forward(
            module, query, key, value, attention_mask, scaling=scaling, **arguments
        )
        return attended
    factor = 1 / math.sqrt(query.shape[-1]) if scaling is None else scaling
    return attend(query, key, value, blocks, factor).transpose(1, 2).contiguous(), None


AttentionInterface.register(NAME, block_attention)
AttentionMaskInterface.register(NAME, sdpa_mask)


def configs_of(model: Any) -> list[Any]:
    """Return the configurations that the attention layers of the language model look at."""
    found = {
        id(module.config): module.config
        for module in model.modules()
        if hasattr(module, "layer_idx") and hasattr(module, "config") and hasattr(module, "k_proj")
    }
    return list(found.values())


def possible(model: Any) -> bool:
    """Tell whether a model's packed rows can be attended to in blocks."""
    configs = configs_of(model)
    if not configs or any(config._attn_implementation not in _STANDARD for config in configs):
        return False
    text = model.config.get_text_config()
    width = getattr(text, "head_dim", None) or text.hidden_size // text.num_attention_heads
    return usable(torch.device(model.device), model.dtype, int(width))


@contextmanager
def switched_on(configs: Sequence[Any]) -> Iterator[None]:
    """Let these attention layers attend in blocks where blocks are passed."""
    before = [config._attn_implementation for config in configs]
    try:
        for config in configs:
            config._attn_implementation = NAME
        yield
    finally:
        for config, name in zip(configs, before, strict=True):
            config._attn_implementation = name
