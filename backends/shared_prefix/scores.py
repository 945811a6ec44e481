"""How likely each answer is as the first token: one forward pass gives a score instead of a text.

The log-probabilities are those of the raw next-token distribution, before any logits processor of the
checkpoint: a repetition penalty would lower the answers that the prompt itself names.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch

DEFAULT_ANSWERS = ("yes", "no", "NA")


class ScoreError(ValueError):
    """An answer has no form that is a single token, so that it cannot be scored."""


class FirstTokenScores:
    """Log-probabilities of a few answers as the first token of the reply."""

    def __init__(self, tokenizer: Any, answers: Sequence[str] = DEFAULT_ANSWERS) -> None:
        """Find the single tokens of every answer, in all its common forms.

        Args:
            tokenizer: the model's.
            answers: the answers, in the form in which they are replied.

        Raises:
            ScoreError: an answer has no form that is a single token, or shares one with another answer.
        """
        self.tokens: dict[str, tuple[int, ...]] = {}
        for answer in answers:
            found = {token for form in forms(answer) if (token := _single(tokenizer, form)) is not None}
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


def likeliest(scores: Mapping[str, float]) -> str:
    """Return the answer with the highest log-probability."""
    return max(scores, key=lambda answer: scores[answer])


def _single(tokenizer: Any, form: str) -> int | None:
    ids = tokenizer.encode(form, add_special_tokens=False)
    return int(ids[0]) if len(ids) == 1 else None
