"""Bytes that no writer of HEVC puts into a unit: damage that its decoder takes for picture.

Within a unit two zero bytes are never followed by 0, 1 or 2, and a 3 behind them guards one of 0 to 3 (Rec. ITU-T
H.265, section 7.3.1.1). MP4, MOV and Matroska write a unit's length before it, so that no start code stands between
units. H.264 has the same rule, but its decoder finds such damage, and more, by itself.
"""

from __future__ import annotations

import re
from collections.abc import Callable

_FORBIDDEN = re.compile(rb"\x00\x00(?:[\x00-\x02]|\x03[\x04-\xff])")
_WIDTH_AT = 21
"""Place in the track's header (``hvcC``) of the width of lengths."""


def unit_check(codec: str, header: bytes) -> Callable[[bytes], bool] | None:
    """Return what tells whether a packet holds forbidden bytes; None where units have no lengths, or no such rule."""
    if codec != "hevc" or len(header) <= _WIDTH_AT or header[0] != 1:
        return None
    width = (header[_WIDTH_AT] & 3) + 1
    return lambda packet: _forbidden(packet, width)


def _forbidden(packet: bytes, width: int) -> bool:
    position = 0
    while position + width <= len(packet):
        start = position + width
        end = start + int.from_bytes(packet[position:start], "big")
        # Zeros at the end may be padding.
        if end > len(packet) or _FORBIDDEN.search(packet[start:end].rstrip(b"\0")):
            return True
        position = end
    return False
