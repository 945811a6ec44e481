"""Questions about one window, asked one after the other, while a server's prefix cache still holds it.

lmms-eval hands over task after task: between two questions about a window lie all other windows, and the
cache has long let it go. Its OpenAI classes moreover sort by the first characters of the text, which
separates the questions of a window for good. Only classes in front of a prefix cache are touched: others
sort for themselves, and some batch wrongly when tasks are mixed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

CACHING_CLASSES = frozenset({"async_openai", "litellm", "openai", "sglang", "vllm", "vllm_generate"})
"""Modules of lmms-eval's model classes that stand in front of an engine with a prefix cache."""

_QUEUE = "prefix_aware_queue"


def has_prefix_cache(lm: Any) -> bool:
    """Tell whether a model is one of lmms-eval's classes in front of a prefix cache."""
    package, _, module = type(lm).__module__.rpartition(".")
    return package.startswith("lmms_eval.models") and module in CACHING_CLASSES


@contextmanager
def windows_together(lm: Any) -> Iterator[None]:
    """Let a model answer window by window while this lasts; replies come back in the order asked for.

    Args:
        lm: An lmms-eval model; left alone unless it stands in front of a prefix cache.
    """
    if not has_prefix_cache(lm):
        yield
        return
    asked: Callable[[list[Any]], Sequence[Any]] = lm.generate_until
    queue = getattr(lm, _QUEUE, None)

    def generate_until(requests: Sequence[Any]) -> list[Any]:
        order = window_order([_document(lm, request) for request in requests])
        replies = asked([requests[place] for place in order])
        by_place = dict(zip(order, replies, strict=True))
        return [by_place[place] for place in range(len(requests))]

    lm.generate_until = generate_until
    if queue is not None:
        setattr(lm, _QUEUE, False)
    try:
        yield
    finally:
        vars(lm).pop("generate_until", None)
        if queue is not None:
            setattr(lm, _QUEUE, queue)


def window_order(documents: Sequence[Mapping[str, Any] | None]) -> list[int]:
    """Return the places of documents in the order in which their windows should be asked about.

    Args:
        documents: Rows with ``video``, ``start_s`` and ``end_s``; None for those of other tasks, which
            come last, in their own order.

    Returns:
        Recordings in order of first appearance, within one the windows by start and end, within one the
        questions as given.
    """
    first: dict[str, int] = {}
    for document in documents:
        if document is not None:
            first.setdefault(str(document["video"]), len(first))

    def place(number: int) -> tuple[float, float, float, int]:
        document = documents[number]
        if document is None:
            return float("inf"), 0.0, 0.0, number
        return first[str(document["video"])], *window_of(document), number

    return sorted(range(len(documents)), key=place)


def window_of(document: Mapping[str, Any]) -> tuple[float, float]:
    """Return start and end of a document's window, seconds; the whole recording where it has none."""
    start, end = document.get("start_s"), document.get("end_s")
    return float(start or 0.0), float("inf") if end is None else float(end)


def is_ours(document: Any) -> bool:
    """Tell whether a document is a row of our question tables."""
    return isinstance(document, Mapping) and {"video", "video_id", "question"} <= set(document)


def _document(lm: Any, request: Any) -> Mapping[str, Any] | None:
    """Return the document of a request; chat and simple ones end alike with its number, task and split."""
    number, task, split = request.args[-3:]
    document = lm.task_dict[task][split][number]
    return document if is_ours(document) else None
