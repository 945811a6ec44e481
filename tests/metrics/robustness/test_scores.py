from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from wording_examples import answers_of, any_answers

from semiology.metrics.robustness.answers import WordingAnswers
from semiology.metrics.robustness.scores import (
    BESIDE,
    HEADLINE,
    MACRO,
    FeatureRobustness,
    robustness_of,
)
from semiology.metrics.scores.counts import NO, YES


def one(answers: WordingAnswers, **keywords: object) -> FeatureRobustness:
    return robustness_of([answers], resamples=20, **keywords).features[0]  # type: ignore[arg-type]


def values(answers: WordingAnswers, **keywords: object) -> dict[str, float]:
    return {name: e.value for name, e in one(answers, **keywords).estimates.items()}


def simulated(k: int, patients: int, seed: int, feature: str = "tonic", yes: float = 0.3) -> WordingAnswers:
    """Three recordings a patient; wordings differ in skill, recordings in difficulty."""
    rng = np.random.default_rng(seed)
    patient = np.repeat(np.arange(patients), 3)
    truth = np.where(rng.random(3 * patients) < yes, YES, NO)
    skill = np.linspace(-0.5, 0.5, k)[:, None] + rng.normal(0.8, 1, 3 * patients)
    right = rng.random(skill.shape) < 1 / (1 + np.exp(-skill))
    answers = np.where(right, truth, 1 - truth)
    answers[rng.random(answers.shape) < 0.03] = 3
    return WordingAnswers(
        feature,
        tuple(f"w{i}" for i in range(k)),
        tuple(f"f{i % 3}" for i in range(k)),
        ("positive",) * (k - 1) + ("negative",),
        0,
        tuple(f"v{i}" for i in range(3 * patients)),
        tuple(f"p{i:03}" for i in range(patients)),
        patient,
        truth,
        answers.astype(np.int64),
        p_yes=np.clip(rng.random(answers.shape), 0, 1),
    )


def test_every_measure_of_a_hand_computed_example() -> None:
    # Truth y y n n, four patients. w0 y y n n: 4 right; w1 y n n y: 2 right; w2 y u n n: 3 right (u wrong).
    # k = 3, 1, 3, 2 of K = 3.
    found = values(answers_of(["yynn", "ynny", "yunn"], "yynn"))
    assert found["avg_p"] == pytest.approx(9 / 12)
    assert found["worst_at_1"] == pytest.approx(9 / 12)
    assert (found["always_right"], found["always_wrong"], found["flips"]) == (0.5, 0, 0.5)
    # S = 0, 2*1*2/6, 0, 2*2*1/6 -> mean 1/3; maximum at K = 3 is 2/3
    assert found["pss_raw"] == pytest.approx(1 / 3)
    assert found["pss"] == pytest.approx(0.5)
    # balanced accuracy: w0 1; w1 (1/2 + 1/2) / 2; w2 (1/2 + 1) / 2 -> mean 0.75
    assert found["balanced_accuracy"] == pytest.approx(0.75)
    # F1: w0 1; w1 tp 1 fp 1 fn 1 -> 1/2; w2 tp 1 fn 1 -> 2/3
    assert found["f1"] == pytest.approx((1 + 0.5 + 2 / 3) / 3)
    assert (found["f1_best"], found["f1_worst"], found["f1_reference"]) == (1, 0.5, 1)
    # yes of 12 answers: 2 + 2 + 1
    assert found["yes_rate"] == pytest.approx(5 / 12)
    assert found["prevalence"] == 0.5
    assert found["unparsed_rate"] == pytest.approx(1 / 12)
    # majority: y, tie of y and n (half), n, n -> 3.5 / 4
    assert found["ensemble_accuracy"] == pytest.approx(0.875)
    assert found["ensemble_gain"] == pytest.approx(0.125)
    # alpha: counts (3,0) (1,1) (0,3) (1,2): N = 11, yes 5; D_o = (0 + 2/1 + 0 + 4/2) / 11 = 4/11,
    # D_e = (121 - 25 - 36) / 110 = 60/110
    assert found["alpha"] == pytest.approx(1 - (4 / 11) / (60 / 110))
    # observed agreement: 1, 0, 1, 1/3
    assert found["agreement"] == pytest.approx((1 + 0 + 1 + 1 / 3) / 4)
    # reference accuracy 1, others 1/2 and 3/4
    assert found["accuracy_drop"] == pytest.approx(1 - 0.625)
    assert found["accuracy_absolute_drop"] == pytest.approx(0.375)


