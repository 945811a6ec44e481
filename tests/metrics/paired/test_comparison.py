"""Two conditions on the same recordings, held against brute force, scipy and simulation."""

from __future__ import annotations

import itertools
from typing import Literal

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binom, norm, permutation_test
from scipy.stats import t as student
from sklearn.metrics import balanced_accuracy_score, f1_score
from statsmodels.stats.contingency_tables import mcnemar
from statsmodels.stats.multitest import multipletests

from semiology.metrics.paired.comparison import compare_pairs
from semiology.metrics.paired.contributions import contributions
from semiology.metrics.paired.tables import against_always_yes, measures_of, paired_tables
from semiology.metrics.paired.verdict import verdict
from semiology.metrics.scores.counts import patient_tables
from semiology.metrics.statistics import sign_flip
from semiology.metrics.statistics.adjust import adjusted
from semiology.metrics.statistics.equivalence import DEFAULT_MARGIN
from semiology.metrics.statistics.mcnemar import mcnemar_mid_p
from semiology.metrics.statistics.sign_flip import (
    Flips,
    draw_flips,
    flip_p_value,
    max_t_p_value,
    smallest_p,
    tail_freedom,
)


def make_pairs(
    patients: int = 8,
    features: tuple[str, ...] = ("tonic", "clonic"),
    skills: tuple[float, float] = (0.6, 0.8),
    per_patient: int = 3,
    seed: int = 0,
    answers: tuple[str, ...] = ("yes", "no"),
) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    rows = []
    for patient, video, feature in itertools.product(range(patients), range(per_patient), features):
        truth = str(rng.choice(["yes", "no"]))
        given = [truth if rng.random() < skill else str(rng.choice(answers)) for skill in skills]
        rows.append((f"p{patient}v{video}", f"p{patient}", feature, truth, *given))
    return pd.DataFrame(rows, columns=["video_id", "patient_id", "feature", "truth", "first", "second"])


def differences(pairs: pd.DataFrame, measure: str) -> float:
    """Second minus first by scikit-learn."""
    score = {"f1": f1_score, "balanced_accuracy": balanced_accuracy_score}[measure]
    more = {"pos_label": "yes"} if measure == "f1" else {}
    return float(
        score(pairs["truth"], pairs["second"], **more) - score(pairs["truth"], pairs["first"], **more)
    )


@pytest.mark.parametrize("measure", ["f1", "balanced_accuracy"])
def test_a_contribution_is_what_leaving_the_patient_out_changes(measure: str) -> None:
    pairs = make_pairs(patients=6, features=("tonic",), per_patient=5, seed=4)
    whole = differences(pairs, measure)
    found = contributions(paired_tables(pairs, ["tonic"]), measure, np.zeros(1))[:, 0]
    for i, patient in enumerate(sorted(set(pairs["patient_id"]))):
        without = differences(pairs[pairs["patient_id"] != patient], measure)
        assert found[i] == pytest.approx(whole - without)


def test_contributions_stand_for_their_target() -> None:
    """But for the enlargement of large patients they would add up to it exactly; with many they nearly do."""
    pairs = make_pairs(patients=400, features=("tonic", "verbal_responsiveness"), seed=8)
    pairs.loc[pairs.index % 5 == 1, "truth"] = "na"
    pairs.loc[pairs.index % 7 == 1, "second"] = "na"
    tables = paired_tables(pairs, ["tonic", "verbal_responsiveness"])
    for measure in ("f1", "balanced_accuracy"):
        for target in (0.0, 0.1):
            sums = contributions(tables, measure, np.full(2, target)).sum(0)
            np.testing.assert_allclose(sums, target, atol=0.002)
    scores = [measures_of(side.sum(0), tables.features)["accuracy"] for side in (tables.first, tables.second)]
    sums = contributions(tables, "accuracy", np.zeros(2)).sum(0)
    np.testing.assert_allclose(sums, scores[1] - scores[0])


