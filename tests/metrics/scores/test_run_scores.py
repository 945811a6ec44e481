from __future__ import annotations

import os
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import expit, logit
from scipy.stats import t as student
from sklearn.metrics import balanced_accuracy_score, f1_score

from semiology.metrics.scores.counts import encode, patient_tables
from semiology.metrics.scores.run_scores import score_run

FEATURES = ["tonic", "clonic", "verbal_responsiveness"]


def recordings(
    patients: int = 30, seed: int = 0, features: list[str] = FEATURES, skill: float = 0.7
) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    rows = []
    for patient in range(patients):
        for video in range(rng.integers(1, 5)):
            for feature in features:
                words = ["yes", "no", "na"] if feature == "verbal_responsiveness" else ["yes", "no"]
                truth = str(rng.choice(words))
                answer = truth if rng.random() < skill else str(rng.choice(["yes", "no", "na", "unparsed"]))
                rows.append((f"p{patient:02d}", f"p{patient:02d}v{video}", feature, answer, truth))
    return pd.DataFrame(rows, columns=["patient_id", "video_id", "feature", "answer", "truth"])


def test_scores_do_not_depend_on_the_order_of_rows() -> None:
    frame = recordings()
    assert score_run(frame) == score_run(frame.sample(frac=1, random_state=3))


def test_intervals_are_the_same_whatever_the_seed() -> None:
    frame = recordings()
    one, other = score_run(frame), score_run(frame, seed=1)
    assert [each.estimates for each in one.features] == [each.estimates for each in other.features]
    assert one.macros[0].estimates == other.macros[0].estimates


def test_duplicating_every_recording_leaves_values_and_jackknife_limits_alone() -> None:
    frame = recordings()
    once, twice = score_run(frame), score_run(pd.concat([frame, frame]))
    for a, b in zip(once.features, twice.features, strict=True):
        assert (2 * a.n, a.n_patients, a.n_positive_patients) == (b.n, b.n_patients, b.n_positive_patients)
        for name in ("balanced_accuracy", "mcc", "f1_minus_always_yes"):
            first, second = a.estimates[name], b.estimates[name]
            assert (first.value, first.low, first.high) == pytest.approx(
                (second.value, second.low, second.high)
            )
        # The variance of F1 is at least that of independent recordings, and here below that of the patients.
        assert a.estimates["f1"].value == b.estimates["f1"].value
        assert a.estimates["f1"].low == pytest.approx(b.estimates["f1"].low, abs=0.05)


