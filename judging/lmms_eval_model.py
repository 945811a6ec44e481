"""Any model class of lmms-eval as a language model that reads text alone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from semiology.backends.text.served import TextModelError


class LmmsEvalTextModel:
    """Asks an lmms-eval model through its own ``generate_until``, with no picture and no sound.

    Args:
        lm: the model, loaded.
        max_tokens: longest reply.
    """

    def __init__(self, lm: Any, *, max_tokens: int) -> None:
        self._lm, self._max_tokens = lm, max_tokens

    @classmethod
    def load(cls, name: str, model_args: str, *, max_tokens: int) -> LmmsEvalTextModel:
        """Load a model class after the checks that every run passes.

        Raises:
            ValueError: an address that is not this machine's, or there is no such class.
        """
        from semiology.harness.asking import load_model

        return cls(load_model(name, model_args, setting="--judge-lmms-eval"), max_tokens=max_tokens)

    def __call__(self, prompt: str, /) -> str:
        """Return the reply to a prompt.

        Raises:
            TextModelError: there is none.
        """
        return self.many([prompt])[0]

    def many(self, prompts: Sequence[str]) -> list[str]:
        """Return the replies in the order of the prompts.

        Raises:
            TextModelError: a prompt got no reply.
        """
        from semiology.harness.asking import ask_documents, failure_of

        replies = ask_documents(
            self._lm,
            [{"prompt": prompt} for prompt in prompts],
            text=lambda document: str(document["prompt"]),
            messages=lambda document: [
                {"role": "user", "content": [{"type": "text", "text": document["prompt"]}]}
            ],
            visual=lambda document: [],
            settings={
                "max_new_tokens": self._max_tokens, "temperature": 0, "do_sample": False, "until": [],
            },
        )  # fmt: skip
        for reply in replies:
            if (failure := failure_of(reply)) is not None:
                raise TextModelError(f"lmms-eval got no reply: {failure[:200]}")
        return replies
