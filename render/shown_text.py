"""Text from outside, made fit to be shown: no control characters, visible direction marks, bounded length."""

from __future__ import annotations

import re

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_DIRECTION = re.compile(r"[\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_SURROGATE = re.compile(r"[\ud800-\udfff]")


def shown_text(text: str, length: int | None = None) -> str:
    """Return text without control characters; marks that turn the direction of writing are named.

    Args:
        text: anything.
        length: characters to keep; what is cut off is counted at the end.
    """
    cut = 0
    if length is not None and len(text) > length:
        cut = len(text) - length
        text = text[:length]
    text = _SURROGATE.sub("\ufffd", _CONTROL.sub(" ", text))
    text = _DIRECTION.sub(lambda found: f"\u2329U+{ord(found.group()):04X}\u232a", text)
    return f"{text}… [{cut:,} more characters in the samples file]" if cut else text
