"""Greedy decoding of several questions at once, each with its own length, stop texts and logits processors.

The checkpoint's generation config is honoured as ``generate`` honours it: transformers' own logits processors
run over the complete prompt, media tokens included, and the same tokens end an answer.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from semiology.backends.shared_prefix.counts import Counts
from semiology.backends.shared_prefix.lanes import Lane
from semiology.backends.shared_prefix.questions import Settings

_LENGTH_FREE = frozenset(
    {
        "InfNanRemoveLogitsProcessor",
        "NoBadWordsLogitsProcessor",
        "NoRepeatNGramLogitsProcessor",
        "RepetitionPenaltyLogitsProcessor",
        "SequenceBiasLogitsProcessor",
        "SuppressTokensLogitsProcessor",
    }
)
"""Logits processors that do not depend on the length of the prompt they were made for."""


class Reply:
    """An answer that grows token by token."""

    def __init__(
        self,
        prompt: Sequence[int],
        settings: Settings,
        stop_ids: frozenset[int],
        processors: Sequence[Any],
        tokenizer: Any,
    ) -> None:
        """Begin an empty answer.

        Args:
            prompt: token ids of the complete prompt.
            settings: longest length and stop texts.
            stop_ids: tokens that end the answer.
            processors: logits processors for this prompt.
            tokenizer: turns tokens into text.
        """
        self._settings, self._stop_ids, self._tokenizer = settings, stop_ids, tokenizer
        self._processors = list(processors)
        self._prompt = list(prompt)
        self._seen: torch.Tensor | None = None
        self.tokens: list[int] = []
        self.finished = False

    @property
    def plain(self) -> bool:
        """Whether the next token is simply the one with the highest logit."""
        return not self._processors

    @property
    def text(self) -> str:
        """The answer so far, without special tokens, cut at the first stop text."""
        text = str(
            self._tokenizer.decode(self.tokens, skip_special_tokens=True, clean_up_tokenization_spaces=False)
        )
        for stop in self._settings.until:
            text = text.partition(stop)[0]
        return text

    def choose(self, logits: torch.Tensor) -> int:
        """Return the next token by the checkpoint's rules; ``logits`` has shape (vocabulary,), float32."""
        if self._seen is None:
            room = self._settings.max_new_tokens
            self._seen = torch.empty(len(self._prompt) + room, dtype=torch.long, device=logits.device)
            self._seen[: len(self._prompt)] = torch.tensor(self._prompt, device=logits.device)
        length = len(self._prompt) + len(self.tokens)
        if self.tokens:
            self._seen[length - 1] = self.tokens[-1]
        scores = logits[None]
        for processor in self._processors:
            scores = processor(self._seen[None, :length], scores)
        return int(scores.argmax(dim=-1))

    def add(self, token: int) -> None:
        """Take the next token, and notice when the answer is complete."""
        self.tokens.append(token)
        self.finished = token in self._stop_ids or len(self.tokens) >= self._settings.max_new_tokens
        if not self.finished and self._settings.until:
            text = self._tokenizer.decode(
                self.tokens, skip_special_tokens=True, clean_up_tokenization_spaces=False
            )
            self.finished = any(stop in text for stop in self._settings.until)


def depends_on_length(processors: Sequence[Any]) -> bool:
    """Tell whether logits processors were made for one length of prompt and must be made anew for another."""
    return any(type(processor).__name__ not in _LENGTH_FREE for processor in processors)


def decode(lane: Lane, suffixes: Sequence[Sequence[int]], replies: Sequence[Reply], counts: Counts) -> None:
    """Answer some questions to their end; finished ones leave, the lane is not closed.

    Args:
        lane: where they run.
        suffixes: token ids of each question behind the prefix.
        replies: their answers, filled in place.
        counts: where to count.
    """
    logits = lane.start(suffixes)
    live = list(range(len(replies)))
    while True:
        for number, token in zip(live, next_tokens([replies[n] for n in live], logits), strict=True):
            replies[number].add(token)
        counts.generated_tokens += len(live)
        live = [number for number in live if not replies[number].finished]
        if not live:
            return
        logits = lane.step(live, [replies[number].tokens[-1] for number in live])


def next_tokens(replies: Sequence[Reply], logits: torch.Tensor) -> list[int]:
    """Return the next token of each answer; ``logits`` has shape (answers, vocabulary)."""
    if all(reply.plain for reply in replies):
        return [int(token) for token in logits.float().argmax(dim=-1).tolist()]
    return [reply.choose(row) for reply, row in zip(replies, logits.float(), strict=True)]