def test_exact_p_values_equal_brute_force_over_all_signs() -> None:
    pairs = make_pairs(patients=7)
    found = compare_pairs(pairs, ["tonic", "clonic"])
    tables = paired_tables(pairs, ["tonic", "clonic"])
    assert found.exact
    assert found.flips == 128
    for measure in ("f1", "balanced_accuracy"):
        seen = np.array([f.scores[measure].difference.value for f in found.features])
        own = contributions(tables, measure, seen)
        macro = contributions(tables, measure, np.full(2, seen.mean())).mean(1)
        signs = list(itertools.product((1, -1), repeat=7))
        for i, feature in enumerate(found.features):
            larger = sum(abs(np.dot(s, own[:, i])) >= abs(seen[i]) - 1e-12 for s in signs)
            least = 2 ** (1 - feature.n_deciding)
            assert feature.scores[measure].p_value == pytest.approx(max(larger / 128, 2 / 128, least))
        larger = sum(abs(np.dot(s, macro)) >= abs(seen.mean()) - 1e-12 for s in signs)
        assert found.macro[measure].p_value == pytest.approx(max(larger / 128, 2 / 128))


@pytest.mark.parametrize("method", ["holm", "fdr_bh"])
def test_adjusted_p_values_are_those_of_statsmodels(method: Literal["holm", "fdr_bh"]) -> None:
    p = np.array([0.03, np.nan, 0.001, 0.2, 0.03, 0.9, 0.012])
    found = adjusted(p, method)
    known = ~np.isnan(p)
    np.testing.assert_allclose(found[known], multipletests(p[known], method=method)[1])
    assert np.isnan(found[1])
    assert np.isnan(adjusted(np.array([np.nan]), method)).all()


def test_one_patient_cannot_show_anything() -> None:
    pairs = make_pairs(patients=30, features=("tonic",), per_patient=6, skills=(1.0, 1.0))
    bad = pairs["patient_id"] == "p3"
    pairs.loc[bad, "second"] = pairs.loc[bad, "truth"].map({"yes": "no", "no": "yes"})
    found = compare_pairs(pairs, ["tonic"])
    assert found.n_deciding == 1
    assert all(score.p_value == 1 for score in found.features[0].scores.values())
    assert found.smallest_p == 1


def test_p_value_of_accuracy_equals_scipys_sign_flip_of_patient_sums() -> None:
    pairs = make_pairs(patients=9, features=("tonic",), seed=3)
    right = (pairs["second"] == pairs["truth"]).astype(int) - (pairs["first"] == pairs["truth"]).astype(int)
    sums = right.groupby(pairs["patient_id"]).sum().to_numpy(dtype=float)
    expected = permutation_test((sums,), np.sum, permutation_type="samples", n_resamples=np.inf)
    found = compare_pairs(pairs, ["tonic"]).features[0].scores["accuracy"]
    assert found.p_value == pytest.approx(expected.pvalue)


def test_random_flips_agree_with_all_of_them() -> None:
    pairs = make_pairs(patients=12, seed=5)
    exact = compare_pairs(pairs, ["tonic", "clonic"], flips=5000)
    drawn = compare_pairs(pairs, ["tonic", "clonic"], flips=3000, seed=4)
    assert exact.exact
    assert not drawn.exact
    for a, b in zip(exact.features, drawn.features, strict=True):
        assert a.scores["f1"].p_value == pytest.approx(b.scores["f1"].p_value, abs=0.04)


def test_max_t_is_stepwise_and_between_plain_and_holm() -> None:
    rng = np.random.default_rng(1)
    common = rng.normal(size=(4000, 1))
    flipped = 0.9 * common + 0.4 * rng.normal(size=(4000, 5)) * [1, 1, 1, 1, 50]
    observed = np.array([2.9, 2.5, 0.1, -2.6, 30.0])
    flips = Flips(np.ones((4000, 1), dtype=np.uint8), 1, exact=False)
    adjusted = max_t_p_value(observed, flipped, flips)
    assert (adjusted >= flip_p_value(observed, flipped, flips)).all()
    scaled = np.abs(observed) / np.sqrt((flipped**2).mean(0))
    spread = np.abs(flipped) / np.sqrt((flipped**2).mean(0))
    # By the definition of the step-down: the largest against all, the next against all but that one.
    order = np.argsort(-scaled)
    floor = 0.0
    for j, i in enumerate(order):
        rest = spread[:, order[j:]].max(1)
        floor = max(floor, ((rest >= scaled[i]).sum() + 1) / 4001)
        assert adjusted[i] == pytest.approx(floor)
    assert np.isnan(max_t_p_value(np.array([np.nan, 1.0]), flipped[:, :2], flips)[0])