def test_leaving_unusable_answers_out_changes_what_it_should() -> None:
    # As above without the u: w2 has 3 of 3 right; recording 2 has k = 1 of 2.
    found = values(answers_of(["yynn", "ynny", "yunn"], "yynn"), policy="drop")
    assert found["avg_p"] == pytest.approx((1 + 0.5 + 1) / 3)
    assert found["worst_at_1"] == pytest.approx((1 + 0.5 + 1 + 2 / 3) / 4)
    # S = 0, 1 (k = 1 of 2), 0, 2/3; maxima 2/3, 1, 2/3, 2/3
    assert found["pss"] == pytest.approx((5 / 3) / 3)
    assert found["unparsed_rate"] == pytest.approx(1 / 12)


@pytest.mark.parametrize("letter", ["y", "n"])
def test_a_constant_answer_looks_robust_and_is_exposed_beside_it(letter: str) -> None:
    answers = answers_of([letter * 40] * 12, "y" * 12 + "n" * 28, "".join(chr(65 + i) for i in range(40)))
    found = one(answers).estimates
    assert found["pss"].value == 0
    assert found["flips"].value == 0
    assert found["worst_at_10"].value == pytest.approx(0.3 if letter == "y" else 0.7)
    assert found["avg_p"].value == pytest.approx(found["worst_at_10"].value)
    assert found["balanced_accuracy"].value == 0.5
    assert found["balanced_worst_at_10"].value == 0.5
    assert found["yes_rate"].value == (1 if letter == "y" else 0)
    assert np.isnan(found["alpha"].value)
    assert found["alpha"].reason == "no two answers differ, or none can be used"


@given(any_answers())
def test_what_must_hold_for_any_answers(answers: WordingAnswers) -> None:
    for policy in ("wrong", "drop"):
        found = values(answers, policy=policy)
        if not np.isnan(found["flips"]):
            assert found["always_right"] + found["always_wrong"] + found["flips"] == pytest.approx(1)
            assert found["worst_at_1"] == pytest.approx(1 - found["always_wrong"]) or (
                found["worst_at_1"] <= 1 - found["always_wrong"] + 1e-9
            )
        for name in ("worst_at_1", "worst_at_5", "worst_at_10", "pss", "flips", "yes_rate", "agreement"):
            assert np.isnan(found[name]) or -1e-9 <= found[name] <= 1 + 1e-9
        for m in (5, 10):
            assert (
                np.isnan(found[f"worst_at_{m}"])
                or found[f"worst_at_{m}"] <= found["worst_at_1"] + 1e-9
                or (
                    policy == "drop"  # other recordings are left out at a larger m
                )
            )
    found = values(answers)
    assert found["avg_p"] == pytest.approx(found["worst_at_1"])
    assert found["accuracy_worst"] - 1e-9 <= found["avg_p"] <= found["accuracy_best"] + 1e-9
    assert found["always_right"] <= found["accuracy_worst"] + 1e-9


@given(any_answers(min_wordings=2))
def test_the_order_of_wordings_does_not_matter(answers: WordingAnswers) -> None:
    turned = replace(
        answers,
        answers=answers.answers[::-1],
        polarities=answers.polarities[::-1],
        reference=len(answers.wordings) - 1,
    )
    forth, back = values(answers), values(turned)
    for name, value in forth.items():
        assert back[name] == pytest.approx(value, nan_ok=True), name


