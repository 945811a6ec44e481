"""What is decided at the very limits of margin, level and family, and max-T written out over all signs."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from semiology.metrics.statistics.equivalence import score_equivalence, wording_equivalence
from semiology.metrics.statistics.intervals import bootstrap_estimate
from semiology.metrics.statistics.sign_flip import draw_flips, max_t_p_value


def decided_at(value: float, margin: float) -> tuple[float, float, str]:
    x = np.random.default_rng(0).normal(value, 0.03, 20)
    x += value - x.mean()
    found = score_equivalence(
        value, (x.sum() - x) / 19, margin=margin, effective=20, n=40, n_patients=20, n_discordant=9
    )
    return found.low, found.high, found.verdict


@pytest.mark.parametrize(
    ("value", "limit", "at_the_limit", "beside_it"),
    [
        # The interval reaches the margin: equivalent only with a margin beyond it.
        (-0.02, "low", "undecided", "equivalent"),
        (0.02, "high", "undecided", "equivalent"),
        # The interval begins at the margin: not equivalent, and no longer so with a larger margin.
        (0.2, "low", "not equivalent", "undecided"),
        (-0.2, "high", "not equivalent", "undecided"),
    ],
)
def test_an_interval_that_ends_on_the_margin(
    value: float, limit: str, at_the_limit: str, beside_it: str
) -> None:
    low, high, _ = decided_at(value, 0.5)
    margin = abs(low if limit == "low" else high)
    assert decided_at(value, margin)[2] == at_the_limit
    assert decided_at(value, margin + 1e-6)[2] == beside_it


def test_equivalence_is_claimed_below_the_level_and_not_at_it() -> None:
    truth, patient = np.arange(300) % 2, np.arange(300)
    right = np.arange(300) % 7 > 0
    found = wording_equivalence(right, right, truth, patient, margin=0.04)
    assert found.verdict == "equivalent"
    at = wording_equivalence(right, right, truth, patient, margin=0.04, alpha=found.p_value)
    above = wording_equivalence(right, right, truth, patient, margin=0.04, alpha=found.p_value + 1e-9)
    assert (at.verdict, above.verdict) == ("undecided", "equivalent")


def test_two_patients_have_an_interval_by_bootstrap() -> None:
    assert bootstrap_estimate(0.5, np.linspace(0, 1, 50), n=9, n_patients=2).estimable
    assert not bootstrap_estimate(0.5, np.linspace(0, 1, 50), n=9, n_patients=1).estimable


@pytest.mark.parametrize("seed", range(12))
def test_max_t_is_the_step_down_over_all_signs_with_all_their_ties(seed: int) -> None:
    """Whole numbers of a few patients tie often; as large is as large as."""
    rng = np.random.default_rng(seed)
    own = rng.integers(-2, 3, (6, 4)).astype(float)
    own[:, 3] = 0 if seed % 3 == 0 else own[:, 0]
    flips = draw_flips(6, 1000, 0)
    signs = np.array(list(itertools.product((1, -1), repeat=6)))
    sums = signs @ own
    spread = np.array([1.0 if s == 0 else s for s in np.sqrt((sums**2).mean(0))])
    seen, drawn = np.abs(own.sum(0)) / spread, np.abs(sums) / spread
    expected, floor = np.empty(4), 0.0
    order = sorted(range(4), key=lambda i: -seen[i])
    for place, i in enumerate(order):
        count = sum(max(row[j] for j in order[place:]) >= seen[i] - 1e-9 for row in drawn)
        floor = max(floor, count / 64)
        expected[i] = floor
    found = max_t_p_value(own.sum(0), flips.sums(own), flips)
    np.testing.assert_allclose(found, expected)
