"""The order and the times of MPEG-1 and MPEG-2 pictures as they tell themselves, held against those of the container.

Programme streams (MPG, VOB) give a time to one picture of many, and FFmpeg works out the others: after a pack that
begins in mid-picture they come out doubled, and after a lost one they are too early. Every picture says which place it
has in its group, so that a group whose places are complete has certain times, and one that lacks a place has lost one.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

CODECS = frozenset({"mpeg1video", "mpeg2video"})
_PICTURE, _GROUP = b"\0\0\1\0", b"\0\0\1\xb8"
_EVEN = 0.7
"""The scheme holds where this share of the groups follows the one before without a gap; elsewhere rates change."""


@dataclass
class _Group:
    """Packets of one group of pictures: their numbers in the file's order, their stamps and their places."""

    packets: list[int] = field(default_factory=list)
    stamps: list[int] = field(default_factory=list)
    places: list[int] = field(default_factory=list)

    def complete(self) -> bool:
        """Whether every place is taken once."""
        return sorted(self.places) == list(range(len(self.places)))

    def base(self, step: float) -> float:
        """Return the stamp of place 0 by most packets, in ticks."""
        return float(np.median(np.array(self.stamps) - step * np.array(self.places)))

    def torn(self, step: float) -> bool:
        """Whether the container times more than a third of them otherwise: some belong elsewhere."""
        off = np.abs(np.array(self.stamps) - step * np.array(self.places) - self.base(step)) > 0.5 * step
        return bool(off.mean() > 1 / 3)


@dataclass(frozen=True)
class PictureTimes:
    """What the pictures say: a stamp for every packet in the file's order, and the spans in which some are lost."""

    stamps: NDArray[np.int64]
    lost: tuple[tuple[int, int], ...]


class MpegPictures:
    """Takes the packets of a track in the file's order."""

    def __init__(self) -> None:
        self._groups: list[_Group] = []
        self._stamps: list[int] = []

    def add(self, data: bytes, stamp: int) -> None:
        """Take the next packet with its time stamp."""
        self._stamps.append(stamp)
        at = data.find(_PICTURE)
        if at < 0 or at + 6 > len(data):
            return  # damaged; its place in the group will be missing
        if not self._groups or 0 <= data.find(_GROUP) < at:
            self._groups.append(_Group())
        last = self._groups[-1]
        last.packets.append(len(self._stamps) - 1)
        last.stamps.append(stamp)
        last.places.append(data[at + 4] << 2 | data[at + 5] >> 6)

    def times(self, step: float) -> PictureTimes | None:
        """Return the times that the pictures tell; None where they tell none (no groups, uneven rates).

        Args:
            step: usual distance of two pictures, in ticks.
        """
        groups = self._groups
        if len(groups) < 3 or max(len(group.places) for group in groups) > 1000 or step <= 0:
            return None
        bases = [group.base(step) for group in groups]
        follows = [
            abs(after - before - step * len(group.places)) < 0.75 * step
            for group, (before, after) in zip(groups, pairwise(bases), strict=False)
        ]
        if np.mean(follows) < _EVEN:
            return None
        stamps = np.array(self._stamps, np.int64)
        lost: list[tuple[int, int]] = []
        base = bases[0]
        for number, group in enumerate(groups):
            end = base + step * len(group.places)
            after = bases[number + 1] if number + 1 < len(groups) else end
            gap = after - end > 0.75 * step
            if group.complete() and after - end < -0.75 * step:
                after = end  # no intact film shows two pictures at once: the container counts too early
            stamps[group.packets] = np.round(base + step * np.array(group.places)).astype(np.int64)
            # The first group may have been cut into, and the last cut off.
            lacking = (not group.complete() or group.torn(step)) and 0 < number < len(groups) - 1
            if lacking or gap:
                lost.append((int(base), int(max(after, base + step * (max(group.places) + 1)))))
            base = after
        return PictureTimes(stamps, tuple(lost))
