"""A number with its noun, in the singular or the plural: ``1 patient``, ``1,218 questions``."""

from __future__ import annotations


def counted(number: int, noun: str) -> str:
    """Return a number and its noun, with an ``s`` unless it is one.

    Args:
        number: how many; thousands are set off by commas.
        noun: in the singular, regular in the plural; of several words the last one takes the ``s``.
    """
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"
