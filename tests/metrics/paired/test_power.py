"""Simulated studies: their rates, their clusters, and that the test keeps its level on them."""

from __future__ import annotations

import numpy as np
import pytest

from semiology.metrics.paired import power
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
from semiology.metrics.paired.tables import measures_of

# 29 patients, 90 recordings: the sizes of a small study, with the feature in 15 patients.
SIZES = np.array([1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 3, 3, 4, 4, 4, 5, 5, 6, 7, 1, 1, 2, 3, 4, 2, 5, 4, 4])
POSITIVE = np.minimum(SIZES, np.where(np.arange(29) % 2 == 0, 2, 0))
PATIENTS = Patients(POSITIVE, SIZES - POSITIVE)


def test_the_pair_of_models_has_the_difference_the_correlation_and_the_discordance_wanted() -> None:
    model = answer_model((0.6, 0.65), 0.1, PATIENTS.prevalence, correlation=0.28, discordance=0.25)
    before, after = (f1_of_rates(*rates, PATIENTS.prevalence) for rates in (model.first, model.second))
    assert after - before == pytest.approx(0.1, abs=1e-6)
    assert model.second[0] > model.first[0]
    assert model.second[1] > model.first[1]
    assert model.discordance == pytest.approx(0.25, abs=1e-3)
    tables = simulate_tables(PATIENTS, 6000, model, np.random.default_rng(1), "tonic")
    counts = tables.first[:, 0].sum(0)
    assert counts[0, 0] / counts[0].sum() == pytest.approx(0.6, abs=0.02)
    assert counts[1, 1] / counts[1].sum() == pytest.approx(0.65, abs=0.02)
    assert tables.changed.sum() / counts.sum() == pytest.approx(0.25, abs=0.02)
    assert tables.only_first[0] + tables.only_second[0] == tables.changed.sum()
    right = tables.first[:, 0, 0, 0] + tables.first[:, 0, 1, 1]
    assert correctness_correlation(right, tables.first.sum((1, 2, 3))) == pytest.approx(0.28, abs=0.04)


def test_correlation_of_correctness_equals_the_mean_over_pairs() -> None:
    answers = [[1, 1, 0], [0, 0], [1, 1, 1, 0], [1]]
    mean = np.mean(np.concatenate(answers))
    pairs = [
        (a - mean) * (b - mean)
        for patient in answers
        for i, a in enumerate(patient)
        for j, b in enumerate(patient)
        if i != j
    ]
    expected = max(0.0, float(np.mean(pairs)) / (mean * (1 - mean)))
    found = correctness_correlation(
        np.array([sum(p) for p in answers], float), np.array([len(p) for p in answers], float)
    )
    assert found == pytest.approx(expected)
    assert correctness_correlation(np.array([1.0, 0.0]), np.array([1.0, 1.0])) == 0


def test_sign_flip_keeps_its_level_where_mcnemar_does_not() -> None:
    model = answer_model((0.55, 0.65), 0.0, PATIENTS.prevalence)
    found = power_at(PATIENTS, 60, model, studies=300, seed=3, flips=300)
    assert 0.01 < found.power < 0.09
    assert found.mcnemar_power > found.power + 0.02
    assert abs(found.mean_difference) < 0.02


@pytest.mark.slow
@pytest.mark.parametrize("n_patients", [29, 116])
@pytest.mark.parametrize("rates", [(0.5, 0.7), (0.8, 0.4)])
def test_level_on_two_thousand_studies(n_patients: int, rates: tuple[float, float]) -> None:
    found = power_at(PATIENTS, n_patients, answer_model(rates, 0.0, PATIENTS.prevalence), studies=2000)
    assert 0.015 < found.power < 0.065
    assert found.mcnemar_power > 0.075


def test_power_grows_with_patients_and_the_number_needed_lies_between_the_sizes_tried() -> None:
    model = answer_model((0.5, 0.6), 0.3, PATIENTS.prevalence)
    seen: list[PowerAt] = []
    found = patients_needed(PATIENTS, model, studies=120, on_size=seen.append)
    assert found.needed is not None
    assert sorted(at.n_patients for at in seen) == [at.n_patients for at in found.tried]
    reached = [at.n_patients for at in found.tried if at.power >= 0.8]
    missed = [at.n_patients for at in found.tried if at.power < 0.8]
    assert max(missed) < found.needed <= max(reached)
    assert found.tried[0].power < found.tried[-1].power
    again = patients_needed(PATIENTS, model, studies=120)
    assert again == found


