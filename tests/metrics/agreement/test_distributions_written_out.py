"""Similarity of two sources and its p-values: the same draws, patient by patient and feature by feature."""

from __future__ import annotations

import math
import warnings

import numpy as np
import pytest
from scipy.stats import pearsonr, wasserstein_distance

from semiology.metrics.agreement.distributions import compare_distributions

DRAWS = 60


def sources(seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Labels of few recordings: patients of one source or of none, features that a source never saw or never called."""
    rng = np.random.default_rng(seed)
    patients, features = int(rng.integers(1, 7)), int(rng.integers(1, 6))
    rated = rng.integers(0, 4, size=(2, patients, features)).astype(float)
    for source in (0, 1):
        rated[source, rng.random(patients) < (0.0 if seed % 3 == 0 else 0.3)] = 0
    rates = rng.random((2, 1, features)) * rng.choice([0.15, 1.0])
    rates[:, :, rng.random(features) < 0.2] = 0
    return rng.binomial(rated.astype(int), rates).astype(float), rated


def shares(yes: list[list[float]], rated: list[list[float]]) -> list[float] | None:
    """Return the share of each feature over patients; None where one of them was not labelled."""
    whole = [sum(column) for column in zip(*rated, strict=True)]
    if not all(whole):
        return None
    return [sum(column) / n for column, n in zip(zip(*yes, strict=True), whole, strict=True)]


def distances(x: list[float], y: list[float]) -> tuple[float, float]:
    """Return the Earth Mover's Distance and the total variation, NaN where a source calls nothing present."""
    if not sum(x) or not sum(y):
        return math.nan, math.nan
    p, q = ([value / sum(each) for value in each] for each in (x, y))
    return wasserstein_distance(p, q), sum(abs(a - b) for a, b in zip(p, q, strict=True)) / 2


def p_of(drawn: list[float], seen: float) -> float:
    known = [value for value in drawn if not math.isnan(value)]
    if math.isnan(seen) or not known:
        return math.nan
    return (sum(value >= seen - 1e-12 for value in known) + 1) / (len(known) + 1)


def cosine(x: list[float], y: list[float]) -> float:
    norms = math.hypot(*x) * math.hypot(*y)
    return sum(a * b for a, b in zip(x, y, strict=True)) / norms if norms else math.nan


def exchanged(
    yes: np.ndarray, rated: np.ndarray, rng: np.random.Generator
) -> tuple[list[float], list[float]]:
    """Return both distances under each draw of the sources of patients."""
    labelled = [[bool(rated[source, k].sum()) for k in range(rated.shape[1])] for source in (0, 1)]
    both = [a and b for a, b in zip(*labelled, strict=True)]
    alone = [k for k, (a, b) in enumerate(zip(*labelled, strict=True)) if a != b]
    if sum(both) + len(alone) < 2:
        return [], []
    emd, variation = [], []
    for _ in range(DRAWS):
        turned = [there and number < 0.5 for there, number in zip(both, rng.random(len(both)), strict=True)]
        if alone:
            own = np.array([1 if labelled[1][k] else 0 for k in alone])
            for k, before, after in zip(alone, own, rng.permutation(own), strict=True):
                turned[k] = bool(before != after)
        sides = []
        for source in (0, 1):
            picked = [1 - source if turn else source for turn in turned]
            sides.append(
                shares(
                    [yes[s, k].tolist() for k, s in enumerate(picked)],
                    [rated[s, k].tolist() for k, s in enumerate(picked)],
                )
            )
        found = (math.nan, math.nan) if None in sides else distances(*sides)  # type: ignore[arg-type]
        emd.append(found[0])
        variation.append(found[1])
    return emd, variation


@pytest.mark.parametrize("seed", range(40))
def test_similarity_and_every_p_value_are_those_of_the_draws_written_out(seed: int) -> None:
    yes, rated = sources(seed)
    kept = [f for f in range(yes.shape[2]) if rated[0, :, f].sum() and rated[1, :, f].sum()]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = compare_distributions(yes, rated, draws=DRAWS, seed=seed)
    yes, rated = yes[..., kept], rated[..., kept]
    x, y = (shares(yes[s].tolist(), rated[s].tolist()) or [] for s in (0, 1))
    assert found.n_features == len(kept)
    assert found.first.tolist() == pytest.approx(x)
    assert found.second.tolist() == pytest.approx(y)
    varied = len(kept) > 1 and len(set(x)) > 1 and len(set(y)) > 1
    expected = pearsonr(x, y) if varied else (math.nan, math.nan)
    assert found.pearson == pytest.approx(expected[0], nan_ok=True)
    assert found.pearson_p == pytest.approx(expected[1] if len(kept) > 2 else math.nan, nan_ok=True)
    rng = np.random.default_rng(seed)
    permuted = [cosine(x, rng.permutation(y).tolist()) for _ in range(DRAWS)]
    assert found.cosine == pytest.approx(cosine(x, y), nan_ok=True)
    assert found.cosine_p == pytest.approx(p_of(permuted, found.cosine), nan_ok=True)
    emd, variation = distances(x, y)
    assert (found.emd, found.total_variation) == pytest.approx((emd, variation), nan_ok=True)
    drawn = exchanged(yes, rated, rng)
    assert found.emd_p == pytest.approx(p_of(drawn[0], emd), nan_ok=True)
    assert found.total_variation_p == pytest.approx(p_of(drawn[1], variation), nan_ok=True)
