"""Every figure of a run recomputed from its rows: counts by loops, scores by their sums, each patient left out."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from semiology.metrics.paired.comparison import compare_tables
from semiology.metrics.paired.tables import against_always_yes, part_of
from semiology.metrics.paired.verdict import verdict
from semiology.metrics.scores.counts import patient_tables
from semiology.metrics.scores.run_scores import FeatureScores, MacroScores, RunScores, clears, score_run
from semiology.metrics.statistics.intervals import (
    Estimate,
    effective_patients,
    f1_estimate,
    few_showing,
    not_estimable,
    proportion_estimate,
    too_few,
    uneven,
)
from semiology.metrics.statistics.jackknife import jackknife_estimate

VERBAL = "verbal_responsiveness"
FEATURES = ("tonic", "clonic", VERBAL)
BY_LEAVING_OUT = {"balanced_accuracy": "share", "mcc": "correlation", "kappa": "correlation",
                  "f1_minus_always_yes": "plain"}  # fmt: skip
NEED_WITH = ("precision", "recall", "f1", "balanced_accuracy", "mcc", "kappa", "f1_minus_always_yes")
NEED_WITHOUT = ("specificity", "balanced_accuracy", "mcc", "kappa")
BASELINES = ("always_yes_f1", "always_no_f1", "random_f1", "prevalence")
Row = tuple[str, str, str]
"""Patient, truth, answer."""


def study(seed: int, sizes: Sequence[int], *, skill: float = 0.7, common: float = 0.5) -> pd.DataFrame:
    """Answers about as many recordings of each patient as ``sizes`` says; some truths are missing."""
    rng = np.random.default_rng(seed)
    rows = []
    for patient, size in enumerate(sizes):
        for video in range(size):
            for feature in FEATURES:
                truth = "yes" if rng.random() < common else str(rng.choice(["no", "no", "no", "na", ""]))
                if truth == "na" and feature != VERBAL and rng.random() < 0.5:
                    truth = "no"
                right = rng.random() < skill and truth
                answer = truth if right else str(rng.choice(["yes", "no", "na", "unparsed", ""]))
                rows.append((f"p{patient:02d}", f"p{patient:02d}v{video}", feature, answer, truth))
    return pd.DataFrame(rows, columns=["patient_id", "video_id", "feature", "answer", "truth"])


def kept(frame: pd.DataFrame, feature: str, policy: str) -> tuple[list[Row], list[Row]]:
    """Return the recordings of a feature with a truth that can be scored, and those scored under the policy."""
    words = ("yes", "no", "na") if feature == VERBAL else ("yes", "no")
    own = frame[(frame["feature"] == feature) & frame["truth"].isin(words)]
    answers = own["answer"].replace({"": "unparsed"})
    asked = list(zip(own["patient_id"], own["truth"], answers, strict=True))
    return asked, [row for row in asked if policy == "wrong" or row[2] in words]


def scores(rows: list[Row], three: bool) -> dict[str, float]:
    """Return the scores of rows; NaN where the truth does not hold what a score needs."""
    words = ("yes", "no", "na") if three else ("yes", "no")
    counts = Counter((t, a if a in words else "other") for _, t, a in rows)
    n = sum(counts.values())
    of = {word: sum(k for (t, _), k in counts.items() if t == word) for word in words}
    said = {word: sum(k for (_, a), k in counts.items() if a == word) for word in words}
    hits = {word: counts[word, word] for word in words}
    seen = [word for word in words if of[word]]
    found = dict.fromkeys((*BASELINES, "precision", "recall", "f1", "specificity", *BY_LEAVING_OUT), math.nan)
    if not n:
        return found
    found["prevalence"] = of["yes"] / n
    if three:
        alarms = {word: said[word] - hits[word] for word in seen}
        found["precision"] = _mean([hits[w] / said[w] if said[w] else 0.0 for w in seen])
        found["recall"] = found["balanced_accuracy"] = _mean([hits[w] / of[w] for w in seen])
        found["f1"] = _mean([2 * hits[w] / (of[w] + said[w]) for w in seen])
        found["specificity"] = _mean([1 - alarms[w] / (n - of[w]) if n > of[w] else 0.0 for w in seen])
        found["always_yes_f1"], found["always_no_f1"] = (
            2 * of[w] / (of[w] + n) / len(seen) for w in ("yes", "no")
        )
        found["random_f1"] = _mean([of[w] / n for w in seen])
    else:
        # What is neither yes nor no counts as the opposite of the truth.
        positive = hits["yes"] + of["no"] - hits["no"]
        if of["yes"]:
            found["recall"] = hits["yes"] / of["yes"]
            found["f1"] = 2 * hits["yes"] / (of["yes"] + positive)
            found["always_yes_f1"] = 2 * of["yes"] / (of["yes"] + n)
            found["always_no_f1"], found["random_f1"] = 0.0, of["yes"] / n
        if positive:
            found["precision"] = hits["yes"] / positive
        if of["no"]:
            found["specificity"] = hits["no"] / of["no"]
        found["balanced_accuracy"] = (found["recall"] + found["specificity"]) / 2
    if len(seen) > 1:
        right, chance = sum(hits.values()) * n, sum(of[w] * said[w] for w in words)
        said["other"] = n - sum(said.values())
        spread = math.sqrt(
            (n * n - sum(k * k for k in of.values())) * (n * n - sum(k * k for k in said.values()))
        )
        found["mcc"] = (right - chance) / spread if spread else 0.0
        found["kappa"] = (right - chance) / (n * n - chance)
    found["f1_minus_always_yes"] = found["f1"] - found["always_yes_f1"]
    return {name: round(float(value), 12) for name, value in found.items()}


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)


def per_patient(rows: list[Row], patients: Sequence[str], hit: Callable[[str, str], bool]) -> np.ndarray:
    return np.array([sum(hit(t, a) for p, t, a in rows if p == name) for name in patients], dtype=float)


def same(found: Estimate, wanted: Estimate, what: object) -> None:
    """Check an estimate against another, numbers up to rounding."""
    for name in ("value", "low", "high"):
        ours, theirs = getattr(found, name), getattr(wanted, name)
        assert (ours is None) == (theirs is None), (what, name, found, wanted)
        if ours is not None:
            assert ours == pytest.approx(theirs, abs=1e-9, nan_ok=True), (what, name, found, wanted)
    for name in ("method", "n", "n_patients", "reason", "caution"):
        assert getattr(found, name) == getattr(wanted, name), (what, found, wanted)


def check_counts(found: FeatureScores, frame: pd.DataFrame, policy: str) -> None:
    asked, rows = kept(frame, found.feature, policy)
    own = frame[frame["feature"] == found.feature]
    three = found.feature == VERBAL
    showing = [p for p, t, _ in rows if t == "yes"]
    assert (found.n, found.n_patients, found.three_classes) == (len(rows), len({p for p, *_ in rows}), three)
    assert (found.n_positive, found.n_positive_patients) == (len(showing), len(set(showing)))
    assert found.n_unparsed == sum(a == "unparsed" for *_, a in asked)
    assert found.n_na == sum(a == "na" for *_, a in asked)
    assert found.n_na_truth == (0 if three else int((own["truth"] == "na").sum()))
    assert found.n_without_truth == int((own["truth"] == "").sum())
    assert found.n_dropped == len(asked) - len(rows)


def why_none(score: str, with_it: np.ndarray, without_it: np.ndarray) -> str | None:
    """Return why a score has no interval, from recordings of each patient with and without the feature."""
    kinds = [(with_it, NEED_WITH, "with"), (without_it, NEED_WITHOUT, "without")]
    if reason := too_few(
        *(int((kind > 0).sum()) if score in needing else None for kind, needing, _ in kinds)
    ):
        return reason
    reasons = [uneven(effective_patients(kind), f"recordings {which} the feature")
               for kind, needing, which in kinds if score in needing]  # fmt: skip
    return next(filter(None, reasons), None)


def check_feature(found: FeatureScores, frame: pd.DataFrame, policy: str, patients: Sequence[str]) -> None:
    name = found.feature
    three = name == VERBAL
    asked, rows = kept(frame, name, policy)
    value = scores(rows, three)
    with_it = per_patient(rows, patients, lambda t, a: t == "yes")
    without_it = per_patient(rows, patients, lambda t, a: t != "yes")
    whole = with_it + without_it
    n, n_patients = len(rows), len({p for p, *_ in rows})
    for one in BASELINES:
        assert getattr(found, one) == pytest.approx(value[one], nan_ok=True)

    def few(score: str) -> str | None:
        return why_none(score, with_it, without_it)

    words = ("yes", "no", "na") if three else ("yes", "no")
    shares = {
        "yes_rate": (rows, lambda t, a: a == "yes", lambda t, a: True),
        "unparsed_rate": (asked, lambda t, a: a == "unparsed", lambda t, a: True),
        "na_rate": (asked, lambda t, a: a == "na", lambda t, a: True),
        "accuracy": (rows, lambda t, a: a == t, lambda t, a: True),
    }
    if not three:
        yes: Callable[[str, str], bool] = lambda t, a: a == "yes" or (t == "no" and a not in words)  # noqa: E731
        shares |= {
            "precision": (rows, lambda t, a: t == a == "yes", yes),
            "recall": (rows, lambda t, a: t == a == "yes", lambda t, a: t == "yes"),
            "specificity": (rows, lambda t, a: t == a == "no", lambda t, a: t == "no"),
        }
    for key, (of, part, base) in shares.items():
        made = proportion_estimate(per_patient(of, patients, part), per_patient(of, patients, base))
        if why := few(key):
            made = not_estimable(made.value, made.method, made.n, made.n_patients, why)
        same(found.estimates[key], made, (name, key))
    if not three:
        tp = per_patient(rows, patients, lambda t, a: t == a == "yes")
        fp = per_patient(rows, patients, lambda t, a: t == "no" != a)
        fn = per_patient(rows, patients, lambda t, a: t == "yes" != a)
        same(
            found.estimates["f1"],
            f1_estimate(tp, fp, fn, n=n, n_patients=n_patients, withheld=few("f1")),
            name,
        )
    scales = BY_LEAVING_OUT | (
        dict.fromkeys(("f1", "precision", "recall", "specificity"), "share") if three else {}
    )
    left = [
        scores([row for row in rows if row[0] != p], three) for p in patients if any(r[0] == p for r in rows)
    ]
    for key, scale in scales.items():
        needed = [
            kind for kind, needing in ((with_it, NEED_WITH), (without_it, NEED_WITHOUT)) if key in needing
        ]
        made = jackknife_estimate(
            value[key], np.array([each[key] for each in left]),
            effective=min(map(effective_patients, needed)) if needed else effective_patients(whole),
            n=n, n_patients=n_patients, scale=scale, withheld=few(key),  # type: ignore[arg-type]
        )  # fmt: skip
        if key == "balanced_accuracy" and made.value == 1 and not three and not few(key):
            parts = [found.estimates["recall"], found.estimates["specificity"]]
            assert (found.estimates[key].low, found.estimates[key].high) == (
                pytest.approx(np.mean([each.low for each in parts])),  # type: ignore[list-item]
                1.0,
            )
            continue
        same(found.estimates[key], made, (name, key))
    assert set(found.estimates) == {*scales, *shares, "f1"}


MACRO = ("precision", "recall", "f1", "accuracy", "specificity", "balanced_accuracy", "mcc", "always_yes_f1",
         "f1_minus_always_yes", "prevalence", "yes_rate", "unparsed_rate")  # fmt: skip


def perfect(
    names: list[str], frame: pd.DataFrame, policy: str, patients: Sequence[str], n: int, of: int
) -> Estimate:
    """Return the mean of features' F1 of yes, each with its interval, where all answers are right."""
    each = []
    for name in names:
        rows = [row for row in kept(frame, name, policy)[1] if row[1] != "na"]
        tp = per_patient(rows, patients, lambda t, a: t == a == "yes")
        if tp.any():
            each.append(f1_estimate(tp, 0 * tp, 0 * tp, n=n, n_patients=of))
    reasons = [one.reason for one in each if one.low is None]
    if reasons:
        return not_estimable(1.0, each[0].method, n, of, str(reasons[0]))
    return replace(each[0], low=float(np.mean([one.low for one in each])), high=1.0)  # type: ignore[arg-type]