def test_a_difference_out_of_reach_is_told() -> None:
    model = answer_model((0.5, 0.6), 0.01, PATIENTS.prevalence)
    found = patients_needed(PATIENTS, model, studies=60, most=60)
    assert found.needed is None
    assert found.tried[-1].n_patients == 60


def test_faults_are_named() -> None:
    with pytest.raises(ValueError, match=r"has an F1 of 0\.\d+"):
        answer_model((0.9, 0.9), 0.5, 0.3)
    with pytest.raises(ValueError, match="sensitivity is 1"):
        answer_model((1.0, 0.9), 0.1, 0.3)
    with pytest.raises(ValueError, match="below 1"):
        answer_model((0.5, 0.9), 0.1, 0.3, discordance=1.2)
    model = AnswerModel((0.5, 0.5), (0.6, 0.6), 0.2, 0.2, 0.3, 0.5)
    with pytest.raises(ValueError, match="cannot be planned"):
        patients_needed(PATIENTS, model, power=1.0)


def joint(delta: float, seed: int = 0) -> PilotAnswers:
    """A pilot of 60 patients in which both sides miss the same recordings, and the second says yes more often."""
    rng = np.random.default_rng(seed)
    patient = np.repeat(np.arange(60), 3)
    truth = rng.random(180) < 0.4
    hard = rng.random(180) < 0.35
    first = np.where(hard, ~truth, truth)
    second = np.where(rng.random(180) < 0.15, True, first)
    return pilot_answers(patient, truth, first, second, delta=delta)


@pytest.mark.parametrize("delta", [0.005, 0.1, 0.3])
def test_a_pilot_is_changed_to_the_difference_wanted_and_keeps_what_both_sides_find_hard(
    delta: float,
) -> None:
    pilot = joint(delta)
    assert pilot.difference == pytest.approx(delta, abs=1e-6)
    assert (pilot.target == (pilot.truth if pilot.seen < delta else pilot.first)).all()
    tables = pilot.simulate(4000, np.random.default_rng(1), "tonic")
    f1 = [measures_of(side.sum(0), ("tonic",))["f1"][0] for side in (tables.first, tables.second)]
    assert f1[1] - f1[0] == pytest.approx(delta, abs=0.02)
    assert tables.first.sum() == tables.second.sum() == 12_000
    right = [side[:, 0, 0, 0].sum() + side[:, 0, 1, 1].sum() for side in (tables.first, tables.second)]
    assert tables.only_second[0] - tables.only_first[0] == right[1] - right[0]


def test_the_power_of_a_pilot_is_that_of_redrawing_its_patients() -> None:
    found = power_at(PATIENTS, 40, joint(0.3), studies=60)
    assert 0.5 < found.power <= 1
    assert found.mean_difference == pytest.approx(0.3, abs=0.05)


def test_the_range_of_a_promise_is_that_of_redrawn_pilots_without_the_noise_of_few_studies() -> None:
    """With one and the same pilot each time only the noise of simulation is left, and most of it is taken off."""
    same = joint(0.08)
    seen: list[int] = []
    narrow = power_range(lambda rng: (PATIENTS, same), 40, redraws=12, studies=25, on_redraw=seen.append)
    assert narrow is not None
    assert seen == list(range(1, 13))
    assert narrow.high - narrow.low < 0.15
    wide = power_range(
        lambda rng: (PATIENTS, joint(0.08, seed=int(rng.integers(0, 1000)))), 40, redraws=12, studies=25
    )
    assert wide is not None
    assert wide.high - wide.low > narrow.high - narrow.low

    def half(rng: np.random.Generator) -> tuple[Patients, PilotAnswers]:
        if rng.random() < 0.5:
            raise ValueError("no room")
        return PATIENTS, same

    some = power_range(half, 40, redraws=12, studies=25)
    assert some is not None
    assert some.redraws + some.impossible == 12
    assert some.impossible == sum(np.random.default_rng([0, k]).random() < 0.5 for k in range(12))

    def never(rng: np.random.Generator) -> tuple[Patients, PilotAnswers]:
        raise ValueError("no room")

    assert power_range(never, 40, redraws=3) is None


