"""Progress of work in two parts of equal length: first looking at a recording, then writing it."""

from __future__ import annotations

from semiology.enhancements.pipeline.step import Progress


def first_pass(progress: Progress | None) -> Progress | None:
    """Return what reports the first half of the work."""
    if progress is None:
        return None
    return lambda done, total: progress(done, 2 * total)


def second_pass(progress: Progress | None) -> Progress | None:
    """Return what reports the second half of the work."""
    if progress is None:
        return None
    return lambda done, total: progress(total + done, 2 * total)