def test_exchange_of_sides_turns_signs_and_keeps_p_values() -> None:
    pairs = make_pairs(seed=7, answers=("yes", "no", "unparsed", "na"))
    there = compare_pairs(pairs, ["tonic", "clonic"])
    back = compare_pairs(pairs.rename(columns={"first": "second", "second": "first"}), ["tonic", "clonic"])
    for a, b in zip(there.features, back.features, strict=True):
        for measure in ("f1", "balanced_accuracy", "accuracy"):
            assert a.scores[measure].difference.value == pytest.approx(-b.scores[measure].difference.value)
            assert a.scores[measure].p_value == pytest.approx(b.scores[measure].p_value)
            assert a.scores[measure].p_max_t == pytest.approx(b.scores[measure].p_max_t, nan_ok=True)
        assert (a.only_first, a.only_second) == (b.only_second, b.only_first)


def test_the_order_of_rows_does_not_matter() -> None:
    pairs = make_pairs(seed=9)
    a = compare_pairs(pairs, ["tonic", "clonic"])
    b = compare_pairs(pairs.sample(frac=1, random_state=1), ["tonic", "clonic"])
    assert repr(a) == repr(b)


def test_equal_answers_give_no_difference_and_no_claim() -> None:
    pairs = make_pairs(patients=20).assign(second=lambda rows: rows["first"])
    found = compare_pairs(pairs, ["tonic", "clonic"])
    assert found.n_deciding == 0
    assert found.smallest_p == 1.0
    for score in found.macro.values():
        assert score.difference.value == 0
        assert score.p_value == score.p_max_t == 1
        assert score.equivalence.verdict == "undecided"


def test_three_classes_are_scored_as_three() -> None:
    pairs = make_pairs(features=("verbal_responsiveness",), seed=2)
    pairs.loc[::4, "truth"] = "na"
    pairs.loc[::8, "second"] = "na"
    found = compare_pairs(pairs, ["verbal_responsiveness"]).features[0]
    expected = balanced_accuracy_score(pairs["truth"], pairs["second"])
    assert found.scores["balanced_accuracy"].second == pytest.approx(expected)
    assert found.n == len(pairs)


def test_truth_na_of_a_yes_no_feature_counts_for_nothing() -> None:
    pairs = make_pairs(features=("tonic",), patients=12)
    more = pairs.head(5).assign(video_id=lambda rows: rows["video_id"] + "x", truth="na")
    a = compare_pairs(pairs, ["tonic"]).features[0]
    b = compare_pairs(pd.concat([pairs, more]), ["tonic"]).features[0]
    assert repr(a) == repr(b)


def test_scarce_sign_keeps_its_p_value_and_loses_interval_and_equivalence() -> None:
    pairs = make_pairs(patients=30, features=("tonic",))
    rare = pairs["patient_id"].isin(["p1", "p2", "p3"])
    pairs["truth"] = np.where(rare, "yes", "no")
    found = compare_pairs(pairs, ["tonic"]).features[0].scores["f1"]
    assert not found.difference.estimable
    assert "3 patients" in str(found.difference.reason)
    assert found.equivalence.verdict == "undecided"
    assert 0 < found.p_value <= 1


def test_features_without_both_truths_are_left_out_of_the_macro() -> None:
    pairs = make_pairs(patients=12, features=("tonic", "clonic", "figure4"))
    pairs.loc[pairs["feature"] == "figure4", "truth"] = "no"
    found = compare_pairs(pairs, ["tonic", "clonic", "figure4"])
    assert found.left_out == ("figure4",)
    own = [f.scores["f1"].difference.value for f in found.features if f.feature != "figure4"]
    assert found.macro["f1"].difference.value == pytest.approx(np.mean(own))
    assert np.isnan(found.features[-1].scores["f1"].p_value)


@pytest.mark.parametrize("counts", [(0, 0), (3, 3), (1, 9), (9, 1), (30, 12)])
def test_mcnemar_mid_p_is_the_exact_p_less_half_the_point(counts: tuple[int, int]) -> None:
    b, c = counts
    exact = mcnemar([[0, b], [c, 0]], exact=True).pvalue
    mid = mcnemar_mid_p(b, c)
    assert mid <= exact
    if b != c:
        from scipy.stats import binom

        assert mid == pytest.approx(exact - binom.pmf(min(b, c), b + c, 0.5))


