"""Films that show the same pictures though their files differ: saved in another container, or encoded again.

Only films of nearly the same length, by their headers, are opened. Three moments of each are compared as small grey
pictures: equal ones are the same film, nearly equal ones seem to be.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

from semiology.data.media.frames import read_frames
from semiology.data.media.probe import MediaError, open_media, probe, video_stream

_LENGTH_S = 0.15
"""Containers differ by so much in the length that they tell of the same film, s."""
_MOMENTS = (0.1, 0.5, 0.9)
_BLOCKS = (9, 16)
_MEAN, _MOST = 2.5, 16.0
"""Grey levels of 255 by which a film that was encoded again differs at most, on average and in one block."""
_CONTRAST = 4.0
"""Pictures with less from block to block, grey levels, are dark or empty, and like all such."""


def alike_films(paths: Sequence[Path]) -> list[tuple[int, int, bool]]:
    """Return pairs of films (places in ``paths``, the first before the second) that show the same.

    The third item tells whether the pictures are equal to the last bit. Files that cannot be read are in no pair.
    """
    lengths = sorted((length, place) for place, path in enumerate(paths) if (length := _length_s(path)))
    groups: list[list[int]] = []
    for number, (length, place) in enumerate(lengths):
        near = number > 0 and length - lengths[number - 1][0] < _LENGTH_S
        if near:
            groups[-1].append(place)
        else:
            groups.append([place])
    found = []
    for group in groups:
        if len(group) < 2:
            continue
        looks = {place: look for place in sorted(group) if (look := _look(paths[place])) is not None}
        places = list(looks)
        for at, one in enumerate(places[:-1]):
            apart = np.abs(np.stack([looks[place] for place in places[at + 1 :]]) - looks[one])
            means, most = apart.mean(axis=(1, 2, 3)), apart.max(axis=(1, 2, 3))
            found += [
                (one, places[at + 1 + int(hit)], bool(most[hit] == 0))
                for hit in np.flatnonzero((means < _MEAN) & (most < _MOST))
            ]
    return found


def _length_s(path: Path) -> float | None:
    try:
        with open_media(path) as container:
            stream = video_stream(container, path)
            if stream.duration and stream.time_base:
                return float(stream.duration * stream.time_base)
            return container.duration / av.time_base if container.duration else None
    except MediaError:
        return None


def _look(path: Path) -> NDArray[np.float64] | None:
    """Return three moments of a film as small grey pictures; None where it cannot be read or shows nothing."""
    try:
        length = probe(path).duration_s
        pictures = read_frames(path, [share * length for share in _MOMENTS])
    except MediaError:
        return None
    small = np.stack([_blocks(picture.mean(axis=2)) for picture in pictures])
    return small if small.std(axis=(1, 2)).mean() > _CONTRAST else None


def _blocks(grey: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the means of a grid of blocks of a picture."""
    rows, columns = (
        np.linspace(0, size, count + 1).round().astype(int)
        for size, count in zip(grey.shape, _BLOCKS, strict=True)
    )
    return np.array(
        [
            [grey[top:bottom, left:right].mean() for left, right in pairwise(columns)]
            for top, bottom in pairwise(rows)
        ]
    )
