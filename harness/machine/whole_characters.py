"""Replies whose characters can be written: half a surrogate pair would empty the sample file of its whole task.

lmms-eval writes samples as UTF-8 and drops all of a task's where one cannot be encoded.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from semiology.harness.scheduling import generating

_HALF = re.compile(r"[\ud800-\udfff]")


def escaped(text: str) -> str:
    r"""Return text with each half of a surrogate pair written out, as ``\ud83d``."""
    return _HALF.sub(lambda found: f"\\u{ord(found.group()):04x}", text)


@contextmanager
def whole_characters(lm: Any) -> Iterator[None]:
    """Let a model's replies hold nothing that cannot be written while this lasts."""
    ask: Callable[[Sequence[Any]], Sequence[Any]] = lm.generate_until

    def generate_until(requests: Sequence[Any]) -> list[Any]:
        return [_whole(reply) for reply in ask(requests)]

    with generating(lm, generate_until):
        yield


def _whole(reply: Any) -> Any:
    text = reply if isinstance(reply, str) else getattr(reply, "text", None)
    if not isinstance(text, str) or not _HALF.search(text):
        return reply
    if isinstance(reply, str):
        return escaped(reply)
    reply.text = escaped(text)
    return reply
