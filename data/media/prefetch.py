"""Make the next items in a thread while the last ones are used: decode a recording while a model answers."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from types import TracebackType
from typing import Any, Generic, TypeVar

_T = TypeVar("_T")


def array_bytes(item: Any) -> int:
    """Return the bytes of the arrays in an item: an array itself, or tuples and lists of them."""
    if isinstance(item, tuple | list):
        return sum(map(array_bytes, item))
    return int(getattr(item, "nbytes", 0))


class Prefetcher(Generic[_T]):
    """Iterates over ``source`` in a thread of its own, a bounded number of items ahead.

    The thread begins the next item only when there is room for it: at most ``max_items`` items are made and
    not taken yet (the one in the making counts), and none is begun while those waiting reach ``max_bytes``.
    An exception of the source is raised where its item would have come. Leaving the ``with`` block, or
    closing, ends the thread and closes the source.

    Args:
        source: what to iterate over; only the thread touches it.
        max_items: most items ahead, at least 1.
        max_bytes: begin nothing while the items that wait hold so many bytes; None for no limit.
        size: how many bytes an item holds.

    Raises:
        ValueError: a limit is below 1.
    """

    def __init__(
        self,
        source: Iterable[_T],
        *,
        max_items: int = 2,
        max_bytes: int | None = None,
        size: Callable[[_T], int] = array_bytes,
    ) -> None:
        if max_items < 1 or (max_bytes is not None and max_bytes < 1):
            raise ValueError(f"limits of a Prefetcher are at least 1, not {max_items} and {max_bytes}")
        self._source, self._size = source, size
        self._max_items, self._max_bytes = max_items, max_bytes
        self._ready: deque[_T] = deque()
        self._bytes = 0
        self._ended = self._closed = False
        self._error: BaseException | None = None
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._run, name="prefetch", daemon=True)
        self._thread.start()

    def __enter__(self) -> Prefetcher[_T]:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def __iter__(self) -> Iterator[_T]:
        return self

    def __next__(self) -> _T:
        """Return the next item; wait until it is made.

        Raises:
            StopIteration: there is none, or the prefetcher was closed.
            Exception: whatever the source raised.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._ready or self._ended or self._closed)
            if self._ready and not self._closed:
                item = self._ready.popleft()
                self._bytes -= self._size(item)
                self._changed.notify_all()
                return item
            error, self._error = self._error, None
        if error is not None and not self._closed:
            raise error
        raise StopIteration

    def close(self) -> None:
        """Stop the thread after the item in the making, drop what waits, and close the source."""
        with self._changed:
            self._closed = True
            self._ready.clear()
            self._changed.notify_all()
        if self._thread is not threading.current_thread():
            self._thread.join()

    def _run(self) -> None:
        try:
            items = iter(self._source)
            try:
                while self._has_room():
                    try:
                        item = next(items)
                    except StopIteration:
                        break
                    with self._changed:
                        if not self._closed:
                            self._ready.append(item)
                            self._bytes += self._size(item)
                            self._changed.notify_all()
                    del item
            finally:
                if hasattr(items, "close"):
                    items.close()
        except BaseException as error:  # noqa: BLE001 - it is raised again where the item would have come
            self._error = error
        finally:
            with self._changed:
                self._ended = True
                self._changed.notify_all()

    def _has_room(self) -> bool:
        """Wait until another item may be begun; False when nobody wants one any more."""
        with self._changed:
            self._changed.wait_for(
                lambda: (
                    self._closed
                    or (
                        len(self._ready) < self._max_items
                        and (self._max_bytes is None or self._bytes < self._max_bytes)
                    )
                )
            )
            return not self._closed
