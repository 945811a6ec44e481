"""What classifiers may choose among, with how few patients they choose, and permutation importance written out."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import balanced_accuracy_score, cohen_kappa_score
from sklearn.model_selection import GridSearchCV, StratifiedGroupKFold
from sklearn.pipeline import make_pipeline
from sklearn.svm import SVC

from semiology.metrics.diagnosis import classifiers
from semiology.metrics.diagnosis.classifiers import CLASSIFIERS, fit
from semiology.metrics.diagnosis.decisions import THRESHOLDS
from semiology.metrics.diagnosis.importances import importances
from semiology.metrics.diagnosis.out_of_fold import Cohort, Diagnoses, Part
from semiology.metrics.diagnosis.targets import ES_OR_NES, kappa_estimate, score_difference


def test_settings_and_thresholds_are_those_fixed_beforehand() -> None:
    """docs/results/diagnosis.md: names of S3 Table 32, and the settings that nested folds choose among."""
    balance = {"class_weight": [None, "balanced"]}
    found = {name: (each.label, dict(each.grid), each.bears_gaps) for name, each in CLASSIFIERS.items()}
    assert found == {
        "rf": ("Random Forest", {"min_samples_leaf": [1, 4], **balance}, True),
        "svm": ("SVM", {"C": [0.1, 0.3, 1.0, 3.0, 10.0], **balance}, False),
        "knn": ("KNN", {"n_neighbors": [3, 5, 9, 15, 25]}, False),
        "lr": ("Logistic Regression", {"C": [0.03, 0.1, 0.3, 1.0, 3.0], **balance}, False),
        "gb": ("Gradient Boosting", {"min_samples_leaf": [5, 20], **balance}, True),
    }
    assert tuple(step / 20 for step in range(1, 20)) == THRESHOLDS


def ward(es: int, nes: int, seed: int = 0, recordings: int = 2) -> tuple[np.ndarray, np.ndarray, list[str]]:
    """Rows, diagnoses and patients; the first feature tells."""
    rng = np.random.default_rng(seed)
    truths = np.repeat(["ES"] * es + ["NES"] * nes, recordings)
    rows = rng.integers(0, 2, (len(truths), 3)).astype(float)
    rows[:, 0] = np.where(rng.random(len(truths)) < 0.8, truths == "ES", rows[:, 0])
    return rows, truths, [f"p{i:02d}" for i in range(es + nes) for _ in range(recordings)]


def learned(name: str, es: int, nes: int, settings: Any = "nested", recordings: int = 2) -> Any:
    rows, truths, patients = ward(es, nes, recordings=recordings)
    return fit(name, rows, truths, patients, ["a", "b", "c"], settings=settings, seed=0)


@pytest.mark.parametrize(("es", "nes", "folds"), [(9, 9, 3), (10, 2, 2), (2, 10, 2), (3, 8, 3)])
def test_settings_are_chosen_on_as_many_folds_as_the_rarer_diagnosis_has_patients(
    es: int, nes: int, folds: int
) -> None:
    rows, truths, patients = ward(es, nes)
    inner = StratifiedGroupKFold(folds, shuffle=True, random_state=0)
    grid = {"svc__" + key: values for key, values in CLASSIFIERS["svm"].grid.items()}
    search = GridSearchCV(
        make_pipeline(SVC()), grid, cv=list(inner.split(rows, truths, patients)), scoring="balanced_accuracy"
    )
    expected = search.fit(rows, truths).best_params_
    found = learned("svm", es, nes)
    assert {f"svc__{key}": value for key, value in found.chosen.items()} == expected
    assert (found.model.predict(rows) == search.predict(rows)).all()
    assert found.sure is not None


@pytest.mark.parametrize("name", ["svm", "lr", "knn"])
@pytest.mark.parametrize(("es", "nes"), [(1, 6), (6, 1)])
def test_one_patient_of_a_diagnosis_leaves_nothing_to_choose_and_no_distances_to_calibrate(
    name: str, es: int, nes: int
) -> None:
    found = learned(name, es, nes)
    assert found.chosen == {}
    rows = ward(es, nes)[0]
    assert np.isnan(found.probability(rows, ["ES", "NES"])).all() == (name == "svm")
    published = learned(name, es, nes, "published")
    assert (found.model.predict(rows) == published.model.predict(rows)).all()


def test_a_fold_without_one_diagnosis_chooses_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def unlucky(self: Any, rows: Any, truths: Any, groups: Any) -> Any:
        first = np.flatnonzero(truths == "ES")[:2]
        rest = np.setdiff1d(np.arange(len(truths)), first)
        return [(rest, first), (first, rest)]

    monkeypatch.setattr(StratifiedGroupKFold, "split", unlucky)
    found = learned("svm", 4, 4)
    assert (found.chosen, found.sure) == ({}, None)


def test_boosting_chooses_too() -> None:
    assert set(learned("gb", 4, 4).chosen) == {"min_samples_leaf", "class_weight"}


def test_no_more_neighbours_than_recordings() -> None:
    assert learned("knn", 1, 2, "published", recordings=1).model[-1].n_neighbors == 3
    assert learned("knn", 9, 9, "published").model[-1].n_neighbors == 5
    # Of 9 patients in 3 folds each nested part has 6 recordings: of 3, 5, 9, 15 and 25 neighbours two can be.
    inner = [(np.arange(5), np.arange(5, 9)), (np.arange(9), np.arange(2))]
    assert [v for v in (3, 5, 9) if classifiers._fits("x__n_neighbors", v, inner)] == [3, 5]
    assert classifiers._fits("x__C", 100.0, inner)


class _ByFirst:
    """Says ES where the first feature is there."""

    def __getitem__(self, at: int) -> _ByFirst:
        return self

    def predict(self, rows: np.ndarray) -> np.ndarray:
        return np.where(rows[:, 0] >= 0.5, "ES", "NES")


@pytest.mark.parametrize("seed", [0, 3])
def test_permutation_importance_is_the_balanced_accuracy_lost_over_all_shuffles(seed: int) -> None:
    rows, truths, patients = ward(6, 6, seed=1)
    videos = [f"v{i:02d}" for i in range(24)]
    vectors = pd.DataFrame(rows, index=videos, columns=["a", "b", "c"])
    cohort = Cohort(
        dict(zip(videos, map(str, truths), strict=True)), dict(zip(videos, patients, strict=True)), {}
    )
    model = _ByFirst()
    fitted = classifiers.Fitted(model, ("a", "b", "c"), None, {})
    answers = dict(zip(videos, map(str, model.predict(rows)), strict=True))
    halves = [tuple(videos[:10]), tuple(videos[10:])]
    found = importances(
        vectors,
        Diagnoses(answers, {}, tuple(Part(str(i), fitted, half) for i, half in enumerate(halves)), ()),
        cohort,
        shuffles=4,
        seed=seed,
    )
    rng = np.random.default_rng(seed)
    lost = {name: np.zeros((4, 24)) for name in "abc"}
    for half in halves:
        at = [videos.index(v) for v in half]
        right = model.predict(rows[at]) == truths[at]
        for column, name in enumerate("abc"):
            for shuffle in range(4):
                shuffled = rows[at].copy()
                shuffled[:, column] = rng.permutation(rows[at, column])
                lost[name][shuffle, at] = right.astype(float) - (model.predict(shuffled) == truths[at])
    by_name = {each.feature: each for each in found}
    for name in "abc":
        per = lost[name].mean(0)
        expected = np.mean([per[truths == d].mean() for d in ("ES", "NES")])
        assert by_name[name].permutation.value == pytest.approx(expected)
        assert by_name[name].positives == int(vectors[name].sum())
        assert by_name[name].impurity is None
    assert found[0].feature == "a"
    whole = balanced_accuracy_score(truths, model.predict(rows))
    assert by_name["a"].permutation.value <= whole


def test_impurity_is_the_mean_of_the_folds_and_nothing_where_a_fold_did_not_know_the_feature() -> None:
    class Forest(_ByFirst):
        def __init__(self, *shares: float) -> None:
            self.feature_importances_ = np.array(shares)

    vectors = pd.DataFrame({"a": [1.0, 0, 1, 0], "b": [0.5, 1, np.nan, 0.4]}, index=["v0", "v1", "v2", "v3"])
    truths = ["ES", "NES", "ES", "NES"]
    cohort = Cohort(
        dict(zip(vectors.index, truths, strict=True)), {v: v for v in vectors.index}, {}, frozenset()
    )
    parts = (
        Part("0", classifiers.Fitted(Forest(0.3, 0.7), ("a", "b"), None, {}), ("v0", "v1")),
        Part("1", classifiers.Fitted(Forest(1.0), ("a",), None, {}), ("v2", "v3")),
    )
    found = importances(
        vectors, Diagnoses(dict(zip(vectors.index, truths, strict=True)), {}, parts, ()), cohort, shuffles=2
    )
    assert [(each.feature, each.impurity, each.positives) for each in found] == [
        ("a", pytest.approx(0.65), 2),
        ("b", pytest.approx(0.35), 2),
    ]


def test_f1_without_each_patient_counts_the_others_alone() -> None:
    videos = [f"v{i}" for i in range(12)]
    patients = {v: f"p{i // 2}" for i, v in enumerate(videos)}
    truth = {v: "ES" if i % 3 else "NES" for i, v in enumerate(videos)}
    one = {v: "ES" if i % 2 else "NES" for i, v in enumerate(videos)}
    two = {v: "NES" if i % 4 else "ES" for i, v in enumerate(videos)}
    found = score_difference(one, two, truth, patients, ES_OR_NES)

    def f1(answers: dict[str, str], kept: list[str]) -> float:
        hits = sum(answers[v] == truth[v] == "ES" for v in kept)
        return 2 * hits / sum((answers[v] == "ES") + (truth[v] == "ES") for v in kept)

    without = []
    for p in sorted(set(patients.values())):
        kept = [v for v in videos if patients[v] != p]
        without.append(f1(one, kept) - f1(two, kept))
    error = np.sqrt(5 / 6 * np.sum((np.array(without) - np.mean(without)) ** 2))
    assert (found.n, found.n_patients) == (12, 6)
    assert found.high is not None
    # Six equal patients: t with five degrees of freedom.
    assert found.high - found.value == pytest.approx(2.570582 * error)
    kappa = kappa_estimate(one, truth, patients, ES_OR_NES)
    assert kappa.value == pytest.approx(
        cohen_kappa_score([truth[v] for v in videos], [one[v] for v in videos])
    )
    kappas = []
    for p in sorted(set(patients.values())):
        kept = [v for v in videos if patients[v] != p]
        kappas.append(cohen_kappa_score([truth[v] for v in kept], [one[v] for v in kept]))
    error = np.sqrt(5 / 6 * np.sum((np.array(kappas) - np.mean(kappas)) ** 2))
    assert kappa.high is not None
    assert kappa.high - kappa.value == pytest.approx(2.570582 * error)
