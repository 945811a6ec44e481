"""Do two groups of patients differ in a number or in a category? One value a patient, never one a recording."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

NAN = float("nan")
FEWEST = 2
"""Patients of each group below which nothing is tested."""


@dataclass(frozen=True)
class GroupTest:
    """A two-sided test; ``p`` is NaN where ``reason`` says why there is none."""

    name: str
    p: float
    reason: str | None = None


def number_test(first: Sequence[float], second: Sequence[float]) -> GroupTest:
    """Return the Mann-Whitney U test of two groups of numbers (scipy: exact for small groups without ties).

    >>> number_test([1.0, 2.0, 3.0], [4.0, 5.0, 6.0]).p
    0.1
    """
    from scipy.stats import mannwhitneyu

    name = "Mann-Whitney U"
    if min(len(first), len(second)) < FEWEST:
        return GroupTest(name, NAN, _few(len(first), len(second)))
    return GroupTest(name, float(mannwhitneyu(first, second).pvalue))


def category_test(first: Sequence[str], second: Sequence[str], *, seed: int = 0) -> GroupTest:
    """Return Fisher's exact test of two groups of categories; of more than two, by 9,999 random tables.

    >>> round(category_test(["f"] * 39 + ["m"] * 45, ["f"] * 26 + ["m"] * 6).p, 4)
    0.0008
    """
    from scipy.stats import MonteCarloMethod, fisher_exact

    name = "Fisher's exact"
    if min(len(first), len(second)) < FEWEST:
        return GroupTest(name, NAN, _few(len(first), len(second)))
    categories = sorted({*first, *second})
    if len(categories) < 2:
        return GroupTest(name, NAN, "all patients have one value")
    table = np.array([[list(group).count(each) for each in categories] for group in (first, second)])
    if len(categories) == 2:
        return GroupTest(name, float(fisher_exact(table).pvalue))
    drawn = MonteCarloMethod(rng=np.random.default_rng(seed))
    # SciPy gives an array of one p where all tables with these margins are equally likely.
    (p,) = np.ravel(fisher_exact(table, method=drawn).pvalue)
    return GroupTest(f"{name}, random tables", float(p))


def _few(first: int, second: int) -> str:
    return f"{first} and {second} patients with a value: too few to test"
