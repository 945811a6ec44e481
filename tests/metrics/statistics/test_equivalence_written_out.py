"""Every figure of the tests of equivalence, patient by patient, on few unequal patients of two and three classes."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from scipy.stats import t
from statsmodels.stats.multitest import multipletests

from semiology.metrics.statistics.equivalence import (
    Equivalence,
    adjust_for_family,
    score_equivalence,
    share_equivalence,
    wording_equivalence,
)

NAN = math.nan


def kish(sizes: list[float]) -> float:
    return sum(sizes) ** 2 / sum(size**2 for size in sizes)


def jackknife(values: list[float]) -> float:
    mean = sum(values) / len(values)
    return math.sqrt((len(values) - 1) / len(values) * sum((value - mean) ** 2 for value in values))


def decided(
    ends: list[float], errors: list[float], freedom: float, margin: float, alpha: float
) -> dict[str, Any]:
    """Return limits, p-values and verdict of the lower and the upper test."""
    low = ends[0] - t.ppf(1 - alpha, freedom) * errors[0]
    high = ends[1] + t.ppf(1 - alpha, freedom) * errors[1]
    inside = max(t.sf((ends[0] + margin) / errors[0], freedom), t.sf((margin - ends[1]) / errors[1], freedom))
    beyond = min(
        t.sf((ends[0] - margin) / errors[0], freedom), t.sf((-margin - ends[1]) / errors[1], freedom)
    )
    verdict = "equivalent" if low > -margin and high < margin else "undecided"
    verdict = "not equivalent" if low >= margin or high <= -margin else verdict
    return {"low": low, "high": high, "p_value": inside, "p_beyond": beyond, "verdict": verdict}


def of_share(
    variant: list[bool], reference: list[bool], patient: list[int], margin: float, alpha: float
) -> dict[str, Any]:
    d = [int(a) - int(b) for a, b in zip(variant, reference, strict=True)]
    n, names = len(d), sorted(set(patient))
    told: dict[str, Any] = {
        "difference": sum(d) / n, "margin": margin, "alpha": alpha, "n": n, "n_patients": len(names),
        "n_discordant": sum(each != 0 for each in d),
    }  # fmt: skip
    if len(names) < 2:
        few = "the recordings come from fewer than two patients"
        return told | {
            "low": NAN,
            "high": NAN,
            "p_value": NAN,
            "p_beyond": NAN,
            "verdict": "undecided",
            "reason": few,
        }
    sums = [sum(each for each, k in zip(d, patient, strict=True) if k == name) for name in names]
    sizes = [float(patient.count(name)) for name in names]
    # The size of the patient of a recording drawn at random.
    more = sum(size * size for size in sizes) / n
    changed, shift = sum(abs(each) for each in d), sum(d)
    least = math.sqrt(((changed + 2) / (n + 2) - (shift / (n + 2)) ** 2) / (n + 2))
    ends, errors = [], []
    for sign in (-1, 1):
        rows = [*zip(sums, sizes, strict=True), (sign * more, more)]
        left = [
            sum(s for j, (s, _) in enumerate(rows) if j != i) / sum(w for j, (_, w) in enumerate(rows) if j != i)
            for i in range(len(rows))
        ]  # fmt: skip
        ends.append(sum(s for s, _ in rows) / sum(w for _, w in rows))
        errors.append(max(jackknife(left), least))
    return told | {"reason": None} | decided(ends, errors, kish([*sizes, more]) - 1, margin, alpha)


def check(found: Equivalence, expected: dict[str, Any]) -> None:
    for name, value in expected.items():
        own = getattr(found, name)
        assert own == (pytest.approx(value, nan_ok=True) if isinstance(value, float) else value), name


def drawn(rng: np.random.Generator, n: int, patients: int, skill: float) -> tuple[np.ndarray, ...]:
    patient = rng.choice(patients, n, p=rng.dirichlet(np.full(patients, 3.0)))
    reference = rng.random(n) < 0.9
    return np.where(rng.random(n) < skill, reference, ~reference), reference, patient


@pytest.mark.parametrize("seed", range(30))
def test_shares_of_few_unequal_patients(seed: int) -> None:
    rng = np.random.default_rng(seed)
    n = int(rng.integers(1, 60))
    variant, reference, patient = drawn(rng, n, int(rng.integers(1, 9)), rng.choice([0.1, 0.7, 1.0]))
    # A patient's number need not occur.
    patient = patient * 2 + 1
    margin, alpha = float(rng.uniform(0.05, 0.6)), float(rng.choice([0.05, 0.1]))
    found = share_equivalence(variant, reference, patient, margin=margin, alpha=alpha)
    check(found, of_share(variant.tolist(), reference.tolist(), patient.tolist(), margin, alpha))
    assert (found.rate, math.isnan(found.p_adjusted)) == ("", True)


@pytest.mark.parametrize("seed", range(24))
def test_every_class_is_tested_and_the_farthest_from_equivalence_is_told(seed: int) -> None:
    rng = np.random.default_rng(seed)
    n, patients = int(rng.integers(60, 200)), int(rng.integers(9, 30))
    variant, reference, patient = drawn(rng, n, patients, rng.choice([0.3, 0.9, 0.99, 1.0]))
    truth = rng.choice(3, n, p=[[0.4, 0.6, 0], [0.3, 0.3, 0.4], [0.1, 0.9, 0], [0, 1, 0]][seed % 4])
    if seed % 3 == 0:
        # Where yes is the truth, one patient holds most recordings.
        patient[(truth == 0) & (rng.random(n) < 0.7)] = 0
    margin = float(rng.uniform(0.05, 0.5))
    found = wording_equivalence(variant, reference, truth, patient, margin=margin)
    tests = []
    for code, rate in enumerate(("recall", "specificity", "recall of NA")):
        own = truth == code
        if not own.any():
            continue
        test = of_share(
            variant[own].tolist(), reference[own].tolist(), patient[own].tolist(), margin, 0.05
        ) | {"rate": rate}
        sizes = [float(n) for n in np.unique(patient[own], return_counts=True)[1]]
        few = None
        if len(sizes) < 10:
            few = f"{rate}: only {len(sizes)} patients"
        elif kish(sizes) < 5:
            few = f"{rate}: the recordings weigh like {kish(sizes):.1f} patients of equal size, fewer than 5"
        tests.append(test if few is None else test | {"p_value": NAN, "p_beyond": NAN, "reason": few})
    discordant = int((variant != reference).sum())
    counts = {"n": n, "n_patients": len(set(patient.tolist())), "n_discordant": discordant}
    if len(tests) < 2:
        told = "the truth holds one class only, so recall and specificity are not both defined"
        nothing = dict.fromkeys(("difference", "low", "high", "p_value", "p_beyond", "p_adjusted"), NAN)
        check(
            found, nothing | counts | {"verdict": "undecided", "reason": told, "margin": margin, "rate": ""}
        )
        return
    unknown = [test for test in tests if test["reason"] is not None]
    known = [test for test in tests if test["reason"] is None]
    worst = unknown[0] if unknown else max(known, key=lambda test: (test["p_value"], abs(test["difference"])))
    beyond = min(1.0, len(tests) * min((test["p_beyond"] for test in known), default=NAN)) if known else None
    verdict = "equivalent" if not unknown and worst["p_value"] < 0.05 else "undecided"
    verdict = "not equivalent" if beyond is not None and beyond < 0.05 else verdict
    expected = worst | counts | {"verdict": verdict}
    check(found, expected | ({} if beyond is None else {"p_beyond": beyond}))
    if beyond is None:
        assert not found.p_beyond < 0.05


@pytest.mark.parametrize("one_more", [True, False])
@pytest.mark.parametrize("seed", range(10))
def test_scores_by_their_jackknife(seed: int, one_more: bool) -> None:
    rng = np.random.default_rng(seed)
    value, margin, alpha = float(rng.uniform(-0.4, 0.4)), float(rng.uniform(0.02, 0.5)), 0.1
    left = (value + rng.normal(size=8) * rng.choice([0.002, 0.03])).tolist()
    effective = float(rng.uniform(2, 8))
    found = score_equivalence(
        value, np.array([*left, NAN]), margin=margin, effective=effective, n=20, n_patients=9, n_discordant=5,
        alpha=alpha, one_more=one_more,
    )  # fmt: skip
    error = jackknife(left)
    ends, errors, freedom = [value, value], [error, error], effective - 1
    if one_more:
        share = 1 / (effective + 1)
        ends = [value * (1 - share) + sign * share for sign in (-1, 1)]
        errors = [
            math.hypot(error * (1 - share), share * (1 - share) * (1 - sign * value)) for sign in (-1, 1)
        ]
        freedom = effective
    expected = decided(ends, errors, freedom, margin, alpha)
    check(
        found, expected | {"difference": value, "n": 20, "n_patients": 9, "n_discordant": 5, "reason": None}
    )


@pytest.mark.parametrize(
    ("value", "left", "effective", "withheld", "reason"),
    [
        (0.1, [0.1, 0.2], 9.0, "few patients", "few patients"),
        (NAN, [0.1, 0.2], 9.0, None, "undefined"),
        (0.1, [0.1, 0.1], 9.0, None, "the same whichever patient is left out"),
        (0.1, [NAN, 0.1], 9.0, None, "the same whichever patient is left out"),
        (0.1, [0.1, 0.2], 1.99, None, "the recordings weigh like 2.0 patients of equal size"),
        (0.1, [0.1, 0.2], 2.0, None, None),
    ],
)
def test_a_score_that_cannot_be_tested_says_why(
    value: float, left: list[float], effective: float, withheld: str | None, reason: str | None
) -> None:
    found = score_equivalence(
        value, np.array(left), margin=0.05, effective=effective, n=20, n_patients=9, n_discordant=5, withheld=withheld
    )  # fmt: skip
    expected = {"difference": value, "n": 20, "n_patients": 9, "n_discordant": 5, "reason": reason}
    expected |= {"margin": 0.05, "alpha": 0.05}
    if reason is not None:
        expected |= dict.fromkeys(("low", "high", "p_value", "p_beyond"), NAN) | {"verdict": "undecided"}
    check(found, expected)


@pytest.mark.parametrize("seed", range(8))
def test_a_family_is_adjusted_by_holm_of_statsmodels_and_claims_below_the_level(seed: int) -> None:
    rng = np.random.default_rng(seed)
    p = rng.choice([0.0, 0.004, 0.01, 0.02, 0.4, NAN], 7)
    beyond = np.where(np.isnan(p), NAN, rng.choice([0.001, 0.005, 0.3, 1.0], 7))
    tests = [
        Equivalence(0.1, 0.0, 0.2, 0.05, 0.05, a, "undecided", 9, 8, 7, p_beyond=b) if i != 3 else None
        for i, (a, b) in enumerate(zip(p.tolist(), beyond.tolist(), strict=True))
    ]
    known = [i for i, each in enumerate(tests) if each is not None and not math.isnan(each.p_value)]
    expected = np.full((2, 7), NAN)
    for row, values in zip(expected, (p, beyond), strict=True):
        row[known] = multipletests(values[known], method="holm")[1]
    for i, found in enumerate(adjust_for_family(tests)):
        if tests[i] is None:
            assert found is None
            continue
        assert found is not None
        verdict = "equivalent" if expected[0, i] < 0.05 else "undecided"
        verdict = "not equivalent" if expected[1, i] < 0.05 else verdict
        check(
            found,
            {"p_adjusted": expected[0, i], "p_beyond": expected[1, i], "p_value": p[i], "verdict": verdict},
        )
        assert (found.difference, found.n, found.n_patients, found.n_discordant) == (0.1, 9, 8, 7)


@pytest.mark.parametrize(("p", "beyond"), [(0.05, 1.0), (1.0, 0.05)])
def test_at_the_level_a_family_claims_nothing(p: float, beyond: float) -> None:
    test = Equivalence(0.1, 0.0, 0.2, 0.05, 0.05, p, "undecided", 9, 8, 7, p_beyond=beyond)
    (found,) = adjust_for_family([test])
    assert found is not None
    assert found.verdict == "undecided"
