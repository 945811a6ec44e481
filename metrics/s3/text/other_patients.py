"""Pairs of recordings of different patients, for what a text about somebody else scores."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

MOST = 10


def other_patient_pairs(patients: Sequence[Any], most: int = MOST) -> list[tuple[int, int]]:
    """Return positions (i, j) that pair recording i with recordings j of other patients.

    Each recording gets at most ``most`` partners, at even distances around the list, so that the pairs are
    the same every time; partners of the same patient are left out. Empty if there is one patient only.
    """
    n = len(patients)
    shifts = sorted({n * step // (most + 1) for step in range(1, most + 1)} - {0})
    if n <= most + 1:
        shifts = list(range(1, n))
    pairs = [(i, (i + shift) % n) for i in range(n) for shift in shifts]
    return [(i, j) for i, j in pairs if str(patients[i]) != str(patients[j])]
