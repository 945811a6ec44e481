"""Names that differ in form alone: the case of letters, leading zeros, separators, and the ``.0`` of spreadsheets."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import TypeVar

Place = TypeVar("Place")


def name_key(name: str) -> str:
    """Return what is left of a name without the case of letters, leading zeros, the kind of separators and ``.0``.

    >>> name_key("P_007"), name_key("p-7"), name_key("7.0")
    ('p-7', 'p-7', '7')
    """
    plain = re.sub(r"\.0+$", "", name.lower())
    return re.sub(r"(?<!\d)0+(?=\d)", "", re.sub(r"[._-]+", "-", plain).strip("-"))


def alike_names(names: Iterable[tuple[Place, str]]) -> Iterator[tuple[Place, str, Place, str]]:
    """Yield each name that differs from an earlier one in form alone, once: its place, it, the earlier one's, and that.

    Args:
        names: with their places, such as rows; empty ones are passed over.

    >>> list(alike_names([(2, "007"), (3, "7"), (4, "007")]))
    [(3, '7', 2, '007')]
    """
    first: dict[str, tuple[Place, str]] = {}
    told: set[str] = set()
    for place, name in names:
        if not name:
            continue
        before_place, before = first.setdefault(name_key(name), (place, name))
        if name != before and name not in told:
            told.add(name)
            yield place, name, before_place, before
