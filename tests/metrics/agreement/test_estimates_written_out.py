"""Agreement of annotators as a whole: each resample of patients scored anew by scikit-learn, statsmodels and loops."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from sklearn.metrics import cohen_kappa_score
from statsmodels.stats.inter_rater import aggregate_raters
from statsmodels.stats.inter_rater import fleiss_kappa as reference_fleiss

from semiology.metrics.agreement.coefficients import agreement_estimates
from semiology.metrics.statistics.intervals import bootstrap_estimate, few_patients, patient_weights

Row = tuple[str | None, ...]
RESAMPLES = 40


def pairs_of(rows: list[Row]) -> list[tuple[str, str]]:
    """Return all ordered pairs of ratings of one item."""
    return [
        pair
        for row in rows
        for pair in itertools.permutations([value for value in row if value], 2)
    ]  # fmt: skip


def raw(rows: list[Row]) -> float:
    pairs = pairs_of(rows)
    return sum(a == b for a, b in pairs) / len(pairs) if pairs else math.nan


def alpha(rows: list[Row]) -> float:
    """Return Krippendorff's alpha from his matrix of coincidences."""
    kept = [[value for value in row if value] for row in rows]
    kept = [row for row in kept if len(row) > 1]
    values = [value for row in kept for value in row]
    if len(set(values)) < 2:
        return math.nan
    observed = sum(
        sum(a != b for a, b in itertools.permutations(row, 2)) / (len(row) - 1) for row in kept
    ) / len(values)
    expected = sum(a != b for a, b in itertools.permutations(values, 2)) / (len(values) * (len(values) - 1))
    return 1 - observed / expected


def cohen(rows: list[Row]) -> float:
    if len({value for row in rows for value in row}) < 2:
        return math.nan
    return float(cohen_kappa_score(*zip(*rows, strict=True)))


def fleiss(rows: list[Row]) -> float:
    if len({value for row in rows for value in row}) < 2:
        return math.nan
    return float(reference_fleiss(aggregate_raters(np.array(rows))[0]))


@pytest.mark.parametrize("seed", range(10))
def test_every_coefficient_has_the_interval_of_items_drawn_anew_with_their_patients(seed: int) -> None:
    rng = np.random.default_rng(seed)
    n, raters = int(rng.integers(3, 16)), 2 + seed % 3
    truth = rng.choice(["yes", "no", "na"], n)
    rows: list[Row] = [
        tuple(
            None if rng.random() < 0.15 else str(word if rng.random() < 0.6 else rng.choice(["yes", "no"]))
            for _ in range(raters)
        )
        for word in truth
    ]
    rows[0] = ("yes",) * raters
    patients = rng.choice(list("pqrs"), n).tolist()
    found = agreement_estimates(rows, patients, resamples=RESAMPLES, seed=seed)
    several = [i for i in range(n) if sum(value is not None for value in rows[i]) > 1]
    whole = [i for i in several if None not in rows[i]]
    scores = {"raw_agreement": (several, raw), "krippendorff_alpha": (several, alpha)}
    scores["fleiss_kappa"] = (whole, fleiss)
    if raters == 2:
        scores["cohen_kappa"] = (whole, cohen)
    assert set(found) == set(scores)
    for name, (items, score) in scores.items():
        owners = sorted({patients[i] for i in items})
        weights = patient_weights(len(owners), RESAMPLES, np.random.default_rng(seed)).astype(int)
        drawn = [
            score([rows[i] for i in items for _ in range(times[owners.index(patients[i])])]) for times in weights
        ]  # fmt: skip
        expected = bootstrap_estimate(
            score([rows[i] for i in items]),
            np.array(drawn),
            n=len(items),
            n_patients=len(owners),
            caution=few_patients(len(owners)),
            undefined="all ratings are of one category",
        )
        own = found[name]
        assert own.value == pytest.approx(expected.value, nan_ok=True), name
        assert (own.n, own.n_patients) == (expected.n, expected.n_patients), name
        assert own.estimable == expected.estimable or np.ptp(drawn) < 1e-9
        if own.estimable and expected.estimable:
            assert (own.low, own.high) == pytest.approx((expected.low, expected.high)), name
            assert own.undefined_share == pytest.approx(expected.undefined_share)


def test_items_that_nobody_or_one_rated_have_no_agreement() -> None:
    assert agreement_estimates([("yes", None), (None, None)], ["p", "q"]) == {}
    assert set(agreement_estimates([("yes", "no", None), ("yes", None, None)], ["p", "q"])) == {
        "raw_agreement",
        "krippendorff_alpha",
    }
