"""Robustness to wording as a whole: every measure of random answers, by loops over recordings, pairs and subsets."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable
from dataclasses import replace
from typing import Literal

import numpy as np
import pytest
from scipy.spatial.distance import jensenshannon
from sklearn.metrics import roc_auc_score
from wording_examples import answers_of

from semiology.metrics.agreement.coefficients import krippendorff_alpha
from semiology.metrics.robustness.answers import WordingAnswers
from semiology.metrics.robustness.scores import MACRO, robustness_of
from semiology.metrics.scores.classification import table_scores
from semiology.metrics.statistics.intervals import BOOTSTRAP

SCORES = ("f1", "accuracy", "balanced_accuracy")
RATES = ("yes_rate", "unparsed_rate", "prevalence", "always_yes_f1")
NAN = math.nan


def mean(values: Iterable[float]) -> float:
    known = [float(value) for value in values if not math.isnan(value)]
    return sum(known) / len(known) if known else NAN


def random_answers(rng: np.random.Generator, three: bool) -> WordingAnswers:
    k, n = int(rng.integers(1, 7)), int(rng.integers(3, 13))
    letters, chances = list("ynau"), [0.4, 0.35, 0.15, 0.1]
    truth = rng.choice(list("yna" if three else "yn"), n)
    rows = rng.choice(letters, (k, n), p=chances)
    rows = np.where(rng.random((k, n)) < 0.4, truth, rows)
    p_yes = np.round(rng.random((k, n)), 1)
    p_yes[rng.random((k, n)) < 0.05] = np.nan
    return answers_of(
        ["".join(row) for row in rows],
        "".join(truth),
        "".join(rng.choice(list("ABCD"), n)),
        polarities=rng.choice(["positive", "negative"], k).tolist(),
        reference=[None, 0, k - 1][rng.integers(0, 3)],
        three_classes=three,
        p_yes=p_yes if rng.random() < 0.7 else None,
    )


def of_scores(each: list[float], name: str, reference: int | None) -> dict[str, float]:
    """Return what the scores of the wordings say about sensitivity."""
    known = [value for value in each if not math.isnan(value)]
    best, worst = max(known, default=NAN), min(known, default=NAN)
    five = [max(s) - min(s) if not math.isnan(sum(s)) else NAN for s in itertools.combinations(each, 5)]
    found = {
        name: mean(each), f"{name}_best": best, f"{name}_worst": worst, f"{name}_spread": best - worst,
        f"{name}_spread_at_5": sum(five) / len(five) if five else NAN,
        f"{name}_saturation": 1 - best + mean(each), f"{name}_cps": best * (1 - best + mean(each)),
        "avg_p_two_way" if name == "accuracy" else f"{name}_two_way": mean(each),
    }  # fmt: skip
    if reference is not None:
        own = each[reference]
        others = mean(value for p, value in enumerate(each) if p != reference)
        found[f"{name}_reference"] = own
        found[f"{name}_drop"] = 1 - others / own if own > 0 else NAN
        found[f"{name}_absolute_drop"] = own - others
    return found


def of_recordings(answers: WordingAnswers, counted: list[list[int]]) -> dict[str, float]:
    """Return the means over recordings of what the wordings that count, by recording, are right about."""
    given, truth = answers.answers, answers.truth
    n, classes = len(truth), range(3 if answers.three_classes else 2)
    right = [[p for p in counted[i] if given[p, i] == truth[i]] for i in range(n)]
    found = {}
    for m in (1, 5, 10):
        at = [
            np.mean([set(s) <= set(right[i]) for s in itertools.combinations(counted[i], m)])
            if len(counted[i]) >= m
            else NAN
            for i in range(n)
        ]
        found[f"worst_at_{m}"] = mean(at)
        there = sorted(set(truth.tolist())) if answers.three_classes else [0, 1]
        halves = [mean(at[i] for i in range(n) if truth[i] == c) for c in there]
        found[f"balanced_worst_at_{m}"] = sum(halves) / len(halves)
    asked = [i for i in range(n) if counted[i]]
    found["always_right"] = mean(len(right[i]) == len(counted[i]) for i in asked)
    found["always_wrong"] = mean(not right[i] for i in asked)
    found["flips"] = mean(0 < len(right[i]) < len(counted[i]) for i in asked)
    several = [i for i in asked if len(counted[i]) > 1]
    differ = [
        np.mean([(p in right[i]) != (q in right[i]) for p, q in itertools.combinations(counted[i], 2)])
        for i in several
    ]
    sizes = [len(counted[i]) for i in several]
    most = [max(2 * r * (c - r) / (c * (c - 1)) for r in range(c + 1)) for c in sizes]
    found["pss_raw"], found["pss"] = mean(differ), sum(differ) / sum(most) if most else NAN
    credits = []
    for i in asked:
        votes = [(given[:, i] == c).sum() for c in classes]
        top = [c for c in classes if votes[c] == max(votes) > 0]
        credits.append(1 / len(top) if truth[i] in top else 0.0)
    found["ensemble_accuracy"] = mean(credits)
    return found


def of_agreement(answers: WordingAnswers) -> dict[str, float]:
    """Return the agreement of the wordings with each other, and of those asked for and against."""
    given, polarity = answers.answers, answers.polarities
    k, classes = len(given), range(3 if answers.three_classes else 2)
    ratings = [[int(word) for word in column if word in classes] for column in given.T]
    paired = [row for row in ratings if len(row) > 1]
    shares = [mean(row.count(c) / len(row) for row in paired) for c in classes]
    found = {"alpha": krippendorff_alpha(ratings)}
    found["agreement"] = mean(np.mean([a == b for a, b in itertools.combinations(row, 2)]) for row in paired)
    for name, chance in (
        ("fleiss_kappa", sum(share**2 for share in shares)),
        ("gwet_ac1", sum(share * (1 - share) for share in shares) / (len(shares) - 1)),
    ):
        found[name] = (found["agreement"] - chance) / (1 - chance) if chance < 1 - 1e-12 else NAN
    outcomes: dict[str, list[float]] = {"consistent": [], "yes_to_both": [], "no_to_both": []}
    for column in given.T:
        pairs = [
            (column[p], column[q])
            for p, q in itertools.product(range(k), repeat=2)
            if (polarity[p], polarity[q]) == ("positive", "negative") and max(column[p], column[q]) < 2
        ]
        if pairs:
            outcomes["consistent"].append(np.mean([a == b for a, b in pairs]))
            outcomes["yes_to_both"].append(np.mean([(a, b) == (0, 1) for a, b in pairs]))
            outcomes["no_to_both"].append(np.mean([(a, b) == (1, 0) for a, b in pairs]))
    found |= {name: mean(values) for name, values in outcomes.items()}
    return found | {"yes_bias": found["yes_to_both"] - found["no_to_both"]}


def of_probabilities(answers: WordingAnswers) -> dict[str, float]:
    """Return the distance of the wordings' P(yes), and how it ranks recordings."""
    p_yes, truth = answers.p_yes, answers.truth
    if p_yes is None:
        return {"js_distance": NAN, "auroc": NAN}
    distances = []
    for column in p_yes.T:
        pairs = itertools.combinations([p for p in column.tolist() if not math.isnan(p)], 2)
        apart = (jensenshannon([a, 1 - a], [b, 1 - b], 2) for a, b in pairs)
        distances.append(mean(float(np.nan_to_num(each)) for each in apart))
    whole = [i for i in range(len(truth)) if not np.isnan(p_yes[:, i]).any() and truth[i] < 2]
    both = len({truth[i] for i in whole}) == 2
    auroc = mean(roc_auc_score(truth[whole] == 0, row[whole]) for row in p_yes) if both else NAN
    return {"js_distance": mean(distances), "auroc": auroc}


