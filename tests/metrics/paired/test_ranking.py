"""AUROC of two conditions, paired, held against scikit-learn, brute force over signs, and simulation."""

from __future__ import annotations

import itertools

import numpy as np
import pandas as pd
import pytest
from scipy.stats import t
from sklearn.metrics import roc_auc_score

from semiology.metrics.paired.ranking import RANKED_COLUMNS, compare_ranking


def ranked_pairs(
    patients: int = 8, *, better: float = 1.0, seed: int = 0, features: tuple[str, ...] = ("tonic", "clonic")
) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    rows = []
    for feature, patient in itertools.product(features, range(patients)):
        own = rng.normal(size=2)
        for video in range(int(rng.integers(2, 6))):
            truth = video % 2 == 0 if video < 2 else bool(rng.random() < 0.4)
            z = 0.8 * own + rng.normal(size=2) + np.array([0.8, 0.8 * better]) * truth
            p = np.round(1 / (1 + np.exp(-z)), 2)
            rows.append((f"p{patient}v{video}", f"p{patient}", feature, "yes" if truth else "no", *p))
    return pd.DataFrame(rows, columns=list(RANKED_COLUMNS))


def auroc(pairs: pd.DataFrame, side: str) -> float:
    return float(roc_auc_score(pairs["truth"] == "yes", pairs[side]))


def test_scores_and_intervals_leave_out_each_patient_and_signs_are_brute_force() -> None:
    pairs = ranked_pairs(12, better=2)
    found = compare_ranking(pairs, ["clonic", "tonic"])
    assert found is not None
    assert [each.feature for each in found.features] == ["clonic", "tonic"]
    seen, without, shares = {}, {}, {}
    names = sorted(set(pairs["patient_id"]))
    for each in found.features:
        own = pairs[pairs["feature"] == each.feature]
        assert each.score.first == pytest.approx(auroc(own, "first"))
        assert each.score.second == pytest.approx(auroc(own, "second"))
        seen[each.feature] = auroc(own, "second") - auroc(own, "first")
        rest = [own[own["patient_id"] != name] for name in names]
        without[each.feature] = np.array([auroc(r, "second") - auroc(r, "first") for r in rest])
        is_yes = own["truth"] == "yes"
        shares[each.feature] = np.array(
            [
                np.mean([(own["patient_id"][rows] == name).mean() for rows in (is_yes, ~is_yes)])
                for name in names
            ]
        )
        spread = without[each.feature]
        error = np.sqrt(11 / 12 * ((spread - spread.mean()) ** 2).sum())
        sizes = [own.loc[rows, "patient_id"].value_counts() for rows in (is_yes, ~is_yes)]
        freedom = min(size.sum() ** 2 / (size**2).sum() for size in sizes) - 1
        reach = t.ppf(0.975, freedom) * error
        limits = each.score.difference.low, each.score.difference.high
        assert limits == pytest.approx((seen[each.feature] - reach, seen[each.feature] + reach))
        # every sign of the twelve patients
        c = seen[each.feature] - spread + shares[each.feature] * seen[each.feature]
        sums = [abs(np.dot(signs, c)) for signs in itertools.product((1, -1), repeat=12)]
        exact = np.mean(np.array(sums) >= abs(seen[each.feature]) - 1e-9)
        assert each.score.p_value == pytest.approx(exact)
    assert found.macro is not None
    assert found.macro.difference.value == pytest.approx(np.mean(list(seen.values())))
    target = found.macro.difference.value
    c = np.mean([seen[f] - without[f] + shares[f] * target for f in seen], axis=0)
    sums = [abs(np.dot(signs, c)) for signs in itertools.product((1, -1), repeat=12)]
    assert found.macro.p_value == pytest.approx(np.mean(np.array(sums) >= abs(target) - 1e-9))


def test_what_cannot_be_ranked_is_left_out_and_counted() -> None:
    pairs = ranked_pairs(12)
    assert compare_ranking(pairs.assign(second=np.nan), ["tonic"]) is None
    pairs.loc[pairs["feature"] == "clonic", "truth"] = "no"
    pairs.loc[0, "first"] = np.nan
    found = compare_ranking(pairs, ["tonic", "clonic"])
    assert found is not None
    assert [each.feature for each in found.features] == ["tonic"]
    assert found.n_unknown == 1
    assert found.features[0].n == (pairs["feature"] == "tonic").sum() - 1
    few = compare_ranking(ranked_pairs(6), ["tonic"])
    assert few is not None
    assert not few.features[0].score.difference.estimable
    assert np.isnan(few.features[0].score.p_max_t)


def test_sides_of_one_auroc_are_told_apart_in_about_five_per_cent_of_studies() -> None:
    found = []
    for seed in range(150):
        result = compare_ranking(ranked_pairs(30, seed=seed, features=("tonic",)), ["tonic"], flips=200)
        assert result is not None
        found.append(result.features[0].score.p_value < 0.05)
    assert 0.005 <= np.mean(found) <= 0.1
    better = compare_ranking(ranked_pairs(30, better=3, features=("tonic",)), ["tonic"])
    assert better is not None
    assert better.features[0].score.p_value < 0.01


def test_a_feature_beside_others_has_the_result_that_it_has_alone() -> None:
    """Patients who were asked about another feature only do not count, and the mean counts those of either."""
    pairs = ranked_pairs(30, better=2)
    few = pairs["patient_id"].isin([f"p{i}" for i in range(12)]) & (pairs["feature"] == "tonic")
    pairs = pairs[~few]
    both, alone = compare_ranking(pairs, ["clonic", "tonic"]), compare_ranking(pairs, ["tonic"])
    assert both is not None
    assert alone is not None
    one, two = both.features[1], alone.features[0]
    assert (one.n, one.n_patients, one.n_positive, one.n_positive_patients) == (
        two.n,
        18,
        two.n_positive,
        two.n_positive_patients,
    )
    assert one.score.difference == two.score.difference
    assert one.score.equivalence == two.score.equivalence
    assert both.macro is not None
    assert (both.macro.difference.n, both.macro.difference.n_patients) == (len(pairs), 30)
    changed = pairs["first"] != pairs["second"]
    assert both.macro.equivalence.n_discordant == changed.sum()
    sizes = pairs.groupby("patient_id").size()
    kish = sizes.sum() ** 2 / (sizes**2).sum()
    spread = [each.score.difference.value for each in both.features]
    assert both.macro.difference.value == pytest.approx(np.mean(spread))
    without = []
    for name in sorted(set(pairs["patient_id"])):
        rest = pairs[pairs["patient_id"] != name]
        own = [rest[rest["feature"] == feature] for feature in ("clonic", "tonic")]
        without.append(np.mean([auroc(each, "second") - auroc(each, "first") for each in own]))
    error = np.sqrt(29 / 30 * ((np.array(without) - np.mean(without)) ** 2).sum())
    reach = t.ppf(0.975, kish - 1) * error
    assert both.macro.difference.low == pytest.approx(np.mean(spread) - reach)


def test_a_mean_counts_patients_who_show_any_of_its_features() -> None:
    pairs = ranked_pairs(24)
    for feature, last in (("tonic", 6), ("clonic", 4)):
        lacking = ~pairs["patient_id"].isin([f"p{i}" for i in range(last)]) & (pairs["feature"] == feature)
        pairs.loc[lacking, "truth"] = "no"
    found = compare_ranking(pairs, ["clonic", "tonic"])
    assert found is not None
    assert found.macro is not None
    assert found.macro.difference.caution == "patients who show any of the features: only 6"
    assert found.macro.difference.estimable
