"""The second stage: who is learned from, what is chosen, what is lost when a feature is shuffled, what it is worth."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.ensemble import RandomForestClassifier
from sklearn.metrics import f1_score

from semiology.metrics.diagnosis.classifiers import CLASSIFIERS, Settings
from semiology.metrics.diagnosis.decisions import decision_curve
from semiology.metrics.diagnosis.importances import balanced_loss, importances
from semiology.metrics.diagnosis.out_of_fold import Cohort, diagnose
from semiology.metrics.diagnosis.targets import ES_OR_NES, score_difference
from semiology.metrics.s3.two_stage import drawn_folds, feature_vectors
from semiology.metrics.statistics.jackknife import jackknife_error

S3 = Path(__file__).parents[4] / "shared" / "s3_published" / "ground_truth"


def ward(patients: int = 24, *, noise: float = 0.15, seed: int = 0) -> tuple[pd.DataFrame, Cohort]:
    """Vectors and cohort: tonic tells ES up to noise, head turning is drawn, figure 4 is rare, sleep is missing."""
    rng = np.random.default_rng(seed)
    rows, diagnosis, owner = {}, {}, {}
    for p in range(patients):
        for v in range(2):
            video = f"P{p:03d}_V{v}"
            diagnosis[video], owner[video] = ("ES", "NES")[p % 2], f"P{p:03d}"
            tonic = (p % 2 == 0) != (rng.random() < noise)
            rows[video] = {"tonic": tonic, "head_turning": rng.random() < 0.5, "figure4": p < 3 and v == 0}
            rows[video]["occur_during_sleep"] = np.nan if rng.random() < 0.3 else rng.random() < 0.5
    vectors = pd.DataFrame.from_dict(rows, orient="index").astype(float).sort_index()
    return vectors, Cohort(diagnosis, owner, drawn_folds(diagnosis, owner, folds=4))


FORESTS = [pytest.param("rf", marks=pytest.mark.slow), pytest.param("gb", marks=pytest.mark.slow)]


@pytest.mark.parametrize("settings", ["published", "nested"])
@pytest.mark.parametrize("name", ["svm", "knn", "lr", *FORESTS])
def test_every_classifier_learns_what_tells(name: str, settings: Settings) -> None:
    vectors, cohort = ward(16)
    found = diagnose(vectors, cohort, name, settings=settings)
    right = np.mean([found.answers[v] == cohort.truth[v] for v in vectors.index])
    # Boosting's leaves of 20 recordings hold no split of 24: it says the commoner diagnosis, and is no better.
    assert right > (0.45 if name == "gb" else 0.7)
    assert all(sum(found.probability[v]) == pytest.approx(1) for v in vectors.index)
    chosen = [set(part.fitted.chosen) for part in found.parts]
    assert all(names == (set(CLASSIFIERS[name].grid) if settings == "nested" else set()) for names in chosen)


def test_boosting_learns_on_a_larger_ward() -> None:
    vectors, cohort = ward(48)
    found = diagnose(vectors, cohort, "gb")
    assert np.mean([found.answers[v] == cohort.truth[v] for v in vectors.index]) > 0.7


def test_published_settings_are_those_of_scikit_learn() -> None:
    vectors, cohort = ward(12)
    found = diagnose(vectors, cohort, "rf")
    folds = np.array([cohort.folds[v] for v in vectors.index])
    for fold in set(folds):
        own = RandomForestClassifier(random_state=0)
        own.fit(vectors[folds != fold], [cohort.truth[v] for v in vectors.index[folds != fold]])
        expected = own.predict(vectors[folds == fold])
        assert [found.answers[v] for v in vectors.index[folds == fold]] == expected.tolist()


def test_a_protected_patient_is_diagnosed_and_never_learned_from() -> None:
    vectors, cohort = ward(24, noise=0.0)
    protected = [v for v in vectors.index if v < "P008"]
    learners = frozenset(set(vectors.index) - set(protected))
    folds = drawn_folds({v: cohort.truth[v] for v in learners}, cohort.patients, folds=3)
    folds |= dict.fromkeys(protected, "confirm")
    closed = replace(cohort, folds=folds, learners=learners)
    # Were they learned from, their diagnoses, turned round here, would be too.
    wrong = {v: {"ES": "NES", "NES": "ES"}[d] if v in protected else d for v, d in cohort.truth.items()}
    for name in ("knn", "lr"):
        found = diagnose(vectors, closed, name)
        assert found.answers == {v: cohort.truth[v] for v in vectors.index}
        assert diagnose(vectors, replace(closed, truth=wrong), name).answers == found.answers
        assert diagnose(vectors, replace(closed, learners=None, truth=wrong), name).answers != found.answers


def test_what_cannot_be_learned_is_told_or_refused() -> None:
    vectors, cohort = ward(8)
    by_diagnosis = replace(cohort, folds={v: cohort.truth[v] for v in vectors.index})
    found = diagnose(vectors, by_diagnosis, "lr")
    assert found.answers == {}
    assert found.notes[0] == "fold ES: the other patients leave only NES to learn from → not diagnosed"
    split = replace(cohort, folds={v: v[-1] for v in vectors.index})
    with pytest.raises(ValueError, match="P000_V1: its patient is in folds 0 and 1"):
        diagnose(vectors, split, "rf")
    half = replace(cohort, learners=frozenset(v for v in vectors.index if v.endswith("V0")))
    with pytest.raises(ValueError, match="P000_V1: its patient is both protected and learned from"):
        diagnose(vectors, half, "rf")


def test_a_classifier_looks_at_what_tells() -> None:
    vectors, cohort = ward(40)
    found = importances(vectors, diagnose(vectors, cohort, "lr"), cohort)
    by_feature = {one.feature: one for one in found}
    tonic = by_feature["tonic"].permutation
    assert tonic.low is not None
    assert tonic.low > 0.1
    assert by_feature["head_turning"].permutation.value < 0.1
    assert by_feature["figure4"].positives == 3
    forest = importances(vectors, diagnose(vectors, cohort, "rf"), cohort, shuffles=2)
    assert forest[0].feature == "tonic"
    assert sum(one.impurity or 0 for one in forest) == pytest.approx(1)
    assert importances(vectors, diagnose(vectors, cohort, "knn"), cohort)[0].impurity is None


def test_balanced_loss_and_its_interval_are_those_of_brute_force() -> None:
    _, cohort = ward(12, seed=3)
    rng = np.random.default_rng(1)
    lost = {v: float(rng.integers(-1, 2)) for v in sorted(cohort.truth)}

    def balanced(videos: list[str]) -> float:
        parts = [[lost[v] for v in videos if cohort.truth[v] == d] for d in ("ES", "NES")]
        return float(np.mean([np.mean(part) for part in parts]))

    found = balanced_loss(lost, cohort)
    left_out = [balanced([v for v in lost if cohort.patients[v] != p]) for p in set(cohort.patients.values())]
    assert found.value == pytest.approx(balanced(list(lost)))
    assert found.low is not None
    assert found.high is not None
    # Twelve equal patients: t with eleven degrees of freedom.
    assert found.high - found.low == pytest.approx(2 * 2.200985 * jackknife_error(np.array(left_out)))


def test_the_difference_of_f1_is_that_of_scikit_learn() -> None:
    _, cohort = ward(12)
    rng = np.random.default_rng(2)
    videos = sorted(cohort.truth)
    one, other = ({v: str(rng.choice(["ES", "NES"])) for v in videos} for _ in range(2))
    truth = [cohort.truth[v] for v in videos]
    expected = [f1_score(truth, [each[v] for v in videos], pos_label="ES") for each in (one, other)]
    found = score_difference(one, other, cohort.truth, cohort.patients, ES_OR_NES)
    assert found.value == pytest.approx(expected[0] - expected[1])
    assert found.low is not None
    assert found.low < found.value
    with pytest.raises(ValueError, match="different recordings"):
        score_difference(one, {}, cohort.truth, cohort.patients, ES_OR_NES)


def test_net_benefit_by_hand() -> None:
    truth = np.array([True] * 6 + [False] * 4)
    p = np.array([0.9] * 5 + [0.1] + [0.8] * 1 + [0.05] * 3)
    (point,) = decision_curve(truth, p, [0.25])
    assert point.net_benefit == pytest.approx(5 / 10 - 1 / 10 * (0.25 / 0.75))
    assert point.treat_all == pytest.approx(6 / 10 - 4 / 10 * (0.25 / 0.75))
    assert decision_curve(truth, p, [0.95])[0].net_benefit == 0


def test_the_ceiling_on_the_published_annotations_and_folds() -> None:
    """docs/results/diagnosis.md: no forest on the experts' own annotations reaches the printed mean of 0.95."""
    if not S3.exists():
        pytest.skip("the published S3 annotations are not at hand")
    videos = pd.read_csv(S3 / "videos.csv.gz", dtype=str, keep_default_na=False).set_index("video_id")
    videos = videos[videos["diagnosis"].isin(["ES", "NES"])]
    marks = pd.read_csv(S3 / "annotations.csv.gz", dtype=str, keep_default_na=False)
    vectors = feature_vectors(marks.rename(columns={"present": "answer"}))
    truth, patients, folds = (videos[name].to_dict() for name in ("diagnosis", "patient_id", "fold"))
    cohort = Cohort(truth, patients, folds)
    for name, mean in (("rf", 0.90), ("svm", 0.92)):
        found = diagnose(vectors, cohort, name).answers
        by_fold = [
            f1_score([truth[v] for v in part], [found[v] for v in part], pos_label="ES")
            for part in ([v for v in truth if folds[v] == fold] for fold in "01234")
        ]
        assert np.mean(by_fold) == pytest.approx(mean, abs=0.005)