def check_macro(
    found: MacroScores, run: RunScores, frame: pd.DataFrame, policy: str, members: Sequence[str]
) -> None:
    by_name = {each.feature: each for each in run.features}
    asked = [name for name in sorted(FEATURES) if name in members]
    used = [name for name in asked if not math.isnan(by_name[name].estimates["f1"].value)]
    assert (found.features, found.left_out) == (tuple(used), tuple(n for n in asked if n not in used))
    # A mean counts the recordings whose truth can be scored, answered or not.
    rows = [row for name in used for row in kept(frame, name, "wrong")[0]]
    patients = sorted(set(frame["patient_id"]))
    sizes = per_patient(rows, patients, lambda t, a: True)
    showing = int((per_patient(rows, patients, lambda t, a: t == "yes") > 0).sum())
    if len(used) == 1:
        assert found.estimates == {key: by_name[used[0]].estimates[key] for key in MACRO if key in
                                   by_name[used[0]].estimates} | {key: found.estimates[key] for key in MACRO
                                                                  if key not in by_name[used[0]].estimates}  # fmt: skip
        return

    def means(without: str) -> dict[str, float]:
        each = []
        for name in used:
            asked, scored = ([r for r in part if r[0] != without] for part in kept(frame, name, policy))
            one = scores(scored, name == VERBAL)
            if math.isnan(one["precision"]) and not math.isnan(one["f1"]):
                one["precision"] = 0.0
            one["accuracy"] = _mean([t == a for _, t, a in scored]) if scored else math.nan
            one["yes_rate"] = _mean([a == "yes" for *_, a in scored]) if scored else math.nan
            one["unparsed_rate"] = _mean([a == "unparsed" for *_, a in asked]) if asked else math.nan
            each.append(one)
        defined = {key: [one[key] for one in each if not math.isnan(one[key])] for key in MACRO}
        return {key: round(float(np.mean(of)), 12) if of else math.nan for key, of in defined.items()}

    value, left = means(""), [means(p) for p, size in zip(patients, sizes, strict=True) if size]
    few = f"recordings with the features come from {showing} patients" if showing < 2 else None
    for key in MACRO:
        if key == "f1" and value[key] == 1 and few is None:
            wanted = perfect(used, frame, policy, patients, len(rows), int((sizes > 0).sum()))
            same(found.estimates[key], replace(wanted, caution=few_showing(showing)), found.group)
            continue
        scale = {"mcc": "correlation", "f1_minus_always_yes": "plain"}.get(key, "share")
        made = jackknife_estimate(
            value[key], np.array([each[key] for each in left]), effective=effective_patients(sizes), n=len(rows),
            n_patients=int((sizes > 0).sum()), scale=scale, caution=few_showing(showing), withheld=few,  # type: ignore[arg-type]
        )  # fmt: skip
        same(found.estimates[key], made, (found.group, key))
    assert set(found.estimates) == set(MACRO)