def slow(answers: WordingAnswers, policy: Literal["wrong", "drop"]) -> dict[str, float]:
    """Return every measure by its name."""
    given, truth = answers.answers, answers.truth
    k, n = given.shape
    most = 3 if answers.three_classes else 2
    tables = np.zeros((k, 3, 4))
    for p, i in itertools.product(range(k), range(n)):
        tables[p, truth[i], given[p, i]] += 1
    scores = table_scores(tables, policy, three_classes=answers.three_classes)
    found = {name: mean(scores[name]) for name in RATES}
    for name in SCORES:
        found |= of_scores([float(value) for value in scores[name]], name, answers.reference)
    found["avg_p"] = found["accuracy"]
    counted = [[p for p in range(k) if policy == "wrong" or given[p, i] < most] for i in range(n)]
    found |= of_recordings(answers, counted) | of_agreement(answers) | of_probabilities(answers)
    found["ensemble_gain"] = found["ensemble_accuracy"] - found["avg_p"]
    return found


@pytest.mark.parametrize("seed", range(30))
def test_every_measure_is_that_of_loops_over_recordings_pairs_and_subsets(seed: int) -> None:
    rng = np.random.default_rng(seed)
    answers = random_answers(rng, three=seed % 3 == 0)
    policy: Literal["wrong", "drop"] = "drop" if seed % 2 else "wrong"
    (found,) = robustness_of([answers], policy=policy, resamples=3).features
    expected = slow(answers, policy)
    assert set(found.estimates) == set(expected)
    values = {name: each.value for name, each in found.estimates.items()}
    for name, value in expected.items():
        assert values[name] == pytest.approx(value, nan_ok=True, abs=1e-12), name
    owners = [answers.patients[p] for p in answers.patient]
    showing = {owner for owner, shown in zip(owners, answers.truth, strict=True) if shown == 0}
    assert (found.n, found.n_patients, found.n_positive_patients) == (
        len(owners),
        len(set(owners)),
        len(showing),
    )
    # Fewer than ten patients show the feature, so nothing that rests on it has an interval.
    for name, each in found.estimates.items():
        if math.isnan(each.value):
            assert (each.method, each.n, each.n_patients) == (BOOTSTRAP, found.n, found.n_patients)
            assert each.reason
        elif name.startswith("f1"):
            assert f"with the feature come from {len(showing)} patient" in (each.reason or "")


