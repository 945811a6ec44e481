"""The second stage recomputed: folds by scikit-learn, losses and net benefit by loops, odds of rules multiplied."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import cohen_kappa_score, f1_score
from sklearn.neighbors import KNeighborsClassifier

from semiology.metrics.diagnosis.classifiers import CLASSIFIERS, Fitted, fit
from semiology.metrics.diagnosis.decisions import THRESHOLDS, decision_curve
from semiology.metrics.diagnosis.importances import balanced_loss, importances
from semiology.metrics.diagnosis.out_of_fold import Cohort, Diagnoses, Part, diagnose
from semiology.metrics.diagnosis.rules import UNDECIDED, Rule, conclude, shares
from semiology.metrics.diagnosis.targets import (
    ES_OR_NES,
    Target,
    kappa_estimate,
    patient_tables,
    score_difference,
    score_of,
)
from semiology.metrics.s3.categorical import Question
from semiology.metrics.statistics.intervals import Estimate, effective_patients
from semiology.metrics.statistics.jackknife import jackknife_estimate

LOBES = Target("onset_lobe", ("frontal", "parietal", "temporal"))


def same(found: Estimate, wanted: Estimate) -> None:
    for name in ("value", "low", "high"):
        ours, theirs = getattr(found, name), getattr(wanted, name)
        assert (ours is None) == (theirs is None), (name, found, wanted)
        assert ours is None or ours == pytest.approx(theirs, abs=1e-9, nan_ok=True), (name, found, wanted)
    assert (found.n, found.n_patients, found.reason, found.caution) == (
        wanted.n, wanted.n_patients, wanted.reason, wanted.caution,
    )  # fmt: skip


def ward(seed: int, target: Target, patients: int, classes: tuple[str, ...] = ()) -> Cohort:
    """Recordings of patients in three folds; one patient may have many, and classes may be missing."""
    rng = np.random.default_rng(seed)
    truth, owner, folds = {}, {}, {}
    for p in range(patients):
        for v in range(int(rng.choice([1, 1, 2, 9]))):
            video = f"p{p}v{v}"
            truth[video], owner[video] = str(rng.choice(classes or target.classes)), f"p{p}"
            folds[video] = p % 3
    return Cohort(truth, owner, folds, target=target)


@pytest.mark.parametrize("target", [ES_OR_NES, LOBES], ids=["two", "three"])
@pytest.mark.parametrize("seed", range(14))
def test_what_is_lost_is_the_mean_over_classes_and_its_interval_leaves_out_each_patient(
    seed: int, target: Target
) -> None:
    patients = (1, 2, 4, 8)[seed % 4]
    some = target.classes[: 2 + seed % 2] if seed % 5 else target.classes[1:]
    cohort = ward(seed, target, patients, some)
    rng = np.random.default_rng(seed)
    lost = {v: float(rng.integers(-2, 3)) / 2 for v in cohort.truth}
    names = sorted(set(cohort.patients.values()), key=str)
    # Without a patient a class of the others may be missing: then there is no mean of all of them.
    of_all = target.classes if len(target.classes) == 2 else sorted(set(cohort.truth.values()))

    def mean(videos: list[str]) -> float:
        each = [[lost[v] for v in videos if cohort.truth[v] == name] for name in of_all]
        return round(sum(sum(part) / len(part) for part in each) / len(each), 12) if all(each) else math.nan

    left = np.array([mean([v for v in lost if cohort.patients[v] != name]) for name in names])
    sizes = np.array(
        [sum(owner == name for owner in cohort.patients.values()) for name in names], dtype=float
    )
    same(balanced_loss(lost, cohort), jackknife_estimate(
        mean(list(lost)), left, effective=effective_patients(sizes), n=len(lost), n_patients=len(names),
        undefined="one class only",
    ))  # fmt: skip


@pytest.mark.parametrize("target", [ES_OR_NES, LOBES], ids=["two", "three"])
@pytest.mark.parametrize("seed", range(14))
def test_scores_differences_and_kappas_leave_out_each_patient(seed: int, target: Target) -> None:
    some = target.classes[:1] if seed == 0 else target.classes[: 2 + seed % 2]
    cohort = ward(seed, target, (1, 3, 7)[seed % 3], some)
    rng = np.random.default_rng(seed)
    truth, owner = cohort.truth, cohort.patients
    one, two = (
        {
            v: t if rng.random() < 0.4 else str(rng.choice([*target.classes, "unparsed"]))
            for v, t in truth.items()
        }
        for _ in range(2)
    )

    def score(answers: Any, videos: list[str]) -> float:
        t, a = [truth[v] for v in videos], [answers[v] for v in videos]
        if target.positive:
            return (
                float(f1_score(t, a, labels=[target.positive], average="macro"))
                if target.positive in t
                else math.nan
            )
        seen = sorted(set(t))
        recalls = [np.mean([x == y for x, y in zip(t, a, strict=True) if x == name]) for name in seen]
        return float(np.mean(recalls)) if len(seen) > 1 else math.nan

    def kappa(videos: list[str]) -> float:
        t, a = [truth[v] for v in videos], [one[v] for v in videos]
        return float(cohen_kappa_score(t, a)) if len({*t, *a}) > 1 else math.nan

    every, names = list(truth), sorted(set(owner.values()))
    rest = [[v for v in every if owner[v] != name] for name in names]
    sizes = np.array([sum(of == name for of in owner.values()) for name in names], dtype=float)
    numbers: dict[str, Any] = {
        "effective": effective_patients(sizes), "n": len(every), "n_patients": len(names),
    }  # fmt: skip
    same(score_difference(one, two, truth, owner, target), jackknife_estimate(
        score(one, every) - score(two, every),
        np.round([score(one, r) - score(two, r) if r else math.nan for r in rest], 12),
        undefined="fewer than two classes are true", **numbers,
    ))  # fmt: skip
    same(kappa_estimate(one, truth, owner, target), jackknife_estimate(
        kappa(every), np.round([kappa(r) if r else math.nan for r in rest], 12),
        undefined="truth and answers are one class", **numbers,
    ))  # fmt: skip
    found = score_of(one, truth, target)
    assert found == pytest.approx(
        score(one, every) if len(set(truth.values())) > 1 else math.nan, nan_ok=True
    )
    tables_of, tables = patient_tables(one, truth, owner, target)
    assert tables_of == names
    for name, table in zip(names, tables, strict=True):
        for row, true in enumerate(target.classes):
            for column, said in enumerate([*target.classes, "unparsed"]):
                wanted = sum(owner[v] == name and truth[v] == true and one[v] == said for v in every)
                assert table[row, column] == wanted


def test_what_a_target_is_scored_by() -> None:
    assert (ES_OR_NES.measure, ES_OR_NES.scored) == ("f1", ("ES",))
    assert (LOBES.measure, LOBES.scored) == ("balanced_accuracy", LOBES.classes)
    assert ES_OR_NES.question == Question(ES_OR_NES.classes, "ES")
    assert LOBES.question == Question(LOBES.classes, None)
    three = {"a": "frontal", "b": "parietal", "c": "temporal"}
    assert score_of(three, three, LOBES, "accuracy") == 1
    assert math.isnan(score_of({"a": "frontal"}, three, LOBES))


@pytest.mark.parametrize("seed", range(10))
def test_net_benefit_counts_true_and_false_treatments_one_by_one(seed: int) -> None:
    rng = np.random.default_rng(seed)
    truth, p = rng.random(12) < 0.5, rng.integers(0, 21, 12) / 20
    p = np.array([round(value, 2) for value in p])
    for point, threshold in zip(decision_curve(truth, p), THRESHOLDS, strict=True):
        gained = sum(t for t, own in zip(truth, p, strict=True) if own >= threshold)
        harmed = sum(not t for t, own in zip(truth, p, strict=True) if own >= threshold)
        odds = threshold / (1 - threshold)
        assert point.threshold == threshold
        assert point.net_benefit == pytest.approx(gained / 12 - harmed / 12 * odds)
        assert point.treat_all == pytest.approx(truth.mean() - (1 - truth.mean()) * odds)


@pytest.mark.parametrize("seed", range(20))
def test_odds_are_multiplied(seed: int) -> None:
    rng = np.random.default_rng(seed)
    names = ["a", "b", "c"]
    odds = [{str(name): float(rng.choice([0.25, 0.5, 2, 3, 9])) for name in rng.choice([*names, "d"], 2)}
            for _ in range(int(rng.integers(0, 4)))]  # fmt: skip
    product = [math.prod(each.get(name, 1.0) for each in odds) for name in names]
    assert shares(odds, names).tolist() == pytest.approx([value / sum(product) for value in product])


def test_very_many_odds_neither_overflow_nor_vanish() -> None:
    many = [{"a": 1e30, "b": 5e29}] * 2 + [{"a": 1e300, "b": 1e300}] * 5
    assert shares(many, ["a", "b", "c"]).tolist() == pytest.approx([0.8, 0.2, 0])
    small = [{"a": 1e-300, "b": 1e-300}] * 5
    assert shares(small, ["a", "b"]).tolist() == [0.5, 0.5]


@pytest.mark.parametrize("seed", range(20))
def test_rules_conclude_what_their_signs_say(seed: int) -> None:
    rng = np.random.default_rng(seed)
    columns = ["tonic", "clonic", "head_turning", "head_turning_side"]
    values = rng.choice([0.0, 1.0, 0.5, 0.25, np.nan], (6, 4))
    if seed % 4 == 0:
        values[:, 1] = np.nan
    vectors = pd.DataFrame(values, index=[f"v{i}" for i in range(6)], columns=columns)
    rules = [
        Rule("sign", {"tonic": "yes", "clonic": "no"}, {"left": 3.0}),
        Rule("turned", {"head_turning": "yes"}, side_of="head_turning", times=3.0),
        Rule("to it", {"tonic": "no"}, side_of="head_turning", points="ipsilateral", times=2.0),
        Rule("unknown", {"figure4": "yes"}, {"right": 9.0}),
    ]
    videos = [f"v{i}" for i in rng.permutation(6)[:4]]
    found = conclude(vectors, rules, ["left", "right"], videos)
    for video in videos:
        tonic, clonic, turned, side = vectors.loc[video]
        left = right = 1.0
        applied = []
        if tonic >= 0.5 and clonic < 0.5:
            applied.append("sign")
            left *= 3
        if turned >= 0.5 and side == side:
            applied.append("turned")
            left, right = (left * 3, right) if side >= 0.5 else (left, right * 3)
        if tonic < 0.5 and side == side:
            applied.append("to it")
            left, right = (left, right * 2) if side >= 0.5 else (left * 2, right)
        assert found.reasons[video] == tuple(applied)
        assert found.probability[video] == pytest.approx((left / (left + right), right / (left + right)))
        assert found.answers[video] == (UNDECIDED if left == right else "left" if left > right else "right")
    has = {name: bool(vectors[name].notna().any()) for name in columns}
    silent = [
        name for name, needs in (("sign", ("tonic", "clonic")), ("turned", ("head_turning", "head_turning_side")),
                                 ("to it", ("tonic", "head_turning_side")))
        if not all(has[need] for need in needs)
    ]  # fmt: skip
    assert found.notes == (f"has no answers for {', '.join([*silent, 'unknown'])} → these rules never apply",)


@pytest.mark.parametrize("name", ["lr", "knn"])
@pytest.mark.parametrize("seed", range(4))
def test_each_fold_is_judged_by_what_learned_from_the_others(seed: int, name: str) -> None:
    cohort = ward(seed, LOBES, 12)
    rng = np.random.default_rng(seed)
    videos = sorted(cohort.truth)
    vectors = pd.DataFrame(
        rng.integers(0, 2, (len(videos), 4)).astype(float), index=videos, columns=list("abcd")
    )
    for n, column in enumerate("abc"):
        told = np.array([cohort.truth[v] == LOBES.classes[n] for v in videos])
        vectors[column] = np.where(rng.random(len(videos)) < 0.8, told, vectors[column])
    vectors.loc[rng.random(len(videos)) < 0.2, "d"] = np.nan
    vectors["never"] = np.nan
    unknown = videos[0]
    learners = frozenset(v for v in videos if cohort.patients[v] not in ("p1", "p2"))
    closed = replace(cohort, learners=learners, truth={**cohort.truth, unknown: "occipital"})
    found = diagnose(vectors, closed, name)
    assert unknown not in found.answers
    for part in found.parts:
        fold = int(part.fold)
        rest = [v for v in videos if v in learners and cohort.folds[v] != fold and v != unknown]
        own = [v for v in videos if cohort.folds[v] == fold and v != unknown]
        assert list(part.videos) == own
        assert part.fitted.features == ("a", "b", "c", "d")
        means = vectors.loc[rest, list("abcd")].mean()
        learned, judged = (vectors.loc[rows, list("abcd")].fillna(means).to_numpy() for rows in (rest, own))
        model = LogisticRegression(max_iter=1000) if name == "lr" else KNeighborsClassifier(min(5, len(rest)))
        model.fit(learned, [cohort.truth[v] for v in rest])
        assert [found.answers[v] for v in own] == model.predict(judged).tolist()
        known = list(model.classes_)
        for v, row in zip(own, model.predict_proba(judged), strict=True):
            wanted = [row[known.index(each)] if each in known else 0.0 for each in LOBES.classes]
            assert found.probability[v] == pytest.approx(wanted)


def test_folds_that_leave_nothing_to_learn_from_are_told_apart() -> None:
    cohort = Cohort(
        dict(zip("abcdef", ["ES", "NES"] * 3, strict=True)), {v: v for v in "abcdef"},
        dict(zip("abcdef", "001122", strict=True)),
    )  # fmt: skip
    rows = pd.DataFrame({"tonic": [1.0, 0.0] * 3}, index=list("abcdef"))
    ends = "to learn from → not diagnosed"
    told = diagnose(rows * np.nan, cohort, "lr")
    assert told.notes == tuple(f"fold {n}: the other patients leave no answer {ends}" for n in range(3))
    told = diagnose(rows, replace(cohort, learners=frozenset()), "lr")
    assert told.notes == tuple(f"fold {n}: the other patients leave no recording {ends}" for n in range(3))
    told = diagnose(rows, replace(cohort, learners=frozenset("ac")), "lr")
    assert told.notes == tuple(f"fold {n}: the other patients leave only ES {ends}" for n in range(3))
    found = diagnose(rows, replace(cohort, learners=frozenset("abcd")), "lr")
    assert (found.notes, [part.fold for part in found.parts]) == ((), ["0", "1", "2"])


class Odd:
    """Says ES where a feature is at least a half, which one is told; impurities as given."""

    classes_ = np.array(["ES", "NES"])

    def __init__(self, column: int, impurities: list[float] | None = None) -> None:
        self.column = column
        if impurities:
            self.feature_importances_ = np.array(impurities)

    def __getitem__(self, at: int) -> Odd:
        assert at == -1
        return self

    def predict(self, rows: np.ndarray) -> np.ndarray:
        return np.where(rows[:, self.column] >= 0.5, "ES", "NES")

    def predict_proba(self, rows: np.ndarray) -> np.ndarray:
        return np.column_stack([rows[:, self.column], 1 - rows[:, self.column]])


@pytest.mark.parametrize("impure", [False, True])
@pytest.mark.parametrize("seed", range(4))
def test_importances_of_folds_that_know_other_features(seed: int, impure: bool) -> None:
    rng = np.random.default_rng(seed)
    videos = [f"v{i}" for i in range(16)]
    truth = dict(zip(videos, ["ES", "NES"] * 8, strict=True))
    vectors = pd.DataFrame(rng.choice([0.0, 0.5, 1.0], (16, 3)), index=videos, columns=list("abc"))
    cohort = Cohort(truth, {v: v[:2] + str(i // 2) for i, v in enumerate(videos)}, {})
    fitted = [Fitted(Odd(0, [0.5, 0.2, 0.3] if impure else None), ("a", "b", "c"), None, {}),
              Fitted(Odd(1, [0.9, 0.1] if impure else None), ("b", "a"), None, {})]  # fmt: skip
    parts = (Part("0", fitted[0], tuple(videos[:6])), Part("1", fitted[1], tuple(videos[6:])))
    answers = {}
    for part in parts:
        rows = vectors.loc[list(part.videos), list(part.fitted.features)].to_numpy()
        answers |= dict(zip(part.videos, map(str, part.fitted.model.predict(rows)), strict=True))
    found = importances(vectors, Diagnoses(answers, {}, parts, ()), cohort, shuffles=3, seed=seed)
    rng = np.random.default_rng(seed)
    lost = {name: dict.fromkeys(videos, 0.0) for name in "abc"}
    for part in parts:
        own = list(part.videos)
        rows = vectors.loc[own, list(part.fitted.features)].to_numpy()
        for column, name in enumerate(part.fitted.features):
            for _ in range(3):
                shuffled = rows.copy()
                shuffled[:, column] = rng.permutation(rows[:, column])
                for v, said in zip(own, part.fitted.model.predict(shuffled), strict=True):
                    lost[name][v] += (float(answers[v] == truth[v]) - float(said == truth[v])) / 3
    wanted = {"a": (0.5 + 0.1) / 2, "b": (0.2 + 0.9) / 2, "c": 0.15}
    for each in found:
        same(each.permutation, balanced_loss(lost[each.feature], cohort))
        assert each.positives == int((vectors[each.feature] >= 0.5).sum())
        assert each.impurity == (pytest.approx(wanted[each.feature]) if impure else None)
    order = [each.impurity if impure else each.permutation.value for each in found]
    assert order == sorted(order, reverse=True)  # type: ignore[type-var]
    assert {each.feature for each in found} == set("abc")
    assert fitted[0].probability(vectors.to_numpy(), ["NES", "other", "ES"])[:, 0] == pytest.approx(
        np.nan, nan_ok=True
    )
    sure = replace(fitted[0], sure=fitted[0].model).probability(vectors.to_numpy(), ["NES", "other", "ES"])
    assert sure.tolist() == [[1 - p, 0.0, p] for p in vectors["a"]]


def test_a_forest_and_boosting_take_missing_values_as_they_are_and_others_the_mean() -> None:
    rng = np.random.default_rng(0)
    rows = np.where(rng.random((24, 2)) < 0.3, np.nan, rng.integers(0, 2, (24, 2)).astype(float))
    truths, patients = np.array(["ES", "NES"] * 12), [f"p{i // 2}" for i in range(24)]
    for name, about in CLASSIFIERS.items():
        found = fit(name, rows, truths, patients, ["a", "b"], settings="published", seed=0)
        steps = [step for step, _ in found.model.steps]
        assert (steps[0] == "simpleimputer") is not about.bears_gaps
        assert len(steps) == 2 - about.bears_gaps
        if not about.bears_gaps:
            assert found.model.steps[0][1].statistics_ == pytest.approx(np.nanmean(rows, axis=0))
        assert (found.impurity is None) == (name != "rf")
        if name == "lr":
            assert found.model[-1].max_iter == 1000


def test_distances_are_calibrated_where_every_nested_part_knows_every_class() -> None:
    """One patient alone has the third class, so one nested part never learned it; with three such patients all did."""
    rng = np.random.default_rng(0)
    for patients, known in ((1, False), (6, True)):
        names = [f"p{i:02d}" for i in range(12 + patients) for _ in range(2)]
        truths = np.repeat(["frontal", "parietal"] * 6 + ["temporal"] * patients, 2)
        rows = rng.random((len(names), 2)) + (truths == "frontal")[:, None]
        found = fit("svm", rows, truths, names, ["a", "b"], settings="published", seed=0)
        assert (found.sure is not None) == known
        assert np.isnan(found.probability(rows, LOBES.classes)).any() != known
        assert set(found.model.classes_) == set(truths)