GROUPS = {"all": FEATURES, "two": ("tonic", "clonic"), "one": ("clonic",), "none": ("figure4",)}
STUDIES = {
    "one patient": (0, [6], {}),
    "two patients": (1, [4, 3], {}),
    "nine": (2, [2] * 9, {}),
    "rare": (3, [2, 1, 3] * 5, {"common": 0.06}),
    "very rare": (10, [2, 1] * 6, {"common": 0.05}),
    "always there": (4, [1, 2] * 6, {"common": 1.0}),
    "many of one": (5, [40, *[1] * 14], {}),
    "like four": (11, [12, 11, *[1] * 12], {}),
    "common": (6, [1, 2, 3, 4] * 4, {"common": 0.8}),
    "seldom right": (7, [2] * 14, {"skill": 0.1}),
    "always right": (8, [3, 2] * 8, {"skill": 1.0}),
    "never shown": (9, [1] * 12, {"common": 0.0}),
}


@pytest.mark.parametrize("policy", ["wrong", "drop"])
@pytest.mark.parametrize("name", STUDIES)
def test_every_figure_of_a_run_follows_from_its_rows(name: str, policy: Any) -> None:
    seed, sizes, options = STUDIES[name]
    frame = study(seed, sizes, **options)  # type: ignore[arg-type]
    run = score_run(frame, groups=GROUPS, policy=policy)
    patients = sorted(set(frame["patient_id"]))
    assert [each.feature for each in run.features] == sorted(FEATURES)
    for each in run.features:
        check_counts(each, frame, policy)
        check_feature(each, frame, policy, patients)
    assert [macro.group for macro in run.macros] == ["all", "two", "one"]
    for macro in run.macros:
        check_macro(macro, run, frame, policy, GROUPS[macro.group])


