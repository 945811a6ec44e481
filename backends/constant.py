"""A model that gives one and the same answer: a trivial baseline, and a dry run that needs no GPU.

``lmms_eval --model semiology_constant --model_args answer=yes --tasks 'semiology_*'`` walks the whole road,
builds every message as a real model would get it, and scores "always yes".
"""

from __future__ import annotations

from lmms_eval.api.instance import GenerationResult, Instance, TokenCounts
from tqdm import tqdm

from semiology.backends.generation_only import GenerationOnly


class ConstantAnswer(GenerationOnly):
    """An lmms-eval chat model whose every reply is the same text.

    Args:
        answer: The reply, for instance ``yes``.
        build_messages: Whether to build every message first, so that unreadable media show.
        batch_size, max_batch_size, device: Accepted because lmms-eval passes them; without effect.
    """

    is_simple = False

    def __init__(
        self,
        answer: str = "yes",
        build_messages: bool = True,
        batch_size: int | str = 1,
        max_batch_size: int | None = None,
        device: str | None = None,
    ) -> None:
        super().__init__()
        del batch_size, max_batch_size, device
        self.answer = str(answer)
        self.build_messages = build_messages

    def generate_until(self, requests: list[Instance]) -> list[GenerationResult]:
        """Return the constant reply for every request, in order."""
        for request in tqdm(requests, desc="Building messages", disable=not self.build_messages):
            if self.build_messages:
                self.messages_of(request)
        return [
            GenerationResult(text=self.answer, token_counts=TokenCounts(output_tokens=1)) for _ in requests
        ]
