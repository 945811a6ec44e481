"""Simulated studies whose answers can be foretold, and the power and its range recomputed from given studies."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from scipy.stats import binomtest, multivariate_normal, norm

from semiology.metrics.paired import power
from semiology.metrics.paired.contributions import contributions
from semiology.metrics.paired.pilot import PilotAnswers, pilot_answers
from semiology.metrics.paired.power import PowerAt, patients_needed, power_at, power_range
from semiology.metrics.paired.simulation import (
    AnswerModel,
    Patients,
    answer_model,
    correctness_correlation,
    f1_of_rates,
    simulate_tables,
)
from semiology.metrics.paired.tables import PairedTables, measures_of
from semiology.metrics.statistics.mcnemar import mcnemar_mid_p

PATIENTS = Patients(np.array([2, 0, 1]), np.array([1, 3, 2]))


@pytest.mark.parametrize("prevalence", [0.1, 0.5])
@pytest.mark.parametrize("rates", [(0.5, 0.05), (0.9, 0.2), (0.3, 0.95), (0.55, 0.6)])
def test_the_second_model_makes_fewer_errors_of_both_kinds_by_one_factor(
    rates: tuple[float, float], prevalence: float
) -> None:
    base = f1_of_rates(*rates, prevalence)
    little = answer_model(rates, 1e-4, prevalence)
    assert f1_of_rates(*little.second, prevalence) - base == pytest.approx(1e-4, rel=1e-3)
    true, false = prevalence * rates[0], (1 - prevalence) * (1 - rates[1])
    precision = true / (true + false)
    assert base == pytest.approx(2 * precision * rates[0] / (precision + rates[0]))
    delta = 0.4 * (1 - base)
    model = answer_model(rates, delta, prevalence)
    assert f1_of_rates(*model.second, prevalence) - base == pytest.approx(delta)
    kept = [(1 - after) / (1 - before) for before, after in zip(rates, model.second, strict=True)]
    assert kept[0] == pytest.approx(kept[1])
    assert (model.first, model.correlation) == (rates, 0.28)
    right = prevalence * rates[0] + (1 - prevalence) * rates[1]
    z = norm.ppf(right)
    both = multivariate_normal.cdf([z, z], cov=[[1, model.tau], [model.tau, 1]])
    assert (both - right**2) / (right * (1 - right)) == pytest.approx(0.28, abs=1e-3)


def test_without_a_difference_both_models_are_one_and_without_correlation_nothing_is_shared() -> None:
    model = answer_model((0.6, 0.7), 0.0, 0.3, correlation=0.0, discordance=0.0)
    assert (model.second, model.tau) == ((0.6, 0.7), 0.0)
    # As alike as models can be made, and as unlike.
    assert model.r == pytest.approx(0.999)
    assert answer_model((0.6, 0.7), 0.0, 0.3, discordance=0.9).r == 0.0


@pytest.mark.parametrize("discordance", [0.05, 0.12, 0.2, 0.27])
@pytest.mark.parametrize("rates", [(0.5, 0.6), (0.8, 0.7)])
def test_models_share_what_gives_the_discordance_wanted(
    rates: tuple[float, float], discordance: float
) -> None:
    model = answer_model(rates, 0.05, 0.3, correlation=0.2, discordance=discordance)
    z = [norm.ppf(model.first), norm.ppf(model.second)]
    both = [
        multivariate_normal.cdf([a, b], cov=[[1, model.r], [model.r, 1]]) for a, b in zip(*z, strict=True)
    ]
    one = np.add(model.first, model.second) - 2 * np.array(both)
    assert 0 < model.r < 0.999
    assert model.discordance == pytest.approx(0.3 * one[0] + 0.7 * one[1], abs=1e-9)
    assert model.discordance == pytest.approx(discordance, abs=2e-5)


def test_the_discordance_of_models_as_alike_as_can_be_is_reached_by_just_those() -> None:
    least = answer_model((0.6, 0.7), 0.1, 0.3, discordance=0.0).discordance
    assert answer_model((0.6, 0.7), 0.1, 0.3, discordance=least).r == 0.999
    most = answer_model((0.6, 0.7), 0.1, 0.3, discordance=0.99).discordance
    assert answer_model((0.6, 0.7), 0.1, 0.3, discordance=most).r == 0.0
    # A little less is reached by sharing a little.
    little = answer_model((0.6, 0.7), 0.1, 0.3, discordance=most - 2e-4)
    assert 0 < little.r < 0.005
    assert little.discordance == pytest.approx(most - 2e-4, abs=2e-5)


def test_ranges_of_numbers_are_checked_at_their_ends() -> None:
    for name, rates, prevalence in (
        ("sensitivity", (0.0, 0.5), 0.5),
        ("specificity", (0.5, 1.0), 0.5),
        ("prevalence", (0.5, 0.5), 0.0),
        ("prevalence", (0.5, 0.5), 1.0),
    ):
        with pytest.raises(ValueError, match=f"{name} is"):
            answer_model(rates, 0.1, prevalence)
    with pytest.raises(ValueError, match="below 1"):
        answer_model((0.5, 0.5), 0.1, 0.5, correlation=1.0)
    with pytest.raises(ValueError, match="below 1"):
        answer_model((0.5, 0.5), 0.1, 0.5, correlation=-0.1)
    with pytest.raises(ValueError, match="below 1"):
        answer_model((0.5, 0.5), 0.1, 0.5, discordance=1.0)
    base = f1_of_rates(0.5, 0.5, 0.5)
    with pytest.raises(ValueError, match="cannot be"):
        answer_model((0.5, 0.5), 1 - base, 0.5)
    with pytest.raises(ValueError, match="cannot be"):
        answer_model((0.5, 0.5), -0.01, 0.5)


def test_patients_tell_their_prevalence_and_their_recordings() -> None:
    assert PATIENTS.prevalence == pytest.approx(3 / 9)
    assert PATIENTS.recordings_per_patient == pytest.approx(3)


@pytest.mark.parametrize("seed", range(4))
def test_models_that_are_sure_answer_as_they_must(seed: int) -> None:
    """The first is right about everything, the second only where the feature is absent."""
    model = AnswerModel((1.0, 1.0), (0.0, 1.0), 0.0, 0.0, 0.3, 0.4)
    found = simulate_tables(PATIENTS, 5, model, np.random.default_rng(seed), "tonic")
    drawn = np.random.default_rng(seed).integers(0, 3, size=5)
    positive, negative = PATIENTS.positive[drawn], PATIENTS.negative[drawn]
    assert found.patients == ("p0", "p1", "p2", "p3", "p4")
    assert found.features == ("tonic",)
    first, second = np.zeros((2, 5, 1, 3, 4))
    first[:, 0, 0, 0], first[:, 0, 1, 1] = positive, negative
    second[:, 0, 0, 1], second[:, 0, 1, 1] = positive, negative
    np.testing.assert_array_equal(found.first, first)
    np.testing.assert_array_equal(found.second, second)
    assert found.changed[:, 0].tolist() == positive.tolist()
    assert (found.only_first.tolist(), found.only_second.tolist()) == ([positive.sum()], [0])


@pytest.mark.parametrize(("tau", "r"), [(0.0, 0.0), (0.6, 0.0), (0.0, 0.6), (0.4, 0.5)])
def test_what_patients_and_models_share_is_the_correlation_of_their_answers(tau: float, r: float) -> None:
    model = AnswerModel((0.6, 0.6), (0.6, 0.6), 0.0, 0.0, tau, r)
    many = Patients(np.array([2]), np.array([0]))
    found = simulate_tables(many, 20_000, model, np.random.default_rng(0), "tonic")
    right = [side[:, 0, 0, 0] for side in (found.first, found.second)]
    z = norm.ppf(0.6)

    def both(correlation: float) -> float:
        return float(multivariate_normal.cdf([z, z], cov=[[1, correlation], [correlation, 1]]))

    # Two recordings of one patient are both right; of two models on one recording.
    assert (right[0] == 2).mean() == pytest.approx(both(tau), abs=0.012)
    alike = (found.changed.sum(), found.only_first[0] + found.only_second[0])
    assert alike[0] / 40_000 == pytest.approx(2 * (0.6 - both(r)), abs=0.012)
    assert alike[0] == alike[1]
    sizes = np.full(20_000, 2.0)
    assert correctness_correlation(right[0], sizes) == pytest.approx((both(tau) - 0.36) / 0.24, abs=0.03)


@pytest.mark.parametrize("seed", range(6))
def test_answers_are_drawn_recording_by_recording_from_what_patient_and_recording_share(seed: int) -> None:
    """The same draws: common ones of patients and recordings, then each model's own of both."""
    rng = np.random.default_rng(seed)
    patients = Patients(rng.integers(0, 4, 5), rng.integers(0, 4, 5))
    rates = rng.uniform(0.2, 0.8, (2, 2)).tolist()
    model = AnswerModel(tuple(rates[0]), tuple(rates[1]), 0.0, 0.0, *rng.uniform(0.1, 0.9, 2))
    found = simulate_tables(patients, 6, model, np.random.default_rng(seed), "tonic")
    draws = np.random.default_rng(seed)
    recordings = [
        (place, shown)
        for place, k in enumerate(draws.integers(0, 5, size=6))
        for shown in [True] * int(patients.positive[k]) + [False] * int(patients.negative[k])
    ]
    sizes = 6, len(recordings)
    common = [draws.normal(size=size) for size in sizes]
    tables, right = np.zeros((2, 6, 1, 3, 4)), np.zeros((2, len(recordings)), dtype=bool)
    for side, (sensitivity, specificity) in enumerate((model.first, model.second)):
        own = [draws.normal(size=size) for size in sizes]
        for i, (place, shown) in enumerate(recordings):
            of_patient, of_recording = (
                model.r**0.5 * common[k][at] + (1 - model.r) ** 0.5 * own[k][at]
                for k, at in ((0, place), (1, i))
            )
            z = model.tau**0.5 * of_patient + (1 - model.tau) ** 0.5 * of_recording
            right[side, i] = norm.cdf(z) < (sensitivity if shown else specificity)
            tables[side, place, 0, 0 if shown else 1, 0 if shown == right[side, i] else 1] += 1
    np.testing.assert_array_equal(found.first, tables[0])
    np.testing.assert_array_equal(found.second, tables[1])
    owners = [place for i, (place, _) in enumerate(recordings) if right[0, i] != right[1, i]]
    assert found.changed[:, 0].tolist() == [owners.count(place) for place in range(6)]
    assert (found.only_first[0], found.only_second[0]) == (
        (right[0] & ~right[1]).sum(),
        (right[1] & ~right[0]).sum(),
    )