def rows_of(feature: str, truths: Sequence[str], answers: Sequence[str] | None = None) -> pd.DataFrame:
    """Return one recording of each patient."""
    names = [f"p{i:02d}" for i in range(len(truths))]
    columns = {
        "patient_id": names,
        "video_id": names,
        "feature": feature,
        "answer": answers or truths,
        "truth": truths,
    }
    return pd.DataFrame(columns)


SMALL = {
    "clonic of one patient": [rows_of("tonic", ["yes", "no"] * 7), rows_of("clonic", ["yes", *["no"] * 13])],
    "all right": [rows_of("tonic", ["yes", "no"] * 7), rows_of("clonic", ["no", "yes"] * 7)],
    "verbal without a yes": [rows_of("tonic", ["yes", "no"] * 7), rows_of(VERBAL, ["no", "na"] * 7)],
    "two show them": [
        rows_of("tonic", ["yes", *["no"] * 8], ["no", *["no"] * 7, "yes"]),
        rows_of("clonic", ["no", "yes", *["no"] * 7], ["no", "yes", "yes", *["no"] * 6]),
    ],
    "one shows them": [
        rows_of("tonic", ["yes", *["no"] * 8], ["yes", *["no"] * 7, "yes"]),
        rows_of("clonic", ["yes", *["no"] * 8], ["no", "yes", *["no"] * 7]),
    ],
    "one patient right": [rows_of("tonic", ["yes"]), rows_of("clonic", ["yes"])],
    "never said": [rows_of("tonic", ["yes", "no"] * 7, ["no"] * 14), rows_of("clonic", ["yes", "no"] * 7)],
    "nothing said": [
        rows_of("tonic", ["yes", "no"] * 7, ["unparsed"] * 14),
        rows_of(VERBAL, ["na"] * 14, ["na"] * 14),
    ],
}


