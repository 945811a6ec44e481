"""How many patients a paired comparison needs: the test itself, on simulated studies of growing size."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from semiology.metrics.paired.contributions import contributions
from semiology.metrics.paired.pilot import PilotAnswers
from semiology.metrics.paired.simulation import AnswerModel, Patients, simulate_tables
from semiology.metrics.paired.tables import measures_of
from semiology.metrics.statistics.mcnemar import mcnemar_mid_p
from semiology.metrics.statistics.sign_flip import draw_flips, flip_p_value, smallest_p

MOST_PATIENTS = 5000
FEWEST_PATIENTS = 6
REDRAWS = 40
_RESOLUTION = 1.06
"""The search stops once neighbouring sizes lie this near."""


@dataclass(frozen=True)
class PowerAt:
    """Power of the test with so many patients.

    Attributes:
        n_patients: size of the simulated studies.
        power: share of them with a p-value below the level. low, high: its 95 % Wilson interval, from the
            number of studies simulated.
        mcnemar_power: the same for McNemar's mid-p, which ignores patients.
        mean_difference: mean difference of F1 over the studies.
    """

    n_patients: int
    power: float
    low: float
    high: float
    mcnemar_power: float
    mean_difference: float


@dataclass(frozen=True)
class PatientsNeeded:
    """Patients needed for the power wanted, between the two sizes nearest to it, and the power at every size tried.

    ``needed`` is None if more than `MOST_PATIENTS` (or than the limit given) are.
    """

    needed: int | None
    tried: tuple[PowerAt, ...]


def power_at(
    patients: Patients,
    n_patients: int,
    model: AnswerModel | PilotAnswers,
    *,
    alpha: float = 0.05,
    studies: int = 400,
    seed: int = 0,
    feature: str = "feature",
    flips: int | None = None,
) -> PowerAt:
    """Return how often the patient sign-flip test on F1 finds the difference of a model.

    Args:
        patients: those that studies draw from, with replacement.
        n_patients: size of a study.
        model: rates of both sides, or the joint answers of a pilot, whose own patients are then drawn. With a
            difference of 0 the "power" is the rate of false positives.
        alpha: level of the test. studies: number simulated. seed: of all draws.
        feature: name, which decides how answers are scored.
        flips: draws of the test; by default enough for ``alpha``.

    A study in which no drawn patient shows the feature finds nothing.
    """
    from statsmodels.stats.proportion import proportion_confint

    rng = np.random.default_rng([seed, n_patients])
    signs = draw_flips(n_patients, flips or max(400, int(20 / alpha)), seed)
    found, ignoring, differences = 0, 0, []
    for _ in range(studies):
        tables = (
            model.simulate(n_patients, rng, feature)
            if isinstance(model, PilotAnswers)
            else simulate_tables(patients, n_patients, model, rng, feature)
        )
        first, second = (
            measures_of(side.sum(0), tables.features)["f1"] for side in (tables.first, tables.second)
        )
        seen = second - first
        if np.isnan(seen[0]):
            continue
        differences.append(float(seen[0]))
        p_value = flip_p_value(seen, signs.sums(contributions(tables, "f1", seen)), signs)
        found += max(p_value[0], smallest_p(int((tables.changed > 0).sum()))) < alpha
        ignoring += mcnemar_mid_p(int(tables.only_first[0]), int(tables.only_second[0])) < alpha
    low, high = (float(limit) for limit in proportion_confint(found, studies, method="wilson"))
    mean = float(np.mean(differences)) if differences else float("nan")
    return PowerAt(n_patients, found / studies, low, high, ignoring / studies, mean)


@dataclass(frozen=True)
class PowerRange:
    """How far the power promised for a size depends on which patients were in the pilot.

    Attributes:
        n_patients: size of the study. low, high: middle 90 % of the powers that redrawn pilots promise, without the
            spread that so few simulated studies add.
        redraws: redrawn pilots behind it. impossible: those in which the difference could not be planned for.
    """

    n_patients: int
    low: float
    high: float
    redraws: int
    impossible: int


def power_range(
    redrawn: Callable[[np.random.Generator], tuple[Patients, AnswerModel | PilotAnswers]],
    n_patients: int,
    *,
    alpha: float = 0.05,
    redraws: int = REDRAWS,
    studies: int = 100,
    seed: int = 0,
    feature: str = "feature",
    on_redraw: Callable[[int], None] | None = None,
) -> PowerRange | None:
    """Return the range of the power promised over pilots whose patients are drawn again; None if none could be planned.

    Args:
        redrawn: gives patients and answers of a pilot whose patients are drawn with replacement; ValueError where
            nothing can be planned from it.
        n_patients, alpha, studies, seed, feature: as in `power_at`, for each redrawn pilot.
        redraws: number of pilots. on_redraw: called with the number of each as it begins.

    The bootstrap over patients tells what the choice of the pilot's patients does; it cannot tell what other models or
    another centre would do. How often the range holds what was found: `benchmarks/error_rates/power_calibration.py`.
    """
    found: list[float] = []
    for number in range(redraws):
        if on_redraw is not None:
            on_redraw(number + 1)
        try:
            patients, model = redrawn(np.random.default_rng([seed, number]))
        except ValueError:
            continue
        at = power_at(
            patients, n_patients, model, alpha=alpha, studies=studies, seed=seed + number, feature=feature
        )
        found.append(at.power)
    if not found:
        return None
    powers = np.array(found)
    noise = float(np.mean(powers * (1 - powers))) / studies
    spread = float(powers.var())
    kept = np.sqrt(max(spread - noise, 0.0) / spread) if spread > 0 else 0.0
    low, high = np.quantile(powers.mean() + kept * (powers - powers.mean()), [0.05, 0.95])
    return PowerRange(n_patients, float(low), float(high), len(found), redraws - len(found))


def patients_needed(
    patients: Patients,
    model: AnswerModel | PilotAnswers,
    *,
    power: float = 0.8,
    alpha: float = 0.05,
    studies: int = 400,
    seed: int = 0,
    feature: str = "feature",
    most: int = MOST_PATIENTS,
    on_size: Callable[[PowerAt], None] | None = None,
) -> PatientsNeeded:
    """Return the number of patients at which the test has the power wanted.

    Args:
        patients, model, alpha, studies, seed, feature: as in `power_at`.
        power: wanted, above ``alpha`` and below 1.
        most: largest size looked at.
        on_size: called with each size looked at, as it is done.

    Starts at the set's own size, doubles or halves it past the power wanted, and narrows the two sizes down.

    Raises:
        ValueError: the power is out of range.

    >>> from semiology.metrics.paired.simulation import Patients, answer_model
    >>> patients = Patients(positive=np.array([2, 0, 1]), negative=np.array([1, 3, 2]))
    >>> model = answer_model((0.6, 0.8), delta=0.2, prevalence=patients.prevalence)
    >>> found = patients_needed(patients, model, studies=20, most=40)
    >>> found.needed is None or 6 <= found.needed <= 40
    True
    """
    if not alpha < power < 1:
        raise ValueError(f"a power of {power:g} cannot be planned for → use one above {alpha:g} and below 1")
    tried: dict[int, PowerAt] = {}

    def at(size: int) -> float:
        if size not in tried:
            tried[size] = power_at(
                patients, size, model, alpha=alpha, studies=studies, seed=seed, feature=feature
            )
            if on_size is not None:
                on_size(tried[size])
        return tried[size].power

    size = int(np.clip(len(patients.positive), FEWEST_PATIENTS, most))
    below, above = size, size
    if at(size) >= power:
        while below > FEWEST_PATIENTS and at(below) >= power:
            above, below = below, max(below // 2, FEWEST_PATIENTS)
    else:
        while above < most and at(above) < power:
            below, above = above, min(above * 2, most)
    needed = None
    if at(above) >= power:
        needed = below
        if at(below) < power:
            while above > below * _RESOLUTION and above - below > 1:
                middle = (below + above) // 2
                below, above = (below, middle) if at(middle) >= power else (middle, above)
            share = (power - at(below)) / (at(above) - at(below))
            needed = int(np.ceil(below + share * (above - below)))
    return PatientsNeeded(needed, tuple(tried[key] for key in sorted(tried)))