def test_a_pilot_without_the_feature_or_without_room_is_refused() -> None:
    none = np.zeros(3, dtype=bool)
    with pytest.raises(ValueError, match="shows the feature"):
        pilot_answers(np.arange(3), none, none, none, delta=0.1)
    with pytest.raises(ValueError, match="cannot be"):
        joint(0.9)


def curve(monkeypatch: pytest.MonkeyPatch, per: int) -> None:
    """Let the power be a straight line that reaches 1 with so many patients."""

    def on_the_line(patients: Patients, n_patients: int, *arguments: object, **keywords: object) -> PowerAt:
        assert (keywords["alpha"], keywords["studies"]) == (0.05, 400)
        return PowerAt(n_patients, min(1.0, n_patients / per), 0.0, 1.0, 0.0, 0.0)

    monkeypatch.setattr(power, "power_at", on_the_line)


MODEL = answer_model((0.5, 0.6), 0.1, PATIENTS.prevalence)


@pytest.mark.parametrize(
    ("per", "wanted", "needed", "tried"),
    [
        # Doubled from 29 to 116, halved down to 94 and 97: 2/3 of the way from one to the other lies 96.
        (128, 0.75, 96, [29, 58, 87, 94, 97, 101, 116]),
        # What has the power exactly is enough.
        (128, 58 / 128, 58, [29, 43, 50, 54, 56, 58]),
        (16, 0.75, 12, [7, 10, 11, 12, 14, 29]),
        (1, 0.9, 6, [6, 7, 14, 29]),
    ],
)
def test_the_patients_needed_are_read_off_the_curve_of_power(
    monkeypatch: pytest.MonkeyPatch, per: int, wanted: float, needed: int, tried: list[int]
) -> None:
    curve(monkeypatch, per)
    found = patients_needed(PATIENTS, MODEL, power=wanted)
    assert (found.needed, [at.n_patients for at in found.tried]) == (needed, tried)


def test_the_search_ends_at_the_most_patients(monkeypatch: pytest.MonkeyPatch) -> None:
    curve(monkeypatch, 128)
    assert patients_needed(PATIENTS, MODEL, power=58 / 128, most=58).needed == 58
    assert patients_needed(PATIENTS, MODEL, power=0.75, most=90).needed is None
    curve(monkeypatch, 100_000)
    found = patients_needed(PATIENTS, MODEL, power=0.75)
    assert (found.needed, found.tried[-1].n_patients) == (None, 5000)


def test_a_strict_level_gets_enough_flips_to_be_reached() -> None:
    model = answer_model((0.4, 0.5), 0.4, PATIENTS.prevalence)
    assert power.power_at(PATIENTS, 60, model, alpha=0.001, studies=8).power > 0.5


def test_a_patient_who_alone_is_right_has_a_correlation_of_one_at_most() -> None:
    # One patient with ten right answers, forty with one wrong: pairs give 0.64 / 0.16 = 4.
    assert correctness_correlation(np.array([10.0, *[0] * 40]), np.array([10.0, *[1] * 40])) == 1.0


def test_without_a_pilot_the_medians_of_the_published_models_are_assumed() -> None:
    model = answer_model((0.58, 0.63), 0.1, 0.3)
    assert (model.correlation, model.discordance) == (0.28, pytest.approx(0.23, abs=1e-3))


def test_a_pilot_with_just_the_difference_wanted_is_left_as_it_is() -> None:
    # F1 of 1/2 and of 4/5: the second is better by 0.3.
    sides = [np.array(side, dtype=bool) for side in ((1, 1, 0, 0), (1, 0, 0, 1), (1, 1, 0, 1))]
    seen = pilot_answers(np.arange(4), *sides, delta=0.2).seen
    pilot = pilot_answers(np.arange(4), *sides, delta=seen)
    assert seen == pytest.approx(0.3)
    assert (pilot.difference, pilot.share) == (pytest.approx(seen, abs=1e-9), pytest.approx(0, abs=1e-9))


def test_answers_that_are_all_right_or_all_wrong_have_no_correlation() -> None:
    sizes = np.array([2.0, 3, 1])
    assert (correctness_correlation(sizes, sizes), correctness_correlation(0 * sizes, sizes)) == (0.0, 0.0)
