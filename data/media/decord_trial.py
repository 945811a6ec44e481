"""Whether decord reads a film, found by trying on this machine, not by the name of the container."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path


def decord_fault(film: Path, frames: int) -> str | None:
    """Say why decord does not give the frames of a film by number; None where it does, or is not installed.

    It is opened, its frames are counted, and those of its beginning, middle and end are read.
    """
    if find_spec("decord") is None:
        return None
    import decord

    try:
        reader = decord.VideoReader(str(film), num_threads=1)
        held = len(reader)
        if held != frames:
            return f"decord finds {held} frames of {frames}"
        reader.get_batch(sorted({0, frames // 2, frames - 1}))
    except (decord.DECORDError, RuntimeError, OSError, IndexError):
        return "decord, tried on this machine, cannot read it"
    return None