def pilot(share: float) -> PilotAnswers:
    """Of three patients, the second alone is answered differently."""
    patient = np.array([0, 0, 1, 1, 1, 2])
    truth = np.array([1, 0, 1, 0, 0, 1], dtype=bool)
    first = np.array([1, 0, 0, 1, 0, 1], dtype=bool)
    second = np.array([1, 0, 1, 0, 1, 1], dtype=bool)
    return PilotAnswers(patient, truth, first, second, truth, share, 0.1, 0.1)


@pytest.mark.parametrize("share", [0.0, 1.0])
@pytest.mark.parametrize("seed", range(4))
def test_patients_of_a_pilot_are_drawn_with_all_their_answers(seed: int, share: float) -> None:
    own = pilot(share)
    found = own.simulate(7, np.random.default_rng(seed), "tonic")
    drawn = np.random.default_rng(seed).integers(0, 3, 7)
    given = own.second if share == 0 else own.truth
    first, second, changed = np.zeros((7, 1, 3, 4)), np.zeros((7, 1, 3, 4)), np.zeros(7)
    only = [0, 0]
    for place, k in enumerate(drawn):
        for truth, a, b in zip(
            *(each[own.patient == k] for each in (own.truth, own.first, given)), strict=True
        ):
            first[place, 0, 0 if truth else 1, 0 if a else 1] += 1
            second[place, 0, 0 if truth else 1, 0 if b else 1] += 1
            changed[place] += a != b
            only[0] += a == truth != b
            only[1] += b == truth != a
    assert found.patients == tuple(f"p{i}" for i in range(7))
    np.testing.assert_array_equal(found.first, first)
    np.testing.assert_array_equal(found.second, second)
    assert found.changed[:, 0].tolist() == changed.tolist()
    assert [int(found.only_first[0]), int(found.only_second[0])] == only


