"""Scores by subgroup against scikit-learn and brute force, and the test of their difference."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from scipy.stats import t as student
from sklearn.metrics import balanced_accuracy_score

from semiology.metrics.paired.contributions import between_groups
from semiology.metrics.scores.counts import patient_tables
from semiology.metrics.scores.subgroups import MACRO, OTHERS, score_subgroups

FEATURES = ("tonic", "clonic")


def study(
    seed: int, sizes: dict[str, int], skill: dict[str, float], features: tuple[str, ...] = FEATURES
) -> tuple[pd.DataFrame, dict[str, str]]:
    """Answers about 1 to 4 recordings of each patient; patients differ in how well they are read."""
    rng = np.random.default_rng(seed)
    rows, groups = [], {}
    for group, size in sizes.items():
        for patient in range(size):
            own = rng.normal(0, 0.7)
            for take in range(int(rng.integers(1, 5))):
                video = f"{group}{patient}_{take}"
                groups[video] = group
                for feature in features:
                    truth = bool(rng.random() < 0.5)
                    right = rng.random() < 1 / (1 + math.exp(-skill[group] - own))
                    words = ["no", "yes"]
                    rows.append((video, f"{group}{patient}", feature, words[truth], words[truth == right]))
    return pd.DataFrame(rows, columns=["video_id", "patient_id", "feature", "truth", "answer"]), groups


def difference(rows: pd.DataFrame, groups: dict[str, str], feature: str) -> float:
    """Balanced accuracy in a minus that in b, by scikit-learn."""
    one = rows[rows["feature"] == feature]
    parts = [one[one["video_id"].map(groups) == name] for name in ("a", "b")]
    scores = [balanced_accuracy_score(part["truth"], part["answer"]) for part in parts]
    return float(scores[0] - scores[1])


def test_scores_and_difference_agree_with_scikit_learn_and_a_jackknife_by_hand() -> None:
    rows, groups = study(3, {"a": 24, "b": 18}, {"a": 1.5, "b": 0.5})
    found = score_subgroups(rows, groups, FEATURES, flips=500)
    assert [(each.name, each.n_patients) for each in found.subgroups] == [("a", 24), ("b", 18)]
    tonic = next(each for each in found.interactions if each.feature == "tonic")
    assert tonic.difference.value == pytest.approx(difference(rows, groups, "tonic"))
    patients = sorted(set(rows["patient_id"]))
    without = np.array([difference(rows[rows["patient_id"] != p], groups, "tonic") for p in patients])
    error = math.sqrt((len(patients) - 1) / len(patients) * ((without - without.mean()) ** 2).sum())
    sizes = rows[rows["feature"] == "tonic"].groupby("patient_id").size()
    effective = min(
        float(own.sum() ** 2 / (own**2).sum()) for own in (sizes.filter(like="a"), sizes.filter(like="b"))
    )
    reach = float(student.ppf(0.975, effective - 1)) * error
    assert tonic.difference.low == pytest.approx(tonic.difference.value - reach)
    assert tonic.difference.high == pytest.approx(tonic.difference.value + reach)
    macro = next(each for each in found.interactions if each.feature == MACRO)
    assert macro.difference.value == pytest.approx(
        np.mean([difference(rows, groups, name) for name in FEATURES])
    )


def test_contributions_stand_for_the_difference_and_keep_each_groups_own_recall() -> None:
    rows, groups = study(5, {"a": 30, "b": 30}, {"a": 1.0, "b": 1.0}, ("tonic",))
    in_a = rows["video_id"].map(groups) == "a"
    counts = []
    for part in (rows[in_a], rows[~in_a]):
        own = patient_tables(part, ["tonic"])
        whole = np.zeros((60, 3, 4))
        order = sorted(set(rows["patient_id"]))
        for patient, table in zip(own.patients, own.counts[:, 0], strict=True):
            whole[order.index(patient)] = table
        counts.append(whole[:, :2])
    own = between_groups(counts[0], counts[1], False, 0.2)
    assert own.sum() == pytest.approx(0.2, abs=0.02)  # up to what leaving out adds
    # The signs of one patient alone leave everybody else where they were.
    assert np.count_nonzero(own) == 60


def test_a_large_difference_is_found_and_turns_with_the_labels() -> None:
    rows, groups = study(1, {"a": 30, "b": 30}, {"a": 3.0, "b": 0.0})
    found = score_subgroups(rows, groups, FEATURES, flips=2000)
    swapped = score_subgroups(
        rows, {v: {"a": "b", "b": "a"}[g] for v, g in groups.items()}, FEATURES, flips=2000
    )
    for one, other in zip(found.interactions, swapped.interactions, strict=True):
        assert one.p_adjusted < 0.01
        assert one.difference.value == pytest.approx(-other.difference.value)
        assert one.p_adjusted >= one.p_plain


def test_more_than_two_subgroups_are_held_against_all_others() -> None:
    rows, groups = study(2, {"a": 15, "b": 15, "c": 15}, {"a": 2.5, "b": 0.4, "c": 0.4})
    found = score_subgroups(rows, groups, FEATURES, flips=1000)
    contrasts = {(each.first, each.second) for each in found.interactions}
    assert contrasts == {("a", OTHERS), ("b", OTHERS), ("c", OTHERS)}
    one = next(e for e in found.interactions if (e.first, e.feature) == ("a", "clonic"))
    rest = {video: "a" if group == "a" else "b" for video, group in groups.items()}
    assert one.difference.value == pytest.approx(difference(rows, rest, "clonic"))


def test_small_subgroups_and_missing_values_are_counted_and_not_scored() -> None:
    rows, groups = study(4, {"a": 20, "b": 2}, {"a": 1.0, "b": 1.0})
    first = next(iter(groups))
    found = score_subgroups(rows, {v: g for v, g in groups.items() if v != first}, FEATURES, flips=500)
    small = found.subgroups[1]
    assert small.scores is None
    assert small.reason == "2 patients, fewer than 10: not scored"
    assert found.interactions == ()
    assert found.n_without == 1


def test_a_feature_that_few_patients_of_a_subgroup_show_is_not_tested() -> None:
    rows, groups = study(6, {"a": 20, "b": 20}, {"a": 1.0, "b": 1.0})
    rare = (rows["feature"] == "clonic") & rows["patient_id"].str.startswith("b")
    rows.loc[rare, "truth"] = "no"
    clonic = next(
        each
        for each in score_subgroups(rows, groups, FEATURES, flips=500).interactions
        if each.feature == "clonic"
    )
    assert clonic.reason is not None
    assert "fewer than 10" in clonic.reason
    assert math.isnan(clonic.p_adjusted)
    assert not clonic.difference.estimable


@pytest.mark.slow
def test_without_a_difference_few_studies_claim_one() -> None:
    claimed = 0
    for seed in range(100):
        rows, groups = study(seed, {"a": 15, "b": 40}, {"a": 0.8, "b": 0.8})
        found = score_subgroups(rows, groups, FEATURES, flips=500, seed=seed)
        claimed += any(each.p_adjusted < 0.05 for each in found.interactions if each.feature != MACRO)
    assert claimed <= 11  # 5 expected of 100; 12 or more in 0.4 % of such series


def test_a_feature_that_some_patients_were_not_asked_about_leaves_them_out() -> None:
    rows, groups = study(3, {"a": 20, "b": 16}, {"a": 1.5, "b": 0.5})
    absent = rows["patient_id"].isin(["a0", "a1", "b0", "b1", "b2"]) & (rows["feature"] == "tonic")
    rows = rows[~absent]
    both = score_subgroups(rows, groups, FEATURES, flips=200)
    alone = score_subgroups(rows[rows["feature"] == "tonic"], groups, ("tonic",), flips=200)
    one, two = (
        next(each for each in found.interactions if each.feature == "tonic") for found in (both, alone)
    )
    assert (one.difference.low, one.difference.high) == pytest.approx(
        (two.difference.low, two.difference.high)
    )
    asked = rows[rows["feature"] == "tonic"]
    assert one.difference.n == len(asked)
    assert one.difference.n_patients == asked["patient_id"].nunique() == 31


def test_a_feature_that_is_not_tested_leaves_the_mean_to_the_others() -> None:
    rows, groups = study(6, {"a": 20, "b": 20}, {"a": 1.5, "b": 0.5})
    rare = (rows["feature"] == "clonic") & rows["patient_id"].str.startswith("b")
    rows.loc[rare, "truth"] = "no"
    found = {
        each.feature: each for each in score_subgroups(rows, groups, FEATURES, flips=500, seed=1).interactions
    }
    assert set(found) == {"tonic", "clonic", MACRO}
    assert found[MACRO].difference.value == found["tonic"].difference.value
    assert found[MACRO].p_plain == found["tonic"].p_plain
    assert found["tonic"].p_adjusted == found["tonic"].p_plain  # alone in its family
    assert math.isnan(found["clonic"].p_adjusted)


def test_subgroups_with_other_classes_of_the_truth_are_not_compared() -> None:
    feature = "verbal_responsiveness"
    rows, groups = study(7, {"a": 30, "b": 30}, {"a": 1.5, "b": 0.5}, (feature,))
    only_a = rows["patient_id"].str.startswith("a") & (rows.index % 4 == 0)
    rows.loc[only_a, "truth"] = "na"
    (found,) = score_subgroups(rows, groups, (feature,), flips=500).interactions
    assert found.reason == "the subgroups hold other classes of the truth"
    assert math.isnan(found.p_plain)