def test_intervals_resample_patients_and_cover_the_value() -> None:
    found = robustness_of([simulated(12, 60, 0)], resamples=500).features[0]
    for name in (*HEADLINE, *BESIDE, "f1", "pss", "flips", "ensemble_gain", "js_distance", "yes_bias"):
        estimate = found.estimates[name]
        assert estimate.low is not None, name
        assert estimate.high is not None, name
        assert estimate.low <= estimate.value <= estimate.high, name
    # drawing the wordings too can only widen
    over_patients, over_both = found.estimates["avg_p"], found.estimates["avg_p_two_way"]
    assert over_both.value == over_patients.value
    assert _width(over_both) > _width(over_patients)


def _width(estimate: object) -> float:
    return estimate.high - estimate.low  # type: ignore[attr-defined, no-any-return]


def test_the_bootstrap_equals_recomputing_each_resample() -> None:
    # The weighted sums of one resample must give what scoring the drawn recordings themselves gives.
    from semiology.metrics.robustness.sums import FeatureSums

    answers = simulated(7, 12, 3)
    drawn = np.random.default_rng(1).integers(0, 12, 12)
    weights = np.bincount(drawn, minlength=12).astype(float)[None]
    fast = FeatureSums(answers, answers.patients, "wrong").measures(weights)
    picked = np.concatenate([np.flatnonzero(answers.patient == patient) for patient in drawn])
    again = replace(
        answers,
        recordings=tuple(f"r{i}" for i in range(len(picked))),
        patients=("all",),
        patient=np.zeros(len(picked), dtype=np.int64),
        truth=answers.truth[picked],
        answers=answers.answers[:, picked],
        p_yes=None if answers.p_yes is None else answers.p_yes[:, picked],
    )
    slow = FeatureSums(again, ("all",), "wrong").measures(np.ones((1, 1)))
    assert set(fast) == set(slow)
    for name, value in fast.items():
        np.testing.assert_allclose(value, slow[name], err_msg=name)


def test_few_positive_patients_have_no_interval_of_f1() -> None:
    answers = answers_of(["yn" * 10, "yy" * 10], "yn" * 10, "AB" * 10)
    found = one(answers).estimates
    assert found["f1"].low is None
    assert found["f1"].reason == "recordings with the feature come from 1 patient, fewer than 10"
    assert found["f1"].value > 0


def test_too_few_wordings_are_told() -> None:
    found = one(answers_of(["yn", "yy"], "yn")).estimates
    assert found["worst_at_5"].reason == "only 2 wordings asked"
    assert found["f1_spread_at_5"].reason == "only 2 wordings asked"
    assert one(answers_of(["yn"], "yn")).estimates["alpha"].reason == "fewer than two wordings gave answers"
    assert found["js_distance"].reason == "the answers carry no probabilities"
    assert found["yes_bias"].reason is not None
    alike = one(answers_of(["yy", "yy"], "yn")).estimates
    assert alike["alpha"].reason == "no two answers differ, or none can be used"


def test_all_unparsed_or_no_positive_gives_values_with_reasons() -> None:
    unparsed = one(answers_of(["uuuu", "uuuu"], "yynn")).estimates
    assert unparsed["avg_p"].value == 0
    assert unparsed["unparsed_rate"].value == 1
    assert np.isnan(unparsed["alpha"].value)
    dropped = one(answers_of(["uuuu", "uuuu"], "yynn"), policy="drop").estimates
    assert np.isnan(dropped["avg_p"].value)
    assert dropped["avg_p"].reason == "no answer can be used"
    none = one(answers_of(["nnyn"], "nnnn")).estimates
    assert none["f1"].reason == "no recording shows the feature"
    assert none["avg_p"].value == 0.75


def test_a_chosen_best_carries_its_warning() -> None:
    found = robustness_of([simulated(6, 40, 1)], resamples=50).features[0].estimates
    assert "best_of_k" in str(found["f1_best"].caution)
    assert found["f1"].caution is None


def test_three_classes_count_na_as_an_answer() -> None:
    # truth y n a, w0 all right, w1 y n n
    found = values(answers_of(["yna", "ynn"], "yna", three_classes=True))
    assert found["avg_p"] == pytest.approx(5 / 6)
    # recalls of w1: 1, 1, 0
    assert found["balanced_accuracy"] == pytest.approx((1 + 2 / 3) / 2)
    assert found["balanced_worst_at_1"] == pytest.approx((1 + 1 + 0.5) / 3)


