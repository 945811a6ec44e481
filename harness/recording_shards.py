"""Deals whole recordings to the processes of a run, so that the questions about a window meet in one process.

lmms-eval deals the documents of every task row by row: process r gets rows r, r + n, … Our tasks do not list
the same rows, since recordings that are not annotated for a feature are not asked about, so that a window's
questions would scatter over all processes and every process would open every recording.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from itertools import chain
from typing import Any

from semiology.harness.request_order import is_ours, window_of


def deal(documents: Iterable[Mapping[str, Any]], processes: int) -> dict[str, int]:
    """Return the process of every recording: the longest first, each to the process with least to do.

    Args:
        documents: Rows of all tasks; a recording's work is the number of its different windows.
        processes: How many there are.

    Returns:
        By path of the video, the same in every process.
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

    Args:
        documents: Rows of all our tasks in the run.
        processes: How many there are; with one nothing changes.
    """
    if processes <= 1:
        yield
        return
    from lmms_eval import evaluator, utils

    original = utils.create_iterator
    ours = _dealing(original, deal(documents, processes))
    evaluator.create_iterator, utils.create_iterator = ours, ours
    try:
        yield
    finally:
        evaluator.create_iterator, utils.create_iterator = original, original


def _dealing(
    original: Callable[..., Iterator[Any]], dealt: Mapping[str, int]
) -> Callable[..., Iterator[Any]]:
    """Return lmms-eval's ``create_iterator`` for numbered rows of ours; all else goes to the original."""

    def create_iterator(
        raw_iterator: Iterable[Any], rank: int, world_size: int, limit: int | None = None, offset: int = 0
    ) -> Iterator[Any]:
        items = iter(raw_iterator)
        first = next(items, None)
        items = items if first is None else chain([first], items)
        numbered = isinstance(first, tuple) and len(first) == 2 and is_ours(first[1])
        if not numbered or int(world_size) <= 1:
            return original(items, rank, world_size, limit, offset)
        selected = original(items, 0, 1, limit, offset)
        return (item for item in selected if dealt[str(item[1]["video"])] == int(rank))

    return create_iterator
