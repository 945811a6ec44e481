"""Whether a transport stream (TS, M2TS) is as it was sent: every packet in its place, every track's counter going on.

(ISO/IEC 13818-1, section 2.4.3: packets of 188 bytes begin with 0x47; those with content of one track count from 0 to
15 and again from 0. M2TS puts four bytes before each, broadcasters 16 behind.)
"""

from __future__ import annotations

import mmap
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

_SYNC, _NULL = 0x47, 0x1FFF
_SIZES = ((188, 0), (192, 4), (204, 0))
"""Distance of packets, and where in it the packet begins, bytes."""
_PACKETS_AT_ONCE = 1 << 20


def nothing_lost(path: Path) -> bool:
    """Return whether no packet is missing or out of place; a loss of just 16 packets of every track is not seen."""
    with path.open("rb") as stream, mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as data:
        for size, offset in _SIZES:
            count = (len(data) - offset) // size
            if count > 2 and all(data[offset + each * size] == _SYNC for each in range(3)):
                return _continuous(data, size, offset, count)
    return False


def _continuous(data: mmap.mmap, size: int, offset: int, count: int) -> bool:
    last: dict[int, int] = {}
    for first in range(0, count, _PACKETS_AT_ONCE):
        number = min(_PACKETS_AT_ONCE, count - first)
        # A copy: the file cannot be closed while an array looks into it.
        piece = data[first * size + offset : (first + number - 1) * size + offset + 12]
        raw = np.frombuffer(piece.ljust(number * size, b"\0"), np.uint8).reshape(number, size)
        if (raw[:, 0] != _SYNC).any() or (raw[:, 1] & 0x80).any():
            return False
        tracks = (raw[:, 1].astype(np.int64) & 0x1F) << 8 | raw[:, 2]
        counted = (raw[:, 3] & 0x10 > 0) & (tracks != _NULL)
        restarts = (raw[:, 3] & 0x20 > 0) & (raw[:, 4] > 0) & (raw[:, 5] & 0x80 > 0)
        for track in np.unique(tracks[counted]).tolist():
            own = counted & (tracks == track)
            if not _goes_on(raw[own, 3] & 15, restarts[own], last, track):
                return False
    return True


def _goes_on(
    counts: NDArray[np.uint8], restarts: NDArray[np.bool_], last: dict[int, int], track: int
) -> bool:
    """Return whether a track's counter goes on from ``last``, which is brought up to date; a packet may come twice."""
    before = np.concatenate([[last.get(track, (int(counts[0]) - 1) % 16)], counts[:-1]]).astype(int)
    last[track] = int(counts[-1])
    steps = (counts.astype(int) - before) % 16
    return bool(((steps == 1) | (steps == 0) | restarts).all())