def test_faults_are_named() -> None:
    pairs = make_pairs()
    with pytest.raises(ValueError, match="stands twice"):
        compare_pairs(pd.concat([pairs, pairs.head(1)]), ["tonic", "clonic"])
    with pytest.raises(ValueError, match="no column 'second'"):
        compare_pairs(pairs.drop(columns="second"), ["tonic"])
    with pytest.raises(ValueError, match="nothing to compare"):
        compare_pairs(pairs.assign(truth=""), ["tonic"])
    with pytest.raises(ValueError, match="100 or more"):
        compare_pairs(pairs, ["tonic"], flips=10)
    with pytest.raises(ValueError, match="margin"):
        compare_pairs(pairs, ["tonic"], margin=0)


def test_measures_equal_scikit_learn() -> None:
    pairs = make_pairs(patients=20, seed=11)
    tables = paired_tables(pairs, ["tonic"])
    rows = pairs[pairs["feature"] == "tonic"]
    found = measures_of(tables.second.sum(0), ["tonic"])
    assert found["f1"][0] == pytest.approx(f1_score(rows["truth"], rows["second"], pos_label="yes"))
    assert found["accuracy"][0] == pytest.approx((rows["truth"] == rows["second"]).mean())


def test_enumeration_covers_every_possibility_once() -> None:
    flips = draw_flips(3, 1000, 0)
    assert flips.exact
    assert len({tuple(row) for row in flips.signs()}) == 8
    assert not draw_flips(64, 1000, 0).exact
    assert smallest_p(3) == 0.25
    assert smallest_p(0) == 1


def test_patients_about_whom_both_agree_cannot_make_a_p_value_small() -> None:
    pairs = make_pairs(patients=30, features=("tonic",), per_patient=4, skills=(1.0, 1.0))
    bad = pairs["patient_id"].isin(["p3", "p7"])
    pairs.loc[bad, "second"] = pairs.loc[bad, "truth"].map({"yes": "no", "no": "yes"})
    found = compare_pairs(pairs, ["tonic"]).features[0]
    assert found.n_deciding == 2
    for score in found.scores.values():
        assert score.p_value >= 0.5
        assert score.p_max_t >= 0.5 or np.isnan(score.p_max_t)


@pytest.mark.parametrize(("rare", "tested"), [(9, False), (10, True)])
def test_a_feature_that_few_patients_lack_leaves_the_family_for_balanced_accuracy_alone(
    rare: int, tested: bool
) -> None:
    pairs = make_pairs(patients=30, features=("tonic", "clonic"), per_patient=4)
    own = pairs["feature"] == "tonic"
    lacking = pairs["patient_id"].isin([f"p{i}" for i in range(rare)])
    pairs.loc[own, "truth"] = np.where(lacking[own], "no", "yes")
    found = {each.feature: each for each in compare_pairs(pairs, ["tonic", "clonic"]).features}
    balanced = found["tonic"].scores["balanced_accuracy"]
    assert np.isnan(balanced.p_max_t) != tested
    assert balanced.difference.estimable == tested
    assert (balanced.equivalence.reason is None) == tested
    if not tested:
        assert "without the feature come from 9 patients" in (balanced.difference.reason or "")
        assert balanced.equivalence.reason == balanced.difference.reason
        # It is no longer counted: the other's p-values are those of a feature alone.
        other = found["clonic"].scores["balanced_accuracy"]
        assert other.p_holm == other.p_value
    assert not np.isnan(found["tonic"].scores["f1"].p_max_t)


def test_a_mean_over_one_feature_needs_as_many_patients_as_the_feature() -> None:
    pairs = make_pairs(patients=30, features=("tonic",))
    few = pairs["patient_id"].isin([f"p{i}" for i in range(9)])
    pairs["truth"] = np.where(few, pairs["truth"], "no")
    found = compare_pairs(pairs, ["tonic"])
    assert not found.macro["f1"].difference.estimable
    assert np.isnan(found.macro["f1"].p_max_t)
    assert verdict(found.macro["f1"], 0.05) == "too few"


def test_the_margin_is_five_points_unless_another_is_given() -> None:
    found = compare_pairs(make_pairs(), ["tonic"])
    assert found.margin == found.macro["f1"].equivalence.margin == DEFAULT_MARGIN == 0.05