def test_a_pilot_is_changed_by_the_probability_that_gives_the_difference() -> None:
    own = pilot(0.0)
    # F1 of the first: 2 of 3 found, one false alarm; of the second all found, one false alarm.
    base, seen = 2 * 2 / (3 + 3), 2 * 3 / (3 + 4)
    up = pilot_answers(own.patient, own.truth, own.first, own.second, delta=0.25)
    assert up.seen == pytest.approx(seen - base)
    assert (up.target == own.truth).all()
    # With probability s the false alarm is gone: 6 / (7 - s) - 2/3 = 0.25.
    assert up.share == pytest.approx(7 - 6 / (0.25 + base))
    down = pilot_answers(own.patient, own.truth, own.first, own.second, delta=0.1)
    assert (down.target == own.first).all()
    # Towards the first: one hit less, one false alarm less and one more: 2 (3 - s) / (7 - s) - 2/3 = 0.1.
    assert down.share == pytest.approx((6 - 7 * (0.1 + base)) / (2 - (0.1 + base)))
    for each in (up, down):
        assert each.difference == pytest.approx(0.25 if each is up else 0.1)
    with pytest.raises(ValueError, match="cannot be"):
        pilot_answers(own.patient, own.truth, own.first, own.second, delta=0.0)
    with pytest.raises(ValueError, match="cannot be"):
        pilot_answers(own.patient, own.truth, own.first, own.second, delta=1 - base)


