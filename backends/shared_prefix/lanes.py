"""Ways to run questions behind a prefix: packed in one row, as a padded batch, or one at a time.

A lane takes the suffixes of some questions, gives the logits after each, then takes one token per question
that goes on and gives the next logits. Closing it leaves the prefix as it was.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any

import torch
from transformers import DynamicCache

from semiology.backends.shared_prefix.counts import Counts
from semiology.backends.shared_prefix.prefill import Prefix, last_logits


class Lane:
    """Some questions on their way through the model."""

    def __init__(self, model: Any, prefix: Prefix, counts: Counts) -> None:
        self._model, self._prefix, self._counts = model, prefix, counts

    def start(self, suffixes: Sequence[Sequence[int]]) -> torch.Tensor:
        """Run the suffixes and return the logits after each, shape (questions, vocabulary)."""
        raise NotImplementedError

    def step(self, live: Sequence[int], tokens: Sequence[int]) -> torch.Tensor:
        """Run one more token of each question that goes on; return the next logits, shape (questions, vocabulary).

        ``live`` are the numbers of these questions, ascending, a part of those of the step before.
        """
        raise NotImplementedError

    def close(self) -> None:
        """Leave the prefix as it was."""
        raise NotImplementedError

    def _logits(
        self, tokens: torch.Tensor, mask: Any, positions: torch.Tensor, cache: Any, places: Sequence[int]
    ) -> torch.Tensor:
        """Run tokens behind a cache; return the logits at some places of each row."""
        inputs = {
            "input_ids": tokens,
            "attention_mask": mask,
            "position_ids": positions,
            self._prefix.cache_name: cache,
            "use_cache": True,
        }
        return last_logits(self._model, inputs, places)


class PackedLane(Lane):
    """All suffixes in one row behind one copy of the prefix; a mask keeps them apart.

    A token sees the whole prefix and, of what comes after, the earlier tokens of its own question. Needs an
    attention that takes a four-dimensional mask (sdpa, eager).
    """

    def __init__(self, model: Any, prefix: Prefix, counts: Counts) -> None:
        super().__init__(model, prefix, counts)
        self._additive = model.config.get_text_config()._attn_implementation == "eager"
        self._owners = torch.empty(0, dtype=torch.long)
        self._lengths: list[int] = []

    def start(self, suffixes: Sequence[Sequence[int]]) -> torch.Tensor:
        """See :class:`Lane`."""
        self._lengths = [len(suffix) for suffix in suffixes]
        owners = [number for number, length in enumerate(self._lengths) for _ in range(length)]
        offsets = [offset for length in self._lengths for offset in range(length)]
        tokens = [token for suffix in suffixes for token in suffix]
        ends = torch.tensor(self._lengths).cumsum(0) - 1
        self._counts.suffix_tokens += len(tokens)
        return self._run(tokens, owners, offsets, ends.tolist())

    def step(self, live: Sequence[int], tokens: Sequence[int]) -> torch.Tensor:
        """See :class:`Lane`."""
        offsets = [self._lengths[number] for number in live]
        for number in live:
            self._lengths[number] += 1
        self._counts.fed_tokens += len(tokens)
        return self._run(tokens, live, offsets, range(len(tokens)))

    def close(self) -> None:
        """See :class:`Lane`."""
        self._prefix.trim()

    def _run(
        self, tokens: Sequence[int], owners: Sequence[int], offsets: Sequence[int], places: Sequence[int]
    ) -> torch.Tensor:
        device = self._prefix.start.device
        mask = self._mask(torch.tensor(list(owners))).to(device)
        ids = torch.tensor([list(tokens)], device=device)
        return self._logits(ids, mask, self._prefix.positions(offsets), self._prefix.cache, list(places))[0]

    def _mask(self, owners: torch.Tensor) -> torch.Tensor:
        """Return who sees what, shape (1, 1, new tokens, prefix + earlier + new tokens)."""
        earlier = len(self._owners)
        self._owners = torch.cat([self._owners, owners])
        own = self._owners[None, :] == owners[:, None]
        past = torch.arange(len(self._owners))[None, :] <= torch.arange(earlier, len(self._owners))[:, None]
        prefix = torch.ones(len(owners), self._prefix.length, dtype=torch.bool)
        mask = torch.cat([prefix, own & past], dim=1)[None, None]
        if not self._additive:
            return mask
        dtype = self._model.dtype
        return torch.zeros(mask.shape, dtype=dtype).masked_fill_(~mask, torch.finfo(dtype).min)


class PaddedLane(Lane):
    """One row per question, each with a copy of the prefix's keys and values: for FlashAttention.

    Suffixes are padded on the left, between prefix and question, where a two-dimensional mask hides it.
    """

    def __init__(self, model: Any, prefix: Prefix, counts: Counts) -> None:
        super().__init__(model, prefix, counts)
        self._cache: Any = None
        self._mask = torch.empty(0)
        self._lengths: list[int] = []
        self._rows: list[int] = []

    def start(self, suffixes: Sequence[Sequence[int]]) -> torch.Tensor:
        """See :class:`Lane`."""
        self._lengths = [len(suffix) for suffix in suffixes]
        self._rows = list(range(len(suffixes)))
        rows = len(suffixes)
        self._cache = DynamicCache(
            [
                (layer.keys.expand(rows, -1, -1, -1), layer.values.expand(rows, -1, -1, -1), None)
                for layer in self._prefix.cache.layers
            ]
        )
        widest = max(self._lengths)
        pads = [widest - length for length in self._lengths]
        device = self._prefix.start.device
        tokens = torch.tensor(
            [[0] * pad + list(suffix) for pad, suffix in zip(pads, suffixes, strict=True)], device=device
        )
        columns = torch.arange(self._prefix.length + widest, device=device)[None, :]
        gaps = torch.tensor(pads, device=device)[:, None] + self._prefix.length
        self._mask = ((columns < self._prefix.length) | (columns >= gaps)).long()
        offsets = [[max(0, place - pad) for place in range(widest)] for pad in pads]
        self._counts.suffix_tokens += sum(self._lengths)
        self._counts.padding_tokens += sum(pads)
        return self._run(tokens, offsets)

    def step(self, live: Sequence[int], tokens: Sequence[int]) -> torch.Tensor:
        """See :class:`Lane`."""
        if list(live) != self._rows:  # finished questions leave with their copy of the prefix
            kept = torch.tensor([self._rows.index(number) for number in live], device=self._mask.device)
            self._cache.batch_select_indices(kept)
            self._mask, self._rows = self._mask[kept], list(live)
        self._mask = torch.cat([self._mask, self._mask.new_ones(len(live), 1)], dim=1)
        offsets = [[self._lengths[number]] for number in live]
        for number in live:
            self._lengths[number] += 1
        self._counts.fed_tokens += len(tokens)
        return self._run(torch.tensor(list(tokens), device=self._mask.device)[:, None], offsets)

    def close(self) -> None:
        """See :class:`Lane`."""
        self._cache = None

    def _run(self, tokens: torch.Tensor, offsets: Sequence[Sequence[int]]) -> torch.Tensor:
        positions = torch.cat([self._prefix.positions(row) for row in offsets], dim=-2)
        return self._logits(tokens, self._mask, positions, self._cache, [tokens.shape[1] - 1])[:, 0]


class SequentialLane(Lane):
    """One question behind the prefix; any attention, and any cache, copied where it cannot be cut back."""

    def __init__(self, model: Any, prefix: Prefix, counts: Counts, keep_cache: bool = True) -> None:
        """Prepare a lane; ``keep_cache``: the prefix's own cache can be used and cut back afterwards."""
        super().__init__(model, prefix, counts)
        self._keep = keep_cache
        self._cache: Any = None
        self._length = 0

    def start(self, suffixes: Sequence[Sequence[int]]) -> torch.Tensor:
        """See :class:`Lane`; takes one suffix."""
        (suffix,) = suffixes
        self._cache = self._prefix.cache if self._keep else copy.deepcopy(self._prefix.cache)
        self._length = 0
        self._counts.suffix_tokens += len(suffix)
        return self._run(suffix)

    def step(self, live: Sequence[int], tokens: Sequence[int]) -> torch.Tensor:
        """See :class:`Lane`."""
        self._counts.fed_tokens += len(live)
        return self._run(tokens)

    def close(self) -> None:
        """See :class:`Lane`."""
        self._cache = None
        if self._keep:
            self._prefix.trim()

    def _run(self, tokens: Sequence[int]) -> torch.Tensor:
        offsets = range(self._length, self._length + len(tokens))
        self._length += len(tokens)
        ids = torch.tensor([list(tokens)], device=self._prefix.start.device)
        positions = self._prefix.positions(list(offsets))
        return self._logits(ids, None, positions, self._cache, [len(tokens) - 1])[:, 0]
