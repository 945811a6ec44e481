"""What every model class of this package has in common inside lmms-eval: it generates text, in one round."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from lmms_eval.api.instance import Instance
from lmms_eval.api.model import lmms


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
