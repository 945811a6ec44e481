"""Signs of damage in the packets of a picture track, found without decoding them.

A film that is damaged in the middle still plays: the decoder shows the last good picture longer, or pictures built on
lost ones, and says nothing. What the container tells gives it away: packets marked as damaged, a hole in an even
rhythm, a clock that goes back, an index that holds more frames than the header announces.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from semiology.data.media.structure.nal_units import unit_check

_RESTART_S, _NEAR_START_S = 1.0, 2.0
"""A clock that goes back by more than the first, to less than the second after its beginning, starts again, s."""
_BACK_S = 0.25
"""Programme streams of some writers go back by a frame without harm; by more than this it is damage, s."""
_HOLE_STEPS = 2.5
"""A distance of two frames beyond this, in usual distances, is a hole."""
_EVEN, _PAUSE_S = 0.95, 1.0
"""A rhythm is even if this share of the distances is the usual one; in others only longer pauses, s, are holes."""
_REORDERED = 16
"""Frames by which the order in the file may differ from the order shown (Rec. ITU-T H.264, annex A.3)."""
_UNSURE = 3
"""So many frames before damage are not trusted: the last packet may be half overwritten, and is shown before others."""
_REPEATED = 3
"""So many packets in a row, different from each other, that come a second time are a repeated piece of the file."""
_NEAR_BYTES = 32 << 10
"""What lies this near to damage in the file is not trusted: disks and transfers lose blocks, not bytes."""
_NEAR_S = 0.5
"""But no more than this on either side, s: a small film lies within one block."""
_ZEROS = {"vp8": 256}
"""So many zero bytes in a row do not come out of an encoder but at the end of a picture: a block was lost.
VP8, whose decoders find little by themselves, wrote at most 73 (black, white, grey, still, noisy and half-empty
pictures, 50 kbit/s and 8 Mbit/s); others do write longer runs: WMV 142 in a film that fades in from black."""
_TELLING_BYTES = 64
"""Smaller packets are alike by themselves: frames in which nothing moves."""


class PacketScan:
    """Takes the packets of a picture track in the file's order; tells of a restart at once, of damage at the end.

    ``header`` is what the container says of the track before its packets (FFmpeg's extradata).
    """

    def __init__(self, tick_s: float, *, codec: str = "", header: bytes = b"") -> None:
        self._tick_s = tick_s
        self._forbidden = unit_check(codec, header)
        self._zeros = bytes(_ZEROS[codec]) if codec in _ZEROS else None
        self._places: list[tuple[int, int, int]] = []
        self._first: int | None = None
        self._last: int | None = None
        self._marked: list[tuple[int, int]] = []
        self._waiting: list[int] = []
        self._back: list[tuple[int, int]] = []
        self._contents: list[tuple[int, int]] = []

    def add(self, packet: Any, stamp: int) -> float | None:
        """Take a packet with its time stamp; return after how many s the clock started again, if it did."""
        if packet.is_corrupt:
            self._waiting.append(stamp)
        elif self._waiting:  # at the very end a broken packet is the end of the file, not a hole in it
            self._marked += [(each, each + 1) for each in self._waiting]
            self._waiting = []
        content = bytes(packet)
        if self._zeros is not None and self._zeros in content.rstrip(b"\0"):
            self._marked.append((stamp, stamp + 1))
        if self._forbidden is not None and self._forbidden(content):
            if not self._contents:  # it is the encoder's way
                self._forbidden = None
            else:
                self._marked.append((stamp, stamp + 1))
        if packet.pos is not None:
            self._places.append((packet.pos, packet.size, stamp))
        self._contents.append((stamp, zlib.crc32(content) if packet.size > _TELLING_BYTES else 0))
        if packet.dts is None:
            return None
        if self._first is None:
            self._first = packet.dts
        if self._last is not None and packet.dts < self._last:
            back_s = (self._last - packet.dts) * self._tick_s
            since_s = (packet.dts - self._first) * self._tick_s
            if back_s > _RESTART_S and since_s < _NEAR_START_S:
                return float((self._last - self._first) * self._tick_s)
            if back_s > _BACK_S:
                self._back.append((packet.dts, self._last))
            return None
        self._last = packet.dts
        return None

    def in_order(self) -> bool:
        """Return whether no packet is marked, and none stands farther from its place than reordered frames do."""
        stamps = np.array([stamp for stamp, _ in self._contents], np.int64)
        ranks = np.argsort(np.argsort(stamps, kind="stable"), kind="stable")
        near = bool(np.abs(ranks - np.arange(ranks.size)).max(initial=0) <= _REORDERED)
        return near and not (self._marked or self._back or self._waiting)

    def damaged(
        self,
        ticks: NDArray[np.int64],
        keys: NDArray[np.int64],
        announced: int | None,
        intact: int | None = None,
        lost: Sequence[tuple[int, int]] = (),
        *,
        exact: bool = False,
        whole: bool = True,
    ) -> tuple[tuple[int, int], ...]:
        """Return the damaged spans in ticks, ascending and apart, each up to the key frame that ends it.

        Args:
            ticks, keys: time stamps of all frames and of key frames, ascending.
            announced: frames that an AVI header announces, whose times are counts of packets; None elsewhere.
            lost: spans in which the pictures themselves, or the container, tell that some are missing.
            exact: whether checksums say that all else is whole, so that nothing beside a span is doubted.
            whole: whether a hole in an even rhythm is the recorder's own, since nothing is missing from the file.
            intact: so many frames of an AVI file stand where its index says; None where that is not known.
        """
        if not ticks.size:
            return ()
        holes = [] if whole else missing_frames(ticks, self._tick_s)
        spans = [*self._marked, *self._back, *holes, *lost]
        end = int(ticks[-1]) + max(1, int(np.median(np.diff(ticks))) if ticks.size > 1 else 1)
        before = _UNSURE * int(np.median(np.diff(ticks))) if ticks.size > 1 else 0
        ended = []
        for start, stop in spans if exact else map(self._widened, spans):
            after = keys[np.searchsorted(keys, stop)] if keys.size and stop <= keys[-1] else end
            ended.append((max(int(ticks[0]), start - before), int(after)))
        if announced and end != announced:
            # From the first repeated or lost packet on, all frames are counted wrong; the one before may be half lost.
            known = intact is not None and intact < announced
            ended.append((max(int(ticks[0]), intact - 1) if known and intact else self._repeated_from(), end))
        return _merged(ended)

    def _widened(self, span: tuple[int, int]) -> tuple[int, int]:
        """Return a span with the frames whose packets lie near to it in the file."""
        within = [(at, at + size) for at, size, stamp in self._places if span[0] <= stamp < span[1]]
        if not within:  # all packets of it are lost: those beside it
            before = max(
                (place for place in self._places if place[2] < span[0]), key=lambda p: p[2], default=None
            )
            within = [(before[0], before[0] + before[1])] if before else []
        if not within:
            return span
        low, high = min(at for at, _ in within) - _NEAR_BYTES, max(end for _, end in within) + _NEAR_BYTES
        near = [stamp for at, size, stamp in self._places if at + size > low and at < high]
        most = int(_NEAR_S / self._tick_s)
        return max(span[0] - most, min(span[0], *near)), min(span[1] + most, max(span[1], max(near) + 1))

    def _repeated_from(self) -> int:
        """Return the stamp at which a piece of the file comes a second time; the first of all where none does."""
        seen: dict[int, int] = {}
        run: list[int] = []
        for place, (_, content) in enumerate(self._contents):
            before = seen.get(content) if content else None
            follows = before is not None and (not run or before == run[-1] + 1)
            if follows and before is not None:
                run.append(before)
                if len(run) >= _REPEATED:
                    return self._contents[place - len(run) + 1][0]
            elif content:
                run = []
            if content and content not in seen:
                seen[content] = place
        return self._contents[0][0]


def missing_frames(ticks: NDArray[np.int64], tick_s: float) -> list[tuple[int, int]]:
    """Return where frames are missing from an even rhythm: from the end of the frame before to the one after, ticks.

    In an uneven rhythm these are the pauses of more than `_PAUSE_S`.
    """
    distinct = np.unique(ticks)
    if distinct.size < 3:
        return []
    steps = np.diff(distinct)
    usual = float(np.median(steps))
    even = np.abs(steps - usual) <= max(0.25 * usual, 2.01)
    least = _HOLE_STEPS * usual if even.mean() >= _EVEN else max(_HOLE_STEPS * usual, _PAUSE_S / tick_s)
    return [(int(distinct[i] + usual), int(distinct[i + 1])) for i in np.flatnonzero(steps > least)]


def _merged(spans: list[tuple[int, int]]) -> tuple[tuple[int, int], ...]:
    merged: list[tuple[int, int]] = []
    for start, stop in sorted(spans):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(stop, merged[-1][1]))
        elif stop > start:
            merged.append((start, stop))
    return tuple(merged)
