"""Tell a model class that failed from one that answered: nothing to any question of a segment is no answer.

Several of lmms-eval's classes (those of the Omni models, ``audio_flamingo_3``, ``internvl_hf``) catch what goes wrong
while they read a segment or generate, and return an empty text. To a score that looks like a bad reply. Where all
replies about a segment are empty, each is marked as missing: it is counted, asked again by the next run, and the run
ends with an exit status that says so.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from semiology.backends.journal import failed_reply
from semiology.harness.scheduling import document_of, generating, text_of, window_of

REASON = (
    "the model class returned nothing for any question about this segment, as lmms-eval's classes do where they "
    "fail; its error stands in the log (--verbosity DEBUG)"
)


@contextmanager
def empty_windows_marked(lm: Any) -> Iterator[None]:
    """Mark a model's replies about segments to which it said nothing at all while this lasts."""
    ask: Callable[[Sequence[Any]], Sequence[Any]] = lm.generate_until

    def generate_until(requests: Sequence[Any]) -> list[Any]:
        return marked(lm, requests, ask(requests))

    with generating(lm, generate_until):
        yield


def marked(lm: Any, requests: Sequence[Any], replies: Sequence[Any]) -> list[Any]:
    """Return the replies, those about segments to which nothing was said marked as missing.

    Questions of other packages' tasks are left alone.
    """
    from lmms_eval.api.instance import GenerationResult

    segments: list[Hashable | None] = []
    for request in requests:
        document = document_of(lm, request)
        segments.append(None if document is None else (document["video_id"], window_of(document)))
    spoken = {segment for segment, reply in zip(segments, replies, strict=True) if text_of(reply).strip()}
    missing = failed_reply(REASON)
    return [
        reply
        if segment is None or segment in spoken
        else (missing if isinstance(reply, str) else GenerationResult(text=missing))
        for segment, reply in zip(segments, replies, strict=True)
    ]
