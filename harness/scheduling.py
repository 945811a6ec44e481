"""Who is asked which question when: whole recordings to a process, one segment after the other to a server.

lmms-eval deals the documents of every task row by row: process r gets rows r, r + n, … Our tasks do not list
the same rows, since a recording that is not annotated for a feature is not asked about, so the questions about
a segment would scatter over all processes and every process would open every recording.

lmms-eval also hands over task after task: between two questions about a segment lie all other segments, and a
server's prefix cache has long dropped it. The OpenAI classes moreover sort by the first characters of the
text, which separates the questions about a segment for good. Only classes in front of a prefix cache are
touched: others sort for themselves, and some batch wrongly when tasks are mixed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import chain
from typing import Any

CACHING_CLASSES = frozenset({"async_openai", "litellm", "openai", "sglang", "vllm", "vllm_generate"})
"""Modules of lmms-eval's model classes that stand in front of an engine with a prefix cache."""

_QUEUE = "prefix_aware_queue"


def is_ours(document: Any) -> bool:
    """Return whether a document is a row of our question tables."""
    return isinstance(document, Mapping) and {"video", "video_id", "question"} <= set(document)


def document_of(lm: Any, request: Any) -> Mapping[str, Any] | None:
    """Return the row of our question tables that a request asks about; None for another task's.

    Requests of both protocols, chat and simple, end with number, task and split.
    """
    number, task, split = request.args[-3:]
    document = lm.task_dict[task][split][number]
    return document if is_ours(document) else None


def text_of(reply: Any) -> str:
    """Return the text of a reply, which model classes give plain or in a record."""
    return str(getattr(reply, "text", reply) or "")


def window_of(document: Mapping[str, Any]) -> tuple[float, float]:
    """Return start and end of a document's segment, s; the whole recording where it has none."""
    start, end = document.get("start_s"), document.get("end_s")
    return float(start or 0.0), float("inf") if end is None else float(end)


def deal(documents: Iterable[Mapping[str, Any]], processes: int) -> dict[str, int]:
    """Return the process of every recording by the path of its video, the same in every process.

    The longest come first, each to the process with least to do; a recording's work is the number of its different
    segments.
    """
    windows: dict[str, set[tuple[float, float]]] = {}
    for document in documents:
        windows.setdefault(str(document["video"]), set()).add(window_of(document))
    load = [0] * processes
    dealt: dict[str, int] = {}
    for video in sorted(windows, key=lambda name: -len(windows[name])):  # stable: ties in order of the tables
        process = load.index(min(load))
        dealt[video] = process
        load[process] += len(windows[video])
    return dealt


@contextmanager
def recordings_dealt(documents: Iterable[Mapping[str, Any]], processes: int) -> Iterator[None]:
    """Let lmms-eval deal whole recordings while this lasts; documents of other tasks as ever.

    ``documents`` are the rows of all our tasks in the run; with one process nothing changes.
    """
    if processes <= 1:
        yield
        return
    from lmms_eval import evaluator, utils

    original, dealt = utils.create_iterator, deal(documents, processes)

    def create_iterator(
        raw_iterator: Iterable[Any], rank: int, world_size: int, limit: int | None = None, offset: int = 0
    ) -> Iterator[Any]:
        items = iter(raw_iterator)
        first = next(items, None)
        items = items if first is None else chain([first], items)
        numbered = isinstance(first, tuple) and len(first) == 2 and is_ours(first[1])
        if not numbered or int(world_size) <= 1:
            dealt_by_row: Iterator[Any] = original(items, rank, world_size, limit, offset)
            return dealt_by_row
        selected = original(items, 0, 1, limit, offset)
        return (item for item in selected if dealt[str(item[1]["video"])] == int(rank))

    evaluator.create_iterator, utils.create_iterator = create_iterator, create_iterator
    try:
        yield
    finally:
        evaluator.create_iterator, utils.create_iterator = original, original


@contextmanager
def windows_together(lm: Any) -> Iterator[None]:
    """Let a model in front of a prefix cache answer segment by segment while this lasts; others are left alone.

    Replies come back in the order asked for.
    """
    package, _, module = type(lm).__module__.rpartition(".")
    if not package.startswith("lmms_eval.models") or module not in CACHING_CLASSES:
        yield
        return
    asked: Callable[[list[Any]], Sequence[Any]] = lm.generate_until
    queue = getattr(lm, _QUEUE, None)

    def generate_until(requests: Sequence[Any]) -> list[Any]:
        order = window_order([document_of(lm, request) for request in requests])
        replies = asked([requests[place] for place in order])
        by_place = dict(zip(order, replies, strict=True))
        return [by_place[place] for place in range(len(requests))]

    if queue is not None:
        setattr(lm, _QUEUE, False)
    try:
        with generating(lm, generate_until):
            yield
    finally:
        if queue is not None:
            setattr(lm, _QUEUE, queue)


@contextmanager
def generating(lm: Any, generate_until: Callable[[Any], Any]) -> Iterator[None]:
    """Let a model answer through another function while this lasts."""
    before = vars(lm).get("generate_until")
    lm.generate_until = generate_until
    try:
        yield
    finally:
        if before is None:
            vars(lm).pop("generate_until", None)
        else:
            lm.generate_until = before


def window_order(documents: Sequence[Mapping[str, Any] | None]) -> list[int]:
    """Return the places of documents in the order in which their segments should be asked about.

    Recordings in order of first appearance, within one the segments by start and end, within one the questions as
    given. None, a document of another task, comes last.
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