def study(rng: np.random.Generator, patients: int, skill: float, feature: str = "tonic") -> PairedTables:
    truth = np.arange(patients * 3) % 3 > 0
    first = truth ^ (rng.random(patients * 3) < 0.45)
    second = truth ^ (rng.random(patients * 3) < skill)
    patient = np.repeat(np.arange(patients), 3)
    made = PilotAnswers(patient, truth, first, second, truth, 0.0, 0.0, 0.0)
    tables = [made._counted(truth, side, patient, patients) for side in (first, second)]
    changed = np.bincount(patient[first != second], minlength=patients)[:, None].astype(float)
    right = first == truth, second == truth
    only = [np.array([int((a & ~b).sum())]) for a, b in (right, right[::-1])]
    return PairedTables(tuple(map(str, range(patients))), (feature,), tables[0], tables[1], changed, *only)


@pytest.mark.parametrize("alpha", [0.05, 0.2])
def test_power_is_the_share_of_given_studies_that_brute_force_finds(
    monkeypatch: pytest.MonkeyPatch, alpha: float
) -> None:
    rng = np.random.default_rng(5)
    studies = [study(rng, 7, skill) for skill in (0.05, 0.1, 0.2, 0.3, 0.4, 0.02, 0.1, 0.45)]
    nothing = study(rng, 7, 0.2)
    nothing.first[:, :, 0], nothing.second[:, :, 0] = 0, 0
    # Only two patients differ, which no test can tell from chance, however the signs fall.
    few = study(rng, 7, 0.0)
    few.second[2:], few.changed[2:] = few.first[2:], 0
    given = iter([*studies, nothing, few])
    monkeypatch.setattr(power, "simulate_tables", lambda *arguments: next(given))
    found = power_at(PATIENTS, 7, AnswerModel((0, 0), (0, 0), 0, 0, 0, 0), alpha=alpha, studies=10)
    hits, ignoring, differences = 0, 0, []
    for each in [*studies, few]:
        scores = [measures_of(side.sum(0), each.features)["f1"] for side in (each.first, each.second)]
        seen = scores[1] - scores[0]
        own = contributions(each, "f1", seen)[:, 0]
        sums = [abs(np.dot(signs, own)) for signs in itertools.product((1, -1), repeat=7)]
        p = max(np.mean(np.array(sums) >= abs(seen[0]) - 1e-9), 2 / 128)
        p = max(p, 2.0 ** (1 - (each.changed > 0).sum()))
        hits += p < alpha
        ignoring += mcnemar_mid_p(int(each.only_first[0]), int(each.only_second[0])) < alpha
        differences.append(seen[0])
    assert 0 < hits < 10
    assert (found.n_patients, found.power, found.mcnemar_power) == (7, hits / 10, ignoring / 10)
    assert found.mean_difference == pytest.approx(np.mean(differences))
    interval = binomtest(hits, 10).proportion_ci(method="wilson")
    assert (found.low, found.high) == pytest.approx((interval.low, interval.high))


def test_studies_none_of_which_shows_the_feature_find_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    nothing = study(np.random.default_rng(0), 7, 0.2)
    nothing.first[:, :, 0], nothing.second[:, :, 0] = 0, 0
    monkeypatch.setattr(power, "simulate_tables", lambda *arguments: nothing)
    found = power_at(PATIENTS, 7, AnswerModel((0, 0), (0, 0), 0, 0, 0, 0), studies=3)
    assert (found.power, found.mcnemar_power, np.isnan(found.mean_difference)) == (0.0, 0.0, True)


