"""Pages that this machine serves to itself alone: for ratings, reader studies and the viewer of runs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager


class LocalPageError(ValueError):
    """A page cannot be served; the message says what to do."""


@contextmanager
def serving_needed() -> Iterator[None]:
    """Turn the want of a library, which comes with the extra ``review``, into a sentence.

    Raises:
        LocalPageError: one is missing.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        raise LocalPageError(
            f"{error.name} is missing → pip install --constraint constraints.txt 'semiology-eval[review]'"
        ) from None