def test_renaming_patients_in_order_changes_nothing_but_merging_them_widens() -> None:
    frame = recordings(40, features=["tonic"])
    merged = frame.assign(
        patient_id="m" + (frame["patient_id"].str[1:].astype(int) // 3).astype(str).str.zfill(2)
    )
    renamed = frame.assign(patient_id="x" + frame["patient_id"])
    assert score_run(frame) == score_run(renamed)
    wide, narrow = score_run(merged).features[0], score_run(frame).features[0]
    assert wide.estimates["accuracy"].n_patients < narrow.estimates["accuracy"].n_patients
    assert wide.estimates["f1"].value == narrow.estimates["f1"].value


def test_the_macro_is_the_mean_of_the_features_and_its_interval_resamples_them_jointly() -> None:
    frame = recordings(features=["tonic", "clonic"])
    run = score_run(frame, groups={"limb_body": ["tonic", "clonic", "figure4"]})
    macro = run.macros[0]
    assert macro.features == ("clonic", "tonic")
    mean = np.mean([f.estimates["f1"].value for f in run.features])
    assert macro.estimates["f1"].value == pytest.approx(mean)
    assert macro.estimates["always_yes_f1"].value == pytest.approx(
        np.mean([f.always_yes_f1 for f in run.features])
    )
    # Two copies of one feature carry no more information than one.
    copy = frame[frame["feature"] == "tonic"]
    double = score_run(pd.concat([copy, copy.assign(feature="clonic")]))
    single = double.features[0].estimates["f1"]
    joint = double.macros[0].estimates["f1"]
    assert (single.low, single.high) == pytest.approx((joint.low, joint.high), abs=0.01)


def test_the_macro_interval_is_the_t_interval_of_leaving_out_each_patient_with_scikit_learn() -> None:
    frame = recordings(25, features=["tonic", "clonic"])
    frame["answer"] = frame["answer"].replace({"na": "no", "unparsed": "no"})
    estimate = score_run(frame).macros[0].estimates["f1"]

    def macro(rows: pd.DataFrame) -> float:
        return float(
            np.mean(
                [f1_score(own["truth"], own["answer"], pos_label="yes") for _, own in rows.groupby("feature")]
            )
        )

    names = sorted(set(frame["patient_id"]))
    value, without = macro(frame), np.array([macro(frame[frame["patient_id"] != name]) for name in names])
    error = np.sqrt(24 / 25 * ((without - without.mean()) ** 2).sum()) / (value * (1 - value))
    sizes = frame.groupby("patient_id").size().to_numpy(float)
    reach = student.ppf(0.975, sizes.sum() ** 2 / (sizes**2).sum() - 1) * error
    np.testing.assert_allclose([estimate.low, estimate.high], expit(logit(value) + np.array([-reach, reach])))


def test_scores_from_few_positive_patients_keep_the_value_and_say_why_there_is_no_interval() -> None:
    frame = recordings(features=["tonic"])
    frame.loc[frame["patient_id"] >= "p09", "truth"] = "no"
    scores = score_run(frame).features[0]
    assert scores.n_positive_patients < 10
    for name in ("f1", "recall", "precision", "mcc", "balanced_accuracy", "f1_minus_always_yes"):
        assert not scores.estimates[name].estimable
        assert "fewer than 10" in (scores.estimates[name].reason or "")
        assert not np.isnan(scores.estimates[name].value)
    assert scores.estimates["accuracy"].estimable
    assert scores.estimates["specificity"].estimable
    assert scores.clears_chance is None


def test_few_patients_still_give_a_macro_interval_with_a_caution() -> None:
    macro = score_run(recordings(6)).macros[0]
    assert macro.estimates["f1"].estimable
    assert "only 5" in (macro.estimates["f1"].caution or "")
    assert score_run(recordings(30)).macros[0].estimates["f1"].caution is None
    assert not score_run(recordings(1)).macros[0].estimates["f1"].estimable


def test_a_good_model_clears_always_yes_and_always_yes_does_not() -> None:
    frame = recordings(40, skill=1.0)
    assert all(f.clears_chance for f in score_run(frame).features)
    always = score_run(frame.assign(answer="yes"))
    assert not any(f.clears_chance for f in always.features)
    assert all(f.estimates["f1"].value == f.always_yes_f1 for f in always.features)
    assert always.macros[0].estimates["f1_minus_always_yes"].value == 0
    assert (
        always.features[0].estimates["mcc"].reason
        == "the same whichever patient is left out, as for constant answers"
    )
    assert always.macros[0].against_always_yes["f1"] == "same answers"


def test_a_feature_that_nobody_shows_is_left_out_of_the_macro_by_name() -> None:
    frame = recordings(features=["tonic", "clonic"])
    frame.loc[frame["feature"] == "clonic", "truth"] = "no"
    run = score_run(frame)
    assert run.macros[0].left_out == ("clonic",)
    assert run.macros[0].estimates["f1"].value == run.features[1].estimates["f1"].value


def test_exclusions_are_counted_by_kind() -> None:
    frame = pd.DataFrame(
        {
            "patient_id": list("abcdef"),
            "feature": "tonic",
            "truth": ["yes", "no", "na", None, "yes", "no"],
            "answer": ["yes", "no", "yes", "yes", "unparsed", "na"],
        }
    )
    wrong, drop = (score_run(frame, policy=p).features[0] for p in ("wrong", "drop"))  # type: ignore[arg-type]
    assert (wrong.n, wrong.n_na_truth, wrong.n_without_truth, wrong.n_dropped) == (4, 1, 1, 0)
    assert (drop.n, drop.n_na_truth, drop.n_without_truth, drop.n_dropped) == (2, 1, 1, 2)
    assert (wrong.n_unparsed, wrong.n_na) == (drop.n_unparsed, drop.n_na) == (1, 1)
    assert (wrong.estimates["accuracy"].value, drop.estimates["accuracy"].value) == (0.5, 1.0)


def test_an_na_answer_to_verbal_responsiveness_is_a_class_and_not_a_dropout() -> None:
    frame = pd.DataFrame(
        {"patient_id": list("abc"), "truth": ["yes", "no", "na"], "answer": ["yes", "no", "na"]}
    )
    verbal = score_run(frame.assign(feature="verbal_responsiveness"), policy="drop").features[0]
    assert verbal.three_classes
    assert (verbal.n, verbal.n_na_truth, verbal.estimates["f1"].value) == (3, 0, 1.0)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000))
