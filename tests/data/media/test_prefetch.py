"""The prefetching thread: same items, bounded, errors carried, no thread left behind."""

from __future__ import annotations

import threading
import weakref
from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from media_zoo import MediaZoo
from recordings_in_turn import stream_recordings

from semiology.data.media.prefetch import Prefetcher, array_bytes
from semiology.data.media.streaming import WindowRequest


def threads() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "prefetch"]


@given(
    items=st.lists(st.integers(), max_size=30),
    most=st.integers(1, 5),
    limit=st.one_of(st.none(), st.integers(1, 3)),
)
@settings(deadline=None)
def test_items_come_in_their_order(items: list[int], most: int, limit: int | None) -> None:
    with Prefetcher(items, max_items=most, max_bytes=limit, size=lambda _: 1) as ahead:
        assert list(ahead) == items
        assert list(ahead) == []
    assert not threads()


class Item:
    """Something of ten bytes whose end can be seen."""

    nbytes = 10


class Watched:
    """Gives items, knows how many of them are alive, and tells when it was closed."""

    def __init__(self, count: int, fail_at: int | None = None) -> None:
        self.count, self.fail_at = count, fail_at
        self.made = self.most_alive = 0
        self.closed = False
        self.alive: weakref.WeakSet[Item] = weakref.WeakSet()

    def __iter__(self) -> Iterator[Item]:
        try:
            for number in range(self.count):
                if number == self.fail_at:
                    raise ArithmeticError(f"item {number}")
                item = Item()
                self.alive.add(item)
                self.made += 1
                self.most_alive = max(self.most_alive, len(self.alive))
                yield item
                del item
        finally:
            self.closed = True


@pytest.mark.parametrize(
    ("items", "limit", "most"), [(1, None, 1), (3, None, 3), (5, 20, 2), (5, 11, 2), (5, 1, 1)]
)
def test_never_more_is_made_than_the_limits_allow(items: int, limit: int | None, most: int) -> None:
    source = Watched(50)
    with Prefetcher(source, max_items=items, max_bytes=limit) as ahead:
        for item in ahead:
            del item
    assert source.made == 50
    assert source.most_alive <= most + 1  # and the one in the consumer's hand
    assert source.closed


def test_the_thread_runs_ahead_and_then_waits() -> None:
    source = Watched(50)
    with Prefetcher(source, max_items=4) as ahead:
        next(ahead)
        with ahead._changed:
            assert ahead._changed.wait_for(lambda: len(ahead._ready) == 4, timeout=60)
        assert source.made == 5
    assert source.made <= 6
    assert source.closed


def test_an_exception_comes_where_its_item_would_have_come() -> None:
    source = Watched(10, fail_at=3)
    with Prefetcher(source, max_items=10) as ahead:
        for _ in range(3):
            assert isinstance(next(ahead), Item)
        with pytest.raises(ArithmeticError, match="item 3"):
            next(ahead)
        assert list(ahead) == []
    assert source.closed
    assert not threads()


@pytest.mark.parametrize("taken", [0, 1, 3])
def test_leaving_early_ends_the_thread_and_closes_the_source(taken: int) -> None:
    source = Watched(1000)

    def use() -> None:
        with ahead:
            for _ in range(taken):
                next(ahead)
            raise KeyboardInterrupt

    ahead = Prefetcher(source, max_items=2)
    with pytest.raises(KeyboardInterrupt):
        use()
    assert not threads()
    assert source.made <= taken + 3
    assert not source.made or source.closed
    assert list(ahead) == []
    ahead.close()  # a second time does no harm


def test_a_source_that_cannot_be_iterated_is_an_error_of_the_first_item() -> None:
    with Prefetcher(None) as ahead, pytest.raises(TypeError):  # type: ignore[arg-type]
        next(ahead)


def test_limits_below_one_are_refused() -> None:
    with pytest.raises(ValueError, match="at least 1"):
        Prefetcher([], max_items=0)
    with pytest.raises(ValueError, match="at least 1"):
        Prefetcher([], max_bytes=0)
    assert not threads()


def test_the_bytes_of_an_item_are_those_of_its_arrays() -> None:
    pictures = np.zeros((2, 4, 5, 3), np.uint8)
    assert array_bytes(pictures) == 120
    assert array_bytes((0, "name", [pictures, pictures], None)) == 240


def test_recordings_are_decoded_in_the_thread_with_the_same_frames(zoo: MediaZoo) -> None:
    requests = [WindowRequest(0.0, 1.0, indices=(1, 2)), WindowRequest(0.5, 2.0, indices=(2, 80))]
    jobs = [(zoo[name], requests) for name in ("even.mp4", "damaged.mp4", "even.mkv")]
    direct = list(stream_recordings(jobs))
    with Prefetcher(stream_recordings(jobs), max_items=2) as ahead:
        fetched = list(ahead)
    assert [item[:2] for item in fetched] == [item[:2] for item in direct]
    for (*_, ours), (*_, theirs) in zip(fetched, direct, strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_the_file_is_closed_when_the_consumer_leaves(zoo: MediaZoo) -> None:
    requests = [WindowRequest(0.0, 1.0, indices=(number,)) for number in range(90)]
    windows = stream_recordings([(zoo["even.mp4"], requests)])
    with Prefetcher(windows, max_items=1) as ahead:
        next(ahead)
    assert list(windows) == []  # it was closed in the thread
    assert not threads()
