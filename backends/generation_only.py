"""What every model class of this package has in common inside lmms-eval: it generates text, in one round."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from lmms_eval.api.instance import GenerationResult, Instance, TokenCounts
from lmms_eval.api.model import lmms

from semiology.backends.journal import failed_reply
from semiology.backends.shared_prefix.questions import Answer


class GenerationOnly(lmms):  # type: ignore[misc]
    """An lmms-eval model class whose only request is ``generate_until``; ``instead`` ends the message on scores."""

    instead = "the tasks of this package only generate"

    def messages_of(self, request: Instance) -> Sequence[dict[str, Any]]:
        """Return the chat messages of a request, with its media."""
        _, doc_to_messages, _, doc_id, task, split = request.args
        messages: Sequence[dict[str, Any]] = doc_to_messages(self.task_dict[task][split][doc_id])
        return messages

    def loglikelihood(self, requests: list[Instance]) -> Any:
        """Raise NotImplementedError: the tasks of this package only generate."""
        raise NotImplementedError(f"{type(self).__name__} only generates text: {self.instead}")

    def generate_until_multi_round(self, requests: list[Instance]) -> Any:
        """Raise NotImplementedError: the tasks of this package have one round."""
        raise NotImplementedError(f"{type(self).__name__} answers one round only")


class ScoredTokenCounts(TokenCounts):  # type: ignore[misc]
    """Token counts that carry first-token log-probabilities into lmms-eval's samples (``token_counts``)."""

    def __init__(self, scores: dict[str, float] | None, **counts: int | None) -> None:
        super().__init__(**counts)
        self.scores = scores

    def to_dict(self) -> dict[str, Any]:
        """Return the counts, and ``first_token_logprobs`` (natural logarithm) by answer where scored."""
        counts: dict[str, Any] = super().to_dict()
        return counts | ({"first_token_logprobs": self.scores} if self.scores else {})


def result_of(answer: Answer) -> GenerationResult:
    """Return an answer as lmms-eval takes it; one that did not come begins with ``FAILED``."""
    if answer.failure is not None:
        return GenerationResult(text=failed_reply(answer.failure))
    scores = dict(answer.scores) if answer.scores else None
    return GenerationResult(
        text=answer.text, token_counts=ScoredTokenCounts(scores, output_tokens=answer.tokens)
    )
