"""Mark the replies that an engine stopped at the token limit: what a model was about to say is not its answer.

lmms-eval's model classes tell how many tokens a reply has, not why it ended. A reply as long as was asked for was cut.
Classes that count no tokens (they return plain text) cannot be checked.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from semiology.harness.scheduling import generating
from semiology.tasks.answers.cleaning import CUT


@contextmanager
def cut_replies_marked(lm: Any) -> Iterator[None]:
    """Let a model's cut replies end in `semiology.tasks.answers.cleaning.CUT` while this lasts."""
    ask: Callable[[Sequence[Any]], Sequence[Any]] = lm.generate_until

    def generate_until(requests: Sequence[Any]) -> list[Any]:
        return [_marked(reply, request) for reply, request in zip(ask(requests), requests, strict=True)]

    with generating(lm, generate_until):
        yield


def was_cut(reply: Any, request: Any) -> bool:
    """Tell whether a reply has as many tokens as its request allowed."""
    counts = getattr(reply, "token_counts", None)
    written = getattr(counts, "output_tokens", None)
    settings = next((each for each in request.args if isinstance(each, dict)), {})
    allowed = settings.get("max_new_tokens")
    return written is not None and allowed is not None and 0 < int(allowed) <= int(written)


def _marked(reply: Any, request: Any) -> Any:
    from lmms_eval.api.instance import GenerationResult

    text = getattr(reply, "text", None)
    if not text or not was_cut(reply, request) or text.endswith(CUT):
        return reply
    return GenerationResult(text=f"{text} {CUT}", token_counts=reply.token_counts)
