"""Damage in ASF and WMV files, found in their packets: they have one size, and every payload tells its place.

A picture is cut into payloads, each with the number of the picture, how far into it the payload begins, and how long
the whole is. What does not continue what was before is damaged. (Microsoft's Advanced Systems Format specification,
revision 01.20.06, sections 3.2, 5.2.)
"""

from __future__ import annotations

import mmap
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

_FILE = bytes.fromhex("a1dcab8c47a9cf118ee400c00c205365")
_DATA = bytes.fromhex("3626b2758e66cf11a6d900aa0062ce6c")
_PACKET = b"\x82\0\0"
_WIDTHS = (0, 1, 2, 4)
_BACK_MS = 250
_HEAD = 8
"""Length and time of a picture, which stand in the first bytes that every payload of it repeats."""


class _Payload(NamedTuple):
    """A piece of a picture: its track, number, place, length, whole length and time (None where not told), ms."""

    track: int
    number: int
    offset: int
    length: int
    whole: int | None
    time_ms: int | None


class _DamagedError(ValueError):
    """These bytes are no packet."""


def asf_breaks(path: Path, track: int) -> list[tuple[float, float]] | None:
    """Return where the payloads of a track do not follow each other, from the last whole one to the next, s.

    None where the packets are written in a way that is not followed here.

    Args:
        track: the stream number that the file gives to the track.
    """
    with path.open("rb") as stream, mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as data:
        properties, start = data.find(_FILE, 0, 1 << 20), data.find(_DATA, 0, 16 << 20)
        if properties < 0 or start < 0:
            return None
        preroll_ms = int.from_bytes(data[properties + 80 : properties + 88], "little")
        size = int.from_bytes(data[properties + 92 : properties + 96], "little")
        end = min(len(data), start + int.from_bytes(data[start + 16 : start + 24], "little"))
        if not 16 <= size <= 1 << 20 or data[start + 50] & 0x80 == 0:
            return None
        walk = _Walk(track)
        position = start + 50
        while position + size <= end:
            try:
                for payload in list(_payloads(data, position, size)):
                    walk.add(payload)
                position += size
            except _DamagedError:
                walk.lose()
                position = _resumed(data, position, size, end)
        found = walk.ended()
    return [(max(0, low - preroll_ms) / 1000, (high - preroll_ms) / 1000) for low, high in found]


class _Walk:
    """Takes the payloads of a track in the file's order, and keeps where they do not go on."""

    def __init__(self, track: int) -> None:
        self._track = track
        self._last_ms = 0.0
        self._since: float | None = None
        self._number: int | None = None
        self._reached, self._whole = 0, 0
        self._found: list[tuple[float, float]] = []

    def lose(self) -> None:
        """Know that something is missing here."""
        if self._since is None:
            self._since = self._last_ms
        self._number = None

    def add(self, payload: _Payload) -> None:
        """Take the next payload, of any track."""
        if payload.track != self._track or payload.whole is None or payload.time_ms is None:
            return
        fresh = payload.offset == 0
        if self._number is not None:
            done = self._reached == self._whole
            follows = (payload.number - self._number) % 256 == 1 and fresh and done
            goes_on = payload.number == self._number and payload.offset == self._reached and not done
            if not (follows or goes_on) or payload.time_ms < self._last_ms - _BACK_MS:
                self.lose()
        if self._since is not None and fresh:
            low, high = sorted((self._since, float(payload.time_ms)))
            self._found.append((low, max(high, self._last_ms) + 1))
            self._since = None
        self._number, self._whole = payload.number, payload.whole
        self._reached = payload.offset + payload.length
        self._last_ms = float(payload.time_ms)

    def ended(self) -> list[tuple[float, float]]:
        """Return the breaks, in ms."""
        return [*self._found, (self._since, float("inf"))] if self._since is not None else self._found


def _resumed(data: mmap.mmap, position: int, size: int, end: int) -> int:
    """Return where the next two packets stand that can be read."""
    at = position + 1
    while (at := data.find(_PACKET, at, end)) >= 0:
        try:
            list(_payloads(data, at, size))
            if at + 2 * size <= end:
                list(_payloads(data, at + size, size))
        except _DamagedError:
            at += 1
        else:
            return at
    return end


def _payloads(data: mmap.mmap, position: int, size: int) -> Iterator[_Payload]:
    """Yield the payloads of the packet at a place.

    Raises:
        _DamagedError: there is none.
    """
    packet = data[position : position + size]
    if packet[:3] != _PACKET or len(packet) < size:
        raise _DamagedError
    lengths, properties = packet[3], packet[4]
    at = 5

    def number(kind: int) -> int:
        nonlocal at
        width = _WIDTHS[kind & 3]
        if at + width > size:
            raise _DamagedError
        value = int.from_bytes(packet[at : at + width], "little")
        at += width
        return value

    told = number(lengths >> 5)
    number(lengths >> 1)
    padding = number(lengths >> 3)
    at += 6  # when to send it, and for how long
    end = (told or size) - padding
    if lengths & 0x80 or at > end or end > size:
        raise _DamagedError
    several = bool(lengths & 1)
    count, kind = (packet[at] & 0x3F, packet[at] >> 6) if several else (1, 0)
    at += several
    if not count:
        raise _DamagedError
    for _ in range(count):
        if at >= end:
            raise _DamagedError
        track = packet[at] & 0x7F
        at += 1
        picture, offset, repeated = number(properties >> 4), number(properties >> 2), number(properties)
        head = packet[at : at + repeated]
        at += repeated
        length = number(kind) if several else end - at
        if at + length > end or length < 0 or (repeated != 1 and repeated < _HEAD):
            raise _DamagedError
        whole = None if repeated == 1 else int.from_bytes(head[:4], "little")
        if whole is not None and (offset + length > whole or not length):
            raise _DamagedError
        time_ms = None if whole is None else int.from_bytes(head[4:8], "little")
        yield _Payload(track, picture, offset, length, whole, time_ms)
        at += length
