"""Scores of Fugl-Meyer items: values worked out by hand."""

from __future__ import annotations

import math

import pytest

from semiology.metrics.strokerehab.fugl_meyer import (
    constant_scores,
    impairment_scores,
    section_errors,
    total_line,
    weighted_kappa,
)
from semiology.strokerehab import ITEMS, SECTIONS, severity

TRUTH = {"a": {31: 2, 32: 2, 33: 1}, "b": {31: 0, 32: 1, 33: 2}}
ANSWERS = {"a": {31: 2, 32: 1, 33: None}, "b": {31: 0, 32: 1, 33: 0}}


def test_the_grid_counts_missing_items() -> None:
    found = impairment_scores(ANSWERS, TRUTH)
    assert (found.accuracy, found.apd, found.mtsd) == (0.5, 2.5, 3.0)
    assert (found.missing, found.size) == (1, 6)
    # Rated 0: 1 of 1 right; rated 1: 1 of 2; rated 2: 1 of 3.
    assert found.macro_accuracy == pytest.approx((1 + 1 / 2 + 1 / 3) / 3)


def test_a_subject_without_any_answer_is_missing_throughout() -> None:
    found = impairment_scores({}, {"a": {31: 2, 32: 0}})
    assert (found.accuracy, found.apd, found.mtsd, found.missing) == (0, 4, 6, 2)


def test_sections() -> None:
    mean, error, n = section_errors(ANSWERS, TRUTH)["Coord./Speed"]
    # 0 1 2 and 0 0 2.
    assert (mean, n) == (pytest.approx(5 / 6), 6)
    assert error == pytest.approx(math.sqrt((9 - 25 / 6) / 5 / 6))
    assert section_errors(ANSWERS, TRUTH)["Hand"][2] == 0
    assert len(ITEMS) == len(set(ITEMS)) == 30
    assert 18 not in ITEMS
    assert list(SECTIONS["Wrist"]) == [19, 20, 21, 22, 23]


def test_a_constant_answer_has_no_agreement_beyond_chance() -> None:
    found = impairment_scores(constant_scores(TRUTH, 2), TRUTH)
    assert found.accuracy == 0.5
    assert math.isnan(found.kappa)
    assert math.isnan(found.spearman)
    assert math.isnan(found.r2)


def test_kappa_weighs_by_the_square_of_the_distance() -> None:
    assert weighted_kappa([(0, 0), (1, 1), (2, 2)]) == 1
    # Observed weight 1; expected (2 (1 + 0 + 1) + 1 (4 + 1 + 0)) / 3 = 3.
    assert weighted_kappa([(1, 0), (1, 1), (2, 2)]) == pytest.approx(1 - 1 / 3)


def test_totals() -> None:
    assert total_line([(1, 2), (2, 4), (3, 6)]) == pytest.approx((2, 0, 1))
    assert math.isnan(total_line([(1, 2), (1, 4)])[0])
    assert [severity(total) for total in (8, 25, 26, 52, 53, 66)] == ["severe"] * 2 + ["moderate"] * 2 + [
        "mild"
    ] * 2