def test_tables_of_patients_add_up_to_the_rows(seed: int) -> None:
    frame = recordings(8, seed)
    tables = patient_tables(frame)
    assert tables.counts.sum() == len(frame)
    assert tables.patients == tuple(sorted(set(frame["patient_id"])))


def test_rows_without_a_patient_or_with_strange_words_are_refused() -> None:
    frame = recordings(3)
    with pytest.raises(ValueError, match="no patient_id"):
        patient_tables(frame.assign(patient_id=None))
    with pytest.raises(ValueError, match="no column 'truth'"):
        patient_tables(frame.drop(columns="truth"))
    with pytest.raises(ValueError, match="unknown truth 'y'"):
        encode(["y"], ["yes", "no"], "truth")


def test_a_feature_never_answered_yes_counts_as_zero_in_the_macro_precision() -> None:
    frame = recordings(features=["tonic", "clonic"])
    frame.loc[frame["feature"] == "clonic", "answer"] = "no"
    run = score_run(frame)
    clonic, tonic = run.features
    assert np.isnan(clonic.estimates["precision"].value)
    assert run.macros[0].estimates["precision"].value == pytest.approx(tonic.estimates["precision"].value / 2)


def test_seeded_results_do_not_depend_on_the_hash_seed() -> None:
    code = (
        "import pandas as pd; from semiology.metrics.scores.run_scores import score_run;"
        "f = pd.DataFrame({'patient_id': [f'p{i // 2}' for i in range(60)], 'feature': 'tonic',"
        "'truth': ['yes', 'no', 'no'] * 20, 'answer': ['yes', 'yes', 'no', 'no', 'unparsed'] * 12});"
        "e = score_run(f).features[0].estimates['f1']; print(repr((e.value, e.low, e.high)))"
    )
    shown = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("0", "1")
    }
    assert len(shown) == 1


def test_scores_that_need_recordings_without_the_sign_say_so_if_too_few_patients_have_them() -> None:
    frame = recordings(features=["tonic"])
    frame["truth"] = np.where(frame["patient_id"] < "p09", "no", "yes")
    scores = score_run(frame).features[0]
    for name in ("specificity", "balanced_accuracy", "mcc", "kappa"):
        assert "without the feature come from 9 patients" in (scores.estimates[name].reason or "")
    assert scores.estimates["recall"].estimable
    assert scores.estimates["f1"].estimable
    frame["truth"] = np.where(frame["patient_id"] < "p10", "no", "yes")
    assert score_run(frame).features[0].estimates["specificity"].estimable