def test_a_test_has_twenty_draws_for_each_that_its_level_lets_through(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[tuple[int, int, int]] = []
    draw = power.draw_flips

    def noted(n_patients: int, flips: int, seed: int) -> Any:
        asked.append((n_patients, flips, seed))
        return draw(n_patients, flips, seed)

    monkeypatch.setattr(power, "draw_flips", noted)
    model = answer_model((0.5, 0.6), 0.1, PATIENTS.prevalence)
    for alpha in (0.05, 0.01, 0.2):
        power_at(PATIENTS, 30, model, alpha=alpha, studies=1, seed=7)
    power_at(PATIENTS, 30, model, flips=150, studies=1)
    assert asked == [(30, 400, 7), (30, 2000, 7), (30, 400, 7), (30, 150, 0)]


def given_powers(
    monkeypatch: pytest.MonkeyPatch, powers: list[float], asked: list[dict[str, Any]]
) -> Callable[[np.random.Generator], tuple[Patients, PilotAnswers]]:
    left = iter(powers)

    def at(patients: Patients, n_patients: int, model: object, **options: Any) -> PowerAt:
        asked.append({"n_patients": n_patients, **options})
        return PowerAt(n_patients, next(left), 0.0, 1.0, 0.0, 0.0)

    monkeypatch.setattr(power, "power_at", at)
    return lambda rng: (PATIENTS, pilot(0.0))


def test_the_range_is_that_of_the_powers_drawn_in_by_the_noise_of_simulation(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    powers, asked = [0.2, 0.9, 0.55, 0.7, 0.4, 0.65], list[dict[str, Any]]()
    redrawn = given_powers(monkeypatch, powers, asked)
    found = power_range(redrawn, 33, redraws=6, studies=25, seed=4)
    mean, own = np.mean(powers), np.var(powers)
    noise = np.mean([p * (1 - p) / 25 for p in powers])
    drawn_in = mean + np.sqrt((own - noise) / own) * (np.array(powers) - mean)
    assert found is not None
    assert (found.low, found.high) == pytest.approx(tuple(np.percentile(drawn_in, [5, 95])))
    assert (found.n_patients, found.redraws, found.impossible) == (33, 6, 0)
    assert [each["seed"] for each in asked] == [4, 5, 6, 7, 8, 9]
    assert all((each["alpha"], each["studies"], each["n_patients"]) == (0.05, 25, 33) for each in asked)


@pytest.mark.parametrize("powers", [[0.5, 0.5, 0.5], [0.5, 0.51, 0.49]])
def test_powers_no_further_apart_than_simulation_makes_them_are_one(
    monkeypatch: pytest.MonkeyPatch, powers: list[float]
) -> None:
    found = power_range(given_powers(monkeypatch, powers, []), 10, redraws=3, studies=25)
    assert found is not None
    assert (found.low, found.high) == (pytest.approx(0.5), pytest.approx(0.5))


def test_options_reach_every_size_that_is_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[dict[str, Any]] = []
    given_powers(monkeypatch, [0.4, 0.9, 0.6, 0.7, 0.8, 0.85], asked)
    found = patients_needed(
        PATIENTS, pilot(0.0), power=0.5, alpha=0.1, studies=9, seed=3, feature="clonic", most=24
    )
    assert found.needed is not None
    assert all(
        {key: each[key] for key in ("alpha", "studies", "seed", "feature")}
        == {"alpha": 0.1, "studies": 9, "seed": 3, "feature": "clonic"}
        for each in asked
    )
    with pytest.raises(ValueError, match=r"above 0.1"):
        patients_needed(PATIENTS, pilot(0.0), power=0.1, alpha=0.1)


@pytest.mark.parametrize("seed", range(6))
def test_correlation_of_correctness_is_the_mean_over_pairs_of_a_patients_recordings(seed: int) -> None:
    rng = np.random.default_rng(seed)
    own = rng.random(8)
    answers = [(rng.random(rng.integers(1, 6)) < chance).astype(float) for chance in own]
    mean = np.concatenate(answers).mean()
    products = [(a - mean) * (b - mean) for patient in answers for a, b in itertools.permutations(patient, 2)]
    expected = np.clip(np.mean(products) / (mean * (1 - mean)), 0, 1)
    right = np.array([each.sum() for each in answers])
    assert correctness_correlation(right, np.array([float(len(each)) for each in answers])) == pytest.approx(
        expected
    )