@pytest.mark.parametrize("policy", ["wrong", "drop"])
@pytest.mark.parametrize("name", SMALL)
def test_means_over_features_that_few_patients_show_or_that_are_always_right(name: str, policy: Any) -> None:
    frame = pd.concat(SMALL[name])
    run = score_run(frame, policy=policy)
    members = sorted(set(frame["feature"]))
    patients = sorted(set(frame["patient_id"]))
    for each in run.features:
        check_counts(each, frame, policy)
        check_feature(each, frame, policy, patients)
    for macro in run.macros:
        check_macro(macro, run, frame, policy, members)


@pytest.mark.parametrize("policy", ["wrong", "drop"])
@pytest.mark.parametrize("name", ["two patients", "nine", "common", "seldom right", "always there"])
def test_what_is_claimed_beside_always_yes_is_the_comparison_of_the_same_features(
    name: str, policy: Any
) -> None:
    seed, sizes, options = STUDIES[name]
    frame = study(seed, sizes, **options)  # type: ignore[arg-type]
    run = score_run(frame, groups=GROUPS, policy=policy, seed=3)
    tables = against_always_yes(patient_tables(frame), policy)
    whole = {each.feature: each.scores for each in compare_tables(tables, seed=3).features}
    for each in run.features:
        for score in ("f1", "balanced_accuracy"):
            told = whole[each.feature].get(score)
            assert each.p_always_yes[score] == pytest.approx(told.p_max_t if told else math.nan, nan_ok=True)
            assert each.against_always_yes[score] == (verdict(told, 0.05) if told else "undefined")
        assert each.clears_chance == clears(each.against_always_yes["f1"])
    for macro in run.macros:
        made = compare_tables(part_of(tables, GROUPS[macro.group]), seed=3).macro
        for score in ("f1", "balanced_accuracy"):
            told = made.get(score)
            assert macro.p_always_yes[score] == pytest.approx(told.p_max_t if told else math.nan, nan_ok=True)
            assert macro.against_always_yes[score] == (verdict(told, 0.05) if told else "undefined")