@pytest.mark.parametrize(("patients", "claimed"), [(5, None), (6, True)])
def test_nothing_is_claimed_of_fewer_patients_than_a_test_needs(patients: int, claimed: bool | None) -> None:
    macro = score_run(recordings(patients, skill=0.95)).macros[0]
    low = macro.estimates["f1_minus_always_yes"].low
    assert low is not None
    assert low > 0
    assert macro.clears_chance is claimed


def test_counts_of_a_run_are_those_of_the_rows() -> None:
    frame = recordings(features=["tonic", "clonic"], seed=4)
    frame = frame[(frame["feature"] == "tonic") | (frame["patient_id"] > "p11")]
    run = score_run(frame)
    for each in run.features:
        rows = frame[frame["feature"] == each.feature]
        yes = rows[rows["truth"] == "yes"]
        assert (each.n, each.n_patients) == (len(rows), rows["patient_id"].nunique())
        assert (each.n_positive, each.n_positive_patients) == (len(yes), yes["patient_id"].nunique())
        assert each.n_unparsed == (rows["answer"] == "unparsed").sum()
        assert each.n_na == (rows["answer"] == "na").sum()
        assert {(e.n, e.n_patients) for e in (each.estimates["f1"], each.estimates["mcc"])} == {
            (each.n, each.n_patients)
        }
        assert each.estimates["yes_rate"].value == pytest.approx((rows["answer"] == "yes").mean())
        assert each.estimates["na_rate"].value == pytest.approx((rows["answer"] == "na").mean())
        assert each.estimates["unparsed_rate"].value == pytest.approx((rows["answer"] == "unparsed").mean())
        assert each.estimates["accuracy"].value == pytest.approx((rows["answer"] == rows["truth"]).mean())
    macro = run.macros[0].estimates["f1"]
    assert (macro.n, macro.n_patients) == (len(frame), frame["patient_id"].nunique())


def test_a_perfect_run_has_the_mean_interval_of_its_features() -> None:
    frame = recordings(30, features=["tonic", "clonic"], skill=1.0)
    run = score_run(frame)
    each = [feature.estimates["f1"] for feature in run.features]
    macro, balanced = run.macros[0].estimates["f1"], run.features[0].estimates["balanced_accuracy"]
    assert (macro.value, macro.high) == (1.0, 1.0)
    assert macro.low == pytest.approx(np.mean([one.low for one in each]))
    parts = [run.features[0].estimates[name].low for name in ("recall", "specificity")]
    assert balanced.low == pytest.approx(np.mean(parts))
    assert (macro.n, macro.n_patients) == (len(frame), 30)


def test_balanced_accuracy_has_the_degrees_of_freedom_of_its_scarcer_kind_of_recordings() -> None:
    """Against scikit-learn without each patient: here recordings with the feature weigh like fewer patients."""
    frame = recordings(24, features=["tonic"], seed=2)
    frame["answer"] = frame["answer"].replace({"na": "no", "unparsed": "no"})
    frame.loc[(frame["patient_id"] > "p13"), "truth"] = "no"
    found = score_run(frame).features[0].estimates["balanced_accuracy"]
    names = sorted(set(frame["patient_id"]))

    def score(rows: pd.DataFrame) -> float:
        return float(balanced_accuracy_score(rows["truth"], rows["answer"]))

    value, without = score(frame), np.array([score(frame[frame["patient_id"] != name]) for name in names])
    error = np.sqrt(23 / 24 * ((without - without.mean()) ** 2).sum()) / (value * (1 - value))
    sizes = [
        frame[frame["truth"] == word].groupby("patient_id").size().to_numpy(float) for word in ("yes", "no")
    ]
    kish = [size.sum() ** 2 / (size**2).sum() for size in sizes]
    assert kish[0] < kish[1] - 2
    reach = student.ppf(0.975, kish[0] - 1) * error
    assert (found.low, found.high) == pytest.approx(
        (expit(logit(value) - reach), expit(logit(value) + reach))
    )
