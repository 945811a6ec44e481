"""More than two classes, and rules: what is learned, what is multiplied, and how it is scored."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import balanced_accuracy_score, cohen_kappa_score, f1_score

from semiology.metrics.diagnosis.importances import importances
from semiology.metrics.diagnosis.out_of_fold import Cohort, diagnose
from semiology.metrics.diagnosis.rules import UNDECIDED, Rule, conclude, shares
from semiology.metrics.diagnosis.targets import Target, kappa_estimate, score_difference, score_of
from semiology.metrics.s3.two_stage import drawn_folds
from semiology.metrics.statistics.jackknife import jackknife_error

LOBES = ("frontal", "parietal", "temporal")
LOBE = Target("onset_lobe", LOBES)


def ward(patients: int = 30, *, noise: float = 0.1, seed: int = 0) -> tuple[pd.DataFrame, Cohort]:
    """Pelvic thrusting tells frontal, oral automatisms temporal, neither parietal; tonic is drawn."""
    rng = np.random.default_rng(seed)
    rows, truth, owner = {}, {}, {}
    for p in range(patients):
        for v in range(2):
            video, lobe = f"P{p:03d}_V{v}", LOBES[p % 3]
            truth[video], owner[video] = lobe, f"P{p:03d}"
            signs = {"pelvic_thrusting": lobe == "frontal", "oral_automatisms": lobe == "temporal"}
            rows[video] = {name: shown != (rng.random() < noise) for name, shown in signs.items()}
            rows[video]["tonic"] = rng.random() < 0.5
    vectors = pd.DataFrame.from_dict(rows, orient="index").astype(float).sort_index()
    folds = drawn_folds(truth, owner, folds=3, classes=LOBES)
    return vectors, Cohort(truth, owner, folds, target=LOBE)


@pytest.mark.parametrize("name", ["svm", "lr", "knn"])
def test_three_classes_are_learned_by_the_same_road(name: str) -> None:
    vectors, cohort = ward()
    found = diagnose(vectors, cohort, name, settings="nested")
    assert found.notes == ()
    assert score_of(found.answers, cohort.truth, LOBE) > 0.7
    p = np.array([found.probability[v] for v in vectors.index])
    assert p.shape == (60, 3)
    assert p.sum(1) == pytest.approx(1)
    likeliest = [LOBES[i] for i in p.argmax(1)]
    assert np.mean([found.answers[v] == each for v, each in zip(vectors.index, likeliest, strict=True)]) > 0.9
    looked = {one.feature: one.permutation.value for one in importances(vectors, found, cohort, shuffles=3)}
    assert looked["tonic"] < 0.1 < min(looked["pelvic_thrusting"], looked["oral_automatisms"])


def test_a_class_of_one_fold_is_never_the_answer_there_and_told() -> None:
    vectors, cohort = ward(12)
    owners = {"frontal": "a", "parietal": "b", "temporal": "b"}
    folds = {
        v: owners[c] if c == "frontal" else f"{int(cohort.patients[v][1:]) % 2}"
        for v, c in cohort.truth.items()
    }
    found = diagnose(vectors, replace(cohort, folds=folds), "lr")
    assert "fold a: no other patient has frontal → never the answer in this fold" in found.notes
    own = [v for v in folds if folds[v] == "a"]
    assert not any(found.answers[v] == "frontal" for v in own)
    assert all(found.probability[v][0] == 0 for v in own)


def test_too_few_patients_for_nested_folds_are_told() -> None:
    vectors, cohort = ward(6)
    folds = {v: str(int(cohort.patients[v][1:]) // 3) for v in vectors.index}
    found = diagnose(vectors, replace(cohort, folds=folds), "lr", settings="nested")
    assert found.notes[0] == "fold 0: patients of a class are too few for nested folds → default settings"


def test_scores_are_those_of_scikit_learn_and_intervals_of_leaving_out_patients() -> None:
    _, cohort = ward(12, seed=4)
    rng = np.random.default_rng(1)
    videos = sorted(cohort.truth)
    one, other = ({v: str(rng.choice(LOBES)) for v in videos} for _ in range(2))
    truth = [cohort.truth[v] for v in videos]

    def balanced(kept: list[str], said: dict[str, str]) -> float:
        return float(balanced_accuracy_score([cohort.truth[v] for v in kept], [said[v] for v in kept]))

    assert score_of(one, cohort.truth, LOBE) == pytest.approx(balanced(videos, one))
    macro = f1_score(truth, [one[v] for v in videos], average="macro")
    assert score_of(one, cohort.truth, LOBE, "macro_f1") == pytest.approx(macro)
    always = dict.fromkeys(videos, "frontal")
    assert score_of(always, cohort.truth, LOBE) == pytest.approx(1 / 3)
    found = score_difference(one, other, cohort.truth, cohort.patients, LOBE)
    assert found.value == pytest.approx(balanced(videos, one) - balanced(videos, other))
    left = []
    for patient in set(cohort.patients.values()):
        kept = [v for v in videos if cohort.patients[v] != patient]
        left.append(balanced(kept, one) - balanced(kept, other))
    assert found.low is not None
    assert found.high is not None
    assert found.high - found.low == pytest.approx(2 * 2.200985 * jackknife_error(np.array(left)))
    kappa = kappa_estimate(one, cohort.truth, cohort.patients, LOBE)
    assert kappa.value == pytest.approx(cohen_kappa_score(truth, [one[v] for v in videos]))


def test_odds_of_rules_are_multiplied_from_equal_ones() -> None:
    assert shares([], ["a", "b"]).tolist() == [0.5, 0.5]
    assert shares([{"a": 3.0}, {"b": 0.5}, {"c": 9.0}], ["a", "b"]).tolist() == pytest.approx([6 / 7, 1 / 7])


def test_rules_point_away_from_a_side_and_say_nothing_where_they_do_not_apply() -> None:
    version = Rule("version", {"head_turning": "yes", "tonic": "yes"}, side_of="head_turning", times=4)
    hand = Rule("hand", {"tonic": "no"}, side_of="arm_movement", points="ipsilateral", times=2)
    nan = np.nan
    rows = {
        "right": (1, 1, 1.0, nan),  # turns to the right: onset on the left
        "hand": (0, 0, nan, 1.0),
        "no side": (1, 1, nan, nan),
        "not asked": (nan, 1, 1.0, nan),
        "p(yes)": (0.8, 0.6, 0.0, nan),
    }
    columns = ["head_turning", "tonic", "head_turning_side", "arm_movement_side"]
    vectors = pd.DataFrame.from_dict(rows, orient="index", columns=columns)
    found = conclude(vectors, [version, hand], ["left", "right"], list(rows))
    assert found.answers == {
        "right": "left", "hand": "right", "no side": UNDECIDED, "not asked": UNDECIDED, "p(yes)": "right",
    }  # fmt: skip
    assert found.probability["right"] == pytest.approx((0.8, 0.2))
    assert found.probability["hand"] == pytest.approx((1 / 3, 2 / 3))
    assert found.reasons["right"] == ("version",)
    assert found.reasons["no side"] == ()
    assert found.notes == ()
    silent = conclude(vectors.drop(columns="arm_movement_side"), [version, hand], ["left", "right"], ["hand"])
    assert silent.notes == ("has no answers for hand → these rules never apply",)
    both = conclude(vectors, [Rule("a", {"tonic": "yes"}, {"left": 2}), Rule("b", {"tonic": "yes"}, {"right": 2})],
                    ["left", "right"], ["right"])  # fmt: skip
    assert both.answers == {"right": UNDECIDED}  # they cancel out
    assert both.reasons == {"right": ("a", "b")}
