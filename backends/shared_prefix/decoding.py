"""From logits to answers: greedy decoding of several questions at once, or scores of given answers.

Each question has its own length, stop texts and logits processors. The checkpoint's generation config is honoured as
``generate`` honours it: transformers' own logits processors run over the complete prompt, media tokens included, and
the same tokens end an answer.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from semiology.backends.shared_prefix.counts import Counts
from semiology.backends.shared_prefix.lanes import Lane
from semiology.backends.shared_prefix.questions import Settings

DEFAULT_ANSWERS = ("yes", "no", "NA")

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
        """Begin an empty answer to a complete prompt, which ends with any of the ``stop_ids``."""
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
        text = self._uncut()
        for stop in self._settings.until:
            text = text.partition(stop)[0]
        return text

    def _uncut(self) -> str:
        return str(
            self._tokenizer.decode(self.tokens, skip_special_tokens=True, clean_up_tokenization_spaces=False)
        )

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
            text = self._uncut()
            self.finished = any(stop in text for stop in self._settings.until)


def depends_on_length(processors: Sequence[Any]) -> bool:
    """Tell whether logits processors were made for one length of prompt and must be made anew for another."""
    return any(type(processor).__name__ not in _LENGTH_FREE for processor in processors)


def decode(lane: Lane, suffixes: Sequence[Sequence[int]], replies: Sequence[Reply], counts: Counts) -> None:
    """Answer some questions to their end, filling their replies; finished ones leave, the lane is not closed.

    ``suffixes`` are the token ids of each question behind the prefix.
    """
    logits = lane.start(suffixes)
    live = list(range(len(replies)))
    while True:
        logits = logits.float()
        if all(replies[number].plain for number in live):
            tokens = [int(token) for token in logits.argmax(dim=-1).tolist()]
        else:
            tokens = [replies[number].choose(row) for number, row in zip(live, logits, strict=True)]
        for number, token in zip(live, tokens, strict=True):
            replies[number].add(token)
        counts.generated_tokens += len(live)
        live = [number for number in live if not replies[number].finished]
        if not live:
            return
        logits = lane.step(live, [replies[number].tokens[-1] for number in live])


class ScoreError(ValueError):
    """An answer has no form that is a single token, so that it cannot be scored."""


class FirstTokenScores:
    """Log-probabilities of a few answers as the first token: one forward pass gives a score instead of a text.

    They are those of the raw next-token distribution, before any logits processor of the checkpoint: a repetition
    penalty would lower the answers that the prompt itself names.
    """

    def __init__(self, tokenizer: Any, answers: Sequence[str] = DEFAULT_ANSWERS) -> None:
        """Find the single tokens of every answer, in all its common forms.

        Raises:
            ScoreError: an answer has no form that is a single token, or shares one with another answer.
        """
        self.tokens: dict[str, tuple[int, ...]] = {}
        for answer in answers:
            encoded = [tokenizer.encode(form, add_special_tokens=False) for form in forms(answer)]
            found = {int(ids[0]) for ids in encoded if len(ids) == 1}
            if not found:
                raise ScoreError(
                    f"score=logprob: {answer!r} has no form that is a single token of this tokenizer; "
                    "leave it out of `answers` or generate the reply"
                )
            taken = found & {token for tokens in self.tokens.values() for token in tokens}
            if taken:
                raise ScoreError(
                    f"score=logprob: {answer!r} shares the token {min(taken)} with another answer"
                )
            self.tokens[answer] = tuple(sorted(found))

    def of(self, logits: torch.Tensor) -> dict[str, float]:
        """Return the log-probability of each answer, summed over its forms; logits: shape (vocabulary,)."""
        distribution = logits.float().log_softmax(dim=-1)
        return {
            answer: float(distribution[list(tokens)].logsumexp(dim=-1))
            for answer, tokens in self.tokens.items()
        }


def forms(answer: str) -> list[str]:
    """Return the common forms of an answer: in other cases, and with a space before.

    An abbreviation in capitals keeps them: the token of "na" begins too many other words.
    """
    cases = (answer,) if answer.isupper() else (answer, answer.lower(), answer.upper(), answer.capitalize())
    return [before + case for case in dict.fromkeys(cases) for before in ("", " ")]