def test_a_macro_mean_over_few_patients_with_the_signs_says_so() -> None:
    few = answers_of(["yynnyn", "ynnnyy"], "yynnnn", "ABCDEF")
    other = replace(few, feature="clonic")
    macro = robustness_of([few, other], resamples=50).macro
    for name in ("f1", "balanced_accuracy"):
        assert macro[name].caution == "patients who show any of the features: only 2"
        assert macro[name].low is not None
    assert macro["avg_p"].caution is None
    alone = answers_of(["ynnnyn", "ynnnyy"], "ynnnnn", "ABCDEF")
    macro = robustness_of([alone, replace(alone, feature="clonic")], resamples=50).macro
    assert macro["f1"].low is None
    assert macro["f1"].reason == "recordings with the features come from 1 patient"
    many = robustness_of([simulated(3, 40, 0)], resamples=50).macro
    assert many["f1"].caution is None


def test_the_macro_mean_draws_the_same_patients_and_names_what_is_missing() -> None:
    first, second = simulated(12, 40, 0, "tonic"), simulated(12, 40, 0, "clonic")
    small = answers_of(["yn", "yy"], "yn", "AB")
    found = robustness_of([first, second], resamples=300)
    alone = robustness_of([first], resamples=300)
    # two equal features move together, so their mean has the interval of one
    assert found.macro["avg_p"] == replace(alone.macro["avg_p"])
    assert set(found.macro) == set(MACRO)
    mixed = robustness_of([first, small], resamples=50)
    assert mixed.macro["worst_at_10"].value == pytest.approx(first_value(alone, "worst_at_10"), rel=1e-12)
    assert mixed.macro["worst_at_10"].caution == "undefined for, and without, tonic"


def first_value(found: object, name: str) -> float:
    return found.features[0].estimates[name].value  # type: ignore[attr-defined, no-any-return]


def test_a_seed_gives_the_same_numbers_and_nothing_gives_an_error() -> None:
    answers = [simulated(10, 30, 2)]
    assert (
        robustness_of(answers, resamples=60, seed=3).macro
        == robustness_of(answers, resamples=60, seed=3).macro
    )
    with pytest.raises(ValueError, match="no answers to compare"):
        robustness_of([])


def test_balanced_worst_is_the_mean_over_true_classes_and_not_over_the_others() -> None:
    # Of three recordings with the feature all wordings find two; of one without it none: (2/3 + 0) / 2, and so
    # for every m. Swapped classes would give the same mean of two, so three classes are asked too.
    found = values(answers_of(["yyny", "yyny"], "yyyn"))
    assert found["balanced_worst_at_1"] == pytest.approx((2 / 3 + 0) / 2)
    three = answers_of(["ynna", "ynny"], "ynaa", three_classes=True)
    # yes 1, no 1, na: first recording never, second once of two: 0.25 at m = 1
    assert values(three)["balanced_worst_at_1"] == pytest.approx((1 + 1 + 0.25) / 3)


def test_chance_agreement_of_ac1_counts_three_classes_where_there_are_three() -> None:
    # Two wordings: (y, y), (n, y), (a, a). Agreement 2/3; shares 3/6, 1/6, 2/6: s (1 - s) sums to 11/18; by 2, 11/36.
    answers = answers_of(["yna", "yya"], "yna", three_classes=True)
    found = values(answers)["gwet_ac1"]
    assert found == pytest.approx((2 / 3 - 11 / 36) / (1 - 11 / 36))


def test_as_many_wordings_as_are_drawn_are_enough() -> None:
    found = one(answers_of(["nnn"] * 5, "nnn")).estimates
    told = {name: each.reason or "" for name, each in found.items() if name.endswith("_at_5")}
    assert told
    assert not [name for name, reason in told.items() if "wordings asked" in reason]
    fewer = one(answers_of(["nnn"] * 4, "nnn")).estimates
    assert all("only 4 wordings asked" in (fewer[name].reason or "") for name in told)
