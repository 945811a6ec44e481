"""Tests between two groups of patients, against every way to deal the patients out anew."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from scipy.stats import hypergeom, mannwhitneyu

from semiology.metrics.statistics.group_tests import category_test, number_test


@pytest.mark.parametrize("seed", range(5))
def test_numbers_are_compared_by_their_ranks_over_all_ways_to_deal_them(seed: int) -> None:
    rng = np.random.default_rng(seed)
    n, m = (2, 3) if seed == 0 else rng.integers(2, 6, 2)
    values = rng.permutation(n + m).astype(float)
    wins = [
        sum(a > b for a in np.array(values)[list(own)] for b in np.delete(values, own))
        for own in itertools.combinations(range(n + m), n)
    ]
    seen = abs(wins[0] - n * m / 2)
    found = number_test(values[:n].tolist(), values[n:].tolist())
    assert (found.name, found.reason) == ("Mann-Whitney U", None)
    assert found.p == pytest.approx(np.mean([abs(each - n * m / 2) >= seen for each in wins]))


def test_tied_numbers_are_compared_as_scipy_does() -> None:
    first, second = [1.0, 1.0, 2.0, 5.0], [1.0, 4.0, 4.0]
    assert number_test(first, second).p == mannwhitneyu(first, second).pvalue


@pytest.mark.parametrize("counts", [(3, 1, 2, 5), (2, 0, 0, 2), (7, 2, 4, 4), (1, 1, 1, 1), (0, 3, 4, 1)])
def test_two_categories_have_fishers_exact_test(counts: tuple[int, int, int, int]) -> None:
    a, b, c, d = counts
    chances = hypergeom(a + b + c + d, a + c, a + b).pmf(np.arange(a + b + 1))
    found = category_test(["f"] * a + ["m"] * b, ["f"] * c + ["m"] * d)
    assert (found.name, found.reason) == ("Fisher's exact", None)
    assert found.p == pytest.approx(chances[chances <= chances[a] * (1 + 1e-7)].sum())


def test_more_categories_are_drawn_and_their_rarity_is_that_of_all_tables() -> None:
    first, second = ["a", "a", "a", "b"], ["b", "c", "c", "c", "a"]
    words = [*first, *second]

    def chance(own: list[str]) -> float:
        return math.prod(math.comb(words.count(each), own.count(each)) for each in "abc")

    every = [chance([words[i] for i in own]) for own in itertools.combinations(range(9), 4)]
    expected = np.mean([each <= chance(first) * (1 + 1e-7) for each in every])
    found = category_test(first, second, seed=3)
    assert found.name == "Fisher's exact, random tables"
    assert found.p == pytest.approx(expected, abs=0.015)
    assert found == category_test(first, second, seed=3) != category_test(first, second, seed=4)
    assert category_test(first, second) == category_test(first, second, seed=0)


@pytest.mark.parametrize(("first", "second"), [(1, 5), (5, 1), (0, 2), (1, 1)])
def test_a_group_of_one_patient_is_not_tested(first: int, second: int) -> None:
    told = f"{first} and {second} patients with a value: too few to test"
    for found, name in (
        (number_test([1.0] * first, [2.0] * second), "Mann-Whitney U"),
        (category_test(["a"] * first, ["b"] * second), "Fisher's exact"),
    ):
        assert (found.name, math.isnan(found.p), found.reason) == (name, True, told)


def test_two_patients_of_each_group_are_enough_and_one_category_is_nothing_to_test() -> None:
    assert number_test([1.0, 2.0], [3.0, 4.0]).p == pytest.approx(1 / 3)
    assert category_test(["a", "a"], ["b", "b"]).p == pytest.approx(1 / 3)
    alike = category_test(["a", "a"], ["a", "a"])
    assert (alike.name, math.isnan(alike.p)) == ("Fisher's exact", True)
    assert alike.reason == "all patients have one value"