@pytest.mark.parametrize("count", [1, 3, 20])
def test_mcnemar_mid_p_of_a_draw_is_one_less_half_the_point(count: int) -> None:
    assert mcnemar_mid_p(count, count) == pytest.approx(1 - binom.pmf(count, 2 * count, 0.5) / 2)


def test_tail_freedom_is_twice_the_patients_of_equal_contributions() -> None:
    own = np.array([[1.0, 1], [-1, 0], [1, 0], [1, 0]])
    assert tail_freedom(own).tolist() == [8, 2]


def test_max_t_with_fewer_degrees_of_freedom_is_larger_and_alone_the_same() -> None:
    rng = np.random.default_rng(2)
    flipped, observed = rng.normal(size=(3000, 4)), np.array([3.2, 1.0, -2.0, 0.4])
    flips = Flips(np.ones((3000, 1), dtype=np.uint8), 1, exact=False)
    plain = max_t_p_value(observed, flipped, flips)
    heavy = max_t_p_value(observed, flipped, flips, np.full(4, 6.0))
    assert (heavy >= plain).all()
    assert heavy[0] > plain[0]
    # The largest, 3.2 spreads, counts as the normal quotient that is as rare as 3.2 is with 6 degrees of freedom.
    spread = np.sqrt((flipped**2).mean(0))
    quotient = -norm.ppf(student.sf(3.2 / spread[0], 6))
    assert heavy[0] == pytest.approx((((np.abs(flipped) / spread).max(1) >= quotient).sum() + 1) / 3001)
    assert max_t_p_value(observed[:1], flipped[:, :1], flips, np.full(1, 6.0)) == plain_p(
        observed, flipped, flips
    )


def plain_p(observed: np.ndarray, flipped: np.ndarray, flips: Flips) -> float:
    return float(flip_p_value(observed[:1], flipped[:, :1], flips)[0])


def test_signs_of_many_patients_are_multiplied_in_blocks() -> None:
    flips = draw_flips(200, 500, 3)
    own = np.random.default_rng(0).normal(size=(200, 3))
    np.testing.assert_allclose(flips.sums(own), flips.signs() @ own)
    assert set(np.unique(flips.signs())) == {-1.0, 1.0}
    assert abs(flips.signs().mean()) < 0.02


def test_a_score_says_what_it_is_of() -> None:
    pairs = make_pairs(patients=30, features=("tonic",))
    found = compare_pairs(pairs, ["tonic"])
    rows = pairs[pairs["feature"] == "tonic"]
    for scores in (found.macro, found.features[0].scores):
        assert all(score.measure == name for name, score in scores.items())
        assert scores["f1"].first == pytest.approx(f1_score(rows["truth"], rows["first"], pos_label="yes"))
        assert scores["f1"].second == pytest.approx(f1_score(rows["truth"], rows["second"], pos_label="yes"))


def test_patients_who_hold_most_recordings_without_a_feature_take_balanced_accuracy_out_of_the_family() -> (
    None
):
    pairs = make_pairs(patients=30, features=("tonic",), per_patient=4)
    big = pairs["patient_id"] == "p0"
    pairs["truth"] = np.where(pairs.index % 4 > 0, "yes", "no")
    pairs.loc[big, "truth"] = "no"
    copies = [
        pairs[big].assign(video_id=lambda rows, i=i: rows["video_id"] + f"_{i}")
        for i in range(40)  # type: ignore[misc]
    ]
    found = compare_pairs(pd.concat([pairs, *copies]), ["tonic"]).features[0].scores
    assert "recordings without the feature weigh like" in (found["balanced_accuracy"].difference.reason or "")
    assert np.isnan(found["balanced_accuracy"].p_max_t)
    assert found["f1"].difference.estimable


@pytest.mark.parametrize("block", [1, 1000, 4_000_000])
def test_blocks_of_any_size_give_the_same_sums(monkeypatch: pytest.MonkeyPatch, block: int) -> None:
    flips = draw_flips(30, 130, 1)
    own = np.random.default_rng(0).normal(size=(30, 2))
    monkeypatch.setattr(sign_flip, "_BLOCK", block)
    np.testing.assert_allclose(
        flips.sums(own), np.array([[row @ own[:, 0], row @ own[:, 1]] for row in flips.signs()])
    )