def test_macro_means_are_over_the_features_in_which_a_measure_is_defined() -> None:
    rng = np.random.default_rng(3)
    features = [
        replace(random_answers(rng, three=False), feature=name) for name in ("tonic", "clonic", "figure4")
    ]
    found = robustness_of(features, resamples=3)
    values = [slow(each, "wrong") for each in features]
    patients = {name for each in features for name in each.patients}
    for name in MACRO:
        known = [each[name] for each in values if not math.isnan(each[name])]
        macro = found.macro[name]
        assert macro.value == pytest.approx(mean(known), nan_ok=True)
        assert (macro.n, macro.n_patients) == (max(len(each.recordings) for each in features), len(patients))
        missing = [each.feature for each, own in zip(features, values, strict=True) if math.isnan(own[name])]
        if known and missing:
            assert f"undefined for, and without, {', '.join(missing)}" in f"{macro.caution} {macro.reason}"
    nothing = robustness_of([replace(each, p_yes=None) for each in features], resamples=3).macro["auroc"]
    assert (nothing.reason, math.isnan(nothing.value)) == ("undefined for every feature", True)
    assert (nothing.method, nothing.low) == (BOOTSTRAP, None)


@pytest.mark.parametrize(("letter", "counted"), [("y", (10, 9)), ("n", (9, 10))])
def test_patients_with_and_without_a_feature_are_told_apart(letter: str, counted: tuple[int, int]) -> None:
    # Ten patients of one class and nine of the other, one recording each.
    truth = letter * 10 + ("n" if letter == "y" else "y") * 9
    rng = np.random.default_rng(0)
    rows = ["".join(rng.choice(list("yn"), 19)) for _ in range(3)]
    (found,) = robustness_of([answers_of(rows, truth)], resamples=20).features
    assert found.n_positive_patients == counted[0]
    assert found.estimates["f1"].estimable == (letter == "y")
    which = "without" if letter == "y" else "with"
    assert found.estimates["balanced_accuracy"].reason == (
        f"recordings {which} the feature come from 9 patients, fewer than 10"
    )
