"""Contributions of patients against the sums written out, on tables in which classes are rare and patients hold all."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from semiology.metrics.paired.contributions import between_groups, contributions
from semiology.metrics.paired.tables import PairedTables

NAMES = ("tonic", "verbal_responsiveness")


def sparse(rng: np.random.Generator, patients: int, holder: int | None = None, row: int = 0) -> np.ndarray:
    """Tables (P, 3, 4) in which many rows of a patient are empty, and one patient may hold a whole class."""
    table = rng.integers(0, 4, (patients, 3, 4)) * (rng.random((patients, 3, 1)) < 0.6)
    if holder is not None:
        table[np.arange(patients) != holder, row] = 0
        table[holder, row, 0] += 1
    return table.astype(float)


def answered_anew(rng: np.random.Generator, table: np.ndarray) -> np.ndarray:
    """Other answers to the same recordings."""
    other = np.zeros_like(table)
    for place in np.ndindex(table.shape[:2]):
        other[place] = np.bincount(rng.integers(0, 4, int(table[place].sum())), minlength=4)
    return other


def enlarged(part: Sequence[float], whole: Sequence[float]) -> list[float]:
    """Return each patient's part less its share of all parts, divided by one minus its share."""
    deviations = []
    for own, weight in zip(part, whole, strict=True):
        share = weight / sum(whole)
        deviations.append(0.0 if share == 1 else (own - sum(part) * share) / (1 - share))
    return deviations


def slow(first: np.ndarray, second: np.ndarray, measure: str, classes: int, target: float) -> list[float]:
    patients = range(len(first))
    if measure == "accuracy":
        n = first[:, :classes].sum()
        return [sum(second[p, c, c] - first[p, c, c] for c in range(classes)) / n for p in patients]
    found: list[list[float]] = []
    # F1 of two classes is that of yes alone.
    for c in range(1 if measure == "f1" and classes == 2 else classes):
        if not first[:, c].sum():
            continue
        if measure == "balanced_accuracy":
            whole = [first[p, c].sum() for p in patients]
            rest = enlarged([second[p, c, c] - first[p, c, c] for p in patients], whole)
            found.append([(d + target * w) / sum(whole) for d, w in zip(rest, whole, strict=True)])
            continue
        sides = []
        for table, half in ((first, -target / 2), (second, target / 2)):
            hits = [table[p, c, c] for p in patients]
            missed = [table[p, c].sum() - table[p, c, c] for p in patients]
            # Of yes and no every answer but no is a false alarm where the truth is no.
            false = [
                table[p, 1].sum() - table[p, 1, 1]
                if classes == 2
                else sum(table[p, k, c] for k in range(classes) if k != c)
                for p in patients
            ]
            whole = [2 * h + m + f for h, m, f in zip(hits, missed, false, strict=True)]
            rest = enlarged([2 * h for h in hits], whole)
            sides.append([(d + half * w) / sum(whole) for d, w in zip(rest, whole, strict=True)])
        found.append([b - a for a, b in zip(*sides, strict=True)])
    return [float(np.mean(own)) for own in zip(*found, strict=True)]


@pytest.mark.parametrize("measure", ["f1", "balanced_accuracy", "accuracy"])
@pytest.mark.parametrize("seed", range(12))
def test_contributions_are_the_sums_written_out(seed: int, measure: str) -> None:
    rng = np.random.default_rng(seed)
    first = sparse(rng, 5, (None, 0, 1, 4)[seed % 4], seed // 4)
    second = answered_anew(rng, first)
    classes = {name: 3 if name == "verbal_responsiveness" else 2 for name in NAMES}
    sides = [np.stack([side, side], axis=1) for side in (first, second)]
    tables = PairedTables(
        tuple("abcde"), NAMES, sides[0], sides[1], np.zeros((5, 2)), *np.zeros((2, 2), dtype=np.int64)
    )
    found = contributions(tables, measure, np.array([0.2, -0.3]))
    assert found[:, 0] == pytest.approx(slow(first, second, measure, classes["tonic"], 0.2))
    assert found[:, 1] == pytest.approx(slow(first, second, measure, classes["verbal_responsiveness"], -0.3))
    undefined = contributions(tables, measure, np.array([np.nan, 0.1]))
    assert np.isnan(undefined[:, 0]).all()
    assert not np.isnan(undefined[:, 1]).any()


@pytest.mark.parametrize("classes", [2, 3])
@pytest.mark.parametrize("seed", range(8))
def test_contributions_to_a_difference_of_groups_are_the_sums_written_out(seed: int, classes: int) -> None:
    rng = np.random.default_rng(seed)
    holder, row = (None, 0, 5, None)[seed % 4], seed // 4
    inside, outside = sparse(rng, 6, holder, row), sparse(rng, 6)
    found = between_groups(inside, outside, classes == 3, 0.25)
    both = [c for c in range(classes) if inside[:, c].sum() and outside[:, c].sum()]
    expected = []
    for p in range(6):
        own = []
        for c in both:
            sides = []
            for table, half in ((inside, 0.125), (outside, -0.125)):
                whole = [table[q, c].sum() for q in range(6)]
                rest = enlarged([table[q, c, c] for q in range(6)], whole)
                sides.append((rest[p] + half * whole[p]) / sum(whole))
            own.append(sides[0] - sides[1])
        expected.append(np.mean(own))
    assert found == pytest.approx(expected)


def test_a_patient_who_holds_nearly_all_recordings_of_a_class_still_contributes() -> None:
    first = np.zeros((3, 3, 4))
    first[0, 0, :2] = 700, 99
    first[1, 0, 0] = first[2, 0, 1] = 1
    first[:, 1, 1] = 4
    second = first.copy()
    second[0, 0, :2] = 600, 199
    tables = PairedTables(
        tuple("abc"),
        ("tonic",),
        first[:, None],
        second[:, None],
        np.zeros((3, 1)),
        *np.zeros((2, 1), dtype=np.int64),
    )
    for measure in ("f1", "balanced_accuracy"):
        found = contributions(tables, measure, np.array([0.1]))[:, 0]
        assert found == pytest.approx(slow(first, second, measure, 2, 0.1))
        assert abs(found[0]) > 1e-3