def test_counts_of_a_comparison_are_those_of_the_rows() -> None:
    pairs = make_pairs(patients=30, features=("tonic", "clonic"), seed=13)
    found = compare_pairs(pairs, ["tonic", "clonic"])
    differs = pairs["first"] != pairs["second"]
    assert found.n_patients == 30
    assert found.n_deciding == pairs[differs]["patient_id"].nunique()
    assert found.macro["f1"].equivalence.n_discordant == differs.sum()
    assert found.macro["f1"].difference.n == len(pairs)
    for each in found.features:
        rows = pairs[pairs["feature"] == each.feature]
        yes, other = rows[rows["truth"] == "yes"], rows[rows["first"] != rows["second"]]
        assert (each.n, each.n_patients) == (len(rows), rows["patient_id"].nunique())
        assert (each.n_positive, each.n_positive_patients) == (len(yes), yes["patient_id"].nunique())
        assert (each.n_changed, each.n_deciding) == (len(other), other["patient_id"].nunique())
        assert each.only_first == (other["first"] == other["truth"]).sum()
        assert each.only_second == (other["second"] == other["truth"]).sum()
        assert each.always_yes_f1 == pytest.approx(2 * len(yes) / (len(yes) + len(rows)))
        assert each.scores["accuracy"].equivalence.n_discordant == len(other)
        assert each.scores["f1"].difference.n == each.scores["f1"].equivalence.n == len(rows)


@pytest.mark.parametrize("policy", ["wrong", "drop"])
def test_answers_beside_always_yes_are_counted(policy: Literal["wrong", "drop"]) -> None:
    rng = np.random.default_rng(6)
    rows = pd.DataFrame(
        {
            "patient_id": [f"p{i // 3:02d}" for i in range(60)],
            "feature": "tonic",
            "truth": rng.choice(["yes", "no", "na"], 60, p=[0.4, 0.4, 0.2]),
            "answer": rng.choice(["yes", "no", "unparsed", "na"], 60),
        }
    )
    found = against_always_yes(patient_tables(rows, ["tonic"]), policy)
    asked = rows[rows["truth"] != "na"]
    if policy == "drop":
        asked = asked[asked["answer"].isin(["yes", "no"])]
    right = asked["answer"] == asked["truth"]
    assert found.first.sum() == found.second.sum() == len(asked)
    assert found.only_first.tolist() == [int(((asked["truth"] == "yes") & ~right).sum())]
    assert found.only_second.tolist() == [int(((asked["truth"] == "no") & right).sum())]
    other = (
        (asked["answer"] != "yes").groupby(asked["patient_id"]).sum().reindex(found.patients, fill_value=0)
    )
    assert found.changed[:, 0].tolist() == other.tolist()


def test_interval_and_equivalence_of_one_feature_are_the_t_of_leaving_out_each_patient() -> None:
    """With scikit-learn: the limits of the difference, and those of the test with one more patient who contradicts."""
    pairs = make_pairs(patients=40, features=("tonic",), per_patient=2, seed=21)
    score = compare_pairs(pairs, ["tonic"]).features[0].scores["f1"]
    value = differences(pairs, "f1")
    without = np.array(
        [differences(pairs[pairs["patient_id"] != p], "f1") for p in sorted(set(pairs["patient_id"]))]
    )
    error = np.sqrt(39 / 40 * ((without - without.mean()) ** 2).sum())
    positive = pairs[pairs["truth"] == "yes"].groupby("patient_id").size().to_numpy(float)
    kish = positive.sum() ** 2 / (positive**2).sum()
    reach = student.ppf(0.975, kish - 1) * error
    assert (score.difference.low, score.difference.high) == pytest.approx((value - reach, value + reach))
    # One patient more, of kish + 1 equal ones, with a difference of -1 (or of 1).
    share = 1 / (kish + 1)
    spread = np.hypot(error * (1 - share), share * (1 - share) * (1 + value))
    low = value * (1 - share) - share - student.ppf(0.95, kish) * spread
    assert score.equivalence.low == pytest.approx(low)


def test_a_feature_answered_alike_is_answered_rightly_by_neither_side_alone() -> None:
    pairs = make_pairs(features=("tonic", "clonic"), seed=3)
    pairs.loc[pairs["feature"] == "tonic", "second"] = pairs["first"]
    found = paired_tables(pairs, ["tonic", "clonic"])
    assert (found.only_first[0], found.only_second[0], found.changed[:, 0].sum()) == (0, 0, 0)
    assert found.only_first[1] + found.only_second[1] == found.changed[:, 1].sum() > 0
