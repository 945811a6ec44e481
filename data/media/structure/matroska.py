"""Damage in Matroska and WebM files, found in their structure: wrong checksums, and blocks that do not fit.

FFmpeg writes a checksum (CRC-32, RFC 8794 section 11.3.1) before the content of every Matroska cluster: any change
within is seen. Other writers, and every WebM file, have none; there only the lengths and the times give damage away.
"""

from __future__ import annotations

import mmap
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

_SEGMENT, _INFO, _TRACKS, _CLUSTER = 0x18538067, 0x1549A966, 0x1654AE6B, 0x1F43B675
_OTHERS = frozenset({0x114D9B74, 0x1C53BB6B, 0x1941A469, 0x1043A770, 0x1254C367, 0xEC, 0xBF})
_SCALE, _ENTRY, _NUMBER = 0x2AD7B1, 0xAE, 0xD7
_CHECKSUM, _TIME, _SIMPLE, _GROUP, _BLOCK = 0xBF, 0xE7, 0xA3, 0xA0, 0xA1
_BESIDE_BLOCKS = frozenset({_CHECKSUM, _TIME, 0xA7, 0xAB, 0xEC, 0x5854, 0xAF})
_CLUSTER_MARK = _CLUSTER.to_bytes(4, "big")
_USUAL_SCALE = 1_000_000
"""Nanoseconds of a unit of time, where the file names none."""
_BACK_MS = 500
"""A cluster that begins by more than this before the last block is out of its place."""


class _Element(NamedTuple):
    """Identity, where the content begins and ends; ``end`` is None where the length is not told."""

    identity: int
    start: int
    end: int | None


class _Cluster(NamedTuple):
    """Time of a cluster and of its last block (units of the file), whether it is whole and checked, where it ends."""

    time: int | None
    last: int | None
    whole: bool
    end: int
    checked: bool = False


@dataclass(frozen=True)
class MatroskaBreaks:
    """Where clusters are damaged.

    Attributes:
        spans: s by the file's clock, each up to the next whole cluster.
        followed: whether the file was walked through from cluster to cluster.
        checked: whether every whole cluster has a checksum, so that what is not in a span is as it was written.
    """

    spans: tuple[tuple[float, float], ...] = ()
    checked: bool = False
    followed: bool = True


def matroska_breaks(path: Path) -> MatroskaBreaks:
    """Return where the clusters of a file are damaged."""
    with path.open("rb") as stream, mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as data:
        head = _element(data, 0)
        segment = head and head.end is not None and _element(data, head.end)
        if not segment or segment.identity != _SEGMENT:
            return MatroskaBreaks(followed=False)
        return _walk(data, segment.start, segment.end or len(data))


def _walk(data: mmap.mmap, position: int, end: int) -> MatroskaBreaks:
    found: list[tuple[float, float]] = []
    scale, tracks, last, since = _USUAL_SCALE, frozenset[int](), 0, -1
    end, checked = min(end, len(data)), True
    while position < end:
        each = _element(data, position)
        known = each is not None and (
            each.identity == _CLUSTER or each.identity in _OTHERS | {_INFO, _TRACKS}
        )
        if each is None or not known or (each.end is not None and each.end > end) or (
            each.end is None and each.identity != _CLUSTER
        ):  # fmt: skip
            since = last if since < 0 else since
            position = _next_cluster(data, position + 1, tracks)
            continue
        if each.identity != _CLUSTER:
            scale = _unit(data, each, scale) if each.identity == _INFO else scale
            tracks = _track_numbers(data, each) if each.identity == _TRACKS else tracks
            position = each.end or end
            continue
        cluster = _cluster(data, each, tracks)
        begins = cluster.time if cluster.time is not None else last
        back = begins < last - _BACK_MS * _USUAL_SCALE / scale
        if cluster.whole and (since >= 0 or back):
            found.append(
                (min(begins, last if since < 0 else since) * scale / 1e9, max(begins, last) * scale / 1e9)
            )
            since = -1
        if cluster.whole:
            checked = checked and cluster.checked
            last = max(cluster.last or 0, begins)
            position = cluster.end
        else:
            since = last if since < 0 else since
            resumes = each.end if each.end is not None and _is_place(data, each.end, end) else None
            position = resumes if resumes is not None else _next_cluster(data, position + 1, tracks)
    rest = [(since * scale / 1e9, float("inf"))] if since >= 0 else []
    return MatroskaBreaks((*found, *rest), checked)


