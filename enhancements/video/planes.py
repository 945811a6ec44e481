"""A picture as videos store it: brightness at full, colours at half resolution (YUV 4:2:0)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Plane = NDArray[np.uint8]


@dataclass(frozen=True)
class Planes:
    """One picture, YUV 4:2:0, upright.

    Attributes:
        y: brightness, uint8, (height, width).
        u: blue difference, uint8, (height / 2, width / 2).
        v: red difference, likewise.
    """

    y: Plane
    u: Plane
    v: Plane
