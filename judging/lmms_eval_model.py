"""Any model class of lmms-eval as a language model that reads text alone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from semiology.backends.text.served import TextModelError

TASK, SPLIT = "semiology_texts", "test"
FAILED = "[LMMS_EVAL_REQUEST_FAILED"


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
        from semiology.harness.requests import load_model

        lm = load_model(name, model_args, setting="--judge-lmms-eval")
        return cls(lm, max_tokens=max_tokens)

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
        self._lm.task_dict[TASK] = {SPLIT: [{"prompt": prompt} for prompt in prompts]}
        requests = [self._request(number, prompt) for number, prompt in enumerate(prompts)]
        replies = [_text(reply) for reply in self._lm.generate_until(requests)]
        failed = [reply for reply in replies if reply.startswith(FAILED)]
        if failed:
            raise TextModelError(f"lmms-eval got no reply: {failed[0].removeprefix(FAILED)[:200]}")
        return replies

    def _request(self, number: int, prompt: str) -> Any:
        from lmms_eval.api.instance import Instance

        settings = {
            "max_new_tokens": self._max_tokens, "temperature": 0, "do_sample": False, "until": [],
        }  # fmt: skip
        if getattr(self._lm, "is_simple", True):
            arguments: tuple[Any, ...] = (prompt, settings, lambda document: [], number, TASK, SPLIT)
        else:
            arguments = (prompt, _messages, settings, number, TASK, SPLIT)
        metadata = {"task": TASK, "doc_id": number, "repeats": 1}
        return Instance("generate_until", arguments, 0, metadata=metadata)


def _messages(document: dict[str, str]) -> list[dict[str, Any]]:
    return [{"role": "user", "content": [{"type": "text", "text": document["prompt"]}]}]


def _text(reply: Any) -> str:
    return str(getattr(reply, "text", reply))