def _element(data: mmap.mmap, position: int) -> _Element | None:
    """Read the head of an element; None where there is none."""
    first = data[position] if position < len(data) else 0
    width = 9 - first.bit_length()
    if first < 0x10 or position + width >= len(data):
        return None
    identity = int.from_bytes(data[position : position + width], "big")
    number = _number(data, position + width)
    if number is None:
        return None
    length, start = number
    return _Element(identity, start, None if length is None else start + length)


def _number(data: mmap.mmap, position: int) -> tuple[int | None, int] | None:
    """Read a number of variable width; return it, None for "not told", and where it ends; None where there is none."""
    first = data[position] if position < len(data) else 0
    if not first:
        return None
    width = 9 - first.bit_length()
    bits = (1 << 7 * width) - 1
    value = int.from_bytes(data[position : position + width], "big") & bits
    return (None if value == bits else value), position + width


def _children(data: mmap.mmap, each: _Element) -> Iterator[_Element]:
    """Yield what an element of known length holds, up to what does not fit."""
    position, end = each.start, each.end or len(data)
    while position < end:
        child = _element(data, position)
        if child is None or child.end is None or child.end > end:
            return
        yield child
        position = child.end


def _unit(data: mmap.mmap, info: _Element, scale: int) -> int:
    told = [
        int.from_bytes(data[c.start : c.end], "big") for c in _children(data, info) if c.identity == _SCALE
    ]
    return told[0] if told and told[0] else scale


def _track_numbers(data: mmap.mmap, tracks: _Element) -> frozenset[int]:
    entries = [child for child in _children(data, tracks) if child.identity == _ENTRY]
    return frozenset(
        int.from_bytes(data[c.start : c.end], "big")
        for entry in entries
        for c in _children(data, entry)
        if c.identity == _NUMBER
    )


def _cluster(data: mmap.mmap, cluster: _Element, tracks: frozenset[int]) -> _Cluster:
    """Read a cluster block by block; where its length is not told, up to what belongs to none."""
    position, end = cluster.start, cluster.end or len(data)
    time: int | None = None
    last: int | None = None
    whole, checked = True, False
    while position < end:
        child = _element(data, position)
        if child is None or child.end is None or child.end > end:
            whole = False
            break
        if child.identity == _CHECKSUM and position == cluster.start and cluster.end is not None:
            told = int.from_bytes(data[child.start : child.end], "little")
            if zlib.crc32(memoryview(data)[child.end : end]) != told:
                return _Cluster(None, None, False, end)
            checked = True
        elif child.identity == _TIME:
            time = int.from_bytes(data[child.start : child.end], "big")
        elif child.identity in (_SIMPLE, _GROUP):
            relative = _block_time(data, child, tracks)
            if relative is None or time is None:
                whole = False
                break
            last = max(time + relative, last or 0)
        elif child.identity not in _BESIDE_BLOCKS:
            # The next cluster, or what stands behind all, ends one whose length is not told.
            whole = cluster.end is None and (child.identity == _CLUSTER or child.identity in _OTHERS)
            break
        position = child.end
    return _Cluster(time, last, whole and time is not None, position, checked)


def _block_time(data: mmap.mmap, block: _Element, tracks: frozenset[int]) -> int | None:
    """Return the time of a block from its cluster's; None where it is none of a known track."""
    inner: _Element | None = block
    if block.identity == _GROUP:
        inner = next((child for child in _children(data, block) if child.identity == _BLOCK), None)
    number = _number(data, inner.start) if inner else None
    if number is None or (tracks and number[0] not in tracks):
        return None
    return int.from_bytes(data[number[1] : number[1] + 2], "big", signed=True)


def _is_place(data: mmap.mmap, position: int, end: int) -> bool:
    """Return whether an element of the outermost kind begins here, or all ends."""
    each = _element(data, position)
    return position == end or (each is not None and (each.identity == _CLUSTER or each.identity in _OTHERS))


def _next_cluster(data: mmap.mmap, position: int, tracks: frozenset[int]) -> int:
    """Return where the next cluster begins that has a time and a block; the end of the file where there is none."""
    while (position := data.find(_CLUSTER_MARK, position)) >= 0:
        each = _element(data, position)
        if each is not None and (each.end is None or each.end <= len(data)):
            found = _cluster(data, each, tracks)
            if found.time is not None or data[each.start] == _CHECKSUM:
                return position
        position += 1
    return len(data)
